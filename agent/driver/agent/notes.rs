//! Writes files for other programs on the host while the agent runs: hosts files, and the variables that lead programs
//! to the agent's proxies.

use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{
    etc_hosts::{self, EtcHosts},
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

/// What does not work on a host without the usual folder.
const WITHOUT: &str = "until then \"norouter env\" and \"norouter exec\" do not work there";

/// The files that were written, and that have to be removed at the end.
#[derive(Default)]
pub(super) struct Notes {
    etc_hosts: Option<EtcHosts>,
    state_dir: Option<StateDir>,
    /// The name of the agent in the variables file.
    agent: String,
    /// What does not work, except with the hosts file.
    problems: Vec<ProblemReport>,
    /// All problems that were returned last.
    told: Vec<ProblemReport>,
    /// Whether the agent has ended. Then nothing is written any more.
    closed: bool,
}

impl Notes {
    /// Writes all files, and returns the problems. `None` if nothing was written, because the agent has ended. A file
    /// that cannot be written does not keep the other files from being written.
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
        let mut problems = Vec::new();
        let agent = format!("{}-{token}", std::process::id());
        self.agent.clone_from(&agent);
        let mut report = |code: ProblemCode, what: &str, reason: String| {
            problems.push(ProblemReport {
                what: what.to_owned(),
                reason,
                remedy: (code == ProblemCode::NoFiles).then(|| WITHOUT.to_owned()),
                code: Some(code),
                ..ProblemReport::default()
            });
        };
        let vip = me.address();
        let host = file_name(&files.zone, vip);
        // The folder of an earlier write is kept only if it is still in its place and is the folder that is requested
        // now. A subfolder of another agent's folder is given up at every write, because the outer folder may be free
        // now.
        let stays = |folder: &StateDir| {
            let wanted = files.state_dir.as_ref().map(|name| expanded(name));
            folder.is_there() && wanted.is_some_and(|wanted| wanted.as_deref() == Ok(folder.path()))
        };
        if let Some(folder) = self.state_dir.take_if(|folder| !stays(folder))
            && let Err(reason) = folder.remove_files(&agent)
        {
            tracing::warn!("{reason}");
        }
        let is_over = |file: &EtcHosts| !files.etc_hosts || !file.is_of(&host, vip);
        if let Some(mut file) = self.etc_hosts.take_if(|file| is_over(file))
            && let Err(reason) = file.remove()
        {
            report(
                ProblemCode::Files,
                "take its block out of the hosts file",
                reason,
            );
        }
        if let Some(name) = &files.state_dir {
            let folder = match self.state_dir.take() {
                Some(folder) => Ok(folder),
                None => StateDir::open(name, &host),
            };
            let folder = folder.map(|folder| self.state_dir.insert(folder));
            let written = folder.and_then(|folder| {
                write_state_dir(folder, files, token, pass, &agent)?;
                folder.elsewhere(name).map_or(Ok(()), Err)
            });
            // Nobody has asked for the default folder, so the host does without it.
            let is_usual = name == state_dir::DEFAULT && self.state_dir.is_none();
            match written {
                Err(reason) if is_usual => {
                    let what = "write the files for programs of this host";
                    report(ProblemCode::NoFiles, what, reason);
                }
                Err(reason) => {
                    let what = format!("write into the folder {name}");
                    report(ProblemCode::Files, &what, reason);
                }
                Ok(()) => {}
            }
        }
        if files.etc_hosts {
            let etc_hosts = self
                .etc_hosts
                .get_or_insert_with(|| EtcHosts::new(etc_hosts::default_path(), &host, vip));
            if let Err(reason) = etc_hosts.put(&files.zone) {
                tracing::debug!("the hosts file is not written: {reason}");
            }
        }
        self.problems = problems;
        self.told = self.all_problems(now);
        Some(self.told.clone())
    }

    /// Whether there is a block in the hosts file to look after.
    pub(super) fn has_hosts_file(&self) -> bool {
        self.etc_hosts.is_some()
    }

    /// Writes the block in the hosts file again if another program has removed it, and returns all problems if they
    /// have changed.
    pub(super) fn look(&mut self, now: Instant) -> Option<Vec<ProblemReport>> {
        self.etc_hosts.as_mut()?.look(now);
        let all = self.all_problems(now);
        let before = std::mem::replace(&mut self.told, all);
        (before != self.told).then(|| self.told.clone())
    }

    fn all_problems(&self, now: Instant) -> Vec<ProblemReport> {
        let etc_hosts = self.etc_hosts.iter().flat_map(|file| file.problems(now));
        self.problems.iter().cloned().chain(etc_hosts).collect()
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

/// The variables that lead programs to the network's proxies. Only proxies that work are in them. A program sends the
/// user and password in these variables to prove that it was started by somebody who may read the file.
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
        // The value has no line breaks, so that no part of it can be read as another variable.
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
