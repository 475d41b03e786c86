//! Where an agent listens, which addresses it holds, and whom it lets in.

use std::{collections::BTreeSet, time::Duration};

use super::{Core, Listener, NotListening, Output, Purpose, strangers::refused};
use crate::{
    time::Instant,
    wire::control::{Event, Lost, Message},
};

/// How long an address that could not be had is left alone before the next try.
pub(super) const LISTEN_RETRY: Duration = Duration::from_secs(5);

/// An address to listen on.
pub(super) struct Place {
    /// Whether connections are refused there.
    pub(super) held: bool,
    pub(super) listening: Listening,
}

pub(super) enum Listening {
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

impl Core {
    /// Closes every listener that is not in `wanted`, opens what is missing, and holds what is lost.
    pub(super) fn listen(&mut self, wanted: &BTreeSet<Listener>) {
        self.keep_listening(wanted);
        for &listener in wanted {
            let lost = &self.lost;
            let held = (self.config.as_ref()).is_some_and(|config| config.is_held(&listener, lost));
            if let Some(place) = self.listeners.get_mut(&listener) {
                let same = std::mem::replace(&mut place.held, held) == held;
                // A listener that failed is tried again when it is time, and one that is denied never.
                let asked = matches!(place.listening, Listening::Asked | Listening::Works);
                if !same && asked {
                    self.outputs.push_back(ask(listener, held));
                }
                continue;
            }
            let listening = match self.may_listen(listener) {
                Ok(()) => {
                    self.outputs.push_back(ask(listener, held));
                    Listening::Asked
                }
                Err(why) => {
                    self.report_due = true;
                    Listening::Denied(why)
                }
            };
            self.listeners.insert(listener, Place { held, listening });
        }
    }

    /// Closes every listener that is not in `wanted`.
    pub(super) fn keep_listening(&mut self, wanted: &BTreeSet<Listener>) {
        let (outputs, report_due) = (&mut self.outputs, &mut self.report_due);
        self.listeners.retain(|listener, place| {
            let stays = wanted.contains(listener);
            let denied = matches!(place.listening, Listening::Denied(_));
            let failed = matches!(place.listening, Listening::Failed { .. });
            if !stays && !denied {
                outputs.push_back(Output::Close(*listener));
            }
            *report_due |= !stays && (denied || failed);
            stays
        });
    }

    /// Has the files written if they have changed. This waits until it is known which proxies work, so that the files
    /// lead programs only to what is really ours.
    pub(super) fn write_files(&mut self) {
        let Some(config) = &self.config else { return };
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
            self.outputs.push_back(Output::Write(Box::new(files)));
        }
    }

    /// Stops listening for these hosts, and listens for all others again.
    pub(super) fn handle_lost(&mut self, lost: Lost) {
        self.lost = lost.hosts.into_iter().collect();
        if let Some(config) = &self.config {
            let listeners = config.listeners();
            self.listen(&listeners);
        }
    }

    /// The outcome of [`Output::Listen`] or [`Output::Hold`].
    pub fn handle_listening(
        &mut self,
        now: Instant,
        listener: Listener,
        outcome: Result<(), NotListening>,
    ) {
        let Some(place) = self.listeners.get_mut(&listener) else {
            return;
        };
        let listening = &mut place.listening;
        let failed_before = match listening {
            Listening::Failed { why, .. } => Some(why.clone()),
            Listening::Asked | Listening::Works => None,
            // The driver was not asked.
            Listening::Denied(_) => return,
        };
        *listening = match outcome {
            Ok(()) => {
                self.report_due |= failed_before.is_some();
                Listening::Works
            }
            Err(why) => {
                self.report_due |= failed_before.as_ref() != Some(&why);
                let retry_at = now + LISTEN_RETRY;
                self.next_retry.get_or_insert(retry_at);
                Listening::Failed { why, retry_at }
            }
        };
        self.write_files();
    }

    /// Whether only programs of this agent's own user are let in at a listener for this purpose. Questions over UDP
    /// have no user.
    pub fn is_for_same_user(&self, purpose: Purpose) -> bool {
        (self.config.as_ref()).is_some_and(|config| config.is_for_same_user(purpose))
    }

    /// Notes that somebody was refused; `user` is `None` if it is not known who. True if people should be told, with
    /// [`Core::tell_refused`].
    pub fn handle_refused(&mut self, now: Instant, listener: Listener, user: Option<u32>) -> bool {
        self.strangers.note(now, listener, user)
    }

    /// Tells the manager who was refused, and what would let them in. Returns the text instead if the manager does not
    /// want it.
    pub fn tell_refused(&mut self, listener: Listener, who: &str) -> Option<String> {
        let config = self.config.as_ref()?;
        let text = refused(listener, who, &config.called(config.me));
        if !config.peer.notices {
            return Some(text);
        }
        let event = Event::Notice(text);
        self.control.push_back(Message::Event(event.into_raw()));
        None
    }

    pub(super) fn retry_listeners(&mut self, now: Instant) {
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
            // The driver's answer sets the next time.
            *retry_at = now + LISTEN_RETRY;
            self.outputs.push_back(ask(listener, place.held));
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
