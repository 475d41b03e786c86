//! Finds the running network, and the host, that a command is about.

use std::{env, path::Path};

use super::{
    error::{Error, Exit},
    output,
};
use crate::{
    destination::{Destination, DestinationError, Host, Pasted},
    driver::{
        control::{Client, client},
        manager::NetworkName,
        system::describe,
    },
    names::SUFFIX,
    text::{ascii_name, meant, with_remedy},
    view::{HostView, PlanHost, PlanView, Snapshot, TroubleCode, no_such_host},
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

impl From<Option<NetworkName>> for WhichNetwork {
    fn from(network: Option<NetworkName>) -> Self {
        Self { network }
    }
}

impl WhichNetwork {
    /// Whether a person has named a network.
    pub(super) const fn is_named(&self) -> bool {
        self.network.is_some()
    }

    /// A client for the manager of the named network. If no network is named, the client is for the only network that
    /// runs, or for the only one whose manifest is in the present folder.
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
                        [] => error.hint(
                            "no other network runs either; \"norouter up -d FILE\" starts one",
                        ),
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

/// The running network that has a host with this name.
pub(super) fn network_of_host(called: &str) -> Option<NetworkName> {
    wait_for(async {
        let around = Client::around().await.into_iter();
        let mut networks = around.filter_map(|(client, network)| Some((client, network.ok()?)));
        let found = networks.find(|(_, network)| network.snapshot.host(called).is_some());
        Ok(found.map(|(client, _)| client.name().clone()))
    })
    .ok()
    .flatten()
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

/// Parses what a person pastes as a destination: a URL, NAME:PORT or a host.
pub(super) fn pasted(text: &str) -> Result<Pasted, String> {
    text.parse().map_err(|error: DestinationError| {
        let name = text.rsplit_once(':').map_or(text, |(name, _)| name);
        with_remedy(&error.to_string(), ascii_name::advice(name).as_deref())
    })
}

/// What a person calls a host that they have pasted: the name without the domain of the network, or the address.
fn called(host: &Host) -> String {
    match host {
        Host::Ip(address) => address.to_string(),
        Host::Name(name) => {
            let short = name.strip_suffix(SUFFIX);
            let short = short.and_then(|name| name.strip_suffix('.'));
            short.unwrap_or(name).to_owned()
        }
    }
}

/// Whether a host can only be one outside the network: an address outside 127.0.0.0/8, or a name with dots.
fn is_outside(host: &Host) -> bool {
    match host {
        Host::Ip(address) => !address.is_loopback(),
        Host::Name(name) => name.contains('.') && called(host) == *name,
    }
}

/// The host of the network that a person has pasted; `None` if they have pasted a host outside the network.
pub(super) fn pasted_host<'a>(
    snapshot: &'a Snapshot,
    pasted: &Host,
) -> Result<Option<&'a HostView>, Error> {
    let called = called(pasted);
    if snapshot.host(&called).is_none() && is_outside(pasted) {
        return Ok(None);
    }
    host(snapshot, &called).map(Some)
}

/// A host of the network, and the port of a service on it if the person has named one. The host publishes that port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service<'a> {
    pub(super) host: &'a HostView,
    pub(super) port: Option<u16>,
}

/// The service that a person has pasted; `None` if it is outside the network.
pub(super) fn service<'a>(
    snapshot: &'a Snapshot,
    target: &Pasted,
) -> Result<Option<Service<'a>>, Error> {
    let (pasted, port) = match target {
        Pasted::Whole(Destination { host, port }) => (host, Some(*port)),
        Pasted::Host(host) => (host, None),
    };
    let Some(host) = pasted_host(snapshot, pasted)? else {
        return Ok(None);
    };
    match port {
        Some(port) if !host.ports.contains(&port) => {
            let message = format!("{} does not publish port {port}", host.name);
            Err(Error::new(Exit::Failure, message).hint(published(host)))
        }
        port => Ok(Some(Service { host, port })),
    }
}

/// Which ports a host publishes, as a hint.
pub(super) fn published(host: &HostView) -> String {
    let ports = host.ports.iter().take(LISTED_MAX).map(u16::to_string);
    let ports: Vec<String> = ports.collect();
    match (ports.len(), host.ports.len() - ports.len()) {
        (0, _) => format!(
            "{} publishes nothing; give it ports in the manifest",
            host.name
        ),
        (_, 0) => format!("it publishes: {}", ports.join(", ")),
        (_, more) => format!("it publishes: {}, and {more} more", ports.join(", ")),
    }
}

