//! The listeners of an agent, and the addresses that it holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
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

/// The time before the agent tries again to listen on an address after a failure.
pub(super) const LISTEN_RETRY: Duration = Duration::from_secs(5);

/// The state of one listener.
struct ListenerState {
    /// Whether the listener refuses all connections, because the host of its address is lost.
    held: bool,
    listening: Listening,
}

enum Listening {
    /// The driver was asked to listen, and has not answered.
    Asked,
    /// The driver listens on the address.
    Works,
    /// The limits of this machine do not permit the listener.
    Denied(NotListening),
    /// The attempt to listen failed.
    Failed {
        why: NotListening,
        retry_at: Instant,
    },
}

/// All listeners, and the outcome of each.
#[derive(Default)]
pub(super) struct Listeners {
    states: BTreeMap<Listener, ListenerState>,
    /// The earliest `retry_at` of the listeners; `None` if none has failed.
    next_retry: Option<Instant>,
    /// The files that the driver was last asked to write.
    written: Option<Files>,
}

impl Listeners {
    /// Closes the listeners that are not in the configuration, opens the missing ones, and holds the addresses of lost
    /// hosts.
    pub(super) fn listen(&mut self, rights: &Rights, outbox: &mut Outbox) {
        let Some(config) = &rights.config else { return };
        let wanted = config.listeners();
        self.keep(&wanted, outbox);
        for listener in wanted {
            let held = config.is_held(&listener, &rights.lost);
            if let Some(state) = self.states.get_mut(&listener) {
                let same = std::mem::replace(&mut state.held, held) == held;
                // A failed listener is retried later, and a denied one is never tried, so the driver is asked for
                // neither now.
                let asked = matches!(state.listening, Listening::Asked | Listening::Works);
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
                    outbox.note_problems_changed(true);
                    Listening::Denied(why)
                }
            };
            self.states
                .insert(listener, ListenerState { held, listening });
        }
    }

    /// Closes every listener that is not in `wanted`.
    pub(super) fn keep(&mut self, wanted: &BTreeSet<Listener>, outbox: &mut Outbox) {
        self.states.retain(|listener, state| {
            let stays = wanted.contains(listener);
            let denied = matches!(state.listening, Listening::Denied(_));
            let failed = matches!(state.listening, Listening::Failed { .. });
            if !stays && !denied {
                outbox.ask(Output::Close(*listener));
            }
            outbox.note_problems_changed(!stays && (denied || failed));
            stays
        });
    }

    /// Asks the driver to write the files if they have changed. The files must direct programs only to what this agent
    /// really serves. Therefore, nothing is written before the agent knows for every proxy and VIP whether it can
    /// listen there.
    pub(super) fn write_files(&mut self, rights: &Rights, outbox: &mut Outbox) {
        let Some(config) = &rights.config else { return };
        let mut files = config.files.clone();
        let mut closed = BTreeSet::new();
        for (listener, state) in &self.states {
            let (proxy, found) = match (listener.purpose, listener.address.ip()) {
                (Purpose::Http, _) => (&config.http, &mut files.http),
                (Purpose::Socks, _) => (&config.socks, &mut files.socks),
                (Purpose::Network, IpAddr::V4(vip)) => {
                    match &state.listening {
                        Listening::Asked => return,
                        Listening::Works => files.direct.insert(vip),
                        Listening::Failed { .. } | Listening::Denied(_) => closed.insert(vip),
                    };
                    continue;
                }
                (Purpose::Network | Purpose::Dns, _) => continue,
            };
            match &state.listening {
                Listening::Asked => return,
                Listening::Works => found.clone_from(proxy),
                Listening::Failed { why, .. } | Listening::Denied(why) => {
                    let missing = format!("cannot {listener}: {}", why.reason);
                    files.missing.push(missing);
                }
            }
        }
        files.direct.retain(|vip| !closed.contains(vip));
        if self.written.as_ref() != Some(&files) {
            self.written = Some(files.clone());
            outbox.ask(Output::Write(Box::new(files)));
        }
    }

    /// Handles the driver's answer about a listener.
    pub(super) fn handle_listening(
        &mut self,
        now: Instant,
        listener: Listener,
        outcome: Result<(), NotListening>,
        rights: &Rights,
        outbox: &mut Outbox,
    ) {
        let Some(state) = self.states.get_mut(&listener) else {
            return;
        };
        let listening = &mut state.listening;
        let failed_before = match listening {
            Listening::Failed { why, .. } => Some(why.clone()),
            Listening::Asked | Listening::Works => None,
            // The driver was never asked to listen on a denied address.
            Listening::Denied(_) => return,
        };
        *listening = match outcome {
            Ok(()) => {
                outbox.note_problems_changed(failed_before.is_some());
                Listening::Works
            }
            Err(why) => {
                outbox.note_problems_changed(failed_before.as_ref() != Some(&why));
                let retry_at = now + LISTEN_RETRY;
                self.next_retry.get_or_insert(retry_at);
                Listening::Failed { why, retry_at }
            }
        };
        self.write_files(rights, outbox);
    }

    /// Retries the failed listeners whose time has come.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.next_retry.is_none_or(|at| at > now) {
            return;
        }
        self.next_retry = None;
        for (&listener, state) in &mut self.states {
            let Listening::Failed { retry_at, .. } = &mut state.listening else {
                continue;
            };
            if *retry_at > now {
                let next = self.next_retry.get_or_insert(*retry_at);
                *next = (*next).min(*retry_at);
                continue;
            }
            // If this attempt fails, too, the driver's answer replaces this time.
            *retry_at = now + LISTEN_RETRY;
            outbox.ask(ask(listener, state.held));
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.next_retry.map(|at| (at, "a listener's next try"))
    }

    /// The problems to report about the listeners that could not be opened.
    pub(super) fn failed(&self) -> impl Iterator<Item = ProblemReport> {
        self.states.iter().filter_map(|(listener, state)| {
            let Listening::Failed { why, .. } = &state.listening else {
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

    /// The problems to report about the listeners that the limits of this machine do not permit, summarized.
    pub(super) fn denied(&self) -> Vec<ProblemReport> {
        let mut denied = Sums::default();
        for (listener, state) in &self.states {
            if let Listening::Denied(why) = &state.listening {
                let (verb, address) = listener.words();
                denied.add(verb, &address, why.reason.clone());
            }
        }
        denied.reports()
    }

    /// The answer to a probe that asks whether this agent listens on `address` for programs on this host.
    pub(super) fn find(&self, address: SocketAddr) -> Found {
        let mut listeners = self.states.iter();
        // A DNS listener over UDP may have the same address.
        let found = listeners.find(|(it, _)| it.address == address && it.purpose != Purpose::Dns);
        let (cause, reason) = match found.map(|(_, state)| (&state.listening, state.held)) {
            Some((Listening::Works, false)) => return Found::default(),
            Some((Listening::Works, true)) => {
                (Cause::NotAllowed, "the host of that address is lost")
            }
            Some((Listening::Failed { why, .. } | Listening::Denied(why), _)) => {
                (why.cause, why.reason.as_str())
            }
            Some((Listening::Asked, _)) => (Cause::Other, "it has only just been told to"),
            None => (Cause::NotAllowed, "its configuration does not say so"),
        };
        Found {
            cause: Some(cause),
            reason: reason.to_owned(),
            instead: None,
        }
    }
}

/// The output that asks the driver to listen on the address, or to hold it.
fn ask(listener: Listener, held: bool) -> Output {
    if held {
        Output::Hold(listener)
    } else {
        Output::Listen(listener)
    }
}
