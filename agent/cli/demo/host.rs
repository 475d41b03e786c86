//! `norouter demo-host`: one host of the demo. It makes a small world, with a web page in it, and then runs the agent
//! in there as any host would.

use std::{
    net::{SocketAddrV4, TcpListener},
    str::FromStr,
};

use super::page::{self, Page};
use crate::{
    addr::HostName,
    cli::{
        agent,
        error::{Error, Exit},
        output,
    },
    driver::{describe, namespace},
};

/// Run as a host of the demo; the demo does this, people do not
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(in crate::cli) struct HostArgs {
    /// Only says whether a host can have a network of its own
    #[arg(long)]
    probe: bool,
    /// The name of the host
    #[arg(long, required_unless_present = "probe")]
    name: Option<HostName>,
    /// Where the web page listens
    #[arg(long, required_unless_present = "probe")]
    page: Option<SocketAddrV4>,
    /// Have a network of its own
    #[arg(long)]
    apart: bool,
    /// Another host with a page
    #[arg(long = "peer", value_name = "NAME=ADDRESS")]
    peers: Vec<Peer>,
    #[command(subcommand)]
    then: Option<Then>,
}

/// What the manager appends to every command.
#[derive(Debug, clap::Subcommand)]
enum Then {
    Agent(agent::Args),
}

/// Another host, and where its page is in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) name: HostName,
    pub(super) address: SocketAddrV4,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = text.split_once('=').ok_or("write NAME=ADDRESS:PORT")?;
        Ok(Self {
            name: name.parse().map_err(|error| format!("{error}"))?,
            address: address.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

pub(in crate::cli) fn run(args: &HostArgs) -> Result<Exit, Error> {
    if args.probe {
        return probe();
    }
    let (Some(name), Some(address), Some(Then::Agent(agent))) = (&args.name, args.page, &args.then)
    else {
        let error = Error::new(
            Exit::Usage,
            "a host of the demo is started by the demo, not by hand",
        );
        return Err(error.hint("run \"norouter demo\""));
    };
    let failed = |what: &str, error: &std::io::Error| {
        Error::new(Exit::Failure, format!("{what}: {}", describe(error)))
    };
    if args.apart {
        namespace::enter().map_err(|error| failed("no network of its own", &error))?;
    }
    let listener = TcpListener::bind(address)
        .map_err(|error| failed(&format!("the page cannot listen on {address}"), &error))?;
    let page = Page {
        name: name.clone(),
        apart: args.apart,
        peers: args.peers.clone(),
    };
    // The page is an ordinary program of this host, beside the agent and not a part of it. It ends with the process.
    std::thread::Builder::new()
        .name("page".to_owned())
        .spawn(|| page::serve(listener, page))
        .map_err(|error| failed("the page cannot be served", &error))?;
    agent::run(agent)
}

fn probe() -> Result<Exit, Error> {
    match namespace::enter() {
        Ok(()) => Ok(Exit::Ok),
        Err(error) => {
            output::data(&describe(&error))?;
            Ok(Exit::Failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_name_and_an_address() {
        let peer: Peer = "attic=127.0.42.103:8080".parse().unwrap();
        assert_eq!(peer.name.as_str(), "attic");
        assert_eq!(peer.address.port(), 8080);
        assert!("attic".parse::<Peer>().is_err());
        assert!("<b>=127.0.42.103:8080".parse::<Peer>().is_err());
        assert!("attic=127.0.42.103".parse::<Peer>().is_err());
    }
}
