//! What an agent leaves for programs on its host while it runs: hosts files, and the variables that lead to its proxies.

use std::{env, net::SocketAddr, path::PathBuf};

use super::{
    etc_hosts::EtcHosts,
    proxy::PASS_USER,
    state_dir::{AGENT, MISSING, StateDir},
};
use crate::{
    edge::{Files, Proxy},
    secret::Secret,
    text,
    wire::control::ProblemReport,
};

/// What has been written, and is taken back at the end.
#[derive(Default)]
pub(super) struct Notes {
    etc_hosts: Option<EtcHosts>,
    state_dir: Option<StateDir>,
    /// Whose variables are there.
    agent: String,
    /// The number of what was written last.
    newest: Option<u64>,
    /// The agent has ended: nothing is written any more.
    closed: bool,
}

impl Notes {
    /// Writes everything, unless something with a higher number was written already; what cannot be written does not
    /// hinder the rest.
    pub(super) fn write(
        &mut self,
        number: u64,
        files: &Files,
        token: &str,
        pass: &Secret,
    ) -> Option<Vec<ProblemReport>> {
        if self.closed || self.newest.is_some_and(|newest| number < newest) {
            return None;
        }
        self.newest = Some(number);
        let mut problems = Vec::new();
        let agent = format!("{}-{token}", std::process::id());
        self.agent.clone_from(&agent);
        let mut report = |what: &str, reason: String| {
            problems.push(ProblemReport {
                what: what.to_owned(),
                reason,
            });
        };
        // What was written before may stand elsewhere, or not be wanted any more.
        if let Some(Err(reason)) = self
            .state_dir
            .take()
            .map(|folder| folder.remove_env(&agent))
        {
            tracing::warn!("{reason}");
        }
        if !files.etc_hosts
            && let Some(Err(reason)) = self.etc_hosts.take().map(|mut file| file.remove())
        {
            report("take its block out of the hosts file", reason);
        }
        if let Some(name) = &files.state_dir {
            match write_state_dir(name, files, token, pass, &agent) {
                Ok(folder) => self.state_dir = Some(folder),
                Err(reason) => report(&format!("write into the folder {name}"), reason),
            }
        }
        if files.etc_hosts {
            let mut etc_hosts = EtcHosts::of_this_host();
            match etc_hosts.put(&files.zone) {
                Ok(put) => {
                    for name in put.left_out {
                        report("write a name into the hosts file", name.to_string());
                    }
                }
                Err(reason) => report("write the hosts file", reason),
            }
            // Even a part of it has to go again.
            self.etc_hosts = Some(etc_hosts);
        }
        Some(problems)
    }

    /// Takes back what would lead into a network that is gone.
    pub(super) fn remove(&mut self) {
        self.closed = true;
        let etc_hosts = self.etc_hosts.take().map(|mut file| file.remove());
        let state_dir = self
            .state_dir
            .take()
            .map(|folder| folder.remove_env(&self.agent));
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
    name: &str,
    files: &Files,
    token: &str,
    pass: &Secret,
    agent: &str,
) -> Result<StateDir, String> {
    let folder = StateDir::open(name)?;
    let others = env::var_os("HOSTALIASES").map(PathBuf::from);
    folder.write(&files.zone, others.as_deref())?;
    let mut variables = variables(files, &folder, token, pass);
    variables.push((AGENT.to_owned(), agent.to_owned()));
    folder.write_env(&variables)?;
    Ok(folder)
}

/// The variables that lead programs into the network. They name only proxies that listen; with the user and password in
/// them a program shows that somebody has sent it who may read this file.
fn variables(
    files: &Files,
    folder: &StateDir,
    token: &str,
    pass: &Secret,
) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let mut set = |names: &[&str], value: &str| {
        variables.extend(
            names
                .iter()
                .map(|name| ((*name).to_owned(), value.to_owned())),
        );
    };
    if let Some(http) = &files.http {
        let place = reached_at(http);
        let url = format!("http://{place}");
        set(
            &["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"],
            &format!("http://{PASS_USER}:{}@{place}", pass.reveal()),
        );
        set(&["NOROUTER_STATUS_PAGE"], &format!("{url}/{token}/"));
        set(&["NOROUTER_PAC"], &format!("{url}/proxy.pac"));
    }
    if let Some(socks) = &files.socks {
        // "h": names are resolved by the proxy.
        let place = reached_at(socks);
        set(
            &["all_proxy", "ALL_PROXY"],
            &format!("socks5h://{PASS_USER}:{}@{place}", pass.reveal()),
        );
    }
    if files.http.is_some() || files.socks.is_some() {
        set(&["no_proxy", "NO_PROXY"], "localhost,127.0.0.1,::1");
    }
    if !files.missing.is_empty() {
        // One line, in which nothing can be taken for another variable.
        set(&[MISSING], &text::escape(&files.missing.join("; ")));
    }
    set(
        &["HOSTALIASES"],
        &folder.host_aliases().display().to_string(),
    );
    variables
}

/// The address under which programs of this host reach a proxy.
fn reached_at(proxy: &Proxy) -> SocketAddr {
    let mut address = proxy.listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
