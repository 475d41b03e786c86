//! Edits a manifest for a person: shows the change of the text and its effect, asks, and writes the file.

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _},
    path::{Path, PathBuf},
};

use super::{
    error::{Error, Exit},
    input::{Commands, Source},
    output,
};
use crate::{
    driver::system::files,
    edit::{Applied, Edit, Reach, Refusal, apply, unified},
    plan::{self, Loaded, diff, new_grants},
    text::escape,
};

/// The options of all commands that edit a manifest.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The manifest; by default the one that norouter itself would run
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Show the change and its effect, and write nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Write the file without asking
    #[arg(long)]
    yes: bool,
}

/// The parts of the manifest for which a shared value changes.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Shared {
    /// If HOST shares the value (such as its list of ports) with others, through an anchor or hostTemplate, change it
    /// for all of them
    #[arg(long, conflicts_with = "here")]
    everywhere: bool,
    /// If HOST shares the value with others, change it only for HOST, which gets its own copy
    #[arg(long)]
    here: bool,
}

impl Shared {
    pub(super) fn is_everywhere(self) -> bool {
        self.everywhere
    }

    pub(super) fn reach(self) -> Option<Reach> {
        if self.everywhere {
            Some(Reach::Everywhere)
        } else {
            self.here.then_some(Reach::Here)
        }
    }
}

/// A manifest to be shown or edited.
pub(super) struct Subject {
    pub(super) loaded: Loaded,
    path: PathBuf,
}

impl Subject {
    pub(super) fn open(file: Option<&Path>, commands: Commands) -> Result<Self, Error> {
        let source = Source::of(file)?;
        let Some(path) = source.path().map(Path::to_owned) else {
            let message = "standard input and pipes cannot be edited";
            return Err(Error::new(Exit::Usage, message).hint("name a file"));
        };
        let loaded = source.load(commands)?;
        Ok(Self { loaded, path })
    }
}

/// The name of a host in the manifest. The host may be called by its name, an alias or its address. If the manifest has
/// no such host, `called` is returned.
pub(super) fn written(subject: &Subject, called: &str) -> String {
    let hosts = &subject.loaded.manifest.hosts;
    let is = |text: &str| text.eq_ignore_ascii_case(called);
    let by_name = hosts.iter().find(|host| is(&host.name.value));
    let others = || {
        let plan = subject.loaded.plan.as_ref()?;
        let mut pairs = hosts.iter().zip(&plan.hosts);
        let found = pairs.find(|(_, planned)| {
            let mut aliases = planned.aliases.iter();
            planned.vip.to_string() == called || aliases.any(|alias| is(alias.as_str()))
        });
        found.map(|(host, _)| host)
    };
    let host = by_name.or_else(others);
    host.map_or_else(|| called.to_owned(), |host| host.name.value.clone())
}

impl Options {
    pub(super) fn open(&self, commands: Commands) -> Result<Subject, Error> {
        Subject::open(self.file.as_deref(), commands)
    }

    /// Makes an edit. The error says why it was not made.
    pub(super) fn make(&self, subject: &Subject, edit: &Edit) -> Result<Exit, Error> {
        let made = apply(&subject.loaded.text, edit);
        self.write(subject, made, "says that already")
    }

    /// Shows what has been made, asks, and writes it. `unchanged` is said of a file in which nothing has changed.
    pub(super) fn write(
        &self,
        subject: &Subject,
        made: Result<Applied, Refusal>,
        unchanged: &str,
    ) -> Result<Exit, Error> {
        let Some(new) = show(subject, made, unchanged)? else {
            return Ok(Exit::Ok);
        };
        if self.dry_run {
            return Ok(Exit::Ok);
        }
        let old = &subject.loaded;
        let name = escape(&old.file_name);
        if !self.yes && !is_said(&name)? {
            output::talk("nothing was written");
            return Ok(Exit::Failure);
        }
        write(&subject.path, &old.text, &new)?;
        output::talk(&format!("{name} was written"));
        Ok(Exit::Ok)
    }
}

