//! The variables of the person's login shell. An app that was started from a menu has neither the person's `PATH` nor
//! the other variables that commands of hosts need. Therefore the login shell is asked for them, once.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::Path,
    sync::OnceLock,
    time::Duration,
};

use norouter::driver::system::{
    environment::{self, KEPT, NOT_WRITTEN},
    programs::output_of,
};
use tokio::{process::Command, sync::watch, time::Instant};

/// How long all attempts to ask the login shell may take together. Some shells load a lot at their start.
const SHELL_MAX: Duration = Duration::from_secs(4);

/// The texts before and after the variables, which separate them from other output of the shell.
const BEGIN: &str = "__norouter__=begin\n";
const END: &str = "__norouter__=end\n";

/// The command line that the login shell runs. All shells understand it, because it contains only paths, plain words
/// and semicolons: no variable, no quote, and no command of the shell itself. `env -i NAME=VALUE` prints just that
/// text.
const LINE: &str =
    "/usr/bin/env -i __norouter__=begin; /usr/bin/env; /usr/bin/env -i __norouter__=end";

/// Variables whose value from the login shell replaces the value from the desktop, because the person wrote the shell's
/// files. Other variables are taken from the shell only if the app lacks them.
const PREFERRED: [&str; 2] = ["PATH", "SSH_AUTH_SOCK"];

/// The state of the request to the login shell for its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The shell is not asked, because the app was started from a terminal, or on Windows.
    NotNeeded,
    /// The shell has not answered yet.
    Awaited,
    /// The shell has answered, and its variables were taken over.
    Adopted,
    /// The shell could not be asked, for this reason.
    Failed(String),
}

static ANSWER: OnceLock<watch::Sender<Answer>> = OnceLock::new();

fn shared() -> &'static watch::Sender<Answer> {
    ANSWER.get_or_init(|| watch::Sender::new(Answer::NotNeeded))
}

/// Requests the variables from the login shell, once, without waiting. Does nothing if the app was started from a
/// terminal, because then it already has them.
pub(crate) fn ask() {
    if cfg!(windows) || io::stdin().is_terminal() {
        return;
    }
    shared().send_replace(Answer::Awaited);
    tokio::spawn(async {
        let shell = env::var_os("SHELL").unwrap_or_default();
        let answer = match variables_of(Path::new(&shell)).await {
            Ok(variables) => {
                environment::adopt(missing(variables, |name| env::var_os(name)));
                Answer::Adopted
            }
            Err(reason) => {
                tracing::warn!("the login shell could not be asked for its variables: {reason}");
                Answer::Failed(reason)
            }
        };
        shared().send_replace(answer);
    });
}

/// Waits for the login shell's answer, at most for [`SHELL_MAX`].
pub(crate) async fn environment_is_known() {
    // This does not fail, because the sender is never dropped.
    let _ = shared()
        .subscribe()
        .wait_for(|answer| *answer != Answer::Awaited)
        .await;
}

/// The state of the request to the login shell for its variables.
pub(crate) fn answer() -> Answer {
    shared().borrow().clone()
}

/// Asks a shell for its variables. If that fails, the error is a reason for people.
async fn variables_of(shell: &Path) -> Result<Vec<(String, OsString)>, String> {
    if !shell.is_absolute() {
        return Err("the variable SHELL does not name a program".to_owned());
    }
    let deadline = Instant::now() + SHELL_MAX;
    let mut reason = String::new();
    for command in [as_interactive_login(shell), as_login(shell)] {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match output_of(left, command).await {
            Ok(output) => match block(&output.out) {
                Some(block) => return Ok(variables(block)),
                None => reason = format!("{}: its answer has no variables", shell.display()),
            },
            Err(error) => reason = error,
        }
    }
    Err(reason)
}

/// The shell, started as a login shell that is also interactive, because many people set `PATH` in files that only
/// interactive shells read.
fn as_interactive_login(shell: &Path) -> Command {
    let mut command = Command::new(shell);
    command.args(["-i", "-l", "-c", LINE]);
    command
}

