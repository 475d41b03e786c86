//! Programs in the background: they leave the terminal, and have a log.

use std::{
    fs::{DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::locked;

/// How many programs with the same name may have logs at a time.
const LOGS_MAX: usize = 99;

/// Separates this process from its terminal, so that the end of the terminal does not end the process.
pub fn leave_terminal() {
    // This fails if the process leads a process group. In that case, it has left its terminal already, or a shell has
    // started it as a job.
    let _ = rustix::process::setsid();
}

/// Makes an empty log for a program of this name. The folder is created if necessary. If another program of this name
/// still runs, its log is kept, and the new log gets a number. The log file stays locked while its program has it open.
pub fn log(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    for number in 1..=LOGS_MAX {
        let path = folder.join(match number {
            1 => format!("{name}.log"),
            _ => format!("{name}-{number}.log"),
        });
        if let Some(log) = locked::lock(&path)? {
            log.set_len(0)?;
            return Ok((path, log));
        }
    }
    Err(io::Error::other(format!(
        "{LOGS_MAX} programs with the name {name} have logs there"
    )))
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;
    use crate::driver::system::files::tests::Folder;

    #[test]
    fn a_log_begins_empty_and_belongs_to_one_program() {
        let folder = Folder::new();
        let logs = folder.path().join("a/logs");
        let (path, mut first) = log(&logs, "dev").unwrap();
        first.write_all(b"begun").unwrap();
        let (second, _kept) = log(&logs, "dev").unwrap();
        assert!(path.ends_with("dev.log") && second.ends_with("dev-2.log"));
        assert_eq!(fs::read(&path).unwrap(), b"begun");
        drop(first);
        assert_eq!(log(&logs, "dev").unwrap().0, path);
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
