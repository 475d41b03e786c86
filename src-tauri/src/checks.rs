//! Checks whether this machine has what networks usually need. Each check finishes within seconds, and all run in
//! parallel.

use crate::{
    programs::{self, find, run, safe},
    view::{Check, CheckState},
};

/// A program: its name, its purpose, the arguments that print its version, and what to do if it is missing.
type Program = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const PROGRAMS: [Program; 5] = [
    (
        "ssh",
        "ssh, for other machines",
        &["-V"],
        "install OpenSSH, which most networks need",
    ),
    (
        "kubectl",
        "kubectl, for pods of Kubernetes",
        &["version", "--client"],
        "install kubectl if you have hosts in Kubernetes",
    ),
    (
        "docker",
        "docker, for containers",
        &["--version"],
        "install docker if you have hosts in it",
    ),
    (
        "podman",
        "podman, for containers",
        &["--version"],
        "install podman if you have hosts in it",
    ),
    (
        "lxc",
        "lxc, for system containers",
        &["--version"],
        "install the client of LXD or Incus if you have hosts in it",
    ),
];

/// Runs all checks.
pub(crate) async fn all() -> Vec<Check> {
    programs::environment_is_known().await;
    let tasks = PROGRAMS.map(|program| tokio::spawn(check(program)));
    let mut checks = vec![search_path()];
    for task in tasks {
        checks.extend(task.await.ok());
    }
    checks
}

async fn check((id, title, words, fix): Program) -> Check {
    let (state, detail, fix) = match find(id) {
        None => (
            CheckState::Missing,
            "not found in PATH".to_owned(),
            Some(fix),
        ),
        Some(place) => match run(id, words).await {
            Ok(output) => {
                let said = [output.out, output.err].concat();
                let first = said.lines().find(|line| !line.trim().is_empty());
                let version = safe(first.unwrap_or_default());
                (
                    CheckState::Ok,
                    format!("{version} ({})", place.display()),
                    None,
                )
            }
            Err(reason) => (CheckState::Unknown, safe(&reason), None),
        },
    };
    Check {
        id: id.to_owned(),
        title: title.to_owned(),
        state,
        detail,
        fix: fix.map(str::to_owned),
    }
}

/// Shows in which folders the app searches for programs, because an app that is started from a menu does not have the
/// environment variables of the person's shell.
fn search_path() -> Check {
    let adopted = norouter::driver::system::environment::adopted();
    let from = if adopted.is_empty() {
        "as the app was started"
    } else {
        "of your login shell"
    };
    let path = programs::search_path();
    Check {
        id: "path".to_owned(),
        title: "Where programs are looked for".to_owned(),
        state: if path.is_empty() {
            CheckState::Missing
        } else {
            CheckState::Ok
        },
        detail: format!("PATH {from}: {}", safe(&path.to_string_lossy())),
        fix: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_is_missing_comes_with_what_to_do() {
        let program: Program = ("norouter-no-such-program", "x", &[], "install it");
        let missing = check(program).await;
        assert_eq!(
            (missing.state, missing.fix.as_deref()),
            (CheckState::Missing, Some("install it"))
        );
        let all = all().await;
        assert_eq!(all.len(), PROGRAMS.len() + 1);
        assert!(all.iter().all(|check| !check.detail.is_empty()));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_is_there_tells_its_version_or_why_not() {
        let there = check(("sh", "x", &["-c", "echo 'sh 1.2'; echo more"], "")).await;
        assert_eq!(there.state, CheckState::Ok);
        assert!(there.detail.starts_with("sh 1.2 (/"), "{}", there.detail);
        let broken = check(("sh", "x", &["-c", "exit 3"], "")).await;
        assert_eq!(broken.state, CheckState::Unknown);
    }
}
