//! Helpers that the tests share.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    desk::{Desk, Folders},
    surface::{Later, Surface},
    view::{App, Theme},
};

/// A folder for one test, which is removed when the value is dropped.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        // The app shows paths without symbolic links, so the path of the folder must not contain any.
        let above = fs::canonicalize(std::env::temp_dir()).unwrap();
        let folder = tempfile::Builder::new()
            .prefix(&format!("norouter-app-{name}-"))
            .tempdir_in(above);
        Self(folder.unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// A host in this state.
pub(crate) fn host(name: &str, state: norouter::view::HostState) -> norouter::view::HostView {
    let host = serde_json::json!({
        "name": name, "vip": "127.0.42.101", "ports": [], "state": state, "troubles": [], "stderr": [],
        "traffic": norouter::view::TrafficView::default(),
    });
    serde_json::from_value(host).unwrap()
}

/// A running network of these hosts.
pub(crate) fn network(hosts: Vec<norouter::view::HostView>) -> norouter::view::NetworkView {
    norouter::view::NetworkView {
        network: "office".to_owned(),
        manifest: None,
        version: String::new(),
        pid: 1,
        uptime_ms: 0,
        snapshot: norouter::view::Snapshot {
            now_ms: 0,
            hosts,
            held: None,
            unapplied: None,
        },
    }
}

/// The state of an app that keeps its files in this folder.
pub(crate) fn desk(folder: &Folder) -> Desk {
    Desk::new(Folders {
        config: folder.path("config"),
        data: folder.path("data"),
    })
}

/// A time limit that is much longer than anything in these tests takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until the app is in the expected state.
pub(crate) async fn until(desk: &Desk, what: &str, mut is: impl FnMut(&App, &Desk) -> bool) {
    let mut wakes = desk.wakes();
    let waiting = async {
        while !is(&desk.app(), desk) {
            wakes.changed().await.unwrap();
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(outcome.is_ok(), "{what}: {:?}", desk.app());
}

/// A network with two hosts: this machine, and a host that never becomes ready.
pub(crate) fn manifest(net: u8, word: &str) -> String {
    format!(
        "hosts:\n  laptop: {{vip: 127.0.{net}.1, dns: {{disable: true}}, stateDir: {{disable: true}}}}\n  \
         mute: {{vip: 127.0.{net}.2, cmd: [sh, -c, 'echo {word} >&2; exec sleep 1000'], loopback: {{disable: true}}}}\n"
    )
}

/// Writes a manifest into a file with a name that no other network on this machine has.
pub(crate) fn file(folder: &Folder, name: &str, text: &str) -> PathBuf {
    folder.file(&format!("{name}-{}.yaml", std::process::id()), text)
}

/// Opens a manifest, agrees to it, and waits until its network runs.
pub(crate) async fn run(desk: &Desk, path: &Path) {
    desk.open(path).await.unwrap();
    let digest = desk.app().consent.unwrap().digest;
    desk.consent(&digest, true).await.unwrap();
    until(desk, "it runs", |_, desk| desk.network().is_some()).await;
}

/// A [`Surface`] that records its calls. It answers questions with no, unless [`Paper::that_says_yes`] has made it, and
/// it never chooses a file.
#[derive(Default)]
pub(crate) struct Paper {
    notes: Mutex<Vec<String>>,
    says_yes: bool,
}

impl Paper {
    /// A surface that answers questions with yes.
    pub(crate) fn that_says_yes() -> Self {
        Self {
            says_yes: true,
            ..Self::default()
        }
    }

    fn note(&self, what: impl Into<String>) {
        self.notes.lock().unwrap().push(what.into());
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }
}

impl Surface for Paper {
    fn ask_manifest(&self) -> Later<Option<PathBuf>> {
        self.note("asked for a manifest");
        Box::pin(std::future::ready(None))
    }

    fn ask_place(&self, title: &str, _: &str) -> Later<Option<PathBuf>> {
        self.note(format!("asked for a place: {title}"));
        Box::pin(std::future::ready(None))
    }

    fn ask_yes(&self, question: &str, detail: &str, _: &str) -> Later<bool> {
        self.note(format!("asked: {question} {detail}"));
        Box::pin(std::future::ready(self.says_yes))
    }

    fn copy(&self, text: &str) -> Result<(), String> {
        self.note(format!("copied {} bytes", text.len()));
        Ok(())
    }

    fn browse(&self, url: &str) -> Result<(), String> {
        self.note(format!("browsed {url}"));
        Ok(())
    }

    fn start_at_login(&self, on: bool) -> Result<(), String> {
        self.note(format!("starts at login: {on}"));
        Ok(())
    }

    fn theme(&self, theme: Theme) {
        self.note(format!("theme {theme:?}"));
    }

    fn exit(&self) {
        self.note("exit");
    }
}
