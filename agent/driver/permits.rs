//! The limits of agents on this machine: the option of their command, and one file that nobody but root can have written.

use crate::{
    limits::{Limits, Permits},
    manifest::Problem,
};

/// The file. No option names another one: whoever starts the agent could.
pub const FILE: &str = "/etc/norouter/agent.yaml";

/// How a refusal calls what the agent's command says.
const OPTION: &str = "the option --restrict";

/// Everything that limits an agent that is started with this option. The error says why an agent must not serve: limits that
/// cannot be known could forbid everything.
pub fn limits(restrict: Option<&[String]>) -> Result<Limits, String> {
    let mut limits = Limits::default();
    if let Some(texts) = restrict {
        let texts = texts.iter().map(String::as_str);
        let permits = Permits::from_words(OPTION, texts);
        limits.add(permits.map_err(|reason| format!("--restrict: {reason}"))?);
    }
    if let Some(text) = trusted::read(FILE)? {
        let permits = Permits::from_file(FILE, &text);
        limits.add(permits.map_err(|problems| said(FILE, &problems))?);
    }
    Ok(limits)
}

/// What the administrator's file says; nothing if there is none. Fails as an agent would.
pub fn read() -> Result<Option<String>, String> {
    trusted::read(FILE)
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

#[cfg(unix)]
mod trusted {
    use std::{
        collections::VecDeque,
        ffi::OsString,
        fs::{self, Metadata, OpenOptions},
        io::{self, Read as _},
        os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
        path::{Component, Path, PathBuf},
    };

    use crate::{driver::describe, manifest::SIZE_MAX_BYTES};

    /// How many symbolic links may lead to the file, as many as Linux follows.
    const LINKS_MAX: usize = 40;

    /// The text of root's file; none if there is none. Every folder and link on the way has to be root's, too: whoever can
    /// write into a folder decides what its names mean.
    pub(super) fn read(file: &str) -> Result<Option<String>, String> {
        read_of(0, Path::new("/"), Path::new(file))
    }

    /// The same for the file of any user, below a folder that is trusted as it is.
    pub(super) fn read_of(owner: u32, root: &Path, file: &Path) -> Result<Option<String>, String> {
        let shown = file.display();
        let failed = |error: &io::Error| {
            format!(
                "{shown} cannot be read: {}; its administrator has to make it readable, or remove it",
                describe(error)
            )
        };
        let Some(path) = find(owner, root, file)? else {
            return Ok(None);
        };
        let mut options = OpenOptions::new();
        // Neither a pipe nor a terminal makes us wait.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let opened = options.read(true).custom_flags(flags).open(&path);
        let opened = opened.map_err(|error| failed(&error))?;
        let found = opened.metadata().map_err(|error| failed(&error))?;
        if !found.is_file() {
            return Err(format!("{} is no regular file", path.display()));
        }
        belongs(owner, &path, &found)?;
        let mut bytes = Vec::new();
        let most = SIZE_MAX_BYTES as u64 + 1;
        let read = opened.take(most).read_to_end(&mut bytes);
        read.map_err(|error| failed(&error))?;
        let text = String::from_utf8(bytes);
        text.map(Some)
            .map_err(|_| format!("{shown} is not UTF-8 text; its administrator has to correct it"))
    }

    /// Where the file is, once all links are followed; none if nothing has its name.
    fn find(owner: u32, root: &Path, file: &Path) -> Result<Option<PathBuf>, String> {
        let shown = file.display();
        let mut rest: VecDeque<OsString> = names(file.strip_prefix(root).unwrap_or(file));
        let (mut here, mut links) = (root.to_owned(), 0);
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&name);
            let found = match fs::symlink_metadata(&next) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound && links == 0 => {
                    return Ok(None);
                }
                Err(error) => {
                    let what = describe(&error);
                    return Err(format!(
                        "{shown} cannot be read: {}: {what}; its administrator has to make it readable, or remove it",
                        next.display()
                    ));
                }
            };
            if found.is_symlink() {
                links += 1;
                let target = fs::read_link(&next)
                    .ok()
                    .filter(|_| links <= LINKS_MAX && found.uid() == owner)
                    .ok_or_else(|| format!("{} is a link that is not followed", next.display()))?;
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                for name in names(&target).into_iter().rev() {
                    rest.push_front(name);
                }
                continue;
            }
            if !rest.is_empty() {
                belongs(owner, &next, &found)?;
            }
            here = next;
        }
        Ok(Some(here))
    }

    fn names(path: &Path) -> VecDeque<OsString> {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
        });
        parts.collect()
    }

    /// Refuses what somebody else could have written.
    fn belongs(owner: u32, path: &Path, found: &Metadata) -> Result<(), String> {
        let shown = path.display();
        let what = if found.uid() != owner {
            format!("{shown} does not belong to root")
        } else if found.mode() & 0o022 != 0 {
            format!("other users than root can write to {shown}")
        } else {
            return Ok(());
        };
        Err(format!(
            "{what}, so that anybody could have written the limits; the file has to be root's, and in folders of root"
        ))
    }
}

