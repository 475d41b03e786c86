//! The policy in a configuration, checked once when the manager's message arrives.

use std::collections::BTreeSet;

use crate::{
    addr::{Port, Vip},
    route::policy::{Action, Beyond, Hosts, Line, Policy, Rule, Service},
    wire::control::{self, Configure},
};

/// The wildcard for all hosts or all destinations.
const EVERYTHING: &str = "*";

/// Reads the policy in a configuration; fails with a description of the first value that is not valid.
pub(super) fn read(
    args: &Configure,
    dns: impl Iterator<Item = (Vip, Port)>,
    relays: impl Iterator<Item = (Vip, Port)>,
) -> Result<Policy, String> {
    let Some(written) = &args.policy else {
        return Ok(Policy::default());
    };
    let rules: Result<Vec<_>, String> = written.rules.iter().map(rule).collect();
    let hosts = args.hostname_map.values().chain([&args.me]);
    let hosts: BTreeSet<_> = hosts
        .filter_map(|address| Vip::new(*address).ok())
        .collect();
    let services = dns.map(|at| (at, Service::Dns));
    let services = services.chain(relays.map(|at| (at, Service::Relay)));
    let default = action(&written.default)?;
    Ok(Policy::new(default, rules?, hosts, services))
}

fn rule(rule: &control::PolicyRule) -> Result<Rule, String> {
    let wrong = |what: &str| format!("policy: rule {}: {what}", rule.number);
    let hosts = |texts: &[String]| -> Result<Hosts, String> {
        if texts == [EVERYTHING] {
            return Ok(Hosts::Everybody);
        }
        let vip = |text: &String| {
            let vip = text.parse::<Vip>();
            vip.map_err(|error| wrong(&format!("{text:?} is {error}")))
        };
        texts
            .iter()
            .map(vip)
            .collect::<Result<_, _>>()
            .map(Hosts::Only)
    };
    let target = |text: &String| {
        let target = text.parse();
        target.map_err(|error| wrong(&format!("{text:?} is {error}")))
    };
    let beyond = if rule.beyond == [EVERYTHING] {
        Beyond::Everything
    } else {
        let targets = rule.beyond.iter().map(target);
        Beyond::Only(targets.collect::<Result<_, _>>()?)
    };
    Ok(Rule {
        number: rule.number,
        line: Line::default(),
        from: hosts(&rule.from)?,
        to: hosts(&rule.to)?,
        beyond,
        via: hosts(&rule.via)?,
        ports: rule
            .ports
            .iter()
            .map(|[first, last]| *first..=*last)
            .collect(),
        action: action(&rule.action)?,
    })
}

fn action(word: &str) -> Result<Action, String> {
    match word {
        "allow" => Ok(Action::Allow),
        "deny" => Ok(Action::Deny),
        other => Err(format!("policy: {other:?} is neither allow nor deny")),
    }
}
