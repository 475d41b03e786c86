//! The app's own log file, which starts anew when it has become large. It contains errors, never what people type.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::Mutex,
};

use tracing_subscriber::filter::LevelFilter;

/// The size in bytes above which the file is renamed, and a new one begun, when the app starts.
const SIZE_MAX: u64 = 1 << 20;

/// How much of the end of the log is returned, in bytes.
const TAIL: u64 = 32 << 10;

fn place(folder: &Path) -> PathBuf {
    folder.join("app.log")
}

/// Begins to log into a file in the folder. If that is not possible, the app runs without a log.
pub(crate) fn begin(folder: &Path) {
    let file = place(folder);
    let large = fs::metadata(&file).is_ok_and(|it| it.len() > SIZE_MAX);
    if large {
        let _ = fs::rename(&file, folder.join("app.log.old"));
    }
    let opened = fs::create_dir_all(folder).and_then(|()| open(&file));
    if let Ok(opened) = opened {
        let log = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::WARN)
            .with_ansi(false)
            .with_writer(Mutex::new(opened))
            .finish();
        // An error means that another subscriber is already set, and it stays.
        let _ = tracing::subscriber::set_global_default(log);
    }
}

fn open(file: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(file)
}

/// The end of the log.
pub(crate) fn tail(folder: &Path) -> String {
    let read = || {
        let mut file = File::open(place(folder))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn the_tail_is_the_end_of_the_file() {
        let folder = Folder::new("log");
        assert_eq!(tail(&folder.path("")), "");
        let text = format!("{}end", "x".repeat(40 << 10));
        folder.file("app.log", &text);
        let tail = tail(&folder.path(""));
        assert!(tail.ends_with("end") && tail.len() == 32 << 10);
    }
}
