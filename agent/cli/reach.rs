//! Finds the running network, and the host, that a command is about.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Once,
};

use super::{
    error::{Error, Exit},
    misread::arguments,
    output, search,
};
use crate::{
    destination::{Destination, DestinationError, Host, Pasted},
    driver::{
        control::{Client, client},
        manager::NetworkName,
        system::describe,
    },
    names::SUFFIX,
    text::{ascii_name, escape, meant, quote, shell_line, with_remedy},
    view::{HostView, NetworkView, PlanHost, PlanView, Snapshot, TroubleCode, no_such_host},
};

/// The maximum number of hosts that are listed if the named host does not exist.
const LISTED_MAX: usize = 20;

/// The network that a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct WhichNetwork {
    /// Which network; by default the one of the manifest in the present folder, or else the only one that runs
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

    /// A client for the manager of the named network. If the person has named none, it is the only network whose
    /// manifest is in the present folder, or else the only network that runs.
    pub(super) async fn client(&self) -> Result<Client, Error> {
        static TOLD: Once = Once::new();
        let found = self.found().await?;
        if let Some(here) = &found.not_this {
            // A command may look for its network several times.
            TOLD.call_once(|| {
                output::talk(&escape(&format!(
                    "note: the network {} of this folder does not run; this is {}, the only one that does",
                    quote(&NetworkName::of_manifest(here).to_string()),
                    found.called()
                )));
            });
        }
        Ok(found.client)
    }

    /// A client for a command that must not write to the terminal.
    pub(super) async fn quiet_client(&self) -> Result<Client, Error> {
        Ok(self.found().await?.client)
    }

    /// A client for a command that changes something, or that waits for a network. Fails if the person may mean the
    /// network of the present folder, but only another network runs.
    pub(super) async fn own_client(&self) -> Result<Client, Error> {
        let found = self.found().await?;
        let Some(here) = &found.not_this else {
            return Ok(found.client);
        };
        let message = format!(
            "the network {} of this folder ({}) does not run",
            quote(&NetworkName::of_manifest(here).to_string()),
            here.display()
        );
        let (other, name) = (found.called(), found.client.name());
        let line = shell_line(&with_network(arguments(), name));
        Err(Error::new(Exit::NoManager, message).hint(format!(
            "only {other} runs; if that one is meant: norouter {line}"
        )))
    }

    /// A client for the manager of the network that is meant.
    async fn found(&self) -> Result<Found, Error> {
        let running = Client::running().await;
        if let Some(name) = &self.network {
            let client = running.iter().find(|it| it.name() == name);
            return match client {
                Some(client) => Ok(Found::this(client.clone())),
                None => Err(not_running(name, &running)),
            };
        }
        let here = search::of_this_folder();
        if let ([only], None) = (running.as_slice(), &here) {
            return Ok(Found::this(only.clone()));
        }
        let around = Client::around().await.into_iter();
        let mut around: Vec<Running> = around.map(Running::from).collect();
        let folder = env::current_dir().and_then(|folder| folder.canonicalize());
        match choose(&around, folder.ok().as_deref(), here.as_deref()) {
            Choice::None => {
                Err(Error::new(Exit::NoManager, "no network runs")
                    .hint("\"norouter FILE\" starts one"))
            }
            Choice::This(place) => Ok(Found::this(around.swap_remove(place).client)),
            Choice::Other(place) => {
                let Running { client, manifest } = around.swap_remove(place);
                Ok(Found {
                    client,
                    manifest,
                    not_this: here,
                })
            }
            Choice::Unclear => {
                let names = listed(around.iter().map(|it| &it.client));
                Err(
                    Error::new(Exit::Usage, "several networks run").hint(format!(
                        "say which with --network: {names}; \"norouter ls\" shows their manifests"
                    )),
                )
            }
        }
    }
}

/// The error for a named network that does not run.
fn not_running(name: &NetworkName, running: &[Client]) -> Error {
    let message = client::Error::NoManager(name.clone()).to_string();
    let error = Error::new(Exit::NoManager, message);
    if running.is_empty() {
        return error.hint("no other network runs either; \"norouter up -d FILE\" starts one");
    }
    error.hint(format!("these run: {}", listed(running.iter())))
}

fn listed<'a>(clients: impl Iterator<Item = &'a Client>) -> String {
    let names: Vec<String> = clients.map(|it| it.name().to_string()).collect();
    names.join(", ")
}

/// Adds the option that names a network to the words of a command line.
fn with_network(mut words: Vec<String>, name: &NetworkName) -> Vec<String> {
    let end = words.iter().position(|word| word == "--");
    let end = end.unwrap_or(words.len());
    words.splice(end..end, ["--network".to_owned(), name.to_string()]);
    words
}

/// The network that a command was given or has found.
struct Found {
    client: Client,
    /// The network's manifest, if it is known.
    manifest: Option<PathBuf>,
    /// The manifest of the present folder, if the network was not made from it.
    not_this: Option<PathBuf>,
}

