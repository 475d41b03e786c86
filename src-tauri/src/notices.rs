//! Notifications about lasting changes: that hosts are lost, and that they are back. Short losses are not reported, and
//! each notification replaces the previous one. The result of a click in the tray is shown in a brief notification of
//! its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use norouter::view::{HeldChange, HostState, HostView};
use tokio::time::Instant;

use crate::{
    bubble::{Notice, Slot},
    desk::Desk,
    view::{Place, Settings},
    words::notice as words,
};

/// How long a host has to be lost before it is reported.
const LASTING: Duration = Duration::from_secs(8);

/// How long a notification about a click stays visible, in milliseconds, if the desktop lets the app choose that.
const BRIEF_MS: u16 = 4_000;

/// The id of notifications about hosts, by which a new one replaces the old one.
static OF_HOSTS: Slot = Slot::numbered(0x6e6f_726f);

/// The id of notifications about clicks. With an id of their own, they do not replace a notification about hosts.
static OF_CLICKS: Slot = Slot::numbered(0x6e6f_7270);

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
                place: Some(Place::Network),
                asks: false,
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
            place: Some(Place::Network),
            asks: true,
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
    let count = lasting.len();
    if let (1, Some(host)) = (count, lost.clone().next()) {
        let name = host.name.clone();
        let (title, place) = if asking == 1 {
            let place = Place::Question { host: name };
            (words::needs_input(&host.name), place)
        } else {
            (words::down(&host.name), Place::Host { host: name })
        };
        return Notice {
            title,
            text: host
                .reason
                .as_deref()
                .map_or_else(String::new, words::sentence),
            place: Some(place),
            asks: host.needs_attention(),
        };
    }
    let asks = lost.clone().any(HostView::needs_attention);
    let lines = lost.take(5);
    let lines = lines.map(|host| words::host(&host.name, host.state, host.reason.as_deref()));
    Notice {
        title: words::several(count, asking),
        text: lines.collect::<Vec<_>>().join("\n"),
        place: Some(Place::Network),
        asks,
    }
}

/// Sends notifications for as long as the app runs. It sends none while the app's window has the focus, because the
/// window shows the same to the person.
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
        let all = of_hosts.into_iter().chain(of_change);
        all.filter(|_| !desk.is_focused()).for_each(&send);
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
    OF_HOSTS.show(notice, None);
}

/// Says briefly that a text was copied to the clipboard, for a person who does not see the window.
pub(crate) fn show_copied(text: &str) {
    let notice = Notice {
        title: words::copied(text),
        text: String::new(),
        place: None,
        asks: false,
    };
    OF_CLICKS.show(&notice, Some(BRIEF_MS));
}

#[cfg(test)]
mod tests {
    use norouter::driver::control::{Client, client};

    use super::*;
    use crate::{shown::Session, testing::host, view::Phase};

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
        assert_eq!(at(78, [Waiting, Waiting]).unwrap(), "a is down");
        assert_eq!(at(80, [Greeting, Waiting]), None);
        assert_eq!(at(87, [Waiting, Waiting]).unwrap(), "2 hosts down");
        assert_eq!(at(90, [Ready, Waiting]), None);
        assert_eq!(at(91, [Ready, Ready]).unwrap(), "All hosts are back");
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
        assert_eq!(title(&[NeedsYou]), "a needs input");
        assert_eq!(title(&[NeedsYou, NeedsYou]), "2 hosts need input");
        assert_eq!(
            title(&[NeedsYou, Waiting, Waiting]),
            "3 hosts down, 1 needs input"
        );
    }

    #[test]
    fn a_notification_says_why_and_leads_there() {
        let mut asks = host("vault", HostState::NeedsYou);
        asks.reason = Some("its command asks: Password".to_owned());
        let lost = host("db1", HostState::Waiting);
        let of = |hosts: &[HostView]| {
            let lasting = hosts.iter().map(|host| host.name.clone()).collect();
            notice(&lasting, hosts)
        };
        let one = of(std::slice::from_ref(&asks));
        assert_eq!(
            (&*one.title, &*one.text),
            ("vault needs input", "Its command asks: Password.")
        );
        let host = "vault".to_owned();
        assert_eq!(
            (one.place, one.asks),
            (Some(Place::Question { host }), true)
        );
        let one = of(std::slice::from_ref(&lost));
        let host = "db1".to_owned();
        assert_eq!(
            (&*one.title, one.place),
            ("db1 is down", Some(Place::Host { host }))
        );
        assert_eq!((&*one.text, one.asks), ("", false));
        let both = of(&[asks, lost]);
        assert_eq!(
            both.text,
            "vault: needs input (its command asks: Password)\ndb1: retrying"
        );
        assert_eq!((both.place, both.asks), (Some(Place::Network), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_with_the_focus_needs_no_notifications() {
        let folder = crate::testing::Folder::new("focus");
        let desk = crate::testing::desk(&folder);
        for (focused, expected) in [(true, 0), (false, 1)] {
            desk.set_focused(focused);
            let mut truth = crate::truth::Truth::default();
            let asks = crate::testing::network(vec![host("a", HostState::NeedsYou)]);
            truth.hear(client::StreamItem::Snapshot(asks), 1);
            let never = tokio::spawn(std::future::pending::<()>());
            let session = Session {
                id: 1,
                client: Client::new("notices".parse().unwrap()),
                hosted: None,
                manifest: None,
                plan: None,
                waits: None,
                phase: Phase::Running,
                truth,
                reader: never.abort_handle(),
            };
            desk.edit(|state| state.session = Some(session));
            let count = std::cell::Cell::new(0);
            let told = tell(desk.clone(), |_| count.set(count.get() + 1));
            let over = tokio::time::timeout(LASTING * 3, told).await;
            assert!(over.is_err());
            assert_eq!(count.get(), expected);
        }
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
            "All hosts are back"
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
        assert_eq!(told(wants(true, false)).unwrap(), "b is down");
        assert_eq!(told(wants(false, true)).unwrap(), "a needs input");
        assert_eq!(told(wants(false, false)), None);
    }
}