/// The shell, started as a login shell without an option for that, because some shells do not know such an option
/// (tcsh). Instead, its name begins with `-`, which makes every shell a login shell.
fn as_login(shell: &Path) -> Command {
    let mut command = Command::new(shell);
    #[cfg(unix)]
    {
        let mut name = OsString::from("-");
        name.push(shell.file_name().unwrap_or_default());
        command.arg0(name);
    }
    command.args(["-c", LINE]);
    command
}

/// The lines between the texts [`BEGIN`] and [`END`].
fn block(text: &str) -> Option<&str> {
    let (_, after) = text.split_once(BEGIN)?;
    after.split_once(END).map(|(block, _)| block)
}

/// The variables that commands need, from lines NAME=VALUE. The value of another variable may have lines that look like
/// a variable. If a name occurs twice, nobody can tell which line is meant, so the variable is left out.
fn variables(block: &str) -> Vec<(String, OsString)> {
    let pairs: Vec<_> = block
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let only = |wanted: &&str| {
        let mut values = pairs.iter().filter(|(name, _)| name == wanted);
        let value = values.next().map(|(_, value)| *value);
        value.filter(|value| values.next().is_none() && is_usable(wanted, value))
    };
    let wanted = KEPT.iter().chain(&NOT_WRITTEN);
    let found = wanted.filter_map(|name| Some((*name, only(name)?)));
    found
        .map(|(name, value)| (name.to_owned(), OsString::from(value)))
        .collect()
}

/// Whether a value can be used. In a `PATH` without an absolute folder, no program is found. A value that is not text
/// was changed on its way here.
fn is_usable(name: &str, value: &str) -> bool {
    let is_path = || env::split_paths(value).any(|folder| folder.is_absolute());
    !value.is_empty() && !value.contains('\u{fffd}') && (name != "PATH" || is_path())
}

