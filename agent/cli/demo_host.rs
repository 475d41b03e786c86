//! `norouter demo-host`: runs one host of the demo, together with its agent.

use std::net::SocketAddrV4;

use super::{
    agent,
    error::{Error, Exit},
    output,
};
use crate::{
    addr::HostName,
    driver::demo::{self, Host, Peer},
};

/// Run as a host of the demo; started by the demo, not by people
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct HostArgs {
    /// Only check whether a host can have a network of its own
    #[arg(long)]
    probe: bool,
    /// The name of the host
    #[arg(long, required_unless_present = "probe")]
    name: Option<HostName>,
    /// The address of the web page
    #[arg(long, required_unless_present = "probe")]
    page: Option<SocketAddrV4>,
    /// Move into a network of its own
    #[arg(long)]
    apart: bool,
    /// Another host with a page
    #[arg(long = "peer", value_name = "NAME=ADDRESS")]
    peers: Vec<Peer>,
    #[command(subcommand)]
    then: Option<Then>,
}

/// The rest of the command line, which the manager appends to the command of every host. It starts the agent.
#[derive(Debug, clap::Subcommand)]
enum Then {
    Agent(agent::Args),
}

pub(super) fn run(args: &HostArgs) -> Result<Exit, Error> {
    if args.probe {
        return match demo::probe() {
            Ok(()) => Ok(Exit::Ok),
            Err(reason) => {
                output::data(&reason)?;
                Ok(Exit::Failure)
            }
        };
    }
    let (Some(name), Some(page), Some(Then::Agent(agent))) = (&args.name, args.page, &args.then)
    else {
        let error = Error::new(
            Exit::Usage,
            "a host of the demo is started by the demo, not by hand",
        );
        return Err(error.hint("run \"norouter demo\""));
    };
    let host = Host {
        name: name.clone(),
        page,
        apart: args.apart,
        peers: args.peers.clone(),
    };
    let settled = host.settle();
    settled.map_err(|reason| Error::new(Exit::Failure, reason))?;
    agent::run(agent)
}
