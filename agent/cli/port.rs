//! `norouter port`: the published ports of a manifest.

use super::{
    amend::{Options, Shared, Subject, written},
    error::{Error, Exit},
    input::Commands,
    open_ports,
};
use crate::{
    addr::Port,
    edit::{Change, Edit, Owner},
    manifest::Spanned,
    text::quote,
};

/// Publish ports in a manifest, change or remove them, or list the programs that listen on a host
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Publish a port of a host
    Add(Which),
    /// Change a published port where it is written
    Set(Set),
    /// Stop publishing a port
    Rm(Which),
    Ls(open_ports::Args),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The name of the host, or hostTemplate for all hosts
    #[arg(value_name = "HOST")]
    host: String,
    /// The port: 8080, or 8080:127.0.0.1:80
    #[arg(value_name = "PORT")]
    port: String,
    #[command(flatten)]
    shared: Shared,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, clap::Args)]
struct Set {
    #[command(flatten)]
    which: Which,
    /// The new port: with 8081, only the port to listen on changes; with 8081:127.0.0.1:81, all of it
    #[arg(value_name = "NEW")]
    new: String,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    match &args.verb {
        Verb::Ls(args) => open_ports::run(args),
        Verb::Add(which) => {
            let change = Change::Add {
                at: None,
                item: whole(&which.port)?,
            };
            let subject = which.options.open(commands)?;
            which.make(&subject, which.owner(&subject), change)
        }
        Verb::Set(Set { which, new }) => {
            let subject = which.options.open(commands)?;
            let (at, owner, old) = which.find(&subject, which.owner(&subject))?;
            let item = moved(old, new)?;
            which.make(&subject, owner, Change::Replace { at, item })
        }
        Verb::Rm(which) => {
            let subject = which.options.open(commands)?;
            let (at, owner, _) = which.find(&subject, which.owner(&subject))?;
            which.make(&subject, owner, Change::Take { at })
        }
    }
}

/// A port as it is written in the manifest. A number alone leads to the same port of the host itself.
pub(super) fn whole(port: &str) -> Result<String, Error> {
    if port.contains(':') {
        return Ok(port.to_owned());
    }
    let number = number(port)?;
    Ok(format!("{number}:127.0.0.1:{number}"))
}

/// The port `old` after a change to `new`. A number alone is another port to listen on, in front of the same
/// destination.
fn moved(old: &str, new: &str) -> Result<String, Error> {
    match old.split_once(':') {
        Some((_, destination)) if !new.contains(':') => {
            Ok(format!("{}:{destination}", number(new)?))
        }
        _ => whole(new),
    }
}

fn number(port: &str) -> Result<Port, Error> {
    port.parse().map_err(|_| {
        let message = format!("{} is not a port", quote(port));
        Error::new(Exit::Usage, message).hint("write 8080, or 8080:127.0.0.1:80")
    })
}

impl Which {
    fn owner(&self, subject: &Subject) -> Owner {
        if self.host == "hostTemplate" {
            Owner::Template
        } else {
            Owner::Host(written(subject, &self.host))
        }
    }

    fn make(&self, subject: &Subject, owner: Owner, change: Change) -> Result<Exit, Error> {
        let edit = Edit::Field {
            owner,
            field: vec!["ports".to_owned()],
            change,
            reach: self.shared.reach(),
        };
        self.options.make(subject, &edit)
    }

    /// The place of the port among those of its owner, the owner, and the port as it is written. The owner is the host
    /// itself, or the template.
    fn find<'s>(
        &self,
        subject: &'s Subject,
        owner: Owner,
    ) -> Result<(usize, Owner, &'s str), Error> {
        let manifest = &subject.loaded.manifest;
        let found = |ports: &[&'s Spanned<String>]| {
            let at = ports.iter().position(|port| {
                let listen = port.value.split(':').next();
                port.value == self.port || listen == Some(self.port.as_str())
            })?;
            Some((at, ports[at].value.as_str()))
        };
        let of_host = manifest
            .hosts
            .iter()
            .filter(|host| matches!(&owner, Owner::Host(name) if *name == host.name.value));
        let of_host: Vec<_> = of_host.flat_map(|host| &host.settings.ports).collect();
        if let Some((at, port)) = found(&of_host) {
            return Ok((at, owner, port));
        }
        let of_template: Vec<_> = manifest.template.ports.iter().collect();
        match found(&of_template) {
            Some((at, port)) if owner == Owner::Template || self.shared.is_everywhere() => {
                Ok((at, Owner::Template, port))
            }
            Some(_) => {
                let message = format!(
                    "port {} of {} comes from hostTemplate",
                    self.port, self.host
                );
                Err(Error::new(Exit::Failure, message)
                    .hint("with --everywhere, the command is for all hosts"))
            }
            None => {
                let message = format!("{} does not publish port {}", self.host, self.port);
                Err(Error::new(Exit::Failure, message).hint("\"norouter host ls\" lists the ports"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_moves_only_the_port_to_listen_on() {
        for (old, new, expected) in [
            ("8080:127.0.0.1:80", "9090", "9090:127.0.0.1:80"),
            ("53:[::1]:53/udp", "54", "54:[::1]:53/udp"),
            ("8080:127.0.0.1:80", "8080:web:81", "8080:web:81"),
        ] {
            assert_eq!(moved(old, new).unwrap(), expected);
        }
        for wrong in ["x", "0", "70000", ""] {
            assert!(moved("8080:127.0.0.1:80", wrong).is_err(), "{wrong}");
        }
    }
}
