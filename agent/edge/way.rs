//! The way of a proxy's client to its destination, step by step: through the network, through a gateway, or directly
//! from this host.
//!
//! A [`Step`] says what to do next. If that connects, the way has ended. Otherwise the last part of the step takes the
//! outcome and decides about the next step. It is given the rights each time, because they may change under way.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    vec::IntoIter,
};

use super::{
    path::{Gateway, Path, permitted},
    rights::Rights,
};
use crate::{
    addr::{Port, Vip},
    destination::{Destination, Host},
    route,
    wire::{Cause, Failure},
};

/// What to do next for a client, and what takes the outcome.
#[derive(Debug)]
pub enum Step {
    /// Connect to this address of the network.
    Open(SocketAddrV4, Opening),
    /// Connect to the relay at this address of the network, and ask it for this destination.
    Ask(SocketAddrV4, Destination, Asking),
    /// Ask the DNS server at this address of the network for the IPv4 addresses of this name.
    Find(SocketAddrV4, String, Finding),
    /// Tell the manager that these addresses are behind this gateway ([`super::Core::suggest`]).
    Suggest(Vip, Vec<Ipv4Addr>, Suggesting),
    /// Connect to the DNS server at this address of the network, only to find out whether it accepts.
    Check(SocketAddrV4, Checking),
    /// Look up the client's destination as this host does for its programs. If that fails, give up.
    Resolve(Resolving),
    /// Find out which of these addresses are this machine's own.
    Sort(Vec<SocketAddr>, Sorting),
    /// Connect from this host to one of these addresses. If that fails, give up.
    Dial(Vec<SocketAddr>),
    /// Give up. This machine does not permit it, so it is reported ([`super::Core::handle_not_dialled`]).
    NotPermitted(Failure),
    /// Give up.
    GiveUp(Failure),
}

impl Step {
    /// The first step to a destination. A client that may be on another machine `is_remote`: it does not reach what
    /// only this host's own programs reach.
    pub fn first(rights: &Rights, destination: Destination, is_remote: bool) -> Self {
        match rights.path(&destination) {
            Ok(Path::Network(address)) => Opening::begin(destination, address),
            Ok(Path::Gateways(gateways)) => Through::begin(rights, destination, gateways),
            Ok(Path::Direct) => Self::Resolve(Resolving {
                destination,
                is_remote,
            }),
            Err(failure) => Self::GiveUp(failure),
        }
    }
}

/// An address of the network is connected to.
#[derive(Debug)]
pub struct Opening(Target);

#[derive(Debug)]
enum Target {
    /// A port of a host.
    Host(Destination, SocketAddrV4),
    /// An address behind gateways; the others of the same name are left.
    Behind(Through, IntoIter<Ipv4Addr>),
}

impl Opening {
    fn begin(destination: Destination, address: SocketAddrV4) -> Step {
        Step::Open(address, Self(Target::Host(destination, address)))
    }

    /// The address cannot be connected to, for this cause, which `what` describes for people.
    pub fn handle_failed(self, rights: &Rights, cause: Cause, what: &str) -> Step {
        let (destination, address) = match self.0 {
            Target::Host(destination, address) => (destination, address),
            Target::Behind(through, left) => return through.open(rights, left, Some(cause)),
        };
        // The connection was tried although the policy refuses it, so that the manager reports it.
        if let Some(refusal) = rights.refusal(address) {
            return Step::GiveUp(refusal);
        }
        let reason = if cause == Cause::Refused {
            format!(
                "{destination} ({address}) does not accept connections: its host is not up, it does not publish the \
                 port, or the service there refused."
            )
        } else {
            format!("{destination} ({address}) cannot be reached: {what}.")
        };
        Step::GiveUp(Failure { cause, reason })
    }
}

/// The name of a destination is looked up by this host.
#[derive(Debug)]
pub struct Resolving {
    destination: Destination,
    is_remote: bool,
}

impl Resolving {
    /// The destination has these addresses. One of them may still belong to the network or to a route.
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
        if !self.is_remote {
            return dial(rights, &self.destination, addresses);
        }
        addresses.retain(|address| !route::is_special(address.ip()));
        let doubtful = addresses.iter().filter(|it| !rights.means_own(it.ip()));
        let doubtful = doubtful.copied().collect();
        Step::Sort(doubtful, Sorting(self.destination, addresses))
    }
}

