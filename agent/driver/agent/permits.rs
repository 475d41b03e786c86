//! The limits of agents on this machine. They come from an option of the agent's command, and from a file that only
//! root can write.

use std::{io::Read as _, path::Path};

use crate::{
    driver::system::{
        describe, files,
        trusted::{self, Distrust},
    },
    limits::{Limits, Permits},
    manifest::{Problem, SIZE_MAX_BYTES},
};

/// The administrator's file. No option names another path, because such an option could be used to choose other limits.
pub const FILE: &str = "/etc/norouter/agent.yaml";

/// How a refusal names the limits that come from the agent's command.
const OPTION: &str = "the option --restrict";

/// All limits of an agent. `restrict` has the values of the option `--restrict` of its command. After an error the
/// agent must not serve, because the limits that could not be read may forbid it.
pub fn limits(restrict: Option<&[String]>) -> Result<Limits, String> {
    let mut limits = Limits::default();
    if let Some(texts) = restrict {
        let texts = texts.iter().map(String::as_str);
        let permits = Permits::from_words(OPTION, texts);
        limits.add(permits.map_err(|reason| format!("--restrict: {reason}"))?);
    }
    if let Some(text) = read()? {
        let permits = Permits::from_file(FILE, &text);
        limits.add(permits.map_err(|problems| said(FILE, &problems))?);
    }
    Ok(limits)
}

/// The text of the administrator's file. `None` if the file does not exist. Fails if the file cannot be read, or if
/// users other than root could have written it. In both cases, the agent does not serve.
pub fn read() -> Result<Option<String>, String> {
    text_of_root(Path::new(FILE))
}

/// The first problem of a file, in one line.
fn said(file: &str, problems: &[Problem]) -> String {
    let first = problems.first().map(|problem| {
        let (line, column) = (problem.span.start.line, problem.span.start.column);
        let hint = problem.hint.iter().map(|hint| format!("; {hint}"));
        let hint: String = hint.collect();
        format!("{file}:{line}:{column}: {}{hint}", problem.message)
    });
    let first = first.unwrap_or_else(|| file.to_owned());
    format!("{first}; the administrator of that machine can run \"norouter check-limits\"")
}

/// The text of a file that belongs to root. `None` if it does not exist. The file is opened only if no other user can
/// replace it.
fn text_of_root(file: &Path) -> Result<Option<String>, String> {
    let unread = |what: String| {
        let shown = file.display();
        format!(
            "{shown} cannot be read: {what}; its administrator has to make it readable, or remove it"
        )
    };
    let path = trusted::file_of_root(file).map_err(|why| match why {
        Distrust::Unseen(..) | Distrust::Links(_) => unread(why.to_string()),
        Distrust::Foreign(..) | Distrust::Open(_) => {
            format!("{why}; the limits have to be in a file of root's, in folders of root's")
        }
    })?;
    let Some(path) = path else { return Ok(None) };
    let mut bytes = Vec::new();
    let most = SIZE_MAX_BYTES as u64 + 1;
    let read = files::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| unread(describe(&error)))?;
    let text = String::from_utf8(bytes);
    text.map(Some)
        .map_err(|_| unread("it is not UTF-8 text".to_owned()))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::driver::system::files::tests::Folder;

    #[test]
    fn a_file_that_cannot_be_known_to_be_roots_is_refused() {
        let folder = Folder::new();
        let absent = folder.path().join("absent");
        let path = folder.file("agent.yaml", b"\xff");
        let reason = |path: &Path| text_of_root(path).unwrap_err();
        if trusted::own() == 0 {
            assert_eq!(text_of_root(&absent), Ok(None));
            assert!(reason(&path).contains("not UTF-8"));
            std::fs::write(&path, "dial: nothing\n").unwrap();
            assert_eq!(text_of_root(&path), Ok(Some("dial: nothing\n".to_owned())));
            let inner = folder.path().join("inner");
            std::fs::create_dir(&inner).unwrap();
            assert!(reason(&inner).contains("a folder and not a file"));
            std::os::unix::fs::chown(&path, Some(1001), None).unwrap();
        }
        let reason = reason(&path);
        assert!(reason.contains("belongs to another user"), "{reason}");
        assert!(reason.ends_with("in folders of root's"), "{reason}");
    }
}
