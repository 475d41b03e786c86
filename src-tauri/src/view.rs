//! The state that the page shows besides the network itself, and the news that the page receives. The types of the page
//! are generated from the types in this file.

use std::{collections::BTreeMap, path::PathBuf};

use norouter::{
    driver::control::client,
    import,
    view::{ErrorCode, FieldPlace, FieldValue, HostView, LogLine, NetworkView},
};
use serde::{Deserialize, Serialize};

/// The state of the app, without that of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// The version of the app.
    pub version: String,
    /// The operating system that the app runs on.
    pub platform: Platform,
    /// Whether the tray has a visible icon of the app.
    pub tray: bool,
    /// The file that is open.
    pub manifest: Option<String>,
    /// The network that is shown; `None` if it was stopped, or none was started.
    pub network: Option<Shown>,
    /// The names of this user's other running networks.
    pub running: Vec<String>,
    /// The files that were opened before, the newest first.
    pub recent: Vec<Recent>,
    /// The question for consent that has to be answered before the manifest or its change takes effect.
    pub consent: Option<Consent>,
    /// The files that a person drags over the window and has not dropped yet.
    pub dragged: Option<Dragged>,
    /// The last failure.
    pub failure: Option<Failure>,
    /// The person's settings.
    pub settings: Settings,
}

/// Files that a person drags over the window and has not dropped yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Dragged {
    /// A single file, which is opened when it is dropped.
    One {
        /// The name of the file, without its folders.
        name: String,
    },
    /// Several files. None of them is opened, since the app cannot know which one is meant.
    Several,
}

impl Dragged {
    /// Classifies the files that a person drags.
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
    /// Linux, and other systems like it.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl Platform {
    /// The operating system that this program runs on.
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
    /// The name of the network on this machine.
    pub name: String,
    /// The file that describes the network, if there is one.
    pub manifest: Option<String>,
    /// Whether the app itself runs the network. If so, the network ends with the app.
    pub hosted: bool,
    /// The phase of the network.
    pub phase: Phase,
    /// The jump hosts to each host, the one nearest to this machine first, with commas between them. The text is empty
    /// if a host is reached directly. A host is missing if OpenSSH does not tell its jump hosts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<BTreeMap<String, String>>"))]
    pub jumps: BTreeMap<String, String>,
    /// The file with the log of the network, if the app runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub log: Option<String>,
}

/// The phase of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Nothing has been heard of the network yet.
    Starting,
    /// The network runs, whatever the state of its hosts is.
    Running,
    /// The network was told to end.
    Ending,
}

/// A file that was opened before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Recent {
    /// The path of the file.
    pub path: String,
    /// The name of the network that the file describes.
    pub name: String,
    /// Whether the file still exists.
    pub exists: bool,
}

/// The grants of a manifest that a person has to agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// The manifest.
    pub path: String,
    /// A hash of everything that the person would agree to.
    pub digest: String,
    /// Whether the question is about a change of the manifest of a running network.
    pub running: bool,
    /// The hosts that have a command.
    pub hosts: Vec<ConsentHost>,
    /// The grants of the manifest other than its commands.
    pub grants: Vec<ConsentGrant>,
    /// Reasons, as sentences, why the commands could run something else even if the manifest stays the same.
    pub doubts: Vec<String>,
}

/// A grant of a manifest other than its commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConsentGrant {
    /// The grant, as a sentence.
    pub text: String,
    /// Whether the grant is new: nobody has agreed to it yet.
    pub is_new: bool,
}

/// A host's command, and the one that was agreed to before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConsentHost {
    /// The name of the host.
    pub host: String,
    /// The address of the host.
    pub vip: String,
    /// The command that would run, word by word.
    pub command: Vec<String>,
    /// The command that was agreed to for a host of this name, if any.
    pub previous: Option<Vec<String>>,
    /// How the command differs from the one that was agreed to.
    pub change: CommandChange,
}

/// How a command differs from the one that was agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CommandChange {
    /// No command was agreed to for this host.
    New,
    /// Another command was agreed to.
    Changed,
    /// This command was agreed to.
    Same,
}

/// A failure to show to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The failure, in one line. The line includes the reason if that is short.
    pub title: String,
    /// The full report, in several lines for a fixed-width font; may be empty.
    pub report: String,
    /// The manifest that could not be opened, if that is the failure.
    pub manifest: Option<String>,
}