/// The variables that the app takes over: those that it lacks, and the preferred ones.
fn missing(
    variables: Vec<(String, OsString)>,
    own: impl Fn(&str) -> Option<OsString>,
) -> Vec<(String, OsString)> {
    let is_missing =
        |name: &str| PREFERRED.contains(&name) || own(name).is_none_or(|value| value.is_empty());
    let variables = variables.into_iter();
    variables.filter(|(name, _)| is_missing(name)).collect()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

    use super::*;
    use crate::testing::Folder;

    /// A program that stands in for a shell.
    fn stand_in(folder: &Folder, name: &str, script: &str) -> PathBuf {
        let file = folder.file(name, &format!("#!/bin/sh\n{script}"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    async fn asked(shell: &Path) -> Result<Vec<(String, String)>, String> {
        let variables = variables_of(shell).await?;
        let text = |(name, value): (String, OsString)| (name, value.into_string().unwrap());
        let wanted = ["PATH", "KUBECONFIG"];
        let variables = variables.into_iter().map(text);
        Ok(variables
            .filter(|(name, _)| wanted.contains(&name.as_str()))
            .collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[tokio::test]
    async fn a_shell_that_says_other_things_too_is_understood() {
        let folder = Folder::new("shell");
        let shell = stand_in(
            &folder,
            "zsh",
            "echo 'PATH=/welcome'; printf '\\033]0;title\\007'\n[ \"$1 $2 $3\" = '-i -l -c' ] || exit 1\n\
             export PATH=/opt/mine:/usr/bin:/bin KUBECONFIG=/k NOTE='a\nb=c' SECRET=x\neval \"$4\"\n\
             echo 'PATH=/bye'\n",
        );
        let expected = [("PATH", "/opt/mine:/usr/bin:/bin"), ("KUBECONFIG", "/k")];
        assert_eq!(asked(&shell).await, Ok(pairs(&expected)));
    }

    #[tokio::test]
    async fn a_shell_with_no_option_for_a_login_is_asked_by_its_name() {
        let folder = Folder::new("tcsh");
        let shell = stand_in(
            &folder,
            "tcsh",
            "case \"$*\" in *-l*) echo \"Unknown option: -l\" >&2; exit 1;; esac\n[ \"$1\" = -c ] || exit 1\n\
             export PATH=/csh:/bin KUBECONFIG=/csh/k\neval \"$2\"\n",
        );
        let expected = [("PATH", "/csh:/bin"), ("KUBECONFIG", "/csh/k")];
        assert_eq!(asked(&shell).await, Ok(pairs(&expected)));
    }

    #[tokio::test]
    async fn a_shell_with_another_language_is_asked_only_for_programs() {
        let folder = Folder::new("nu");
        // This shell knows neither variables nor quotes nor commands of its own. It knows only paths of programs, and
        // words.
        let shell = stand_in(
            &folder,
            "nu",
            "export PATH=/nu:/bin KUBECONFIG=/nu/k\nIFS=';'; set -f; set -- $4; IFS=' '\nfor command; do\n\
             set -- $command\ncase \"$1\" in /*) ;; *) exit 1;; esac\n\
             case \"$command\" in *[\\$\\'\\\"]*) exit 1;; esac\n\"$@\" || exit 1\ndone\n",
        );
        let expected = [("PATH", "/nu:/bin"), ("KUBECONFIG", "/nu/k")];
        assert_eq!(asked(&shell).await, Ok(pairs(&expected)));
    }

    #[tokio::test]
    async fn a_shell_that_cannot_be_asked_is_told_of() {
        let folder = Folder::new("broken");
        let broken = stand_in(&folder, "broken", "echo 'no such shell' >&2; exit 3\n");
        let reason = asked(&broken).await.unwrap_err();
        assert!(reason.contains("no such shell"), "{reason}");
        let silent = stand_in(&folder, "silent", "echo PATH=/bin\n");
        let reason = asked(&silent).await.unwrap_err();
        assert!(reason.ends_with("its answer has no variables"), "{reason}");
        let reason = asked(Path::new("")).await.unwrap_err();
        assert!(reason.contains("SHELL"), "{reason}");
    }

    #[test]
    fn a_path_without_a_folder_and_a_name_that_stands_there_twice_are_left_out() {
        let names = |block: &str| {
            let variables = variables(block).into_iter();
            variables.map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(
            names("PATH=/a:b\nAWS_PROFILE=p\nHOME=/h\n"),
            ["PATH", "AWS_PROFILE"]
        );
        assert_eq!(names("PATH=a b\nKUBECONFIG=\n"), [""; 0]);
        assert_eq!(
            names("PATH=/a\nX=1\nPATH=/b\nDOCKER_HOST=h\n"),
            ["DOCKER_HOST"]
        );
        assert_eq!(names("AWS_PROFILE=a\u{fffd}\nSECRET=x\n"), [""; 0]);
    }

    #[test]
    fn the_proxies_of_the_person_are_taken_over() {
        let block =
            "https_proxy=http://me:secret@proxy:3128\nno_proxy=.corp\nSSH_ASKPASS_REQUIRE=never\n";
        let taken = variables(block);
        let taken: Vec<_> = taken
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        let value = |text: &str| OsString::from(text);
        assert_eq!(
            taken,
            [
                ("https_proxy", &value("http://me:secret@proxy:3128")),
                ("no_proxy", &value(".corp")),
                ("SSH_ASKPASS_REQUIRE", &value("never")),
            ]
        );
    }

    #[test]
    fn a_variable_that_the_app_has_stays_unless_the_shell_knows_better() {
        let shell = ["PATH", "SSH_AUTH_SOCK", "KUBECONFIG", "DOCKER_HOST"];
        let shell = shell.map(|name| (name.to_owned(), OsString::from("/shell")));
        let own = |name: &str| match name {
            "DOCKER_HOST" => Some(OsString::new()),
            "AWS_PROFILE" => None,
            _ => Some(OsString::from("/app")),
        };
        let taken = missing(shell.to_vec(), own);
        let names: Vec<_> = taken.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["PATH", "SSH_AUTH_SOCK", "DOCKER_HOST"]);
    }
}
