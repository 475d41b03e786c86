//! `norouter open`: opens the page of a service in the person's browser.

use std::{env, fmt::Write as _, process::Command, time::Duration};

use super::{
    addr::{by_address, note_state},
    error::{Error, Exit},
    output,
    reach::{self, Service, WhichNetwork, wait_for},
};
use crate::{
    destination::{Pasted, UrlParts},
    driver::system::describe,
    text::escape,
    view::HostView,
};

/// How long the program that starts a browser is watched. If it still runs then, the browser has probably started.
const START_MAX: Duration = Duration::from_secs(2);

/// Ports at which services usually have pages.
const WEB: [u16; 4] = [80, 443, 8080, 8443];

/// The ports at which pages are usually encrypted.
const ENCRYPTED: [u16; 2] = [443, 8443];

/// Open the page of a service in the browser
///
/// The address in the browser is the VIP of the host, so the browser needs no proxy. The path and the query of a URL
/// are kept. The scheme is https for the ports 443 and 8443, and http for all others, unless a URL names it. With
/// https, the browser warns if the certificate is valid for the name of the host, but not for the VIP.
///
/// The port can be left out if the host publishes only one port, or only one of the ports 80, 443, 8080 and 8443. The
/// browser is the one that $BROWSER names, or else that of the desktop. If no browser can be started, prints the URL,
/// and exits with 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host, by name, alias or VIP, perhaps with a port that it publishes; or a URL
    #[arg(value_name = "NAME[:PORT]", value_hint = clap::ValueHint::Other, value_parser = page)]
    page: Page,
    /// Print the URL, and open nothing
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    network: WhichNetwork,
}

/// The page that a person has pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    service: Pasted,
    /// Whether the scheme is https; `None` if the person has not named a scheme.
    is_encrypted: Option<bool>,
    /// The path, the query and the fragment.
    rest: String,
}

fn page(text: &str) -> Result<Page, String> {
    let UrlParts { scheme, rest, .. } = UrlParts::of(text);
    let is = |scheme: &str, other| scheme.eq_ignore_ascii_case(other);
    let is_encrypted = match scheme {
        None => None,
        Some(scheme) if is(scheme, "http") => Some(false),
        Some(scheme) if is(scheme, "https") => Some(true),
        Some(_) => return Err("a browser opens http:// and https:// only".to_owned()),
    };
    Ok(Page {
        service: reach::pasted(text)?,
        is_encrypted,
        rest: encoded(rest),
    })
}

/// Escapes all characters of a part of a URL that must not occur in a URL (RFC 3986 section 2).
fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let url = wait_for(async {
        let client = args.network.client().await?;
        let snapshot = client.network().await?.snapshot;
        let Service { host, port } = by_address(&client, &snapshot, &args.page.service).await?;
        let port = match port {
            Some(port) => port,
            None => page_port(host)?,
        };
        note_state(host);
        Ok(args.page.url(&host.vip, port))
    })?;
    if args.print {
        output::data(&format!("{url}\n"))?;
        return Ok(Exit::Ok);
    }
    output::talk(&format!("opening {url}"));
    let Err(reason) = browse(&url) else {
        return Ok(Exit::Ok);
    };
    output::data(&format!("{url}\n"))?;
    let message = format!("no browser can be started: {}", escape(&reason));
    Err(Error::new(Exit::Failure, message).hint("open the printed address yourself"))
}

/// The port to open if the person has named none.
fn page_port(host: &HostView) -> Result<u16, Error> {
    if let [port] = host.ports.as_slice() {
        return Ok(*port);
    }
    let mut web = host.ports.iter().filter(|port| WEB.contains(port));
    if let (Some(port), None) = (web.next(), web.next()) {
        return Ok(*port);
    }
    let name = &host.name;
    if host.ports.is_empty() {
        return Err(
            Error::new(Exit::Failure, format!("{name} has no page")).hint(reach::published(host))
        );
    }
    let message = format!("{name} has several ports, and none was named");
    let hint = format!(
        "{}; say which: norouter open {name}:{}",
        reach::published(host),
        host.ports.first().copied().unwrap_or_default()
    );
    Err(Error::new(Exit::Usage, message).hint(hint))
}

