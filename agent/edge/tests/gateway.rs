//! Tests of what an agent accepts from inside the network: connections to its own services, and to addresses behind it.

use super::*;

const FOUND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const HOUR: Duration = Duration::from_hours(1);

/// A configuration with two gateways: this agent and another host. Each has a route for a block of addresses and a
/// pattern of names.
fn args() -> serde_json::Value {
    let mut args = super::args();
    args["routes"] = serde_json::json!([
        {"toCIDR": ["10.0.0.0/8"], "toHostnameGlob": ["*.internal"], "via": "127.0.42.101", "notTo": ["10.9.0.0/16"]},
        {"toCIDR": ["10.1.0.0/16"], "toHostnameGlob": ["*.other.internal"], "via": "127.0.42.110"},
    ]);
    args["nameServers"] = serde_json::json!([
        {"ip": "127.0.42.101", "port": 10053, "proto": "tcp"},
        {"ip": "127.0.42.110", "port": 5353, "proto": "tcp"},
    ]);
    args["relays"] = serde_json::json!([
        {"ip": "127.0.42.101", "port": 10054, "proto": "tcp"},
        {"ip": "127.0.42.110", "port": 7777, "proto": "tcp"},
    ]);
    args
}

/// The agent's outputs for a SYN to this destination, without wakes.
fn on_syn(core: &mut Core, now: Instant, destination: &str) -> Vec<Output> {
    core.handle_packet(now, &syn_to(destination.parse().unwrap()));
    let outputs = outputs(core).into_iter();
    outputs
        .filter(|output| !matches!(output, Output::Wake(_)))
        .collect()
}

#[track_caller]
fn dials(core: &mut Core, now: Instant, destination: &str) {
    let address: SocketAddrV4 = destination.parse().unwrap();
    let done = on_syn(core, now, destination);
    let [Output::Dial { flow, host, port }] = &done[..] else {
        panic!("{destination}: {done:?}");
    };
    assert_eq!(*host, address.ip().to_string());
    assert_eq!(*port, address.port());
    assert_eq!(
        flow.src, address,
        "it speaks as the address that was dialled"
    );
    assert!(packets(core).is_empty(), "nothing is promised yet");
    core.handle_dialled(*flow, false);
    assert!(
        Packet::parse(&packets(core)[0])
            .unwrap()
            .segment()
            .flags
            .rst
    );
}

#[track_caller]
fn refuses(core: &mut Core, now: Instant, destination: &str) {
    assert_eq!(on_syn(core, now, destination), [], "{destination}");
    let answer = packets(core);
    assert_eq!(answer.len(), 1, "{destination}");
    assert!(Packet::parse(&answer[0]).unwrap().segment().flags.rst);
}

#[test]
fn a_gateway_dials_what_its_blocks_hold_and_nothing_else() {
    let mut core = settled(&args());
    dials(&mut core, Instant::ZERO, "10.0.0.5:443");
    dials(&mut core, Instant::ZERO, "10.255.255.255:1");
    for other in [
        "10.1.0.5:443",
        "10.9.0.5:443",
        "192.0.2.7:443",
        "127.0.0.1:22",
        "127.0.42.100:8080",
        "127.0.42.200:80",
        "169.254.169.254:80",
    ] {
        refuses(&mut core, Instant::ZERO, other);
    }
}

#[test]
fn a_gateway_of_the_whole_world_does_not_dial_its_own_machine() {
    let mut args = args();
    args["routes"] = serde_json::json!([{"toCIDR": ["0.0.0.0/0"], "via": "127.0.42.101"}]);
    let mut core = settled(&args);
    dials(&mut core, Instant::ZERO, "192.0.2.7:443");
    for own in [
        "127.0.0.1:22",
        "127.0.42.100:8080",
        "169.254.169.254:80",
        "0.1.2.3:22",
    ] {
        refuses(&mut core, Instant::ZERO, own);
    }
}

#[test]
fn a_host_that_is_no_gateway_dials_for_nobody() {
    let mut args = args();
    args["me"] = "127.0.42.102".into();
    let mut core = settled(&args);
    refuses(&mut core, Instant::ZERO, "10.0.0.5:443");
    core.handle_given(Instant::ZERO, "a.internal", &[FOUND.into()]);
    refuses(&mut core, Instant::ZERO, "192.0.2.7:443");
}

#[test]
fn an_address_that_its_dns_server_gave_is_dialled_for_an_hour() {
    let mut core = settled(&args());
    refuses(&mut core, Instant::ZERO, "192.0.2.7:443");
    core.handle_given(Instant::ZERO, "A.Internal.", &[FOUND.into()]);
    dials(&mut core, Instant::ZERO, "192.0.2.7:443");
    refuses(&mut core, Instant::ZERO, "192.0.2.8:443");
    let nearly = Instant::ZERO + Duration::from_secs(3_599);
    dials(&mut core, nearly, "192.0.2.7:443");
    refuses(&mut core, Instant::ZERO + HOUR, "192.0.2.7:443");
    core.handle_given(nearly, "a.internal", &[FOUND.into()]);
    dials(
        &mut core,
        nearly + Duration::from_secs(3_599),
        "192.0.2.7:443",
    );
}

