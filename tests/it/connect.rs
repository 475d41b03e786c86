//! `norouter addr`, `connect` and `open`: programs of this machine reach services without a proxy of their own.

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Stdio},
    sync::mpsc,
    thread,
};

use crate::{
    back_to_back::free_port,
    home::{Home, Manager, PATIENCE, Run},
};

/// A laptop, and a host `web` with two ports: 8080 leads to a listener of the test, and 81 leads to a port at which
/// nothing listens. A route leads through `gate` to the address `127.0.64.N+3`.
struct Network {
    home: Home,
    service: TcpListener,
    beyond: TcpListener,
    first: u8,
    _manager: Manager,
}

impl Network {
    /// The hosts have the addresses `127.0.64.N` to `127.0.64.N+2`. `laptop` is text with further fields for the laptop
    /// in the manifest.
    fn start(name: &str, first: u8, laptop: &str) -> Self {
        let home = Home::new(name);
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let beyond = TcpListener::bind(format!("127.0.64.{}:0", first + 3)).unwrap();
        let program = serde_json::json!([env!("CARGO_BIN_EXE_norouter")]);
        let vip = |number: u8| format!("127.0.64.{}", first + number);
        let port = service.local_addr().unwrap().port();
        let far = "loopback: {disable: true}, stateDir: {disable: true}, dns: {disable: true}";
        let manifest = format!(
            "hosts:\n\
             \x20 laptop: {{vip: {}, dns: {{disable: true}}, {laptop}}}\n\
             \x20 web: {{vip: {}, cmd: {program}, aliases: [www], ports: ['8080:127.0.0.1:{port}', '81:127.0.0.1:9'], {far}}}\n\
             \x20 gate: {{vip: {}, cmd: {program}, {far}}}\n\
             routes: [{{via: gate, to: ['{}/32']}}]\n",
            vip(0),
            vip(1),
            vip(2),
            vip(3),
        );
        let manifest = home.write(&format!("{name}.yaml"), &manifest);
        let manager = home.up(&[&manifest]);
        home.wait(&["laptop", "web", "gate"]);
        Self {
            home,
            service,
            beyond,
            first,
            _manager: manager,
        }
    }

    fn vip(&self, number: u8) -> String {
        format!("127.0.64.{}", self.first + number)
    }

    fn beyond(&self) -> String {
        self.beyond.local_addr().unwrap().to_string()
    }

