//! Connections that other hosts begin: what each of them may have under way here, before anything is spent on it.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::{Core, Output, Served, Service};
use crate::{
    addr::{FlowKey, Vip},
    budget::Shares,
    flow::Holder,
    time::Instant,
    wire::Packet,
};

/// How many dials may be under way at a time. A dial holds a socket and perhaps a thread that resolves a name.
pub(super) const DIALS_MAX: usize = 1_024;

/// How many questions of other hosts may be open, each on a connection of its own.
const QUESTIONS_MAX: usize = 512;

/// How many connections for other hosts' proxies may be asked for and not made yet.
const RELAYS_MAX: usize = 1_024;

/// Requests of other hosts that are under way, by host. No host may have more of them than what is left for all others.
#[derive(Debug)]
pub(super) struct Arrivals {
    dials: Shares<Ipv4Addr>,
    questions: Shares<Ipv4Addr>,
    relays: Shares<Ipv4Addr>,
    /// The flows on which a service is asked something.
    asking: BTreeMap<FlowKey, Service>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            dials: Shares::new(DIALS_MAX, 1),
            questions: Shares::new(QUESTIONS_MAX, 1),
            relays: Shares::new(RELAYS_MAX, 1),
            asking: BTreeMap::new(),
        }
    }
}

impl Arrivals {
    fn share(&mut self, served: &Served) -> &mut Shares<Ipv4Addr> {
        match served {
            Served::Service(Service::Dns) => &mut self.questions,
            Served::Service(Service::Relay) => &mut self.relays,
            Served::Dial(..) => &mut self.dials,
        }
    }

    /// Counts a dial as over.
    pub(super) fn end_dial(&mut self, flow: FlowKey) {
        self.dials.give(*flow.dst.ip(), 1);
    }
}

impl Core {
    /// Begins a flow for a SYN to something that is served here; false if it has to be refused.
    pub(super) fn accept(&mut self, now: Instant, packet: &Packet<'_>) -> bool {
        let (key, flags) = (packet.key(), packet.segment().flags);
        if !flags.syn || flags.ack || flags.rst {
            return false;
        }
        let Some(served) = self.served_at(now, key.dst) else {
            return false;
        };
        if !self.lets_in(key.reversed()) {
            return false;
        }
        let me = self.me().map(Vip::address);
        if let Served::Dial(host, port) = &served
            && !self.permits_flow(now, host, *port, me != Some(*key.dst.ip()))
        {
            return false;
        }
        let waits = *key.src.ip();
        let is_own = me == Some(waits);
        // A share is taken before a stack is made, so that a refusal costs next to nothing.
        let share = self.arrivals.share(&served);
        let has_share = if is_own {
            share.take_any(waits, 1)
        } else {
            share.take(waits, 1)
        };
        if !has_share {
            self.note_crowd(now, waits);
            return false;
        }
        let holder = if is_own {
            Holder::Owner
        } else {
            Holder::Host(waits)
        };
        let accepted = self.flows.accept(now, holder, packet);
        let Ok(Some(flow)) = accepted else {
            self.arrivals.share(&served).give(waits, 1);
            if accepted.is_err() {
                self.note_crowd(now, waits);
            }
            return false;
        };
        self.accepted.insert(flow);
        self.outputs.push_back(match served {
            Served::Service(service) => {
                self.arrivals.asking.insert(flow, service);
                self.flows.admit(flow);
                Output::Serve(flow, service)
            }
            Served::Dial(host, port) => Output::Dial { flow, host, port },
        });
        true
    }

    /// Notes that the question on a flow was answered: from now on the flow is a connection like any other.
    pub fn handle_served(&mut self, flow: FlowKey) {
        if let Some(service) = self.arrivals.asking.remove(&flow) {
            let share = self.arrivals.share(&Served::Service(service));
            share.give(*flow.dst.ip(), 1);
        }
    }

    /// Notes that a host was refused more than its share.
    fn note_crowd(&mut self, now: Instant, host: Ipv4Addr) {
        self.report_due |= self.crowd.note(now, host);
    }

    /// The name of the host with this address, or the address.
    pub(super) fn called(&self, host: Ipv4Addr) -> String {
        let name = self.zone().and_then(|zone| zone.name(host));
        name.map_or_else(|| host.to_string(), ToString::to_string)
    }
}
