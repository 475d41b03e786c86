//! The content of the tray as values: the shape of the icon (one of four), and the lines of the menu, some of which
//! open submenus. Nothing is drawn here.

use std::{cmp::Reverse, collections::BTreeSet};

use norouter::{
    plan::Plan,
    view::{HostState, HostView, NetworkView, Snapshot},
};

use crate::{
    urls,
    view::{App, Phase, Shown},
    words::menu,
};

/// How many hosts are listed. The window shows all of them.
const HOSTS_MAX: usize = 15;

/// How many published ports of one host are listed.
const PORTS_MAX: usize = 8;

/// How many manifests that were open before are listed, and how many other networks.
const NETWORKS_MAX: usize = 8;

/// How many notes about one host are listed.
const NOTES_MAX: usize = 3;

/// The length to which a reason or a note is cut, in characters.
const REASON_MAX: usize = 70;

/// The shape of the icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// No network runs.
    Off,
    /// A host is not ready yet, or is not ready any more.
    Connecting,
    /// All hosts can be reached.
    On,
    /// A host needs attention, or a change of the manifest waits.
    Attention,
}

/// The action of a menu line when it is clicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Start the network of the open manifest.
    Start,
    /// End the network.
    Stop,
    /// Read the manifest again.
    Reload,
    /// Show the window with the question about the changed manifest.
    Review,
    /// Choose a manifest and open it.
    OpenDialog,
    /// Open a manifest that was open before.
    Open(String),
    /// Open the demo and start it.
    Demo,
    /// Show another running network.
    Attach(String),
    /// Show the window.
    Show,
    /// Show the window with this host.
    Host(String),
    /// Show the window with the question of this host.
    Answer(String),
    /// Ask whether the command of this host may run.
    Approve(String),
    /// Start this host again.
    Restart(String),
    /// Start this host, which was stopped.
    StartHost(String),
    /// End the app.
    Quit,
    /// Put a text into the clipboard.
    Copy(String),
    /// Open a URL in the browser.
    Browse(String),
}

/// A line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A text, with the action of a click on it; `None` if it cannot be clicked.
    Text(String, Option<Act>),
    /// A text that opens a submenu.
    Menu(String, Vec<Line>),
    /// A separator.
    Gap,
}

/// An action on something that has a name.
type ActOn = fn(String) -> Act;

/// The actions on something that has a name, and the words for them in the ids of menu lines.
static NAMED: [(&str, ActOn); 9] = [
    ("open", Act::Open),
    ("attach", Act::Attach),
    ("host", Act::Host),
    ("answer", Act::Answer),
    ("approve", Act::Approve),
    ("restart", Act::Restart),
    ("start-host", Act::StartHost),
    ("copy", Act::Copy),
    ("browse", Act::Browse),
];

/// The other actions, and the ids of their menu lines.
static PLAIN: [(&str, Act); 8] = [
    ("start", Act::Start),
    ("stop", Act::Stop),
    ("reload", Act::Reload),
    ("review", Act::Review),
    ("open-dialog", Act::OpenDialog),
    ("demo", Act::Demo),
    ("show", Act::Show),
    ("quit", Act::Quit),
];

impl Act {
    /// Encodes the action as the id of a menu line.
    pub(crate) fn id(&self) -> String {
        let plain = PLAIN.iter().find(|(_, act)| act == self);
        if let Some((word, _)) = plain {
            return (*word).to_owned();
        }
        let name = self.name().cloned().unwrap_or_default();
        let mut named = NAMED.iter();
        let word = named.find(|(_, make)| make(name.clone()) == *self);
        format!("{} {name}", word.map_or("", |(word, _)| word))
    }

    /// Decodes the action from the id of a menu line.
    pub(crate) fn of(id: &str) -> Option<Self> {
        let plain = PLAIN.iter().find(|(word, _)| *word == id);
        if let Some((_, act)) = plain {
            return Some(act.clone());
        }
        let (word, name) = id.split_once(' ')?;
        let (_, make) = NAMED.iter().find(|(known, _)| *known == word)?;
        Some(make(name.to_owned()))
    }

