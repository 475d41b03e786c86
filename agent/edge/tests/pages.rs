//! Tests of what the HTTP proxy's own pages say about the network.

use super::*;

fn args() -> serde_json::Value {
    serde_json::json!({
        "me": "127.0.42.101",
        "forwards": [{"listen_port": 80, "connect_ip": "127.0.0.1", "connect_port": 8000, "proto": "tcp"}],
        "others": [{"ip": "127.0.42.100", "port": 8080}, {"ip": "127.0.42.100", "port": 22}],
        "hostnameMap": {
            "web": "127.0.42.101", "a": "127.0.42.101",
            "home": "127.0.42.100", "bastion.example.com": "127.0.42.110", "b": "127.0.42.110",
        },
        "mainNames": ["web", "home", "bastion.example.com"],
        "routes": [
            {"toCIDR": ["10.1.2.3/8", "fd00::/8"], "toHostnameGlob": ["*.internal"], "via": "127.0.42.110",
             "orVia": ["127.0.42.100"], "notTo": ["10.9.0.0/16", "secret.*"]},
        ],
        "features": ["problems"],
    })
}

#[test]
fn the_page_says_what_the_configuration_says() {
    let mut core = settled(&args());
    let page = core.page().unwrap();
    assert_eq!(
        (page.name.as_str(), page.vip.as_str()),
        ("web", "127.0.42.101")
    );
    let hosts: Vec<_> = page
        .hosts
        .iter()
        .map(|host| {
            (
                host.name.as_str(),
                host.aliases.join(" "),
                host.vip.as_str(),
                &host.ports[..],
            )
        })
        .collect();
    assert_eq!(
        hosts,
        [
            ("home", String::new(), "127.0.42.100", &[22, 8080][..]),
            ("web", "a".to_owned(), "127.0.42.101", &[80][..]),
            (
                "b",
                "bastion.example.com".to_owned(),
                "127.0.42.110",
                &[][..]
            ),
        ]
    );
    let [route] = &page.routes[..] else {
        panic!("{page:?}");
    };
    assert_eq!(route.to, ["10.1.2.3/8", "fd00::/8", "*.internal"]);
    assert_eq!(route.not_to, ["10.9.0.0/16", "secret.*"]);
    assert_eq!(route.via, ["b", "home"]);
    assert!(page.problems.is_empty());

    core.handle_listening(
        Instant::ZERO,
        network(OTHER),
        Err("in use".to_owned().into()),
    );
    assert_eq!(
        core.page().unwrap().problems,
        ["cannot listen on 127.0.42.100:8080: in use"]
    );
    assert_eq!(Core::new(1, Capacity::default()).page(), None);
}

#[test]
fn the_browser_is_sent_to_the_proxy_for_members_and_routes() {
    let core = settled(&args());
    let script = core
        .rights()
        .pac("127.0.0.1:18080".parse().unwrap())
        .unwrap();
    for part in [
        r#""PROXY 127.0.0.1:18080""#,
        r#""127.0.42.110""#,
        r#""bastion.example.com""#,
        r#""a.norouter""#,
        // The manifest has the block `10.1.2.3/8`, but browsers need the first address of the block.
        r#"isInNet(host, "10.0.0.0", "255.0.0.0")"#,
        r#"shExpMatch(host, "*.internal")"#,
        r#"&& !(address && isInNet(host, "10.9.0.0", "255.255.0.0") || name && shExpMatch(host, "secret.*"))"#,
    ] {
        assert!(script.contains(part), "{part} in {script}");
    }
    assert!(
        script.contains(r#"bits.indexOf("11111101") === 0"#),
        "fd00::/8"
    );
    assert_eq!(
        Core::new(1, Capacity::default())
            .rights()
            .pac("127.0.0.1:1".parse().unwrap()),
        None
    );
}
