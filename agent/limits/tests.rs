//! Tests of the permits that each key and value gives.

use proptest::prelude::*;

use super::*;

fn option(texts: &[&str]) -> Limits {
    let mut limits = Limits::default();
    limits.add(Permits::from_words("--restrict", texts.iter().copied()).unwrap());
    limits
}

fn file(text: &str) -> Permits {
    Permits::from_file("/etc/norouter/agent.yaml", text).unwrap()
}

fn dial(limits: &Limits, host: &str, port: u16, address: &str) -> Result<(), Refusal> {
    let destination = Destination {
        host: host.parse().unwrap(),
        port,
    };
    let address = address.parse().unwrap();
    // If an address is permitted, looking up its name must be permitted, too.
    if limits.may_connect(&destination, address).is_ok() {
        limits.may_dial(&destination).unwrap();
    }
    limits.may_connect(&destination, address)
}

#[test]
fn a_list_permits_nothing_that_it_does_not_name_and_no_list_everything() {
    let all = Limits::default();
    for limits in [option(&[""]), option(&["dial=nothing"]), {
        let mut limits = Limits::default();
        limits.add(file(""));
        limits
    }] {
        let address = "127.0.42.100:80".parse().unwrap();
        for (free, limited) in [
            (all.may_listen(address), limits.may_listen(address)),
            (
                all.may_serve_proxy(address),
                limits.may_serve_proxy(address),
            ),
            (all.may_be_gateway(), limits.may_be_gateway()),
            (
                all.may_resolve(Names::Network),
                limits.may_resolve(Names::Network),
            ),
            (all.may_write_folder("/a"), limits.may_write_folder("/a")),
            (all.may_write_hosts_file(), limits.may_write_hosts_file()),
            (
                dial(&all, "web", 80, "10.0.0.1"),
                dial(&limits, "web", 80, "10.0.0.1"),
            ),
            (
                dial(&all, "127.0.0.1", 80, "127.0.0.1"),
                dial(&limits, "127.0.0.1", 80, "127.0.0.1"),
            ),
        ] {
            assert_eq!(free, Ok(()));
            assert!(limited.is_err());
        }
    }
}

#[test]
fn listening_and_proxies_are_permitted_by_address_and_port() {
    let limits = option(&[
        "listen=127.0.42.0/24:8000-9000,127.0.43.1",
        "proxy=127.0.0.1:18080",
    ]);
    for (address, permitted) in [
        ("127.0.42.7:8000", true),
        ("127.0.42.7:9000", true),
        ("127.0.42.7:7999", false),
        ("127.0.42.7:9001", false),
        ("127.0.43.1:1", true),
        ("127.0.43.2:1", false),
        ("127.0.0.1:18080", false),
        ("10.0.0.1:8000", false),
        ("[::ffff:127.0.42.7]:8000", true),
        ("[::1]:8000", false),
    ] {
        let may = limits.may_listen(address.parse().unwrap());
        assert_eq!(may.is_ok(), permitted, "{address}");
    }
    let proxy = |address: &str| limits.may_serve_proxy(address.parse().unwrap()).is_ok();
    assert!(proxy("127.0.0.1:18080"));
    assert!(!proxy("127.0.0.1:18081") && !proxy("0.0.0.0:18080") && !proxy("127.0.43.1:18080"));
}

