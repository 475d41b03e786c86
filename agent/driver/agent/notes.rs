//! Writes files for other programs on the host while the agent runs: hosts files, and the variables that lead programs
//! to the agent's proxies.

use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{
    etc_hosts::{self, AGAIN_WORDS, EtcHosts},
    state_dir::{self, AGENT, MISSING, StateDir, expanded},
};
use crate::{
    addr::Vip,
    edge::Files,
    names::Zone,
    proxy::{self, variables::USER},
    secret::Secret,
    text,
    time::Instant,
    wire::control::{ProblemCode, ProblemReport},
};

/// The last part of the message for a host whose default folder cannot be used.
const WITHOUT: &str = "and until then \"norouter env\" and \"norouter exec\" do not work there";

/// Writes the files, and knows which files have to be removed at the end.
#[derive(Default)]
pub(super) struct Notes {
    etc_hosts: Option<EtcHosts>,
    state_dir: Option<StateDir>,
    /// The name of the agent in the variables file.
    agent: String,
    /// Why the block of an earlier configuration is still in the hosts file.
    not_removed: Option<ProblemReport>,
    /// Why the files are not in the state folder.
    not_written: Option<ProblemReport>,
    /// All problems that were returned last.
    told: Vec<ProblemReport>,
    /// Whether the agent has ended. After that, nothing is written.
    closed: bool,
}

impl Notes {
    /// Writes all files, and returns the problems. `None` if nothing was written, because the agent has ended. If one
    /// file cannot be written, the other files are written nevertheless.
    pub(super) fn write(
        &mut self,
        now: Instant,
        me: Vip,
        files: &Files,
        token: &str,
        pass: &Secret,
    ) -> Option<Vec<ProblemReport>> {
        if self.closed {
            return None;
        }
        let agent = agent_name(token);
        self.agent.clone_from(&agent);
        let vip = me.address();
        let host = file_name(&files.zone, vip);
        // The folder of an earlier write is kept only if it is still in its place and is the requested folder. A
        // subfolder of another agent's folder is given up at every write, because the other agent may have left the
        // outer folder.
        let stays = |folder: &StateDir| {
            let wanted = files.state_dir.as_ref().map(|name| expanded(name));
            folder.is_there() && wanted.is_some_and(|wanted| wanted.as_deref() == Ok(folder.path()))
        };
        if let Some(folder) = self.state_dir.take_if(|folder| !stays(folder))
            && let Err(reason) = folder.remove_files(&agent)
        {
            tracing::warn!("{reason}");
        }
        self.not_removed = None;
        let is_over = |file: &EtcHosts| !files.etc_hosts || !file.is_of(&host, vip);
        if let Some(mut file) = self.etc_hosts.take_if(|file| is_over(file))
            && let Err(reason) = file.remove()
        {
            self.not_removed = Some(ProblemReport {
                what: "take its block out of the hosts file".to_owned(),
                reason,
                code: Some(ProblemCode::Files),
                ..ProblemReport::default()
            });
        }
        self.not_written = self.write_folder(me, files, token, pass);
        if files.etc_hosts {
            let etc_hosts = self
                .etc_hosts
                .get_or_insert_with(|| EtcHosts::new(etc_hosts::default_path(), &host, vip));
            put(etc_hosts, files);
        }
        self.told = self.problems(now);
        Some(self.told.clone())
    }

    /// Tries again to write the files that could not be written. Returns all problems if they have changed.
    pub(super) fn retry(
        &mut self,
        now: Instant,
        me: Vip,
        files: &Files,
        token: &str,
        pass: &Secret,
    ) -> Option<Vec<ProblemReport>> {
        if self.closed {
            return None;
        }
        if self.not_written.is_some() {
            self.not_written = self.write_folder(me, files, token, pass);
        }
        if let Some(etc_hosts) = self.etc_hosts.as_mut().filter(|file| file.has_failed()) {
            put(etc_hosts, files);
        }
        self.changed_problems(now)
    }

    /// Whether something could not be written. If so, [`Notes::retry`] has to try again.
    pub(super) fn has_failed(&self) -> bool {
        self.not_written.is_some() || self.etc_hosts.as_ref().is_some_and(EtcHosts::has_failed)
    }

    /// Writes the files in the state folder, and returns the problem if they cannot be written.
    fn write_folder(
        &mut self,
        me: Vip,
        files: &Files,
        token: &str,
        pass: &Secret,
    ) -> Option<ProblemReport> {
        let name = files.state_dir.as_ref()?;
        let folder = match self.state_dir.take() {
            Some(folder) => Ok(folder),
            None => StateDir::open(name, &file_name(&files.zone, me.address())),
        };
        let folder = folder.map(|folder| self.state_dir.insert(folder));
        let written = folder.and_then(|folder| {
            write_state_dir(folder, files, token, pass, &agent_name(token))?;
            folder.elsewhere(name).map_or(Ok(()), Err)
        });
        let reason = written.err()?;
        // The manifest has not asked for the default folder, so this problem has a code of its own: the host lacks
        // nothing that was asked for.
        let is_usual = name == state_dir::DEFAULT && self.state_dir.is_none();
        Some(if is_usual {
            ProblemReport {
                what: "write the files for programs of this host".to_owned(),
                reason,
                remedy: Some(format!("{AGAIN_WORDS}, {WITHOUT}")),
                code: Some(ProblemCode::NoFiles),
                ..ProblemReport::default()
            }
        } else {
            ProblemReport {
                what: format!("write into the folder {name}"),
                reason,
                remedy: Some(AGAIN_WORDS.to_owned()),
                code: Some(ProblemCode::Files),
                ..ProblemReport::default()
            }
        })
    }

