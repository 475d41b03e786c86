//! What the page is shown besides the network itself, and what it hears. The types of the page are made from these.

use std::path::PathBuf;

use norouter::view::{HostView, LogLine, NetworkView};
use serde::{Deserialize, Serialize};

/// The app: everything but the network's own truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// The version of the app.
    pub version: String,
    /// The operating system.
    pub platform: Platform,
    /// Whether there is an icon in the tray that somebody can see.
    pub tray: bool,
    /// The file that is open.
    pub manifest: Option<String>,
    /// The network that is shown; none is when it is stopped.
    pub network: Option<Shown>,
    /// The names of this user's other networks that run.
    pub running: Vec<String>,
    /// The files that were open before, the last one first.
    pub recent: Vec<Recent>,
    /// What has to be agreed to before anything runs.
    pub consent: Option<Consent>,
    /// What is held over the window and would be dropped on it.
    pub held: Option<Held>,
    /// What went wrong last.
    pub failure: Option<Failure>,
    /// What the person has chosen.
    pub settings: Settings,
}

/// Files under the pointer that have not been let go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Held {
    /// A file that is opened when it is let go.
    One {
        /// Its name, without its folders.
        name: String,
    },
    /// Several, of which none is opened: which one is meant cannot be known.
    Several,
}

impl Held {
    /// What these files are to the person who holds them.
    pub(crate) fn of(files: &[PathBuf]) -> Option<Self> {
        match files {
            [] => None,
            [file] => Some(Self::One {
                name: file
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            }),
            _ => Some(Self::Several),
        }
    }
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Platform {
    /// Linux, and everything else that is like it.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one that this program runs on.
    pub const THIS: Self = if cfg!(target_os = "macos") {
        Self::Macos
    } else if cfg!(windows) {
        Self::Windows
    } else {
        Self::Linux
    };
}

/// The network that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// What it is called on this machine.
    pub name: String,
    /// The file that it was made from, where there is one.
    pub manifest: Option<String>,
    /// Whether the app itself runs it, so that it ends with the app.
    pub hosted: bool,
    /// How far it has come.
    pub phase: Phase,
}

/// How far a network has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Nothing has been heard of it yet.
    Starting,
    /// It runs, whatever becomes of its hosts.
    Running,
    /// It was told to end.
    Ending,
}

/// A file that was open before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Recent {
    /// Where it is.
    pub path: String,
    /// What its network is called.
    pub name: String,
    /// Whether it is there still.
    pub exists: bool,
}

/// What a manifest grants, before any of it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// The manifest.
    pub path: String,
    /// What is agreed to, in one word.
    pub digest: String,
    /// Whether the network runs, as what was agreed to before, and the manifest has changed.
    pub running: bool,
    /// The hosts that have a command.
    pub hosts: Vec<ConsentHost>,
    /// What else it grants.
    pub deeds: Vec<ConsentDeed>,
    /// What its commands name and other users of this machine could change, in sentences.
    pub doubts: Vec<String>,
}

/// Something that a manifest grants besides its commands, and whether it was agreed to before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConsentDeed {
    /// What, in a sentence.
    pub text: String,
    /// Nobody has agreed to it yet.
    pub is_new: bool,
}

/// A host's command, and what was agreed to before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConsentHost {
    /// The host's name.
    pub host: String,
    /// Its address.
    pub vip: String,
    /// What would run, word by word.
    pub command: Vec<String>,
    /// What was agreed to for a host of this name.
    pub previous: Option<Vec<String>>,
    /// How the two differ.
    pub change: CommandChange,
}

/// How a command differs from what was agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CommandChange {
    /// Nothing was.
    New,
    /// Another one was.
    Changed,
    /// This one was.
    Same,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What, in one sentence.
    pub title: String,
    /// The whole of it, several lines for a fixed-width font; may be empty.
    pub report: String,
}

