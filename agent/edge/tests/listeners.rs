//! Tests of the actions that an agent asks its driver for after it has been configured, and of the agent's reports
//! about actions that fail.

use super::*;

fn args() -> serde_json::Value {
    let mut args = super::args();
    args["hostnameMap"] = serde_json::json!({"web": "127.0.42.101", "home": "127.0.42.100"});
    args["nameServers"] = serde_json::json!([
        {"ip": "127.0.42.101", "port": 10053, "proto": "tcp"},
        {"ip": "127.0.42.100", "port": 5353},
        {"ip": "127.0.42.102", "port": 53, "proto": "udp"},
    ]);
    args["relays"] = serde_json::json!([{"ip": "127.0.42.101", "port": 10054, "proto": "tcp"}]);
    args["http"] = serde_json::json!({"listen": "localhost:18080"});
    args["socks"] = serde_json::json!({"listen": ":18081", "credentials": "~/users"});
    args["stateDir"] = serde_json::json!({"path": "~/.norouter/agent"});
    args["writeEtcHosts"] = true.into();
    args
}

/// The listeners that the agent asks the driver for, in words.
fn listened(core: &mut Core) -> Vec<String> {
    let outputs = outputs(core).into_iter();
    outputs
        .filter_map(|output| match output {
            Output::Listen(listener) => Some(listener.to_string()),
            Output::Write(_)
            | Output::Dial { .. }
            | Output::Serve(..)
            | Output::Hold(_)
            | Output::Close(_)
            | Output::Wake(_)
            | Output::EndPredecessor(..)
            | Output::Probe(..)
            | Output::OpenPorts(_)
            | Output::Silent => None,
        })
        .collect()
}

fn proxy(purpose: Purpose, address: &str) -> Listener {
    Listener {
        purpose,
        address: address.parse().unwrap(),
    }
}

/// An agent that listens on all VIPs. Its driver has not opened the listeners of the proxies yet.
fn open_but_for_proxies(args: &serde_json::Value) -> Core {
    let mut core = configured(args);
    for address in [
        "127.0.42.100:5353",
        "127.0.42.100:8080",
        "127.0.42.101:10053",
        "127.0.42.101:80",
    ] {
        let listener = proxy(Purpose::Network, address);
        core.handle_listening(Instant::ZERO, listener, Ok(()));
    }
    core
}

/// The files that the driver is asked to write; `None` if it is not asked to.
fn written(core: &mut Core) -> Option<Files> {
    let mut found = None;
    for output in outputs(core) {
        if let Output::Write(files) = output {
            assert!(found.is_none(), "twice");
            found = Some(*files);
        }
    }
    found
}

fn dns(address: &str) -> Listener {
    Listener {
        purpose: Purpose::Dns,
        address: address.parse().unwrap(),
    }
}

#[test]
fn ports_dns_servers_and_proxies_are_listened_on() {
    let mut listened = listened(&mut configured(&args()));
    listened.sort();
    assert_eq!(
        listened,
        [
            "listen on 127.0.42.100:5353",
            "listen on 127.0.42.100:5353 (UDP)",
            "listen on 127.0.42.100:8080",
            "listen on 127.0.42.101:10053",
            "listen on 127.0.42.101:10053 (UDP)",
            "listen on 127.0.42.101:80",
            "serve the HTTP proxy on 127.0.0.1:18080",
            "serve the SOCKS proxy on 0.0.0.0:18081",
        ]
    );
}

#[test]
fn without_loopback_only_the_proxies_listen() {
    let mut args = args();
    args["loopback"] = serde_json::json!({"disable": true});
    let listened = listened(&mut configured(&args));
    assert_eq!(
        listened,
        [
            "serve the HTTP proxy on 127.0.0.1:18080",
            "serve the SOCKS proxy on 0.0.0.0:18081",
        ]
    );
}

