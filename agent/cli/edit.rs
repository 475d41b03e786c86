//! `norouter -e`: opens a manifest in an editor and runs it. Afterwards the person can edit it and run it again.

use std::{
    env, fs,
    hash::{BuildHasher as _, RandomState},
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    error::{Error, Exit},
    output,
    show_example::EXAMPLE,
};
use crate::{
    driver::system::{
        describe,
        signals::{Request, Requests},
    },
    text::escape,
};

/// The default editor, for when neither `$VISUAL` nor `$EDITOR` is set.
const EDITOR: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// Edits a file and runs it. Without a file, edits and runs a temporary copy of the example.
pub(super) fn run(
    file: Option<&Path>,
    start: impl Fn(&Path) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let editor = editor()?;
    match file {
        Some(file) if file == Path::new("-") => {
            Err(Error::new(Exit::Usage, "standard input cannot be edited").hint("name a file"))
        }
        Some(file) => edit_and_run(&editor, file, start),
        None => {
            let temporary = Temporary::new(EXAMPLE).map_err(|error| {
                let folder = env::temp_dir();
                let message = format!(
                    "no file can be made in {}: {}",
                    folder.display(),
                    describe(&error)
                );
                Error::new(Exit::Failure, message)
            })?;
            let outcome = edit_and_run(&editor, &temporary.file, start);
            temporary.leave(matches!(outcome, Ok(exit) if is_failure(exit)));
            outcome
        }
    }
}

fn is_failure(exit: Exit) -> bool {
    !matches!(exit, Exit::Ok | Exit::Interrupted)
}

fn edit_and_run(
    editor: &[String],
    file: &Path,
    start: impl Fn(&Path) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    loop {
        open(editor, file)?;
        let exit = start(file).unwrap_or_else(Error::report);
        if exit == Exit::Ok || !again()? {
            return Ok(exit);
        }
    }
}

/// The command line of the person's editor, split into words.
fn editor() -> Result<Vec<String>, Error> {
    let chosen = ["VISUAL", "EDITOR"]
        .iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.trim().is_empty())
        .unwrap_or_else(|| EDITOR.to_owned());
    words(&chosen).ok_or_else(|| {
        Error::new(
            Exit::Usage,
            format!("the editor {chosen} cannot be understood"),
        )
        .hint("set $EDITOR to a command, with quotes in pairs, such as: code --wait")
    })
}

/// Splits a command into words like a shell. On Windows a backslash separates folders, and does not quote.
fn words(command: &str) -> Option<Vec<String>> {
    let words = if cfg!(windows) {
        shlex::split(&command.replace('\\', "\\\\"))
    } else {
        shlex::split(command)
    };
    words.filter(|words| !words.is_empty())
}

fn open(editor: &[String], file: &Path) -> Result<(), Error> {
    let failed = |what: String| {
        Error::new(
            Exit::Failure,
            format!("the editor {}: {what}", editor.join(" ")),
        )
        .hint("set $EDITOR to another one")
    };
    let Some((program, arguments)) = editor.split_first() else {
        return Err(failed("it has no name".to_owned()));
    };
    let status = Command::new(program)
        .args(arguments)
        .arg(file)
        .status()
        .map_err(|error| failed(error.to_string()))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!("it ended with {status}")))
    }
}

/// Asks whether to edit again. If nobody can answer, the answer is no.
fn again() -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let failed =
        |error: io::Error| Error::new(Exit::Failure, format!("cannot ask: {}", describe(&error)));
    {
        let mut question = anstream::stderr().lock();
        let _ = write!(question, "Open the editor again? [Y/n] ");
        let _ = question.flush();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        // Once the network has run, Ctrl-C does not end the process any more, so it has to be handled here.
        let mut requests = Requests::listen().map_err(failed)?;
        let (sender, answer) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = io::stdin().read_line(&mut line);
            // The receiver is gone if the person has pressed Ctrl-C instead.
            let _ = sender.send(read.map(|bytes| (bytes > 0).then_some(line)));
        });
        tokio::select! {
            answer = answer => Ok(matches!(answer, Ok(Ok(Some(line))) if is_yes(&line))),
            request = requests.next() => {
                match request {
                    Request::Interrupt | Request::Terminate | Request::HangUp => output::talk(""),
                }
                Ok(false)
            }
        }
    })
}

/// Whether an answer means yes. An empty answer does.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

/// A temporary manifest in a folder that only this user can read, because a manifest may contain confidential host
/// names.
struct Temporary {
    folder: PathBuf,
    file: PathBuf,
    original: &'static str,
}

impl Temporary {
    fn new(original: &'static str) -> io::Result<Self> {
        // A folder that exists already may belong to another user, so it is an error.
        let name = format!(
            "norouter-{:016x}",
            RandomState::new().hash_one(std::process::id())
        );
        let folder = env::temp_dir().join(name);
        let mut folders = fs::DirBuilder::new();
        folders.recursive(false);
        let mut files = fs::OpenOptions::new();
        files.write(true).create_new(true);
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut files, 0o600);
        }
        folders.create(&folder)?;
        let file = folder.join("norouter.yaml");
        files.open(&file)?.write_all(original.as_bytes())?;
        Ok(Self {
            folder,
            file,
            original,
        })
    }

    /// Removes the file, unless the person may still need it, because it was changed or something has failed.
    fn leave(self, failed: bool) {
        let text = fs::read_to_string(&self.file);
        if failed || text.is_ok_and(|text| text != self.original) {
            let file = escape(&self.file.display().to_string());
            output::talk(&format!("the manifest is kept: {file}"));
        } else {
            // A file that cannot be removed does no harm.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_may_have_arguments_and_spaces() {
        let split = |text| words(text).unwrap_or_default();
        assert_eq!(split("code --wait"), ["code", "--wait"]);
        assert_eq!(split("'/opt/my editor/ed' -n"), ["/opt/my editor/ed", "-n"]);
        assert_eq!(words("'open"), None);
        assert_eq!(words("  "), None);
    }

    #[test]
    fn an_empty_answer_is_yes() {
        for yes in ["", "\n", "y\n", "Yes\r\n"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["n\n", "no\n", "q\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
