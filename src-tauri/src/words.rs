//! Every word that the app says outside its page: menu of the tray, notifications and dialogs of the desktop. The page's
//! are in `ui/src/lib/strings`; what an error says is written where the error arises.

use norouter::view::HostState;

pub(crate) const APP: &str = "NoRouter";

/// The menu of the tray.
pub(crate) mod menu {
    use super::HostState;

    pub(crate) const NONE_OPEN: &str = "No network is open";
    pub(crate) const START: &str = "Start";
    pub(crate) const STOP: &str = "Stop";
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
        format!("{network}: {up} of {of} hosts ready")
    }

    /// A host, with a mark whose shape says how it is.
    pub(crate) fn host(mark: &str, name: &str, state: HostState) -> String {
        format!("{mark} {name}: {}", state.word())
    }

    pub(crate) fn more(hosts: usize) -> String {
        format!("{hosts} more in the window")
    }

    pub(crate) fn browse(host: &str, port: u16) -> String {
        format!("Open {host}:{port} in the browser")
    }

    pub(crate) fn copy(address: &str, host: &str) -> String {
        format!("Copy {address} ({host})")
    }

    /// What the icon says under a pointer.
    pub(crate) fn tooltip(head: &str) -> String {
        format!("NoRouter - {head}")
    }
}

/// The titles of notifications.
pub(crate) mod notice {
    pub(crate) const RECOVERED: &str = "All hosts can be reached again";

    pub(crate) fn needs_you(host: &str) -> String {
        format!("{host} needs you")
    }

    pub(crate) fn lost(host: &str) -> String {
        format!("{host} cannot be reached")
    }

    /// Several hosts, of which some wait for the person.
    pub(crate) fn several(hosts: usize, asking: usize) -> String {
        if asking == hosts {
            format!("{hosts} hosts need you")
        } else if asking > 0 {
            format!("{hosts} hosts cannot be reached, {asking} of them without you")
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
    use std::path::Path;

    pub(crate) const OPEN: &str = "Open a manifest";
    pub(crate) const MANIFESTS: &str = "Manifests";
    pub(crate) const PLACE: &str = "Where should the manifest be?";
    pub(crate) const QUIT: &str = "Quit";
    pub(crate) const CANCEL: &str = "Cancel";
    pub(crate) const FAILED: &str = "That did not work";

    pub(crate) fn not_opened(file: &Path) -> String {
        format!("{} was not opened", file.display())
    }

    pub(crate) fn quit(network: &str) -> String {
        format!("Quit NoRouter and stop the network \"{network}\"?")
    }

    /// What ends with a network that has so many open connections.
    pub(crate) fn what_ends(flows: usize) -> String {
        match flows {
            0 => "Its hosts cannot be reached any more until you start it again.".to_owned(),
            1 => "One open connection will be cut.".to_owned(),
            many => format!("{many} open connections will be cut."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::dialog::what_ends;

    #[test]
    fn what_ends_is_counted() {
        assert!(what_ends(1).starts_with("One"));
        assert!(what_ends(12).starts_with("12"));
    }
}