#[test]
fn a_proxy_is_known_as_it_was_configured() {
    let core = configured(&args());
    let http = core.rights().proxy(Purpose::Http).unwrap();
    assert_eq!(http.listen, ([127, 0, 0, 1], 18080).into());
    assert_eq!(http.credentials, None);
    let socks = core.rights().proxy(Purpose::Socks).unwrap();
    assert_eq!(socks.listen, ([0, 0, 0, 0], 18081).into());
    assert_eq!(socks.credentials.as_deref(), Some("~/users"));
    assert_eq!(core.rights().proxy(Purpose::Network), None);
    assert_eq!(
        configured(&super::args()).rights().proxy(Purpose::Http),
        None
    );
}

#[test]
fn a_proxy_that_cannot_be_is_answered_with_the_reason() {
    let mut args = args();
    args["http"] = serde_json::json!({"listen": "web:port"});
    let answer = said(&mut configured(&args))[0]["body"]["error"].to_string();
    assert!(
        answer.contains("http: \\\"web:port\\\" is not an address"),
        "{answer}"
    );
}

#[test]
fn routes_that_cannot_be_are_answered_with_the_reason() {
    for (route, words) in [
        (
            serde_json::json!({"toCIDR": ["10.0.0.0/99"], "via": "127.0.42.100"}),
            "not a CIDR block",
        ),
        (
            serde_json::json!({"toCIDR": ["10.0.0.1"], "via": "127.0.42.100"}),
            "a bare address",
        ),
        (
            serde_json::json!({"notTo": ["a b"], "via": "127.0.42.100"}),
            "neither",
        ),
        (serde_json::json!({"via": "10.0.0.1"}), "via 10.0.0.1"),
        (
            serde_json::json!({"via": "127.0.42.100", "orVia": ["10.0.0.2"]}),
            "via 10.0.0.2",
        ),
    ] {
        let mut args = args();
        args["routes"] = serde_json::json!([route]);
        let answer = said(&mut configured(&args))[0]["body"]["error"].to_string();
        assert!(answer.contains(words), "{answer}");
    }
}

#[test]
fn the_files_are_written_with_what_programs_need() {
    let mut core = open_but_for_proxies(&args());
    let (http, socks) = (
        proxy(Purpose::Http, "127.0.0.1:18080"),
        proxy(Purpose::Socks, "0.0.0.0:18081"),
    );
    assert_eq!(written(&mut core), None, "nobody knows the proxies yet");
    core.handle_listening(Instant::ZERO, http, Ok(()));
    assert_eq!(written(&mut core), None, "nor the other one");
    core.handle_listening(Instant::ZERO, socks, Ok(()));
    let files = written(&mut core).unwrap();
    assert_eq!(files.missing, [""; 0]);
    assert_eq!(files.state_dir.as_deref(), Some("~/.norouter/agent"));
    assert!(files.etc_hosts);
    assert_eq!(files.zone.address("home"), Some(*OTHER.ip()));
    assert_eq!(files.http.as_ref(), core.rights().proxy(Purpose::Http));
    assert_eq!(files.socks.as_ref(), core.rights().proxy(Purpose::Socks));
    assert_eq!(files.direct, [ME, *OTHER.ip()].into());

    let mut args = args();
    args["stateDir"]["disable"] = true.into();
    args["http"] = serde_json::json!({});
    args["socks"] = serde_json::json!({});
    let files = written(&mut open_but_for_proxies(&args)).unwrap();
    assert_eq!(files.state_dir, None);
}

