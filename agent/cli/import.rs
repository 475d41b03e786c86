//! `norouter import`: lists what this machine knows that could become a host.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{
    error::{Error, Exit},
    init::{Part, candidates},
    output,
    reach::wait_for,
};
use crate::{
    driver::import::{Found, is_there, look},
    import::{Candidate, Draft, NETWORK, Source},
};

/// How long each program may take to answer.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// List what could become a host, with the lines for a manifest
///
/// Asks ssh for the hosts of its configuration, docker and podman for running containers, kubectl for
/// running pods, and so on. Writes nothing: "norouter init" makes a manifest.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to look; by default everywhere
    #[arg(value_enum, value_name = "SOURCE")]
    sources: Vec<Place>,
    /// Write the list as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: Part,
}

/// A source, as a person names it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Place {
    /// Hosts in the configuration of ssh
    Ssh,
    /// Running containers of docker
    Docker,
    /// Running containers of podman
    Podman,
    /// Running pods
    #[value(alias = "kube", alias = "k8s")]
    Kubernetes,
    /// Running instances of LXD
    Lxc,
    /// Running instances of Incus
    Incus,
    /// Distributions of the Windows subsystem for Linux
    Wsl,
}

impl From<Place> for Source {
    fn from(place: Place) -> Self {
        match place {
            Place::Ssh => Self::Ssh,
            Place::Docker => Self::Docker,
            Place::Podman => Self::Podman,
            Place::Kubernetes => Self::Kubernetes,
            Place::Lxc => Self::Lxc,
            Place::Incus => Self::Incus,
            Place::Wsl => Self::Wsl,
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let mut sources: Vec<Source> = args.sources.iter().map(|place| (*place).into()).collect();
    if let Some(missing) = sources.iter().find(|source| !is_there(**source)) {
        let message = format!("there is no program for {} in the PATH", missing.word());
        return Err(Error::new(Exit::Failure, message).hint("install it, or look elsewhere"));
    }
    if sources.is_empty() {
        sources = Source::ALL.to_vec();
    }
    let cluster = args.cluster.cluster();
    let found = wait_for(async { Ok(look(&sources, &cluster, LOOK_MAX).await) })?;
    let failed = found.iter().any(|it| it.note.is_some()) && !args.sources.is_empty();
    if args.json {
        output::json(&listed(&found))?;
    } else {
        let candidates = candidates(found);
        if candidates.is_empty() {
            output::talk("nothing was found that could become a host");
        }
        output::data(&fragment(&candidates))?;
    }
    Ok(if failed { Exit::Failure } else { Exit::Ok })
}

/// The list as JSON, for programs.
fn listed(found: &[Found]) -> Value {
    let candidates = found.iter().flat_map(|it| &it.candidates);
    let candidates = candidates.map(|candidate| {
        json!({
            "id": candidate.id(),
            "source": candidate.source.word(),
            "name": candidate.name,
            "host": candidate.host,
            "line": candidate.line,
            "detail": candidate.detail,
            "ports": candidate.ports,
            "unusable": candidate.unusable,
        })
    });
    let notes = found.iter();
    let notes =
        notes.filter_map(|it| Some(json!({"source": it.source.word(), "note": it.note.as_ref()?})));
    json!({"candidates": candidates.collect::<Value>(), "notes": notes.collect::<Value>()})
}

/// The list as a part of a manifest. Remarks for people are comments.
fn fragment(candidates: &[Candidate]) -> String {
    let mut text = String::new();
    let mut names = Draft::new(NETWORK, 0);
    for candidate in candidates {
        let detail = if candidate.detail.is_empty() {
            String::new()
        } else {
            format!("  # {}", candidate.detail)
        };
        let _ = match (&candidate.unusable, names.add(candidate)) {
            (Some(reason), _) => writeln!(text, "  # {}: {reason}", candidate.id()),
            (None, Ok(name)) => writeln!(text, "  {name}:{detail}\n    {}", candidate.line),
            // The list has more hosts than a draft can have, so people name the rest themselves.
            (None, Err(_)) => writeln!(
                text,
                "  {}:{detail}\n    {}",
                candidate.host, candidate.line
            ),
        };
    }
    if text.is_empty() {
        text
    } else {
        format!("hosts:\n{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_a_part_of_a_manifest_that_can_be_run() {
        let mut git = Candidate::named(Source::Docker, "git").unwrap();
        git.unusable = Some("no shell".to_owned());
        let mut app = Candidate::named(Source::Docker, "app").unwrap();
        app.detail = "nginx, port 80".to_owned();
        let other = Candidate::named(Source::Podman, "app").unwrap();
        let text = fragment(&[git, app, other]);
        assert_eq!(
            text,
            "hosts:\n  # docker:git: no shell\n  app:  # nginx, port 80\n    docker: app\n  app-2:\n    podman: app\n"
        );
        let loaded = crate::plan::load("m", &text);
        assert_eq!(loaded.plan.unwrap().hosts.len(), 2);
        assert_eq!(fragment(&[]), "");
    }
}
