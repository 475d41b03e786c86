//! Tests of the path of a proxy's client, and of what a gateway connects to for other hosts.

use super::*;
use crate::{
    addr::Port,
    destination::{Destination, Host},
    wire::Cause,
};

const GW: &str = "127.0.42.110";
const GW2: &str = "127.0.42.111";

/// A network with three gateways. One of them is this host, which is called "web".
fn args() -> serde_json::Value {
    serde_json::json!({
        "me": "127.0.42.101",
        "hostnameMap": {
            "web": "127.0.42.101", "db": "127.0.42.102", "postgres.example.com": "127.0.42.102",
            "bastion": GW, "bastion2": GW2,
        },
        "routes": [
            {"toCIDR": ["10.0.0.0/8", "fd00::/8"], "toHostnameGlob": ["*.internal"], "via": GW, "orVia": [GW2]},
            {"toCIDR": ["10.9.0.0/16"], "toHostnameGlob": ["*.mine"], "via": "127.0.42.101"},
            {"toCIDR": ["172.16.0.0/12"], "toHostnameGlob": ["*.lab"], "via": GW2,
             "notTo": ["172.16.9.0/24", "secret.lab"]},
        ],
        "nameServers": [{"ip": GW, "port": 10053, "proto": "tcp"}],
        "relays": [{"ip": GW, "port": 10054, "proto": "tcp"}],
    })
}

fn core() -> Core {
    settled(&args())
}

fn destination(text: &str) -> Destination {
    Destination::parse(text, Some(443)).unwrap()
}

#[track_caller]
fn path(core: &Core, text: &str) -> Path {
    core.rights().path(&destination(text)).unwrap()
}

fn in_network(text: &str) -> Path {
    Path::Network(text.parse().unwrap())
}

fn first() -> Gateway {
    Gateway {
        vip: GW.parse().unwrap(),
        relay: Port::new(10_054),
        dns: Port::new(10_053),
    }
}

/// The second gateway, which has neither a relay nor a DNS server.
fn second() -> Gateway {
    Gateway {
        vip: GW2.parse().unwrap(),
        relay: None,
        dns: None,
    }
}

#[test]
fn names_aliases_and_vips_are_inside_the_network() {
    let core = core();
    for (text, expected) in [
        ("db:5432", "127.0.42.102:5432"),
        ("DB.", "127.0.42.102:443"),
        ("postgres.example.com:1", "127.0.42.102:1"),
        ("127.0.42.102:9", "127.0.42.102:9"),
        ("[::ffff:127.0.42.102]:9", "127.0.42.102:9"),
        ("web", "127.0.42.101:443"),
    ] {
        assert_eq!(path(&core, text), in_network(expected), "{text}");
    }
}

#[test]
fn a_name_below_norouter_is_the_networks_or_nobodys() {
    let core = core();
    for text in ["db.norouter:5432", "DB.NoRouter.:5432"] {
        assert_eq!(path(&core, text), in_network("127.0.42.102:5432"), "{text}");
    }
    assert_eq!(
        path(&core, "postgres.example.com.norouter"),
        in_network("127.0.42.102:443")
    );
    for text in [
        "nobody.norouter",
        "norouter",
        "x.db.norouter",
        "mail.internal.norouter",
    ] {
        let failure = core.rights().path(&destination(text)).unwrap_err();
        assert_eq!(failure.cause, Cause::NameNotFound, "{text}");
        let name = text.trim_end_matches(':');
        assert!(failure.reason.contains(name), "{failure:?}");
    }
    assert_eq!(
        path(&core, "mynorouter"),
        Path::Direct,
        "only a whole label counts"
    );
}

