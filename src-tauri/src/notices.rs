//! Notifications about lasting changes: that hosts are lost, and that they are back. Short losses are not reported, and
//! each notification replaces the previous one about the same network. Notes about a host, such as files that could not
//! be written, do not cause a notification: they are shown only in the tray and on the page. After a click in the tray,
//! the result is shown in a brief notification of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use norouter::view::{HeldChange, HostState, HostView};
use tokio::time::Instant;

use crate::{
    bubble::{Notice, Slot},
    desk::{Desk, Watched},
    view::{Place, Settings},
    words::notice as words,
};

/// How long a host has to be lost before the loss is reported.
const LASTING: Duration = Duration::from_secs(8);

/// How long a notification about a click stays visible, in milliseconds, on desktops where the app chooses that.
const BRIEF_MS: u16 = 4_000;

/// The shortest time between two looks at the hosts. Lines of the log arrive more often than hosts change.
const PACE: Duration = Duration::from_millis(250);

/// The slots of notifications about the hosts of each network, by the number of the network.
static OF_HOSTS: Mutex<BTreeMap<u64, Arc<Slot>>> = Mutex::new(BTreeMap::new());

/// The slot of notifications about clicks. It is a slot of its own, so that they do not replace a notification about
/// hosts.
static OF_CLICKS: Slot = Slot::numbered(0x6e6f_7270);

/// The number of the slot of the first network, on desktops where the app chooses the number.
const FIRST_SLOT: u32 = 0x6e6f_8000;

/// The hosts that are lost, the time at which each of them was lost, and the losses that were reported.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    lost: BTreeMap<String, Instant>,
    told: BTreeSet<String>,
    /// The hosts that were up or stopped before. Other hosts, such as those of a starting network, count as lost only
    /// if they need attention.
    known: BTreeSet<String>,
    /// The number of the last change of the manifest that was reported.
    change: u64,
}

/// A notification about the hosts of one network.
#[derive(Debug, PartialEq, Eq)]
struct Draft {
    title: String,
    text: String,
    place: Place,
    asks: bool,
}

impl Draft {
    /// The notification. It names the network if the window does not show it.
    fn of(self, network: &Watched) -> Notice {
        Notice {
            title: self.title,
            text: if network.is_shown {
                self.text
            } else {
                words::of(&network.name, &self.text)
            },
            place: Some((network.id, self.place)),
            asks: self.asks,
        }
    }
}

impl Notices {
    /// Takes the present state of a network, and returns the notifications to show now.
    fn of(&mut self, network: &Watched, now: Instant, settings: &Settings) -> Vec<Notice> {
        let snapshot = &network.snapshot;
        let of_change = self.handle_change(snapshot.held.as_ref(), settings);
        let of_hosts = self.handle(now, &snapshot.hosts, settings);
        let all = of_hosts.into_iter().chain(of_change);
        all.map(|draft| draft.of(network)).collect()
    }

    /// Takes the present state of the hosts, and returns the notification to show now, if there is one. A host never
    /// counts as lost if the person has switched off notifications about its state.
    fn handle(&mut self, now: Instant, hosts: &[HostView], settings: &Settings) -> Option<Draft> {
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
            return Some(Draft {
                title: words::RECOVERED.to_owned(),
                text: String::new(),
                place: Place::Network,
                asks: false,
            });
        }
        if lasting.is_subset(&self.told) {
            self.told
                .retain(|name| lasting.contains(name) || self.lost.contains_key(name));
            return None;
        }
        self.told.clone_from(&lasting);
        Some(draft(&lasting, hosts))
    }

    /// Takes the change of the manifest that waits for the person, and returns the notification to show, if there is
    /// one. Each change is reported only once.
    fn handle_change(&mut self, held: Option<&HeldChange>, settings: &Settings) -> Option<Draft> {
        let held = held.filter(|held| held.number > self.change)?;
        self.change = held.number;
        settings.notify_needs_you.then(|| Draft {
            title: words::CHANGED.to_owned(),
            text: held
                .grants
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n"),
            place: Place::Network,
            asks: true,
        })
    }

    /// When to call [`Notices::handle`] again; `None` if no host is waiting to be reported.
    fn due(&self) -> Option<Instant> {
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

fn draft(lasting: &BTreeSet<String>, hosts: &[HostView]) -> Draft {
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
        return Draft {
            title,
            text: host
                .reason
                .as_deref()
                .map_or_else(String::new, words::sentence),
            place,
            asks: host.needs_attention(),
        };
    }
    let asks = lost.clone().any(HostView::needs_attention);
    let lines = lost.take(5);
    let lines = lines.map(|host| words::host(&host.name, host.state, host.reason.as_deref()));
    Draft {
        title: words::several(count, asking),
        text: lines.collect::<Vec<_>>().join("\n"),
        place: Place::Network,
        asks,
    }
}

