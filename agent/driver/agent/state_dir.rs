//! The folder in which an agent writes files for other programs: hosts, HOSTALIASES, environment. The agent writes only
//! into a folder that has our mark or is empty, and removes only files that it wrote.
//!
//! A lock on the mark ensures that only one agent uses the folder at a time. A second agent on the same machine, for
//! another network or another host, uses a subfolder. It reports that, unless the folder is the default one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    driver::system::{
        describe, files, locked,
        trusted::{self, Distrust},
    },
    names::{Zone, host_aliases, hosts_file},
    proxy::variables::SOCKS,
};

/// The state folder that is used if the manifest does not name one.
pub const DEFAULT: &str = "~/.norouter/agent";

/// The environment variable that identifies the agent that has written the file `env`.
pub const AGENT: &str = "NOROUTER_AGENT";

/// The environment variable that lists the proxies that do not work, with the reasons.
pub const MISSING: &str = "NOROUTER_PROXIES_MISSING";

/// All environment variables that an agent writes. Earlier versions also wrote `all_proxy`.
pub const VARIABLES: [&str; 22] = [
    AGENT,
    MISSING,
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "YARN_HTTP_PROXY",
    "YARN_HTTPS_PROXY",
    "ws_proxy",
    "wss_proxy",
    "RSYNC_PROXY",
    "NODE_USE_ENV_PROXY",
    "PERL_LWP_ENV_PROXY",
    "auto_proxy",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "NOROUTER_STATUS_PAGE",
    "NOROUTER_PAC",
    SOCKS,
    "HOSTALIASES",
];

/// The file that marks a folder as ours, and that is locked while an agent uses the folder.
const MARK: &str = ".norouter";

/// The content of the mark.
const MARK_TEXT: &str = "NoRouter writes into this folder. It writes into no folder that has other files and not this one.\n";

/// The beginning of the mark's content, which is the same in all versions.
const MARK_BEGIN: &str = "NoRouter ";

/// The files that an agent writes, besides the mark. Those with a secret come first, so that they are removed first.
const FILES: [&str; 5] = ["env", PROXYCHAINS, "hosts", "hostaliases", "README.md"];

/// The file for `proxychains4`.
const PROXYCHAINS: &str = "proxychains.conf";

/// How long to wait until an earlier agent releases a folder.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// How many agents may have subfolders in another agent's folder.
const INSIDE_MAX: usize = 64;

const HINT: &str = "choose another with stateDir.pathOnAgent";

const README_BEGIN: &str = "# Files of a NoRouter agent\n";

const README: &str = "\
# Files of a NoRouter agent

The agent on this machine writes these files anew whenever its network changes; what you change here is lost. It
removes them at its end: if none of its processes (`norouter agent`, or `norouter` itself) runs, it was killed, and the
files are of no use.

* `hosts`: the names of the network in the form of /etc/hosts.
* `hostaliases`: the same for programs that obey HOSTALIASES: `export HOSTALIASES=\"$PWD/hostaliases\"`. The addresses
  are found through the public domain nip.io, so these programs need a DNS server that can ask it.
* `env`: variables that lead programs into the network, one `NAME=VALUE` a line. It has
  a secret in it: whoever can read it can use the proxies.
* `proxychains.conf`: for programs that know no proxy, if one runs: `proxychains4 -f \"$PWD/proxychains.conf\" psql -h db1`.
  It has the same secret in it.
";

/// A state folder that this agent owns for as long as this value exists.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// The mark, which is locked.
    mark: File,
    /// Whether the folder is a subfolder of the requested one, because another agent uses the requested one.
    is_inside: bool,
}

impl StateDir {
    /// Creates the folder of this name, which only its owner can enter, or uses an existing one that has our mark or is
    /// empty. If another agent uses it, the result is a subfolder with the name of this `host`. A `~` at the beginning
    /// is the home folder; `$NAME` and `${NAME}` are variables of this process.
    ///
    /// The error says what is wrong with the name or the folder, or why it cannot be created.
    pub fn open(name: &str, host: &str) -> Result<Self, String> {
        let path = expanded(name)?;
        if let Some(mark) = claim(&path, WAIT_MAX)? {
            return Ok(Self {
                path,
                mark,
                is_inside: false,
            });
        }
        // A host may have the same name as one of our files.
        let is_file = FILES.iter().any(|file| file.eq_ignore_ascii_case(host));
        let host = format!("{}{host}", if is_file { "host-" } else { "" });
        for number in 1..=INSIDE_MAX {
            let name = match number {
                1 => host.clone(),
                _ => format!("{host}-{number}"),
            };
            let path = path.join(name);
            if let Some(mark) = claim(&path, Duration::ZERO)? {
                return Ok(Self {
                    path,
                    mark,
                    is_inside: true,
                });
            }
        }
        let shown = path.display();
        Err(format!(
            "{INSIDE_MAX} agents write into the folder {shown} already; {HINT}"
        ))
    }

