//! Finds and reads the manifest that a command needs.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{
    error::{Error, Exit},
    misread, output, reach, search,
};
use crate::{
    driver::{
        manager::origin::{self, Unreadable},
        system::{describe, trusted},
    },
    plan::Loaded,
    text::{escape, meant, quote},
};

/// The part of the help that explains where a manifest is searched for.
pub(super) const SEARCH_HELP: &str = "\
Without FILE and without -e, the manifest is $NOROUTER_FILE. If that is not set, it is the first norouter.yaml (or .yml) in this \
folder, in the folders above it up to the home folder, and in ~/.config/norouter. Only this first file counts. If \
that file or its folder belongs to anybody but you and root, or if anybody else can write to it, norouter stops with \
an error, and does not search further.";

/// A function that returns the names of all commands that are not hidden. If a manifest is not found, the error
/// suggests the command whose name is most similar.
pub(super) type Commands = fn() -> Vec<String>;

/// The source of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Standard input, written as `-`.
    Stdin,
    /// A pipe that the shell has opened, as in `norouter <(generate)`. Like standard input, it can be read only once.
    Pipe(PathBuf),
    /// A file.
    File(PathBuf),
}

impl Source {
    /// The source that the argument `file` names. Without `file`, searches for a manifest, and tells the person which
    /// one it has found.
    pub(super) fn of(file: Option<&Path>) -> Result<Self, Error> {
        if let Some(file) = file {
            return Ok(Self::named(file));
        }
        let Some(source) = Self::find()? else {
            return Err(
                Error::new(Exit::Usage, "no manifest is given, and none is found here")
                    .hint("\"norouter init\" makes one with you; or name a file"),
            );
        };
        let using = match search::of_variable() {
            Some(file) => format!("{} ($NOROUTER_FILE)", shown(&file)),
            None => escape(&source.name()),
        };
        output::talk(&format!("using {using}"));
        Ok(source)
    }

    /// Searches for a manifest; `None` if there is none.
    pub(super) fn find() -> Result<Option<Self>, Error> {
        if let Some(file) = search::of_variable() {
            return Ok(Some(Self::named(&file)));
        }
        let Some(file) = search::found() else {
            return Ok(None);
        };
        // This manifest was found, not named by the person, and a manifest can run commands. So it is used only if no
        // other user of this machine can change it.
        trusted::file(&file).map_err(|reason| {
            let message = format!("{} is not used: {reason}", file.display());
            let name = std::path::absolute(&file).unwrap_or_else(|_| file.clone());
            let hint = format!(
                "look at what is in it, and name it if it is what you want: norouter {}",
                name.display()
            );
            Error::new(Exit::Usage, message).hint(hint)
        })?;
        Ok(Some(Self::File(file)))
    }

    fn named(file: &Path) -> Self {
        if file == Path::new("-") {
            Self::Stdin
        } else if is_pipe(file) {
            Self::Pipe(file.to_owned())
        } else {
            Self::File(file.to_owned())
        }
    }