/// The person's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of a page")]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The colours of the app.
    #[serde(default)]
    pub theme: Theme,
    /// Whether the app starts when the person logs in.
    #[serde(default)]
    pub start_at_login: bool,
    /// Whether the app notifies of hosts that are lost.
    #[serde(default = "yes")]
    pub notify_lost: bool,
    /// Whether the app notifies of hosts that need the person.
    #[serde(default = "yes")]
    pub notify_needs_you: bool,
    /// Whether the app opens the last manifest when it starts, and starts its network if that was running.
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

/// The colours of the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// The colours of the desktop.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A manifest as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ManifestText {
    /// The path of the file.
    pub path: String,
    /// The text of the file. Its lines end with a line feed, whatever they end with on disk.
    pub text: String,
    /// A hash of the text.
    pub hash: String,
    /// Whether the app can write the file.
    pub editable: bool,
}

/// The result of checking a text, and the effect of applying it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// All problems, in the order of the text.
    pub problems: Vec<Problem>,
    /// The effect; `None` if the text has errors.
    pub effect: Option<Effect>,
}

/// A problem in a text. Lines and columns count from 1, and columns count UTF-16 units, as the page does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The severity of the problem.
    pub severity: Severity,
    /// The line where the problem begins.
    pub line: usize,
    /// The column where the problem begins.
    pub column: usize,
    /// The line where the problem ends.
    pub end_line: usize,
    /// The column after the end of the problem.
    pub end_column: usize,
    /// The description of the problem.
    pub message: String,
    /// The way to fix the problem.
    pub hint: Option<String>,
    /// The part of the manifest to which the problem belongs; `None` if the text cannot be read.
    #[cfg_attr(test, ts(type = "FieldPlace | null"))]
    pub place: Option<FieldPlace>,
}

/// The severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The manifest cannot be run.
    Error,
    /// The network runs, but perhaps not as intended.
    Warning,
    /// The note is only information.
    Note,
}

/// The effect of applying a text. It is compared with the running network, or with the file if no network runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// The changes that the text makes.
    pub lines: Vec<EffectLine>,
    /// The number of flows that would end.
    pub drops: usize,
    /// The number of hosts on which the text has no effect.
    pub untouched: usize,
    /// The new and changed commands.
    pub commands: Vec<ConsentHost>,
    /// The new grants other than commands, as sentences.
    pub grants: Vec<String>,
}

/// One change that applying a text makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EffectLine {
    /// The kind of the change.
    pub kind: EffectKind,
    /// The host that changes; `None` if the change concerns all hosts.
    pub host: Option<String>,
    /// The change, for people.
    pub text: String,
}

/// The kind of a change of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum EffectKind {
    /// The host is new.
    Add,
    /// The host is removed.
    Remove,
    /// The host's agent is ended and started again.
    Restart,
    /// The host's agent is reconfigured and keeps running.
    Reconfigure,
}

/// The result of a check whether this machine has something that networks may need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The identifier of the check.
    pub id: String,
    /// The name of the check, for people.
    pub title: String,
    /// The result of the check.
    pub state: CheckState,
    /// The version and the path that were found, or the reason why they are not known.
    pub detail: String,
    /// The remedy if the program or setting is missing; `None` if it is present.
    pub fix: Option<String>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CheckState {
    /// The checked program or setting is present.
    Ok,
    /// The checked program or setting is missing.
    Missing,
    /// The checked program or setting may be present, but did not answer as expected.
    Unknown,
}

/// What was found on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Imports {
    /// What could become a host.
    pub offers: Vec<ImportOffer>,
    /// The contexts of kubectl.
    pub contexts: Vec<String>,
    /// The context whose pods are among the offers; `None` if kubectl has no present one and none was chosen.
    pub context: Option<String>,
    /// Why pods are missing; `None` if kubectl is not installed, or has listed all of them.
    pub note: Option<String>,
}

/// Something that could become a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ImportOffer {
    /// The identifier by which the person chooses the offer.
    pub id: String,
    /// The word of the source in which the possible host was found, as [`import::Source::word`] gives it.
    pub kind: &'static str,
    /// The name of the possible host in that source.
    pub name: String,
    /// The name that is proposed for the host. Several offers may have the same.
    pub host: String,
    /// The line of the host in a manifest, which says how its shell is reached.
    pub line: String,
    /// The same as fields of a host, those inside a map with a dot; empty if the possible host cannot be chosen.
    #[cfg_attr(test, ts(type = "{ [key in string]: FieldValue }"))]
    pub fields: BTreeMap<String, FieldValue>,
    /// More about the possible host, for people.
    pub detail: String,
    /// Why the possible host cannot be chosen; absent if it can be.
    pub unusable: Option<String>,
}

