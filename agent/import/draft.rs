//! A first manifest: this machine, and the hosts that were chosen.

use std::fmt::Write as _;

use super::{
    candidate::{Candidate, scalar},
    ports::port_entry,
};
use crate::text::quote;

/// The maximum number of hosts of a draft, besides this machine.
pub const HOSTS_MAX: usize = 253;

/// The network of a manifest that does not name one: 127.0.42.0/24.
pub const NETWORK: u8 = 42;

/// The name of this machine.
const HERE: &str = "laptop";

/// The last number of this machine's address, if there are enough numbers after it for all other hosts.
const FIRST: usize = 100;

/// A manifest that is being made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The third number of all addresses.
    network: u8,
    /// The port of the HTTP proxy of this machine.
    proxy: u16,
    members: Vec<Member>,
}

/// A host that was chosen.
#[derive(Clone, Debug)]
struct Member {
    name: String,
    candidate: Candidate,
    /// The entries of `ports`.
    ports: Vec<String>,
}

impl Draft {
    /// A draft with addresses of 127.0.`network`.0/24, and a proxy on this port.
    pub const fn new(network: u8, proxy: u16) -> Self {
        Self {
            network,
            proxy,
            members: Vec::new(),
        }
    }

    /// Adds a host, and returns its name in the manifest.
    pub fn add(&mut self, candidate: &Candidate) -> Result<String, String> {
        if let Some(reason) = &candidate.unusable {
            return Err(format!("{} cannot become a host: {reason}", candidate.id()));
        }
        if self.members.len() >= HOSTS_MAX {
            return Err(format!("choose at most {HOSTS_MAX} hosts"));
        }
        if self
            .members
            .iter()
            .any(|it| it.candidate.line == candidate.line)
        {
            return Err(format!("{} is chosen twice", candidate.id()));
        }
        let mut name = candidate.host.clone();
        let mut number = 2;
        while name == HERE || self.members.iter().any(|it| it.name == name) {
            name = format!("{}-{number}", candidate.host);
            number += 1;
        }
        self.members.push(Member {
            name: name.clone(),
            candidate: candidate.clone(),
            ports: Vec::new(),
        });
        Ok(name)
    }

    /// Publishes a port of a host. `host` is the name in the manifest, or the name in the host's source. `port` is a
    /// text for [`port_entry`].
    pub fn publish(&mut self, host: &str, port: &str) -> Result<(), String> {
        let entry = port_entry(port)?;
        let names: Vec<_> = self.members.iter().map(|it| it.name.clone()).collect();
        let is = |it: &&mut Member| {
            it.name.eq_ignore_ascii_case(host)
                || it.candidate.name == host
                || it.candidate.id() == host
        };
        let Some(member) = self.members.iter_mut().find(is) else {
            let all = names.join(", ");
            return Err(format!(
                "the manifest has no host {}; its hosts are {all}",
                quote(host)
            ));
        };
        let listen = |entry: &str| entry.split(':').next().map(str::to_owned);
        if let Some(other) = member.ports.iter().find(|it| listen(it) == listen(&entry)) {
            return Err(format!(
                "{} publishes {other} already, and {entry} needs another port in front",
                member.name
            ));
        }
        member.ports.push(entry);
        Ok(())
    }

    /// The first published port, with its host; `None` if no port is published.
    pub fn first_port(&self) -> Option<(&str, &str)> {
        let mut members = self.members.iter();
        members.find_map(|it| Some((it.name.as_str(), it.ports.first()?.split(':').next()?)))
    }

    /// The address of the host with this name, or that of this machine.
    pub fn address_of(&self, name: &str) -> String {
        let number = self.members.iter().position(|it| it.name == name);
        self.address(number.map_or(0, |number| number + 1))
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# One network from this file. \"norouter\" in this folder runs it, \"norouter check\" finds mistakes in it,\n\
             # and \"norouter help manifest\" explains every field.\n",
        );
        if self.network != NETWORK {
            let _ = write!(
                text,
                "# Hosts without vip get an address from here.\nnetwork: \"127.0.{}.0/24\"\n",
                self.network
            );
        }
        let _ = write!(
            text,
            "hosts:\n  \
             # This machine. Each host has an address, which is the same on all hosts of the network.\n  \
             {HERE}:\n    vip: \"{}\"\n    \
             # Programs that use this proxy reach hosts by name: norouter exec -- curl http://NAME:PORT\n    \
             http: {{listen: \"127.0.0.1:{}\"}}\n",
            self.address(0),
            self.proxy
        );
        let mut advised = false;
        for (number, member) in (1..).zip(&self.members) {
            let Member {
                name,
                candidate,
                ports,
            } = member;
            let address = self.address(number);
            let (key, line) = (scalar(name), &candidate.line);
            let _ = write!(text, "  {key}:\n    vip: \"{address}\"\n    {line}\n");
            if ports.is_empty() {
                if !std::mem::replace(&mut advised, true) {
                    text.push_str(
                        "    # To publish a server that listens on port 80 there, remove the # of the next line.\n    \
                         # ports: [\"8080:127.0.0.1:80\"]\n",
                    );
                }
                continue;
            }
            if let Some((listen, target)) = ports[0].split_once(':') {
                let _ = writeln!(
                    text,
                    "    # {address}:{listen} leads to {target}, as {name} sees it."
                );
            }
            let quoted: Vec<_> = ports.iter().map(|port| format!("\"{port}\"")).collect();
            let _ = writeln!(text, "    ports: [{}]", quoted.join(", "));
        }
        text
    }

    /// The address of a host; the number of this machine is 0.
    fn address(&self, number: usize) -> String {
        let fits = FIRST + self.members.len() < 255;
        let first = if fits { FIRST } else { 1 };
        format!("127.0.{}.{}", self.network, first + number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Source;

    fn named(source: Source, name: &str) -> Candidate {
        Candidate::named(source, name).unwrap()
    }

    #[test]
    fn a_draft_refuses_hosts_and_ports_that_cannot_work() {
        let mut draft = Draft::new(NETWORK, 18_080);
        draft.add(&named(Source::Docker, "app")).unwrap();
        draft.publish("app", "80").unwrap();
        for (problem, expected) in [
            (
                draft.clone().add(&named(Source::Docker, "app")).err(),
                "docker:app is chosen twice",
            ),
            (
                draft
                    .clone()
                    .add(&Candidate::unusable(Source::Ssh, "git", "no shell"))
                    .err(),
                "ssh:git cannot become a host: no shell",
            ),
            (
                draft.clone().publish("web", "80").err(),
                "the manifest has no host \"web\"; its hosts are app",
            ),
            (
                draft.clone().publish("app", "8080:81").err(),
                "app publishes 8080:127.0.0.1:80 already, and 8080:127.0.0.1:81 needs another port in front",
            ),
        ] {
            assert_eq!(problem.as_deref(), Some(expected));
        }
    }
}
