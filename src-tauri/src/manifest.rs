//! Reads the manifest's file, checks its text while the person edits it, and saves it. If the file has changed on the
//! disk and the page has not shown the change, the file is never overwritten.

use std::path::Path;

use norouter::{
    driver::{manager::origin, system::files},
    editor,
    manifest::{self, Position, SIZE_MAX_BYTES},
    plan::{self, Plan},
};

use crate::{
    consent::hash,
    view::{ManifestText, Problem, Severity},
};

/// The error if the file on the disk has changed since the page received its content.
pub(crate) const CHANGED: &str = "changed on disk";

/// Reads the present content of the file.
pub(crate) fn read(path: &Path) -> Result<ManifestText, String> {
    let shown = path.display();
    let read = origin::open(path).and_then(origin::read);
    let text = read.map_err(|error| format!("cannot read {shown}: {error}"))?;
    if text.len() > SIZE_MAX_BYTES {
        return Err(format!("{shown} is larger than any manifest may be"));
    }
    Ok(ManifestText {
        path: shown.to_string(),
        hash: hash(text.as_bytes()),
        editable: files::is_writable(path),
        text: if is_dos(&text) {
            text.replace("\r\n", "\n")
        } else {
            text
        },
    })
}

/// Saves a text if the hash of the file is still `base`. The line endings stay as they are in the file.
pub(crate) fn save(path: &Path, text: &str, base: &str) -> Result<ManifestText, String> {
    if text.len() > SIZE_MAX_BYTES {
        return Err(format!(
            "a manifest cannot have more than {SIZE_MAX_BYTES} bytes"
        ));
    }
    let before = files::read(path)?.unwrap_or_default();
    if hash(&before) != base {
        return Err(CHANGED.to_owned());
    }
    let dos = std::str::from_utf8(&before).is_ok_and(is_dos) && !text.contains('\r');
    let text = if dos {
        text.replace('\n', "\r\n")
    } else {
        text.to_owned()
    };
    // Another program may write the file while the new content is written beside it.
    let still = |path: &Path| Ok(std::fs::read(path)? == before);
    if !files::replace_if(path, text.as_bytes(), files::PRIVATE, &still)? {
        return Err(CHANGED.to_owned());
    }
    read(path)
}

/// Whether all lines end with CR LF, as on Windows.
fn is_dos(text: &str) -> bool {
    let lines = text.matches('\n').count();
    lines > 0 && lines == text.matches("\r\n").count()
}

/// All problems of a text, and its plan if none of them is an error.
pub(crate) fn check(text: &str) -> (Vec<Problem>, Option<Plan>) {
    let loaded = plan::load("", text);
    let lines: Vec<&str> = text.split('\n').collect();
    let found = loaded.problems.iter();
    let ranges = found.clone().map(|it| it.span.start.byte..it.span.end.byte);
    let ranges: Vec<_> = ranges.collect();
    let found = found.zip(editor::places(text, &ranges));
    let problems = found.map(|(problem, place)| Problem {
        severity: match problem.severity {
            manifest::Severity::Error => Severity::Error,
            manifest::Severity::Warning => Severity::Warning,
            manifest::Severity::Note => Severity::Note,
        },
        line: problem.span.start.line,
        column: column(&lines, problem.span.start),
        end_line: problem.span.end.line,
        end_column: column(&lines, problem.span.end),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        place,
    });
    (problems.collect(), loaded.plan)
}

/// A column in UTF-16 units, from 1.
fn column(lines: &[&str], position: Position) -> usize {
    let line = lines.get(position.line.saturating_sub(1));
    let before = line.map_or("", |line| line).chars();
    let before = before.take(position.column.saturating_sub(1));
    1 + before.map(char::len_utf16).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::Folder;

    const TEXT: &str = "hosts: {a: {}}\n";

    #[test]
    fn a_change_that_was_not_seen_is_not_overwritten() {
        let folder = Folder::new("save");
        let file = folder.file("n.yaml", TEXT);
        let seen = read(&file).unwrap();
        assert!(seen.editable);
        fs::write(&file, "hosts: {b: {}}\n").unwrap();
        let saved = save(&file, "hosts: {c: {}}\n", &seen.hash);
        assert_eq!(saved, Err(CHANGED.to_owned()));
        assert_eq!(fs::read_to_string(&file).unwrap(), "hosts: {b: {}}\n");
        let seen = read(&file).unwrap();
        let saved = save(&file, "hosts: {c: {}}\n", &seen.hash).unwrap();
        assert_eq!(saved, read(&file).unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap(), "hosts: {c: {}}\n");
    }

    #[test]
    fn lines_end_as_they_did_before() {
        let folder = Folder::new("lines");
        let file = folder.file("n.yaml", "hosts:\r\n  a: {}\r\n");
        let seen = read(&file).unwrap();
        assert_eq!(seen.text, "hosts:\n  a: {}\n");
        let saved = save(&file, "hosts:\n  b: {}\n", &seen.hash).unwrap();
        assert_eq!(saved.text, "hosts:\n  b: {}\n");
        assert_eq!(fs::read_to_string(&file).unwrap(), "hosts:\r\n  b: {}\r\n");
    }

    #[test]
    fn columns_are_counted_as_the_page_counts() {
        // The musical note is one character, but two units in UTF-16.
        let (problems, plan) = check("hosts:\n  a: {cmd: '\u{1d11e} x', vip: 10.0.0.1}\n");
        assert!(plan.is_none());
        let problem = &problems[0];
        let line = "  a: {cmd: '\u{1d11e} x', vip: ";
        assert_eq!((problem.line, problem.severity), (2, Severity::Error));
        assert_eq!(problem.column, line.encode_utf16().count() + 1);
        assert_eq!(problem.end_column, problem.column + "10.0.0.1".len());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_holds_nobody_up() {
        let folder = Folder::new("pipe");
        let pipe = folder.path("n.yaml");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let told = read(&pipe).unwrap_err();
        assert!(told.contains("it is a pipe and not a file"), "{told}");
        assert!(crate::desk::Desk::load(&pipe).is_err());
    }

    #[test]
    fn a_folder_and_a_giant_are_no_manifests() {
        let folder = Folder::new("giant");
        assert!(read(&folder.path("")).is_err());
        let file = folder.file("n.yaml", &"#".repeat(SIZE_MAX_BYTES + 1));
        assert!(read(&file).is_err());
    }
}
