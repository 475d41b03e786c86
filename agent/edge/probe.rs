//! Probes that the manager asks this agent for. A probe dials only what a flow could make this agent dial.

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
        probe::{Found, Probe},
    },
};

/// The maximum number of probes that may dial at a time.
const ERRANDS_MAX: usize = 8;

/// The probes for which the driver is dialling.
#[derive(Debug, Default)]
pub(super) struct Errands(BTreeSet<u64>);

impl Errands {
    /// Performs a probe; `None` if the driver has to dial first; the answer comes later then.
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
                Ok(Some(_)) if self.0.len() >= ERRANDS_MAX => {
                    return Some(Err("too many probes are under way".to_owned()));
                }
                Ok(Some(errand)) => {
                    if self.0.insert(id) {
                        outbox.ask(Output::Probe(id, errand));
                    }
                    return None;
                }
                // A service of the agent itself is always available.
                Ok(None) => Found::default(),
                Err(found) => found,
            },
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(Ok(Raw::of(&found)))
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
                        // A text that is not a valid host cannot be dialled, and the driver reports that.
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
