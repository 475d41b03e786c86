//! Tests of an agent on a machine whose administrator does not permit everything.

use serde_json::{Value, json};

use super::*;
use crate::{
    destination::{Destination, Host},
    limits::Permits,
};

const NOW: Instant = Instant::ZERO;

/// The configuration of the agent in all tests below: it publishes a port, is a gateway, serves proxies, DNS and a
/// relay, and writes files.
fn args() -> Value {
    let mut args = super::args();
    args["hostnameMap"] = json!({"web": "127.0.42.101", "home": "127.0.42.100"});
    args["mainNames"] = json!(["web", "home"]);
    args["nameServers"] = json!([{"ip": "127.0.42.101", "port": 10053, "proto": "tcp"}]);
    args["relays"] = json!([{"ip": "127.0.42.101", "port": 10054, "proto": "tcp"}]);
    args["routes"] = json!([
        {"toCIDR": ["10.0.0.0/8"], "toHostnameGlob": ["*.internal"], "via": "127.0.42.101"},
    ]);
    args["http"] = json!({"listen": "127.0.0.1:18080"});
    args["socks"] = json!({"listen": "127.0.0.1:18081"});
    args["stateDir"] = json!({"path": "~/.norouter/agent"});
    args["writeEtcHosts"] = true.into();
    args
}

fn limits(texts: &[&str]) -> Limits {
    let mut limits = Limits::default();
    let permits = Permits::from_words("the option --restrict", texts.iter().copied());
    limits.add(permits.unwrap());
    limits
}

fn limited(texts: &[&str]) -> Core {
    let mut core = Core::limited(1, Capacity::default(), Ok(limits(texts)));
    core.handle_bytes(NOW, &mut request(&args())).unwrap();
    core
}

fn destination(text: &str) -> Destination {
    Destination::parse(text, None).unwrap()
}

/// The listeners, dials and files that the agent asks for, in words.
fn done(core: &mut Core) -> Vec<String> {
    let mut outputs = outputs(core);
    // The agent writes the files only when it knows which proxies could be opened.
    for output in outputs.clone() {
        if let Output::Listen(listener) | Output::Hold(listener) = output {
            core.handle_listening(NOW, listener, Ok(()));
        }
    }
    outputs.extend(super::outputs(core));
    let words = outputs.into_iter().filter_map(|output| match output {
        Output::Listen(listener) => Some(listener.to_string()),
        Output::Hold(listener) => Some(format!("hold: {listener}")),
        Output::Write(files) => Some(format!(
            "write {:?} {} {} {}",
            files.state_dir,
            files.etc_hosts,
            files.http.is_some(),
            files.socks.is_some(),
        )),
        Output::Dial { host, port, .. } => Some(format!("dial {host}:{port}")),
        Output::Serve(_, service) => Some(format!("serve {service:?}")),
        Output::Probe(_, errand) => Some(format!("{errand:?}")),
        Output::OpenPorts(_) => Some("list open ports".to_owned()),
        Output::Close(_) | Output::Wake(_) | Output::EndPredecessor(..) | Output::Silent => None,
    });
    words.collect()
}

/// The problems in the agent's last report, as people see them; `None` if it has sent no report.
fn problems(core: &mut Core) -> Option<Vec<String>> {
    let said = said(core).into_iter().rev();
    let mut reports = said.filter(|message| message["type"] == "event");
    let report = reports.next()?;
    let list = report["body"]["data"]["problems"]
        .as_array()
        .unwrap()
        .clone();
    let text = |problem: &Value, field: &str| problem[field].as_str().unwrap().to_owned();
    let words = list.iter().map(|problem| {
        format!(
            "cannot {}: {}",
            text(problem, "what"),
            text(problem, "reason")
        )
    });
    Some(words.collect())
}

