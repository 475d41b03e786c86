//! The texts of the app's program: the menu of the tray, notifications, system dialogs, and the titles of failures. The
//! texts of the page are in `ui/src/lib/strings`. The text of an error is written where the error arises.

use norouter::{text::figures::counted, view::HostState};

pub(crate) const APP: &str = "NoRouter";

/// The menu of the tray.
pub(crate) mod menu {
    use super::{APP, HostState, counted};

    pub(crate) const NONE_OPEN: &str = "No network is open";
    pub(crate) const OPEN: &str = "Open a manifest\u{2026}";
    pub(crate) const DEMO: &str = "Try the demo network";
    pub(crate) const RECENT: &str = "Recent networks";
    pub(crate) const OTHERS: &str = "Other running networks";
    pub(crate) const START: &str = "Start the network";
    pub(crate) const STOP: &str = "Stop the network";
    pub(crate) const RELOAD: &str = "Reload the manifest";
    pub(crate) const REVIEW: &str = "Review the changed manifest\u{2026}";
    pub(crate) const SHOW: &str = "Show NoRouter";
    pub(crate) const QUIT: &str = "Quit";

    /// The lines of the menu of one host.
    pub(crate) const ANSWER: &str = "Answer\u{2026}";
    pub(crate) const APPROVE: &str = "Approve its command\u{2026}";
    pub(crate) const DETAILS: &str = "Show details";
    pub(crate) const RESTART: &str = "Restart";
    pub(crate) const START_HOST: &str = "Start";

    /// The line of another running network in which something waits for the person.
    pub(crate) fn in_need(name: &str) -> String {
        format!("\u{25b2} {name}")
    }

    pub(crate) fn starting(network: &str) -> String {
        format!("{network}: starting")
    }

    pub(crate) fn stopped(network: &str) -> String {
        format!("{network} is not running")
    }

    pub(crate) fn ending(network: &str) -> String {
        format!("{network}: stopping")
    }

    pub(crate) fn up(network: &str, up: usize, of: usize) -> String {
        format!("{network}: {up} of {} up", counted(of, "host"))
    }

    /// A host, with a symbol for its state.
    pub(crate) fn host(mark: &str, name: &str, state: HostState) -> String {
        format!("{mark} {name}: {}", state.word())
    }

    pub(crate) fn more(hosts: usize) -> String {
        format!("{hosts} more\u{2026}")
    }

    pub(crate) fn browse(host: &str, port: u16) -> String {
        format!("Open {host}:{port} in the browser")
    }

    pub(crate) fn copy(text: &str) -> String {
        format!("Copy {text}")
    }

    /// The tooltip of the tray icon.
    pub(crate) fn tooltip(head: &str) -> String {
        format!("{APP}: {head}")
    }
}

/// The notifications.
pub(crate) mod notice {
    use norouter::view::HostState;

    pub(crate) const RECOVERED: &str = "All hosts are back";
    pub(crate) const CHANGED: &str = "The manifest has changed and needs your approval";
    pub(crate) const SHOW: &str = "Show";

    pub(crate) fn needs_input(host: &str) -> String {
        format!("{host} needs input")
    }

    pub(crate) fn down(host: &str) -> String {
        format!("{host} is down")
    }

    /// The title if several hosts are down. Of these, `asking` hosts need input.
    pub(crate) fn several(hosts: usize, asking: usize) -> String {
        let need = if asking == 1 { "needs" } else { "need" };
        if asking == hosts {
            format!("{hosts} hosts need input")
        } else if asking > 0 {
            format!("{hosts} hosts down, {asking} {need} input")
        } else {
            format!("{hosts} hosts down")
        }
    }

    /// One of several hosts, with the reason for its state.
    pub(crate) fn host(name: &str, state: HostState, reason: Option<&str>) -> String {
        match reason {
            Some(reason) => format!("{name}: {} ({reason})", state.word()),
            None => format!("{name}: {}", state.word()),
        }
    }

    /// A reason as a sentence.
    pub(crate) fn sentence(reason: &str) -> String {
        let mut letters = reason.chars();
        let first = letters.next().map(char::to_uppercase);
        let end = if reason.ends_with(['.', '?', '!', ':']) {
            ""
        } else {
            "."
        };
        match first {
            Some(first) => format!("{}{}{end}", first, letters.as_str()),
            None => String::new(),
        }
    }

    /// The text about a host, for a network that is not shown.
    pub(crate) fn of(network: &str, text: &str) -> String {
        if text.is_empty() {
            return format!("Network: {network}");
        }
        format!("Network: {network}\n{text}")
    }