/// Sends notifications as long as the app runs. While the window has the focus, no notification is sent about the
/// network in the window, because the person sees that network.
pub(crate) async fn tell(desk: Desk, send: impl Fn(u64, Notice)) {
    let mut wakes = desk.wakes();
    let mut all: BTreeMap<u64, Notices> = BTreeMap::new();
    loop {
        wakes.mark_unchanged();
        let (watched, settings, now) = (desk.watched(), desk.settings(), Instant::now());
        all.retain(|id, _| watched.iter().any(|network| network.id == *id));
        for network in &watched {
            let notices = all.entry(network.id).or_default();
            let told = notices.of(network, now, &settings);
            let is_seen = network.is_shown && desk.is_focused();
            for notice in told.into_iter().filter(|_| !is_seen) {
                send(network.id, notice);
            }
        }
        let due = all.values().filter_map(Notices::due).min();
        let later = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = wakes.changed() => if changed.is_err() { return },
            () = later => {}
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Shows a notification about a network's hosts. Does nothing if this machine has no service for notifications.
pub(crate) fn show(network: u64, notice: &Notice) {
    let slot = {
        let mut slots = OF_HOSTS.lock().unwrap_or_else(PoisonError::into_inner);
        let number = FIRST_SLOT.wrapping_add(u32::try_from(network).unwrap_or(u32::MAX));
        let slot = slots.entry(network);
        slot.or_insert_with(|| Arc::new(Slot::numbered(number)))
            .clone()
    };
    slot.show(notice, None);
}

/// Shows briefly that a text was copied to the clipboard. This is for a person who does not see the window.
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
            draft(&lasting, &hosts).title
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
            draft(&lasting, hosts)
        };
        let one = of(std::slice::from_ref(&asks));
        assert_eq!(
            (&*one.title, &*one.text),
            ("vault needs input", "Its command asks: Password.")
        );
        let host = "vault".to_owned();
        assert_eq!((one.place, one.asks), (Place::Question { host }, true));
        let one = of(std::slice::from_ref(&lost));
        let host = "db1".to_owned();
        assert_eq!(
            (&*one.title, one.place),
            ("db1 is down", Place::Host { host })
        );
        assert_eq!((&*one.text, one.asks), ("", false));
        let both = of(&[asks, lost]);
        assert_eq!(
            both.text,
            "vault: needs input (its command asks: Password)\ndb1: retrying"
        );
        assert_eq!((both.place, both.asks), (Place::Network, true));
    }

    /// A network in which a host has a question.
    fn asking(desk: &Desk, id: u64, name: &str) -> Session {
        let mut truth = crate::truth::Truth::default();
        let asks = crate::testing::network(vec![host("a", HostState::NeedsYou)]);
        truth.hear(client::StreamItem::Snapshot(asks), 1);
        let never = tokio::spawn(std::future::pending::<()>());
        desk.edit(|state| state.begun = id);
        Session {
            id,
            client: Client::new(name.parse().unwrap()),
            hosted: None,
            manifest: None,
            plan: None,
            waits: None,
            phase: Phase::Running,
            truth,
            jumps: BTreeMap::new(),
            log: None,
            reader: never.abort_handle(),
        }
    }

    /// The notifications of the next minute, each with the number of its network.
    async fn told(desk: &Desk) -> Vec<(u64, Notice)> {
        let told = std::cell::RefCell::new(Vec::new());
        let telling = tell(desk.clone(), |id, notice| {
            told.borrow_mut().push((id, notice));
        });
        let over = tokio::time::timeout(Duration::from_mins(1), telling).await;
        assert!(over.is_err());
        told.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_with_the_focus_needs_no_notifications() {
        let folder = crate::testing::Folder::new("focus");
        let desk = crate::testing::desk(&folder);
        for (focused, expected) in [(true, 0), (false, 1)] {
            desk.set_focused(focused);
            let session = asking(&desk, 1, "notices");
            desk.edit(|state| state.session = Some(session));
            assert_eq!(told(&desk).await.len(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_is_set_aside_is_told_of_by_its_name() {
        let folder = crate::testing::Folder::new("aside");
        let desk = crate::testing::desk(&folder);
        desk.set_focused(true);
        let (shown, aside) = (asking(&desk, 1, "office"), asking(&desk, 2, "lab"));
        desk.edit(|state| {
            state.session = Some(shown);
            state.aside.push(aside);
        });
        let told = told(&desk).await;
        let [(2, notice)] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(
            (&*notice.title, &*notice.text),
            ("a needs input", "Network: lab")
        );
        let host = "a".to_owned();
        assert_eq!(notice.place, Some((2, Place::Question { host })));
        // A click shows the network, and then the question.
        desk.go_to(2, Place::Network).await;
        assert_eq!(desk.session_id(), 2);
        desk.go_to(7, Place::Network).await;
        assert_eq!(desk.session_id(), 2, "that network has ended");
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
