//! The hosts in the ssh configuration of a person and of the machine: names that can be given to `ssh`, with their
//! addresses if the files have them. `Match` sections are skipped, because only ssh itself can evaluate their
//! conditions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::pattern;
use crate::import::{SshConfig, SshHost, is_usable};

/// How deep included files may include other files (as in OpenSSH).
const DEPTH_MAX: usize = 16;

/// How many files are read.
const FILES_MAX: usize = 200;

/// How large a file may be, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// How many patterns are kept.
const PATTERNS_MAX: usize = 20;

/// The hosts of a person's configuration file, of that of the machine, and of those that they include.
pub(super) fn read(home: &Path) -> SshConfig {
    read_both(home, Path::new("/etc/ssh"))
}

/// As [`read`], with the folder of the machine's file.
fn read_both(home: &Path, machine: &Path) -> SshConfig {
    let mut reader = Reader::new(home);
    reader.read_both(machine);
    reader.found
}

/// The files that ssh reads for a person: those of the person and of the machine, or only `own` if a command names it,
/// and all files that these include.
pub fn files(home: &Path, own: Option<&Path>) -> BTreeSet<PathBuf> {
    let mut reader = Reader::new(home);
    match own {
        Some(own) => reader.read(own, 0),
        None => reader.read_both(Path::new("/etc/ssh")),
    }
    reader.seen
}

struct Reader {
    folder: PathBuf,
    home: PathBuf,
    seen: BTreeSet<PathBuf>,
    /// For each name, the index of its host in the hosts that were found.
    names: BTreeMap<String, usize>,
    found: SshConfig,
    /// The indexes in `hosts` of the hosts to which the present section of the file applies.
    open: Vec<usize>,
    /// The present section of the file.
    section: Section,
    /// The sections in which the file is included, the outermost one first. A section of the file applies only to hosts
    /// to which all of these apply.
    outer: Vec<Section>,
}

/// The hosts to which a section of a file applies.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Section {
    Everybody,
    /// The hosts of these names and patterns. A pattern that begins with `!` takes hosts away.
    Hosts(Vec<String>),
    /// Only ssh can tell, because it evaluates conditions.
    Unknown,
}

impl Section {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::Unknown => false,
            Self::Hosts(patterns) => {
                let fits = |pattern: &str| pattern::fits(pattern, name);
                let (not, with): (Vec<_>, Vec<_>) =
                    patterns.iter().partition(|it| it.starts_with('!'));
                with.into_iter().any(|it| fits(it)) && !not.into_iter().any(|it| fits(&it[1..]))
            }
        }
    }
}

impl Reader {
    fn new(home: &Path) -> Self {
        Self {
            folder: home.join(".ssh"),
            home: home.to_owned(),
            seen: BTreeSet::new(),
            names: BTreeMap::new(),
            found: SshConfig::default(),
            open: Vec::new(),
            section: Section::Everybody,
            outer: Vec::new(),
        }
    }

