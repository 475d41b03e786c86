//! Probes and lists that the manager asks this agent for. A probe dials only what a flow could make this agent dial.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddrV4},
};

use super::{
    listeners::Listeners,
    outbox::Outbox,
    rights::{Rights, Served},
    words::{Errand, Output},
};
use crate::{
    destination::{Destination, Host},
    time::Instant,
    wire::{
        Cause,
        control::{self, Raw},
        open_ports::OpenPorts,
        probe::{Found, Probe},
    },
};

/// The maximum number of requests that the driver may work on at a time.
const ERRANDS_MAX: usize = 8;

/// The requests that the driver is working on: it dials, or lists open ports.
#[derive(Debug, Default)]
pub(super) struct Errands(BTreeSet<u64>);

impl Errands {
    /// Performs a probe. Returns `None` if the driver has to dial first; then the answer comes later.
    pub(super) fn probe(
        &mut self,
        now: Instant,
        id: u64,
        args: &Raw,
        rights: &Rights,
        listeners: &Listeners,
        outbox: &mut Outbox,
    ) -> Option<Result<Raw, String>> {
        let found = match args.read() {
            Ok(Probe::Listener { address }) => listeners.find(address),
            Ok(Probe::Dial { host, port }) => match rights.errand(now, &host, port) {
                Ok(Some(errand)) => {
                    let begun = self.begin(id, Output::Probe(id, errand), outbox);
                    return begun.map(Err);
                }
                // A service of the agent itself is always available.
                Ok(None) => Found::default(),
                Err(found) => found,
            },
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(Ok(Raw::of(&found)))
    }

    /// Makes the driver list the open ports of this host. The answer comes later. A returned text says why there will
    /// be no answer.
    pub(super) fn open_ports(&mut self, id: u64, outbox: &mut Outbox) -> Option<String> {
        self.begin(id, Output::OpenPorts(id), outbox)
    }

    /// Passes a request on to the driver. A returned text says why the request cannot be passed on.
    fn begin(&mut self, id: u64, output: Output, outbox: &mut Outbox) -> Option<String> {
        if self.0.len() >= ERRANDS_MAX {
            return Some("too many requests are under way".to_owned());
        }
        if self.0.insert(id) {
            outbox.ask(output);
        }
        None
    }

    /// Handles the outcome of [`Output::OpenPorts`].
    pub(super) fn handle_open_ports(
        &mut self,
        id: u64,
        outcome: Result<OpenPorts, String>,
        outbox: &mut Outbox,
    ) {
        if self.0.remove(&id) {
            let outcome = outcome.map(|ports| Raw::of(&ports));
            outbox.answer(id, control::OPEN_PORTS.to_owned(), outcome);
        }
    }

    /// Handles the outcome of [`Output::Probe`].
    pub(super) fn handle_probed(
        &mut self,
        id: u64,
        outcome: Result<(), Found>,
        outbox: &mut Outbox,
    ) {
        if !self.0.remove(&id) {
            return;
        }
        let found = outcome.err().unwrap_or_default();
        outbox.answer(id, control::PROBE.to_owned(), Ok(Raw::of(&found)));
    }
}

impl Rights {
    /// The dial that a flow to this destination would cause; `None` for a service of the agent itself.
    fn errand(&self, now: Instant, host: &str, port: u16) -> Result<Option<Errand>, Found> {
        let not_allowed = |reason: String| Found {
            cause: Some(Cause::NotAllowed),
            reason,
            instead: None,
        };
        let host: Host = host
            .parse()
            .map_err(|error| not_allowed(format!("{host:?} is not a host: {error}")))?;
        match host {
            Host::Ip(IpAddr::V4(address))
                if self.me().is_some_and(|me| me.address() == address) =>
            {
                match self.served_at(now, SocketAddrV4::new(address, port)) {
                    Some(Served::Dial(host, port)) => {
                        // A text that is not a valid host cannot be dialled. The driver reports that, not this check.
                        if let Ok(host) = host.parse() {
                            let destination = Destination { host, port };
                            self.may_dial(&destination).map_err(Found::from)?;
                        }
                        Ok(Some(Errand::Published(host, port)))
                    }
                    Some(Served::Service(_)) => Ok(None),
                    None => Err(not_allowed(format!("this agent does not publish {port}"))),
                }
            }
            host @ (Host::Ip(_) | Host::Name(_)) => {
                let destination = Destination { host, port };
                self.may_relay_to(&destination).map_err(Found::from)?;
                Ok(Some(Errand::ForOthers(destination)))
            }
        }
    }
}
