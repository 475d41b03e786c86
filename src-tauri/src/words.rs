//! The texts of the app's program: the menu of the tray, notifications, system dialogs, and the titles of failures. The
//! texts of the page are in `ui/src/lib/strings`; the text of an error is written where the error arises.

use norouter::{text::figures::counted, view::HostState};

pub(crate) const APP: &str = "NoRouter";

/// The menu of the tray.
pub(crate) mod menu {
    use super::{APP, HostState, counted};

    pub(crate) const NONE_OPEN: &str = "No network is open";
    pub(crate) const START: &str = "Start the network";
    pub(crate) const STOP: &str = "Stop the network";
    pub(crate) const RELOAD: &str = "Reload the manifest";
    pub(crate) const SHOW: &str = "Show NoRouter";
    pub(crate) const QUIT: &str = "Quit";

    pub(crate) fn starting(network: &str) -> String {
        format!("{network}: starting")
    }

    pub(crate) fn stopped(network: &str) -> String {
        format!("{network}: stopped")
    }

    pub(crate) fn ending(network: &str) -> String {
        format!("{network}: ending")
    }

    pub(crate) fn ready(network: &str, up: usize, of: usize) -> String {
        format!("{network}: {up} of {} ready", counted(of, "host"))
    }

    /// A host, with a symbol for its state.
    pub(crate) fn host(mark: &str, name: &str, state: HostState) -> String {
        format!("{mark} {name}: {}", state.word())
    }

    pub(crate) fn more(hosts: usize) -> String {
        format!("{hosts} more in the window")
    }

    pub(crate) fn browse(host: &str, port: u16) -> String {
        format!("Open {host}:{port} in the browser")
    }

    pub(crate) fn copy(host: &str, address: &str) -> String {
        format!("Copy {address} ({host})")
    }

    /// The tooltip of the tray icon.
    pub(crate) fn tooltip(head: &str) -> String {
        format!("{APP}: {head}")
    }
}

/// The titles of notifications.
pub(crate) mod notice {
    pub(crate) const RECOVERED: &str = "All hosts can be reached again";
    pub(crate) const CHANGED: &str = "The manifest has changed and waits for you";

    pub(crate) fn needs_answer(host: &str) -> String {
        format!("{host} needs an answer")
    }

    pub(crate) fn lost(host: &str) -> String {
        format!("{host} cannot be reached")
    }

    /// The title if several hosts cannot be reached, of which `asking` wait for an answer.
    pub(crate) fn several(hosts: usize, asking: usize) -> String {
        if asking == hosts {
            format!("{hosts} hosts need an answer")
        } else if asking > 0 {
            let need = if asking == 1 { "needs" } else { "need" };
            format!("{hosts} hosts cannot be reached; {asking} of them {need} an answer")
        } else {
            format!("{hosts} hosts cannot be reached")
        }
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
    pub(crate) const SAVE_REPORT: &str = "Save the diagnostics";
    pub(crate) const SAVE_LOG: &str = "Save the log";

    pub(crate) fn quit(network: &str) -> String {
        format!("Quit NoRouter and stop the network \"{network}\"?")
    }

    pub(crate) fn stop(network: &str) -> String {
        format!("Stop the network \"{network}\"?")
    }

    /// The consequences of stopping a network with this many open connections. The page says the same in
    /// `ui/src/lib/strings/shell.ts`.
    pub(crate) fn what_ends(flows: usize) -> String {
        match flows {
            0 => "Its hosts cannot be reached until you start it again.".to_owned(),
            flows => format!("{} will be cut.", counted(flows, "open connection")),
        }
    }
}

/// The titles of failures; the report of each is below its title in the window.
pub(crate) mod failure {
    use std::path::Path;

    pub(crate) const ACT: &str = "That did not work";
    pub(crate) const START: &str = "The network cannot be started";
    pub(crate) const ENDED: &str = "The network has ended unexpectedly";
    pub(crate) const UNSEEN: &str = "The network cannot be seen any more";
    pub(crate) const RELOAD: &str = "The manifest was not applied; the network goes on as it is";
    pub(crate) const FILES: &str = "A file of the app could not be understood";

    pub(crate) fn not_opened(file: &Path) -> String {
        format!("{} was not opened", file.display())
    }

    pub(crate) fn not_runnable(file: &str) -> String {
        format!("{file} cannot be run")
    }
}

#[cfg(test)]
mod tests {
    use super::dialog::what_ends;

    #[test]
    fn what_ends_is_counted() {
        assert_eq!(what_ends(1), "1 open connection will be cut.");
        assert_eq!(what_ends(12), "12 open connections will be cut.");
    }
}
