//! Connections that other hosts begin. If a host already has its share of them under way, its next connection is
//! refused before any memory is spent on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use super::{
    outbox::Outbox,
    reports::Reports,
    rights::{Rights, Served},
    words::{Output, Service},
};
use crate::{
    addr::FlowKey,
    budget::Shares,
    destination::Destination,
    flow::{Holder, Reach, Table},
    time::Instant,
    wire::{Failure, Packet},
};

/// The maximum number of dials under way at a time. Each holds a socket, and perhaps a thread that resolves a name.
pub(super) const DIALS_MAX: usize = 1_024;

/// The maximum number of open DNS questions of other hosts, each on a connection of its own.
const QUESTIONS_MAX: usize = 512;

/// The maximum number of open requests to the relay. A request of another host's proxy is open until this gateway has
/// answered it.
const RELAYS_MAX: usize = 1_024;

/// The requests of other hosts that are under way: dials, DNS questions, and requests to the relay. For each kind, one
/// host may use at most as many places as are still free for the others.
#[derive(Debug)]
pub(super) struct Arrivals {
    dials: Shares<Ipv4Addr>,
    questions: Shares<Ipv4Addr>,
    relays: Shares<Ipv4Addr>,
    accepted: BTreeSet<FlowKey>,
    /// The flows on which a host waits for the answer of a service of this agent.
    asking: BTreeMap<FlowKey, Service>,
    /// For each relayed flow, the destination that the other host has asked for, and the address that this gateway has
    /// connected to.
    relayed: BTreeMap<FlowKey, (Destination, IpAddr)>,
}

/// The error if a host wants more than its share.
struct Crowded;

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            dials: Shares::new(DIALS_MAX, 1),
            questions: Shares::new(QUESTIONS_MAX, 1),
            relays: Shares::new(RELAYS_MAX, 1),
            accepted: BTreeSet::new(),
            asking: BTreeMap::new(),
            relayed: BTreeMap::new(),
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

    /// Begins a flow for a SYN to a published port, to a service, or to an address that this gateway dials for others.
    /// Returns false if the packet has to be refused.
    pub(super) fn accept(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        rights: &Rights,
        flows: &mut Table,
        reports: &mut Reports,
        outbox: &mut Outbox,
    ) -> bool {
        let (key, flags) = (packet.key(), packet.segment().flags);
        if !flags.syn || flags.ack || flags.rst {
            return false;
        }
        let Some(served) = rights.served_at(now, key.dst) else {
            return false;
        };
        if !rights.lets_in(key.reversed()) {
            return false;
        }
        let own = rights.own();
        if let Served::Dial(host, port) = &served
            && let Err((destination, failure)) = permitted(rights, host, *port)
        {
            // A published port whose target the limits refuse was already reported when the configuration arrived.
            if own != Some(*key.dst.ip()) {
                reports.note_not_dialled(now, &destination, &failure, outbox);
            }
            return false;
        }
        let is_own = own == Some(*key.src.ip());
        let reach = rights.reach(*key.src.ip());
        let flow = match self.begin(now, packet, &served, (is_own, reach), flows) {
            Ok(Some(flow)) => flow,
            Ok(None) => return false,
            Err(Crowded) => {
                outbox.note_problems_changed(reports.crowd.note(now, *key.src.ip()));
                return false;
            }
        };
        outbox.ask(match served {
            Served::Service(service) => {
                flows.admit(flow);
                Output::Serve(flow, service)
            }
            Served::Dial(host, port) => Output::Dial { flow, host, port },
        });
        true
    }

    /// Begins a flow if `syn` is a valid SYN and its sender has a share left; otherwise `None`. `is_own` is true if
    /// this host itself has sent it.
    fn begin(
        &mut self,
        now: Instant,
        syn: &Packet<'_>,
        served: &Served,
        (is_own, reach): (bool, Reach),
        flows: &mut Table,
    ) -> Result<Option<FlowKey>, Crowded> {
        let waits = *syn.key().src.ip();
        // The host's share is checked before a TCP stack is made, so that a refusal costs almost nothing.
        let share = self.share(served);
        let has_share = if is_own {
            share.take_any(waits, 1)
        } else {
            share.take(waits, 1)
        };
        if !has_share {
            return Err(Crowded);
        }
        let holder = if is_own {
            Holder::Owner
        } else {
            Holder::Host(waits)
        };
        let accepted = flows.accept(now, holder, reach, syn);
        let Ok(Some(flow)) = accepted else {
            self.share(served).give(waits, 1);
            return accepted.map_err(|_| Crowded);
        };
        self.accepted.insert(flow);
        if let Served::Service(service) = served {
            self.asking.insert(flow, *service);
        }
        Ok(Some(flow))
    }

    /// The flows that other hosts, or this host itself, have begun to something that this host serves.
    pub(super) fn accepted(&self) -> impl Iterator<Item = FlowKey> {
        self.accepted.iter().copied()
    }

    /// Notes that this gateway has connected to `address`, because another host has asked for `to` on this flow.
    pub(super) fn relay(&mut self, flow: FlowKey, to: Destination, address: IpAddr) {
        self.relayed.insert(flow, (to, address));
    }

    /// The relayed flows, each with the destination that was asked for and the address that this gateway has connected
    /// to.
    pub(super) fn relayed(&self) -> impl Iterator<Item = (FlowKey, &Destination, IpAddr)> {
        let relayed = self.relayed.iter();
        relayed.map(|(flow, (to, address))| (*flow, to, *address))
    }

    /// Notes that the DNS server or the relay of this agent has answered what another host asked on this flow. From now
    /// on the flow is an ordinary connection.
    pub(super) fn end_question(&mut self, flow: FlowKey) {
        if let Some(service) = self.asking.remove(&flow) {
            let share = self.share(&Served::Service(service));
            share.give(*flow.dst.ip(), 1);
        }
    }

    /// Removes a flow that has ended.
    pub(super) fn release(&mut self, flow: FlowKey) {
        self.accepted.remove(&flow);
        self.end_question(flow);
        self.relayed.remove(&flow);
    }

    /// Notes that the dial for a flow has ended.
    pub(super) fn end_dial(&mut self, flow: FlowKey) {
        self.dials.give(*flow.dst.ip(), 1);
    }
}

/// Whether the limits permit a dial to this host and port.
fn permitted(rights: &Rights, host: &str, port: u16) -> Result<(), (Destination, Failure)> {
    let Ok(host) = host.parse() else {
        // A text that is not a valid host cannot be dialled. The driver reports that, not this check.
        return Ok(());
    };
    let destination = Destination { host, port };
    let judged = rights.may_dial(&destination);
    judged.map_err(|failure| (destination, failure))
}