    /// Whether the folder has not been moved or replaced since it was opened.
    pub fn is_there(&self) -> bool {
        locked::is_at(&self.mark, &self.path.join(MARK))
    }

    /// A message that says that the files are in a subfolder, because another agent uses the folder `name`. `None` if
    /// they are in the folder `name` itself. There is no message for the default folder either, because nobody has
    /// chosen it, and `norouter env` finds the files in both places.
    pub fn elsewhere(&self, name: &str) -> Option<String> {
        (self.is_inside && name != DEFAULT).then(|| {
            format!(
                "another agent on that machine has this folder; the files of this one are in {}; {HINT}",
                self.path.display()
            )
        })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the file for the variable `HOSTALIASES`.
    pub fn host_aliases(&self) -> PathBuf {
        self.path.join("hostaliases")
    }

    /// Writes the names of the zone. The entries of the file `other_aliases`, which is the present value of
    /// `HOSTALIASES`, are added to ours.
    pub fn write(&self, zone: &Zone, other_aliases: Option<&Path>) -> Result<(), String> {
        let ours = self.host_aliases();
        let is_ours = |path: &Path| {
            path == ours || fs::canonicalize(path).ok() == fs::canonicalize(&ours).ok()
        };
        let other = other_aliases.filter(|path| !is_ours(path));
        let other = other.map(files::read).transpose()?.flatten();
        let aliases = host_aliases::text(zone, &other.unwrap_or_default());
        let write = |name, content: &[u8]| self.replace(name, content);
        write("hosts", hosts_file::text(zone).as_bytes())?;
        write("hostaliases", &aliases)?;
        write("README.md", README.as_bytes())
    }

    /// Writes variables for other programs: lines of the form `NAME=VALUE`, without quotes, which
    /// `docker run --env-file` and systemd can read. A shell reads them in the same way unless a value has spaces or
    /// quotes.
    pub fn write_env(&self, variables: &[(String, String)]) -> Result<(), String> {
        let mut text = String::new();
        for (name, value) in variables {
            if value.contains(['\n', '\r', '\0']) {
                return Err(format!("{name} has a line break in its value; remove it"));
            }
            text += name;
            text.push('=');
            text += value;
            text.push('\n');
        }
        self.replace("env", text.as_bytes())
    }

    /// Writes the configuration for `proxychains4`, or removes the file if `text` is `None`.
    pub fn write_proxychains(&self, text: Option<String>) -> Result<(), String> {
        match text {
            Some(text) => self.replace(PROXYCHAINS, text.as_bytes()),
            None => remove(&self.path.join(PROXYCHAINS)),
        }
    }

    /// Replaces one of our files. A link in its place is an error, because it would lead to another file.
    fn replace(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let path = self.path.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|it| !it.is_file()) {
            let shown = path.display();
            return Err(format!("{shown} is a link or a folder; remove it"));
        }
        files::replace(&path, content, files::PRIVATE)
    }

    /// Removes our files if `agent` has written them. The network of the agent is gone, so the files would lead
    /// programs to addresses at which nobody answers, or at which another program answers. If no other file is left,
    /// the mark is removed, too. A subfolder of another agent's folder is then removed as well.
    pub fn remove_files(&self, agent: &str) -> Result<(), String> {
        let bytes = files::read(&self.env())?.unwrap_or_default();
        if variables(&bytes).any(|(name, value)| name == AGENT && value == agent) {
            for name in FILES {
                remove(&self.path.join(name))?;
            }
        }
        let is_empty = names(&self.path).is_ok_and(|names| names.iter().all(|name| name == MARK));
        if is_empty {
            locked::remove(&self.mark, &self.path.join(MARK));
        }
        if is_empty && self.is_inside {
            // If another program has just put a file there, the folder stays.
            let _ = fs::remove_dir(&self.path);
        }
        Ok(())
    }

    fn env(&self) -> PathBuf {
        self.path.join("env")
    }
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!(
            "cannot remove {}: {}; remove it by hand",
            path.display(),
            describe(&error)
        )),
        _ => Ok(()),
    }
}