    fn read_both(&mut self, machine: &Path) {
        for (folder, name) in [
            (self.home.join(".ssh"), "config"),
            (machine.to_owned(), "ssh_config"),
        ] {
            let file = folder.join(name);
            self.folder = folder;
            self.open.clear();
            self.section = Section::Everybody;
            self.read(&file, 0);
        }
    }

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
                "match" => {
                    self.open.clear();
                    let is_all = |value: &String| value.eq_ignore_ascii_case("all");
                    self.section = match values.as_slice() {
                        [all] if is_all(all) => Section::Everybody,
                        _ => Section::Unknown,
                    };
                    let is_exec = |value: &String| value.eq_ignore_ascii_case("exec");
                    self.found.runs_commands |= values.iter().any(is_exec);
                }
                "hostname" => {
                    for index in self.open.clone() {
                        let SshHost { name, address } = &mut self.found.hosts[index];
                        let value = values.first().map(|value| value.replace("%h", name));
                        *address = address.take().or(value);
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
        self.section = Section::Hosts(values.to_vec());
        for name in values {
            if name.starts_with('!') || !is_usable(name) {
                continue;
            }
            if pattern::is_pattern(name) {
                // A pattern for all hosts only has settings, and does not stand for a host.
                let is_special = name.chars().any(char::is_alphanumeric)
                    && self.outer.iter().all(|it| *it == Section::Everybody);
                let patterns = &mut self.found.patterns;
                if is_special && !patterns.contains(name) && patterns.len() < PATTERNS_MAX {
                    patterns.push(name.clone());
                }
                continue;
            }
            if !self.outer.iter().all(|section| section.has(name)) {
                continue;
            }
            let next = self.found.hosts.len();
            let index = *self.names.entry(name.clone()).or_insert(next);
            if index == next {
                self.found.hosts.push(SshHost {
                    name: name.clone(),
                    address: None,
                });
            }
            self.open.push(index);
        }
    }

    /// Reads the files that a pattern fits.
    fn include(&mut self, pattern: &str, depth: usize) {
        let path = match pattern.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => self.folder.join(pattern),
        };
        self.outer.push(self.section.clone());
        for file in pattern::paths(&path) {
            let (open, section) = (self.open.clone(), self.section.clone());
            self.read(&file, depth + 1);
            (self.open, self.section) = (open, section);
        }
        self.outer.pop();
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
        let quote = rest.chars().next().filter(|c| "\"'".contains(*c));
        let (value, after) = match quote {
            Some(quote) => rest[1..].split_once(quote)?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        values.push(value.to_owned());
        rest = after.trim_start();
    }
    Some((keyword.to_ascii_lowercase(), values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A home folder for one test.
    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn file(&self, name: &str, text: &str) {
            fs::write(self.path(name), text).unwrap();
        }
    }

    #[test]
    fn hosts_are_found_in_all_files_and_patterns_are_not_hosts() {
        let home = Folder::new();
        fs::create_dir_all(home.path(".ssh/conf.d/deep")).unwrap();
        home.file(
            ".ssh/config",
            "# mine\nInclude conf.d/*.conf \"conf.d/deep/one\"\nInclude ~/.ssh/config\n\
             Host web1 web2 *.example.com !web3\n  HostName 10.0.0.1\n  User me\n\
             HOST=quoted\n\tHostname = \"10.0.0.2\" # there\n\
             Host -oProxyCommand=evil\n HostName x\n\
             Match host web1\n HostName 10.9.9.9\n\
             Host web1\n HostName late\n\
             Host web3\n HostName %h.example.com\n",
        );
        home.file(".ssh/conf.d/a.conf", "Host a\n HostName ten\n");
        home.file(".ssh/conf.d/.b.conf", "Host hidden\n");
        home.file(".ssh/conf.d/c.other", "Host other\n");
        home.file(".ssh/conf.d/deep/one", "Host deep\n");
        let found = read(&home.path(""));
        assert_eq!(found.patterns, ["*.example.com"]);
        assert!(!found.runs_commands);
        let here = found.hosts.into_iter().take(5);
        let found: Vec<_> = here
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
    fn stars_and_brackets_stand_in_every_part_of_an_include_and_odd_names_are_hosts() {
        let home = Folder::new();
        fs::create_dir_all(home.path(".lima/one")).unwrap();
        fs::create_dir_all(home.path(".ssh/conf.d/sub")).unwrap();
        home.file(
            ".lima/one/ssh.config",
            "Host lima-one\n HostName 127.0.0.1\n",
        );
        home.file(
            ".ssh/conf.d/10-a.conf",
            "Host prod/web1 web+new 'quoted one' m\u{fc}nchen 'web2'\n",
        );
        home.file(".ssh/conf.d/a.conf", "Host not-this\n");
        home.file(
            ".ssh/conf.d/sub/config",
            "Host coder.* *\nMatch exec \"true\"\n",
        );
        home.file(
            ".ssh/config",
            "Include ~/.lima/*/ssh.config\nInclude conf.d/[0-9]*.conf\nInclude conf.d/*/config\n\
             Host web2\n HostName %h.example.com\nHost late\nHost late\n HostName second\n",
        );
        let found = read(&home.path(""));
        let addresses = found.hosts.iter().take(6);
        let addresses: Vec<_> = addresses
            .map(|host| (host.name.as_str(), host.address.as_deref()))
            .collect();
        let expected = [
            ("lima-one", Some("127.0.0.1")),
            ("prod/web1", None),
            ("web+new", None),
            ("m\u{fc}nchen", None),
            ("web2", Some("web2.example.com")),
            ("late", Some("second")),
        ];
        assert_eq!(addresses, expected);
        assert_eq!(found.patterns, ["coder.*"]);
        assert!(found.runs_commands);
    }

    #[test]
    fn the_file_of_the_machine_comes_after_that_of_the_person_and_its_includes_are_beside_it() {
        let home = Folder::new();
        fs::create_dir_all(home.path(".ssh")).unwrap();
        fs::create_dir_all(home.path("etc/ssh_config.d")).unwrap();
        home.file(".ssh/config", "Host web1\n HostName of-the-person\n");
        home.file(
            "etc/ssh_config",
            "Include ssh_config.d/*.conf\nHost web1 gate\n HostName of-the-machine\n",
        );
        home.file("etc/ssh_config.d/50-site.conf", "Host site\n");
        let found = read_both(&home.path(""), &home.path("etc"));
        let addresses = found.hosts.iter();
        let addresses: Vec<_> = addresses
            .map(|host| (host.name.as_str(), host.address.as_deref()))
            .collect();
        let expected = [
            ("web1", Some("of-the-person")),
            ("site", None),
            ("gate", Some("of-the-machine")),
        ];
        assert_eq!(addresses, expected);
    }

    #[test]
    fn a_file_that_a_section_includes_applies_only_to_the_hosts_of_that_section() {
        let home = Folder::new();
        fs::create_dir_all(home.path(".ssh")).unwrap();
        home.file(
            ".ssh/config",
            "Host jump web? !web9\n Include inner.conf\n HostName of-the-jump\n\
             Match user ann\n Include of-ann.conf\nMatch all\n Include of-all.conf\n",
        );
        home.file(
            ".ssh/inner.conf",
            "Host inner jump\n HostName inside\nHost web1 web9\nHost db*\n",
        );
        home.file(".ssh/of-ann.conf", "Host hers\n");
        home.file(".ssh/of-all.conf", "Host late\n HostName after\n");
        let found = read_both(&home.path(""), &home.path("etc"));
        let addresses = found.hosts.iter();
        let addresses: Vec<_> = addresses
            .map(|host| (host.name.as_str(), host.address.as_deref()))
            .collect();
        // "ssh -G" says the same, except that it also gives web1 the address of its pattern.
        let expected = [
            ("jump", Some("inside")),
            ("web1", None),
            ("late", Some("after")),
        ];
        assert_eq!(addresses, expected);
        assert_eq!(
            found.patterns,
            ["web?"],
            "db* applies to no host of the section"
        );
    }

    #[test]
    fn an_address_with_a_zone_is_a_host_and_not_a_pattern() {
        let home = Folder::new();
        fs::create_dir_all(home.path(".ssh")).unwrap();
        home.file(
            ".ssh/config",
            "Host fe80::1%eth0 router\n HostName fe80::1%eth0\n",
        );
        let found = read_both(&home.path(""), &home.path("etc"));
        let addresses = found.hosts.iter();
        let addresses: Vec<_> = addresses
            .map(|host| (host.name.as_str(), host.address.as_deref()))
            .collect();
        let zone = Some("fe80::1%eth0");
        assert_eq!(addresses, [("fe80::1%eth0", zone), ("router", zone)]);
        assert_eq!(found.patterns, [""; 0]);
    }

    #[test]
    fn a_person_without_a_configuration_has_no_hosts() {
        let found = read(Path::new("/nowhere"));
        assert_eq!(found.patterns.len(), 0);
    }
}