/// What the person has chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of a page")]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Light or dark.
    #[serde(default)]
    pub theme: Theme,
    /// Whether the app starts when the person logs in.
    #[serde(default)]
    pub start_at_login: bool,
    /// Whether hosts that are lost are told of.
    #[serde(default = "yes")]
    pub notify_lost: bool,
    /// Whether hosts that need the person are told of.
    #[serde(default = "yes")]
    pub notify_needs_you: bool,
    /// Whether the app begins with the manifest that was open last, running if it ran.
    #[serde(default = "yes")]
    pub open_last: bool,
}

const fn yes() -> bool {
    true
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            start_at_login: false,
            notify_lost: true,
            notify_needs_you: true,
            open_last: true,
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// Like everything else on this machine.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A manifest as it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ManifestText {
    /// Where it is.
    pub path: String,
    /// What is in it; lines end with a line feed, whatever they end with on the disk.
    pub text: String,
    /// Which text that is, in one word.
    pub hash: String,
    /// Whether it can be written.
    pub editable: bool,
}

/// What the checker says of a text, and what taking it up would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Everything that is wrong, in the order of the text.
    pub problems: Vec<Problem>,
    /// None where the text has errors.
    pub effect: Option<Effect>,
}

/// Something wrong in a text. Lines and columns begin at 1; columns are counted in UTF-16 units, as the page counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// The line where it begins.
    pub line: usize,
    /// The column there.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The first column there that does not belong to it.
    pub end_column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The manifest cannot be run.
    Error,
    /// The network runs, perhaps not as it was meant.
    Warning,
    /// Good to know.
    Note,
}

/// What taking a text up would do to the network that runs, or to the file where none does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// What changes.
    pub lines: Vec<EffectLine>,
    /// How many flows would end.
    pub drops: usize,
    /// How many hosts would not notice.
    pub untouched: usize,
    /// The commands that are new or changed.
    pub commands: Vec<ConsentHost>,
    /// What else it would grant that is not granted yet, in sentences.
    pub grants: Vec<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EffectLine {
    /// Of what kind.
    pub kind: EffectKind,
    /// The host, unless it is about all.
    pub host: Option<String>,
    /// What, for people.
    pub text: String,
}

/// What becomes of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum EffectKind {
    /// It is new.
    Add,
    /// It is no more.
    Remove,
    /// Its agent is ended and started again.
    Restart,
    /// Its agent hears of it and goes on.
    Reconfigure,
}

/// Whether this machine has something that networks may need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What it is called in the program.
    pub id: String,
    /// What it is called by people.
    pub title: String,
    /// Whether it is there.
    pub state: CheckState,
    /// Its version, its place, or why it is not known.
    pub detail: String,
    /// What to do where it is missing.
    pub fix: Option<String>,
}

/// Whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CheckState {
    /// It is.
    Ok,
    /// It is not.
    Missing,
    /// It may be, but it did not answer as expected.
    Unknown,
}

/// Something that could be a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ImportOffer {
    /// What it is called where it is chosen.
    pub id: String,
    /// Where it was found.
    pub kind: ImportKind,
    /// What it is called there.
    pub name: String,
    /// What would reach it, word by word.
    pub command: Vec<String>,
    /// More about it.
    pub detail: String,
}

/// Where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ImportKind {
    /// In the configuration of ssh.
    Ssh,
    /// Among the running containers of docker or podman.
    Container,
    /// Among the running pods of Kubernetes.
    Pod,
}

/// What the page hears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum News {
    /// The app is like this now.
    App {
        /// The app.
        app: Box<App>,
    },
    /// The network is like this now.
    Network {
        /// All of it.
        #[cfg_attr(test, ts(type = "NetworkView"))]
        network: NetworkView,
    },
    /// A host is like this now.
    Host {
        /// All of it.
        #[cfg_attr(test, ts(type = "HostView"))]
        host: Box<HostView>,
    },
    /// The log has another line.
    Line {
        /// The line.
        #[cfg_attr(test, ts(type = "LogLine"))]
        line: LogLine,
    },
    /// The log has lines that came too fast.
    Missed {
        /// How many.
        count: u64,
    },
    /// The open file is another one on the disk now.
    Manifest {
        /// All of it.
        manifest: ManifestText,
    },
    /// The network that was shown has ended.
    Ended,
}
