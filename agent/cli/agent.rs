//! `norouter agent`: runs as the agent on a host. The manager starts this command.

use std::io::IsTerminal as _;

use super::error::{Error, Exit};
use crate::{
    driver::{
        agent::{self, End},
        system::digest,
    },
    wire::control::Configure,
};

/// Run as the agent of a host; started by the manager, not by people
///
/// The agent exchanges frames on standard input and output until standard input ends.
///
/// An administrator can limit what an agent does in two ways: with --restrict, and with the file
/// /etc/norouter/agent.yaml, which must be writable by root only. If both exist, each of them must
/// permit an action. Every other action is refused: --restrict without a value permits nothing. The
/// file has the same keys and values as --restrict; "norouter check-limits" shows what it permits.
///
///   listen=ADDRESS[/BITS][:PORTS],...   to listen on loopback addresses for other hosts
///   dial=HOST[/BITS][:PORTS],...        to connect to addresses, blocks, and names (* is any text)
///   gateway=yes|no                      to connect to other machines for other hosts
///   resolve=nothing|network|everything  to answer DNS questions of other hosts
///   proxy=ADDRESS[/BITS][:PORTS],...    to serve proxies
///   write=FOLDER,...,hosts-file         to write files
///
/// PORTS is a port, or a range such as 8000-8099; without PORTS, all ports are permitted. A key with
/// the value "nothing" permits nothing. An example, as the forced command of a key in OpenSSH:
///
///   command="norouter agent --automated --restrict dial=127.0.0.1:80",restrict ssh-ed25519 AAAA...
#[allow(
    rustdoc::broken_intra_doc_links,
    reason = "brackets mark optional parts in the help of a command"
)]
#[derive(Debug, clap::Args)]
#[command(hide = true, verbatim_doc_comment)]
pub(super) struct Args {
    /// Tell the agent that a manager has started it, and not a person
    #[arg(long, hide = true)]
    automated: bool,
    /// Permit only these actions, whatever the manager asks for; can be given several times
    #[arg(long, value_name = "KEY=VALUE,...", num_args = 0..=1, default_missing_value = "")]
    restrict: Vec<String>,
    /// Exit with 0 if this program has this SHA-256, and with 1 if not
    #[arg(long, hide = true, value_name = "SHA256")]
    is: Option<String>,
    /// Configure the agent without a manager, so that two agents can be connected through pipes
    #[arg(long, hide = true, value_name = "JSON")]
    debug_init_config: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    if let Some(sum) = &args.is {
        return is(sum);
    }
    if !args.automated && args.debug_init_config.is_none() {
        let error = Error::new(
            Exit::Usage,
            "an agent is started by the manager, not by hand",
        );
        return Err(
            error.hint("name the host in a manifest and run \"norouter FILE\" on your own machine")
        );
    }
    if std::io::stdout().is_terminal() {
        let error = Error::new(
            Exit::Usage,
            "an agent speaks frames, and standard output is a terminal",
        );
        return Err(error.hint("leave out -t in the command (as in \"docker exec -it\")"));
    }
    let restrict = Some(&args.restrict[..]).filter(|texts| !texts.is_empty());
    let configuration = match &args.debug_init_config {
        None => None,
        Some(json) => Some(configuration(json)?),
    };
    let failed = |what: &dyn std::fmt::Display| Error::new(Exit::Failure, format!("agent: {what}"));
    match agent::run_on_stdio(restrict, configuration).map_err(|error| failed(&error))? {
        End::Closed | End::Stopped | End::Succeeded => Ok(Exit::Ok),
        end @ End::Unconfigured(_) => Err(unusable(&end)),
        end @ (End::Broken(_) | End::Silent) => Err(failed(&end)),
    }
}

/// Whether this program has arrived unchanged: asked on hosts that have no program of their own to tell.
fn is(sum: &str) -> Result<Exit, Error> {
    let own = std::env::current_exe().and_then(|program| digest::of_file(&program));
    let own = own.map_err(|error| Error::new(Exit::Failure, format!("agent: {error}")))?;
    Ok(if own == sum { Exit::Ok } else { Exit::Failure })
}

fn configuration(json: &str) -> Result<Configure, Error> {
    let value: serde_json::Value = serde_json::from_str(json)
        .map_err(|error| unusable(&format_args!("this is not JSON: {error}")))?;
    serde_json::from_value(value)
        .map_err(|error| unusable(&format_args!("this is not a configuration: {error}")))
}

/// The error for the value of `--debug-init-config`.
fn unusable(what: &dyn std::fmt::Display) -> Error {
    Error::new(Exit::Usage, format!("--debug-init-config: {what}")).hint(
        "it takes the arguments of a configure request, as docs/PROTOCOL.md lists them, like {\"me\": \"127.0.42.101\"}",
    )
}