    /// The name of the source for messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".into(),
            Self::Pipe(file) | Self::File(file) => file.display().to_string(),
        }
    }

    /// The path of the file; `None` if the source can be read only once.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdin | Self::Pipe(_) => None,
            Self::File(file) => Some(file),
        }
    }

    /// Reads and checks the manifest.
    pub(super) fn load(&self, commands: Commands) -> Result<Loaded, Error> {
        let read = match self {
            Self::Stdin => origin::read(io::stdin().lock()),
            Self::Pipe(file) => File::open(file)
                .map_err(Unreadable::from)
                .and_then(origin::read),
            Self::File(file) => origin::open(file).and_then(origin::read),
        };
        match read {
            Ok(text) => Ok(origin::understand(&self.name(), &text)),
            Err(why) => Err(self.unreadable(&why, commands)),
        }
    }

    /// The error for a manifest that cannot be read.
    fn unreadable(&self, why: &Unreadable, commands: Commands) -> Error {
        let name = self.name();
        let error = match why {
            Unreadable::Io(error) => error,
            Unreadable::Name => {
                let message = format!("{} is not used: {why}", quote(&name));
                return Error::new(Exit::Usage, message);
            }
            Unreadable::NotText { line } => {
                let message = format!("{name}:{line}: this is not UTF-8 text");
                return Error::new(Exit::InvalidManifest, message)
                    .hint("save the file as UTF-8, and check that it is a manifest");
            }
            Unreadable::Utf16 => {
                let message = format!("{name}: this is UTF-16 text, and a manifest is UTF-8");
                return Error::new(Exit::InvalidManifest, message).hint(
                    "save it as UTF-8 in an editor, or with \"iconv -f UTF-16 -t UTF-8\"; in Windows PowerShell, write it with \
                     \"| Out-File -Encoding utf8\" instead of \">\"",
                );
            }
        };
        if error.kind() == io::ErrorKind::NotFound {
            return self.missing(&name, &commands());
        }
        if error.kind() == io::ErrorKind::IsADirectory {
            return Error::new(Exit::Failure, format!("{name} is a folder"))
                .hint("name the manifest inside it");
        }
        Error::new(
            Exit::Failure,
            format!("cannot read {name}: {}", describe(error)),
        )
        .hint("see who may read it, or name another file")
    }

    /// The error for a manifest that does not exist. The person may have mistyped a command or the name of a file, or
    /// have named a host.
    fn missing(&self, name: &str, commands: &[String]) -> Error {
        let is_word = !name.contains(['/', '.', '\\']);
        if let Some(error) = misread::no_command(name, commands) {
            return error;
        }
        if let Some(network) = is_word.then(|| reach::network_of_host(name)).flatten() {
            let message =
                format!("{name} is a host of the running network \"{network}\", and not a command");
            return Error::new(Exit::Usage, message).hint(format!(
                "\"norouter why {name}\" tells how it is, and \"norouter addr {name}\" its address"
            ));
        }
        let error = Error::new(Exit::Failure, format!("the file {name} does not exist"));
        if let Some(other) = self.path().and_then(similar_file) {
            return error.hint(format!("did you mean {}?", shown(&other)));
        }
        error.hint(if is_word {
            "\"norouter --help\" lists the commands; \"norouter init\" makes a manifest".to_owned()
        } else {
            format!("correct the path, or make it with: norouter init {name}")
        })
    }
}

/// Finds a manifest in the same folder with a similar name: one that differs only in its extension (`.yaml` or `.yml`),
/// or by a typing error.
fn similar_file(file: &Path) -> Option<PathBuf> {
    let wanted = file.file_name()?.to_str()?;
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            let extension = Path::new(name).extension();
            extension.is_some_and(|it| it == "yaml" || it == "yml")
        })
        .collect();
    let is_twin = |name: &&String| Path::new(*name).file_stem() == file.file_stem();
    let found = names.iter().find(is_twin).map(String::as_str);
    let found = found.or_else(|| meant(wanted, names.iter().map(String::as_str)))?;
    Some(file.with_file_name(found))
}

/// Whether a path names an open stream, such as a pipe that the shell has opened for this program.
fn is_pipe(file: &Path) -> bool {
    let is_open = file == Path::new("/dev/stdin")
        || ["/dev/fd", "/proc/self/fd"]
            .iter()
            .any(|fds| file.starts_with(fds));
    is_open && file.metadata().is_ok_and(|it| !it.is_file())
}

fn shown(file: &Path) -> String {
    escape(&file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(why: &Unreadable) -> String {
        let source = Source::File("office.yaml".into());
        let error = source.unreadable(why, Vec::new);
        format!("{error:?}")
    }

    #[cfg(unix)]
    #[test]
    fn a_manifest_that_may_not_be_read_is_told_in_words_and_not_in_numbers() {
        let denied = io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error());
        let told = refused(&denied.into());
        assert!(
            told.contains("\"cannot read office.yaml: permission denied\""),
            "{told}"
        );
        assert!(told.contains("see who may read it"), "{told}");
        assert!(!told.contains("os error"), "{told}");
    }

    #[test]
    fn a_manifest_in_another_encoding_is_told_with_the_way_out() {
        let read = |bytes: &[u8]| origin::read(bytes).unwrap_err();
        for text in ["\u{feff}hosts: {}", "hosts: {}"] {
            let units: Vec<u16> = text.encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|it| it.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|it| it.to_be_bytes()).collect();
            for bytes in [little, big] {
                let told = refused(&read(&bytes));
                assert!(told.contains("office.yaml: this is UTF-16 text"), "{told}");
                assert!(told.contains("save it as UTF-8"), "{told}");
            }
        }
        let told = refused(&read(b"hosts:\n  b\xfcro: {}\n"));
        assert!(told.contains("office.yaml:2: this is not UTF-8"), "{told}");
        assert_eq!(origin::read(&b"\n"[..]).unwrap(), "\n");
    }
}