/// Creates a folder if necessary, marks it and locks it. `None` if another agent uses it.
fn claim(path: &Path, wait: Duration) -> Result<Option<File>, String> {
    let shown = path.display();
    let failed = |error: &io::Error| {
        let first = if files::is_full(error) {
            "make room on the disk, or "
        } else {
            ""
        };
        let what = describe(error);
        format!("cannot make the folder {shown}: {what}; {first}{HINT}")
    };
    look_at(path)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| failed(&error))?;
    // Somebody else may have created the folder since the first check.
    look_at(path)?;
    let locked = locked::wait(&path.join(MARK), wait).map_err(|error| failed(&error))?;
    if let Some(mut mark) = locked {
        let is_new = mark.metadata().is_ok_and(|mark| mark.len() == 0);
        if is_new {
            mark.write_all(MARK_TEXT.as_bytes())
                .map_err(|error| failed(&error))?;
        }
        return Ok(Some(mark));
    }
    Ok(None)
}

/// Fails with the reason if an agent could not use the folder of this name in its present state.
pub fn look(name: &str) -> Result<(), String> {
    look_at(&expanded(name)?)
}

/// Refuses a folder if other users can write to it or to a folder above it, or if it has files but not our mark.
fn look_at(path: &Path) -> Result<(), String> {
    check_way(path)?;
    let shown = path.display();
    let names = match names(path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let what = describe(&error);
            return Err(format!("cannot make the folder {shown}: {what}; {HINT}"));
        }
    };
    check_owner(path)?;
    if names.is_empty() || is_marked(path, &names) {
        return Ok(());
    }
    Err(format!(
        "the folder {shown} has files that are not of NoRouter, like {}; {HINT}, or make a file {MARK} in it that begins with {:?}",
        crate::text::quote(names.first().map_or("", String::as_str)),
        MARK_BEGIN.trim_end(),
    ))
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Whether a folder has files of this program, or of the original NoRouter, which uses the same default folder.
fn is_marked(path: &Path, names: &[String]) -> bool {
    // Links are not followed, because they may lead to another user's file.
    let begins = |name: &str, begin: &str| {
        let file = path.join(name);
        let is_file = fs::symlink_metadata(&file).is_ok_and(|it| it.is_file());
        // On Windows a locked file cannot be read, so a mark that cannot be read counts as ours.
        let is_locked = cfg!(windows) && name == MARK;
        is_file && fs::read(&file).map_or(is_locked, |text| text.starts_with(begin.as_bytes()))
    };
    // A mark is empty if it was made just now, or if the agent crashed before it wrote the mark. In both cases, the
    // folder is ours.
    let is_new = || {
        let mark = fs::symlink_metadata(path.join(MARK));
        names == [MARK] && mark.is_ok_and(|mark| mark.is_file() && mark.len() == 0)
    };
    let is_usual = || {
        path.ends_with(".norouter/agent") && names.iter().all(|name| FILES.contains(&name.as_str()))
    };
    begins(MARK, MARK_BEGIN) || begins("README.md", README_BEGIN) || is_new() || is_usual()
}