/// Shows what has been made, with its effect. Returns the new text; `None` if nothing has changed.
pub(super) fn show(
    subject: &Subject,
    made: Result<Applied, Refusal>,
    unchanged: &str,
) -> Result<Option<String>, Error> {
    let old = &subject.loaded;
    let name = escape(&old.file_name);
    let applied = made.map_err(|refusal| refused(&refusal))?;
    if applied.text == old.text {
        output::talk(&format!("{name} {unchanged}"));
        return Ok(None);
    }
    let new = plan::load(&old.file_name, &applied.text);
    if old.plan.is_some() && new.plan.is_none() {
        output::talk(&new.report(true));
        let message = format!(
            "{} could not be run any more, so it stays as it is",
            old.file_name
        );
        return Err(Error::new(Exit::InvalidManifest, message));
    }
    let lines = unified(&old.text, &applied.text);
    output::data(&format!("--- {name}\n+++ {name}\n{}", shown(&lines)))?;
    for sentence in applied.also.iter().cloned().chain(effect(old, &new)) {
        output::talk(&escape(&sentence));
    }
    Ok(Some(applied.text))
}

/// A diff, escaped so that it cannot control a terminal.
fn shown(lines: &str) -> String {
    let lines = lines.lines().map(|line| escape(line).replace("\\t", "\t"));
    lines.map(|line| line + "\n").collect()
}

/// The effect of a change on a network, in sentences.
pub(super) fn effect(old: &Loaded, new: &Loaded) -> Vec<String> {
    let (Some(before), Some(after)) = (&old.plan, &new.plan) else {
        return vec!["the manifest cannot be run yet: \"norouter check\" says why".to_owned()];
    };
    let changes = diff(before, after);
    let (more, fewer) = (new_grants(before, after), new_grants(after, before));
    let changes = changes.iter().map(ToString::to_string);
    let more = more.iter().map(|grant| format!("new: {grant}"));
    let fewer = fewer.iter().map(|grant| format!("gone: {grant}"));
    let all: Vec<String> = changes.chain(more).chain(fewer).collect();
    if all.is_empty() && before == after {
        return vec!["nothing changes for a network".to_owned()];
    }
    if all.is_empty() {
        return vec!["the routes or the policy change".to_owned()];
    }
    all
}

fn refused(refusal: &Refusal) -> Error {
    let exit = match refusal {
        Refusal::Unreadable | Refusal::Invalid(_) => Exit::InvalidManifest,
        Refusal::Field(_) => Exit::Usage,
        Refusal::Unusual
        | Refusal::Missing(_)
        | Refusal::Taken(_)
        | Refusal::Shared { .. }
        | Refusal::Entangled { .. }
        | Refusal::FromTemplate { .. }
        | Refusal::Inherited { .. }
        | Refusal::TooLong
        | Refusal::Style
        | Refusal::Differs => Exit::Failure,
    };
    let is_shared = matches!(
        refusal,
        Refusal::Shared { .. } | Refusal::FromTemplate { .. }
    );
    let hint = if is_shared {
        "--everywhere changes it for all of them, and --here gives only this one a changed copy"
    } else {
        refusal.hint()
    };
    Error::new(exit, refusal.to_string()).hint(hint)
}

/// Asks the person at the terminal; returns true if the answer is yes.
fn is_said(name: &str) -> Result<bool, Error> {
    let mut input = io::stdin().lock();
    if !input.is_terminal() {
        let message = "without a terminal, nobody can be asked";
        return Err(Error::new(Exit::Usage, message)
            .hint("--yes writes the file without asking, and --dry-run only shows the change"));
    }
    output::talk(&format!("write {name}? Type yes and Enter"));
    let mut line = String::new();
    if input.read_line(&mut line).is_err() {
        return Ok(false);
    }
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}

/// Writes the file, unless somebody else has changed it since it was read.
fn write(path: &Path, old: &str, new: &str) -> Result<(), Error> {
    let still = |path: &Path| Ok(fs::read(path)? == old.as_bytes());
    let written = files::replace_if(path, new.as_bytes(), files::PUBLIC, &still);
    match written {
        Ok(true) => Ok(()),
        Ok(false) => {
            let message = format!(
                "{} has changed meanwhile, so nothing was written",
                path.display()
            );
            Err(Error::new(Exit::Failure, message).hint("run the command again"))
        }
        Err(why) => Err(Error::new(Exit::Failure, why)),
    }
}
