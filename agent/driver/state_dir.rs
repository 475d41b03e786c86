//! The folder in which an agent leaves what programs on its host can use: hosts, HOSTALIASES, environment. It removes
//! nothing that it did not write.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{describe, files};
use crate::names::{Zone, host_aliases, hosts_file};

/// Where the folder is if nobody says otherwise.
pub const DEFAULT: &str = "~/.norouter/agent";

/// Which agent has written the variables.
pub const AGENT: &str = "NOROUTER_AGENT";

/// Which proxies are not there that should be, and why.
pub const MISSING: &str = "NOROUTER_PROXIES_MISSING";

/// All variables that an agent writes.
pub const VARIABLES: [&str; 13] = [
    AGENT,
    MISSING,
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "NOROUTER_STATUS_PAGE",
    "NOROUTER_PAC",
    "HOSTALIASES",
];

const README: &str = "\
# Files of a NoRouter agent

The agent on this machine writes these files anew whenever its network changes; what you change here is lost.

* `hosts`: the names of the network in the form of /etc/hosts.
* `hostaliases`: the same for programs that obey HOSTALIASES: `export HOSTALIASES=\"$PWD/hostaliases\"`. The addresses
  are found through the public domain nip.io, so these programs need a DNS server that can ask it.
* `env`: variables that lead programs into the network, one `NAME=VALUE` a line; it is here while the agent runs. It has
  a secret in it: whoever can read it can use the proxies.
";

/// A state folder that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Makes the folder of this name, open to its owner alone, or uses the one that there is. A `~` at the beginning is
    /// the home folder; `$NAME` and `${NAME}` are variables of this process.
    ///
    /// The error says what is wrong with the name, or why the folder cannot be made.
    pub fn open(name: &str) -> Result<Self, String> {
        let path = expanded(name)?;
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| {
            let (path, what) = (path.display(), describe(&error));
            format!(
                "cannot make the folder {path}: {what}; choose another with stateDir.pathOnAgent"
            )
        })?;
        check_owner(&path)?;
        Ok(Self(path))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file that `HOSTALIASES` can be set to.
    pub fn host_aliases(&self) -> PathBuf {
        self.0.join("hostaliases")
    }

    /// Writes the names of the zone. What the other file of aliases says, which `HOSTALIASES` names already, is kept in
    /// ours.
    pub fn write(&self, zone: &Zone, other_aliases: Option<&Path>) -> Result<(), String> {
        let ours = self.host_aliases();
        let is_ours = |path: &Path| {
            path == ours || fs::canonicalize(path).ok() == fs::canonicalize(&ours).ok()
        };
        let other = other_aliases.filter(|path| !is_ours(path));
        let other = other.map(files::read).transpose()?.flatten();
        let aliases = host_aliases::text(zone, &other.unwrap_or_default());
        let write =
            |name, content: &[u8]| files::replace(&self.0.join(name), content, files::PRIVATE);
        write("hosts", hosts_file::text(zone).as_bytes())?;
        write("hostaliases", &aliases)?;
        write("README.md", README.as_bytes())
    }

    /// Writes variables for other programs, one `NAME=VALUE` a line, values as they are: the form that `docker run
    /// --env-file` and systemd read. A shell reads the same as long as no value has spaces or quotes.
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
        files::replace(&self.env(), text.as_bytes(), files::PRIVATE)
    }

    /// Removes the variables, if they are those of this agent: the network that they lead to is gone.
    pub fn remove_env(&self, agent: &str) -> Result<(), String> {
        let bytes = files::read(&self.env())?.unwrap_or_default();
        if !variables(&bytes).any(|(name, value)| name == AGENT && value == agent) {
            return Ok(());
        }
        match fs::remove_file(self.env()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let (path, what) = (self.env(), describe(&error));
                Err(format!(
                    "cannot remove {}: {what}; remove it by hand",
                    path.display()
                ))
            }
            _ => Ok(()),
        }
    }

    fn env(&self) -> PathBuf {
        self.0.join("env")
    }
}

/// The variables of the agent that writes into this folder, for a program that is about to trust them; none if no agent
/// does. Fails if they do not lead to everything that they should, or to somebody else.
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
    for proxy in ["http_proxy", "all_proxy"].into_iter().filter_map(value) {
        let place = proxy.rsplit_once('@').map_or(proxy, |(_, place)| place);
        let address = place
            .parse()
            .map_err(|_| format!("{place} in {} is no address", folder_env(name)))?;
        check_listener(address)?;
    }
    Ok(Some(variables))
}

fn folder_env(name: &str) -> String {
    format!("{name}/env")
}

