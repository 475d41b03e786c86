//! The manifest file of a running network: reads it, watches it, and applies it when it has changed. A file with errors
//! does not change the network, and a file that may be only partly written takes nothing away from it.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    doubts,
    handle::{Handle, Manager},
    shared::ReloadRequest,
};
use crate::{
    driver::system::{
        describe, files,
        watch::{Watch, Wholeness},
    },
    manager::{Hold, ReloadOutcome},
    manifest::{Problem, SIZE_MAX_BYTES},
    plan::{self, Loaded, Plan},
    text::quote_whole,
};

/// The reason why a manifest could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The operating system reports an error.
    #[error("{}", describe(.0))]
    Io(#[from] io::Error),
    /// The path has characters that a path of a manifest may not have.
    #[error("its path has a line break or a control character; give it another name")]
    Name,
    /// The file is not text.
    #[error("line {line}: this is not UTF-8 text")]
    NotText {
        /// The first line that is not UTF-8, from 1.
        line: usize,
    },
    /// The file is text of another encoding, as some programs on Windows write it.
    #[error("this is UTF-16 text; save it as UTF-8")]
    Utf16,
}

/// Reads the text of a manifest. Stops as soon as the text is known to be too large.
pub fn read(reader: impl Read) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    let most = u64::try_from(SIZE_MAX_BYTES).unwrap_or(u64::MAX);
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if is_utf16(&bytes) {
        return Err(Unreadable::Utf16);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // The text is too large, and may have been cut within a character. It will be refused for its size.
        Err(error) if error.as_bytes().len() > SIZE_MAX_BYTES => {
            Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            Err(Unreadable::NotText { line })
        }
    }
}

/// Whether bytes look like UTF-16: they begin with a byte order mark of UTF-16, or with an ASCII character that has a
/// zero byte beside it. A manifest in UTF-8 has neither.
fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [first, second, ..] => (*first == 0) != (*second == 0),
        _ => false,
    }
}

/// Reads and parses a manifest file.
pub fn load(file: &Path) -> Result<Loaded, Unreadable> {
    Ok(understand(&file.display().to_string(), &read(open(file)?)?))
}

/// Opens a manifest file. Fails if its path contains characters, such as line breaks, that would corrupt other files
/// into which the path is written.
pub fn open(file: &Path) -> Result<File, Unreadable> {
    if file.to_string_lossy().chars().any(breaks_lines) {
        return Err(Unreadable::Name);
    }
    Ok(files::open(file)?)
}

/// Whether a character of a path could end a line in a file that contains the path.
pub(crate) fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Parses a manifest, and checks the files on this machine that its commands name.
pub fn understand(file_name: &str, text: &str) -> Loaded {
    let mut loaded = plan::load(file_name, text);
    let doubts = loaded.plan.as_ref().map(doubts::doubts);
    for doubt in doubts.unwrap_or_default() {
        let hosts = &mut loaded.manifest.hosts.iter();
        let host = hosts.find(|host| host.name.value == doubt.host.as_str());
        let Some(host) = host else { continue };
        let span = host.cmd.as_ref().map_or(host.name.span, |cmd| cmd.span);
        loaded.problems.push(
            Problem::warning(span, doubt.text).hint(
                "name a program by its whole path, in a folder that only you or root may write",
            ),
        );
    }
    loaded.problems.sort_by_key(|problem| problem.span.start);
    loaded
}

/// The manifest file of a network, with the events that cause a reload.
pub struct Origin {
    file: PathBuf,
    hold: Hold,
    watch: Option<Watch>,
    /// The reload requests of other programs. `None` if they were already taken from the manager.
    requests: Option<UnboundedReceiver<ReloadRequest>>,
    /// The text that was last loaded or refused. A file that was only touched is not loaded again.
    seen: Option<String>,
}

/// Why the manifest is to be reloaded.
#[derive(Debug)]
pub enum Cause {
    /// The file has changed.
    Changed(Wholeness),
    /// Another program asks for it, and waits for the outcome.
    Request(ReloadRequest),
    /// The person asks for it.
    Person,
}

