//! Machines whose administrators limit the agent, by a forced command of OpenSSH or by a file in a container. The
//! examples are copied from `docs/ADMINISTRATORS.md`.

use std::{fs, path::Path};

use crate::{
    network::{Host, Network, program},
    sandbox::{Netns, Podman, Sandbox, Sshd, ended, static_norouter, wait_for},
};

/// An example in a document: from the line that begins with this text to the end of its code block.
pub(crate) fn example(page: &str, begins: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page);
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page
        .split_once(&format!("\n{begins}"))
        .unwrap_or_else(|| panic!("no example begins with {begins:?}"));
    let (example, _) = rest.split_once("\n```").unwrap();
    format!("{begins}{example}\n")
}

const PAGE: &str = "ADMINISTRATORS.md";

/// The path of the program in the document's examples.
const INSTALLED: &str = "/usr/local/bin/norouter";

/// Starts an ssh server as an example shows. Its host publishes one port that the example permits, and one that it does
/// not permit.
#[track_caller]
fn only_what_is_permitted(sandbox: &Sandbox, options: &str, lines: &str) {
    let installed = |text: &str| {
        assert!(text.is_empty() || text.contains(INSTALLED), "{text}");
        text.replace(INSTALLED, program(sandbox).to_str().unwrap())
    };
    let netns = Netns::new();
    let server = Sshd::administrated(sandbox, &netns, &installed(options), &installed(lines));
    let words = [server.ssh(), vec!["norouter".to_owned()]].concat();
    let web = Host::in_netns("web", netns)
        .entered_by(words)
        .ports(&["8080:127.0.0.1:8000", "8022:127.0.0.1:22"])
        .line("http: {listen: \"127.0.0.1:18080\"}");
    let laptop = Host::laptop().line("http: {listen: \"127.0.0.1:18080\"}");
    let _page = web.serve_name(sandbox);
    let routes = ["{via: web, to: [10.99.0.0/24, \"*.corp.test\"]}"];
    let mut network = Network::with_routes(sandbox, vec![laptop, web], &routes);
    // The permitted port works.
    network.wait_for_page("laptop", "web");
    // Nothing else works: another port, a route, a proxy. Each refusal is reported with the rule.
    let rules = [
        (
            "connect to 127.0.0.1:22 for port 8022",
            "permits \"dial\" only for 127.0.0.1:8000",
        ),
        ("be a gateway", "does not permit \"gateway\""),
        (
            "serve the HTTP proxy on 127.0.0.1:18080",
            "does not permit \"proxy\"",
        ),
    ];
    let status = wait_for("the problems of web", || {
        let status = network.host_status("web");
        (status["state"] == "degraded").then_some(status)
    });
    let problems = status["troubles"].as_array().unwrap();
    for (what, rule) in rules {
        let told = format!("cannot {what}: the option --restrict {rule}");
        let found = problems
            .iter()
            .any(|it| it["what"].as_str().unwrap().starts_with(&told));
        assert!(found, "{told}: {problems:#?}");
    }
    let laptop = network.laptop();
    let refused = laptop.fetch(&network.vip("web"), 8022);
    assert!(
        refused.unwrap_err().contains("reset"),
        "the port is refused"
    );
    let proxied = laptop.curl(&[
        "--proxy",
        "http://127.0.0.1:18080",
        "http://10.99.0.5:8000/",
    ]);
    let words = "Not permitted by the administrator of web: the option --restrict does not permit \"gateway\"";
    assert!(proxied.out.contains(words), "{proxied:?}");
    let why = ended(&mut network.norouter(&["why", "web:8022"]));
    assert_eq!(why.code, 5, "{why:?}");
    assert!(
        why.out
            .contains("ask the administrator of web to permit it"),
        "{why:?}"
    );
    // Other commands of the client are not run, and the server does not forward ports.
    let run = ended(crate::sandbox::command(&server.ssh()).args(["cat", "/etc/passwd"]));
    assert!(!run.out.contains("root:"), "{run:?}");
    let mut forward = server.ssh();
    forward.splice(1..1, ["-W", "127.0.0.1:8000"].map(str::to_owned));
    let forward = ended(&mut crate::sandbox::command(&forward));
    assert!(forward.code != 0 && forward.out.is_empty(), "{forward:?}");
    network.assert_page("laptop", "web");
}

