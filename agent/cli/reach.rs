//! Finds the running network, and the host, that a command is about.

use std::{env, path::Path};

use super::{
    error::{Error, Exit},
    output,
};
use crate::{
    driver::{
        control::{Client, client},
        manager::NetworkName,
        system::describe,
    },
    text::meant,
    view::{HostView, Snapshot, no_such_host},
};

/// The maximum number of hosts that are listed if the named host does not exist.
const LISTED_MAX: usize = 20;

/// The network that a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct WhichNetwork {
    /// Which network, if several run on this machine; by default the one whose manifest is in the present folder
    #[arg(long, value_name = "NAME", env = "NOROUTER_NETWORK", value_hint = clap::ValueHint::Other)]
    network: Option<NetworkName>,
}

impl WhichNetwork {
    /// Whether a person has named a network.
    pub(super) const fn is_named(&self) -> bool {
        self.network.is_some()
    }

    /// A client for the manager of the named network. If none is named: of the only network that runs, or of the only
    /// one whose manifest is in the present folder.
    pub(super) async fn client(&self) -> Result<Client, Error> {
        let mut running = Client::running().await;
        let names: Vec<String> = running.iter().map(|it| it.name().to_string()).collect();
        if let Some(name) = &self.network {
            return running
                .into_iter()
                .find(|it| it.name() == name)
                .ok_or_else(|| {
                    let error = Error::new(
                        Exit::NoManager,
                        client::Error::NoManager(name.clone()).to_string(),
                    );
                    match names.as_slice() {
                        [] => error.hint("no network runs at all"),
                        names => error.hint(format!("these run: {}", names.join(", "))),
                    }
                });
        }
        match running.len() {
            0 => {
                Err(Error::new(Exit::NoManager, "no network runs")
                    .hint("\"norouter FILE\" starts one"))
            }
            1 => Ok(running.remove(0)),
            _ => network_of_this_folder().await.ok_or_else(|| {
                let names = names.join(", ");
                Error::new(Exit::Usage, "several networks run").hint(format!(
                    "say which with --network: {names}; \"norouter ls\" shows their manifests"
                ))
            }),
        }
    }
}

/// The only running network whose manifest is in the present folder.
async fn network_of_this_folder() -> Option<Client> {
    let here = env::current_dir()
        .and_then(|here| here.canonicalize())
        .ok()?;
    let is_here = |manifest: &str| Path::new(manifest).parent() == Some(&here);
    let around = Client::around().await.into_iter();
    let mut ours = around
        .filter(|(_, network)| {
            let manifest = network.as_ref().ok().and_then(|it| it.manifest.as_deref());
            manifest.is_some_and(is_here)
        })
        .map(|(client, _)| client);
    let only = ours.next()?;
    ours.next().is_none().then_some(only)
}

/// The host with this name, alias or VIP.
pub(super) fn host<'a>(snapshot: &'a Snapshot, called: &str) -> Result<&'a HostView, Error> {
    snapshot
        .host(called)
        .ok_or_else(|| unknown(snapshot, called))
}

/// The name of the host that the person has given by name, alias or VIP; `None` if the person has not given a host.
pub(super) async fn host_name(
    client: &Client,
    called: Option<&str>,
) -> Result<Option<String>, Error> {
    let Some(called) = called else {
        return Ok(None);
    };
    let snapshot = client.network().await?.snapshot;
    Ok(Some(host(&snapshot, called)?.name.clone()))
}

/// The error for a host that does not exist, which is the same in every command.
fn unknown(snapshot: &Snapshot, called: &str) -> Error {
    let hosts = &snapshot.hosts;
    let names = hosts
        .iter()
        .flat_map(|host| std::iter::once(&host.name).chain(&host.aliases));
    let meant = match meant(called, names.map(String::as_str)) {
        Some(name) => format!("did you mean {name}? "),
        None => String::new(),
    };
    let listed = hosts.iter().take(LISTED_MAX);
    let listed: Vec<_> = listed.map(|host| host.name.as_str()).collect();
    let more = match hosts.len() - listed.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let hint = format!("{meant}the hosts are: {}{more}", listed.join(", "));
    Error::new(Exit::Failure, no_such_host(called)).hint(hint)
}

/// Runs the future of a command, which waits for the manager's answers.
pub(super) fn wait_for<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        Error::new(
            Exit::Failure,
            format!("this command cannot be started: {}", describe(&error)),
        )
    })?;
    runtime.block_on(work)
}

/// Writes one line of JSON.
pub(super) fn json_line(value: &impl serde::Serialize) -> Result<(), Error> {
    // The view types contain only values that JSON supports, so this cannot fail.
    let line = serde_json::to_string(value).unwrap_or_default();
    Ok(output::data(&output::escaped(&format!("{line}\n")))?)
}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Self {
        let exit = match error {
            client::Error::NoManager(_) => Exit::NoManager,
            client::Error::Refused { .. } | client::Error::Silent { .. } => Exit::Failure,
        };
        Self::new(exit, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(hosts: usize) -> Snapshot {
        let host = |number: usize| HostView {
            name: format!("web{number}"),
            aliases: vec![format!("store{number}")],
            vip: format!("127.0.42.{number}"),
            ..HostView::default()
        };
        Snapshot {
            hosts: (1..=hosts).map(host).collect(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_host_that_there_is_not_is_a_failure_that_names_those_that_there_are() {
        let small = network(2);
        for called in ["web2", "WEB2", "store2", "127.0.42.2"] {
            assert_eq!(host(&small, called).unwrap().name, "web2");
        }
        let error = host(&small, "nobody").unwrap_err();
        assert_eq!(error.exit(), Exit::Failure);
        let shown = |error: Error| format!("{error:?}");
        let nobody = shown(error);
        assert!(nobody.contains("in this network"), "{nobody}");
        assert!(nobody.contains("\"the hosts are: web1, web2\""), "{nobody}");
        let slip = shown(host(&small, "stoer1").unwrap_err());
        assert!(slip.contains("did you mean store1? the hosts"), "{slip}");
        let large = shown(host(&network(25), "nobody").unwrap_err());
        assert!(large.contains("web20, and 5 more"), "{large}");
    }
}