#[test]
fn dials_are_permitted_by_address_or_by_name() {
    let limits = option(&[
        "dial=127.0.0.1:80,web.internal:443,*.corp.test:443,10.0.0.0/8:5432-5433",
        "dial=[fd00::/8]:22,0.0.0.0/0:99,localhost:81",
    ]);
    for (host, port, address, permitted) in [
        ("127.0.0.1", 80, "127.0.0.1", true),
        ("127.0.0.1", 81, "127.0.0.1", false),
        ("127.0.0.2", 80, "127.0.0.2", false),
        // No permit names these names, so the addresses to which they resolve decide.
        ("anything.test", 80, "127.0.0.1", true),
        ("anything.test", 80, "10.0.0.1", false),
        ("db.corp", 5432, "10.1.2.3", true),
        ("db.corp", 5434, "10.1.2.3", false),
        ("db.corp", 5432, "::ffff:10.1.2.3", true),
        // Permits name these names, so it does not matter to which addresses they resolve.
        ("web.internal", 443, "192.0.2.1", true),
        ("WEB.internal.", 443, "127.0.0.1", true),
        ("web.internal", 80, "192.0.2.1", false),
        ("localhost", 81, "127.0.0.1", true),
        // A pattern does not permit special addresses, such as loopback and metadata services.
        ("a.corp.test", 443, "192.0.2.1", true),
        ("a.corp.test", 443, "127.0.0.1", false),
        ("a.corp.test", 443, "169.254.169.254", false),
        ("a.corp.test", 443, "64:ff9b::7f00:1", false),
        ("corp.test", 443, "192.0.2.1", false),
        ("fd00::1", 22, "fd00::1", true),
        ("fe80::1", 22, "fe80::1", false),
        // The block 0.0.0.0/0 does not permit special addresses either.
        ("192.0.2.9", 99, "192.0.2.9", true),
        ("127.0.0.1", 99, "127.0.0.1", false),
        ("169.254.169.254", 99, "169.254.169.254", false),
    ] {
        let may = dial(&limits, host, port, address);
        assert_eq!(may.is_ok(), permitted, "{host}:{port} at {address}");
    }
    let metadata = option(&["dial=169.254.169.254:80"]);
    assert!(dial(&metadata, "meta.test", 80, "169.254.169.254").is_ok());
    // A name is not looked up if none of its possible addresses can be permitted.
    let name = Destination {
        host: "a.test".parse().unwrap(),
        port: 80,
    };
    assert!(
        option(&["dial=b.test:80,10.0.0.0/8:81"])
            .may_dial(&name)
            .is_err()
    );
}

#[test]
fn folders_are_permitted_with_what_is_below_them() {
    let limits = option(&["write=~/.norouter/agent,/var/lib/norouter/"]);
    for (folder, permitted) in [
        ("~/.norouter/agent", true),
        ("~/.norouter/agent/", true),
        ("~/.norouter/agent/a", true),
        ("~/.norouter/agents", false),
        ("~/.norouter", false),
        ("~/.norouter/agent/../../.ssh", false),
        ("~/.norouter/agent//a", false),
        ("~/.norouter/agent/$HOME", false),
        ("/var/lib/norouter", true),
        ("/var/lib/norouter/x/y", true),
        ("/var/lib", false),
        ("", false),
    ] {
        assert_eq!(
            limits.may_write_folder(folder).is_ok(),
            permitted,
            "{folder}"
        );
    }
    assert!(limits.may_write_hosts_file().is_err());
    assert!(option(&["write=hosts-file"]).may_write_hosts_file().is_ok());
    assert!(
        option(&["write=hosts-file"])
            .may_write_folder("hosts-file")
            .is_err()
    );
}

#[test]
fn names_are_resolved_for_others_as_far_as_is_permitted() {
    for (word, network, everything) in [
        ("nothing", false, false),
        ("network", true, false),
        ("everything", true, true),
    ] {
        let limits = option(&[&format!("resolve={word}")]);
        assert_eq!(limits.may_resolve(Names::Network).is_ok(), network);
        assert_eq!(limits.may_resolve(Names::Everything).is_ok(), everything);
    }
}

