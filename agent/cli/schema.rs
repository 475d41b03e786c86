//! `norouter schema`: prints the JSON schema of manifests.

use super::{
    error::{Error, Exit},
    output,
};
use crate::manifest::schema::json_schema;

/// Print the JSON schema of manifests, for editors
///
/// With it, an editor completes and checks manifests: norouter schema > manifest.schema.json, and then a first line in the
/// manifest: # yaml-language-server: $schema=manifest.schema.json
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Result<Exit, Error> {
    output::data(&json_schema())?;
    Ok(Exit::Ok)
}
