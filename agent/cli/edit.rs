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

/// The editor if neither `$VISUAL` nor `$EDITOR` is set.
const EDITOR: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// Editors that draw on a terminal.
const DRAWING: [&str; 11] = [
    "vi", "vim", "nvim", "view", "nano", "pico", "emacs", "micro", "hx", "joe", "mcedit",
];

/// The file name under which a person can keep a manifest that was edited as a temporary file.
const KEPT: &str = "norouter.yaml";

/// Edits a file and runs it. A file that does not exist is made from the example. Without a file, edits and runs a
/// temporary copy of the example.
pub(super) fn run(
    file: Option<&Path>,
    start: impl Fn(&Path) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let editor = editor()?;
    match file {
        Some(file) if file == Path::new("-") => {
            Err(Error::new(Exit::Usage, "standard input cannot be edited").hint("name a file"))
        }
        Some(file) => {
            let made = make(file)?;
            let outcome = edit_and_run(&editor, file, start);
            // If editing or running has failed, a new file that the person has not changed is removed again.
            let unchanged = || fs::read_to_string(file).is_ok_and(|text| text == EXAMPLE);
            if made && outcome.is_err() && unchanged() {
                let _ = fs::remove_file(file);
            }
            outcome
        }
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
            let shown = escape(&temporary.file.display().to_string());
            output::talk(&format!("editing a temporary copy of the example: {shown}"));
            let outcome = edit_and_run(&editor, &temporary.file, start);
            if temporary.is_changed() && may_keep() && ask(&format!("Keep it as {KEPT} here?"))? {
                temporary.keep()?;
            } else {
                temporary.leave(matches!(outcome, Ok(exit) if is_failure(exit)));
            }
            outcome
        }
    }
}

/// Makes a file from the example if it does not exist. Returns whether the file was made.
fn make(file: &Path) -> Result<bool, Error> {
    match copy(EXAMPLE, file) {
        Ok(()) => {
            let shown = escape(&file.display().to_string());
            output::talk(&format!("{shown} is new: a copy of the example"));
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(not_made(file, &error)),
    }
}

/// Writes a text into a new file.
fn copy(text: &str, file: &Path) -> io::Result<()> {
    let mut new = fs::OpenOptions::new();
    new.write(true).create_new(true);
    new.open(file)?.write_all(text.as_bytes())
}

fn not_made(file: &Path, error: &io::Error) -> Error {
    let shown = escape(&file.display().to_string());
    let message = format!("cannot make the file {shown}: {}", describe(error));
    Error::new(Exit::Failure, message).hint("name a file in a folder that you may write to")
}

/// Whether the edited manifest can be kept in this folder: it has no manifest yet, and a person can be asked.
fn may_keep() -> bool {
    io::stdin().is_terminal() && fs::symlink_metadata(KEPT).is_err()
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
        if exit == Exit::Ok || !ask("Open the editor again?")? {
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
    let editor = words(&chosen).ok_or_else(|| {
        Error::new(
            Exit::Usage,
            format!("the editor {chosen} cannot be understood"),
        )
        .hint("set $EDITOR to a command, with quotes in pairs, such as: code --wait")
    })?;
    if draws(&editor) && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let message = format!("the editor {chosen} needs a terminal, and there is none");
        return Err(Error::new(Exit::Usage, message).hint(
            "run this in a terminal, or set $EDITOR to an editor with a window, such as: code --wait",
        ));
    }
    Ok(editor)
}

/// Whether an editor is known to draw on the terminal.
fn draws(editor: &[String]) -> bool {
    let program = editor.first().map(Path::new);
    let name = program
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    name.is_some_and(|name| DRAWING.contains(&name))
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
        .map_err(|error| failed(describe(&error)))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!("it ended with {status}")))
    }
}

/// Asks a question. If nobody can answer, the answer is no.
fn ask(question: &str) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let failed =
        |error: io::Error| Error::new(Exit::Failure, format!("cannot ask: {}", describe(&error)));
    {
        let mut out = anstream::stderr().lock();
        let _ = write!(out, "{question} [Y/n] ");
        let _ = out.flush();
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

/// Whether an answer means yes. An empty answer means yes.
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
        // The network gets its name from the file.
        let file = folder.join("example.yaml");
        files.open(&file)?.write_all(original.as_bytes())?;
        Ok(Self {
            folder,
            file,
            original,
        })
    }

    fn is_changed(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text != self.original)
    }

    /// Moves the manifest into the present folder.
    fn keep(self) -> Result<(), Error> {
        let kept = Path::new(KEPT);
        let text = fs::read_to_string(&self.file);
        if let Err(error) = text.and_then(|text| copy(&text, kept)) {
            self.leave(true);
            return Err(not_made(kept, &error));
        }
        output::talk(&format!("{KEPT} is yours now; \"norouter\" runs it"));
        let _ = fs::remove_dir_all(&self.folder);
        Ok(())
    }

    /// Removes the file, unless the person may still need it: it was changed, or something has failed.
    fn leave(self, failed: bool) {
        if failed || self.is_changed() {
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
    fn an_editor_that_draws_is_known_by_its_name() {
        let draws = |text| draws(&words(text).unwrap_or_default());
        for editor in ["vi", "/usr/bin/vim -u NONE", "nano"] {
            assert!(draws(editor), "{editor}");
        }
        for editor in ["code --wait", "sh my-editor", "gvim", ""] {
            assert!(!draws(editor), "{editor}");
        }
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
