//! The switch's flows, described with the names of the manifest.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use super::host::Host;
use crate::{
    addr::{FlowKey, Vip},
    route::{Route, Routes, Target},
    switch::{EndedFlow, FlowInfo, FlowPhase, Switch},
    time::Instant,
    view::{EndedFlowView, FlowState, FlowView, flow_id},
};

/// The number of flows that a survey looks at in one step.
const STEP: usize = 1_024;

/// Finds the flows that were used last. There may be tens of thousands of flows, so the survey looks at them in short
/// steps, and packets can pass between the steps.
#[derive(Debug, Default)]
pub struct FlowSurvey {
    /// The flows that the survey has seen, ordered by their keys, each with the time of its last packet.
    uses: Vec<(FlowKey, Instant)>,
}

impl FlowSurvey {
    /// Looks at the next flows. Returns false when it has seen all of them.
    pub(super) fn see(&mut self, switch: &Switch) -> bool {
        let before = self.uses.len();
        let after = self.uses.last().map(|(key, _)| *key);
        self.uses.extend(switch.flow_uses(after).take(STEP));
        self.uses.len() - before == STEP
    }

    /// The number of all flows, and the keys of the `most` flows that were used last, in ascending order.
    pub fn newest(mut self, most: usize) -> (usize, Vec<FlowKey>) {
        let total = self.uses.len();
        if most < total {
            let uses = &mut self.uses;
            uses.select_nth_unstable_by_key(most, |(_, last)| Reverse(*last));
            uses.truncate(most);
            uses.sort_unstable();
        }
        (total, self.uses.into_iter().map(|(key, _)| key).collect())
    }
}

/// A flow as people see it.
pub(super) fn view(hosts: &BTreeMap<Vip, Host>, routes: &Routes, flow: &FlowInfo) -> FlowView {
    let inside = is_inside(hosts, flow.key);
    FlowView {
        id: flow_id(flow.key),
        from: name(hosts, flow.from),
        to: name(hosts, flow.to),
        src: flow.key.src.to_string(),
        dst: flow.key.dst.to_string(),
        name: destination(hosts, flow.key.dst),
        via: (!inside).then(|| name(hosts, flow.to)),
        rule: (!inside)
            .then(|| rule(routes, flow.to, *flow.key.dst.ip()))
            .flatten(),
        state: match flow.phase {
            FlowPhase::Opening => FlowState::Opening,
            FlowPhase::Open => FlowState::Open,
            FlowPhase::Closing => FlowState::Closing,
        },
        bytes_from: flow.sent.bytes,
        bytes_to: flow.received.bytes,
        rate_from: flow.sent.rate,
        rate_to: flow.received.rate,
        packets: flow.sent.packets + flow.received.packets,
        age_ms: millis(flow.age),
        idle_ms: millis(flow.idle),
        rtt_us: flow.handshake.map(micros),
    }
}

/// A flow that has ended, as people see it.
pub(super) fn ended(hosts: &BTreeMap<Vip, Host>, flow: &EndedFlow) -> EndedFlowView {
    let to = flow.to.map(|to| name(hosts, to));
    EndedFlowView {
        id: flow_id(flow.key),
        from: name(hosts, flow.from),
        via: to.clone().filter(|_| !is_inside(hosts, flow.key)),
        to,
        src: flow.key.src.to_string(),
        dst: flow.key.dst.to_string(),
        name: destination(hosts, flow.key.dst),
        outcome: flow.outcome,
        bytes_from: flow.sent,
        bytes_to: flow.received,
        lasted_ms: millis(flow.lasted),
        ended_ms: super::host::millis(flow.at),
        rtt_us: flow.handshake.map(micros),
    }
}

fn name(hosts: &BTreeMap<Vip, Host>, vip: Vip) -> String {
    match hosts.get(&vip) {
        Some(host) => host.plan.name.to_string(),
        None => vip.to_string(),
    }
}

/// Whether a flow ends at a host of the network.
fn is_inside(hosts: &BTreeMap<Vip, Host>, key: FlowKey) -> bool {
    Vip::new(*key.dst.ip()).is_ok_and(|vip| hosts.contains_key(&vip))
}

/// The rule by which packets to an address go to this gateway: either the block of a route that contains the address,
/// or the patterns of names of a route.
fn rule(routes: &Routes, gateway: Vip, address: Ipv4Addr) -> Option<String> {
    let leads = |route: &&Route| route.via.contains(&gateway);
    if let Some(route) = routes.to_address(address.into()).filter(leads) {
        let mut to = route.to.iter();
        return to
            .find(|to| to.has_address(address.into()))
            .map(ToString::to_string);
    }
    let mut named = routes.iter().rev().filter(leads);
    let route = named.find(|route| route.has_globs())?;
    let globs = route.to.iter().filter(|to| matches!(to, Target::Glob(_)));
    Some(
        globs
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    )
}

fn destination(hosts: &BTreeMap<Vip, Host>, to: SocketAddrV4) -> String {
    let host = Vip::new(*to.ip()).ok().and_then(|vip| hosts.get(&vip));
    let Some(plan) = host.map(|host| &host.plan) else {
        return to.to_string();
    };
    let is = |port: Option<crate::addr::Port>| port.is_some_and(|port| port.get() == to.port());
    if is(plan.dns) {
        format!("{}:dns", plan.name)
    } else if is(plan.relay) {
        format!("{}:relay", plan.name)
    } else {
        format!("{}:{}", plan.name, to.port())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