#[test]
fn an_action_must_be_permitted_by_every_list() {
    let mut limits = option(&["dial=10.0.0.0/8:80", "gateway=yes"]);
    limits.add(file(
        "# The limits of this machine.\n\ndial:\n- 10.1.0.0/16\n- 192.0.2.1\nresolve: network\n",
    ));
    assert_eq!(dial(&limits, "10.1.2.3", 80, "10.1.2.3"), Ok(()));
    for (host, told) in [
        (
            "192.0.2.1",
            "--restrict permits \"dial\" only for 10.0.0.0/8:80",
        ),
        (
            "10.2.0.1",
            "/etc/norouter/agent.yaml:3 permits \"dial\" only for 10.1.0.0/16, 192.0.2.1",
        ),
    ] {
        let refusal = dial(&limits, host, 80, host).unwrap_err();
        assert_eq!(refusal.to_string(), told);
    }
    let told = |judged: Result<(), Refusal>| judged.unwrap_err().to_string();
    assert_eq!(
        told(limits.may_be_gateway()),
        "/etc/norouter/agent.yaml does not permit \"gateway\""
    );
    assert_eq!(
        told(limits.may_resolve(Names::Network)),
        "--restrict does not permit \"resolve\""
    );
}

#[test]
fn a_file_says_the_same_as_the_option() {
    let permits = file(
        "listen: [\"127.0.42.0/24:8000-9000\", 127.0.43.1]\ndial: 127.0.0.1:80, \"\"\n"
            .replace(", \"\"", "")
            .as_str(),
    );
    assert_eq!(
        permits.to_words(),
        [
            "listen=127.0.42.0/24:8000-9000,127.0.43.1",
            "dial=127.0.0.1:80"
        ]
    );
    for (text, words) in [
        (
            "gateway: yes\nresolve: everything\n",
            &["gateway=yes", "resolve=everything"][..],
        ),
        ("gateway: true\n", &["gateway=yes"]),
        ("gateway: no\n", &["gateway=no"]),
        (
            "write: [~/.norouter/agent, hosts-file]\n",
            &["write=~/.norouter/agent,hosts-file"],
        ),
        ("dial: nothing\n", &["dial=nothing"]),
        ("dial:\n", &["dial=nothing"]),
        (
            "dial: [\"[fd00::1]:443\", fd00::/8, \"*.test\"]\n",
            &["dial=[fd00::1]:443,[fd00::/8],*.test"],
        ),
        ("{}", &[]),
    ] {
        assert_eq!(file(text).to_words(), words, "{text}");
    }
}

#[test]
fn what_cannot_be_understood_is_told_and_permits_nothing() {
    for (text, told) in [
        ("dial", "\"dial\" has no key before it"),
        ("dail=10.0.0.1", "unknown key \"dail\"; did you mean dial?"),
        (
            "weather=good",
            "unknown key \"weather\"; its keys are: listen, dial",
        ),
        ("dial=", "dial: \"\" is neither"),
        ("dial=10.0.0.1:0", "has no port behind its colon"),
        ("dial=10.0.0.1:9-8", "has no port behind its colon"),
        ("dial=10.0.0.1:+80", "has no port behind its colon"),
        ("dial=10.0.0.1:http", "has no port behind its colon"),
        ("dial=10.0.0.0/33", "not a CIDR block"),
        ("dial=127.1", "write an IPv4 address as four numbers"),
        ("dial=a b", "neither a CIDR block nor a host name glob"),
        ("dial=[10.0.0.1]:80", "has no port"),
        ("dial=[fd00::1]80", "has no port"),
        (
            "dial=10.0.0.1,nothing",
            "\"nothing\" stands beside another value",
        ),
        (
            "dial=nothing,10.0.0.1",
            "\"10.0.0.1\" stands beside another value",
        ),
        ("listen=10.0.0.1:80", "is not inside 127.0.0.0/8"),
        ("listen=0.0.0.0/0", "is not inside 127.0.0.0/8"),
        ("listen=localhost:80", "is not an address"),
        ("proxy=*:80", "is not an address"),
        ("gateway=maybe", "is neither yes nor no"),
        ("gateway=yes,no", "stands beside another value"),
        ("resolve=all", "is none of nothing, network and everything"),
        ("write=agent", "is neither \"hosts-file\" nor a folder"),
    ] {
        let reason = Permits::from_words("--restrict", [text]).unwrap_err();
        assert!(reason.contains(told), "{text}: {reason}");
    }
    for (text, line, told) in [
        ("dial: nothing\ndail: 10.0.0.1\n", 2, "unknown key \"dail\""),
        ("hosts: {}\n", 1, "unknown key \"hosts\""),
        ("x-note: a\n", 1, "unknown key \"x-note\""),
        ("dial:\n- 10.0.0.1\n- 10.0.0.0/33\n", 3, "not a CIDR block"),
        ("dial: {a: b}\n", 1, "must be a text or a list"),
        ("dial: [[a]]\n", 1, "must be a text"),
        ("[dial]\n", 1, "is a map"),
        ("dial: a\ndial: b\n", 2, "written twice"),
        ("dial: *\n", 1, "alias"),
        ("dial: [\n", 1, "a value is expected"),
    ] {
        let problems = Permits::from_file("f", text).unwrap_err();
        let found = problems
            .iter()
            .find(|problem| problem.message.contains(told));
        let found = found.unwrap_or_else(|| panic!("{text}: {problems:?}"));
        assert_eq!(found.span.start.line, line, "{text}: {problems:?}");
    }
}

