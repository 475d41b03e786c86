//! Says in words what would happen if another plan were applied.

use std::{collections::BTreeSet, net::SocketAddr};

use norouter::{
    plan::{self, HostPlan, Kind, Plan, Reach, Start},
    view::{FlowView, Grant},
};

use crate::{
    consent::beside,
    view::{CommandChange, Effect, EffectKind, EffectLine},
};

/// The effect of replacing the plan `old` by `new` while these flows exist.
pub(crate) fn effect(old: &Plan, new: &Plan, flows: &[FlowView]) -> Effect {
    let changes = plan::diff(old, new);
    let mut lines = Vec::new();
    let mut ended = BTreeSet::new();
    for change in &changes {
        let name = change.host.to_string();
        let (before, after) = (old.host(change.vip), new.host(change.vip));
        let (kind, text) = match (change.kind, before, after) {
            (Kind::Added, _, Some(host)) => {
                (EffectKind::Add, format!("adds {name}{}", starts(host)))
            }
            (Kind::Restarted, Some(_), Some(host)) => (
                EffectKind::Restart,
                format!("restarts {name}{}", starts(host)),
            ),
            (Kind::Reconfigured, Some(before), Some(after)) => {
                let what = differences(before, after).join(", ");
                (EffectKind::Reconfigure, format!("changes {name}: {what}"))
            }
            _ => (EffectKind::Remove, format!("removes {name}")),
        };
        if matches!(kind, EffectKind::Remove | EffectKind::Restart) {
            ended.extend(before.map(|host| host.name.to_string()));
        }
        lines.push(EffectLine {
            kind,
            host: Some(name),
            text,
        });
    }
    if old.routes != new.routes {
        lines.push(EffectLine {
            kind: EffectKind::Reconfigure,
            host: None,
            text: "changes the routes".to_owned(),
        });
    }
    if !old.policy.reads_like(&new.policy) {
        lines.push(EffectLine {
            kind: EffectKind::Reconfigure,
            host: None,
            text: "changes the policy".to_owned(),
        });
    }
    let drops = |flow: &&FlowView| {
        ended.contains(&flow.from) || ended.contains(&flow.to) || is_denied(new, flow)
    };
    Effect {
        lines,
        drops: flows.iter().filter(drops).count(),
        untouched: old.hosts.len() - changes.iter().filter(|it| it.kind != Kind::Added).count(),
        commands: changed_commands(old, new),
        grants: plan::new_grants(old, new)
            .iter()
            .filter(|grant| !matches!(grant, Grant::Command { .. }))
            .map(ToString::to_string)
            .collect(),
    }
}

/// Whether a plan's policy refuses a flow. If so, the flow is cut when the plan is applied.
fn is_denied(plan: &Plan, flow: &FlowView) -> bool {
    let mut hosts = plan.hosts.iter();
    let from = hosts.find(|host| host.name.as_str() == flow.from);
    let (Some(from), Ok(to)) = (from, flow.dst.parse::<SocketAddr>()) else {
        return false;
    };
    let ways = plan.reach(from.vip, &to.into());
    ways.iter().any(|(gateway, reach)| {
        let is_its_way = gateway.is_none_or(|gateway| plan.name_of(gateway) == flow.to);
        is_its_way && matches!(reach, Reach::Refused(_))
    })
}

fn changed_commands(old: &Plan, new: &Plan) -> Vec<crate::view::ConsentHost> {
    let with_command = |host: &&HostPlan| host.start.words().is_some();
    let mut changed = Vec::new();
    for host in new.hosts.iter().filter(with_command) {
        let before = old.host(host.vip).filter(with_command);
        if before.is_some_and(|before| before.start.words() == host.start.words()) {
            continue;
        }
        let previous = before.map(|before| before.start.shown());
        let (name, vip) = (host.name.to_string(), host.vip.to_string());
        let mut shown = beside(name, vip, &host.start.shown(), previous);
        if shown.change == CommandChange::Same {
            // The commands differ only in a password, which is masked in both.
            shown.change = CommandChange::Changed;
        }
        changed.push(shown);
    }
    changed
}

fn starts(host: &HostPlan) -> &'static str {
    match host.start {
        Start::InProcess => ", which runs inside the app",
        Start::Command(_) | Start::Shell(_) | Start::Chosen(_) => " and starts its command",
    }
}