    pub(crate) fn copied(text: &str) -> String {
        format!("Copied {text}")
    }
}

/// The dialogs of the desktop.
pub(crate) mod dialog {
    use super::counted;

    pub(crate) const OPEN: &str = "Open a manifest";
    pub(crate) const MANIFESTS: &str = "Manifests";
    pub(crate) const PLACE: &str = "Where should the manifest be saved?";
    pub(crate) const QUIT: &str = "Quit";
    pub(crate) const CANCEL: &str = "Cancel";
    pub(crate) const STOP: &str = "Stop";
    pub(crate) const APPROVE: &str = "Approve";
    pub(crate) const SAVE_REPORT: &str = "Save the diagnostics";
    pub(crate) const SAVE_LOG: &str = "Save the log";

    pub(crate) fn quit(network: &str) -> String {
        format!("Quit NoRouter and stop the network \"{network}\"?")
    }

    pub(crate) fn quit_several(networks: usize) -> String {
        format!("Quit NoRouter and stop {}?", counted(networks, "network"))
    }

    pub(crate) fn approve(host: &str) -> String {
        format!("Run this command for \"{host}\"?")
    }

    pub(crate) fn stop(network: &str) -> String {
        format!("Stop the network \"{network}\"?")
    }

    /// Says what would end if networks with this many hosts and open connections were stopped. The page has the same
    /// text for a single network, in `ui/src/lib/strings/shell.ts`.
    pub(crate) fn what_ends(hosts: usize, flows: usize) -> String {
        let used = match flows {
            0 if hosts == 1 => "Nothing is using it now.".to_owned(),
            0 => "Nothing is using them now.".to_owned(),
            flows => format!("{} will be cut.", counted(flows, "open connection")),
        };
        format!("Disconnects {}. {used}", counted(hosts, "host"))
    }
}

/// The texts for a person who starts the app a second time, while the first app still runs but does not answer.
#[cfg(target_os = "linux")]
pub(crate) mod first {
    pub(crate) const SILENT: &str = "NoRouter is already running and does not respond";

    pub(crate) fn end(pid: u32) -> String {
        format!("End its process {pid}, and start NoRouter again.")
    }
}

/// The titles of failures. In the window, the report of a failure is below its title.
pub(crate) mod failure {
    use std::path::Path;

    pub(crate) const BROWSE: &str = "Could not open the browser";
    pub(crate) const COPY: &str = "Could not copy";
    pub(crate) const STOP: &str = "Could not stop the network";
    pub(crate) const RESTART: &str = "Could not restart the host";
    pub(crate) const APPROVE: &str = "Could not approve the command";
    pub(crate) const SHOW: &str = "Could not show the network";
    pub(crate) const START: &str = "Could not start the network";
    pub(crate) const ENDED: &str = "The network has ended unexpectedly";
    pub(crate) const UNSEEN: &str = "Lost contact with the network";
    pub(crate) const RELOAD: &str = "Manifest not applied, network unchanged";
    pub(crate) const FILES: &str = "A file of NoRouter is damaged";
    pub(crate) const OPEN: &str = "Could not open the manifest";

    pub(crate) fn not_opened(file: &Path) -> String {
        let name = file.file_name().unwrap_or(file.as_os_str());
        format!("Could not open {}", name.display())
    }

    /// The title of a failure of a network that is not shown.
    pub(crate) fn of(network: &str, title: &str) -> String {
        format!("{network}: {title}")
    }

    pub(crate) fn not_started(file: &Path) -> String {
        let name = file.file_name().unwrap_or(file.as_os_str());
        format!("Could not start {}", name.display())
    }

    pub(crate) fn not_started_several(networks: usize) -> String {
        format!("Could not start {networks} networks")
    }

    pub(crate) fn not_runnable(file: &str) -> String {
        format!("{file} has errors")
    }
}

#[cfg(test)]
mod tests {
    use super::dialog::what_ends;

    #[test]
    fn what_ends_is_counted() {
        for (hosts, flows, told) in [
            (1, 0, "Disconnects 1 host. Nothing is using it now."),
            (8, 0, "Disconnects 8 hosts. Nothing is using them now."),
            (8, 1, "Disconnects 8 hosts. 1 open connection will be cut."),
            (
                1,
                12,
                "Disconnects 1 host. 12 open connections will be cut.",
            ),
        ] {
            assert_eq!(what_ends(hosts, flows), told);
        }
    }
}
