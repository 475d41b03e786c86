//! The path of a proxy's client to its destination, step by step: through the network, through a gateway, through the
//! person's own proxy, or directly from this host.
//!
//! A [`Step`] says what to do next. If that connects the client, the path is complete. Otherwise, the last value of the
//! step, such as [`Opening`], takes the outcome and decides about the next step. Each decision gets the rights as an
//! argument, because the rights may change between two steps.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    vec::IntoIter,
};

use super::{
    path::{Gateway, Path, permitted},
    rights::Rights,
};
use crate::{
    addr::{Port, Vip},
    destination::{Destination, Host},
    proxy::Upstream,
    route, text,
    wire::{Cause, Failure},
};

/// The maximum number of published ports that are listed in a sentence.
const LISTED_MAX: usize = 12;

/// The next action for a client, and the state that takes its outcome.
#[derive(Debug)]
pub enum Step {
    /// Connect to this address inside the network.
    Open(SocketAddrV4, Opening),
    /// Connect to the relay at this address inside the network, and ask it for this destination.
    Ask(SocketAddrV4, Destination, Asking),
    /// Ask the DNS server at this address inside the network for the IPv4 addresses of this name.
    Find(SocketAddrV4, String, Finding),
    /// Tell the manager that these addresses are reached through this gateway ([`super::Core::suggest`]).
    Suggest(Vip, Vec<Ipv4Addr>, Suggesting),
    /// Connect to the DNS server at this address inside the network, only to see whether it accepts the connection.
    Check(SocketAddrV4, Checking),
    /// Resolve the client's destination as any program on this host would.
    Resolve(Resolving),
    /// Find out which of these addresses belong to this machine.
    Sort(Vec<SocketAddr>, Sorting),
    /// Connect from this host to one of these addresses. If that fails, give up.
    Dial(Vec<SocketAddr>),
    /// Ask this proxy, which is the person's own, for the destination. If that fails, give up.
    GoOut(Arc<Upstream>),
    /// Give up, because the limits of this machine permit none of the addresses. The driver reports this with
    /// [`super::Core::handle_not_dialled`].
    NotPermitted(Failure),
    /// Give up.
    GiveUp(Failure),
}

impl Step {
    /// The first step to a destination. `is_remote` means that the client may be on another machine: then it cannot
    /// reach services that are reserved for this host's own programs.
    pub fn first(rights: &Rights, destination: Destination, is_remote: bool) -> Self {
        match rights.path(&destination) {
            Ok(Path::Network(address)) => Opening::begin(destination, address),
            Ok(Path::Gateways(gateways)) => Through::begin(rights, destination, gateways),
            Ok(Path::Direct) => match outward(rights, &destination, is_remote) {
                Some(proxy) if !rights.depends_on_address(&destination.host) => {
                    Self::GoOut(proxy.clone())
                }
                Some(_) | None => Self::Resolve(Resolving {
                    destination,
                    is_remote,
                }),
            },
            Err(failure) => Self::GiveUp(failure),
        }
    }
}

/// Waits for the connection to an address inside the network.
#[derive(Debug)]
pub struct Opening(Target);

#[derive(Debug)]
enum Target {
    /// The address is the VIP of a host, with a port.
    Host(Destination, SocketAddrV4),
    /// The address is behind gateways. The iterator has the remaining addresses of the same name.
    Behind(Through, IntoIter<Ipv4Addr>),
}

impl Opening {
    fn begin(destination: Destination, address: SocketAddrV4) -> Step {
        Step::Open(address, Self(Target::Host(destination, address)))
    }

    /// Handles a failed connection. `what` describes the cause for people.
    pub fn handle_failed(self, rights: &Rights, cause: Cause, what: &str) -> Step {
        let (destination, address) = match self.0 {
            Target::Host(destination, address) => (destination, address),
            Target::Behind(through, left) => return through.open(rights, left, Some(cause)),
        };
        // The policy refuses this connection. It was tried nevertheless, so that the manager notices and reports the
        // refusal.
        if let Some(refusal) = rights.refusal(address) {
            return Step::GiveUp(refusal);
        }
        let (cause, reason) = if cause == Cause::Refused {
            not_accepted(rights, address)
        } else {
            (cause, format!("cannot be reached: {what}"))
        };
        let port = address.port();
        let host = rights.called(*address.ip());
        let from = rights.own().map(|own| rights.called(own));
        let from = from.map_or_else(String::new, |own| format!(" --from {own}"));
        let reason = format!(
            "{destination} ({address}) {reason}. Where the network runs, this says more: norouter why {host}:{port}{from}"
        );
        Step::GiveUp(Failure { cause, reason })
    }
}

