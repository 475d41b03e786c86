//! Expected texts that live in files: compared, or rewritten when UPDATE=1 is set.

use std::{env, fs, path::Path};

/// Panics unless the file holds `actual`. With UPDATE=1 the file is written instead.
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

/// Checks as [`check`] does what a manifest means on Linux. On other systems nothing tells whose a connection is, so
/// that a host on this machine is for all of its users unless it says otherwise.
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

/// The files of a folder below the repository whose names end like this, sorted.
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