fn words() -> impl Strategy<Value = String> {
    let ports = prop_oneof![
        Just(String::new()),
        Just(":*".to_owned()),
        (1_u16..).prop_map(|port| format!(":{port}")),
        (1_u16..100, 100_u16..).prop_map(|(first, last)| format!(":{first}-{last}")),
    ];
    let loopback = (0_u8..=255, 8_u8..=32).prop_map(|(a, bits)| format!("127.0.{a}.0/{bits}"));
    let v6 = (any::<u128>(), 0_u8..=128)
        .prop_map(|(address, bits)| format!("[{}/{bits}]", std::net::Ipv6Addr::from(address)));
    let host = prop_oneof![
        loopback.clone(),
        v6,
        "[a-z*]{1,5}\\.test",
        Just("10.0.0.1".to_owned())
    ];
    let dial = (host, ports.clone()).prop_map(|(host, ports)| format!("dial={host}{ports}"));
    let listen = (loopback, ports).prop_map(|(block, ports)| format!("listen={block}{ports}"));
    let rest = prop::sample::select(vec![
        "",
        "gateway=yes",
        "resolve=network",
        "resolve=everything",
        "write=hosts-file,~/x",
        "proxy=0.0.0.0/0,[::/0]:1080",
    ]);
    prop_oneof![dial, listen, rest.prop_map(str::to_owned)]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_is_written_as_it_was_meant(
        texts in prop::collection::vec("\\PC{0,20}|(listen|dial|proxy|write|gateway|resolve)=[0-9a-f:./*,\\[\\]-]{0,20}", 0..4),
    ) {
        if let Ok(permits) = Permits::from_words("o", texts.iter().map(String::as_str)) {
            let said = permits.to_words();
            let again = Permits::from_words("o", said.iter().map(String::as_str));
            prop_assert_eq!(again, Ok(permits));
        }
    }

    #[test]
    fn good_words_mean_the_same_when_they_are_written_again(texts in prop::collection::vec(words(), 0..6)) {
        let read = |texts: &[String]| Permits::from_words("o", texts.iter().map(String::as_str));
        // The texts are invalid only if a key that accepts one value has two.
        if let Ok(permits) = read(&texts) {
            prop_assert_eq!(read(&permits.to_words()), Ok(permits));
        } else {
            let single = |key: &str| texts.iter().filter(|text| text.starts_with(key)).count() > 1;
            prop_assert!(single("resolve") || single("gateway"), "{:?}", texts);
        }
    }

    #[test]
    fn any_file_is_read_or_refused(text in "\\PC{0,60}|((dial|listen|write): [\\[\\]a-z0-9./:*,&{} -]{0,20}\n){0,3}") {
        let _ = Permits::from_file("f", &text);
    }
}
