//! `norouter show-installer`: prints a shell script that installs norouter on another machine.

use super::{
    error::{Error, Exit},
    output,
};

const SCRIPT: &str = include_str!("installer.sh");

/// Print a shell script that installs norouter into $HOME/bin
///
/// NoRouter sends a small agent to hosts that have none. To install the whole program on a host,
/// pipe the script to a shell there:
///
///   norouter show-installer | ssh web1 sh
///   norouter show-installer | podman exec -i web sh
///
/// The script downloads the release for that machine and checks its SHA-256 before it installs it.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "norouter show-installer [OPTIONS]"
)]
pub(super) struct Args {
    /// The version to install
    #[arg(id = "release", long = "version", value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"), value_parser = version)]
    version: String,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    output::data(&SCRIPT.replace("@VERSION@", &args.version))?;
    Ok(Exit::Ok)
}

/// Checks a version, with or without the leading `v`, so that a script can contain it safely.
fn version(text: &str) -> Result<String, String> {
    let number = text.strip_prefix('v').unwrap_or(text);
    let plain = number
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c));
    if plain && number.starts_with(|c: char| c.is_ascii_digit()) {
        Ok(number.to_owned())
    } else {
        Err(format!(
            "write a version like {}",
            env!("CARGO_PKG_VERSION")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_cannot_become_shell_code() {
        assert_eq!(version("v0.7.0-rc.1").as_deref(), Ok("0.7.0-rc.1"));
        assert!(version("0.7.0'; rm -rf ~; '").is_err());
        assert!(version("$(id)").is_err());
        assert!(version("").is_err());
    }
}
