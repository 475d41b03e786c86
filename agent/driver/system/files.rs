//! Replaces files safely. On a full disk, a file keeps its old content. After a crash, it has either the old content or
//! the new one. A file that cannot be replaced as a whole is overwritten in place, and only where it differs.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    hash::{BuildHasher as _, RandomState},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::error::describe;

/// The permissions of a file that every user of the machine may read.
pub(crate) const PUBLIC: u32 = 0o644;
/// The permissions of a file that holds secrets.
pub const PRIVATE: u32 = 0o600;

/// Gives a file new content. If the file does not exist, it is created with these permissions. A symbolic link is
/// followed.
///
/// On failure, the file keeps its old content, and the error names the file and says what to do.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), String> {
    replace_if(path, content, mode, &|_| Ok(true)).map(|_| ())
}

/// Like [`replace`], but calls `still` just before the replacement, and replaces the file only if `still` confirms that
/// the file has not changed. Returns whether the file was replaced.
pub fn replace_if(
    path: &Path,
    content: &[u8],
    mode: u32,
    still: &dyn Fn(&Path) -> io::Result<bool>,
) -> Result<bool, String> {
    // A file that does not exist is created at the given path.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = match fs::metadata(&real) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(explain(path, &error)),
    };
    let outcome = match (swap(&real, content, mode, old.as_ref(), still), old) {
        // The file could not be replaced: it may be a mount point, such as /etc/hosts in a container, or its folder may
        // not be writable. It can still be overwritten in place. On a full disk, that helps only if the file does not
        // grow.
        (Err(error), Some(old)) if !is_full(&error) || content.len() as u64 <= old.len() => {
            still(&real).and_then(|still| {
                if still {
                    overwrite(&real, content)?;
                }
                Ok(still)
            })
        }
        (swapped, _) => swapped,
    };
    outcome.map_err(|error| explain(path, &error))
}

/// Whether this user may write to a file. The check does not open the file, because programs that watch the file would
/// take the closing for the end of a change.
pub fn is_writable(path: &Path) -> bool {
    #[cfg(unix)]
    return rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    #[cfg(not(unix))]
    fs::metadata(path).is_ok_and(|it| !it.permissions().readonly())
}

/// Opens a file for reading. Fails if the path leads to anything else: a pipe or a device could block its reader for
/// ever.
pub fn open(path: &Path) -> io::Result<File> {
    // The type is checked before the file is opened, because opening some devices has side effects.
    is_file(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        // The path may have become a pipe since the check. With this flag, opening it does not block. The flag does not
        // affect regular files.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    is_file(&file.metadata()?)?;
    Ok(file)
}

fn is_file(it: &fs::Metadata) -> io::Result<()> {
    if it.is_file() {
        return Ok(());
    }
    if it.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a folder and not a file",
        ));
    }
    let kind = kind_of(it.file_type());
    let message = format!("it is {kind} and not a file");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

#[cfg(unix)]
fn kind_of(it: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if it.is_fifo() {
        "a pipe"
    } else if it.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind_of(_it: fs::FileType) -> &'static str {
    "something else"
}

/// Reads a file; `None` if it does not exist.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let bytes = open(path).and_then(|mut file| {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match bytes {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!(
            "cannot read {}: {}",
            path.display(),
            describe(&error)
        )),
    }
}

/// Copies a file with its permissions. Does nothing if the file does not exist.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let Some(content) = read(from)? else {
        return Ok(());
    };
    let mode = fs::metadata(from).map_or(PRIVATE, |old| mode_of(&old));
    replace(to, &content, mode)
}

/// Whether an error means that the disk is full, or that a limit of the user or of the file is reached.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn explain(path: &Path, error: &io::Error) -> String {
    let kind = error.kind();
    let next = if is_full(error) {
        "make room on the disk"
    } else if kind == io::ErrorKind::NotFound {
        "make its folder first"
    } else if kind == io::ErrorKind::ReadOnlyFilesystem {
        "make its file system writable"
    } else if kind == io::ErrorKind::PermissionDenied {
        "run it as a user who may write there"
    } else {
        "check the disk and try again"
    };
    let (path, what) = (path.display(), describe(error));
    format!("cannot write {path}: {what}; {next}")
}

