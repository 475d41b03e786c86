//! The hosts in a person's ssh configuration: names that can be given to `ssh`, with their addresses. Patterns and
//! conditions are not evaluated; ssh does that itself when it runs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// How deep included files may include other files (as in OpenSSH).
const DEPTH_MAX: usize = 16;

/// How many files are read.
const FILES_MAX: usize = 200;

/// How large a file may be, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// A host that ssh knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SshHost {
    /// The name that is given to `ssh`.
    pub(crate) name: String,
    /// The address to which `ssh` connects; `None` if the file has none.
    pub(crate) address: Option<String>,
}

/// The hosts of a configuration file and of those that it includes, in their order.
pub(crate) fn hosts(home: &Path) -> Vec<SshHost> {
    let mut reader = Reader {
        folder: home.join(".ssh"),
        home: home.to_owned(),
        seen: BTreeSet::new(),
        names: BTreeSet::new(),
        hosts: Vec::new(),
        open: Vec::new(),
    };
    let file = reader.folder.join("config");
    reader.read(&file, 0);
    reader.hosts
}

struct Reader {
    folder: PathBuf,
    home: PathBuf,
    seen: BTreeSet<PathBuf>,
    names: BTreeSet<String>,
    hosts: Vec<SshHost>,
    /// The indexes in `hosts` of the hosts to which the present section of the file applies.
    open: Vec<usize>,
}

impl Reader {
    fn read(&mut self, file: &Path, depth: usize) {
        let small = fs::metadata(file).is_ok_and(|it| it.is_file() && it.len() <= SIZE_MAX);
        let known = self.seen.len() >= FILES_MAX || !self.seen.insert(file.to_owned());
        if !small || known || depth > DEPTH_MAX {
            return;
        }
        let bytes = fs::read(file).unwrap_or_default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let Some((keyword, values)) = words(line) else {
                continue;
            };
            match keyword.as_str() {
                "host" => self.begin(&values),
                "match" => self.open.clear(),
                "hostname" => {
                    for index in self.open.clone() {
                        let address = &mut self.hosts[index].address;
                        *address = address.take().or_else(|| values.first().cloned());
                    }
                }
                "include" => {
                    for value in values {
                        self.include(&value, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn begin(&mut self, values: &[String]) {
        self.open.clear();
        for name in values {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@:".contains(c);
            let usable = !name.starts_with('-') && name.len() <= 253 && name.chars().all(plain);
            if usable && self.names.insert(name.clone()) {
                self.open.push(self.hosts.len());
                self.hosts.push(SshHost {
                    name: name.clone(),
                    address: None,
                });
            }
        }
    }

    /// Reads the files that match a pattern, in which only the last part may have `*` and `?`.
    fn include(&mut self, pattern: &str, depth: usize) {
        let path = match pattern.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => self.folder.join(pattern),
        };
        let Some(last) = path.file_name().and_then(|name| name.to_str()) else {
            return;
        };
        if !last.contains(['*', '?']) {
            self.read(&path, depth + 1);
            return;
        }
        let entries = path.parent().map(fs::read_dir);
        let entries = entries.into_iter().flatten().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .filter(|entry| {
                let name = entry.file_name();
                name.to_str().is_some_and(|name| fits(last, name))
            })
            .map(|entry| entry.path())
            .collect();
        files.sort();
        for file in files {
            self.read(&file, depth + 1);
        }
    }
}

/// The keyword of a line in lower case, and its values (`ssh_config(5)`).
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    let end = line.find(|c: char| c.is_whitespace() || c == '=')?;
    let (keyword, rest) = line.split_at(end);
    if keyword.starts_with('#') {
        return None;
    }
    let rest = rest.trim_start();
    let mut rest = rest.strip_prefix('=').unwrap_or(rest).trim();
    let mut values = Vec::new();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        values.push(value.to_owned());
        rest = after.trim_start();
    }
    Some((keyword.to_ascii_lowercase(), values))
}

/// Whether a name matches a pattern of `*` and `?`. Hidden files match only patterns that begin with a dot.
fn fits(pattern: &str, name: &str) -> bool {
    fn fits(pattern: &[char], name: &[char]) -> bool {
        match pattern {
            [] => name.is_empty(),
            ['*', rest @ ..] => (0..=name.len()).any(|skipped| fits(rest, &name[skipped..])),
            ['?', rest @ ..] => !name.is_empty() && fits(rest, &name[1..]),
            [first, rest @ ..] => name.first() == Some(first) && fits(rest, &name[1..]),
        }
    }
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    // Each star can multiply the time by the length of the name, so the number of stars is limited.
    let stars = pattern.matches('*').count();
    let hidden = name.starts_with('.') && !pattern.starts_with('.');
    stars <= 3 && !hidden && fits(&chars(pattern), &chars(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn hosts_are_found_in_all_files_and_patterns_are_not_hosts() {
        let home = Folder::new("ssh");
        fs::create_dir_all(home.path(".ssh/conf.d/deep")).unwrap();
        home.file(
            ".ssh/config",
            "# mine\nInclude conf.d/*.conf \"conf.d/deep/one\"\nInclude ~/.ssh/config\n\
             Host web1 web2 *.example.com !web3\n  HostName 10.0.0.1\n  User me\n\
             HOST=quoted\n\tHostname = \"10.0.0.2\" # there\n\
             Host -oProxyCommand=evil\n HostName x\n\
             Match host web1\n HostName 10.9.9.9\n\
             Host web1\n HostName late\n",
        );
        home.file(".ssh/conf.d/a.conf", "Host a\n HostName ten\n");
        home.file(".ssh/conf.d/.b.conf", "Host hidden\n");
        home.file(".ssh/conf.d/c.other", "Host other\n");
        home.file(".ssh/conf.d/deep/one", "Host deep\n");
        let found: Vec<_> = hosts(&home.path(""))
            .into_iter()
            .map(|host| (host.name, host.address.unwrap_or_default()))
            .collect();
        let expected = [
            ("a", "ten"),
            ("deep", ""),
            ("web1", "10.0.0.1"),
            ("web2", "10.0.0.1"),
            ("quoted", "10.0.0.2"),
        ];
        let expected = expected.map(|(name, address)| (name.to_owned(), address.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_pattern_fits_as_a_shell_would_say() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("?.conf", "ab.conf", false),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("a*b*c", "axxbxxc", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_person_without_a_configuration_has_no_hosts() {
        assert_eq!(hosts(Path::new("/nowhere")), []);
    }
}