/// Fails if no host of this machine listens at the address of a service: then programs on this machine cannot reach the
/// service at that address.
pub(super) fn listens_here(
    plan: &PlanView,
    snapshot: &Snapshot,
    network: &NetworkName,
    service: Service<'_>,
) -> Result<(), Error> {
    let mut here = plan.hosts.iter().filter(|host| host.is_here()).peekable();
    let remedy = if here.peek().is_none() {
        "give the manifest a host without cmd, which is this machine"
    } else if let Some(listening) = here.find(|host| host.loopback) {
        // Another program may listen on the port, and nobody must be led to that program.
        let view = snapshot.host(&listening.name);
        let address = service
            .port
            .map(|port| format!("{}:{port}", service.host.vip));
        let mut troubles = view.into_iter().flat_map(|host| &host.troubles);
        let taken = troubles.find(|it| {
            it.code == TroubleCode::Listen && it.address.is_some() && it.address == address
        });
        return taken.map_or(Ok(()), |trouble| {
            let error = Error::new(
                Exit::Failure,
                format!("{} {}", listening.name, trouble.what),
            );
            Err(match &trouble.remedy {
                Some(remedy) => error.hint(remedy),
                None => error.hint(format!("\"norouter why {}\" says more", listening.name)),
            })
        });
    } else {
        "remove \"loopback: {disable: true}\" from the host without cmd, which is this machine"
    };
    let message =
        format!("no host of the network {network} listens on its addresses on this machine");
    Err(Error::new(Exit::Failure, message).hint(remedy))
}

/// Whether a host of this machine has a proxy, through which programs follow the routes.
pub(super) fn has_proxy_here(plan: &PlanView) -> bool {
    let has_proxy = |host: &PlanHost| host.http.is_some() || host.socks.is_some();
    plan.hosts
        .iter()
        .any(|host| host.is_here() && has_proxy(host))
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
    use crate::view::Trouble;

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

    #[test]
    fn a_service_is_pasted_in_many_forms_and_has_to_be_published() {
        let mut network = network(2);
        network.hosts[0].ports = vec![80, 8080];
        let found = |text: &str| service(&network, &text.parse().unwrap());
        for (text, port) in [
            ("web1", None),
            ("STORE1:80", Some(80)),
            ("web1.norouter:8080", Some(8080)),
            ("http://127.0.42.1/a", Some(80)),
        ] {
            let service = found(text).unwrap().unwrap();
            assert_eq!((&*service.host.name, service.port), ("web1", port));
        }
        for (text, said) in [
            ("web1:81", "web1 does not publish port 81"),
            ("web1:81", "it publishes: 80, 8080"),
            ("web2:80", "web2 publishes nothing"),
            ("wbe1:80", "did you mean web1?"),
            ("127.0.42.9", "no host"),
            ("nobody.norouter:1", "no host"),
        ] {
            let error = found(text).unwrap_err();
            assert_eq!(error.exit(), Exit::Failure);
            let shown = format!("{error:?}");
            assert!(shown.contains(said), "{text}: {shown}");
        }
        for text in ["example.org:443", "10.0.0.1:22"] {
            assert!(found(text).unwrap().is_none(), "{text}");
        }
    }

    #[test]
    fn the_addresses_of_the_network_are_reached_where_a_host_of_this_machine_listens_on_them() {
        let network: NetworkName = "office".parse().unwrap();
        let mut snapshot = self::network(2);
        let host = |name: &str, command: &[&str], loopback| PlanHost {
            name: name.to_owned(),
            command: command.iter().map(ToString::to_string).collect(),
            loopback,
            ..PlanHost::default()
        };
        let plan = |hosts: Vec<PlanHost>| PlanView {
            hosts,
            ..PlanView::default()
        };
        let check = |snapshot: &Snapshot, hosts: Vec<PlanHost>, port| {
            let host = &snapshot.hosts[1];
            listens_here(&plan(hosts), snapshot, &network, Service { host, port })
        };
        let far = || host("web2", &["ssh", "web"], true);
        let here = || vec![far(), host("web1", &[], true)];
        assert!(check(&snapshot, here(), Some(80)).is_ok());
        for (hosts, remedy) in [
            (vec![far()], "give the manifest a host without cmd"),
            (vec![far(), host("web1", &[], false)], "remove"),
        ] {
            let error = check(&snapshot, hosts, None).unwrap_err();
            assert!(format!("{error:?}").contains(remedy), "{error:?}");
        }
        snapshot.hosts[0].troubles = vec![Trouble {
            code: TroubleCode::Listen,
            what: "cannot listen on 127.0.42.2:80: address already in use".to_owned(),
            address: Some("127.0.42.2:80".to_owned()),
            ..Trouble::default()
        }];
        let taken = format!("{:?}", check(&snapshot, here(), Some(80)).unwrap_err());
        assert!(
            taken.contains("web1 cannot listen on 127.0.42.2:80"),
            "{taken}"
        );
        for port in [None, Some(81)] {
            assert!(check(&snapshot, here(), port).is_ok(), "{port:?}");
        }
    }
}