/// The parts of a host that differ, in words.
fn differences(before: &HostPlan, after: &HostPlan) -> Vec<&'static str> {
    let parts = [
        (
            before.name != after.name || before.aliases != after.aliases,
            "names",
        ),
        (before.forwards != after.forwards, "ports"),
        (
            before.http != after.http || before.socks != after.socks,
            "proxies",
        ),
        (
            before.dns != after.dns || before.relay != after.relay,
            "services for other hosts",
        ),
        (before.loopback != after.loopback, "where it listens"),
        (
            before.state_dir != after.state_dir || before.write_etc_hosts != after.write_etc_hosts,
            "files",
        ),
    ];
    let differing = parts.into_iter().filter(|(differs, _)| *differs);
    differing.map(|(_, word)| word).collect()
}

#[cfg(test)]
mod tests {
    use norouter::view::FlowState;

    use super::*;

    const OLD: &str = "
hosts:
  a: {vip: 127.0.42.1}
  b: {vip: 127.0.42.2, cmd: ssh b norouter}
  c: {vip: 127.0.42.3, cmd: ssh c norouter, ports: ['80:127.0.0.1:80']}
  d: {vip: 127.0.42.4, cmd: ssh d norouter}
";

    fn plan(text: &str) -> Plan {
        norouter::plan::load("test.yaml", text).plan.unwrap()
    }

    fn flow(from: &str, to: &str) -> FlowView {
        FlowView {
            id: String::new(),
            from: from.to_owned(),
            to: to.to_owned(),
            src: String::new(),
            dst: String::new(),
            name: String::new(),
            via: None,
            rule: None,
            state: FlowState::Open,
            bytes_from: 0,
            bytes_to: 0,
            rate_from: 0,
            rate_to: 0,
            packets: 0,
            age_ms: 0,
            idle_ms: 0,
            rtt_us: None,
        }
    }

    #[test]
    fn the_effect_names_each_host_that_changes_and_counts_the_others() {
        let new = plan(
            "
hosts:
  a: {vip: 127.0.42.1}
  b: {vip: 127.0.42.2, cmd: ssh other norouter}
  c: {vip: 127.0.42.3, cmd: ssh c norouter, ports: ['81:127.0.0.1:80'], aliases: [sea]}
  e: {vip: 127.0.42.5, cmd: ssh e norouter}
routes: [{via: b, to: ['*.example.com']}]
",
        );
        let flows = [flow("a", "b"), flow("b", "d"), flow("a", "c")];
        let effect = effect(&plan(OLD), &new, &flows);
        let told: Vec<_> = effect
            .lines
            .iter()
            .map(|line| (line.kind, line.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (EffectKind::Restart, "restarts b and starts its command"),
                (EffectKind::Reconfigure, "changes c: names, ports"),
                (EffectKind::Remove, "removes d"),
                (EffectKind::Add, "adds e and starts its command"),
                (EffectKind::Reconfigure, "changes the routes"),
            ]
        );
        assert_eq!((effect.drops, effect.untouched), (2, 1));
        let commands: Vec<_> = effect
            .commands
            .iter()
            .map(|command| (command.host.as_str(), command.change))
            .collect();
        assert_eq!(
            commands,
            [("b", CommandChange::Changed), ("e", CommandChange::New)]
        );
        let (installs, others) = effect.grants.split_at(2);
        for (grant, host) in installs.iter().zip(["b", "e"]) {
            assert!(
                grant.contains(&format!("an agent is put on {host}")),
                "{grant}"
            );
        }
        assert_eq!(
            others,
            [
                "all hosts can connect to 127.0.0.1:80 of c, as c:81",
                "connections to *.example.com go through b"
            ]
        );
    }

    #[test]
    fn a_policy_cuts_the_flows_that_it_does_not_allow() {
        let hosts = "
hosts:
  a: {vip: 127.0.42.1, ports: ['80:x:80', '81:x:81']}
  b: {vip: 127.0.42.2, cmd: ssh b norouter}
routes: [{via: b, to: [10.0.0.0/8]}]
";
        let policy = "policy: {rules: [{from: b, to: a, ports: [80], action: deny}, {from: a, via: b, action: deny}]}";
        let at = |from: &str, to: &str, dst: &str| FlowView {
            dst: dst.to_owned(),
            ..flow(from, to)
        };
        let flows = [
            at("b", "a", "127.0.42.1:80"),
            at("b", "a", "127.0.42.1:81"),
            at("a", "b", "10.0.0.1:443"),
        ];
        let new = plan(&format!("{hosts}{policy}"));
        let effect = effect(&plan(hosts), &new, &flows);
        let told: Vec<_> = effect.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!((told, effect.drops), (vec!["changes the policy"], 2));
    }

    #[test]
    fn a_plan_has_no_effect_on_itself() {
        let effect = effect(&plan(OLD), &plan(OLD), &[flow("a", "b")]);
        assert_eq!(
            effect,
            Effect {
                untouched: 4,
                ..Effect::default()
            }
        );
    }
}
