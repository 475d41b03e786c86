//! The plans between which a simulated network is reloaded. This file calculates independently of the program what a
//! plan allows.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddrV4},
};

use norouter::{
    addr::Vip,
    plan::{self, Plan},
};

/// How many different plans there are.
pub(crate) const VARIANTS: u64 = 32;

/// The hostile host.
pub(crate) const EVIL: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 66);

/// The host that only some plans have.
const GUEST: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 50);

/// A destination with a route, and one without.
pub(crate) const ROUTED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 5), 443);
pub(crate) const NOWHERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 9, 9, 9), 443);

/// A port that all hosts publish, one that the first host publishes in some plans, and one that no host publishes.
pub(crate) const ALWAYS: u16 = 80;
pub(crate) const SOMETIMES: u16 = 81;
pub(crate) const NEVER: u16 = 82;

/// A port that the first host publishes, and that no policy opens for the hostile host.
pub(crate) const KEPT: u16 = 83;

/// One of the plans. Each bit of its number stands for one difference between plans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    number: u64,
    hosts: u8,
}

impl Variant {
    /// A network with this many honest hosts.
    pub(crate) fn new(number: u64, hosts: u8) -> Self {
        Self { number, hosts }
    }

    fn has_a_further_port(self) -> bool {
        self.number & 1 != 0
    }

    fn has_another_command(self) -> bool {
        self.number & 2 != 0
    }

    fn has_a_guest(self) -> bool {
        self.number & 4 != 0
    }

    /// The number of the host through which the route leads.
    fn gateway(self) -> u8 {
        if self.number & 8 == 0 { 3 } else { 1 }
    }

    /// Whether the policy has two more rules: the second host may not reach a port of the first, and the first host may
    /// not reach some destinations outside.
    fn has_more_rules(self) -> bool {
        self.number & 16 != 0
    }

    /// The plan.
    pub(crate) fn plan(self) -> Plan {
        let mut text = "hosts:\n".to_owned();
        let mut host = |name: &str, number: u8, command: &str, more: &str| {
            let _ = writeln!(
                text,
                "  {name}: {{vip: 127.0.42.{number}, cmd: {command}, ports: ['{ALWAYS}:127.0.0.1:80'{more}]}}"
            );
        };
        let kept = format!(", '{KEPT}:127.0.0.1:83'");
        let further = format!("{kept}, '{SOMETIMES}:127.0.0.1:81'");
        for number in 1..=self.hosts {
            let other = number == 2 && self.has_another_command();
            let more = number == 1 && self.has_a_further_port();
            host(
                &format!("h{number}"),
                number,
                if other { "other" } else { "run" },
                match number {
                    1 if more => &further,
                    1 => &kept,
                    _ => "",
                },
            );
        }
        host("evil", EVIL.octets()[3], "run", "");
        if self.has_a_guest() {
            host("guest", GUEST.octets()[3], "run", "");
        }
        let _ = write!(
            text,
            "routes:\n  - {{via: h{}, to: [10.0.0.0/24]}}\n",
            self.gateway()
        );
        text += "policy:\n  rules:\n";
        let _ = writeln!(
            text,
            "  - {{from: evil, to: h1, ports: [{KEPT}], action: deny}}"
        );
        if self.has_more_rules() {
            let _ = writeln!(
                text,
                "  - {{from: h2, to: h1, ports: [{SOMETIMES}], action: deny}}"
            );
            text += "  - {from: h1, to: [10.0.0.0/25], action: deny}\n";
        }
        plan::load("sim.yaml", &text).plan.unwrap()
    }

    /// Whether the host of `src` may begin a connection to `dst` that is delivered to `host`. This is either the host
    /// of `dst` or the gateway.
    pub(crate) fn allows(self, host: Vip, src: SocketAddrV4, dst: SocketAddrV4) -> bool {
        let [a, b, c, number] = src.ip().octets();
        let is_good = [a, b, c] == [127, 0, 42] && (1..=self.hosts).contains(&number);
        let is_guest = *src.ip() == GUEST && self.has_a_guest();
        if !is_good && !is_guest && *src.ip() != EVIL {
            return false;
        }
        let from = number;
        let number = host.address().octets()[3];
        let is_outside = *dst.ip() != host.address();
        let is_kept_out = match dst.port() {
            _ if src.ip() == &host.address() => false,
            _ if is_outside => from == 1 && self.has_more_rules(),
            KEPT => *src.ip() == EVIL,
            SOMETIMES => from == 2 && self.has_more_rules(),
            _ => false,
        };
        if is_kept_out {
            return false;
        }
        if !is_outside {
            return dst.port() == ALWAYS
                || (dst.port() == KEPT && number == 1)
                || (dst.port() == SOMETIMES && number == 1 && self.has_a_further_port());
        }
        dst.ip().octets()[..3] == [10, 0, 0] && number == self.gateway()
    }
}
