//! The options that say how a host is reached: a host that is added to a manifest, or one that is tested without a
//! manifest.

use std::collections::BTreeMap;

use crate::manifest::value::Value;

/// How the host is reached.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct Way {
    /// Reach it with ssh, at this destination; nothing needs to be installed there
    #[arg(long, value_name = "DESTINATION")]
    ssh: Option<String>,
    /// Reach it in this container of docker
    #[arg(long, value_name = "CONTAINER")]
    docker: Option<String>,
    /// Reach it in this container of podman
    #[arg(long, value_name = "CONTAINER")]
    podman: Option<String>,
    /// Reach it in this instance of LXD or Incus
    #[arg(long, value_name = "INSTANCE")]
    lxc: Option<String>,
    /// Reach it in this distribution of WSL
    #[arg(long, value_name = "DISTRIBUTION")]
    wsl: Option<String>,
    /// Reach it with this command, which starts norouter on the host and connects its own standard input and output to
    /// those of norouter
    #[arg(long, value_name = "LINE")]
    cmd: Option<String>,
}

impl Way {
    /// The field of the manifest that means the same as the option; empty if no option was given.
    pub(super) fn fields(&self) -> BTreeMap<String, Value> {
        let Self {
            ssh,
            docker,
            podman,
            lxc,
            wsl,
            cmd,
        } = self;
        let all = [
            ("ssh", ssh),
            ("docker", docker),
            ("podman", podman),
            ("lxc", lxc),
            ("wsl", wsl),
            ("cmd", cmd),
        ];
        let named = all.into_iter().filter_map(|(key, value)| {
            let text = value.clone()?;
            Some((key.to_owned(), Value::Text(text)))
        });
        named.collect()
    }
}
