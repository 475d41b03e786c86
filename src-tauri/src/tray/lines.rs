//! The content of the tray as values: one of four shapes of the icon, and a flat list of menu lines. Nothing is drawn
//! here.

use norouter::view::{HostState, HostView, NetworkView};

use crate::{
    view::{App, Phase, Shown},
    words::menu,
};

/// How many hosts are listed. The window shows all of them.
const HOSTS_MAX: usize = 15;

/// How many published ports are listed.
const PORTS_MAX: usize = 12;

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
    /// Show the window.
    Show,
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
    /// A separator.
    Gap,
}

impl Act {
    /// The action encoded as the id of a menu line.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Reload => "reload".to_owned(),
            Self::Show => "show".to_owned(),
            Self::Quit => "quit".to_owned(),
            Self::Copy(text) => format!("copy {text}"),
            Self::Browse(url) => format!("browse {url}"),
        }
    }

    /// Decodes the action from the id of a menu line.
    pub(crate) fn of(id: &str) -> Option<Self> {
        Some(match id {
            "start" => Self::Start,
            "stop" => Self::Stop,
            "reload" => Self::Reload,
            "show" => Self::Show,
            "quit" => Self::Quit,
            _ => match id.split_once(' ')? {
                ("copy", text) => Self::Copy(text.to_owned()),
                ("browse", url) => Self::Browse(url.to_owned()),
                _ => return None,
            },
        })
    }
}

/// The shape for the app and its network.
pub(crate) fn shape(app: &App, network: Option<&NetworkView>) -> Shape {
    let Some(shown) = &app.network else {
        return Shape::Off;
    };
    let hosts = network.map_or(&[][..], |network| &network.snapshot.hosts);
    let is_coming = |host: &HostView| !host.state.is_up() && host.state != HostState::Stopped;
    let held = network.is_some_and(|network| network.snapshot.held.is_some());
    if held || hosts.iter().any(HostView::needs_attention) {
        Shape::Attention
    } else if shown.phase != Phase::Running || hosts.iter().any(is_coming) {
        Shape::Connecting
    } else {
        Shape::On
    }
}

/// The menu for the app and its network.
pub(crate) fn lines(app: &App, network: Option<&NetworkView>) -> Vec<Line> {
    let mut lines = Vec::new();
    match (&app.network, network) {
        (Some(shown), Some(network)) => running(&mut lines, shown, &network.snapshot.hosts),
        (Some(shown), None) => lines.push(Line::Text(menu::starting(&shown.name), None)),
        (None, _) => match &app.manifest {
            Some(manifest) => {
                let name = norouter::driver::manager::NetworkName::of_manifest(manifest.as_ref());
                lines.push(Line::Text(menu::stopped(&name.to_string()), None));
                lines.push(Line::Text(menu::START.to_owned(), Some(Act::Start)));
            }
            None => lines.push(Line::Text(menu::NONE_OPEN.to_owned(), None)),
        },
    }
    lines.push(Line::Gap);
    lines.push(Line::Text(menu::SHOW.to_owned(), Some(Act::Show)));
    lines.push(Line::Text(menu::QUIT.to_owned(), Some(Act::Quit)));
    lines
}

fn running(lines: &mut Vec<Line>, shown: &Shown, hosts: &[HostView]) {
    let up = hosts.iter().filter(|host| host.state.is_up()).count();
    let name = &shown.name;
    let head = match shown.phase {
        Phase::Ending => menu::ending(name),
        Phase::Starting | Phase::Running => menu::ready(name, up, hosts.len()),
    };
    lines.push(Line::Text(head, None));
    lines.push(Line::Gap);
    for host in hosts.iter().take(HOSTS_MAX) {
        let text = menu::host(mark(host), &host.name, host.state);
        lines.push(Line::Text(text, Some(Act::Copy(host.vip.clone()))));
    }
    if hosts.len() > HOSTS_MAX {
        let rest = hosts.len() - HOSTS_MAX;
        lines.push(Line::Text(menu::more(rest), Some(Act::Show)));
    }
    let ports = hosts
        .iter()
        .filter(|host| host.state.is_up())
        .flat_map(|host| host.ports.iter().map(move |port| (host, port)))
        .take(PORTS_MAX);
    let ports: Vec<_> = ports.collect();
    if !ports.is_empty() {
        lines.push(Line::Gap);
    }
    for (host, port) in ports {
        let (name, address) = (&host.name, format!("{}:{port}", host.vip));
        let url = format!("http://{address}/");
        lines.push(Line::Text(
            menu::browse(name, *port),
            Some(Act::Browse(url)),
        ));
        lines.push(Line::Text(
            menu::copy(name, &address),
            Some(Act::Copy(address)),
        ));
    }
    lines.push(Line::Gap);
    lines.push(Line::Text(menu::RELOAD.to_owned(), Some(Act::Reload)));
    lines.push(Line::Text(menu::STOP.to_owned(), Some(Act::Stop)));
}

/// A symbol for the state of a host, which differs by shape and not only by colour.
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
                shape(&running, Some(&network(states))),
                expected,
                "{states:?}"
            );
        }
        let mut held = network(&[Ready]);
        held.snapshot.held = Some(norouter::view::HeldChange {
            number: 1,
            grants: Vec::new(),
        });
        assert_eq!(shape(&running, Some(&held)), Shape::Attention);
        let ending = app(Some(Phase::Ending));
        assert_eq!(shape(&ending, Some(&network(&[Ready]))), Shape::Connecting);
        assert_eq!(shape(&app(None), None), Shape::Off);
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        let text = |line: &'_ Line| match line {
            Line::Text(text, _) => Some(text.clone()),
            Line::Gap => None,
        };
        assert!(lines.iter().any(|line| text(line).is_some()));
        lines
            .iter()
            .filter_map(|line| match line {
                Line::Text(text, _) => Some(text.as_str()),
                Line::Gap => None,
            })
            .collect()
    }

    #[test]
    fn the_menu_has_the_hosts_their_ports_and_what_can_be_done() {
        let network = network(&[HostState::Ready, HostState::Waiting]);
        let lines = lines(&app(Some(Phase::Running)), Some(&network));
        assert_eq!(
            texts(&lines),
            [
                "office: 1 of 2 hosts ready",
                "\u{25cf} h0: ready",
                "\u{25cc} h1: waiting",
                "Open h0:80 in the browser",
                "Copy 127.0.42.101:80 (h0)",
                "Reload the manifest",
                "Stop the network",
                "Show NoRouter",
                "Quit",
            ]
        );
    }

    #[test]
    fn a_large_network_has_a_short_menu() {
        let network = network(&[HostState::Ready; 300]);
        let lines = lines(&app(Some(Phase::Running)), Some(&network));
        assert!(lines.len() < 60, "{} lines", lines.len());
        assert!(texts(&lines).contains(&"285 more in the window"));
    }

    #[test]
    fn a_line_knows_its_act_again() {
        for act in [
            Act::Start,
            Act::Stop,
            Act::Reload,
            Act::Show,
            Act::Quit,
            Act::Copy("127.0.42.1:80".to_owned()),
            Act::Browse("http://127.0.42.1:80/".to_owned()),
        ] {
            assert_eq!(Act::of(&act.id()), Some(act));
        }
        assert_eq!(Act::of("else"), None);
        assert_eq!(texts(&lines(&app(None), None))[1], "Start the network");
    }
}
