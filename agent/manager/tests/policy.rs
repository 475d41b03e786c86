//! Tests of the policy in the manager: what agents are told about it, which features they need, and what people are
//! told.

use super::*;
use crate::wire::PacketFrame;

const C: &str = "127.0.42.102";

fn ruled(policy: &str) -> Plan {
    let text = format!(
        "
hosts:
  alpha: {{vip: {A}, cmd: alpha, ports: ['80:x:80', '81:x:81']}}
  beta: {{vip: {B}, cmd: beta, ports: ['80:x:80']}}
  gate: {{vip: {C}, cmd: gate}}
routes: [{{via: gate, to: [10.0.0.0/8]}}]
{policy}
"
    );
    let loaded = crate::plan::load("test.yaml", &text);
    loaded
        .plan
        .clone()
        .unwrap_or_else(|| panic!("{}", loaded.report(false)))
}

const DENY: &str =
    "policy: {default: deny, rules: [{from: beta, to: alpha, ports: [80], action: allow}]}";

fn told(core: &mut Core, address: &str) -> Configure {
    core.handle_spawned(NOW, vip(address), Ok(()));
    configured_with(core, address)
}

fn running(plan: &Plan) -> Core {
    let mut core = Core::new(plan, 1);
    core.start(NOW);
    for address in [A, B, C] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        core.handle_bytes(
            NOW,
            vip(address),
            &mut greeting(r#""tcp","loopback","policy","reconfigure""#),
        );
        while core.poll_frame(NOW, vip(address)).is_some() {}
    }
    outputs(&mut core);
    core
}

fn syn(from: &str, to: &str) -> BytesMut {
    let key = crate::addr::FlowKey {
        src: format!("{from}:4000").parse().unwrap(),
        dst: to.parse().unwrap(),
    };
    let mut bytes = crate::wire::packet::reset(key, 1, None);
    bytes[33] = 0x02;
    BytesMut::from(&PacketFrame::new(&bytes).into_bytes()[..])
}

#[test]
fn an_agent_is_told_of_what_it_may_reach_and_of_the_rules_that_concern_it() {
    let mut core = Core::new(&ruled(DENY), 1);
    core.start(NOW);
    outputs(&mut core);
    let others = |args: &Configure| -> Vec<_> {
        let others = args.others.iter();
        others.map(|it| format!("{}:{}", it.ip, it.port)).collect()
    };
    let beta = told(&mut core, B);
    assert_eq!(others(&beta), [format!("{A}:80")]);
    let servers: Vec<_> = beta
        .name_servers
        .iter()
        .map(|it| it.ip.to_string())
        .collect();
    assert_eq!(servers, [A, B]);
    let rule = &beta.policy.as_ref().unwrap().rules[0];
    assert_eq!(
        (rule.number, rule.action.as_str(), &rule.ports[..]),
        (1, "allow", &[[80, 80]][..])
    );
    let alpha = told(&mut core, A);
    assert!(others(&alpha).is_empty());
    assert_eq!(alpha.policy, beta.policy);
    let gate = told(&mut core, C).policy.unwrap();
    assert_eq!((gate.default.as_str(), gate.rules.len()), ("deny", 0));
    let mut open = Core::new(&ruled(""), 1);
    open.start(NOW);
    let beta = told(&mut open, B);
    assert_eq!((beta.policy.is_none(), beta.others.len()), (true, 2));
}

