//! The grants of a manifest: the things that may happen on machines because of it. Each has a sentence for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    destination::Host,
    text::{escape, quote_whole, shell_line},
};

/// One thing that a plan grants. Two plans grant the same if their sets of grants are equal. The new grants of a plan
/// are those that the set of the old plan does not have.
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
        /// The host that is reached with the command.
        host: String,
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A command runs on this machine, to choose which pod or container a host is in.
    Lookup {
        /// The host.
        host: String,
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A program is put on a host through its shell, and is run there.
    Install {
        /// The host.
        host: String,
        /// A second command, which leads to a shell of the host. It is run only if the host's own command does not
        /// start a usable agent. Absent if the host's own command leads to a shell itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<Vec<String>>,
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
        /// The rules. The first rule that matches decides.
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

/// Says that an agent is put on a host through its shell. `command` is a second command, which leads to that shell. It
/// is run only if the host's own command does not start a usable agent. `None` if the host's own command leads to a
/// shell itself.
fn installed(f: &mut fmt::Formatter<'_>, host: &str, command: Option<&[String]>) -> fmt::Result {
    let Some(command) = command else {
        return write!(
            f,
            "an agent is put on {host} if there is none, into a folder of the user there, and is run"
        );
    };
    write!(
        f,
        "if the command of {host} finds no norouter there, or one that cannot work with this one, this machine runs: {}; an \
         agent is put on {host}, into a folder of the user there, and is run",
        shell_line(command)
    )
}

/// Only this implementation puts grants into words.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { host, command } => {
                write!(f, "{}{}", Self::command_of(host), shell_line(command))
            }
            Self::Lookup { host, command } => write!(
                f,
                "this machine runs, to choose where {host} is: {}",
                shell_line(command)
            ),
            Self::Install { host, command } => installed(f, host, command.as_deref()),
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

/// Whether a target is on the same machine as the host that dials it.
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