    /// Whether there is a block in the hosts file to look after.
    pub(super) fn has_hosts_file(&self) -> bool {
        self.etc_hosts.is_some()
    }

    /// If another program has removed the block in the hosts file, writes it again. Returns all problems if they have
    /// changed.
    pub(super) fn look(&mut self, now: Instant) -> Option<Vec<ProblemReport>> {
        self.etc_hosts.as_mut()?.look(now);
        self.changed_problems(now)
    }

    /// All problems, if they are not those that were returned last.
    fn changed_problems(&mut self, now: Instant) -> Option<Vec<ProblemReport>> {
        let all = self.problems(now);
        let before = std::mem::replace(&mut self.told, all);
        (before != self.told).then(|| self.told.clone())
    }

    fn problems(&self, now: Instant) -> Vec<ProblemReport> {
        let etc_hosts = self.etc_hosts.iter().flat_map(|file| file.problems(now));
        let others = self.not_removed.iter().chain(&self.not_written);
        others.cloned().chain(etc_hosts).collect()
    }

    /// Removes the files that would lead programs into a network that is gone.
    pub(super) fn remove(&mut self) {
        self.closed = true;
        let etc_hosts = self.etc_hosts.take().map(|mut file| file.remove());
        let state_dir = self
            .state_dir
            .take()
            .map(|folder| folder.remove_files(&self.agent));
        for reason in [etc_hosts, state_dir]
            .into_iter()
            .flatten()
            .filter_map(Result::err)
        {
            tracing::warn!("{reason}");
        }
    }
}

/// The name of this agent in the variables file.
fn agent_name(token: &str) -> String {
    format!("{}-{token}", std::process::id())
}

fn put(etc_hosts: &mut EtcHosts, files: &Files) {
    if let Err(reason) = etc_hosts.put(&files.zone) {
        tracing::debug!("the hosts file is not written: {reason}");
    }
}

fn write_state_dir(
    folder: &StateDir,
    files: &Files,
    token: &str,
    pass: &Secret,
    agent: &str,
) -> Result<(), String> {
    let others = env::var_os("HOSTALIASES").map(PathBuf::from);
    folder.write(&files.zone, others.as_deref())?;
    let [http, socks] = listening(files);
    folder.write_proxychains(proxy::variables::proxychains(http, socks, (USER, pass)))?;
    let mut variables = variables(files, folder, token, pass);
    variables.push((AGENT.to_owned(), agent.to_owned()));
    folder.write_env(&variables)
}

/// The name of this host if that is a single word that can be part of a file name; otherwise the VIP.
fn file_name(zone: &Zone, me: Ipv4Addr) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_word = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && name.chars().all(fits)
    };
    let name = zone.name(me).filter(is_word);
    name.map_or_else(|| me.to_string(), str::to_owned)
}

/// The variables that lead programs to the working proxies of the network. A program sends the user and password in
/// these variables to a proxy. In this way, it proves that it was started by somebody who may read the file.
fn variables(
    files: &Files,
    folder: &StateDir,
    token: &str,
    pass: &Secret,
) -> Vec<(String, String)> {
    let [http, socks] = listening(files);
    let mut variables = proxy::variables(http, socks, Some((USER, pass)), &files.direct);
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    if let Some(http) = http.or(socks) {
        let url = format!("http://{}", proxy::reached_at(http));
        set("NOROUTER_STATUS_PAGE", format!("{url}/{token}/"));
    }
    if !files.missing.is_empty() {
        // The value must not have line breaks, because a part of it could be read as another variable.
        set(MISSING, text::escape(&files.missing.join("; ")));
    }
    // If the agent does not listen on any VIP, the aliases would lead programs to addresses at which nobody answers.
    if !files.direct.is_empty() {
        set("HOSTALIASES", folder.host_aliases().display().to_string());
    }
    variables
}

/// The addresses of the HTTP and the SOCKS proxy, if they listen.
fn listening(files: &Files) -> [Option<SocketAddr>; 2] {
    [&files.http, &files.socks].map(|proxy| proxy.as_ref().map(|proxy| proxy.listen))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;

    use super::*;
    use crate::driver::system::files::tests::Folder;

    #[test]
    fn what_could_not_be_written_is_written_as_soon_as_it_can_be() {
        let folder = Folder::new();
        let place = folder.path().join("agent");
        fs::write(&place, "in the way").unwrap();
        let files = Files {
            state_dir: Some(place.to_str().unwrap().to_owned()),
            ..Files::default()
        };
        let me = "127.0.42.1".parse().unwrap();
        let (mut notes, pass) = (Notes::default(), Secret::new("p".to_owned()));
        let now = Instant::ZERO;
        let problems = notes.write(now, me, &files, "t", &pass).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].remedy.as_deref(), Some(AGAIN_WORDS));
        assert!(notes.has_failed());
        // The problems have not changed, so they are not returned again.
        assert_eq!(notes.retry(now, me, &files, "t", &pass), None);
        fs::remove_file(&place).unwrap();
        assert_eq!(notes.retry(now, me, &files, "t", &pass), Some(Vec::new()));
        assert!(!notes.has_failed() && place.join("env").exists());
        notes.remove();
        assert_eq!(notes.retry(now, me, &files, "t", &pass), None);
        assert!(!place.join("env").exists());
    }
}
