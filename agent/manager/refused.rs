//! What the policy has refused, in words.

use std::fmt::Write as _;

use crate::{
    addr::{Port, Vip},
    plan::Plan,
    switch::Refused,
    view::{Event, RefusedTarget},
};

/// The event, with the names of the plan.
pub(super) fn event(plan: &Plan, refused: &Refused) -> Option<Event> {
    let host = plan.host(refused.from)?;
    let most = refused.most.iter().map(|(to, times, by)| {
        let own = Vip::new(*to.ip()).ok().and_then(|vip| plan.host(vip));
        let is = |port: Option<Port>| port.is_some_and(|port| port.get() == to.port());
        RefusedTarget {
            to: match own {
                Some(host) if is(host.dns) => format!("{}:dns", host.name),
                Some(host) if is(host.relay) => format!("{}:relay", host.name),
                Some(host) => format!("{}:{}", host.name, to.port()),
                None => to.to_string(),
            },
            times: *times,
            by: plan.by_words(*by),
        }
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

/// "was refused 1000 connections by the policy: db:22 (3 times, rule 2 of the policy (line 14)) and 997 other targets".
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
