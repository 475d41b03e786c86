//! Routes: which gateway a connection uses, what gateways refuse, and which host resolves names.

use std::{
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use crate::{
    ground::assert_within,
    network::{Host, Network},
    office::{HTTP, Office, gateway},
    sandbox::{Ended, Nameserver, Origin, Sandbox, output, wait_for},
};

/// A laptop with a proxy, and several gateways. Each gateway has servers at the same addresses, and their pages contain
/// the name of the gateway.
struct Gateways {
    network: Network,
    _servers: Vec<Origin>,
}

impl Gateways {
    fn open(sandbox: &Sandbox, laptop: Host, names: &[&str], routes: &[&str]) -> Self {
        let mut hosts = vec![laptop.line(&format!("http: {{listen: {HTTP:?}}}"))];
        let mut servers = Vec::new();
        for name in names {
            let gate = gateway(name, sandbox).ports(&["8080:127.0.0.1:8000"]);
            servers.push(gate.serve_origin());
            for address in ["10.99.0.5:8000", "10.99.0.6:8000", "[fd99::5]:8000"] {
                servers.push(Origin::start(gate.namespace(), address, name));
            }
            hosts.push(gate);
        }
        let mut network = Network::with_routes(sandbox, hosts, routes);
        for name in names {
            network.wait_for_page("laptop", name);
        }
        Self {
            network,
            _servers: servers,
        }
    }

    fn curl(&self, url: &str) -> Ended {
        let proxy = format!("http://{HTTP}");
        self.network.laptop().curl(&["--proxy", &proxy, url])
    }

    /// The name of the gateway through which a URL is reached, or the proxy's error.
    #[track_caller]
    fn via(&self, url: &str) -> String {
        let answer = self.curl(url);
        assert_eq!(answer.code, 0, "{url}: {answer:?}");
        answer.out.trim_end().to_owned()
    }
}

#[test]
fn the_last_route_that_leads_somewhere_wins_but_for_its_exceptions() {
    let sandbox = Sandbox::new();
    let routes = [
        "{via: one, to: [10.99.0.0/24, \"fd99::5/128\", \"*.corp.test\"]}",
        "{via: two, to: [10.99.0.0/28, \"d*.test\"], notTo: [10.99.0.6/32, \"dark.corp.test\"]}",
        "{via: one, to: [\"six.*\"]}",
        "{via: two, to: [\"fd99::/64\"]}",
    ];
    let gateways = Gateways::open(&sandbox, Host::laptop(), &["one", "two"], &routes);
    for (url, gateway) in [
        ("http://10.99.0.5:8000/", "two"),
        // The second route excludes this address, so the earlier route applies.
        ("http://10.99.0.6:8000/", "one"),
        ("http://db.corp.test:8000/", "two"),
        ("http://DB.Corp.Test.:8000/", "two"),
        ("http://slow.corp.test:8000/", "one"),
        ("http://six.corp.test:8000/", "one"),
        ("http://[fd99::5]:8000/", "two"),
    ] {
        assert_eq!(gateways.via(url), gateway, "{url}");
    }
    let dark = gateways.via("http://dark.corp.test:8000/");
    assert!(
        dark.starts_with("Through one: The name dark.corp.test"),
        "{dark}"
    );
    // If no route leads to the destination, the laptop itself dials, and fails.
    let nowhere = gateways.via("http://10.98.0.1/");
    assert!(
        nowhere.starts_with("10.98.0.1:80 cannot be reached: "),
        "{nowhere}"
    );
}

#[test]
fn another_gateway_takes_over_from_one_that_is_gone() {
    let sandbox = Sandbox::new();
    let routes = ["{via: [one, two], to: [10.99.0.0/24, \"fd99::/64\", \"*.corp.test\"]}"];
    let gateways = Gateways::open(&sandbox, Host::laptop(), &["one", "two"], &routes);
    let urls = [
        "http://db.corp.test:8000/",
        "http://10.99.0.5:8000/",
        "http://six.corp.test:8000/",
    ];
    for url in urls {
        assert_eq!(gateways.via(url), "one", "{url}");
    }
    // The host is stopped, not killed: a killed agent would be back before the other gateway takes over.
    output(&mut gateways.network.norouter(&["stop", "one"]));
    for url in urls {
        wait_for("the other gateway", || {
            (gateways.via(url) == "two").then_some(())
        });
    }
}

#[test]
fn a_gateway_that_never_comes_up_is_passed_over() {
    let sandbox = Sandbox::new();
    let laptop = Host::laptop().line(&format!("http: {{listen: {HTTP:?}}}"));
    let never = Host::with_command("never", &["false"]);
    let two = gateway("two", &sandbox).ports(&["8080:127.0.0.1:8000"]);
    let _servers = [
        two.serve_origin(),
        Origin::start(two.namespace(), "10.99.0.5:8000", "two"),
        Origin::start(two.namespace(), "[fd99::5]:8000", "two"),
    ];
    let routes = ["{via: [never, two], to: [10.99.0.0/24, \"fd99::/64\", \"*.corp.test\"]}"];
    let mut network = Network::with_routes(&sandbox, vec![laptop, never, two], &routes);
    network.wait_for_page("laptop", "two");
    let proxy = format!("http://{HTTP}");
    for url in [
        "http://db.corp.test:8000/",
        "http://10.99.0.5:8000/",
        "http://six.corp.test:8000/",
        "http://[fd99::5]:8000/",
    ] {
        let answer = network.laptop().curl(&["--proxy", &proxy, url]);
        assert_eq!(answer.out, "two\n", "{url}: {answer:?}");
    }
}

#[test]
fn names_of_a_route_are_resolved_at_its_gateway_and_never_here() {
    let sandbox = Sandbox::new();
    let laptop = Host::laptop();
    let resolver = Nameserver::start(laptop.namespace(), "127.0.0.1:53");
    laptop
        .namespace()
        .etc("resolv.conf", "nameserver 127.0.0.1\n");
    let routes = ["{via: one, to: [\"*.corp.test\", 10.99.0.0/24, \"fd99::/64\"]}"];
    let gateways = Gateways::open(&sandbox, laptop, &["one"], &routes);
    for url in [
        "http://db.corp.test:8000/",
        "http://six.corp.test:8000/",
        "http://one:8080/",
        "http://one.norouter:8080/",
    ] {
        assert_eq!(gateways.via(url), "one", "{url}");
    }
    for url in ["http://nobody.corp.test/", "http://nobody.norouter/"] {
        assert!(gateways.via(url).contains("nobody"), "{url}");
    }
    assert!(!resolver.was_asked_for(".test"), "{:?}", resolver.asked());
    assert!(
        !resolver.was_asked_for("norouter"),
        "{:?}",
        resolver.asked()
    );
    // The laptop's resolver is asked for all other names.
    let other = gateways.via("http://elsewhere.example/");
    assert!(other.contains("elsewhere.example"), "{other}");
    assert!(
        resolver.was_asked_for(" elsewhere.example"),
        "{:?}",
        resolver.asked()
    );
}

#[test]
fn a_name_that_is_denied_or_refused_for_ipv6_is_reached_over_ipv4() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let gate = office.network.host("gate");
    let resolver = Nameserver::start(gate.namespace(), "127.0.0.1:53");
    for name in ["denied.corp.test", "refused.corp.test"] {
        let start = Instant::now();
        let page = office.curl(&[&format!("http://{name}:8000/")]);
        assert_eq!(page.out, "db\n", "{page:?}");
        // If a resolver repeated the refused question, it would give up only after 5 s.
        assert_within(name, start.elapsed(), Duration::from_secs(4));
        for kind in ["TYPE(A)", "TYPE(AAAA)"] {
            let question = format!("{name} {kind}");
            assert!(resolver.was_asked_for(&question), "{:?}", resolver.asked());
        }
    }
}