#[test]
fn a_proxy_that_does_not_listen_is_not_named_and_the_reason_is() {
    let mut core = open_but_for_proxies(&args());
    let (http, socks) = (
        proxy(Purpose::Http, "127.0.0.1:18080"),
        proxy(Purpose::Socks, "0.0.0.0:18081"),
    );
    core.handle_listening(Instant::ZERO, http, Err("in use".to_owned().into()));
    core.handle_listening(Instant::ZERO, socks, Ok(()));
    let files = written(&mut core).unwrap();
    assert_eq!(files.http, None);
    assert_eq!(files.socks.as_ref(), core.rights().proxy(Purpose::Socks));
    assert_eq!(
        files.missing,
        ["cannot serve the HTTP proxy on 127.0.0.1:18080: in use"]
    );
    core.handle_listening(Instant::ZERO, http, Err("in use".to_owned().into()));
    assert_eq!(written(&mut core), None, "the same is not written again");
    core.handle_listening(Instant::ZERO, http, Ok(()));
    let files = written(&mut core).unwrap();
    assert_eq!(files.http.as_ref(), core.rights().proxy(Purpose::Http));
    assert_eq!(files.missing, [""; 0]);
    // While the address was closed, another program has taken it.
    core.configure(serde_json::from_value(args_with(&["http"])).unwrap())
        .unwrap();
    assert_eq!(written(&mut core), None, "it is being opened again");
    core.handle_listening(Instant::ZERO, http, Err("in use".to_owned().into()));
    assert_eq!(written(&mut core).unwrap().http, None);
}

#[test]
fn programs_are_led_past_the_proxies_only_to_addresses_that_the_agent_listens_on() {
    let mut args = args();
    args["http"] = serde_json::json!({});
    args["socks"] = serde_json::json!({});
    let mut core = open_but_for_proxies(&args);
    assert_eq!(written(&mut core).unwrap().direct, [ME, *OTHER.ip()].into());
    // If one port of a host cannot be opened, programs use the proxy for all ports of the host. Otherwise, people could
    // not tell why only that port does not work.
    core.handle_listening(
        Instant::ZERO,
        network(OTHER),
        Err("in use".to_owned().into()),
    );
    assert_eq!(written(&mut core).unwrap().direct, [ME].into());
    core.handle_listening(Instant::ZERO, network(OTHER), Ok(()));
    assert_eq!(written(&mut core).unwrap().direct, [ME, *OTHER.ip()].into());

    args["loopback"] = serde_json::json!({"disable": true});
    let files = written(&mut configured(&args)).unwrap();
    assert_eq!(files.direct, [].into());
}

/// The configuration, except that these proxies take their users from a different file.
fn args_with(proxies: &[&str]) -> serde_json::Value {
    let mut args = args();
    for proxy in proxies {
        args[proxy]["credentials"] = "~/others".into();
    }
    args
}

#[test]
fn a_listener_is_for_whom_the_configuration_says() {
    let for_same_user = |args: serde_json::Value| {
        let core = configured(&args);
        [
            Purpose::Network,
            Purpose::Dns,
            Purpose::Http,
            Purpose::Socks,
        ]
        .map(|purpose| core.rights().is_for_same_user(purpose))
    };
    assert_eq!(for_same_user(args()), [false; 4]);
    let mut more = args();
    more["loopback"] = serde_json::json!({"sameUser": true});
    assert_eq!(for_same_user(more), [true, false, false, false]);
    let mut more = args();
    more["http"]["sameUser"] = true.into();
    assert_eq!(for_same_user(more), [false, false, true, false]);
}

#[test]
fn whoever_is_refused_is_told_of_once_and_only_to_who_wants_to_know() {
    let mut wants = args();
    wants["features"] = serde_json::json!(["problems", "notices"]);
    let listener = network(OTHER);
    let mut core = settled(&wants);
    assert!(core.handle_refused(Instant::ZERO, listener, Some(1001)));
    assert!(!core.handle_refused(Instant::ZERO, listener, Some(1001)));
    assert_eq!(core.tell_refused(listener, "bob (uid 1001)"), None);
    let told = said(&mut core);
    assert_eq!(told[0]["body"]["type"], "notice");
    let text = told[0]["body"]["data"]["text"].as_str().unwrap();
    assert!(text.starts_with("refused bob (uid 1001) at 127.0.42.100:8080"));
    assert!(
        text.contains("\"loopback: {allow: any}\" below \"web\""),
        "{text}"
    );
    let mut core = settled(&args());
    assert!(core.tell_refused(listener, "bob").is_some());
    assert!(said(&mut core).is_empty());
}

