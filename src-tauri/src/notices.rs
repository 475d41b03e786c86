//! Notifications about lasting changes: that hosts are lost, and that they are back. Short losses are not reported, and
//! each notification replaces the previous one. The result of a click in the tray is shown in a brief notification of
//! its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use norouter::view::{HeldChange, HostState, HostView};
use notify_rust::{Notification, Timeout};
use tokio::time::Instant;

use crate::{
    desk::Desk,
    view::Settings,
    words::{APP, notice as words},
};

/// How long a host has to be lost before it is reported.
const LASTING: Duration = Duration::from_secs(8);

/// How long a notification about a click stays visible, if the desktop lets the app choose that.
const BRIEF: Duration = Duration::from_secs(4);

/// The slot of one notification: a new notification in it replaces the old one. The slot holds the number of the
/// notification. Linux desktops assign the number when the notification is first shown, and some do so even if a
/// certain number is requested.
struct NoticeSlot(Mutex<u32>);

/// The slot of notifications about hosts.
static OF_HOSTS: NoticeSlot = NoticeSlot::numbered(0x6e6f_726f);

/// The slot of notifications about clicks.
static OF_CLICKS: NoticeSlot = NoticeSlot::numbered(0x6e6f_7270);

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The title, in one line.
    pub(crate) title: String,
    /// Details that are shown below the title; may be empty.
    pub(crate) text: String,
}

/// Which hosts are lost and since when, and which of these losses were reported.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    lost: BTreeMap<String, Instant>,
    told: BTreeSet<String>,
    /// The hosts that have been up or stopped before. Other hosts, like those of a starting network, count as lost only
    /// if they need attention.
    known: BTreeSet<String>,
    /// The number of the last change of the manifest that was reported.
    change: u64,
}

impl Notices {
    /// Takes the present state of the hosts, and returns the notification to show now, if any. A host never counts as
    /// lost if the person has switched off notifications for its state.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        hosts: &[HostView],
        settings: &Settings,
    ) -> Option<Notice> {
        let names: BTreeSet<&String> = hosts.iter().map(|host| &host.name).collect();
        self.known.retain(|name| names.contains(name));
        self.lost.retain(|name, _| names.contains(name));
        for host in hosts {
            if host.state.is_up() || host.state == HostState::Stopped {
                self.lost.remove(&host.name);
                self.known.insert(host.name.clone());
            } else if !is_wanted(host, settings) {
                self.lost.remove(&host.name);
            } else if self.known.contains(&host.name) || host.needs_attention() {
                self.lost.entry(host.name.clone()).or_insert(now);
            }
        }
        let lasting = self
            .lost
            .iter()
            .filter(|(_, since)| now.duration_since(**since) >= LASTING);
        let lasting: BTreeSet<String> = lasting.map(|(name, _)| name.clone()).collect();
        let recovered = lasting.is_empty() && self.lost.is_empty() && !self.told.is_empty();
        if recovered {
            self.told.clear();
            return Some(Notice {
                title: words::RECOVERED.to_owned(),
                text: String::new(),
            });
        }
        if lasting.is_subset(&self.told) {
            self.told
                .retain(|name| lasting.contains(name) || self.lost.contains_key(name));
            return None;
        }
        self.told.clone_from(&lasting);
        Some(notice(&lasting, hosts))
    }

    /// Takes the change of the manifest that waits for the person, and returns the notification to show, if any. Each
    /// change is reported only once.
    pub(crate) fn handle_change(
        &mut self,
        held: Option<&HeldChange>,
        settings: &Settings,
    ) -> Option<Notice> {
        let held = held.filter(|held| held.number > self.change)?;
        self.change = held.number;
        settings.notify_needs_you.then(|| Notice {
            title: words::CHANGED.to_owned(),
            text: held
                .grants
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n"),
        })
    }

    /// When to call [`Notices::handle`] again; `None` if no host is waiting to be reported.
    pub(crate) fn due(&self) -> Option<Instant> {
        let waiting = self
            .lost
            .iter()
            .filter(|(name, _)| !self.told.contains(*name));
        waiting.map(|(_, since)| *since + LASTING).min()
    }
}