#[test]
fn without_a_permit_nothing_is_done_and_everything_is_told_with_its_rule() {
    let mut core = limited(&[""]);
    assert_eq!(done(&mut core), ["write None false false false"]);
    let rule = |kind: &str| format!("the option --restrict does not permit \"{kind}\"");
    let told = problems(&mut core).unwrap();
    assert_eq!(
        told,
        [
            format!(
                "cannot listen on 127.0.42.100:8080, 127.0.42.101:10053, 127.0.42.101:10053 (UDP), 127.0.42.101:80: {}",
                rule("listen")
            ),
            format!(
                "cannot serve the HTTP proxy on 127.0.0.1:18080: {}",
                rule("proxy")
            ),
            format!(
                "cannot serve the SOCKS proxy on 127.0.0.1:18081: {}",
                rule("proxy")
            ),
            format!("cannot be a gateway: {}", rule("gateway")),
            format!(
                "cannot connect to web.internal:8000 for port 80: {}",
                rule("dial")
            ),
            format!(
                "cannot write into the folder ~/.norouter/agent, the hosts file: {}",
                rule("write")
            ),
        ]
    );
    // No listener is tried again, and no incoming connection is dialled.
    core.handle_timeout(NOW + LISTEN_RETRY);
    for target in ["127.0.42.101:80", "10.1.2.3:443"] {
        core.handle_packet(NOW, &syn_to(target.parse().unwrap()));
        assert_eq!(done(&mut core), Vec::<String>::new(), "{target}");
        let reset = packets(&mut core).pop().unwrap();
        assert!(Packet::parse(&reset).unwrap().segment().flags.rst);
    }
    for target in ["web.internal:8000", "10.1.2.3:443", "db.internal:5432"] {
        let target = destination(target);
        let failure = core.rights().may_dial(&target).unwrap_err();
        assert_eq!(failure.cause, crate::wire::Cause::Limited);
        assert_eq!(
            failure.reason,
            "Not permitted by the administrator of web: the option --restrict does not permit \"dial\"."
        );
        assert!(core.rights().may_relay_to(&target).is_err());
        let address = [10, 1, 2, 3].into();
        assert!(core.rights().may_connect(&target, address).is_err());
        assert!(
            core.rights()
                .may_connect_for_others(&target, address)
                .is_err()
        );
    }
    assert!(!core.may_resolve(NOW, "home", false) && !core.may_resolve(NOW, "a.test", true));
}

#[test]
fn what_is_permitted_is_done_as_without_limits() {
    let all = [
        "listen=127.0.0.0/8",
        "dial=0.0.0.0/0,*",
        "gateway=yes",
        "resolve=everything",
        "proxy=127.0.0.1",
        "write=~/.norouter/agent,hosts-file",
    ];
    let (mut core, mut free) = (limited(&all), configured(&args()));
    assert_eq!(outputs(&mut core), outputs(&mut free));
    assert_eq!(problems(&mut core), None);
    for target in [
        "127.0.42.101:80",
        "10.1.2.3:443",
        "127.0.42.101:10053",
        "127.0.42.101:10054",
    ] {
        for core in [&mut core, &mut free] {
            core.handle_packet(NOW, &syn_to(target.parse().unwrap()));
        }
        let words = done(&mut core);
        assert_eq!(words.len(), 1, "{target}");
        assert_eq!(words, done(&mut free), "{target}");
    }
    assert!(core.may_resolve(NOW, "a.test", true));
}

