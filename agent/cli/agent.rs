//! `norouter agent`: runs as the agent on a host. The manager starts this command.

use super::error::{Error, Exit};
use crate::driver::command::{self, Words};

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
    let words = Words {
        automated: args.automated,
        restrict: args.restrict.clone(),
        is: args.is.clone(),
        configuration: args.debug_init_config.clone(),
    };
    match command::run(&words) {
        Ok(true) => Ok(Exit::Ok),
        Ok(false) => Ok(Exit::Failure),
        Err(failed) => {
            let exit = if failed.is_usage {
                Exit::Usage
            } else {
                Exit::Failure
            };
            let error = Error::new(exit, failed.message);
            Err(match failed.hint {
                Some(hint) => error.hint(hint),
                None => error,
            })
        }
    }
}