/// The result of a reload.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Warnings and errors for people. Empty if there are none.
    pub report: String,
    /// The new plan, and the outcome of its reload: the change was applied, or it is held. `None` if the manifest could
    /// not be used, for the reason in `report`.
    pub plan: Option<(Plan, ReloadOutcome)>,
}

impl Origin {
    /// The manifest file of a manager's network. To miss no change, the caller must start `watch` before it reads the
    /// file. Without a watch, the file is reloaded only on request.
    pub fn new(
        file: &Path,
        hold: Hold,
        watch: Option<io::Result<Watch>>,
        manager: &mut Manager,
    ) -> Self {
        let watch = watch.and_then(|watch| {
            watch
                .inspect_err(|error| {
                    tracing::warn!("the manifest cannot be watched for changes: {error}");
                })
                .ok()
        });
        Self {
            file: file.to_owned(),
            hold,
            watch,
            requests: manager.take_reloads(),
            seen: None,
        }
    }

    /// The parts of a change that a person has to approve.
    pub const fn hold(&self) -> Hold {
        self.hold
    }

    /// Completes when the manifest has to be reloaded.
    pub async fn next(&mut self) -> Cause {
        let changed = async {
            match &mut self.watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        let wanted = async {
            match &mut self.requests {
                Some(requests) => requests.recv().await,
                None => None,
            }
        };
        tokio::select! {
            wholeness = changed => Cause::Changed(wholeness),
            Some(asker) = wanted => Cause::Request(asker),
        }
    }

    /// Reloads the manifest, changes the network accordingly, and answers the request if there is one. `None` if
    /// nothing was done, because the text is the same as before, or because the file may be incomplete.
    ///
    /// While the file may be incomplete, a change is applied only if it takes nothing away from the network. Errors are
    /// not reported yet, because the missing part of the file may correct them.
    pub async fn take_up(&mut self, manager: &Handle, cause: Cause) -> Option<Taken> {
        let wholeness = match &cause {
            Cause::Changed(wholeness) => Some(*wholeness),
            Cause::Request(_) | Cause::Person => None,
        };
        let taken = self.read_again(manager, wholeness).await?;
        if let Cause::Request(asker) = cause {
            let outcome = match &taken.plan {
                Some((_, outcome)) => Ok(outcome.clone()),
                None => Err(taken.report.clone()),
            };
            // The sender of the request may be gone.
            let _ = asker.send(outcome);
        }
        Some(taken)
    }

    /// Reads the file, and reloads its manifest. `wholeness` is `None` if somebody has requested a reload. In that
    /// case, the file is taken as it is, even if it is incomplete or has not changed.
    async fn read_again(
        &mut self,
        manager: &Handle,
        wholeness: Option<Wholeness>,
    ) -> Option<Taken> {
        let nothing = |report: String| {
            manager.refuse_manifest(report.clone());
            Some(Taken { report, plan: None })
        };
        let may_be_part = wholeness == Some(Wholeness::Perhaps);
        let text = match open(&self.file).and_then(read) {
            Ok(text) => text,
            Err(_) if may_be_part => return None,
            Err(error) => {
                // When the file exists again, it is loaded even if its text is the same as before.
                self.seen = None;
                let file = quote_whole(&self.file.display().to_string());
                return nothing(format!("the manifest {file} cannot be read: {error}"));
            }
        };
        if wholeness.is_some() && self.seen.as_ref() == Some(&text) {
            return None;
        }
        let loaded = understand(&self.file.display().to_string(), &text);
        if may_be_part {
            // A last line without a line break may be incomplete, for example a part of a command.
            let plan = loaded.plan.as_ref().filter(|_| text.ends_with('\n'))?;
            if manager.would_lose(plan.clone()).await != Ok(false) {
                return None;
            }
        }
        self.seen = Some(text);
        let report = loaded.report(false);
        let Some(plan) = loaded.plan else {
            return nothing(report);
        };
        match manager.reload(plan.clone(), self.hold).await {
            Ok(outcome) => Some(Taken {
                report,
                plan: Some((plan, outcome)),
            }),
            Err(_) => nothing("the network has ended".to_owned()),
        }
    }
}
