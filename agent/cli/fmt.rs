//! `norouter fmt`: writes a manifest in the usual form.

use super::{
    amend::{Options, show},
    error::{Error, Exit},
    input::Commands,
};
use crate::{edit::formatted, text::escape};

/// Write a manifest in the usual form, without changing what it means
///
/// Ports and addresses get double quotes: the values of network, vip, ports and listen, and to and notTo of routes.
/// Values that are words stay, and so do values with a tag, and everything below keys that the manifest does not have.
///
/// All lines get the line break of the first line. Blanks in front of it are removed, except inside texts that go over
/// several lines.
///
/// The file gets one line break at its end, unless it ends with a text in lines of its own, as after "cmd: |".
///
/// Nothing else changes: order, indentation, blank lines, comments and anchors stay as they are.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write nothing; show the change, and end with code 7 if there is one
    #[arg(long, conflicts_with_all = ["yes", "dry_run"])]
    check: bool,
    #[command(flatten)]
    options: Options,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let subject = args.options.open(commands)?;
    let made = formatted(&subject.loaded.text);
    if !args.check {
        return args.options.write(&subject, made, "has the usual form");
    }
    if show(&subject, made, "has the usual form")?.is_none() {
        return Ok(Exit::Ok);
    }
    let name = &subject.loaded.file_name;
    let message = format!("{} does not have the usual form", escape(name));
    Err(Error::new(Exit::NotFormatted, message).hint("\"norouter fmt\" makes this change"))
}
