//! The proxy's own pages: who may see them, and the content of the status page. A foreign web page cannot read them,
//! either with a script or through a name that is rebound to this machine.

use std::fmt::Write as _;

use super::{
    credentials::same_secret,
    http::{Reply, Request, RequestTarget},
};
use crate::destination::Destination;

/// Allows only the page's own style sheet, and forbids other pages to put this one into a frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page to show for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The status page. [`status`] writes it.
    Status,
    /// The proxy auto-configuration file. [`pac`] makes the answer with it.
    Pac,
    /// The front page, which contains no secrets. [`front`] writes it.
    Front,
}

/// Chooses the page for a request to the proxy itself. `allowed` are the names and addresses of the proxy, with ports.
/// `token` is the secret first part of the status page's path.
pub fn choose(request: &Request, allowed: &[Destination], token: &str) -> Result<Own, Reply> {
    let RequestTarget::Own { path } = &request.target else {
        return Err(Reply::new(404, "That is not a page of this proxy."));
    };
    let host = request
        .headers
        .get("host")
        .and_then(|value| std::str::from_utf8(value).ok())
        .and_then(|value| Destination::parse(value, Some(80)).ok());
    if !host.is_some_and(|host| allowed.contains(&host)) {
        let text = "This is a NoRouter proxy. Its own pages are shown under the address that it listens on; \
                    everything else is to be asked for with a whole address (http://...).";
        return Err(guarded(Reply::new(421, text)));
    }
    let from_elsewhere = ["origin", "referer"]
        .iter()
        .any(|name| request.headers.get(name).is_some())
        || request
            .headers
            .all("sec-fetch-site")
            .any(|site| !matches!(site, b"none" | b"same-origin"));
    if from_elsewhere {
        let text = "Another page sent you here. Write the address into the browser yourself.";
        return Err(guarded(Reply::new(403, text)));
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err(guarded(
            Reply::new(405, "The pages of this proxy are for reading.").with("Allow", "GET, HEAD"),
        ));
    }
    let path = path.split('?').next().unwrap_or_default();
    match path {
        "/" => Ok(Own::Front),
        "/proxy.pac" => Ok(Own::Pac),
        _ => {
            let named = path
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'));
            if !token.is_empty()
                && named.is_some_and(|named| same_secret(named.as_bytes(), token.as_bytes()))
            {
                return Ok(Own::Status);
            }
            Err(guarded(Reply::new(
                404,
                "That is not a page of this proxy.",
            )))
        }
    }
}

/// The answer with the proxy auto-configuration, which is given as JavaScript.
pub fn pac(script: String) -> Reply {
    guarded(Reply::page(
        200,
        "application/x-ns-proxy-autoconfig",
        script,
    ))
}

/// The page that is shown if the address of the proxy is opened without a path.
pub fn front() -> Reply {
    let text = "This is a NoRouter proxy. Its status page has an address of its own, which \"norouter env\" prints on \
                this machine. Browsers find their settings at /proxy.pac.";
    guarded(Reply::new(200, text))
}

/// The content of the status page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The name of the host that serves the page.
    pub name: String,
    /// The address of the host in the network.
    pub vip: String,
    /// All hosts.
    pub hosts: Vec<PageHost>,
    /// The routes in the order of the manifest.
    pub routes: Vec<PageRoute>,
    /// The problems, one sentence each.
    pub problems: Vec<String>,
}

/// A host on the status page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageHost {
    /// The name of the host.
    pub name: String,
    /// The other names of the host.
    pub aliases: Vec<String>,
    /// The address of the host in the network.
    pub vip: String,
    /// The ports that the host publishes.
    pub ports: Vec<u16>,
}

/// A route on the status page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRoute {
    /// The destinations to which the route leads.
    pub to: Vec<String>,
    /// The exceptions, to which the route does not lead.
    pub not_to: Vec<String>,
    /// The gateways of the route.
    pub via: Vec<String>,
}

/// The status page.
pub fn status(page: &Page) -> Reply {
    guarded(Reply::page(200, "text/html; charset=utf-8", html(page)))
}

/// Adds the header fields that keep browsers from showing the reply to other sites.
fn guarded(reply: Reply) -> Reply {
    reply
        .with("Content-Security-Policy", POLICY)
        .with("X-Content-Type-Options", "nosniff")
        .with("Cross-Origin-Resource-Policy", "same-origin")
        .with("Referrer-Policy", "no-referrer")
        .with("Cache-Control", "no-store")
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2024;--paper:#fff;--soft:#60646c;--line:#d9d9e0;--alarm:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#edeef0;--paper:#18191b;--soft:#b0b4ba;--line:#43484e;--alarm:#ff9592}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}code{font-family:ui-monospace,monospace}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem 1rem .4rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:500}p,li{overflow-wrap:anywhere}.soft{color:var(--soft)}.alarm{color:var(--alarm)}a{color:inherit}";

fn html(page: &Page) -> String {
    let name = escape(&page.name);
    let mut out = String::new();
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{name} - NoRouter</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{name} <code class=\"soft\">{}</code></h1>\n",
        escape(&page.vip)
    );
    if page.problems.is_empty() {
        out.push_str("<p class=\"soft\">No problem is known on this host.</p>\n");
    } else {
        out.push_str("<h2>Problems</h2>\n<ul class=\"alarm\">\n");
        for problem in &page.problems {
            let _ = writeln!(out, "<li>{}</li>", escape(problem));
        }
        out.push_str("</ul>\n");
    }
    let rows = page.hosts.iter().map(|host| {
        let ports: Vec<String> = host.ports.iter().map(u16::to_string).collect();
        [
            host.name.clone(),
            host.aliases.join(", "),
            host.vip.clone(),
            ports.join(", "),
        ]
    });
    table(
        &mut out,
        "Hosts",
        ["Name", "Other names", "Address", "Ports"],
        rows,
    );
    let rows = page.routes.iter().map(|route| {
        [
            route.to.join(", "),
            route.not_to.join(", "),
            route.via.join(", "),
        ]
    });
    if rows.len() > 0 {
        table(
            &mut out,
            "Routes; of two that fit, the upper one is used",
            ["To", "Except", "Through"],
            rows.rev(),
        );
    }
    out.push_str("<p class=\"soft\">Settings for browsers: <a href=\"/proxy.pac\">/proxy.pac</a></p>\n</body>\n</html>\n");
    out
}