/// The variables that an agent has written into this folder, for a program that will trust them. `None` if there are
/// none. Fails if a proxy of the agent does not work, or, on Linux, if no program of this user or root listens at its
/// address.
pub fn proven_env(name: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let Some(variables) = read_env(name)? else {
        return Ok(None);
    };
    let value = |wanted: &str| {
        let found = variables.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    if let Some(missing) = value(MISSING) {
        return Err(format!(
            "the agent on this machine {missing}; programs would not get where they should, or to somebody else"
        ));
    }
    for proxy in ["http_proxy", SOCKS].into_iter().filter_map(value) {
        let place = proxy.rsplit_once('@').map_or(proxy, |(_, place)| place);
        let address = place
            .parse()
            .map_err(|_| format!("{place} in {} is not an address", folder_env(name)))?;
        check_listener(address)?;
    }
    Ok(Some(variables))
}

fn folder_env(name: &str) -> String {
    format!("{name}/env")
}

/// Fails if no program of this user or root listens at the address. After an agent was killed, the file with its
/// variables still exists, but another user's program may have taken the address that the file names.
#[cfg(target_os = "linux")]
fn check_listener(address: std::net::SocketAddr) -> Result<(), String> {
    let owner = crate::driver::system::owner::SocketOwners::open()
        .and_then(|mut owners| owners.of_listener(address));
    let hint = "start the network again";
    match owner {
        Ok(Some(owner)) if owner.is_us() => Ok(()),
        Ok(Some(owner)) => Err(format!(
            "the proxy at {address} is not ours: {} listens there; {hint}, with another port",
            owner.describe()
        )),
        Ok(None) => Err(format!(
            "the proxy at {address} is not there: its agent has gone; {hint}"
        )),
        Err(error) => Err(format!(
            "the system does not tell who listens at {address}: {}; if you know that it is your agent, read its variables from the \
             file \"env\" of its state folder",
            describe(&error)
        )),
    }
}

/// Does nothing, because other systems do not reveal the owner of a listener.
#[cfg(not(target_os = "linux"))]
fn check_listener(_: std::net::SocketAddr) -> Result<(), String> {
    Ok(())
}

/// The variables that an agent has written into this folder and has not removed. `None` if there are none.
pub fn read_env(name: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let path = expanded(name)?;
    let env = path.join("env");
    if !env.exists() {
        return Ok(None);
    }
    check_way(&path)?;
    check_owner(&path)?;
    let bytes = files::read(&env)?;
    Ok(bytes.map(|bytes| variables(&bytes).collect()))
}

/// The folder with the variables of an agent inside the process `pid`: the folder of this name or one of its
/// subfolders. `None` if that process has not written any.
pub fn folder_of(name: &str, pid: u32) -> Option<PathBuf> {
    let begin = format!("{pid}-");
    let is_theirs = |folder: &PathBuf| {
        let found = folder.to_str().map(read_env);
        let found = found.and_then(Result::ok).flatten().unwrap_or_default();
        let mut agents = found.iter().filter(|(name, _)| name == AGENT);
        agents.any(|(_, agent)| agent.starts_with(&begin))
    };
    let outer = expanded(name).ok();
    outer.into_iter().chain(inside(name)).find(is_theirs)
}

/// The subfolders in which other agents have written variables.
pub fn inside(name: &str) -> Vec<PathBuf> {
    let path = expanded(name).unwrap_or_default();
    let names = names(&path).unwrap_or_default().into_iter();
    let folders = names.map(|name| path.join(name));
    folders
        .filter(|folder| folder.join("env").exists())
        .collect()
}

/// The variables in a file. Variables that no agent writes are left out, because the caller will trust the result.
fn variables(bytes: &[u8]) -> impl Iterator<Item = (String, String)> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| VARIABLES.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    lines.into_iter()
}

/// Refuses a folder if another user could make its path lead elsewhere.
fn check_way(path: &Path) -> Result<(), String> {
    trusted::folder(path).map_err(|why| match &why {
        Distrust::Open(open) => format!(
            "{why}; run \"chmod go-w {}\" there, or {HINT}",
            open.display()
        ),
        Distrust::Unseen(..) | Distrust::Foreign(..) | Distrust::Links(_) => {
            format!("{why}; {HINT}")
        }
    })
}

/// Refuses a folder in which another user could have put a file or a link for us to use.
#[cfg(unix)]
fn check_owner(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let shown = path.display();
    let folder = fs::metadata(path)
        .map_err(|error| format!("cannot look at the folder {shown}: {}", describe(&error)))?;
    if folder.uid() != rustix::process::geteuid().as_raw() {
        return Err(format!(
            "the folder {shown} belongs to another user; {HINT}"
        ));
    }
    if folder.mode() & 0o022 != 0 {
        return Err(format!(
            "other users can write into the folder {shown}; run \"chmod go-w {shown}\" there, or {HINT}"
        ));
    }
    Ok(())
}

/// On Windows a user's folders are accessible only to that user, unless an administrator has changed that.
#[cfg(not(unix))]
fn check_owner(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// Resolves a path of the manifest on this host. A `~` at the beginning is the home folder; `$NAME` and `${NAME}` are
/// variables of this process.
pub fn expanded(name: &str) -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    expand(name, variable).map(PathBuf::from)
}

/// Replaces the variables in a path. A variable that is not set is an error, because the path without it would lead
/// elsewhere.
fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let value = |name: &str| {
        variable(name).ok_or_else(|| {
            format!("the folder {text:?} needs the variable {name}, which is not set on this host; set it, or choose another folder with stateDir.pathOnAgent")
        })
    };
    let mut expanded = String::new();
    let mut rest = text;
    if let Some(after) = text.strip_prefix('~') {
        if !(after.is_empty() || after.starts_with(['/', '\\'])) {
            return Err(format!(
                "the folder {text:?} is the home of another user; write its whole path"
            ));
        }
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        expanded = value(home)?;
        rest = after;
    }
    while let Some((before, after)) = rest.split_once('$') {
        expanded += before;
        let braced = after
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'));
        let (name, behind) = braced.unwrap_or_else(|| {
            let is_other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
            after.split_at(after.find(is_other).unwrap_or(after.len()))
        });
        if name.is_empty() {
            return Err(format!(
                "the folder {text:?} has a \"$\" without the name of a variable; remove it"
            ));
        }
        expanded += &value(name)?;
        rest = behind;
    }
    Ok(expanded + rest)
}

#[cfg(test)]
mod tests;
