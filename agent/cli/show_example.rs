//! `norouter show-example`: prints an example manifest.

use super::{
    error::{Error, Exit},
    output,
};

pub(super) const EXAMPLE: &str = include_str!("../../docs/examples/norouter.yaml");

/// Print an example manifest
///
/// Begin with: norouter show-example > norouter.yaml
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Result<Exit, Error> {
    output::data(EXAMPLE)?;
    Ok(Exit::Ok)
}