/// Whether the person wants notifications about a host in this state.
fn is_wanted(host: &HostView, settings: &Settings) -> bool {
    if host.needs_attention() {
        settings.notify_needs_you
    } else {
        settings.notify_lost
    }
}

fn notice(lasting: &BTreeSet<String>, hosts: &[HostView]) -> Notice {
    let lost = hosts.iter().filter(|host| lasting.contains(&host.name));
    let asking = lost
        .clone()
        .filter(|host| host.state == HostState::NeedsYou)
        .count();
    let lines: Vec<String> = lost
        .take(5)
        .map(|host| {
            let reason = host.reason.as_deref().unwrap_or_default();
            format!("{}: {} {reason}", host.name, host.state.word())
                .trim_end()
                .to_owned()
        })
        .collect();
    let mut names = lasting.iter();
    let count = lasting.len();
    let title = match names.next() {
        Some(name) if count == 1 && asking == 1 => words::needs_answer(name),
        Some(name) if count == 1 => words::lost(name),
        _ => words::several(count, asking),
    };
    Notice {
        title,
        text: lines.join("\n"),
    }
}

/// Sends notifications for as long as the app runs.
pub(crate) async fn tell(desk: Desk, send: impl Fn(Notice)) {
    let mut wakes = desk.wakes();
    let mut notices = Notices::default();
    let mut session = 0;
    loop {
        wakes.mark_unchanged();
        let now = desk.session_id();
        if now != session {
            (session, notices) = (now, Notices::default());
        }
        let snapshot = desk.network().map(|network| network.snapshot);
        let snapshot = snapshot.unwrap_or_default();
        let settings = desk.settings();
        let of_change = notices.handle_change(snapshot.held.as_ref(), &settings);
        let of_hosts = notices.handle(Instant::now(), &snapshot.hosts, &settings);
        for notice in of_hosts.into_iter().chain(of_change) {
            send(notice);
        }
        let later = async {
            match notices.due() {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = wakes.changed() => if changed.is_err() { return },
            () = later => {}
        }
    }
}

/// Shows a notification about hosts. Does nothing if this machine has no service for notifications.
pub(crate) fn show(notice: &Notice) {
    OF_HOSTS.show(notice, Timeout::Default);
}

/// Says briefly that a text was copied to the clipboard, for a person who does not see the window.
pub(crate) fn show_copied(text: &str) {
    let notice = Notice {
        title: words::copied(text),
        text: String::new(),
    };
    OF_CLICKS.show(&notice, BRIEF.into());
}

impl NoticeSlot {
    const fn numbered(number: u32) -> Self {
        let given = cfg!(all(unix, not(target_os = "macos")));
        Self(Mutex::new(if given { 0 } else { number }))
    }

    fn show(&self, notice: &Notice, timeout: Timeout) {
        let mut id = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shown = Notification::new();
        shown
            .appname(APP)
            .summary(&notice.title)
            .icon("norouter-app")
            .timeout(timeout);
        // The text comes from outside, and some desktops interpret markup in it.
        shown.body(&notice.text.replace('&', "&amp;").replace('<', "&lt;"));
        if *id > 0 {
            shown.id(*id);
        }
        match shown.show() {
            Ok(handle) => *id = number(&handle, *id),
            Err(error) => tracing::warn!("a notification cannot be shown: {error}"),
        }
    }
}

/// The number that identifies a shown notification. On Linux and systems like it, the desktop assigns the number.
/// Elsewhere this program has chosen it.
#[cfg(all(unix, not(target_os = "macos")))]
fn number(handle: &notify_rust::NotificationHandle, _ours: u32) -> u32 {
    handle.id()
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
const fn number<T>(_handle: &T, ours: u32) -> u32 {
    ours
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::host;

    #[test]
    fn what_lasts_is_told_once_and_a_blip_is_not() {
        use HostState::{Greeting, Ready, Waiting};
        let mut notices = Notices::default();
        let start = Instant::now();
        let mut at = |seconds: u64, states: [HostState; 2]| {
            let hosts = [host("a", states[0]), host("b", states[1])];
            let notice = notices.handle(
                start + Duration::from_secs(seconds),
                &hosts,
                &Settings::default(),
            );
            notice.map(|notice| notice.title)
        };
        assert_eq!(at(0, [Greeting, Greeting]), None);
        assert_eq!(at(60, [Ready, Greeting]), None, "it has never been up");
        assert_eq!(at(61, [Waiting, Ready]), None);
        assert_eq!(at(65, [Ready, Ready]), None, "a blip");
        assert_eq!(at(70, [Waiting, Ready]), None);
        assert_eq!(at(78, [Waiting, Waiting]).unwrap(), "a cannot be reached");
        assert_eq!(at(80, [Greeting, Waiting]), None);
        assert_eq!(
            at(87, [Waiting, Waiting]).unwrap(),
            "2 hosts cannot be reached"
        );
        assert_eq!(at(90, [Ready, Waiting]), None);
        assert_eq!(
            at(91, [Ready, Ready]).unwrap(),
            "All hosts can be reached again"
        );
        assert_eq!(at(200, [Ready, Ready]), None);
    }

    #[test]
    fn a_host_that_asks_needs_a_person_and_is_not_called_lost() {
        use HostState::{NeedsYou, Waiting};
        let title = |states: &[HostState]| {
            let names = ["a", "b", "c"];
            let hosts = names.iter().zip(states);
            let hosts: Vec<_> = hosts.map(|(name, state)| host(name, *state)).collect();
            let lasting = hosts.iter().map(|host| host.name.clone()).collect();
            notice(&lasting, &hosts).title
        };
        assert_eq!(title(&[NeedsYou]), "a needs an answer");
        assert_eq!(title(&[NeedsYou, NeedsYou]), "2 hosts need an answer");
        assert_eq!(
            title(&[NeedsYou, Waiting, Waiting]),
            "3 hosts cannot be reached; 1 of them needs an answer"
        );
    }

    #[test]
    fn a_host_that_wants_a_person_is_told_of_even_if_it_was_never_up() {
        let (mut notices, all) = (Notices::default(), Settings::default());
        let start = Instant::now();
        let hosts = [host("a", HostState::Refused)];
        assert_eq!(notices.handle(start, &hosts, &all), None);
        assert_eq!(notices.due(), Some(start + LASTING));
        assert!(notices.handle(start + LASTING, &hosts, &all).is_some());
        assert_eq!(notices.due(), None);
        // A host that was removed from the manifest is not lost.
        assert_eq!(
            notices
                .handle(start + LASTING * 2, &[], &all)
                .unwrap()
                .title,
            "All hosts can be reached again"
        );
    }

    #[test]
    fn a_change_that_waits_is_told_of_once() {
        let mut notices = Notices::default();
        let mut told = |number, settings: &Settings| {
            let grants = vec!["a runs".to_owned()];
            let held = HeldChange { number, grants };
            notices.handle_change(Some(&held), settings)
        };
        let all = Settings::default();
        assert_eq!(told(3, &all).unwrap().text, "a runs");
        assert_eq!(told(3, &all), None);
        let none = Settings {
            notify_needs_you: false,
            ..Settings::default()
        };
        assert_eq!(told(4, &none), None);
        assert!(told(5, &all).is_some());
    }

    #[test]
    fn nobody_is_told_of_what_they_do_not_want_to_hear_of() {
        let (asks, lost) = (HostState::NeedsYou, HostState::Waiting);
        let told = |settings: Settings| {
            let mut notices = Notices::default();
            let start = Instant::now();
            let at = [HostState::Ready; 2].into_iter().zip([asks, lost]);
            let at: Vec<_> = at.map(|(before, after)| [before, after]).collect();
            let hosts = |when: usize| [host("a", at[0][when]), host("b", at[1][when])];
            notices.handle(start, &hosts(0), &settings);
            notices.handle(start, &hosts(1), &settings);
            let notice = notices.handle(start + LASTING, &hosts(1), &settings);
            notice.map(|notice| notice.title)
        };
        let wants = |notify_lost, notify_needs_you| Settings {
            notify_lost,
            notify_needs_you,
            ..Settings::default()
        };
        assert_eq!(told(wants(true, false)).unwrap(), "b cannot be reached");
        assert_eq!(told(wants(false, true)).unwrap(), "a needs an answer");
        assert_eq!(told(wants(false, false)), None);
    }
}
