//! Reports in words what the policy has refused.

use std::{fmt::Write as _, net::SocketAddrV4};

use crate::{
    addr::{Port, Vip},
    plan::Plan,
    route::policy::By,
    switch::{Refused, Refusee, Switch},
    time::Instant,
    view::{Event, RefusedTarget},
    wire::control::RefusedAsk,
};

/// The maximum number of refusals that is accepted for one target in a gateway's report. A larger number is replaced by
/// this one.
const TIMES_MAX: u64 = 100_000;

/// The event that connections from a host were refused. Hosts and rules are named as in the plan. `None` if the host is
/// not in the plan.
pub(super) fn event(plan: &Plan, refused: &Refused) -> Option<Event> {
    let host = plan.host(refused.from)?;
    let most = refused.most.iter().map(|(to, times, by)| RefusedTarget {
        to: match to {
            Refusee::Address(to) => called(plan, *to),
            Refusee::Asked(to) if to.is_empty() => "other names".to_owned(),
            Refusee::Asked(to) => to.clone(),
        },
        times: *times,
        by: plan.by_words(*by),
    });
    let most: Vec<_> = most.collect();
    Some(Event::Refused {
        host: host.name.to_string(),
        vip: host.vip.to_string(),
        times: refused.times,
        targets: refused.targets,
        text: words(refused.times, refused.targets, &most),
        most,
    })
}

/// Takes a gateway's report of connections that it has refused. Reports of hosts that are not gateways are ignored. The
/// numbers in a report cannot be verified.
pub(super) fn note(
    switch: &mut Switch,
    plan: &Plan,
    now: Instant,
    gateway: Vip,
    asks: Vec<RefusedAsk>,
) {
    if !plan.routes.has_gateway(gateway) {
        return;
    }
    for ask in asks {
        let by = ask.rule.map_or(By::Default, By::Rule);
        if let Ok(from) = Vip::new(ask.from) {
            switch.note_refused(now, from, ask.to, by, ask.times.clamp(1, TIMES_MAX));
        }
    }
}

/// The destination in the words of a plan, such as "web1:80" or "web1:dns".
fn called(plan: &Plan, to: SocketAddrV4) -> String {
    let own = Vip::new(*to.ip()).ok().and_then(|vip| plan.host(vip));
    let is = |port: Option<Port>| port.is_some_and(|port| port.get() == to.port());
    match own {
        Some(host) if is(host.dns) => format!("{}:dns", host.name),
        Some(host) if is(host.relay) => format!("{}:relay", host.name),
        Some(host) => format!("{}:{}", host.name, to.port()),
        None => to.to_string(),
    }
}

/// The sentence about refused connections, for example: "was refused 1000 connections by the policy: db:22 3 times by
/// rule 2 of the policy (line 14), and 997 other targets".
fn words(times: u64, targets: usize, most: &[RefusedTarget]) -> String {
    let mut words = match times {
        1 => "was refused a connection by the policy".to_owned(),
        _ => format!("was refused {times} connections by the policy"),
    };
    let named = most.iter().map(|target| match target.times {
        1 => format!("{} by {}", target.to, target.by),
        times => format!("{} {times} times by {}", target.to, target.by),
    });
    let named: Vec<_> = named.collect();
    let _ = write!(words, ": {}", named.join(", "));
    let _ = match targets.saturating_sub(most.len()) {
        0 => Ok(()),
        1 => write!(words, ", and 1 other target"),
        more => write!(words, ", and {more} other targets"),
    };
    words
}