/// Sends a request to the relay of the office's gateway, without the checks of an agent, as a faulty agent could.
fn ask_relay(office: &Office, host: &str, port: u16) -> serde_json::Value {
    let mut stream = office.network.laptop().connect(HTTP);
    let relay = format!("{}:10054", office.network.vip("gate"));
    let connect = format!("CONNECT {relay} HTTP/1.1\r\nHost: {relay}\r\n\r\n");
    let ask = serde_json::json!({"host": host, "port": port}).to_string();
    let length = u16::try_from(ask.len()).unwrap().to_be_bytes();
    stream
        .write_all(&[connect.as_bytes(), &length, ask.as_bytes()].concat())
        .unwrap();
    let mut head = [0; 39];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 Connection established\r\n\r\n");
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn a_gateway_refuses_what_its_own_routes_do_not_allow() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let before = office.gate.heads().len();
    for (host, port) in [
        ("127.0.0.1", 8000),
        ("localhost", 8000),
        ("::1", 8000),
        ("::ffff:127.0.0.1", 8000),
        ("0.0.0.0", 8000),
        ("sly.corp.test", 8000),
        ("169.254.169.254", 80),
        ("10.98.0.1", 8000),
        ("10.77.0.1", 8000),
        ("a.gone.test", 8000),
        ("elsewhere.example", 8000),
        ("web", 8080),
        ("no host at all", 80),
    ] {
        let answer = ask_relay(&office, host, port);
        assert_eq!(answer["cause"], "notAllowed", "{host}: {answer}");
        assert!(
            answer["reason"].as_str().unwrap().ends_with('.'),
            "{answer}"
        );
    }
    assert_eq!(office.gate.heads().len(), before);
    assert_eq!(
        ask_relay(&office, "10.99.0.5", 8000)["cause"],
        serde_json::Value::Null
    );
    // A destination with a route still works.
    assert_eq!(office.page(&["http://10.99.0.5:8000/"]), "db\n");
}

#[test]
fn a_route_to_everywhere_does_not_lead_to_the_gateways_own_addresses() {
    let sandbox = Sandbox::new();
    let routes = [
        "{via: two, to: [10.99.0.0/24, \"*.corp.test\"]}",
        "{via: one, to: [0.0.0.0/0, \"::/0\", \"*\"], notTo: [10.99.0.6/32]}",
    ];
    let gateways = Gateways::open(&sandbox, Host::laptop(), &["one", "two"], &routes);
    for url in [
        "http://10.99.0.5:8000/",
        "http://db.corp.test:8000/",
        "http://[fd99::5]:8000/",
    ] {
        let refused = gateways.via(url);
        assert!(
            refused.starts_with("Through one: ")
                && refused.contains("(an address of that machine itself)"),
            "{url}: {refused}"
        );
    }
    // A route whose narrow block contains the address leads there, even though the address is the gateway's own.
    assert_eq!(gateways.via("http://10.99.0.6:8000/"), "two");
}
