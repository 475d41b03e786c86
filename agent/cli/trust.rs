//! `--require-trust`: runs a manifest only if all its grants are listed in a file, which the user has checked.

use std::{collections::BTreeSet, io::Read as _, path::Path};

use super::{
    error::{Error, Exit},
    output,
};
use crate::{
    driver::system::{describe, files, trusted},
    plan::{self, Plan},
    text::escape,
    view::Grant,
};

/// The largest file that can be read, in bytes.
const SIZE_MAX_BYTES: u64 = 16 << 20;

/// Fails, and shows the missing grants, if the plan grants anything that the file does not list. Also fails if others
/// may write to the file, or if it cannot be read completely.
pub(super) fn check(plan: &Plan, file: &Path) -> Result<(), Error> {
    check_grants(plan::grants(plan), file)
}

/// Fails, and shows the missing grants, if the file does not list all of the `needed` grants.
pub(super) fn check_grants(needed: BTreeSet<Grant>, file: &Path) -> Result<(), Error> {
    let listed = read(file)?;
    let news: Vec<_> = needed
        .into_iter()
        .filter(|grant| !listed.contains(grant))
        .collect();
    if news.is_empty() {
        return Ok(());
    }
    for grant in &news {
        output::talk(&format!("not trusted: {grant}"));
    }
    let file = file.display();
    let message = format!("the manifest grants more than {file} lists; nothing was started");
    let hint = format!(
        "if it shall, let \"norouter plan --grants --json MANIFEST > {file}\" write the list again"
    );
    Err(Error::new(Exit::NotTrusted, message).hint(hint))
}

fn read(file: &Path) -> Result<BTreeSet<Grant>, Error> {
    let shown = file.display();
    let failed = |what: String| {
        Error::new(Exit::NotTrusted, format!("{shown} trusts nothing: {what}"))
            .hint("\"norouter plan --grants --json MANIFEST\" writes such a list")
    };
    trusted::file(file).map_err(|why| failed(why.to_string()))?;
    let mut text = String::new();
    files::open(file)
        .and_then(|file| file.take(SIZE_MAX_BYTES).read_to_string(&mut text))
        .map_err(|error| failed(escape(&describe(&error))))?;
    serde_json::from_str(&text)
        .map_err(|error| failed(format!("it is not a list of grants: {error}")))
}
