//! Compares texts with files of expected texts, or rewrites the files if UPDATE=1 is set.

use std::{env, fs, path::Path};

/// Panics unless the text in the file is exactly `actual`. With UPDATE=1, writes `actual` into the file instead.
#[track_caller]
pub(crate) fn check(path: &Path, actual: &str) {
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(path, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    assert!(
        expected == actual,
        "{} is not current; UPDATE=1 rewrites it.\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    );
}

/// Checks the printed plan of a manifest as [`check`] does. Systems other than Linux do not reveal the user who owns a
/// connection. There, all users of the machine are let in by default, so the expected text is adapted.
#[track_caller]
pub(crate) fn check_plan(path: &Path, actual: &str) {
    if cfg!(target_os = "linux") {
        return check(path, actual);
    }
    let expected = fs::read_to_string(path)
        .unwrap_or_default()
        .replace("\r\n", "\n")
        .replace("SameUser", "Any")
        .replace("same-user", "any")
        .replace(", for programs of its own user", "");
    assert!(expected == actual, "{}: {actual}", path.display());
}

/// The files below a folder of the repository whose names have this ending, sorted.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<std::path::PathBuf> {
    let folder = root().join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect();
    files.sort();
    files
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