/// The reason why a connection to an address of the network was not accepted.
fn not_accepted(rights: &Rights, address: SocketAddrV4) -> (Cause, String) {
    let host = rights.called(*address.ip());
    let ports = rights.published_by(*address.ip());
    if !ports.contains(&address.port()) && !rights.is_service(address) {
        let listed = ports.iter().take(LISTED_MAX).map(ToString::to_string);
        let listed = listed.collect::<Vec<_>>().join(", ");
        let published = match ports.len() {
            0 => "no port".to_owned(),
            1..=LISTED_MAX => listed,
            more => format!("{listed} and {} more", more - LISTED_MAX),
        };
        let port = address.port();
        let reason =
            format!("does not accept connections: {host} does not publish {port}, but {published}");
        return (Cause::Refused, reason);
    }
    if rights.lost.contains(address.ip()) {
        return (
            Cause::HostDown,
            format!("cannot be reached: {host} is not up"),
        );
    }
    // The far end also refuses if it cannot resolve the name of its service, or if it may not connect to the service.
    let reason = format!("does not accept connections: {host} cannot connect to its service");
    (Cause::Refused, reason)
}

/// The person's own proxy for a destination outside the network. A client on another machine does not get this proxy:
/// the proxy may run on this machine, and then it reaches destinations that such a client must not reach.
fn outward<'a>(
    rights: &'a Rights,
    destination: &Destination,
    is_remote: bool,
) -> Option<&'a Arc<Upstream>> {
    rights.outward(destination).filter(|_| !is_remote)
}

/// Waits until this host has resolved the name of a destination.
#[derive(Debug)]
pub struct Resolving {
    destination: Destination,
    is_remote: bool,
}

impl Resolving {
    /// Handles the addresses of the destination. One of them may belong to the network, or to a route.
    pub fn handle_resolved(self, rights: &Rights, mut addresses: Vec<SocketAddr>) -> Step {
        for address in &addresses {
            let known = Destination::from(*address);
            match rights.path(&known) {
                Ok(Path::Direct) => {}
                Ok(Path::Network(address)) => return Opening::begin(self.destination, address),
                Ok(Path::Gateways(gateways)) => return Through::begin(rights, known, gateways),
                Err(failure) => return Step::GiveUp(failure),
            }
        }
        // If the person's own proxy is not meant for one of the addresses, the destination is near this machine, and is
        // dialled without the proxy.
        let goes_out = |it: &SocketAddr| rights.outward(&Destination::from(*it)).is_some();
        if let Some(proxy) = outward(rights, &self.destination, self.is_remote)
            && addresses.iter().all(goes_out)
        {
            return Step::GoOut(proxy.clone());
        }
        if !self.is_remote {
            return dial(rights, &self.destination, addresses);
        }
        addresses.retain(|address| !route::is_special(address.ip()));
        let doubtful = addresses.iter().filter(|it| !rights.means_own(it.ip()));
        let doubtful = doubtful.copied().collect();
        Step::Sort(doubtful, Sorting(self.destination, addresses))
    }
}

impl Resolving {
    /// Handles a name that this host cannot resolve. The person's own proxy may know it.
    pub fn handle_unresolved(self, rights: &Rights, failure: Failure) -> Step {
        match outward(rights, &self.destination, self.is_remote) {
            Some(proxy) => Step::GoOut(proxy.clone()),
            None => Step::GiveUp(unknown(rights, &self.destination, failure)),
        }
    }
}

/// The beginning of the reason why a name was not resolved. The text of the resolver follows it.
pub fn unresolved(name: &str) -> String {
    format!("The name {name} cannot be resolved: ")
}

/// The failure for a destination that could not be resolved. For a name, the reason also says that no host of the
/// network has the name and that no route leads to it. The reason also suggests a similar name.
fn unknown(rights: &Rights, destination: &Destination, failure: Failure) -> Failure {
    let (Host::Name(name), Some(zone), Some(own)) =
        (&destination.host, rights.zone(), rights.own())
    else {
        return failure;
    };
    let names = zone.entries().map(|(name, _)| name);
    let meant = match text::meant(name, names) {
        Some(meant) => format!(" (did you mean {meant}?)"),
        None => String::new(),
    };
    let own = rights.called(own);
    let known = unresolved(name);
    let why = failure
        .reason
        .strip_prefix(&known)
        .unwrap_or(&failure.reason);
    let reason = format!(
        "{name} is not a host of this network{meant}, no route leads there, and {own} cannot resolve it: {why}"
    );
    Failure { reason, ..failure }
}