    fn name(&self) -> Option<&String> {
        match self {
            Self::Open(name)
            | Self::Attach(name)
            | Self::Host(name)
            | Self::Answer(name)
            | Self::Approve(name)
            | Self::Restart(name)
            | Self::StartHost(name)
            | Self::Copy(name)
            | Self::Browse(name) => Some(name),
            Self::Start
            | Self::Stop
            | Self::Reload
            | Self::Review
            | Self::OpenDialog
            | Self::Demo
            | Self::Show
            | Self::Quit => None,
        }
    }
}

/// The shape for the app and its network. `needy` has the names of the other networks in which something waits for the
/// person.
pub(crate) fn shape(app: &App, network: Option<&NetworkView>, needy: &BTreeSet<String>) -> Shape {
    let snapshot = network.map(|network| &network.snapshot);
    if !needy.is_empty() || snapshot.is_some_and(Snapshot::needs_attention) {
        return Shape::Attention;
    }
    let Some(shown) = &app.network else {
        return Shape::Off;
    };
    let hosts = snapshot.map_or(&[][..], |snapshot| &snapshot.hosts);
    let is_coming = |host: &HostView| !host.state.is_up() && host.state != HostState::Stopped;
    if shown.phase != Phase::Running || hosts.iter().any(is_coming) {
        Shape::Connecting
    } else {
        Shape::On
    }
}

/// The menu for the app and its network. If the plan is known, the menu says where the published ports lead. `needy`
/// has the names of the other networks in which something waits for the person. These networks are listed before the
/// rest.
pub(crate) fn lines(
    app: &App,
    network: Option<&NetworkView>,
    plan: Option<&Plan>,
    needy: &BTreeSet<String>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    match (&app.network, network) {
        (Some(shown), Some(network)) => running(&mut lines, shown, network, plan),
        (Some(shown), None) => lines.push(Line::Text(menu::starting(&shown.name), None)),
        (None, _) => stopped(&mut lines, app),
    }
    let quiet = app.running.iter().filter(|name| !needy.contains(*name));
    let needy = needy.iter().map(|name| (menu::in_need(name), name));
    let others = needy.chain(quiet.map(|name| (name.clone(), name)));
    let others: Vec<_> = others
        .take(NETWORKS_MAX)
        .map(|(text, name)| act(&text, Act::Attach(name.clone())))
        .collect();
    if !others.is_empty() {
        lines.push(Line::Gap);
        lines.push(Line::Menu(menu::OTHERS.to_owned(), others));
    }
    lines.push(Line::Gap);
    lines.push(act(menu::SHOW, Act::Show));
    lines.push(act(menu::QUIT, Act::Quit));
    lines
}

fn act(text: &str, act: Act) -> Line {
    Line::Text(text.to_owned(), Some(act))
}

/// The lines while no network is shown.
fn stopped(lines: &mut Vec<Line>, app: &App) {
    let open = app.manifest.as_deref();
    match open {
        Some(manifest) => {
            let name = norouter::driver::manager::NetworkName::of_manifest(manifest.as_ref());
            lines.push(Line::Text(menu::stopped(&name.to_string()), None));
            lines.push(act(menu::START, Act::Start));
        }
        None => lines.push(Line::Text(menu::NONE_OPEN.to_owned(), None)),
    }
    lines.push(Line::Gap);
    let recent = app.recent.iter();
    let recent = recent.filter(|file| file.exists && Some(file.path.as_str()) != open);
    let recent = recent.take(NETWORKS_MAX);
    let recent: Vec<_> = recent
        .map(|file| act(&file.name, Act::Open(file.path.clone())))
        .collect();
    if !recent.is_empty() {
        lines.push(Line::Menu(menu::RECENT.to_owned(), recent));
    }
    lines.push(act(menu::OPEN, Act::OpenDialog));
    lines.push(act(menu::DEMO, Act::Demo));
}