#[test]
fn a_connection_outlives_what_it_was_allowed_by_as_long_as_the_routes_stay() {
    let mut core = settled(&args());
    core.handle_given(Instant::ZERO, "a.internal", &[FOUND.into()]);
    let dialled = on_syn(&mut core, Instant::ZERO, "192.0.2.7:443");
    let [Output::Dial { flow, .. }] = dialled[..] else {
        panic!("{dialled:?}");
    };
    core.handle_dialled(flow, true);
    packets(&mut core);
    let resets = |core: &mut Core| {
        let packets = packets(core);
        let resets = packets
            .iter()
            .filter(|it| Packet::parse(it).unwrap().segment().flags.rst);
        resets.count()
    };
    let later = Instant::ZERO + 2 * HOUR;
    let mut other = args();
    other["hostnameMap"] = serde_json::json!({"new": "127.0.42.120"});
    core.reconfigure(later, serde_json::from_value(other.clone()).unwrap())
        .unwrap();
    assert_eq!(resets(&mut core), 0);
    other["routes"] = serde_json::json!([]);
    core.reconfigure(later, serde_json::from_value(other).unwrap())
        .unwrap();
    assert_eq!(resets(&mut core), 1, "no route leads there any more");
}

#[test]
fn what_was_given_for_a_name_that_does_not_lead_here_is_not_dialled() {
    let mut core = settled(&args());
    for name in ["example.com", "x.other.internal", "internal"] {
        core.handle_given(Instant::ZERO, name, &[FOUND.into()]);
        refuses(&mut core, Instant::ZERO, "192.0.2.7:443");
    }
}

#[test]
fn a_name_does_not_give_the_gateways_own_machine() {
    let mut core = settled(&args());
    let own = ["127.0.0.1", "127.0.42.100", "169.254.169.254", "0.1.2.3"];
    let addresses = own.map(|own| own.parse().unwrap());
    core.handle_given(Instant::ZERO, "rebind.internal", &addresses);
    for own in own {
        refuses(&mut core, Instant::ZERO, &format!("{own}:80"));
    }
}

#[test]
fn so_many_addresses_are_remembered_and_the_oldest_go_first() {
    let mut core = settled(&args());
    let nth = |n: u32| Ipv4Addr::from(0xc100_0000 + n);
    let at = |n: u32| Instant::ZERO + Duration::from_millis(n.into());
    for n in 0..=4_096 {
        core.handle_given(at(n), "a.internal", &[nth(n).into()]);
    }
    let now = at(4_096);
    refuses(&mut core, now, &format!("{}:1", nth(0)));
    dials(&mut core, now, &format!("{}:1", nth(1)));
    dials(&mut core, now, &format!("{}:1", nth(4_096)));
}

#[test]
fn dns_and_relay_are_served_at_once_on_their_ports_and_on_no_others() {
    let mut core = settled(&args());
    for (port, expected) in [(10_053, Service::Dns), (10_054, Service::Relay)] {
        let done = on_syn(&mut core, Instant::ZERO, &format!("127.0.42.101:{port}"));
        let [Output::Serve(flow, service)] = &done[..] else {
            panic!("{done:?}");
        };
        assert_eq!(*service, expected);
        assert_eq!(flow.src.port(), port);
        let answer = packets(&mut core);
        let flags = Packet::parse(&answer[0]).unwrap().segment().flags;
        assert!(flags.syn && flags.ack, "there is nothing to wait for");
    }
    // This agent does not serve the ports of another host's services.
    for other in [
        "127.0.42.101:5353",
        "127.0.42.101:7777",
        "127.0.42.110:5353",
    ] {
        refuses(&mut core, Instant::ZERO, other);
    }
}

#[test]
fn a_published_port_goes_before_a_service() {
    let mut args = args();
    args["forwards"][0]["listen_port"] = 10_053.into();
    let mut core = settled(&args);
    let done = on_syn(&mut core, Instant::ZERO, "127.0.42.101:10053");
    assert!(matches!(&done[..], [Output::Dial { host, .. }] if host == "web.internal"));
}

#[test]
fn without_a_relay_or_dns_server_nothing_is_served() {
    let mut args = args();
    args["relays"] = serde_json::Value::Null;
    args["nameServers"] = serde_json::json!([]);
    let mut core = settled(&args);
    refuses(&mut core, Instant::ZERO, "127.0.42.101:10053");
    refuses(&mut core, Instant::ZERO, "127.0.42.101:10054");
}

#[test]
fn dials_for_others_are_bounded_too() {
    let mut core = settled(&args());
    let dials = dials_for_one_host(&mut core, "10.0.0.5:443".parse().unwrap());
    assert_eq!(dials, arrivals::DIALS_MAX / 2);
}

#[test]
fn a_suggestion_is_written_before_the_packets_of_the_flow_behind_it() {
    let mut core = settled(&args());
    core.suggest("127.0.42.110".parse().unwrap(), &[FOUND]);
    core.connect(Instant::ZERO, Holder::Owner, SocketAddrV4::new(FOUND, 443))
        .unwrap();
    let mut out = BytesMut::new();
    core.poll_frames(Instant::ZERO, &mut out, usize::MAX);
    let mut decoder = Decoder::new(wire::CONTROL_MAX_FROM_AGENT);
    let items: Vec<_> = std::iter::from_fn(|| decoder.poll(&mut out).unwrap()).collect();
    let [Item::Control(json), Item::Packet(syn)] = &items[..] else {
        panic!("{items:?}");
    };
    let event: serde_json::Value = serde_json::from_slice(json).unwrap();
    assert_eq!(event["body"]["type"], "routeSuggestion");
    let data = serde_json::json!({"ip": ["192.0.2.7"], "route": "127.0.42.110"});
    assert_eq!(event["body"]["data"], data);
    let packet = Packet::parse(syn.payload()).unwrap();
    assert_eq!(packet.key().dst, SocketAddrV4::new(FOUND, 443));
    assert_eq!(*packet.key().src.ip(), ME);
}
