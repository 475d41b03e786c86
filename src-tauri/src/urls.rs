//! The URLs that the page may open in the browser.

use norouter::{
    plan::Plan,
    view::{HostView, NetworkView},
};
use tauri::Url;

use crate::desk::Desk;

/// Limit on the length of a URL, in bytes.
const URL_MAX: usize = 2_048;

/// Returns the URL if it leads to the shown network, and an error otherwise. The page must not open any other URL in
/// the browser without a click on it.
pub(crate) fn address_of_the_network(desk: &Desk, text: &str) -> Result<String, String> {
    let network = desk.network().ok_or("no network runs")?;
    checked_address(&network, text)
        .ok_or_else(|| "only addresses of the network can be opened".to_owned())
}

/// Returns a URL that a person has clicked. It must lead to the shown network, or a host that is in trouble must name
/// it now. A command names a URL, for example, if its user has to log in with a browser. Such a URL comes from another
/// program, so the page shows all of it, and only a click opens it.
pub(crate) fn clicked_address(desk: &Desk, text: &str) -> Result<String, String> {
    let network = desk.network().ok_or("no network runs")?;
    checked_address(&network, text)
        .or_else(|| told_address(&network, text))
        .ok_or_else(|| {
            "only addresses of the network, and those that a host in trouble names now, can be opened"
                .to_owned()
        })
}

/// The URL of a published port for a browser; `None` if it is probably not a web server. The service is guessed from
/// the port that the host dials. If the plan is not known, it is guessed from the published port. The page has the same
/// rule in `copies.ts`.
pub(crate) fn page_of(host: &HostView, port: u16, plan: Option<&Plan>) -> Option<String> {
    let hosts = plan.map_or(&[][..], |plan| &plan.hosts);
    let mut hosts = hosts.iter().filter(|it| it.name.as_str() == host.name);
    let forwards = hosts.next().map_or(&[][..], |it| &it.forwards);
    let mut forwards = forwards.iter().filter(|it| it.listen_port.get() == port);
    let dialled = forwards.next().map(|it| it.target.port.get());
    let known = |port: u16| {
        Some(match port {
            80 | 8080 => Some("http"),
            443 | 6443 | 8443 => Some("https"),
            22 | 3306 | 5432 | 5900 | 6379 | 27_017 => None,
            _ => return None,
        })
    };
    let scheme = dialled.and_then(known).or_else(|| known(port));
    let scheme = scheme.unwrap_or(Some("http"))?;
    let vip = &host.vip;
    Some(match (scheme, port) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{vip}/"),
        _ => format!("{scheme}://{vip}:{port}/"),
    })
}

fn told_address(network: &NetworkView, text: &str) -> Option<String> {
    if text.len() > URL_MAX {
        return None;
    }
    let url: Url = text.parse().ok()?;
    // A person could mistake the part before an @ for the machine to which the URL leads.
    let plain = url.username().is_empty() && url.password().is_none();
    let mut hosts = network.snapshot.hosts.iter();
    let is_told = hosts.any(|host| {
        texts(host)
            .into_iter()
            .any(|it| urls_in(it).any(|it| it == text))
    });
    (plain && is_told).then(|| url.to_string())
}

/// The texts of a host about its present trouble: those of its troubles and, while the host is not up, the last line of
/// its command.
fn texts(host: &HostView) -> Vec<&str> {
    let mut texts: Vec<_> = host.reason.as_deref().into_iter().collect();
    for trouble in &host.troubles {
        texts.push(&trouble.what);
        texts.extend(trouble.said.as_deref());
    }
    if !host.state.is_up() {
        texts.extend(host.stderr.last().map(String::as_str));
    }
    texts
}

/// The URLs in a text. The page has the same rule in `links.ts`. A URL has only visible ASCII characters, and no quotes
/// or brackets, because these may stand around it. A full stop or a similar sign at its end belongs to the sentence.
fn urls_in(text: &str) -> impl Iterator<Item = &str> {
    let fits = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(c);
    let mut rest = text;
    std::iter::from_fn(move || {
        let starts = ["http://", "https://"].map(|scheme| rest.find(scheme));
        let start = starts.into_iter().flatten().min()?;
        let found = &rest[start..];
        let (url, after) = found.split_at(found.find(|c| !fits(c)).unwrap_or(found.len()));
        rest = after;
        Some(url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']))
    })
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
    fn a_url_is_opened_only_while_a_host_in_trouble_names_it() {
        let login = "https://login.example.com/a/1?b=2&c=3#d";
        let mut web = host("web1", HostState::Waiting);
        web.reason = Some(format!("log in at <{login}>, please"));
        web.stderr = vec![
            "old: http://old.example.com/".to_owned(),
            format!("To authenticate, visit: {login}. http://two.example.com:81/x)"),
        ];
        let troubled = network(vec![web.clone()]);
        assert_eq!(told_address(&troubled, login).as_deref(), Some(login));
        assert!(told_address(&troubled, "http://two.example.com:81/x").is_some());
        for bad in [
            "",
            "http://old.example.com/",
            "https://login.example.com/a/1",
            "https://login.example.com/",
            "https://login.example.com/a/1?b=2&c=3#d.",
            "https://evil.example.com/",
            "To authenticate, visit",
        ] {
            assert_eq!(told_address(&troubled, bad), None, "{bad}");
        }
        web.stderr = vec![
            "https://me@example.com/ ftp://example.com/ javascript:alert(1) file:///etc/passwd"
                .to_owned(),
        ];
        let odd = network(vec![web.clone()]);
        for bad in [
            "https://me@example.com/",
            "ftp://example.com/",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ] {
            assert_eq!(told_address(&odd, bad), None, "{bad}");
        }
        web.state = HostState::Ready;
        web.reason = None;
        web.stderr = vec![login.to_owned()];
        let well = network(vec![web]);
        assert_eq!(told_address(&well, login), None, "a host that is well");
    }

    #[test]
    fn a_page_is_offered_only_where_a_browser_shows_one() {
        let web = host("web1", HostState::Ready);
        let page = |port, plan| page_of(&web, port, plan);
        for (port, url) in [
            (80, Some("http://127.0.42.101/")),
            (3000, Some("http://127.0.42.101:3000/")),
            (8443, Some("https://127.0.42.101:8443/")),
            (5432, None),
            (22, None),
        ] {
            assert_eq!(page(port, None).as_deref(), url, "{port}");
        }
        let text = "hosts: {web1: {vip: 127.0.42.101, cmd: 'true', ports: ['9000:127.0.0.1:5432', '22:127.0.0.1:443']}}";
        let plan = norouter::plan::load("n.yaml", text).plan.unwrap();
        assert_eq!(page(9000, Some(&plan)), None);
        let url = "https://127.0.42.101:22/";
        assert_eq!(page(22, Some(&plan)).as_deref(), Some(url));
    }

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