/// The lines while a network is shown. The hosts in trouble come first.
fn running(lines: &mut Vec<Line>, shown: &Shown, network: &NetworkView, plan: Option<&Plan>) {
    let hosts = &network.snapshot.hosts;
    let up = hosts.iter().filter(|host| host.state.is_up()).count();
    let name = &shown.name;
    let head = match shown.phase {
        Phase::Ending => menu::ending(name),
        Phase::Starting | Phase::Running => menu::up(name, up, hosts.len()),
    };
    lines.push(Line::Text(head, None));
    if network.snapshot.held.is_some() {
        lines.push(act(menu::REVIEW, Act::Review));
    }
    lines.push(Line::Gap);
    let mut sorted: Vec<&HostView> = hosts.iter().collect();
    // The sort is stable, so that hosts with equally much trouble stay in the order of the manifest.
    sorted.sort_by_key(|host| Reverse(trouble(host)));
    for host in sorted.iter().take(HOSTS_MAX) {
        let text = menu::host(mark(host), &host.name, host.state);
        lines.push(Line::Menu(text, of_host(host, plan)));
    }
    if hosts.len() > HOSTS_MAX {
        let rest = hosts.len() - HOSTS_MAX;
        lines.push(Line::Text(menu::more(rest), Some(Act::Show)));
    }
    lines.push(Line::Gap);
    lines.push(act(menu::RELOAD, Act::Reload));
    lines.push(act(menu::STOP, Act::Stop));
}

/// How much attention a host needs: 3 if it has a question, 2 if it does not work without a person, 1 if it does not
/// work at the moment.
fn trouble(host: &HostView) -> u8 {
    if host.state == HostState::NeedsYou || host.held.is_some() {
        3
    } else if host.needs_attention() {
        2
    } else {
        u8::from(!host.state.is_up() && host.state != HostState::Stopped)
    }
}

/// The menu of one host.
fn of_host(host: &HostView, plan: Option<&Plan>) -> Vec<Line> {
    let mut lines = Vec::new();
    let name = || host.name.clone();
    if let Some(reason) = host.reason.as_deref().filter(|_| trouble(host) > 0) {
        lines.push(Line::Text(cut(reason), None));
    }
    for note in host.notes.iter().take(NOTES_MAX) {
        lines.push(Line::Text(cut(note), None));
    }
    if !host.prompts.is_empty() {
        lines.push(act(menu::ANSWER, Act::Answer(name())));
    }
    if host.held.is_some() {
        lines.push(act(menu::APPROVE, Act::Approve(name())));
    }
    lines.push(act(menu::DETAILS, Act::Host(name())));
    lines.push(Line::Gap);
    let mut copies = vec![host.name.clone(), host.vip.clone()];
    for port in host.ports.iter().take(PORTS_MAX) {
        copies.push(format!("{}:{port}", host.vip));
        if let Some(url) = urls::page_of(host, *port, plan) {
            if host.state.is_up() {
                lines.push(Line::Text(
                    menu::browse(&host.name, *port),
                    Some(Act::Browse(url.clone())),
                ));
            }
            copies.push(url);
        }
    }
    lines.extend(
        copies
            .into_iter()
            .map(|text| act(&menu::copy(&text), Act::Copy(text))),
    );
    lines.push(Line::Gap);
    lines.push(if host.state == HostState::Stopped {
        act(menu::START_HOST, Act::StartHost(name()))
    } else {
        act(menu::RESTART, Act::Restart(name()))
    });
    lines
}

/// A reason, cut so that it fits into a menu.
fn cut(reason: &str) -> String {
    if reason.chars().count() <= REASON_MAX {
        return reason.to_owned();
    }
    let start: String = reason.chars().take(REASON_MAX).collect();
    format!("{}\u{2026}", start.trim_end())
}