#[test]
fn a_name_below_norouter_stays_inside_even_with_a_route_for_every_name() {
    let mut args = args();
    args["routes"] =
        serde_json::json!([{"toHostnameGlob": ["*"], "toCIDR": ["0.0.0.0/0"], "via": GW}]);
    let core = settled(&args);
    let failure = core
        .rights()
        .path(&destination("nobody.norouter"))
        .unwrap_err();
    assert_eq!(failure.cause, Cause::NameNotFound);
    assert_eq!(path(&core, "db:1"), in_network("127.0.42.102:1"));
    assert_eq!(path(&core, "127.0.42.102:1"), in_network("127.0.42.102:1"));
    assert_eq!(path(&core, "example.com"), Path::Gateways(vec![first()]));
    for own in [
        "127.0.0.1:1",
        "127.0.42.200:1",
        "169.254.169.254:80",
        "localhost:1",
    ] {
        assert_eq!(path(&core, own), Path::Direct, "{own}");
    }
}

#[test]
fn routed_blocks_and_globs_go_through_all_their_gateways_in_order() {
    let core = core();
    for text in [
        "10.0.0.5",
        "[::ffff:10.0.0.5]:443",
        "[fd00::5]:443",
        "mail.internal",
        "Mail.Internal.",
    ] {
        let expected = Path::Gateways(vec![first(), second()]);
        assert_eq!(path(&core, text), expected, "{text}");
    }
    assert_eq!(path(&core, "172.16.0.1"), Path::Gateways(vec![second()]));
    assert_eq!(path(&core, "a.b.lab"), Path::Gateways(vec![second()]));
}

#[test]
fn what_no_route_leads_to_and_what_this_host_is_the_gateway_of_is_dialled_from_here() {
    let core = core();
    for text in [
        "example.com",
        "internal",
        "192.0.2.1",
        "[2001:db8::1]:443",
        "172.16.9.1",
        "secret.lab",
        "10.9.0.1",
        "x.mine",
        "localhost",
    ] {
        assert_eq!(path(&core, text), Path::Direct, "{text}");
    }
}

#[test]
fn one_of_several_gateways_dials_itself() {
    let mut args = args();
    args["me"] = GW2.into();
    let core = settled(&args);
    assert_eq!(path(&core, "10.0.0.5"), Path::Direct);
    assert_eq!(
        path(&core, "10.9.0.5"),
        Path::Gateways(vec![Gateway {
            vip: "127.0.42.101".parse().unwrap(),
            relay: None,
            dns: None,
        }])
    );
}

#[test]
fn before_the_configuration_everything_is_dialled_from_here() {
    let core = Core::new(1, Capacity::default());
    assert_eq!(path(&core, "db:5432"), Path::Direct);
    assert!(
        core.rights()
            .may_relay_to(&destination("10.0.0.5"))
            .is_err()
    );
    assert!(
        core.rights()
            .may_connect_for_others(&destination("a.internal"), [10, 0, 0, 5].into())
            .is_err()
    );
}

#[test]
fn a_gateway_dials_for_others_only_what_routes_lead_through_it() {
    let mut args = args();
    args["me"] = GW2.into();
    let core = settled(&args);
    for text in [
        "10.0.0.5",
        "[fd00::5]:443",
        "mail.internal",
        "172.16.0.1",
        "a.lab",
    ] {
        assert_eq!(
            core.rights().may_relay_to(&destination(text)),
            Ok(()),
            "{text}"
        );
    }
    for text in [
        "10.9.0.5",
        "x.mine",
        "172.16.9.1",
        "secret.lab",
        "example.com",
        "192.0.2.1",
        "db",
        "127.0.42.102",
        "127.0.0.1",
        "localhost",
        "169.254.169.254",
        "[::1]:443",
        "[fe80::1]:443",
    ] {
        let failure = core.rights().may_relay_to(&destination(text)).unwrap_err();
        assert_eq!(failure.cause, Cause::NotAllowed, "{text}");
        let shown = destination(text).to_string();
        assert!(failure.reason.contains(&shown), "{failure:?}");
    }
}

