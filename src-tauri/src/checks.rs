//! Checks whether this machine has what networks usually need. All checks run in parallel, and each finishes within
//! seconds.

use std::time::Duration;

use norouter::driver::system::{
    environment,
    programs::{self, find, run, safe},
};

use crate::{
    login_shell::{self, Answer},
    view::{Check, CheckState},
};

/// A program: its name, its purpose, the arguments that print its version, and what to do if it is missing.
type Program = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

/// How long a program may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

const PROGRAMS: [Program; 5] = [
    (
        "ssh",
        "ssh (other machines)",
        &["-V"],
        "install OpenSSH, which most networks need",
    ),
    (
        "kubectl",
        "kubectl (pods in Kubernetes)",
        &["version", "--client"],
        "needed only for hosts in Kubernetes",
    ),
    (
        "docker",
        "docker (containers)",
        &["--version"],
        "needed only for hosts in Docker",
    ),
    (
        "podman",
        "podman (containers)",
        &["--version"],
        "needed only for hosts in Podman",
    ),
    (
        "lxc",
        "lxc (system containers)",
        &["--version"],
        "needed only for hosts in LXD or Incus: install their client",
    ),
];

/// Runs all checks.
pub(crate) async fn all() -> Vec<Check> {
    login_shell::environment_is_known().await;
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
            "not installed, or not in the search path".to_owned(),
            Some(fix),
        ),
        Some(place) => match run(ANSWER_MAX, id, words).await {
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

/// Shows the folders in which the app searches for programs, and the names of the other variables that it has taken
/// from the login shell. They matter because an app that is started from a menu does not inherit the variables of the
/// person's shell.
fn search_path() -> Check {
    let adopted = environment::adopted().iter();
    let names: Vec<_> = adopted.map(|(name, _)| name.as_str()).collect();
    let path = programs::search_path();
    described(
        &names,
        &safe(&path.to_string_lossy()),
        login_shell::answer(),
    )
}

/// Describes a `PATH`, and the names of the other variables from the login shell. The values of these other variables
/// are not shown, because the report of this machine may be sent to others.
fn described(adopted: &[&str], path: &str, answer: Answer) -> Check {
    let others = adopted.iter().copied().filter(|name| *name != "PATH");
    let others: Vec<_> = others.collect();
    let from = if adopted.contains(&"PATH") {
        "of your login shell"
    } else {
        "as the app was started"
    };
    let mut detail = format!("PATH {from}: {path}");
    if !others.is_empty() {
        detail = format!(
            "{detail}; also from your login shell: {}",
            others.join(", ")
        );
    }
    let (mut state, mut fix) = (CheckState::Ok, None);
    if let Answer::Failed(reason) = answer {
        detail = format!(
            "{detail}; your login shell could not be asked for its variables: {}",
            safe(&reason)
        );
        state = CheckState::Unknown;
        fix = Some("start the app from a terminal, which has these variables".to_owned());
    }
    if path.is_empty() {
        state = CheckState::Missing;
    }
    Check {
        id: "path".to_owned(),
        title: "Search path".to_owned(),
        state,
        detail,
        fix,
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

    #[test]
    fn the_variables_of_the_login_shell_are_named_and_so_is_a_shell_that_could_not_be_asked() {
        let adopted = ["PATH", "KUBECONFIG", "AWS_PROFILE"];
        let check = described(&adopted, "/bin", Answer::Adopted);
        assert_eq!(
            (check.detail.as_str(), check.state, check.fix),
            (
                "PATH of your login shell: /bin; also from your login shell: KUBECONFIG, AWS_PROFILE",
                CheckState::Ok,
                None
            )
        );
        let check = described(&[], "/bin", Answer::NotNeeded);
        assert_eq!(check.detail, "PATH as the app was started: /bin");
        let check = described(&[], "/bin", Answer::Failed("/bin/nu: no answer".to_owned()));
        assert_eq!(check.state, CheckState::Unknown);
        let told = "your login shell could not be asked for its variables: /bin/nu: no answer";
        assert!(check.detail.ends_with(told), "{}", check.detail);
        assert!(check.fix.is_some());
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