impl Page {
    /// The URL of this page at a port of a host.
    fn url(&self, vip: &str, port: u16) -> String {
        let is_encrypted = self.is_encrypted.unwrap_or(ENCRYPTED.contains(&port));
        let (scheme, usual) = if is_encrypted {
            ("https", 443)
        } else {
            ("http", 80)
        };
        let slash = if self.rest.starts_with('/') { "" } else { "/" };
        let rest = &self.rest;
        if port == usual {
            format!("{scheme}://{vip}{slash}{rest}")
        } else {
            format!("{scheme}://{vip}:{port}{slash}{rest}")
        }
    }
}

/// Opens a URL in the browser of the person. The error says why that is not possible.
fn browse(url: &str) -> Result<(), String> {
    let named = env::var("BROWSER").unwrap_or_default();
    if !named.is_empty() && cfg!(unix) {
        return named_browser(&named, url);
    }
    if !has_screen() {
        return Err("this session has no screen ($DISPLAY), and $BROWSER is not set".to_owned());
    }
    open::that_detached_with_timeout(url, START_MAX).map_err(|error| describe(&error))
}

/// Runs the first of the commands in $BROWSER that works. They are separated by colons, and `%s` stands for the URL. A
/// command can be a browser for the terminal, so this program waits for its end.
fn named_browser(commands: &str, url: &str) -> Result<(), String> {
    let mut last = "$BROWSER names no command".to_owned();
    for command in commands.split(':') {
        let words = shlex::split(command).unwrap_or_default();
        let Some((program, arguments)) = words.split_first() else {
            continue;
        };
        let mut browser = Command::new(program);
        browser.args(arguments.iter().map(|word| word.replace("%s", url)));
        if !command.contains("%s") {
            browser.arg(url);
        }
        last = match browser.status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => format!("{program}, which $BROWSER names: {status}"),
            Err(error) => format!("{program}, which $BROWSER names: {}", describe(&error)),
        };
    }
    Err(last)
}

/// Whether a browser can open a window. On Windows and macOS, it always can.
fn has_screen() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
            .into_iter()
            .any(is_set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str, port: u16) -> String {
        page(text).unwrap().url("127.0.42.101", port)
    }

    #[test]
    fn a_page_is_opened_at_the_vip_with_everything_that_was_pasted_behind_the_host() {
        for (text, port, expected) in [
            ("web", 80, "http://127.0.42.101/"),
            ("web:8080", 8080, "http://127.0.42.101:8080/"),
            ("web:8443", 8443, "https://127.0.42.101:8443/"),
            ("web:443", 443, "https://127.0.42.101/"),
            ("http://web:443/", 443, "http://127.0.42.101:443/"),
            (
                "https://ann@web/a b?c=d&e=\"#f",
                443,
                "https://127.0.42.101/a%20b?c=d&e=%22#f",
            ),
            ("web:8080?q=1", 8080, "http://127.0.42.101:8080/?q=1"),
        ] {
            assert_eq!(url(text, port), expected, "{text}");
        }
        assert!(page("ssh://web").unwrap_err().contains("http://"));
    }

    #[test]
    fn the_port_is_the_only_one_or_the_only_one_that_is_usual_for_pages() {
        let port = |ports: &[u16]| {
            page_port(&HostView {
                name: "web".to_owned(),
                ports: ports.to_vec(),
                ..HostView::default()
            })
        };
        assert_eq!(port(&[3000]).unwrap(), 3000);
        assert_eq!(port(&[22, 8080, 5432]).unwrap(), 8080);
        let several = port(&[80, 443]).unwrap_err();
        assert_eq!(several.exit(), Exit::Usage);
        let shown = format!("{several:?}");
        assert!(
            shown.contains("it publishes: 80, 443; say which: norouter open web:80"),
            "{shown}"
        );
        assert_eq!(port(&[]).unwrap_err().exit(), Exit::Failure);
    }
}