#[test]
fn each_kind_is_permitted_by_itself() {
    for (permit, words) in [
        ("listen=127.0.42.101:80", "listen on 127.0.42.101:80"),
        ("listen=127.0.42.100", "listen on 127.0.42.100:8080"),
        (
            "proxy=127.0.0.1:18080",
            "serve the HTTP proxy on 127.0.0.1:18080",
        ),
        (
            "write=~/.norouter",
            "write Some(\"~/.norouter/agent\") false false false",
        ),
        ("write=hosts-file", "write None true false false"),
        ("proxy=127.0.0.1:18081", "write None false false true"),
    ] {
        let mut core = limited(&[permit]);
        let done = done(&mut core);
        assert!(done.iter().any(|it| it == words), "{permit}: {done:?}");
        let written = usize::from(!words.starts_with("write"));
        assert!(done.len() <= 1 + written.max(1), "{permit}: {done:?}");
    }
    let published = "127.0.42.101:80".parse().unwrap();
    let behind = "10.1.2.3:443".parse().unwrap();
    for (permits, target, dialled) in [
        (&["dial=web.internal:8000"][..], published, true),
        (&["dial=web.internal:8001"], published, false),
        // The permit is for addresses, so the driver asks again for each address that the name resolves to.
        (&["dial=10.0.0.0/8:8000"], published, true),
        (&["gateway=yes"], behind, false),
        (&["dial=10.0.0.0/8"], behind, false),
        (&["gateway=yes", "dial=10.0.0.0/8"], behind, true),
        (&["gateway=yes", "dial=10.1.0.0/16:80"], behind, false),
    ] {
        let mut core = limited(permits);
        done(&mut core);
        core.handle_packet(NOW, &syn_to(target));
        assert_eq!(done(&mut core).len(), usize::from(dialled), "{permits:?}");
    }
    let core = limited(&["dial=10.0.0.0/8:8000"]);
    let web = destination("web.internal:8000");
    assert!(
        core.rights()
            .may_connect(&web, [10, 0, 0, 1].into())
            .is_ok()
    );
    assert!(
        core.rights()
            .may_connect(&web, [127, 0, 0, 1].into())
            .is_err()
    );
    for (permit, network, foreign) in [
        ("resolve=network", true, false),
        ("resolve=everything", true, true),
    ] {
        let mut core = limited(&[permit]);
        assert_eq!(core.may_resolve(NOW, "home", false), network);
        assert_eq!(core.may_resolve(NOW, "a.test", true), foreign);
    }
}

#[test]
fn a_thousand_refused_targets_are_told_in_sum() {
    let mut core = limited(&["gateway=yes", "dial=10.9.0.0/16:80"]);
    done(&mut core);
    problems(&mut core);
    let refuse = |core: &mut Core, number: u16| {
        let address = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), number);
        core.handle_packet(NOW, &syn_to(address));
    };
    refuse(&mut core, 1);
    let about = |told: &[String]| -> Vec<String> {
        let told = told.iter().filter(|it| it.contains("connect to 10."));
        told.cloned().collect()
    };
    let told = about(&problems(&mut core).unwrap());
    let rule = "Not permitted by the administrator of web: the option --restrict permits \"dial\" only for 10.9.0.0/16:80";
    assert_eq!(told, [format!("cannot connect to 10.0.0.1:1: {rule}")]);
    let mut reports = 0;
    for number in 1..=1_000 {
        refuse(&mut core, number);
        assert_eq!(done(&mut core), Vec::<String>::new());
        reports += usize::from(problems(&mut core).is_some());
    }
    assert_eq!(reports, 0, "the manager is not flooded");
    let due = loop {
        let (due, why) = core.poll_timeout().unwrap();
        core.handle_timeout(due);
        if why == "what was refused, in sum" {
            break due;
        }
    };
    let told = about(&problems(&mut core).unwrap());
    assert_eq!(
        told,
        [format!(
            "cannot connect to 10.0.0.1:1, 10.0.0.1:2, 10.0.0.1:3, 10.0.0.1:4 and 996 more: {rule}"
        )]
    );
    // A refusal that was reported is not reported again. Another configuration forgets all refusals.
    refuse(&mut core, 2);
    core.handle_timeout(due + Duration::from_mins(1));
    assert_eq!(problems(&mut core), None);
    core.configure(serde_json::from_value(args()).unwrap())
        .unwrap();
    assert_eq!(about(&problems(&mut core).unwrap()), Vec::<String>::new());
}

#[test]
fn a_name_of_which_one_address_is_permitted_is_no_problem() {
    let mut core = limited(&["dial=127.0.0.1:8000"]);
    done(&mut core);
    problems(&mut core);
    let web = destination("web.internal:8000");
    let refused = core
        .rights()
        .may_connect(&web, Ipv4Addr::new(10, 0, 0, 1).into());
    assert!(
        refused.is_err()
            && core
                .rights()
                .may_connect(&web, Ipv4Addr::LOCALHOST.into())
                .is_ok()
    );
    assert_eq!(problems(&mut core), None);
    // If none of the addresses is permitted, the driver reports the refusal.
    core.handle_not_dialled(NOW, &web, &refused.unwrap_err());
    let told = problems(&mut core).unwrap();
    assert!(
        told.iter()
            .any(|it| it.starts_with("cannot connect to web.internal:8000: Not permitted"))
    );
    let unreachable = crate::wire::Failure {
        cause: crate::wire::Cause::Unreachable,
        reason: String::new(),
    };
    core.handle_not_dialled(NOW, &destination("b.test:1"), &unreachable);
    assert_eq!(
        problems(&mut core),
        None,
        "of what is permitted nothing is told"
    );
}

