//! Helpers that the tests share.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

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
pub(crate) fn desk(folder: &Folder) -> crate::desk::Desk {
    crate::desk::Desk::new(crate::desk::Folders {
        config: folder.path("config"),
        data: folder.path("data"),
    })
}
