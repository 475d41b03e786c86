//! The addresses on which an agent listens, and those that it holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use super::{
    limited::Sums,
    outbox::Outbox,
    rights::Rights,
    words::{Files, Listener, NotListening, Output, Purpose},
};
use crate::{
    time::Instant,
    wire::{Cause, control::ProblemReport, probe::Found},
};

/// How long to wait before the next attempt to listen on an address, after one has failed.
pub(super) const LISTEN_RETRY: Duration = Duration::from_secs(5);

/// The state of one address to listen on.
struct Place {
    /// Whether connections to the address are refused because its host is lost.
    held: bool,
    listening: Listening,
}

enum Listening {
    /// The driver was asked to listen, and has not answered yet.
    Asked,
    /// The driver listens on the address.
    Works,
    /// The limits of this machine do not permit to listen there.
    Denied(NotListening),
    /// The driver could not listen on the address.
    Failed {
        why: NotListening,
        retry_at: Instant,
    },
}

/// All addresses to listen on, with their states.
#[derive(Default)]
pub(super) struct Places {
    listeners: BTreeMap<Listener, Place>,
    /// Hosts that cannot be reached. Their addresses are held, so that connections to them are refused.
    lost: BTreeSet<Ipv4Addr>,
    /// The earliest `retry_at` of the listeners.
    next_retry: Option<Instant>,
    /// The files that the driver was last asked to write.
    written: Option<Files>,
}

impl Places {
    /// Closes listeners that are not in the configuration, opens those that are missing, and holds addresses of lost
    /// hosts.
    pub(super) fn listen(&mut self, rights: &Rights, outbox: &mut Outbox) {
        let Some(config) = &rights.config else { return };
        let wanted = config.listeners();
        self.keep(&wanted, outbox);
        for listener in wanted {
            let held = config.is_held(&listener, &self.lost);
            if let Some(place) = self.listeners.get_mut(&listener) {
                let same = std::mem::replace(&mut place.held, held) == held;
                // A listener that failed is tried again by `handle_timeout`, and one that is denied is never tried
                // again.
                let asked = matches!(place.listening, Listening::Asked | Listening::Works);
                if !same && asked {
                    outbox.ask(ask(listener, held));
                }
                continue;
            }
            let listening = match rights.may_listen(listener) {
                Ok(()) => {
                    outbox.ask(ask(listener, held));
                    Listening::Asked
                }
                Err(why) => {
                    outbox.note_news(true);
                    Listening::Denied(why)
                }
            };
            self.listeners.insert(listener, Place { held, listening });
        }
    }

    /// Closes every listener that is not in `wanted`.
    pub(super) fn keep(&mut self, wanted: &BTreeSet<Listener>, outbox: &mut Outbox) {
        self.listeners.retain(|listener, place| {
            let stays = wanted.contains(listener);
            let denied = matches!(place.listening, Listening::Denied(_));
            let failed = matches!(place.listening, Listening::Failed { .. });
            if !stays && !denied {
                outbox.ask(Output::Close(*listener));
            }
            outbox.note_news(!stays && (denied || failed));
            stays
        });
    }

    /// Replaces the list of lost hosts.
    pub(super) fn replace_lost(&mut self, lost: Vec<Ipv4Addr>) {
        self.lost = lost.into_iter().collect();
    }

    /// Asks the driver to write the files if they have changed. It waits until every proxy either works or has failed,
    /// so that the files never lead programs to a port of somebody else.
    pub(super) fn write_files(&mut self, rights: &Rights, outbox: &mut Outbox) {
        let Some(config) = &rights.config else { return };
        let mut files = config.files.clone();
        for (listener, place) in &self.listeners {
            let (proxy, found) = match listener.purpose {
                Purpose::Http => (&config.http, &mut files.http),
                Purpose::Socks => (&config.socks, &mut files.socks),
                Purpose::Network | Purpose::Dns => continue,
            };
            match &place.listening {
                Listening::Asked => return,
                Listening::Works => found.clone_from(proxy),
                Listening::Failed { why, .. } | Listening::Denied(why) => {
                    let missing = format!("cannot {listener}: {}", why.reason);
                    files.missing.push(missing);
                }
            }
        }
        if self.written.as_ref() != Some(&files) {
            self.written = Some(files.clone());
            outbox.ask(Output::Write(Box::new(files)));
        }
    }

    /// Takes the driver's result for a listener.
    pub(super) fn handle_listening(
        &mut self,
        now: Instant,
        listener: Listener,
        outcome: Result<(), NotListening>,
        rights: &Rights,
        outbox: &mut Outbox,
    ) {
        let Some(place) = self.listeners.get_mut(&listener) else {
            return;
        };
        let listening = &mut place.listening;
        let failed_before = match listening {
            Listening::Failed { why, .. } => Some(why.clone()),
            Listening::Asked | Listening::Works => None,
            // The driver was not asked to listen, so this result is an old one.
            Listening::Denied(_) => return,
        };
        *listening = match outcome {
            Ok(()) => {
                outbox.note_news(failed_before.is_some());
                Listening::Works
            }
            Err(why) => {
                outbox.note_news(failed_before.as_ref() != Some(&why));
                let retry_at = now + LISTEN_RETRY;
                self.next_retry.get_or_insert(retry_at);
                Listening::Failed { why, retry_at }
            }
        };
        self.write_files(rights, outbox);
    }

    /// Tries listeners again whose retry is due.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.next_retry.is_none_or(|at| at > now) {
            return;
        }
        self.next_retry = None;
        for (&listener, place) in &mut self.listeners {
            let Listening::Failed { retry_at, .. } = &mut place.listening else {
                continue;
            };
            if *retry_at > now {
                let next = self.next_retry.get_or_insert(*retry_at);
                *next = (*next).min(*retry_at);
                continue;
            }
            // The driver's answer will set the time of the next retry.
            *retry_at = now + LISTEN_RETRY;
            outbox.ask(ask(listener, place.held));
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.next_retry.map(|at| (at, "a listener's next try"))
    }

    /// One report for each listener that could not be opened.
    pub(super) fn failed(&self) -> impl Iterator<Item = ProblemReport> {
        self.listeners.iter().filter_map(|(listener, place)| {
            let Listening::Failed { why, .. } = &place.listening else {
                return None;
            };
            Some(ProblemReport {
                what: listener.to_string(),
                reason: why.reason.clone(),
                code: Some(listener.problem()),
                address: Some(listener.address),
                remedy: why.remedy.clone(),
            })
        })
    }

    /// A summary of the listeners that the limits do not permit.
    pub(super) fn denied(&self) -> Vec<ProblemReport> {
        let mut denied = Sums::default();
        for (listener, place) in &self.listeners {
            if let Listening::Denied(why) = &place.listening {
                let (verb, address) = listener.words();
                denied.add(verb, &address, why.reason.clone());
            }
        }
        denied.reports()
    }

    /// The answer to a probe of an address to which programs connect.
    pub(super) fn find(&self, address: SocketAddr) -> Found {
        let mut listeners = self.listeners.iter();
        // A listener for DNS over UDP may have the same address.
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
}

/// The driver's task for a listener.
fn ask(listener: Listener, held: bool) -> Output {
    if held {
        Output::Hold(listener)
    } else {
        Output::Listen(listener)
    }
}