/// Waits until it is known which addresses of a destination belong to this machine. Clients on other machines cannot
/// reach those addresses.
#[derive(Debug)]
pub struct Sorting(Destination, Vec<SocketAddr>);

impl Sorting {
    /// Handles the answer to [`Step::Sort`]; `own` are the addresses that belong to this machine.
    pub fn handle_sorted(self, rights: &Rights, own: &[SocketAddr]) -> Step {
        let Self(destination, mut addresses) = self;
        addresses.retain(|address| !own.contains(address));
        dial(rights, &destination, addresses)
    }
}

/// Dials those addresses of a destination that the limits of this machine permit.
fn dial(rights: &Rights, destination: &Destination, addresses: Vec<SocketAddr>) -> Step {
    if addresses.is_empty() {
        return Step::GiveUp(Failure {
            cause: Cause::NotAllowed,
            reason: format!(
                "{destination} is an address of the proxy's own machine, which only its own programs reach."
            ),
        });
    }
    let may = |address| rights.may_connect(destination, address);
    match permitted(addresses, may) {
        Ok(addresses) => Step::Dial(addresses),
        Err(failure) => Step::NotPermitted(failure),
    }
}

/// A destination that is reached through gateways.
#[derive(Debug)]
struct Through {
    destination: Destination,
    gateways: Vec<Gateway>,
    /// The reason why the policy refuses the destination through at least one of the gateways; `None` if the policy
    /// refuses it through none.
    refusal: Option<Failure>,
}

/// The relays or the DNS servers of the gateways that were not tried yet.
type Services = IntoIter<(Vip, Port)>;

impl Through {
    /// Begins with the first gateway.
    fn begin(rights: &Rights, destination: Destination, gateways: Vec<Gateway>) -> Step {
        let judge = |gateway: &Gateway| rights.refusal_through(gateway, &destination);
        let refusal = gateways.iter().find_map(judge);
        let mut asked = gateways.clone();
        asked.retain(|gateway| judge(gateway).is_none());
        // Gateways through which the policy refuses the destination are not asked. If the policy refuses it through
        // every gateway, all of them are asked nevertheless, so that a gateway reports the refusal.
        if asked.is_empty() {
            asked.clone_from(&gateways);
        }
        let relays = asked.into_iter();
        let relays = relays.filter_map(|gateway| Some((gateway.vip, gateway.relay?)));
        let relays: Vec<_> = relays.collect();
        let through = Self {
            destination,
            gateways,
            refusal,
        };
        through.ask(rights, relays.into_iter())
    }

    /// Asks the next relay. If no relay is left, connects in the way of the Go version's agents: a gateway's DNS server
    /// resolves the name, and packets are sent to the address.
    fn ask(self, rights: &Rights, mut left: Services) -> Step {
        if let Some((gateway, port)) = left.next() {
            let destination = self.destination.clone();
            let asking = Asking(self, gateway, left);
            return Step::Ask(gateway.socket(port), destination, asking);
        }
        match self.destination.host {
            Host::Ip(IpAddr::V4(address)) => self.open(rights, vec![address].into_iter(), None),
            Host::Ip(IpAddr::V6(_)) => self.down(rights, ", or whose agent knows IPv4 only"),
            Host::Name(_) => {
                let servers = self.servers();
                self.find(rights, servers)
            }
        }
    }

    /// Asks the next DNS server.
    fn find(self, rights: &Rights, mut left: Services) -> Step {
        let Some((gateway, port)) = left.next() else {
            return self.down(rights, "");
        };
        let name = self.destination.host.to_string();
        Step::Find(gateway.socket(port), name, Finding(self, gateway, left))
    }

    /// Tries the next address. `last` is the cause of the previous address's failure; `None` for the first address.
    fn open(self, rights: &Rights, mut left: IntoIter<Ipv4Addr>, last: Option<Cause>) -> Step {
        if let Some(address) = left.next() {
            let address = SocketAddrV4::new(address, self.destination.port);
            return Step::Open(address, Opening(Target::Behind(self, left)));
        }
        match last {
            // The connection was refused either by the service, or by the manager because the gateway is down. The DNS
            // servers of the gateways show which of the two it was. If a gateway has no DNS server, this cannot be
            // found out.
            Some(Cause::Refused) if self.gateways.iter().all(|it| it.dns.is_some()) => {
                let servers = self.servers();
                self.check(rights, servers)
            }
            Some(cause) => self.not_accepted(rights, cause),
            None => self.down(rights, ""),
        }
    }

