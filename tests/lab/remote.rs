//! A proxy for other machines. It needs a password, and does not lead to services that are reserved for its own
//! machine.

use crate::{
    network::{Host, Network, program},
    sandbox::{Netns, Sandbox, command, ended},
};

#[test]
fn another_machine_uses_a_proxy_with_a_password_and_does_not_reach_the_loopback_behind_it() {
    let sandbox = Sandbox::new();
    let users = sandbox.write("users", "ann:secret\n");
    let users = users.display();
    let laptop = Host::laptop()
        .ports(&["8080:127.0.0.1:8000"])
        .line(&format!(
            "http: {{listen: \"0.0.0.0:18080\", allowRemote: true, credentials: \"{users}\"}}"
        ))
        .line(&format!(
            "socks: {{listen: \"10.5.0.1:18081\", allowRemote: true, credentials: \"{users}\"}}"
        ));
    let web = Host::netns("web", &sandbox).ports(&["8080:127.0.0.1:8000"]);
    let (own, _page) = (laptop.serve_origin(), web.serve_origin());
    let other = Netns::new();
    laptop
        .namespace()
        .lay_cable("10.5.0.1/24", &other, "10.5.0.2/24");
    let mut network = Network::start(&sandbox, vec![laptop, web]);
    network.wait_for_page("laptop", "web");
    let curl = |words: &[&str]| {
        let common = [
            "curl",
            "-qsS",
            "--noproxy",
            "",
            "--max-time",
            "50",
            "--write-out",
            "%{http_code}",
        ];
        ended(other.command(&common).args(words))
    };
    let http = "http://10.5.0.1:18080";
    for words in [
        &["--proxy", http, "http://web:8080/"][..],
        &[
            "--proxy",
            http,
            "--proxy-user",
            "ann:guess",
            "http://web:8080/",
        ],
        &["--proxy", http, "http://127.0.0.1:8000/"],
        // The proxy's own pages show the network, so they are only for programs of its machine.
        &["http://10.5.0.1:18080/"],
        &["http://10.5.0.1:18080/proxy.pac"],
    ] {
        let answer = curl(words);
        assert!(answer.out.ends_with("\n407"), "{words:?}: {answer:?}");
    }
    let allowed = |url: &str| curl(&["--proxy", http, "--proxy-user", "ann:secret", url]);
    assert_eq!(allowed("http://web:8080/").out, "web\n200");
    // A port that the laptop publishes is open to all hosts of the network, so the proxy leads there as well. It does
    // not lead to the addresses below.
    assert_eq!(allowed("http://laptop:8080/").out, "laptop\n200");
    let before = own.heads().len();
    for url in [
        "http://127.0.0.1:8000/",
        "http://127.1.2.3:8000/",
        "http://localhost:8000/",
        "http://0.0.0.0:8000/",
        "http://[::1]:8000/",
        "http://[::]:8000/",
        "http://[::ffff:127.0.0.1]:8000/",
        "http://169.254.169.254/",
    ] {
        let answer = allowed(url);
        assert!(answer.out.ends_with("\n403"), "{url}: {answer:?}");
        let tunnel = curl(&[
            "--proxy",
            http,
            "--proxy-user",
            "ann:secret",
            "--proxytunnel",
            "--write-out",
            "%{http_connect}",
            url,
        ]);
        assert_eq!(tunnel.out, "403", "{url}: {tunnel:?}");
        let socks = curl(&["--proxy", "socks5h://ann:secret@10.5.0.1:18081", url]);
        assert_eq!(
            (socks.code, socks.out.as_str()),
            (97, "000"),
            "{url}: {socks:?}"
        );
    }
    assert_eq!(own.heads().len(), before, "the loopback was reached");
    let socks = curl(&[
        "--proxy",
        "socks5h://ann:secret@10.5.0.1:18081",
        "http://web:8080/",
    ]);
    assert_eq!(socks.out, "web\n200");
    let nobody = curl(&["--proxy", "socks5h://10.5.0.1:18081", "http://web:8080/"]);
    assert_eq!(
        (nobody.code, nobody.out.as_str()),
        (97, "000"),
        "{nobody:?}"
    );
    // No other port is open to other machines.
    for port in ["8080", "10053"] {
        let closed = curl(&[&format!("http://10.5.0.1:{port}/")]);
        assert_eq!(closed.code, 7, "{port}: {closed:?}");
    }
}

#[test]
fn a_manifest_that_opens_a_proxy_to_everybody_is_refused() {
    let sandbox = Sandbox::new();
    for (proxy, missing) in [
        (
            "{listen: \"0.0.0.0:1080\"}",
            &["allowRemote", "credentials"][..],
        ),
        (
            "{listen: \"0.0.0.0:1080\", allowRemote: true}",
            &["credentials"],
        ),
        (
            "{listen: \"[::]:1080\", allowRemote: true}",
            &["credentials"],
        ),
        (
            "{listen: \"10.5.0.1:1080\", credentials: /etc/users}",
            &["allowRemote"],
        ),
    ] {
        for kind in ["http", "socks"] {
            let manifest =
                format!("hosts:\n  laptop:\n    vip: 127.0.42.11\n    {kind}: {proxy}\n");
            let file = sandbox.write("open.yaml", manifest);
            let mut check = command(&[program(&sandbox), "check".into(), file]);
            let said = ended(&mut check);
            assert_eq!(said.code, 4, "{kind}: {proxy}: {said:?}");
            let text = said.out + &said.err;
            for word in missing {
                assert!(text.contains(word), "{kind}: {proxy}: {text}");
            }
            assert!(text.contains("open.yaml:4:"), "{text}");
        }
    }
}
