//! Checks that the manager asks this agent for. It dials for a probe only what it would dial for a flow.

use std::net::{IpAddr, SocketAddrV4};

use super::{Core, Listening, Output, Purpose, Served};
use crate::{
    proxy::{self, Destination, Failure, Host},
    time::Instant,
    wire::{
        control::{self, Raw},
        probe::{Cause, Found, Probe},
    },
};

/// How many probes that dial may be under way.
const ERRANDS_MAX: usize = 8;

/// What is to be dialled for a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// What a published port of this host leads to: an address or a name, and a port.
    Published(String, u16),
    /// A destination that another host could have asked this gateway for.
    ForOthers(Destination),
}

impl Core {
    /// Checks what the manager asks for; `None` if the driver has to act first.
    pub(super) fn probe(
        &mut self,
        now: Instant,
        id: u64,
        args: &Raw,
    ) -> Option<Result<Raw, String>> {
        let found = match args.read() {
            Ok(Probe::Listener { address }) => self.listens(address),
            Ok(Probe::Dial { host, port }) => match self.errand(now, &host, port) {
                Ok(Some(_)) if self.errands.len() >= ERRANDS_MAX => {
                    return Some(Err("too many probes are under way".to_owned()));
                }
                Ok(Some(errand)) => {
                    if self.errands.insert(id) {
                        self.outputs.push_back(Output::Probe(id, errand));
                    }
                    return None;
                }
                // What the agent serves itself is always there.
                Ok(None) => Found::default(),
                Err(found) => found,
            },
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(Ok(Raw::of(&found)))
    }

    /// The outcome of [`Output::Probe`].
    pub fn handle_probed(&mut self, id: u64, outcome: Result<(), Failure>) {
        if !self.errands.remove(&id) {
            return;
        }
        let found = outcome.err().map(Found::from).unwrap_or_default();
        let data = Raw::of(&found);
        self.control
            .push_back(super::result(id, control::PROBE.to_owned(), Ok(data)));
    }

    fn listens(&self, address: std::net::SocketAddr) -> Found {
        let mut listeners = self.listeners.iter();
        // DNS over UDP may have the address as well.
        let found = listeners.find(|(it, _)| it.address == address && it.purpose != Purpose::Dns);
        match found.map(|(_, place)| (&place.listening, place.held)) {
            Some((Listening::Works, true)) => Found {
                cause: Some(Cause::NotAllowed),
                reason: "the host of that address is lost".to_owned(),
            },
            Some((Listening::Works, false)) => Found::default(),
            Some((Listening::Failed { why, .. } | Listening::Denied(why), _)) => Found {
                cause: Some(why.cause),
                reason: why.reason.clone(),
            },
            Some((Listening::Asked, _)) => Found {
                cause: Some(Cause::Other),
                reason: "it has only just been told to".to_owned(),
            },
            None => Found {
                cause: Some(Cause::NotAllowed),
                reason: "its configuration does not say so".to_owned(),
            },
        }
    }

    /// What a flow to this destination would have dialled; `None` for what the agent serves itself.
    fn errand(&self, now: Instant, host: &str, port: u16) -> Result<Option<Errand>, Found> {
        let not_allowed = |reason: String| Found {
            cause: Some(Cause::NotAllowed),
            reason,
        };
        let host: Host = host
            .parse()
            .map_err(|error| not_allowed(format!("{host:?} is no host: {error}")))?;
        match host {
            Host::Ip(IpAddr::V4(address))
                if self.me().is_some_and(|me| me.address() == address) =>
            {
                match self.served_at(now, SocketAddrV4::new(address, port)) {
                    Some(Served::Dial(host, port)) => {
                        // A text that is not a host cannot be dialled, and the driver reports that.
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

impl From<Failure> for Found {
    fn from(failure: Failure) -> Self {
        let cause = match failure.cause {
            proxy::Cause::NotAllowed => Cause::NotAllowed,
            proxy::Cause::Limited => Cause::Limited,
            proxy::Cause::NameNotFound => Cause::NameNotFound,
            proxy::Cause::Unreachable => Cause::Unreachable,
            proxy::Cause::Refused => Cause::Refused,
            proxy::Cause::TimedOut => Cause::TimedOut,
            proxy::Cause::HostDown | proxy::Cause::Other => Cause::Other,
        };
        Self {
            cause: Some(cause),
            reason: failure.reason,
        }
    }
}