    /// Checks whether the next gateway is up, after a connection through the gateways was refused.
    fn check(self, rights: &Rights, mut left: Services) -> Step {
        let Some((gateway, port)) = left.next() else {
            return self.down(rights, "");
        };
        Step::Check(gateway.socket(port), Checking(self, left))
    }

    fn not_accepted(self, rights: &Rights, cause: Cause) -> Step {
        let (to, called) = (&self.destination, self.called(rights));
        let reason = format!(
            "{to}, which is reached through {called}, did not accept the connection, or {called} is not up."
        );
        self.give_up(cause, reason)
    }

    /// Gives up because no gateway is up. `perhaps` is another possible reason, which the message mentions.
    fn down(self, rights: &Rights, perhaps: &str) -> Step {
        let (to, called) = (&self.destination, self.called(rights));
        let reason = format!("{to} is reached through {called}, which is not up{perhaps}.");
        self.give_up(Cause::HostDown, reason)
    }

    /// Ends the path with a failure. If the policy refuses the destination, the failure says so.
    fn give_up(self, cause: Cause, reason: String) -> Step {
        Step::GiveUp(self.refusal.unwrap_or(Failure { cause, reason }))
    }

    fn servers(&self) -> Services {
        let servers = self.gateways.iter();
        let servers = servers.filter_map(|gateway| Some((gateway.vip, gateway.dns?)));
        servers.collect::<Vec<_>>().into_iter()
    }

    fn called(&self, rights: &Rights) -> String {
        let gateways = self.gateways.iter();
        let called = gateways.map(|gateway| rights.called(gateway.vip.address()));
        called.collect::<Vec<_>>().join(" or ")
    }
}

/// Waits for the answer of a gateway's relay, and has the relays that were not asked yet.
#[derive(Debug)]
pub struct Asking(Through, Vip, Services);

impl Asking {
    /// Handles a relay that does not accept connections. The manager refuses connections to a relay at once if a
    /// gateway is down, or if its agent has no relay.
    pub fn handle_closed(self, rights: &Rights) -> Step {
        self.0.ask(rights, self.2)
    }

    /// Handles the answer of a gateway that could not connect to the destination, or is not allowed to. The answer is
    /// final: other gateways are not asked.
    pub fn handle_refused(self, rights: &Rights, failure: &Failure) -> Step {
        let called = rights.called(self.1.address());
        let reason = format!("Through {called}: {}", failure.reason);
        let cause = failure.cause;
        Step::GiveUp(Failure { cause, reason })
    }
}

/// Waits for the answer of a gateway's DNS server, and has the DNS servers that were not asked yet.
#[derive(Debug)]
pub struct Finding(Through, Vip, Services);

impl Finding {
    /// Handles the addresses that the server gave; `None` if it did not answer.
    pub fn handle_found(self, rights: &Rights, addresses: Option<Vec<Ipv4Addr>>) -> Step {
        let Self(through, gateway, left) = self;
        let Some(addresses) = addresses else {
            return through.find(rights, left);
        };
        if addresses.is_empty() {
            let (name, called) = (&through.destination.host, rights.called(gateway.address()));
            let reason = format!("The DNS server of {called} knows no IPv4 address of {name}.");
            return through.give_up(Cause::NameNotFound, reason);
        }
        let suggesting = Suggesting(through, addresses.clone().into_iter());
        Step::Suggest(gateway, addresses, suggesting)
    }
}

/// Waits until the manager was told that addresses are behind a gateway.
#[derive(Debug)]
pub struct Suggesting(Through, IntoIter<Ipv4Addr>);

impl Suggesting {
    /// Connects to the first of the suggested addresses. The manager receives the suggestion before any packets to
    /// these addresses.
    pub fn handle_suggested(self, rights: &Rights) -> Step {
        self.0.open(rights, self.1, None)
    }
}

/// Waits for the check whether a gateway is up, and has the DNS servers of the gateways that were not checked yet.
#[derive(Debug)]
pub struct Checking(Through, Services);

impl Checking {
    /// Handles the outcome of the check: whether the DNS server of the gateway accepts connections.
    pub fn handle_checked(self, rights: &Rights, accepts: bool) -> Step {
        if accepts {
            self.0.not_accepted(rights, Cause::Refused)
        } else {
            self.0.check(rights, self.1)
        }
    }
}
