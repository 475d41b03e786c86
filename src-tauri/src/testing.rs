//! Helpers that the tests share.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder of one test, which is removed with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("norouter-app-{}-{number}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(fs::canonicalize(folder).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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

/// A desk with nothing on it.
pub(crate) fn desk(folder: &Folder) -> crate::desk::Desk {
    crate::desk::Desk::new(crate::desk::Folders {
        config: folder.path("config"),
        data: folder.path("data"),
    })
}