impl Found {
    const fn this(client: Client) -> Self {
        Self {
            client,
            manifest: None,
            not_this: None,
        }
    }

    /// The name of the network, and its manifest if it has one.
    fn called(&self) -> String {
        let name = quote(&self.client.name().to_string());
        match &self.manifest {
            Some(manifest) => format!("{name} ({})", manifest.display()),
            None => name,
        }
    }
}

/// A running network, with the facts that are needed to choose among networks.
struct Running {
    client: Client,
    /// `None` if the network has no manifest file, or does not answer.
    manifest: Option<PathBuf>,
}

impl From<(Client, Result<NetworkView, client::Error>)> for Running {
    fn from((client, network): (Client, Result<NetworkView, client::Error>)) -> Self {
        let manifest = network.ok().and_then(|it| it.manifest);
        Self {
            client,
            manifest: manifest.map(PathBuf::from),
        }
    }
}

/// The network to use if the person has named none. It is given as an index into the list of running networks.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// No network runs.
    None,
    This(usize),
    /// The only network that runs. It does not belong to the manifest of the present folder.
    Other(usize),
    /// Several networks run, and nothing shows which one is meant.
    Unclear,
}

/// Chooses a network for the present folder, whose manifest is `here`. The network of that manifest comes first, then
/// the only network with a manifest in the folder, and then the only network that runs.
fn choose(running: &[Running], folder: Option<&Path>, here: Option<&Path>) -> Choice {
    let only = |fits: &dyn Fn(&Running) -> bool| {
        let mut places = (0..running.len()).filter(|place| fits(&running[*place]));
        places.next().filter(|_| places.next().is_none())
    };
    let is_here = |it: &Running| match &it.manifest {
        Some(manifest) => Some(manifest.as_path()) == here,
        // A network that does not answer cannot report its manifest, so its name is compared instead.
        None => here.is_some_and(|here| *it.client.name() == NetworkName::of_manifest(here)),
    };
    let is_beside = |it: &Running| {
        let beside = it.manifest.as_deref().and_then(Path::parent);
        beside.is_some() && beside == folder
    };
    let chosen = only(&is_here).or_else(|| only(&is_beside));
    match (chosen, running) {
        (Some(place), _) => Choice::This(place),
        (None, []) => Choice::None,
        (None, [_]) if here.is_some() => Choice::Other(0),
        (None, [_]) => Choice::This(0),
        (None, _) => Choice::Unclear,
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

/// The host in a pasted destination as text: its name without the domain of the network, or its address.
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

/// Whether a host cannot be in the network: it is an address outside 127.0.0.0/8, or a name with dots.
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

/// A host of the network, with the port of one of its services if the person has named a port. The host publishes that
/// port.
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

/// A hint that lists the ports that a host publishes.
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

/// Fails if no host of this machine listens at the address of a service. In that case, programs on this machine cannot
/// reach the service at that address.
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
        // Another program may listen on the port. The person must not be directed to that program.
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

/// The error for a host that does not exist. All commands use it.
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

/// Runs the future of a command to its end on a runtime of its own.
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
    fn the_network_of_the_manifest_here_comes_first_and_another_one_is_known_as_another() {
        let here = Path::new("/a/shop/norouter.yaml");
        let of = |networks: &[(&str, Option<&str>)], here: Option<&Path>| {
            let running = networks.iter().map(|(name, manifest)| Running {
                client: Client::new(name.parse().unwrap()),
                manifest: manifest.map(PathBuf::from),
            });
            let running: Vec<_> = running.collect();
            choose(&running, Some(Path::new("/a/shop")), here)
        };
        let shop = ("shop", here.to_str());
        let beside = ("test", Some("/a/shop/test.yaml"));
        let office = ("office", Some("/b/office.yaml"));
        let demo = ("demo", None);
        for (networks, with_here, without) in [
            (&[][..], Choice::None, Choice::None),
            (&[shop], Choice::This(0), Choice::This(0)),
            (&[beside], Choice::This(0), Choice::This(0)),
            (&[beside, shop], Choice::This(1), Choice::Unclear),
            (&[office, shop], Choice::This(1), Choice::This(1)),
            (&[office, beside], Choice::This(1), Choice::This(1)),
            (&[office], Choice::Other(0), Choice::This(0)),
            (&[demo], Choice::Other(0), Choice::This(0)),
            (&[demo, office], Choice::Unclear, Choice::Unclear),
            (&[demo, ("shop", None)], Choice::This(1), Choice::Unclear),
        ] {
            assert_eq!(of(networks, Some(here)), with_here, "{networks:?}");
            assert_eq!(of(networks, None), without, "{networks:?}");
        }
    }

    #[test]
    fn the_line_with_the_network_is_a_line_that_works() {
        let name: NetworkName = "office".parse().unwrap();
        for (line, with) in [
            ("down", "down --network office"),
            ("--debug stop web", "--debug stop web --network office"),
            ("stop -- web", "stop --network office -- web"),
        ] {
            let words = line.split(' ').map(str::to_owned).collect();
            assert_eq!(with_network(words, &name).join(" "), with);
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