/// Refuses an address at which not this user listens, or root. The variables of an agent that was killed stay behind, and
/// somebody else may have taken its place.
#[cfg(target_os = "linux")]
fn check_listener(address: std::net::SocketAddr) -> Result<(), String> {
    let owner = super::owner::Owners::open().and_then(|mut owners| owners.of_listener(address));
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

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
fn check_listener(_: std::net::SocketAddr) -> Result<(), String> {
    Ok(())
}

/// The variables that an agent has written into this folder; none if no agent runs that did.
pub fn read_env(name: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let folder = StateDir(expanded(name)?);
    if !folder.env().exists() {
        return Ok(None);
    }
    check_owner(&folder.0)?;
    let bytes = files::read(&folder.env())?;
    Ok(bytes.map(|bytes| variables(&bytes).collect()))
}

/// The variables in a file; others than an agent writes are left out, because they are about to be trusted.
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

/// Refuses a folder in which somebody else could have put something for us to read, or to write through.
#[cfg(unix)]
fn check_owner(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let shown = path.display();
    let folder = fs::metadata(path)
        .map_err(|error| format!("cannot look at the folder {shown}: {}", describe(&error)))?;
    let hint = "choose another with stateDir.pathOnAgent";
    if folder.uid() != rustix::process::geteuid().as_raw() {
        return Err(format!(
            "the folder {shown} belongs to another user; {hint}"
        ));
    }
    if folder.mode() & 0o022 != 0 {
        return Err(format!(
            "other users can write into the folder {shown}; run \"chmod go-w {shown}\" there, or {hint}"
        ));
    }
    Ok(())
}

/// Folders of a user are that user's on Windows, unless an administrator says otherwise.
#[cfg(not(unix))]
fn check_owner(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// A path of the manifest as it is meant on this host: a `~` at the beginning is the home folder; `$NAME` and `${NAME}` are
/// variables of this process.
pub fn expanded(name: &str) -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    expand(name, variable).map(PathBuf::from)
}

/// The name with its variables replaced. One that is not set is an error, because the rest would be another folder.
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
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::driver::files::tests::Folder;

    #[test]
    fn variables_and_the_home_folder_are_replaced() {
        let known = |name: &str| match name {
            "HOME" | "USERPROFILE" => Some("/home/me".to_owned()),
            "A_1" => Some("x".to_owned()),
            _ => None,
        };
        for (text, path) in [
            ("~", "/home/me"),
            ("~/.norouter/agent", "/home/me/.norouter/agent"),
            ("/a/${A_1}y/$A_1", "/a/xy/x"),
            ("/a/~/b", "/a/~/b"),
            ("$HOME$A_1.d", "/home/mex.d"),
        ] {
            assert_eq!(expand(text, known).unwrap(), path);
        }
        for (text, reason) in [
            ("$UNSET/agent", "needs the variable UNSET, which is not set"),
            ("~you/agent", "is the home of another user"),
            ("/a/$/b", "without the name of a variable"),
            ("/a/${A_1", "without the name of a variable"),
        ] {
            let told = expand(text, known).unwrap_err();
            assert!(told.contains(reason), "{told}");
        }
    }

    #[test]
    fn the_folder_is_made_and_filled() {
        let folder = Folder::new();
        let name = folder.0.join("state").join("agent");
        let state = StateDir::open(name.to_str().unwrap()).unwrap();
        assert_eq!(StateDir::open(name.to_str().unwrap()).unwrap(), state);
        let web = Ipv4Addr::new(127, 0, 42, 101);
        let zone = Zone::new([("web", web), ("www.test", web)]);
        let other = folder.file("aliases", b"mail mail.example.com\n");
        state.write(&zone, Some(&other)).unwrap();
        // The next agent may have ours as its own.
        state.write(&zone, Some(&state.host_aliases())).unwrap();
        state.write(&zone, Some(&folder.0.join("absent"))).unwrap();
        state.write(&zone, Some(&other)).unwrap();
        let read = |name| fs::read_to_string(state.path().join(name)).unwrap();
        assert_eq!(read("hosts"), "127.0.42.101 web\n127.0.42.101 www.test\n");
        assert_eq!(
            read("hostaliases"),
            "web 127.0.42.101.nip.io\nmail mail.example.com\n"
        );
        assert!(read("README.md").contains("hostaliases"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(state.path()), 0o700);
            assert_eq!(mode(&state.host_aliases()), 0o600);
        }
    }

    #[test]
    fn the_variables_go_when_the_network_does() {
        let folder = Folder::new();
        let state = StateDir::open(folder.0.to_str().unwrap()).unwrap();
        let variable = |value: &str| [("http_proxy".to_owned(), value.to_owned())];
        state.write_env(&variable("http://127.0.0.1:1")).unwrap();
        let path = folder.0.join("env");
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "http_proxy=http://127.0.0.1:1\n"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert!(state.write_env(&variable("a\nb")).is_err());
        let mine = [(AGENT.to_owned(), "me".to_owned())];
        state.write_env(&mine).unwrap();
        state.remove_env("another").unwrap();
        assert_eq!(
            read_env(folder.0.to_str().unwrap()),
            Ok(Some(mine.to_vec()))
        );
        state.remove_env("me").unwrap();
        state.remove_env("me").unwrap();
        assert!(folder.names().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn what_others_could_have_written_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new();
        let name = folder.0.to_str().unwrap();
        fs::write(
            folder.0.join("env"),
            "http_proxy=x\nLD_PRELOAD=/x\nid;id=1\n",
        )
        .unwrap();
        let known = vec![("http_proxy".to_owned(), "x".to_owned())];
        assert_eq!(read_env(name), Ok(Some(known)));
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(read_env(name).unwrap_err().contains("chmod go-w"));
        assert!(StateDir::open(name).unwrap_err().contains("other users"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = Folder::new();
        let file = folder.file("file", b"");
        let name = file.join("agent");
        let reason = StateDir::open(name.to_str().unwrap()).unwrap_err();
        assert!(reason.starts_with("cannot make the folder "), "{reason}");
        assert!(
            reason.ends_with("choose another with stateDir.pathOnAgent"),
            "{reason}"
        );
    }
}