/// The addresses of a destination are sorted: clients on other machines do not reach those of this machine itself.
#[derive(Debug)]
pub struct Sorting(Destination, Vec<SocketAddr>);

impl Sorting {
    /// Of the addresses that [`Step::Sort`] has named, these are this machine's own.
    pub fn handle_sorted(self, rights: &Rights, own: &[SocketAddr]) -> Step {
        let Self(destination, mut addresses) = self;
        addresses.retain(|address| !own.contains(address));
        dial(rights, &destination, addresses)
    }
}

/// Dials those addresses of a destination that this machine permits.
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

/// A destination behind gateways.
#[derive(Debug)]
struct Through {
    destination: Destination,
    gateways: Vec<Gateway>,
    /// Why the policy refuses the destination, if it does so for any of the gateways.
    refusal: Option<Failure>,
}

/// Services of gateways that have not been tried yet.
type Services = IntoIter<(Vip, Port)>;

impl Through {
    /// Goes through the first gateway that is up.
    fn begin(rights: &Rights, destination: Destination, gateways: Vec<Gateway>) -> Step {
        let judge = |gateway: &Gateway| rights.refusal_through(gateway, &destination);
        let refusal = gateways.iter().find_map(judge);
        let mut asked = gateways.clone();
        asked.retain(|gateway| judge(gateway).is_none());
        // Another gateway may be allowed. If none is, the gateway that refuses reports it.
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

    /// Asks the next relay. If none is left, packets are sent straight to the destination's address, as agents of the
    /// Go version do.
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

    /// Tries the next address; `last` is why the one before did not work.
    fn open(self, rights: &Rights, mut left: IntoIter<Ipv4Addr>, last: Option<Cause>) -> Step {
        if let Some(address) = left.next() {
            let address = SocketAddrV4::new(address, self.destination.port);
            return Step::Open(address, Opening(Target::Behind(self, left)));
        }
        match last {
            // A gateway that is down looks like a service that refuses. Without a DNS server, nothing can be said about
            // a gateway.
            Some(Cause::Refused) if self.gateways.iter().all(|it| it.dns.is_some()) => {
                let servers = self.servers();
                self.check(rights, servers)
            }
            Some(cause) => self.not_accepted(rights, cause),
            None => self.down(rights, ""),
        }
    }

    /// Finds out whether the next gateway is up, after an address behind it has refused.
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

    /// No gateway is up, or else `perhaps` is true.
    fn down(self, rights: &Rights, perhaps: &str) -> Step {
        let (to, called) = (&self.destination, self.called(rights));
        let reason = format!("{to} is reached through {called}, which is not up{perhaps}.");
        self.give_up(Cause::HostDown, reason)
    }

    /// Ends the way. If the policy refuses the destination, that is the reason.
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

/// The relay of this gateway is asked; others may be left.
#[derive(Debug)]
pub struct Asking(Through, Vip, Services);

impl Asking {
    /// The relay does not accept. The manager refuses at once if a gateway is down, or if its agent has no relay.
    pub fn handle_closed(self, rights: &Rights) -> Step {
        self.0.ask(rights, self.2)
    }

    /// The gateway does not connect, and that is final.
    pub fn handle_refused(self, rights: &Rights, failure: &Failure) -> Step {
        let called = rights.called(self.1.address());
        let reason = format!("Through {called}: {}", failure.reason);
        let cause = failure.cause;
        Step::GiveUp(Failure { cause, reason })
    }
}

/// The DNS server of this gateway is asked; others may be left.
#[derive(Debug)]
pub struct Finding(Through, Vip, Services);

impl Finding {
    /// The server knows these addresses; `None` if it does not answer.
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

/// The manager is told that addresses are behind a gateway.
#[derive(Debug)]
pub struct Suggesting(Through, IntoIter<Ipv4Addr>);

impl Suggesting {
    /// The manager learns of it before the packets that go there.
    pub fn handle_suggested(self, rights: &Rights) -> Step {
        self.0.open(rights, self.1, None)
    }
}

/// It is found out whether any gateway is up; others may be left.
#[derive(Debug)]
pub struct Checking(Through, Services);

impl Checking {
    /// The DNS server of the gateway accepts connections, or does not.
    pub fn handle_checked(self, rights: &Rights, accepts: bool) -> Step {
        if accepts {
            self.0.not_accepted(rights, Cause::Refused)
        } else {
            self.0.check(rights, self.1)
        }
    }
}