/// Elsewhere there is no such file, and the option alone limits an agent.
#[cfg(not(unix))]
mod trusted {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) fn read(_file: &str) -> Result<Option<String>, String> {
        Ok(None)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt as _, symlink},
        path::Path,
    };

    use super::trusted::read_of;
    use crate::driver::files::tests::Folder;

    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_is_read_if_only_its_owner_can_have_written_it() {
        let folder = Folder::new();
        let root = folder.0.canonicalize().unwrap();
        let file = root.join("norouter").join("agent.yaml");
        let read = || read_of(me(), &root, &file);
        assert_eq!(read(), Ok(None), "without the folder");
        fs::create_dir(root.join("norouter")).unwrap();
        chmod(&root.join("norouter"), 0o755);
        assert_eq!(read(), Ok(None), "without the file");
        fs::write(&file, "dial: nothing\n").unwrap();
        chmod(&file, 0o644);
        assert_eq!(read(), Ok(Some("dial: nothing\n".to_owned())));
        let told = |words: &str| {
            let reason = read().unwrap_err();
            assert!(reason.contains(words), "{reason}");
        };
        for mode in [0o664, 0o646, 0o666] {
            chmod(&file, mode);
            told("can write to");
        }
        chmod(&file, 0o644);
        chmod(&root.join("norouter"), 0o777);
        told("can write to");
        chmod(&root.join("norouter"), 0o755);
        let reason = read_of(me() + 1, &root, &file).unwrap_err();
        assert!(reason.contains("does not belong to root"), "{reason}");
        fs::write(&file, b"\xff").unwrap();
        told("not UTF-8");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        told("no regular file");
    }

    #[test]
    fn links_are_followed_as_far_as_they_are_the_owners() {
        let folder = Folder::new();
        let root = folder.0.canonicalize().unwrap();
        let (real, open) = (root.join("real"), root.join("open"));
        for (folder, mode) in [(&real, 0o755), (&open, 0o777)] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("limits"), "dial: nothing\n").unwrap();
            chmod(&folder.join("limits"), 0o644);
            chmod(folder, mode);
        }
        let link = |name: &str, target: &str| {
            let path = root.join(name);
            symlink(target, &path).unwrap();
            read_of(me(), &root, &path)
        };
        let good = Ok(Some("dial: nothing\n".to_owned()));
        assert_eq!(link("a", "real/limits"), good);
        assert_eq!(link("b", "real/../a"), good);
        let reason = link("c", "open/limits").unwrap_err();
        assert!(reason.contains("can write to"), "{reason}");
        // That a link leads nowhere is not that there is no file.
        let reason = link("d", "real/absent").unwrap_err();
        assert!(reason.contains("cannot be read"), "{reason}");
        let reason = link("e", "e").unwrap_err();
        assert!(reason.contains("not followed"), "{reason}");
        let reason = read_of(me() + 1, &root, &root.join("a")).unwrap_err();
        assert!(reason.contains("not followed"), "{reason}");
    }
}
