//! The things that a manifest lets happen to machines, and the sentence about each that a person is shown.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    destination::Host,
    text::{escape, quote_whole, shell_line},
};

/// One thing that a plan grants. Two plans grant the same if their sets of grants are equal. The new grants of a plan
/// are the difference of the two sets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Grant {
    /// A command runs on this machine.
    Command {
        /// The host that the command is for.
        host: String,
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A program is put on a host that has only a shell, and is run there.
    Install {
        /// The host.
        host: String,
    },
    /// All hosts of the network can connect to a published port.
    Publish {
        /// The host that dials the target.
        host: String,
        /// The port at the host's address.
        port: u16,
        /// The protocol of the port: `tcp` or `udp`.
        protocol: String,
        /// The address or name, and the port, that the host dials.
        target: String,
        /// Whether the host is this machine.
        here: bool,
    },
    /// All hosts of the network can have this machine's resolver look up names.
    Resolver {
        /// The host that is this machine.
        host: String,
    },
    /// A host has a proxy.
    Proxy {
        /// The host that has the proxy.
        host: String,
        /// The protocol of the proxy: `HTTP` or `SOCKS`.
        protocol: String,
        /// The address that the proxy listens on.
        listen: String,
        /// Whether other machines can use the proxy, and not only programs on the host itself.
        remote: bool,
    },
    /// A file with passwords is read.
    Credentials {
        /// The host that reads the file.
        host: String,
        /// The file, as it is written in the manifest.
        file: String,
    },
    /// The hosts file of a machine is changed.
    HostsFile {
        /// The host on the machine.
        host: String,
    },
    /// Files are written into a folder that is not the program's usual one.
    StateDir {
        /// The host that writes the files.
        host: String,
        /// The folder, as it is written in the manifest.
        folder: String,
    },
    /// A name that could exist on the Internet leads into the network.
    Name {
        /// The host to which the name leads.
        host: String,
        /// The name.
        name: String,
    },
    /// Other users of this machine can use the network.
    OtherUsers {
        /// The host that is this machine.
        host: String,
        /// The part of the network that they can use.
        place: String,
    },
    /// A policy decides who may reach what.
    Reach {
        /// Whether hosts may reach destinations that no rule is about.
        allows_rest: bool,
        /// The rules. The first one that fits decides.
        rules: Vec<String>,
    },
    /// Connections that leave the network are dialled by a host.
    Route {
        /// The block of addresses, or the pattern of names.
        to: String,
        /// The exceptions from `to`.
        not_to: Vec<String>,
        /// The host that dials.
        via: String,
    },
}

impl Grant {
    /// The beginning of the sentence about the command of a host.
    pub fn command_of(host: &str) -> String {
        format!("this machine runs, for {host}: ")
    }
}

/// Only this implementation puts grants into words.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { host, command } => {
                write!(f, "{}{}", Self::command_of(host), shell_line(command))
            }
            Self::Install { host } => write!(
                f,
                "an agent is put on {host} if there is none, into a folder of the user there, and is run"
            ),
            Self::Publish {
                host,
                port,
                protocol,
                target,
                here,
            } => {
                let whose = if *here { "this machine" } else { host.as_str() };
                let how = if is_loopback(target) { "of" } else { "through" };
                let udp = if protocol == "tcp" { "" } else { "/udp" };
                write!(
                    f,
                    "all hosts can connect to {} {how} {whose}, as {host}:{port}{udp}",
                    escape(target)
                )
            }
            Self::Resolver { host } => write!(
                f,
                "all hosts can have names looked up by this machine, with the DNS server of {host}"
            ),
            Self::Proxy {
                host,
                protocol,
                listen,
                remote,
            } => {
                let who = if *remote {
                    "which other machines can use"
                } else {
                    "for programs on its own machine"
                };
                write!(f, "{host} has a proxy ({protocol}) at {listen}, {who}")
            }
            Self::Credentials { host, file } => write!(
                f,
                "{host} reads the users of its proxy from the file {}",
                quote_whole(file)
            ),
            Self::HostsFile { host } => write!(
                f,
                "{host} writes the names of the network into the hosts file of its machine"
            ),
            Self::StateDir { host, folder } => {
                write!(
                    f,
                    "{host} writes files into the folder {}",
                    quote_whole(folder)
                )
            }
            Self::Name { host, name } => write!(
                f,
                "in the network the name {name} leads to {host}, whatever it means elsewhere"
            ),
            Self::OtherUsers { host, place } => write!(
                f,
                "every user of this machine can connect to {place}, as a program of {host}"
            ),
            Self::Reach { allows_rest, rules } => {
                let rest = match allows_rest {
                    true => "every host may reach all that is published and routed",
                    false => "no host may reach anything",
                };
                f.write_str(rest)?;
                if !rules.is_empty() {
                    write!(f, ", but for: {}", escape(&rules.join("; ")))?;
                }
                Ok(())
            }
            Self::Route { to, not_to, via } => {
                write!(f, "connections to {} go through {via}", escape(to))?;
                if !not_to.is_empty() {
                    write!(f, ", except those to {}", escape(&not_to.join(", ")))?;
                }
                Ok(())
            }
        }
    }
}

/// Whether a target is a service of the very machine that dials it.
fn is_loopback(target: &str) -> bool {
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    match host.trim_matches(['[', ']']).parse() {
        Ok(Host::Ip(address)) => address.is_loopback(),
        Ok(name @ Host::Name(_)) => name.is_localhost(),
        Err(_) => false,
    }
}

/// A change of the manifest that waits until a person agrees to what it grants. No part of it is in force yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldChange {
    /// Identifies the change in an approval: approving a number approves only the change that was shown with this
    /// number.
    pub number: u64,
    /// The new grants of this change, compared with the running network, as sentences.
    pub grants: Vec<String>,
}