impl From<&import::Candidate> for ImportOffer {
    fn from(offer: &import::Candidate) -> Self {
        Self {
            id: offer.id(),
            kind: offer.source.word(),
            name: offer.name.clone(),
            host: offer.host.clone(),
            line: offer.line.clone(),
            fields: offer.fields.clone(),
            detail: offer.detail.clone(),
            unusable: offer.unusable.clone(),
        }
    }
}

/// A place in the window that the person has asked for outside the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "page", rename_all = "camelCase")]
pub enum Place {
    /// The network.
    Network,
    /// A host.
    Host {
        /// The name of the host.
        host: String,
    },
    /// The oldest question of a host's command.
    Question {
        /// The name of the host.
        host: String,
    },
}

/// The step that follows after a new manifest was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename_all = "camelCase"))]
#[serde(rename_all = "camelCase")]
pub enum Then {
    /// The manifest is opened. If the app runs a network, it keeps running.
    #[default]
    Open,
    /// The manifest is only written.
    Write,
    /// The shown network is stopped, and then the manifest is opened.
    StopAndOpen,
}

/// News for the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum News {
    /// The state of the app has changed.
    App {
        /// The new state of the app.
        app: Box<App>,
    },
    /// The network has changed.
    Network {
        /// The new state of the network.
        #[cfg_attr(test, ts(type = "NetworkView"))]
        network: NetworkView,
    },
    /// A host has changed.
    Host {
        /// The new state of the host.
        #[cfg_attr(test, ts(type = "HostView"))]
        host: Box<HostView>,
    },
    /// The log has a new line.
    Line {
        /// The new line.
        #[cfg_attr(test, ts(type = "LogLine"))]
        line: LogLine,
    },
    /// Lines of the log were lost because they came too fast.
    Missed {
        /// The number of lost lines.
        count: u64,
    },
    /// The open file has changed on disk.
    Manifest {
        /// The new content of the file.
        manifest: ManifestText,
    },
    /// The network that was shown has ended.
    Ended,
    /// The person has asked for a place, in the tray or by a click on a notification.
    Go {
        /// The place.
        place: Place,
    },
}

/// Why a request of the page was refused. If Tauri itself refuses a request, the page receives only a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// The kind of the error; `None` if the app itself has refused, or if the network's manager has another version.
    #[cfg_attr(test, ts(type = "ErrorCode | null"))]
    pub code: Option<ErrorCode>,
    /// The reason, for people.
    pub text: String,
}

impl From<String> for Refused {
    fn from(text: String) -> Self {
        Self { code: None, text }
    }
}

impl From<&str> for Refused {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<client::Error> for Refused {
    fn from(error: client::Error) -> Self {
        let code = match &error {
            client::Error::Refused { code, .. } => *code,
            client::Error::NoManager(_) | client::Error::Silent { .. } => None,
        };
        Self {
            code,
            text: error.to_string(),
        }
    }
}

/// The outcome of a request to test a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum HostTest {
    /// Nothing was started, because the person has to agree first.
    Asks {
        /// The consent that is needed.
        consent: TestConsent,
    },
    /// The test has begun.
    Begun {
        /// The number of the test.
        id: u64,
    },
}

/// The consent that a person has to give before a host is tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TestConsent {
    /// A hash of everything that the person would agree to.
    pub digest: String,
    /// The command that would run; `None` if the host has no command.
    pub command: Option<ConsentHost>,
    /// The grants that the test needs other than the command, as sentences.
    pub grants: Vec<String>,
    /// Reasons, as sentences, why the command could run something else even if the manifest stays the same.
    pub doubts: Vec<String>,
}

/// A change of the manifest's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ManifestChange {
    /// The number of the change, by which its text can be read.
    pub id: u64,
    /// The time at which the app noticed the change, in milliseconds since 1970.
    pub at_ms: u64,
    /// The origin of the change.
    pub by: ChangedBy,
    /// The effect of the change on a network, as sentences; empty if there is none.
    pub effect: Vec<String>,
}

/// The origin of a change of the manifest's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ChangedBy {
    /// There was no change: the app has seen the file for the first time.
    First,
    /// The person has edited the text.
    Text,
    /// The person has edited a form.
    Form,
    /// The person has edited the picture.
    Picture,
    /// The person has restored an earlier content.
    Restored,
    /// Another program has written the file: an editor, or a command in a terminal.
    Other,
}