/// Writes a new file next to the old one, and renames the new file over the old one if `still` confirms that the old
/// one has not changed.
fn swap(
    path: &Path,
    content: &[u8],
    mode: u32,
    old: Option<&fs::Metadata>,
    still: &dyn Fn(&Path) -> io::Result<bool>,
) -> io::Result<bool> {
    if old.is_some_and(|old| !old.is_file() || has_other_names(old)) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let temporary = beside(path)?;
    step()?;
    let mut file = create(&temporary, old.map_or(mode, mode_of))?;
    let swapped = (|| {
        step()?;
        if let Some(old) = old {
            dress(&file, path, old)?;
        }
        step()?;
        file.write_all(content)?;
        step()?;
        file.sync_all()?;
        drop(file);
        step()?;
        let still = still(path)?;
        if still {
            fs::rename(&temporary, path)?;
        }
        Ok(still)
    })();
    if !matches!(swapped, Ok(true)) {
        // The result is the first error. A second error, about removing the temporary file, would not help.
        let _ = fs::remove_file(&temporary);
        return swapped;
    }
    // The folder is synced, so that the new name survives a power failure. Without that, the name would be safe only a
    // little later.
    let _ = step();
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(true)
}

/// An unused name in the same folder.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let number = RandomState::new().hash_one(std::process::id());
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".norouter-{number:016x}"));
    Ok(path.with_file_name(temporary))
}

/// Creates a file that only its owner can open at first. Then it sets the file's final permissions.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let file = options.mode(PRIVATE).open(path)?;
        // The permissions are set afterwards, because the umask would change them during creation.
        if let Err(error) = file.set_permissions(fs::Permissions::from_mode(mode)) {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    {
        let _ = mode;
        options.open(path)
    }
}

#[cfg(unix)]
fn mode_of(old: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&old.permissions()) & 0o7777
}

/// On other systems a new file inherits its permissions from its folder.
#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    PUBLIC
}

/// Whether the file has other hard links, which would keep the old content.
#[cfg(unix)]
fn has_other_names(old: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(old) > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &fs::Metadata) -> bool {
    false
}

/// Gives a new file the owner, group, access lists and security labels of the old one. If that fails, the caller
/// overwrites the old file in place.
#[cfg(unix)]
fn dress(file: &File, path: &Path, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
        // A change of the owner clears some permissions, so they are set again.
        file.set_permissions(fs::Permissions::from_mode(mode_of(old)))?;
    }
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    copy_labels(&File::open(path)?, file)?;
    let _ = path;
    Ok(())
}

#[cfg(not(unix))]
fn dress(_: &File, _: &Path, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Copies all extended attributes, which include access lists and security labels.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn copy_labels(from: &File, to: &File) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
    /// The size of the buffers for names and values, in bytes. No file system keeps more than this for one file by
    /// default.
    const LABELS_MAX: usize = 64 << 10;
    let mut names = vec![0; LABELS_MAX];
    let length = match flistxattr(from, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::NOTSUP) => 0,
        Err(error) => return Err(error.into()),
    };
    let mut value = vec![0; LABELS_MAX];
    let mut present = vec![0; LABELS_MAX];
    for name in names[..length].split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        let length = fgetxattr(from, name, &mut value[..])?;
        // Attributes that already have the right value are skipped: the system sets many of them itself, and setting
        // them again would fail.
        let same = fgetxattr(to, name, &mut present[..])
            .is_ok_and(|there| present[..there] == value[..length]);
        if !same {
            fsetxattr(to, name, &value[..length], XattrFlags::empty())?;
        }
    }
    Ok(())
}

/// Overwrites a file in place, and only where it differs. The file is extended first, then the differing bytes are
/// written, and finally it is truncated. Therefore a full disk is detected before anything is lost, and a block at the
/// end of the file is added or removed without writing the bytes before it.
fn overwrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut old = Vec::new();
    file.read_to_end(&mut old)?;
    let written = turn(&mut file, &old, content).and_then(|()| {
        step()?;
        let mut found = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut found)?;
        if found != content {
            return Err(io::Error::other("the file does not hold what was written"));
        }
        Ok(())
    });
    if written.is_err() {
        let mut now = Vec::new();
        let _ = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| file.read_to_end(&mut now))
            .and_then(|_| turn(&mut file, &now, &old));
    }
    written
}

