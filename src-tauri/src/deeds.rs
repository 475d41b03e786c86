//! Actions of the page and the tray that take more than one step: dialogs around files, quitting, variables for shells.

use std::sync::{Mutex, PoisonError};

use norouter::{
    driver::{
        agent::state_dir,
        system::{files, shell::Shell},
    },
    plan::{HostPlan, Start},
    proxy,
    view::{NetworkView, no_such_host},
};
use tauri::Url;
use tokio::task::AbortHandle;

use crate::{
    desk::Desk,
    feed,
    surface::Surface,
    view::{News, Settings},
    words::dialog,
};

/// A manifest to begin with.
pub(crate) const EXAMPLE: &str = include_str!("../../docs/examples/norouter.yaml");

/// How long an address may be, in bytes.
const URL_MAX: usize = 2_048;

/// The one stream to the page: the page that has asked last gets it.
#[derive(Default)]
pub(crate) struct Feed(Mutex<Option<AbortHandle>>);

impl Feed {
    /// Sends this page what happens from now on, and no longer any other page.
    pub(crate) fn begin(&self, desk: &Desk, send: impl FnMut(Vec<News>) -> bool + Send + 'static) {
        let task = tokio::spawn(feed::feed(desk.clone(), send)).abort_handle();
        let before = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(task);
        if let Some(before) = before {
            before.abort();
        }
    }
}

/// Opens a manifest that the person chooses.
pub(crate) async fn open_dialog(desk: &Desk, screen: &dyn Surface) -> Result<(), String> {
    match screen.ask_manifest().await {
        Some(path) => desk.open(&path).await,
        None => Ok(()),
    }
}

/// Writes a manifest where the person wants it, and opens it.
pub(crate) async fn create(desk: &Desk, screen: &dyn Surface, text: &str) -> Result<(), String> {
    let Some(path) = screen.ask_place(dialog::PLACE, "norouter.yaml").await else {
        return Ok(());
    };
    files::replace(&path, text.as_bytes(), files::PRIVATE)?;
    desk.open(&path).await
}

/// Writes a text where the person wants it, and returns the place.
pub(crate) async fn save(
    screen: &dyn Surface,
    title: &str,
    name: &str,
    text: &str,
) -> Result<Option<String>, String> {
    let Some(path) = screen.ask_place(title, name).await else {
        return Ok(None);
    };
    files::replace(&path, text.as_bytes(), files::PRIVATE)?;
    Ok(Some(path.display().to_string()))
}

/// Applies the settings that the person has chosen.
pub(crate) fn set_settings(
    desk: &Desk,
    screen: &dyn Surface,
    settings: Settings,
) -> Result<(), String> {
    let before = desk.settings();
    if settings.start_at_login != before.start_at_login {
        screen.start_at_login(settings.start_at_login)?;
    }
    if settings.theme != before.theme {
        screen.theme(settings.theme);
    }
    desk.set_settings(settings)
}

/// Ends the network. A click that would cut connections has to be confirmed first.
pub(crate) async fn stop(desk: &Desk, screen: &dyn Surface) -> Result<(), String> {
    let flows = open_flows(desk).await;
    if let Some(network) = desk.app().network.filter(|_| flows > 0) {
        let question = dialog::stop(&network.name);
        let told = dialog::what_ends(flows);
        if !screen.ask_yes(&question, &told, dialog::STOP).await {
            return Ok(());
        }
    }
    desk.stop().await
}

/// How many connections would be cut with the network.
async fn open_flows(desk: &Desk) -> usize {
    desk.flows(0).await.map_or(0, |flows| flows.total)
}

/// Ends the app, after saying what ends with it.
pub(crate) async fn quit(desk: &Desk, screen: &dyn Surface) {
    let hosted = desk.app().network.filter(|network| network.hosted);
    if let Some(network) = hosted {
        let flows = open_flows(desk).await;
        let question = dialog::quit(&network.name);
        if !screen
            .ask_yes(&question, &dialog::what_ends(flows), dialog::QUIT)
            .await
        {
            return;
        }
    }
    desk.wind_down().await;
    screen.exit();
}

/// Lines that set the variables which lead programs into the network, on this machine or on a host.
pub(crate) fn env_script(desk: &Desk, shell: &str, host: Option<&str>) -> Result<String, String> {
    let shell = match shell {
        "posix" => Shell::Posix,
        "fish" => Shell::Fish,
        "powershell" => Shell::Powershell,
        "cmd" => Shell::Cmd,
        _ => return Err("the shell is one of posix, fish, powershell and cmd".to_owned()),
    };
    desk.client()?;
    let plan = desk.plan_now().ok_or("the manifest cannot be read")?;
    let wanted = |it: &&HostPlan| match host {
        Some(host) => it.name.as_str() == host,
        None => it.start == Start::InProcess,
    };
    let found = plan.hosts.iter().find(wanted);
    let found = found.ok_or_else(|| match host {
        Some(host) => no_such_host(host),
        None => "this machine is not a host of this network".to_owned(),
    })?;
    let written = match (&found.start, &found.state_dir) {
        // The agent here knows its own addresses better than the manifest does.
        (Start::InProcess, Some(folder)) => state_dir::proven_env(folder)?,
        _ => None,
    };
    let variables = written.unwrap_or_else(|| proxies(found));
    if variables.is_empty() {
        let name = &found.name;
        return Err(format!(
            "{name} has no proxy; give it \"http\" or \"socks\" in the manifest"
        ));
    }
    Ok(variables
        .iter()
        .map(|(name, value)| shell.set(name, value))
        .collect())
}

/// The variables for a host's proxies, as its manifest has them.
fn proxies(host: &HostPlan) -> Vec<(String, String)> {
    let proxies = [&host.http, &host.socks];
    let [http, socks] = proxies.map(|proxy| proxy.as_ref().map(|proxy| proxy.listen));
    proxy::variables(http, socks, None)
}

/// The address, if it is one of the network that is shown. A page in the window must not open any other in the browser.
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
    use norouter::view::{HostState, Snapshot};

    use super::*;
    use crate::testing::host;

    #[test]
    fn only_addresses_of_the_network_are_opened() {
        let mut web = host("web1", HostState::Ready);
        web.ports = vec![80, 8080];
        let network = NetworkView {
            network: "n".to_owned(),
            manifest: None,
            version: String::new(),
            pid: 1,
            uptime_ms: 0,
            snapshot: Snapshot {
                now_ms: 0,
                hosts: vec![web],
                held: None,
            },
        };
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

    #[test]
    fn variables_lead_to_the_proxies_of_the_host() {
        let text =
            "hosts: {a: {http: {listen: '127.0.0.1:18080'}, socks: {listen: '127.0.0.1:18081'}}}";
        let plan = norouter::plan::load("n.yaml", text).plan.unwrap();
        let variables = proxies(&plan.hosts[0]);
        assert_eq!(
            variables[0],
            ("http_proxy".to_owned(), "http://127.0.0.1:18080".to_owned())
        );
        assert_eq!(
            variables[5],
            (
                "ALL_PROXY".to_owned(),
                "socks5h://127.0.0.1:18081".to_owned()
            )
        );
        assert_eq!(
            variables[6],
            ("no_proxy".to_owned(), "localhost,127.0.0.1,::1".to_owned())
        );
        assert_eq!(variables.len(), 8);
    }
}