#[test]
fn an_address_that_could_not_be_held_is_tried_again_as_what_it_is_then() {
    let mut core = configured(&args());
    outputs(&mut core);
    changed_by_loss(&mut core, &["127.0.42.100"]);
    core.handle_listening(
        Instant::ZERO,
        network(OTHER),
        Err("in use".to_owned().into()),
    );
    core.handle_timeout(Instant::ZERO + LISTEN_RETRY);
    assert_eq!(outputs(&mut core), [Output::Hold(network(OTHER))]);
    core.handle_listening(
        Instant::ZERO,
        network(OTHER),
        Err("in use".to_owned().into()),
    );
    changed_by_loss(&mut core, &[]);
    core.handle_timeout(Instant::ZERO + LISTEN_RETRY * 2);
    assert_eq!(outputs(&mut core), [Output::Listen(network(OTHER))]);
}

#[test]
fn files_that_nobody_has_asked_for_are_told_in_one_notice() {
    let mut args = args();
    let problem = || ProblemReport {
        what: "write the files".to_owned(),
        reason: "disk full".to_owned(),
        code: Some(ProblemCode::NoFiles),
        ..ProblemReport::default()
    };
    let text = "cannot write the files: disk full";
    let mut older = settled(&args);
    assert_eq!(older.handle_files(vec![problem()]).as_deref(), Some(text));
    assert_eq!(older.handle_files(vec![problem()]), None, "it is told once");
    args["features"] = serde_json::json!(["problems", "notices"]);
    let mut core = settled(&args);
    assert_eq!(core.handle_files(vec![problem()]), None);
    let events = said(&mut core);
    let of = |kind: &str| {
        let is = |event: &&serde_json::Value| event["body"]["type"] == kind;
        events
            .iter()
            .find(is)
            .map(|event| event["body"]["data"].clone())
    };
    assert_eq!(of("notice").unwrap()["text"], text);
    assert_eq!(of("problems").unwrap()["problems"][0]["code"], "noFiles");
    core.handle_files(vec![]);
    core.handle_files(vec![problem()]);
    let is_notice = |event: &serde_json::Value| event["body"]["type"] == "notice";
    assert!(
        !said(&mut core).iter().any(is_notice),
        "a notice is not repeated"
    );
}

#[test]
fn problems_of_files_are_reported_beside_those_of_listeners() {
    let mut core = settled(&args());
    let problem = |reason: &str| ProblemReport {
        what: "write /etc/hosts".to_owned(),
        reason: reason.to_owned(),
        ..ProblemReport::default()
    };
    core.handle_files(vec![]);
    assert!(!core.wants_wire(), "nothing is wrong, which is no news");
    core.handle_files(vec![problem("permission denied")]);
    let udp = dns("127.0.42.101:10053");
    core.handle_listening(Instant::ZERO, udp, Err("in use".to_owned().into()));
    let report = said(&mut core);
    assert_eq!(report.len(), 1, "one report tells everything");
    assert_eq!(
        report[0]["body"]["data"]["problems"],
        serde_json::json!([
            {
                "what": "listen on 127.0.42.101:10053 (UDP)", "reason": "in use",
                "code": "dns", "address": "127.0.42.101:10053",
            },
            {"what": "write /etc/hosts", "reason": "permission denied"},
        ])
    );
    core.handle_files(vec![problem("permission denied")]);
    assert!(said(&mut core).is_empty(), "the same problem is not news");
    core.handle_files(vec![problem("disk full")]);
    assert_eq!(said(&mut core).len(), 1);
    core.handle_files(vec![]);
    core.handle_listening(Instant::ZERO, udp, Ok(()));
    let report = said(&mut core);
    assert_eq!(report[0]["body"]["data"]["problems"], serde_json::json!([]));
    core.handle_no_place("/tmp/norouter-7 is somebody else's".to_owned());
    let report = said(&mut core);
    assert_eq!(
        report[0]["body"]["data"]["problems"][0]["what"],
        "make room for a new start of itself"
    );
}