/// Changes the content of an open file from `old` to `new`.
fn turn(file: &mut File, old: &[u8], new: &[u8]) -> io::Result<()> {
    let same = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| old == new)
        .count();
    let mut write = |from: usize, to: usize| {
        if from < to {
            step()?;
            file.seek(SeekFrom::Start(from as u64))?;
            file.write_all(&new[from..to])?;
            step()?;
            file.sync_all()?;
        }
        Ok::<_, io::Error>(())
    };
    write(old.len(), new.len())?;
    write(same, old.len().min(new.len()))?;
    if new.len() < old.len() {
        step()?;
        file.set_len(new.len() as u64)?;
        step()?;
        file.sync_all()?;
    }
    Ok(())
}

/// Marks a step of an operation. Outside tests, it does nothing. In tests, any step can be made to fail, or to end the
/// operation like a crash.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "tests let it fail")]
fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use tests::step;

#[cfg(test)]
pub(crate) mod tests {
    use std::{cell::Cell, panic};

    use tempfile::TempDir;

    use super::*;

    /// The fault at the chosen step.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Trouble {
        Full,
        Busy,
        Crash,
    }

    thread_local! {
        static TROUBLE: Cell<Option<(usize, Trouble)>> = const { Cell::new(None) };
    }

    /// Causes a fault at this step on this thread. Steps are counted from 0.
    pub(crate) fn at_step(steps: usize, trouble: Trouble) {
        TROUBLE.set(Some((steps, trouble)));
    }

    /// Whether the operation has ended before the chosen step. The fault is cleared in any case.
    pub(crate) fn was_spared() -> bool {
        TROUBLE.take().is_some()
    }

    pub(in crate::driver) fn step() -> io::Result<()> {
        match TROUBLE.get() {
            None => Ok(()),
            Some((0, trouble)) => {
                TROUBLE.set(None);
                match trouble {
                    Trouble::Full => Err(io::ErrorKind::StorageFull.into()),
                    Trouble::Busy => Err(io::ErrorKind::ResourceBusy.into()),
                    Trouble::Crash => panic::resume_unwind(Box::new("crash")),
                }
            }
            Some((steps, trouble)) => {
                TROUBLE.set(Some((steps - 1, trouble)));
                Ok(())
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = Folder::new();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, kind) in [
            (folder.path(), "a folder"),
            (socket.as_path(), "a socket"),
            (Path::new("/dev/null"), "a device"),
        ] {
            let told = read(path).unwrap_err();
            assert!(
                told.contains(&format!("it is {kind} and not a file")),
                "{told}"
            );
        }
        let file = folder.file("file", OLD);
        assert_eq!(read(&file).unwrap().unwrap(), OLD);
    }

    /// A folder for a test, removed when the test ends.
    pub(crate) struct Folder(TempDir);

    impl Folder {
        pub(crate) fn new() -> Self {
            Self(TempDir::with_prefix("norouter-").unwrap())
        }

        pub(crate) fn path(&self) -> &Path {
            self.0.path()
        }

        pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
            let path = self.path().join(name);
            fs::write(&path, content).unwrap();
            path
        }

        pub(crate) fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.path()).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    const OLD: &[u8] = b"127.0.0.1 localhost\n10.0.0.1 a\n";
    const NEW: &[u8] = b"127.0.0.1 localhost\n10.0.0.1 a\n# block\n";

    #[test]
    fn a_new_file_has_the_permissions_that_were_asked_for() {
        let folder = Folder::new();
        let path = folder.path().join("env");
        replace(&path, b"A=1\n", PRIVATE).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"A=1\n");
        #[cfg(unix)]
        assert_eq!(mode_of(&fs::metadata(&path).unwrap()), PRIVATE);
        assert_eq!(folder.names(), ["env"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_old_file_keeps_its_permissions_its_labels_and_the_links_to_it() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        #[cfg(target_os = "linux")]
        let labelled = {
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::setxattr(&path, "user.test", b"label", flags).is_ok()
        };
        let link = folder.path().join("link");
        symlink("hosts", &link).unwrap();
        replace(&link, NEW, PUBLIC).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), NEW);
        assert_eq!(mode_of(&fs::metadata(&path).unwrap()), 0o664);
        #[cfg(target_os = "linux")]
        if labelled {
            let mut value = [0; 8];
            let length = rustix::fs::getxattr(&path, "user.test", &mut value[..]).unwrap();
            assert_eq!(&value[..length], b"label");
        }
        // The other name of the same file shows the new content too.
        let other = folder.path().join("other");
        fs::hard_link(&path, &other).unwrap();
        replace(&path, OLD, PUBLIC).unwrap();
        assert_eq!(fs::read(&other).unwrap(), OLD);
    }

    #[test]
    fn a_full_disk_at_any_step_leaves_the_old_content() {
        for (old, new) in [(OLD, NEW), (NEW, OLD), (OLD, b"#\n"), (b"", NEW)] {
            for in_place in [false, true] {
                let mut met = 0;
                loop {
                    let folder = Folder::new();
                    let path = folder.file("hosts", old);
                    at_step(met, Trouble::Full);
                    let outcome = if in_place {
                        overwrite(&path, new).map_err(|error| explain(&path, &error))
                    } else {
                        replace(&path, new, PUBLIC)
                    };
                    let spared = was_spared();
                    let found = fs::read(&path).unwrap();
                    match &outcome {
                        Ok(()) => assert_eq!(found, new),
                        Err(reason) => {
                            assert_eq!(found, old, "step {met}");
                            assert!(reason.contains("make room on the disk"), "{reason}");
                        }
                    }
                    assert_eq!(folder.names(), ["hosts"], "step {met}");
                    if spared {
                        assert_eq!(outcome, Ok(()));
                        break;
                    }
                    met += 1;
                }
                assert!(met >= 3, "only {met} steps");
            }
        }
    }

    #[test]
    fn a_crash_at_any_step_leaves_the_old_content_or_the_new() {
        let mut met = 0;
        loop {
            let folder = Folder::new();
            let path = folder.file("hosts", OLD);
            at_step(met, Trouble::Crash);
            let outcome = panic::catch_unwind(|| replace(&path, NEW, PUBLIC));
            let found = fs::read(&path).unwrap();
            assert!(found == OLD || found == NEW, "step {met}");
            if was_spared() {
                outcome.unwrap().unwrap();
                break;
            }
            met += 1;
        }
        assert!(met >= 6, "only {met} steps");
    }

    #[test]
    fn a_crash_while_a_file_is_written_in_its_place_changes_no_byte_that_stays() {
        for (old, new) in [(OLD, NEW), (NEW, OLD)] {
            let mut met = 0;
            loop {
                let folder = Folder::new();
                let path = folder.file("hosts", old);
                at_step(met, Trouble::Crash);
                let _ = panic::catch_unwind(|| overwrite(&path, new));
                assert!(fs::read(&path).unwrap().starts_with(OLD), "step {met}");
                if was_spared() {
                    break;
                }
                met += 1;
            }
            assert!(met >= 3, "only {met} steps");
        }
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_written_in_its_place() {
        for met in 0..5 {
            let folder = Folder::new();
            let path = folder.file("hosts", OLD);
            at_step(met, Trouble::Busy);
            replace(&path, NEW, PUBLIC).unwrap();
            assert!(!was_spared());
            assert_eq!(fs::read(&path).unwrap(), NEW);
            assert_eq!(folder.names(), ["hosts"]);
        }
    }

    #[test]
    fn an_error_says_where_and_what_to_do() {
        let folder = Folder::new();
        let path = folder.path().join("absent").join("hosts");
        let reason = replace(&path, NEW, PUBLIC).unwrap_err();
        let place = path.display();
        assert!(
            reason.starts_with(&format!("cannot write {place}: ")),
            "{reason}"
        );
        assert!(reason.ends_with("; make its folder first"), "{reason}");
        assert_eq!(read(&path), Ok(None));
        assert!(read(folder.path()).is_err());
    }
}