/// A symbol for the state of a host. The symbols differ not only in colour, but also in shape.
fn mark(host: &HostView) -> &'static str {
    if host.needs_attention() {
        "\u{25b2}"
    } else if host.state.is_up() {
        "\u{25cf}"
    } else if host.state == HostState::Stopped {
        "\u{25cb}"
    } else {
        "\u{25cc}"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Folder, desk, host};

    fn app(phase: Option<Phase>) -> App {
        let folder = Folder::new("tray");
        App {
            network: phase.map(|phase| Shown {
                name: "office".to_owned(),
                manifest: None,
                hosted: true,
                phase,
                jumps: std::collections::BTreeMap::new(),
                log: None,
            }),
            manifest: Some("/a/office.yaml".to_owned()),
            ..desk(&folder).app()
        }
    }

    fn network(states: &[HostState]) -> NetworkView {
        let hosts = states.iter().zip(0..).map(|(state, number)| {
            let mut host = host(&format!("h{number}"), *state);
            host.ports = vec![80];
            host
        });
        testing::network(hosts.collect())
    }

    #[test]
    fn the_shape_says_the_worst_that_a_person_should_know() {
        use HostState::{Degraded, Greeting, NeedsYou, Ready, Refused, Stopped, Waiting};
        let running = app(Some(Phase::Running));
        for (states, expected) in [
            (&[Ready, Ready][..], Shape::On),
            (&[Ready, Degraded], Shape::Attention),
            (&[Ready, Stopped], Shape::On),
            (&[Ready, Greeting], Shape::Connecting),
            (&[Ready, Waiting], Shape::Connecting),
            (&[Waiting, NeedsYou], Shape::Attention),
            (&[Ready, Refused], Shape::Attention),
        ] {
            assert_eq!(
                shape(&running, Some(&network(states)), &BTreeSet::new()),
                expected,
                "{states:?}"
            );
        }
        let mut held = network(&[Ready]);
        held.snapshot.held = Some(norouter::view::HeldChange {
            number: 1,
            grants: Vec::new(),
        });
        assert_eq!(
            shape(&running, Some(&held), &BTreeSet::new()),
            Shape::Attention
        );
        let ending = app(Some(Phase::Ending));
        assert_eq!(
            shape(&ending, Some(&network(&[Ready])), &BTreeSet::new()),
            Shape::Connecting
        );
        assert_eq!(shape(&app(None), None, &BTreeSet::new()), Shape::Off);
        let needy = ["lab".to_owned()].into();
        assert_eq!(shape(&app(None), None, &needy), Shape::Attention);
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines
            .iter()
            .filter_map(|line| match line {
                Line::Text(text, _) | Line::Menu(text, _) => Some(text.as_str()),
                Line::Gap => None,
            })
            .collect()
    }

    /// The lines of the submenu of the line with this text.
    fn inside<'a>(lines: &'a [Line], menu: &str) -> &'a [Line] {
        let found = lines.iter().find_map(|line| match line {
            Line::Menu(text, lines) if text == menu => Some(&lines[..]),
            Line::Menu(..) | Line::Text(..) | Line::Gap => None,
        });
        found.unwrap_or_else(|| panic!("no menu {menu} in {lines:?}"))
    }

    #[test]
    fn the_menu_begins_with_trouble_and_has_a_menu_for_each_host() {
        let network = network(&[HostState::Ready, HostState::Waiting, HostState::Refused]);
        let lines = lines(
            &app(Some(Phase::Running)),
            Some(&network),
            None,
            &BTreeSet::new(),
        );
        assert_eq!(
            texts(&lines),
            [
                "office: 1 of 3 hosts up",
                "\u{25b2} h2: cannot start",
                "\u{25cc} h1: retrying",
                "\u{25cf} h0: ready",
                "Reload the manifest",
                "Stop the network",
                "Show NoRouter",
                "Quit",
            ]
        );
        assert_eq!(
            texts(inside(&lines, "\u{25cf} h0: ready")),
            [
                "Show details",
                "Open h0:80 in the browser",
                "Copy h0",
                "Copy 127.0.42.101",
                "Copy 127.0.42.101:80",
                "Copy http://127.0.42.101/",
                "Restart",
            ]
        );
    }

    #[test]
    fn a_host_that_asks_comes_first_and_its_menu_leads_to_the_question() {
        let mut network = network(&[HostState::Refused, HostState::Stopped, HostState::NeedsYou]);
        let asks = &mut network.snapshot.hosts[2];
        asks.reason = Some("x".repeat(90));
        asks.prompts = serde_json::from_value(serde_json::json!([
            {"id": 1, "kind": "secret", "text": "Password: "}
        ]))
        .unwrap();
        asks.notes = vec!["cannot write the files: disk full".to_owned()];
        asks.notes = vec!["cannot write the files: disk full".to_owned()];
        asks.held =
            serde_json::from_value(serde_json::json!({"number": 1, "command": ["ssh"]})).unwrap();
        // No browser can open a database.
        asks.ports = vec![5432];
        let lines = lines(
            &app(Some(Phase::Running)),
            Some(&network),
            None,
            &BTreeSet::new(),
        );
        assert_eq!(texts(&lines)[1], "\u{25b2} h2: needs input");
        let menu = inside(&lines, "\u{25b2} h2: needs input");
        assert_eq!(texts(menu)[1], "cannot write the files: disk full");
        assert_eq!(menu[2], act("Answer\u{2026}", Act::Answer("h2".to_owned())));
        assert_eq!(
            menu[3],
            act("Approve its command\u{2026}", Act::Approve("h2".to_owned()))
        );
        assert_eq!(texts(menu)[0].chars().count(), REASON_MAX + 1);
        assert!(
            !texts(menu)
                .iter()
                .any(|text| text.starts_with("Open") || text.contains("://"))
        );
        let stopped = inside(&lines, "\u{25cb} h1: stopped");
        assert_eq!(texts(stopped).last(), Some(&"Start"));
    }

    #[test]
    fn a_large_network_has_a_short_menu_with_the_hosts_in_trouble() {
        let mut states = [HostState::Ready; 300];
        states[299] = HostState::Waiting;
        let network = network(&states);
        let lines = lines(
            &app(Some(Phase::Running)),
            Some(&network),
            None,
            &BTreeSet::new(),
        );
        assert!(lines.len() < 30, "{} lines", lines.len());
        assert!(texts(&lines).contains(&"285 more\u{2026}"));
        assert_eq!(texts(&lines)[1], "\u{25cc} h299: retrying");
    }

    #[test]
    fn a_change_that_waits_is_the_first_line() {
        let mut network = network(&[HostState::Ready]);
        network.snapshot.held = Some(norouter::view::HeldChange {
            number: 1,
            grants: Vec::new(),
        });
        let lines = lines(
            &app(Some(Phase::Running)),
            Some(&network),
            None,
            &BTreeSet::new(),
        );
        assert_eq!(
            lines[1],
            act("Review the changed manifest\u{2026}", Act::Review)
        );
    }

    #[test]
    fn while_nothing_runs_other_networks_are_offered() {
        let recent = |name: &str, exists| crate::view::Recent {
            path: format!("/a/{name}.yaml"),
            name: name.to_owned(),
            exists,
        };
        let app = App {
            recent: vec![
                recent("office", true),
                recent("lab", true),
                recent("gone", false),
            ],
            running: vec!["shop".to_owned()],
            ..app(None)
        };
        let needy = ["lab-2".to_owned()].into();
        let lines = lines(&app, None, None, &needy);
        assert_eq!(
            texts(&lines),
            [
                "office is not running",
                "Start the network",
                "Recent networks",
                "Open a manifest\u{2026}",
                "Try the demo network",
                "Other running networks",
                "Show NoRouter",
                "Quit",
            ]
        );
        let lab = act("lab", Act::Open("/a/lab.yaml".to_owned()));
        assert_eq!(inside(&lines, "Recent networks"), [lab]);
        let others = [("\u{25b2} lab-2", "lab-2"), ("shop", "shop")];
        let others = others.map(|(text, name)| act(text, Act::Attach(name.to_owned())));
        assert_eq!(inside(&lines, "Other running networks"), others);
    }

    #[test]
    fn a_line_knows_its_act_again() {
        let plain = PLAIN.iter().map(|(_, act)| act.clone());
        let named = NAMED.iter().map(|(_, make)| make("a b:80".to_owned()));
        for act in plain.chain(named) {
            assert_eq!(Act::of(&act.id()), Some(act));
        }
        assert_eq!(Act::of("else"), None);
    }
}
