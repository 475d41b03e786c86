//! The URLs that the page may open in the browser.

use norouter::view::NetworkView;
use tauri::Url;

use crate::desk::Desk;

/// Limit on the length of a URL, in bytes.
const URL_MAX: usize = 2_048;

/// Returns the URL if it leads to the shown network, and an error otherwise. The page must not open any other URL in
/// the browser.
pub(crate) fn address_of_the_network(desk: &Desk, text: &str) -> Result<String, String> {
    let network = desk.network().ok_or("no network runs")?;
    checked_address(&network, text)
        .ok_or_else(|| "only addresses of the network can be opened".to_owned())
}

fn checked_address(network: &NetworkView, text: &str) -> Option<String> {
    if text.len() > URL_MAX {
        return None;
    }
    let url: Url = text.parse().ok()?;
    let plain = ["http", "https"].contains(&url.scheme())
        && url.username().is_empty()
        && url.password().is_none();
    let port = url.port_or_known_default()?;
    let host = url.host_str()?;
    let known = |it: &&norouter::view::HostView| {
        (it.vip == host || it.name == host) && it.ports.contains(&port)
    };
    let found = network.snapshot.hosts.iter().find(known);
    (plain && found.is_some()).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use norouter::view::HostState;

    use super::*;
    use crate::testing::{host, network};

    #[test]
    fn only_addresses_of_the_network_are_opened() {
        let mut web = host("web1", HostState::Ready);
        web.ports = vec![80, 8080];
        let network = network(vec![web]);
        for good in [
            "http://127.0.42.101:8080/",
            "http://127.0.42.101:8080/a?b#c",
            "https://127.0.42.101:8080",
            "http://127.0.42.101/",
            "http://web1:8080/",
        ] {
            assert!(checked_address(&network, good).is_some(), "{good}");
        }
        for bad in [
            "",
            "http://127.0.42.101:81/",
            "http://127.0.42.102:8080/",
            "http://127.0.42.101:8080@example.com/",
            "http://me@127.0.42.101:8080/",
            "http://example.com:8080/",
            "http://web1.example.com:8080/",
            "https://127.0.42.101/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ftp://127.0.42.101:8080/",
            "--help",
            "http://127.0.42.101:8080\n--flag",
        ] {
            assert_eq!(checked_address(&network, bad), None, "{bad}");
        }
        let long = format!("http://127.0.42.101:8080/{}", "x".repeat(URL_MAX));
        assert_eq!(checked_address(&network, &long), None);
    }
}