#[test]
fn a_name_leads_no_other_host_to_the_gateways_own_addresses() {
    let mut args = args();
    args["me"] = GW.into();
    let core = settled(&args);
    for own in [
        "127.0.0.1",
        "127.0.42.102",
        "0.0.0.0",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "ff02::1",
        "::ffff:127.0.0.1",
    ] {
        assert!(
            core.rights()
                .may_connect_for_others(&destination("a.internal"), own.parse().unwrap())
                .is_err(),
            "{own}"
        );
    }
    for other in ["10.0.0.5", "192.0.2.1", "fd00::1", "2001:db8::1"] {
        assert!(
            core.rights()
                .may_connect_for_others(&destination("a.internal"), other.parse().unwrap())
                .is_ok(),
            "{other}"
        );
    }
    args["routes"][0]["toCIDR"] = serde_json::json!(["169.254.169.254/32"]);
    let core = settled(&args);
    assert!(
        core.rights()
            .may_connect_for_others(&destination("a.internal"), [169, 254, 169, 254].into())
            .is_ok(),
        "written verbatim"
    );
    assert!(
        core.rights()
            .may_connect_for_others(&destination("a.internal"), [169, 254, 169, 253].into())
            .is_err()
    );
}

#[test]
fn a_machines_own_address_is_dialled_for_others_only_if_a_route_names_it() {
    let mut args = args();
    args["me"] = GW.into();
    let core = settled(&args);
    let may = |address: [u8; 4], is_own| {
        let to = destination("a.internal");
        core.rights().may_be_own(&to, address.into(), is_own)
    };
    assert_eq!(may([10, 0, 0, 5], true), Ok(()));
    assert_eq!(may([192, 0, 2, 1], false), Ok(()));
    let failure = may([192, 0, 2, 1], true).unwrap_err();
    assert_eq!(
        (failure.cause, failure.reason.as_str()),
        (
            Cause::NotAllowed,
            "a.internal:443 is 192.0.2.1 (an address of that machine itself) there, which is never dialled for others; \
             publish the port instead, or write that address as a route."
        )
    );
}

#[test]
fn a_destination_without_a_port_keeps_the_one_that_is_meant() {
    let host = Host::Name("db".to_owned());
    let path = core().rights().path(&Destination { host, port: 7 });
    assert_eq!(path, Ok(in_network("127.0.42.102:7")));
}

#[test]
fn a_name_that_stands_for_the_network_itself_is_not_dialled_for_a_port() {
    let mut args = args();
    args["others"] = serde_json::json!([{"ip": "127.0.42.102", "port": 5432, "proto": "tcp"}]);
    args["forwards"] = serde_json::json!([
        {"listen_port": 443, "connect_ip": "db", "connect_port": 443, "proto": "tcp"},
    ]);
    let core = settled(&args);
    let may = |target: &str, address: &str| {
        let judged = core
            .rights()
            .may_connect_for_port(&destination(target), address.parse().unwrap());
        judged.map_err(|failure| (failure.cause, failure.reason))
    };
    let (cause, reason) = may("db", "127.0.42.102").unwrap_err();
    assert_eq!(cause, Cause::NameNotFound);
    assert!(
        reason.starts_with("db:443 is 127.0.42.102 there, an address of this network"),
        "{reason}"
    );
    // A name outside the network that resolves to an address of the network is refused as well.
    assert!(may("elsewhere.example", "127.0.42.101").is_err());
    assert_eq!(may("db", "10.0.0.7"), Ok(()));
    // A manifest may name an address of the network as a target on purpose, but not the published port itself.
    assert_eq!(may("127.0.42.102", "127.0.42.102"), Ok(()));
    assert_eq!(may("127.0.42.101:80", "127.0.42.101"), Ok(()));
    assert!(may("127.0.42.101:443", "127.0.42.101").is_err());
    let foreign = destination("elsewhere.example");
    assert_eq!(
        core.rights().name_in_network(&destination("db")),
        Some("db")
    );
    assert_eq!(core.rights().name_in_network(&foreign), None);
}