#[test]
fn a_probe_dials_no_more_and_says_which_rule_it_is() {
    let mut core = limited(&["gateway=yes", "dial=10.1.0.0/16"]);
    done(&mut core);
    said(&mut core);
    let probe = |core: &mut Core, args: Value| {
        let json = json!({"type": "request", "body": {"id": 7, "op": "probe", "args": args}});
        let mut frame = BytesMut::new();
        frame::put_control(&mut frame, json.to_string().as_bytes());
        core.handle_bytes(NOW, &mut frame).unwrap();
        let answer = said(core).pop();
        (
            done(core),
            answer.map(|answer| answer["body"]["data"].clone()),
        )
    };
    for (args, rule) in [
        (
            json!({"what": "dial", "host": "10.2.0.1", "port": 80}),
            "only for 10.1.0.0/16",
        ),
        (
            json!({"what": "listener", "address": "127.0.42.101:80"}),
            "does not permit \"listen\"",
        ),
        (
            json!({"what": "listener", "address": "127.0.0.1:18080"}),
            "does not permit \"proxy\"",
        ),
    ] {
        let (done, found) = probe(&mut core, args.clone());
        let found = found.unwrap();
        assert_eq!(done, Vec::<String>::new(), "{args}");
        assert_eq!(found["cause"], "limited", "{args}: {found}");
        assert!(
            found["reason"].as_str().unwrap().contains(rule),
            "{args}: {found}"
        );
    }
    // The first address is permitted, and the name may resolve to permitted addresses.
    for host in ["10.1.2.3", "db.internal"] {
        let (done, found) = probe(&mut core, json!({"what": "dial", "host": host, "port": 80}));
        assert!(done.len() == 1 && found.is_none(), "{host}: {done:?}");
        core.handle_probed(7, Ok(()));
        said(&mut core);
    }
    assert!(matches!(destination("db.internal:1").host, Host::Name(_)));
}

#[test]
fn a_listener_that_is_not_permitted_comes_and_goes_without_a_word_to_the_driver() {
    let mut core = limited(&["listen=127.0.42.101"]);
    outputs(&mut core);
    said(&mut core);
    let mut frame = BytesMut::new();
    let lost = Message::lost(
        7,
        &Lost {
            hosts: vec![*OTHER.ip()],
            far: Vec::new(),
        },
    );
    frame::put_control(&mut frame, &lost.to_json());
    core.handle_bytes(NOW, &mut frame).unwrap();
    assert_eq!(outputs(&mut core), [], "it was not listened there");
    assert_eq!(problems(&mut core), None, "nor is it held now");
    core.handle_listening(NOW, network(OTHER), Ok(()));
    assert_eq!(outputs(&mut core), []);
}

#[test]
fn where_the_limits_cannot_be_known_nothing_is_served_and_the_reason_is_the_answer() {
    let reason = "other users may write /etc/norouter/agent.yaml";
    let mut core = Core::limited(1, Capacity::default(), Err(reason.to_owned()));
    core.handle_bytes(NOW, &mut request(&args())).unwrap();
    let answer = said(&mut core).pop().unwrap();
    assert_eq!(answer["body"]["error"], reason);
    assert_eq!(answer["body"].get("data"), Some(&Value::Null));
    for target in ["127.0.42.101:80", "10.1.2.3:443", "127.0.42.101:10054"] {
        core.handle_packet(NOW, &syn_to(target.parse().unwrap()));
    }
    assert_eq!(outputs(&mut core), []);
    assert!(core.rights().may_dial(&destination("10.1.2.3:80")).is_err());
}