#[test]
fn an_agent_that_knows_no_policy_is_refused_where_there_is_one_and_only_there() {
    for (policy, state) in [
        ("", HostState::Ready),
        ("policy: {default: published}", HostState::Ready),
        (DENY, HostState::Refused),
    ] {
        let mut core = Core::new(&ruled(policy), 1);
        core.start(NOW);
        core.handle_spawned(NOW, vip(A), Ok(()));
        core.handle_bytes(NOW, vip(A), &mut greeting(r#""tcp","loopback""#));
        core.handle_closed(NOW, vip(A));
        core.handle_exit(NOW, vip(A), Ending::Status(0));
        let host = &core.snapshot(NOW).hosts[0];
        if state == HostState::Refused {
            assert_eq!(host.state, state, "{host:?}");
            assert!(
                host.reason
                    .as_ref()
                    .unwrap()
                    .contains("cannot do \"policy\""),
                "{host:?}"
            );
        } else {
            assert_ne!(host.state, HostState::Refused, "{host:?}");
        }
    }
}

#[test]
fn a_policy_that_changes_cuts_is_told_to_agents_and_to_people() {
    let mut core = running(&ruled(""));
    core.handle_bytes(NOW, vip(B), &mut syn(B, &format!("{A}:81")));
    core.handle_bytes(NOW, vip(B), &mut syn(B, &format!("{A}:80")));
    assert_eq!(core.flow_total(), 2);
    core.handle_bytes(NOW, vip(A), &mut syn(A, &format!("{B}:80")));
    assert_eq!(core.flow_total(), 3);
    while core.poll_frame(NOW, vip(A)).is_some() {}
    core.reload(NOW, &ruled(DENY), Commands::Start);
    assert_eq!(core.flow_total(), 1);
    let told = outputs(&mut core).into_iter().find_map(|output| {
        if let Output::Event(Event::Reloaded { changes, grants }) = output {
            Some((changes, grants))
        } else {
            None
        }
    });
    let (changes, grants) = told.unwrap();
    assert_eq!(
        changes,
        ["the policy: changed, which has cut 2 connections"]
    );
    assert_eq!(
        grants,
        ["no host may reach anything, but for: allow beta to alpha at port 80"]
    );
    let args = configured_with(&mut core, A);
    assert!(args.policy.is_some());
    // A reload of the same plan reports no changes.
    core.reload(NOW, &ruled(DENY), Commands::Start);
    let quiet = Output::Event(Event::Reloaded {
        changes: vec![],
        grants: vec![],
    });
    assert!(outputs(&mut core).contains(&quiet));
}

#[test]
fn what_is_refused_is_told_by_name_and_in_sum() {
    let mut core = running(&ruled(DENY));
    // Beta sends as fast as it may.
    for port in 1..=500 {
        let now = NOW + std::time::Duration::from_millis(port);
        core.handle_bytes(now, vip(B), &mut syn(B, &format!("{A}:{port}")));
        core.handle_bytes(now, vip(B), &mut syn(B, &format!("10.0.0.5:{port}")));
    }
    core.handle_bytes(NOW, vip(B), &mut syn(B, &format!("{C}:10054")));
    let mut said = Vec::new();
    let mut now = NOW;
    while let Some((at, _)) = core
        .poll_timeout()
        .filter(|(at, _)| *at < NOW + std::time::Duration::from_secs(3))
    {
        now = now.max(at);
        core.handle_timeout(now);
        for output in outputs(&mut core) {
            if let Output::Event(Event::Refused {
                host,
                times,
                targets,
                text,
                most,
                ..
            }) = output
            {
                said.push((host, times, targets, text, most.len()));
            }
        }
        if !said.is_empty() {
            break;
        }
    }
    let (host, times, targets, text, most) = &said[0];
    assert_eq!(
        (host.as_str(), *times, *targets, *most, said.len()),
        ("beta", 1_000, 1_000, 3, 1)
    );
    assert!(
        text.starts_with("was refused 1000 connections by the policy: "),
        "{text}"
    );
    assert!(text.contains("by the default of the policy"), "{text}");
    assert!(text.ends_with(", and 997 other targets"), "{text}");
}

#[test]
fn what_a_gateway_has_refused_is_told_with_its_words_and_nobody_else_has_a_say() {
    let mut core = running(&ruled(DENY));
    let event = |from: &str| {
        let json = format!(
            r#"{{"type":"event","body":{{"type":"refused","data":{{"refused":[
                {{"from":"{from}","to":"secret.internal:80","rule":1,"times":7}}]}}}}}}"#
        );
        let mut out = BytesMut::new();
        frame::put_control(&mut out, json.as_bytes());
        out
    };
    core.handle_bytes(NOW, vip(A), &mut event(B));
    core.handle_bytes(NOW, vip(C), &mut event("127.0.42.77"));
    core.handle_bytes(NOW, vip(C), &mut event(B));
    let later = NOW + std::time::Duration::from_secs(1);
    core.handle_timeout(later);
    let refused = outputs(&mut core).into_iter().filter_map(|output| {
        let Output::Event(Event::Refused { host, text, .. }) = output else {
            return None;
        };
        Some((host, text))
    });
    let text = "was refused 7 connections by the policy: secret.internal:80 7 times by rule 1 of the policy (line 7)";
    let told = vec![("beta".to_owned(), text.to_owned())];
    assert_eq!(refused.collect::<Vec<_>>(), told);
}
