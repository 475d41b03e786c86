//! `norouter demo`: runs a small network that needs only this program.

use super::{
    error::{Error, Exit},
    host_block::Addresses,
    output, up,
};
use crate::{
    driver::{control::Identity, demo},
    plan,
};

/// Run a small network that needs nothing but this program
///
/// Starts three hosts as child processes, each with a web page that shows how long connections to the other hosts take.
/// On Linux, each host has a network of its own, if the machine allows that.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the manifest of the demo, and do not start anything
    #[arg(long)]
    print: bool,
    /// Let the hosts share this machine's loopback, even if each could have a network of its own
    #[arg(long)]
    shared: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let demo = demo::demo(args.shared).map_err(|reason| Error::new(Exit::Failure, reason))?;
    if args.print {
        output::data(&demo.manifest)?;
        return Ok(Exit::Ok);
    }
    output::talk("A network of this machine and three hosts, each with a web page.");
    if let Err(reason) = demo.apart {
        output::talk(&format!(
            "The hosts share this machine's loopback: {reason}."
        ));
    }
    output::talk("\"norouter demo --print\" shows the manifest; Ctrl-C ends the network.\n");
    let loaded = plan::load("the demo's manifest", &demo.manifest);
    let Some(plan) = &loaded.plan else {
        return Err(Error::new(Exit::InvalidManifest, loaded.report(false)));
    };
    up::run_plan(plan, &Identity::named("demo"), Addresses::Web)
}
