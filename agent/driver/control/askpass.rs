//! The askpass helper: ssh starts this program with a question as its only argument, and reads the answer from its
//! standard output. The helper passes the question to the manager, which has a person answer it.

use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use super::client::Client;
use crate::{
    addr::Vip,
    driver::manager::{HELPER, NetworkName, PASS, adopt_program},
    secret::Secret,
    view::{PromptKind, Question},
};

/// The variable in which `ssh` may give the kind of its question.
const KIND: &str = "SSH_ASKPASS_PROMPT";

/// Whether the answer has arrived. If it has, the process must write the answer before it ends.
static ANSWERED: AtomicBool = AtomicBool::new(false);

/// If this process is an askpass helper, asks a person and returns the exit code. A program has to call this function
/// before it reads its arguments, and before it starts commands of hosts that may ask questions.
///
/// The function also chooses the helper that a command starts for a question: the program named `lean` in this
/// program's folder or, if that does not exist, this program itself. A program with a window names a lean one, because
/// otherwise all of its libraries would be loaded for each question.
pub fn run_if_asked(lean: Option<&str>) -> Option<ExitCode> {
    if let Ok(program) = std::env::current_exe() {
        let lean = lean.and_then(|lean| beside(&program, lean));
        adopt_program(lean.unwrap_or(program));
    }
    let pass = std::env::var(PASS).ok()?;
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let helper = std::env::var_os(HELPER)?;
    let prompt = prompt(&arguments, &helper, Path::exists)?;
    let asked = ask(&pass, prompt, std::env::var(KIND).ok().as_deref());
    Some(if asked.is_some() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The program with this name in the folder of another program.
fn beside(program: &Path, name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let other = program.with_file_name(file);
    (other != program && other.is_file()).then_some(other)
}

/// The question, if the arguments are those of an askpass helper. The environment alone does not show that this process
/// is a helper: every program that a host's command starts inherits the environment, and agents are such programs. A
/// helper is started by the path in `helper`. Its only argument does not look like a command, and does not name a file.
fn prompt(
    arguments: &[OsString],
    helper: &OsStr,
    is_file: impl Fn(&Path) -> bool,
) -> Option<String> {
    let [program, prompt] = arguments else {
        return None;
    };
    let text = prompt.to_string_lossy();
    let a_word = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_./\\".contains(c));
    (program == helper && !a_word && !is_file(Path::new(prompt))).then(|| text.into_owned())
}

/// The kind of answer that a question needs. `None` if it needs no answer.
fn kind(prompt: &str, hint: Option<&str>) -> Option<PromptKind> {
    match hint {
        Some("none") => return None,
        Some("confirm") => return Some(PromptKind::Confirm),
        Some(_) | None => {}
    }
    let lower = prompt.to_lowercase();
    let last = lower.trim().lines().last().unwrap_or_default();
    let confirms = last.contains("(yes/no") || last.starts_with("please type 'yes'");
    let names = last.starts_with("username") || last.ends_with("login:");
    Some(if confirms {
        PromptKind::Confirm
    } else if names {
        PromptKind::Text
    } else {
        PromptKind::Secret
    })
}

/// Asks the manager, and writes the answer to standard output. `None` if there is no answer.
fn ask(pass: &str, prompt: String, hint: Option<&str>) -> Option<()> {
    let mut parts = pass.splitn(3, '/');
    let network: NetworkName = parts.next()?.parse().ok()?;
    let vip: Vip = parts.next()?.parse().ok()?;
    let question = Question {
        token: Secret::new(parts.next()?.to_owned()),
        kind: kind(&prompt, hint),
        text: prompt,
        asker: platform::asker(),
    };
    platform::end_with_asker();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let asked = Client::new(network);
    let asked = runtime.block_on(asked.ask(&vip.to_string(), &question));
    let answer = asked.ok()??;
    ANSWERED.store(true, Ordering::Relaxed);
    let mut out = std::io::stdout().lock();
    out.write_all(answer.reveal().as_bytes()).ok()?;
    out.write_all(b"\n").ok()?;
    out.flush().ok()
}

#[cfg(unix)]
mod platform {
    use std::sync::atomic::Ordering;

    use rustix::event::{PollFd, PollFlags, poll};

    use super::ANSWERED;

    /// The id of the process that has started this helper.
    pub(super) fn asker() -> u32 {
        std::os::unix::process::parent_id()
    }

    /// Ends this process when nobody reads its output any more, because the program that asked has ended.
    pub(super) fn end_with_asker() {
        std::thread::spawn(|| {
            let out = std::io::stdout();
            // No events are requested, because the system always reports that the other end was closed.
            let mut fds = [PollFd::new(&out, PollFlags::empty())];
            if poll(&mut fds, None).is_ok() && !ANSWERED.load(Ordering::Relaxed) {
                std::process::exit(1);
            }
        });
    }
}

#[cfg(not(unix))]
mod platform {
    /// Always 0, because the standard library does not have the id of the parent process on these systems.
    pub(super) fn asker() -> u32 {
        0
    }

    /// Does nothing, because the program that asked and its helper are in one job, and end together.
    pub(super) fn end_with_asker() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Option<String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let file = Path::new("/my networks/office.yaml");
        prompt(&arguments, OsStr::new("/bin/norouter"), |path| path == file)
    }

    #[test]
    fn only_a_helper_takes_itself_for_one() {
        let password = "ann@web's password: ";
        assert_eq!(
            asked(&["/bin/norouter", password]).as_deref(),
            Some(password)
        );
        for other in [
            &["/bin/norouter"][..],
            &["/bin/norouter", "status"],
            &["/bin/norouter", "--version"],
            &["/bin/norouter", "./office.yaml"],
            &["/bin/norouter", "/my networks/office.yaml"],
            &["/bin/norouter", "agent", "--automated"],
            &["/bin/norouter", "demo-host", password],
            &["norouter", password],
            &["/usr/bin/norouter", password],
        ] {
            assert_eq!(asked(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_lean_program_is_taken_only_from_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (app, lean) = (
            folder.path().join("norouter-app"),
            format!("norouter{}", std::env::consts::EXE_SUFFIX),
        );
        assert_eq!(beside(&app, "norouter"), None);
        let lean = folder.path().join(lean);
        std::fs::create_dir(&lean).unwrap();
        assert_eq!(beside(&app, "norouter"), None, "a folder is not a program");
        std::fs::remove_dir(&lean).unwrap();
        std::fs::write(&lean, "").unwrap();
        assert_eq!(beside(&app, "norouter"), Some(lean.clone()));
        assert_eq!(beside(&lean, "norouter"), None);
    }

    #[test]
    fn the_kind_of_a_question_is_what_ssh_says_or_what_it_looks_like() {
        let host = "The authenticity of host 'web' can't be established.\nED25519 key fingerprint is SHA256:x.\n\
                    Are you sure you want to continue connecting (yes/no/[fingerprint])? ";
        let again = "Please type 'yes', 'no' or the fingerprint: ";
        for (text, hint, expected) in [
            (host, None, Some(PromptKind::Confirm)),
            (again, None, Some(PromptKind::Confirm)),
            (
                "Allow use of key /k?",
                Some("confirm"),
                Some(PromptKind::Confirm),
            ),
            ("Confirm user presence for key", Some("none"), None),
            ("ann@web's password: ", None, Some(PromptKind::Secret)),
            (
                "Enter passphrase for key '/k': ",
                None,
                Some(PromptKind::Secret),
            ),
            (
                "(ann@web) Verification code: ",
                None,
                Some(PromptKind::Secret),
            ),
            ("Username for 'https://web': ", None, Some(PromptKind::Text)),
        ] {
            assert_eq!(kind(text, hint), expected, "{text}");
        }
    }
}