#[test]
fn a_key_with_the_forced_command_of_the_page_can_do_nothing_else() {
    let sandbox = Sandbox::new();
    let line = example(PAGE, "command=");
    let (options, key) = line.split_once(" ssh-ed25519 ").unwrap();
    assert!(key.starts_with("AAAA") && options.ends_with(",restrict"));
    only_what_is_permitted(&sandbox, options, "");
}

#[test]
fn a_user_with_the_match_block_of_the_page_can_do_nothing_else() {
    let sandbox = Sandbox::new();
    let lines = example(PAGE, "Match User ").replace("Match User norouter\n", "Match User root\n");
    assert!(lines.starts_with("Match User root\n"), "{lines}");
    only_what_is_permitted(&sandbox, "", &lines);
}

#[test]
fn a_container_with_the_file_of_the_page_in_it_limits_its_agent() {
    let sandbox = Sandbox::new();
    let limits = sandbox.write("agent.yaml", example(PAGE, "# /etc/norouter/agent.yaml"));
    let podman = Podman::new(&sandbox);
    let program = static_norouter();
    let files = [
        ("/norouter", program.as_path()),
        ("/etc/norouter/agent.yaml", limits.as_path()),
    ];
    let image = podman.busybox_image("box", &files);
    let boxed = Host::in_container("box", podman.start(&image)).ports(&[
        "8080:127.0.0.1:8000",
        "7000:127.0.0.1:7000",
        "8022:127.0.0.1:22",
    ]);
    let page = boxed.serve_name(&sandbox);
    let laptop = Host::laptop().ports(&["8080:127.0.0.1:8000", "7070:127.0.0.1:8000"]);
    let _own = laptop.serve_name(&sandbox);
    let mut network = Network::start(&sandbox, vec![laptop, boxed]);
    network.wait_for_page("laptop", "box");
    network.wait_for_page("box", "laptop");
    let file = "/etc/norouter/agent.yaml";
    let status = network.host_status("box");
    let problems = status["troubles"].to_string().replace("\\\"", "'");
    for told in [
        format!(
            "cannot connect to 127.0.0.1:22 for port 8022, 127.0.0.1:7000 for port 7000: {file}:3 permits 'dial' only for \
             127.0.0.1:8000, web.internal:443"
        ),
        format!("{file}:2 permits 'listen' only for 127.0.42.0/24:8000-9000"),
    ] {
        assert!(problems.contains(&told), "{told}: {problems}");
    }
    assert!(problems.contains("127.0.42.11:7070"), "{problems}");
    let boxed = network.host("box");
    assert!(boxed.fetch(&network.vip("laptop"), 7070).is_err());
    let checked = ended(&mut boxed.command(&["/norouter", "check-limits"]));
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(
        checked
            .out
            .contains("  dial=127.0.0.1:8000,web.internal:443\n"),
        "{checked:?}"
    );
    drop(page);
    // A file that others can write is not trusted, so the agent refuses to serve.
    let script = format!("busybox chmod 666 {file}");
    let changed = ended(&mut boxed.command(&["/bin/sh", "-c", &script]));
    assert_eq!(changed.code, 0, "{changed:?}");
    let restarted = ended(&mut network.norouter(&["restart", "box"]));
    assert_eq!(restarted.code, 0, "{restarted:?}");
    let reason = wait_for("the agent to refuse to serve", || {
        let status = network.host_status("box");
        (status["state"] == "refused").then(|| status["reason"].to_string())
    });
    let words = "other users may write /etc/norouter/agent.yaml";
    assert!(reason.contains(words), "{reason}");
}
