//! `norouter schema`: prints the JSON schema of manifests.

use super::{
    error::{Error, Exit},
    output,
};
use crate::manifest::json_schema::json_schema;

/// Print the JSON schema of manifests, for editors
///
/// With the schema, an editor completes and checks manifests.
///
/// Write the schema into a file: norouter schema > manifest.schema.json
///
/// Name the file in the first line of a manifest: # yaml-language-server: $schema=manifest.schema.json
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Result<Exit, Error> {
    output::data(&json_schema())?;
    Ok(Exit::Ok)
}
