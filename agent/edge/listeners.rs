//! Where an agent listens, and which addresses it holds.

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

/// How long an address that could not be had is left alone before the next try.
pub(super) const LISTEN_RETRY: Duration = Duration::from_secs(5);

/// What is known of an address to listen on.
struct ListenerState {
    /// Whether connections are refused there.
    held: bool,
    listening: Listening,
}

enum Listening {
    /// The driver was asked, and has not answered.
    Asked,
    /// The driver has the address.
    Works,
    /// This machine does not permit it.
    Denied(NotListening),
    /// The address could not be had.
    Failed {
        why: NotListening,
        retry_at: Instant,
    },
}

/// All addresses to listen on, and what becomes of them.
#[derive(Default)]
pub(super) struct Listeners {
    states: BTreeMap<Listener, ListenerState>,
    /// Hosts that cannot be reached: their addresses are held, so that connections to them are refused.
    lost: BTreeSet<Ipv4Addr>,
    /// The earliest `retry_at` of the listeners.
    next_retry: Option<Instant>,
    /// The files that were last to be written.
    written: Option<Files>,
}

impl Listeners {
    /// Closes every listener that is not in the configuration, opens what is missing, and holds what is lost.
    pub(super) fn listen(&mut self, rights: &Rights, outbox: &mut Outbox) {
        let Some(config) = &rights.config else { return };
        let wanted = config.listeners();
        self.keep(&wanted, outbox);
        for listener in wanted {
            let held = config.is_held(&listener, &self.lost);
            if let Some(state) = self.states.get_mut(&listener) {
                let same = std::mem::replace(&mut state.held, held) == held;
                // A listener that failed is tried again when it is time, and one that is denied never.
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
                    outbox.note_news(true);
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
            outbox.note_news(!stays && (denied || failed));
            stays
        });
    }

    /// Takes the hosts that are lost from now on.
    pub(super) fn replace_lost(&mut self, lost: Vec<Ipv4Addr>) {
        self.lost = lost.into_iter().collect();
    }

    /// Has the files written if they have changed. This waits until it is known which proxies work, so that the files
    /// lead programs only to what is really ours.
    pub(super) fn write_files(&mut self, rights: &Rights, outbox: &mut Outbox) {
        let Some(config) = &rights.config else { return };
        let mut files = config.files.clone();
        for (listener, state) in &self.states {
            let (proxy, found) = match listener.purpose {
                Purpose::Http => (&config.http, &mut files.http),
                Purpose::Socks => (&config.socks, &mut files.socks),
                Purpose::Network | Purpose::Dns => continue,
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
        if self.written.as_ref() != Some(&files) {
            self.written = Some(files.clone());
            outbox.ask(Output::Write(Box::new(files)));
        }
    }

    /// Takes what became of a listener that the driver was asked for.
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
            // The driver was not asked.
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

    /// Tries the listeners again for which it is time.
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
            // The driver's answer sets the next time.
            *retry_at = now + LISTEN_RETRY;
            outbox.ask(ask(listener, state.held));
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.next_retry.map(|at| (at, "a listener's next try"))
    }

    /// What could not be listened on.
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

    /// What this machine does not permit to listen on, in sum.
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

    /// What a probe finds at an address that connections of programs arrive at.
    pub(super) fn find(&self, address: SocketAddr) -> Found {
        let mut listeners = self.states.iter();
        // DNS over UDP may have the address as well.
        let found = listeners.find(|(it, _)| it.address == address && it.purpose != Purpose::Dns);
        match found.map(|(_, state)| (&state.listening, state.held)) {
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

/// The request to the driver.
fn ask(listener: Listener, held: bool) -> Output {
    if held {
        Output::Hold(listener)
    } else {
        Output::Listen(listener)
    }
}