fn table<const N: usize>(
    out: &mut String,
    title: &str,
    columns: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let _ = writeln!(
        out,
        "<h2>{title}</h2>\n<table>\n<thead><tr>{}</tr></thead>\n<tbody>",
        {
            columns
                .map(|column| format!("<th scope=\"col\">{column}</th>"))
                .concat()
        }
    );
    for row in rows {
        let cells = row
            .map(|cell| format!("<td>{}</td>", escape(&cell)))
            .concat();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</tbody>\n</table>\n");
}

/// Escapes a text for HTML, for use in an element or an attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in crate::text::escape(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn ask(path: &str, fields: &str) -> Result<Own, u16> {
        let head = format!("GET {path} HTTP/1.1\r\n{fields}\r\n");
        let allowed = ["127.0.0.1:18080", "localhost:18080"]
            .map(|text| Destination::parse(text, None).unwrap());
        let (request, _) = Request::parse(head.as_bytes()).unwrap().unwrap();
        choose(&request, &allowed, TOKEN).map_err(|reply| reply.status())
    }

    #[test]
    fn the_pages_are_found_under_the_proxys_own_addresses() {
        for host in ["127.0.0.1:18080", "localhost:18080", "LOCALHOST:18080"] {
            let fields = format!("Host: {host}\r\n");
            assert_eq!(ask("/", &fields), Ok(Own::Front));
            assert_eq!(ask("/proxy.pac", &fields), Ok(Own::Pac));
            assert_eq!(ask("/proxy.pac?1", &fields), Ok(Own::Pac));
            assert_eq!(ask(&format!("/{TOKEN}/"), &fields), Ok(Own::Status));
            assert_eq!(ask(&format!("/{}/", "0".repeat(32)), &fields), Err(404));
            assert_eq!(ask("//", &fields), Err(404));
        }
    }

    #[test]
    fn a_name_that_suddenly_means_this_machine_shows_nothing() {
        for host in [
            "evil.example:18080",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.2:18080",
            "",
            "localhost:18080.evil",
        ] {
            assert_eq!(
                ask("/proxy.pac", &format!("Host: {host}\r\n")),
                Err(421),
                "{host}"
            );
        }
    }

    #[test]
    fn another_page_cannot_ask() {
        for field in [
            "Origin: null",
            "Origin: http://127.0.0.1:18080",
            "Referer: http://evil.example/",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
        ] {
            let fields = format!("Host: localhost:18080\r\n{field}\r\n");
            assert_eq!(ask("/proxy.pac", &fields), Err(403), "{field}");
            assert_eq!(ask(&format!("/{TOKEN}/"), &fields), Err(403), "{field}");
        }
        assert_eq!(
            ask("/", "Host: localhost:18080\r\nSec-Fetch-Site: none\r\n"),
            Ok(Own::Front)
        );
    }

    #[test]
    fn pages_are_read_only() {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n";
        let (request, _) = Request::parse(head).unwrap().unwrap();
        let allowed = [Destination::parse("a", Some(80)).unwrap()];
        assert_eq!(choose(&request, &allowed, TOKEN).unwrap_err().status(), 405);
    }

    #[test]
    fn no_token_is_no_way_in() {
        let head = b"GET // HTTP/1.1\r\nHost: a\r\n\r\n";
        let (request, _) = Request::parse(head).unwrap().unwrap();
        let allowed = [Destination::parse("a", Some(80)).unwrap()];
        assert_eq!(choose(&request, &allowed, "").unwrap_err().status(), 404);
    }

    #[test]
    fn nothing_on_the_page_is_more_than_text() {
        let evil = "<script>'\"&\u{202e}".to_owned();
        let page = Page {
            name: evil.clone(),
            vip: evil.clone(),
            hosts: vec![PageHost {
                name: evil.clone(),
                aliases: vec![evil.clone()],
                vip: evil.clone(),
                ports: vec![80, 443],
            }],
            routes: vec![PageRoute {
                to: vec![evil.clone()],
                not_to: vec![evil.clone()],
                via: vec![evil.clone()],
            }],
            problems: vec![evil],
        };
        let reply = status(&page);
        let html = reply.body();
        assert!(!html.contains("<script"));
        assert!(!html.contains('\u{202e}'));
        assert_eq!(html.matches("&lt;script&gt;&#39;&quot;&amp;").count(), 10);
        assert!(html.contains("<td>80, 443</td>"));
        let head = String::from_utf8(reply.bytes(None).to_vec()).unwrap();
        assert!(head.contains("\r\nContent-Security-Policy: default-src 'none'; "));
        assert!(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"));
        assert!(head.contains("\r\nCache-Control: no-store\r\n"));
    }
}
