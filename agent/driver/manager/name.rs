//! The name of a running network on its machine.

use std::{fmt, path::Path, str::FromStr};

/// The beginning of the names of trials.
const TRIAL: &str = "trial-of-a-host-";

/// The maximum length of a name, in bytes. Longer names would not fit into the path of a socket.
const LENGTH_MAX: usize = 40;

/// The name of a network. It can be part of a file name on any system: letters, digits, `-`, `_` and `.`, with a letter
/// or digit first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkName(String);

/// The text is not a valid [`NetworkName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a network has at most {LENGTH_MAX} letters, digits, '-', '_' and '.', and begins with a letter or digit"
)]
pub struct NameError;

impl FromStr for NetworkName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let good = text.len() <= LENGTH_MAX
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(fits);
        good.then(|| Self(text.to_owned())).ok_or(NameError)
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl NetworkName {
    /// The name for the network of a manifest: the name of the file without its extension, or the name of its folder if
    /// the file is called `norouter`.
    pub fn of_manifest(manifest: &Path) -> Self {
        let text =
            |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        let stem = text(manifest.file_stem()).filter(|stem| stem != "norouter");
        let folder = || text(manifest.parent().and_then(Path::file_name));
        Self::near(&stem.or_else(folder).unwrap_or_default())
    }

    /// Makes a valid name from a text. Characters that a name may not have are replaced or left out. The name is
    /// shortened, so that a number can be appended.
    pub fn near(text: &str) -> Self {
        let plain: String = text
            .chars()
            .map(|c| if fits(c) { c } else { '-' })
            .skip_while(|c| !c.is_ascii_alphanumeric())
            .take(LENGTH_MAX - 4)
            .collect();
        Self(if plain.is_empty() {
            "network".to_owned()
        } else {
            plain
        })
    }

    /// The name for the trial of one host with this number. Commands do not list networks with such names. The next trial
    /// takes the lowest free number, and so it also takes over what a killed one has left.
    pub(in crate::driver) fn of_trial(number: usize) -> Self {
        Self(format!("{TRIAL}{number}"))
    }

    /// Whether the name is that of a trial.
    pub(in crate::driver) fn is_trial(&self) -> bool {
        self.0.starts_with(TRIAL)
    }

    /// The name with this number appended; unchanged if the number is 1, because the first network of a name has no
    /// number.
    pub(in crate::driver) fn numbered(&self, number: usize) -> Self {
        match number {
            1 => self.clone(),
            _ => Self(format!("{}-{number}", self.0)),
        }
    }
}

fn fits(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_called_like_its_manifest_or_its_folder() {
        for (path, name) in [
            ("/a/office.yaml", "office"),
            ("/a/office/norouter.yaml", "office"),
            ("/a/my office/norouter.yml", "my-office"),
            ("/a/.dev.yaml", "dev"),
            ("/norouter.yaml", "network"),
            ("/a/\u{1f600}/norouter.yaml", "network"),
        ] {
            let found = NetworkName::of_manifest(Path::new(path));
            assert_eq!(found.to_string(), name);
            assert_eq!(found.to_string().parse(), Ok(found.clone()));
            assert_eq!(
                found.numbered(99).to_string().parse(),
                Ok(found.numbered(99))
            );
        }
    }

    #[test]
    fn a_name_that_is_a_path_or_an_option_is_none() {
        let long = "x".repeat(41);
        for bad in [
            "", ".", "..", "../x", "a/b", "a\\b", "-x", "a b", "\u{e9}", &long,
        ] {
            assert_eq!(bad.parse::<NetworkName>(), Err(NameError), "{bad}");
        }
    }
}