    fn connect(&self, arguments: &[&str]) -> Child {
        let mut command = self.home.command(&[&["connect"], arguments].concat());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Repeats a command until the agent of the laptop has written its variables. Returns the last run.
    fn run(&self, arguments: &[&str]) -> Run {
        loop {
            let run = self.home.run(arguments);
            if !run.talk.contains("has not written its variables") {
                return run;
            }
            thread::yield_now();
        }
    }
}

fn accept(service: &TcpListener) -> TcpStream {
    let stream = service.accept().unwrap().0;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything that arrives until the other side has finished sending.
fn whole(stream: &mut impl std::io::Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// A service that answers only after its client has finished sending.
fn answer_at_the_end(service: &TcpListener) {
    let service = service.try_clone().unwrap();
    thread::spawn(move || {
        let mut stream = accept(&service);
        let heard = whole(&mut stream);
        stream
            .write_all(format!("heard {heard}").as_bytes())
            .unwrap();
    });
}

#[test]
fn the_address_of_a_service_is_printed_by_every_name_of_its_host() {
    let network = Network::start("addr", 0, "stateDir: {disable: true}");
    let vip = network.vip(1);
    for (called, printed) in [
        ("web", vip.clone()),
        ("WWW.norouter", vip.clone()),
        ("web:8080", format!("{vip}:8080")),
        ("http://www:8080/index.html", format!("{vip}:8080")),
        (&*format!("{vip}:81"), format!("{vip}:81")),
    ] {
        let run = network.home.run(&["addr", called]);
        assert_eq!((run.code, run.talk.as_str()), (0, ""), "{called}");
        assert_eq!(run.data, format!("{printed}\n"));
    }
    for command in ["addr", "connect", "open"] {
        let run = network.home.run(&[command, "web:22"]);
        assert_eq!((run.code, run.data.as_str()), (1, ""), "{command}");
        for said in [
            "error: web does not publish port 22\n",
            "help: it publishes: 81, 8080\n",
        ] {
            assert!(run.talk.contains(said), "{command}: {}", run.talk);
        }
    }
    let beyond = network.home.run(&["addr", &network.beyond()]);
    assert_eq!(beyond.code, 1);
    let portless = network.home.run(&["connect", "web"]);
    assert_eq!(portless.code, 2, "{}", portless.talk);
    assert!(
        portless.talk.contains("it publishes: 81, 8080"),
        "{}",
        portless.talk
    );
    let stopped = network.home.run(&["stop", "web"]);
    assert_eq!(stopped.code, 0, "{}", stopped.talk);
    let note = network.home.run(&["addr", "web"]);
    assert_eq!((note.code, note.data), (0, format!("{vip}\n")));
    assert!(
        note.talk.contains("web cannot be reached now (stopped)"),
        "{}",
        note.talk
    );
}

#[test]
fn both_ends_of_a_connection_are_carried_by_themselves() {
    let network = Network::start("connect", 10, "stateDir: {disable: true}");
    answer_at_the_end(&network.service);
    let mut child = network.connect(&["www:8080"]);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"everything")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "heard everything"
    );

    let mut child = network.connect(&["web:8080"]);
    let mut service = accept(&network.service);
    service.write_all(b"greeting").unwrap();
    service.shutdown(Shutdown::Write).unwrap();
    let mut said = child.stdout.take().unwrap();
    assert_eq!(whole(&mut said), "greeting", "the output has ended");
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"late").unwrap();
    drop(input);
    assert_eq!(whole(&mut service), "late");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_connection_that_breaks_is_a_failure_that_leads_to_the_cause() {
    let network = Network::start("broken", 20, "stateDir: {disable: true}");
    let run = network.home.run(&["connect", "web:81"]);
    assert_eq!(run.code, 5, "{}", run.talk);
    // The reset may arrive before the system has reported the connection as open, so there are two possible messages.
    let said = ["the connection to web:81 broke", "cannot connect to web:81"];
    assert!(said.iter().any(|it| run.talk.contains(it)), "{}", run.talk);
    assert!(run.talk.contains("norouter why web:81"), "{}", run.talk);
    let beyond = network.home.run(&["connect", &network.beyond()]);
    assert_eq!(beyond.code, 1);
    assert!(
        beyond.talk.contains("no host on this machine has a proxy"),
        "{}",
        beyond.talk
    );
    let nobody = network.home.run(&["connect", "wbe:80"]);
    assert!(nobody.talk.contains("did you mean web?"), "{}", nobody.talk);
}

#[test]
fn what_is_behind_a_route_is_reached_through_the_proxy_of_this_machine() {
    for (first, kind) in [(30, "http"), (40, "socks")] {
        let own = Ipv4Addr::new(127, 0, 64, first);
        let listen = format!("{own}:{}", free_port(own));
        let laptop = format!("loopback: {{disable: true}}, {kind}: {{listen: '{listen}'}}");
        let network = Network::start(&format!("routed-{kind}"), first, &laptop);
        let beyond = network.beyond();
        // The command is repeated until the proxy runs. Then the proxy's own words report the failure at this port.
        let closed = network.run(&["connect", &format!("{}:9", network.vip(3))]);
        assert_eq!(closed.code, 5, "{kind}: {}", closed.talk);
        let said = format!(
            "The proxy {listen} does not connect to {}:9",
            network.vip(3)
        );
        assert!(closed.talk.contains(&said), "{}", closed.talk);
        assert!(
            !closed.talk.contains("norouter:"),
            "a password: {}",
            closed.talk
        );
        // The laptop does not listen on addresses of the network, so its hosts are reached through the proxy, too.
        for (target, service) in [(&*beyond, &network.beyond), ("web:8080", &network.service)] {
            answer_at_the_end(service);
            let mut child = network.connect(&[target]);
            child.stdin.take().unwrap().write_all(b"it").unwrap();
            let output = child.wait_with_output().unwrap();
            let talk = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(0), "{kind} {target}: {talk}");
            assert_eq!(output.stdout, b"heard it");
        }
    }
}

#[test]
fn a_page_is_opened_in_the_browser_that_the_person_has_named() {
    let network = Network::start("open", 50, "stateDir: {disable: true}");
    let url = format!("http://{}:8080", network.vip(1));
    let print = |page: &str| network.home.run(&["open", "--print", page]);
    for (page, printed) in [
        ("www", format!("{url}/")),
        ("http://web:8080/a?b=c#d", format!("{url}/a?b=c#d")),
        ("web:81", format!("http://{}:81/", network.vip(1))),
    ] {
        let run = print(page);
        assert_eq!((run.code, run.data), (0, format!("{printed}\n")), "{page}");
    }
    let script = network
        .home
        .write("browser", "#!/bin/sh\nprintf %s \"$1\" > opened\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let open = |browser: &str| {
        let mut command = network.home.command(&["open", "web:8080/x"]);
        let screen = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
        for name in screen {
            command.env_remove(name);
        }
        command.env("BROWSER", browser).output().unwrap()
    };
    let opened = open(&format!("no-such-browser:{script}"));
    assert_eq!((opened.status.code(), opened.stdout), (Some(0), Vec::new()));
    let seen = fs::read_to_string(network.home.path().join("opened")).unwrap();
    assert_eq!(seen, format!("{url}/x"));
    for (browser, reason) in [("", "no screen"), ("false", "false, which $BROWSER names")] {
        let closed = open(browser);
        assert_eq!(closed.status.code(), Some(1), "{browser}");
        assert_eq!(
            String::from_utf8(closed.stdout).unwrap(),
            format!("{url}/x\n")
        );
        let talk = String::from_utf8(closed.stderr).unwrap();
        assert!(
            talk.contains("no browser can be started") && talk.contains(reason),
            "{talk}"
        );
    }
}

/// In a pipeline, `head` ends the program before it in this way: after `head` has ended, nobody reads the program's
/// output.
#[test]
fn an_output_that_nobody_reads_ends_the_connection() {
    let network = Network::start("unread", 60, "stateDir: {disable: true}");
    let mut child = network.connect(&["web:8080"]);
    let mut service = accept(&network.service);
    drop(child.stdout.take());
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        while service.write_all(&[0; 1 << 12]).is_ok() {}
        done.send(()).unwrap();
    });
    ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