#[test]
fn each_listener_that_failed_is_tried_again() {
    let mut core = settled(&args());
    let http = Listener {
        purpose: Purpose::Http,
        address: ([127, 0, 0, 1], 18080).into(),
    };
    let later = Instant::ZERO + Duration::from_secs(2);
    core.handle_listening(
        Instant::ZERO,
        dns("127.0.42.100:5353"),
        Err("in use".to_owned().into()),
    );
    core.handle_listening(later, http, Err("in use".to_owned().into()));
    core.handle_timeout(Instant::ZERO + LISTEN_RETRY);
    assert_eq!(
        outputs(&mut core),
        [Output::Listen(dns("127.0.42.100:5353"))]
    );
    core.handle_timeout(later + LISTEN_RETRY);
    assert_eq!(outputs(&mut core), [Output::Listen(http)]);
}

#[test]
fn the_agent_announces_what_it_serves() {
    let mut core = configured(&args());
    let said = said(&mut core);
    let features: Vec<_> = said[0]["body"]["data"]["features"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    for feature in [
        "http",
        "socks",
        "routes",
        "dns",
        "hostaliases",
        "etchosts",
        "proxy.credentials",
        "routes.notTo",
        #[cfg(target_os = "linux")]
        "sameUser",
    ] {
        assert!(features.contains(&&serde_json::json!(feature)), "{feature}");
    }
}

/// The changes of a configured agent's listeners when the manager says that these hosts are lost: `+` means that the
/// agent listens, and `-` that it holds the address.
fn changed_by_loss(core: &mut Core, hosts: &[&str]) -> Vec<String> {
    let hosts = hosts.iter().map(|host| host.parse().unwrap());
    let message = Message::lost(
        7,
        &Lost {
            hosts: hosts.collect(),
            far: Vec::new(),
        },
    );
    let mut frame = BytesMut::new();
    crate::wire::frame::put_control(&mut frame, &message.to_json());
    core.handle_bytes(Instant::ZERO, &mut frame).unwrap();
    let outputs = outputs(core).into_iter();
    let mut changes: Vec<_> = outputs
        .filter_map(|output| match output {
            Output::Listen(listener) => Some(format!("+ {listener}")),
            Output::Hold(listener) => Some(format!("- {listener}")),
            Output::Close(_)
            | Output::Write(_)
            | Output::Dial { .. }
            | Output::Serve(..)
            | Output::Wake(_)
            | Output::EndPredecessor(..)
            | Output::Probe(..)
            | Output::OpenPorts(_)
            | Output::Silent => None,
        })
        .collect();
    changes.sort();
    changes
}

#[test]
fn nothing_is_listened_on_for_a_host_while_it_is_lost() {
    let mut core = configured(&args());
    outputs(&mut core);
    // The listener for DNS over UDP is not held: its replies report the failure.
    let others = ["listen on 127.0.42.100:5353", "listen on 127.0.42.100:8080"];
    let all = |sign: &str| others.map(|what| format!("{sign} {what}"));
    // The agent's own address is never held, even if the manager says that it is lost.
    let lost = ["127.0.42.101", "127.0.42.100"];
    assert_eq!(changed_by_loss(&mut core, &lost), all("-"));
    assert!(changed_by_loss(&mut core, &lost).is_empty());
    // The addresses stay held when the agent is configured again.
    assert!(
        core.configure(serde_json::from_value(args()).unwrap())
            .is_ok()
    );
    assert!(outputs(&mut core).is_empty());
    assert_eq!(changed_by_loss(&mut core, &[]), all("+"));
    let answers = said(&mut core);
    let told = answers.iter().filter(|it| it["body"]["op"] == "lost");
    let fine =
        |it: &serde_json::Value| it["body"]["request_id"] == 7 && it["body"]["error"].is_null();
    assert_eq!(told.filter(|it| fine(it)).count(), 3);
}
