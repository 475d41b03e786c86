//! Shell commands that set the variables for a host's proxies.

use std::path::Path;

use norouter::{
    driver::{agent::state_dir, system::shell::Shell},
    plan::{HostPlan, Plan, Start},
    proxy,
    view::no_such_host,
};

use crate::desk::Desk;

/// Shell commands that set variables. With these variables, programs on this machine or on a host reach the network.
pub(crate) fn env_script(desk: &Desk, shell: &str, host: Option<&str>) -> Result<String, String> {
    let shell = match shell {
        "posix" => Shell::Posix,
        "fish" => Shell::Fish,
        "powershell" => Shell::Powershell,
        "cmd" => Shell::Cmd,
        _ => return Err("the shell is one of posix, fish, powershell and cmd".to_owned()),
    };
    desk.client()?;
    let plan = desk.plan_now().ok_or("the manifest cannot be read")?;
    let wanted = |it: &&HostPlan| match host {
        Some(host) => it.name.as_str() == host,
        None => it.start == Start::InProcess,
    };
    let found = plan.hosts.iter().find(wanted);
    let found = found.ok_or_else(|| match host {
        Some(host) => no_such_host(host),
        None => "this machine is not a host of this network".to_owned(),
    })?;
    let meant = proxies(&plan, found);
    let pid = desk.network().map(|network| network.pid);
    let variables = match (&found.start, &found.state_dir, pid) {
        (Start::InProcess, Some(folder), Some(pid)) => written(folder, pid, &meant)?,
        _ => None,
    };
    let variables = variables.unwrap_or(meant);
    if variables.is_empty() {
        let name = &found.name;
        return Err(format!(
            "{name} has no proxy; give it \"http\" or \"socks\" in the manifest"
        ));
    }
    Ok(variables
        .iter()
        .map(|(name, value)| shell.set(name, value))
        .collect())
}

/// The variables that the agent of this machine has written. They may contain a password for the agent's proxies that
/// is not in the manifest. `None` if another agent has written the variables last: several agents may share the folder,
/// and this process may run the agents of several networks.
fn written(
    folder: &str,
    pid: u32,
    meant: &[(String, String)],
) -> Result<Option<Vec<(String, String)>>, String> {
    let theirs = state_dir::folder_of(folder, pid);
    let Some(theirs) = theirs.as_deref().and_then(Path::to_str) else {
        return Ok(None);
    };
    let found = state_dir::read_env(theirs)?.unwrap_or_default();
    let (own, meant) = (places(&found), places(meant));
    // An agent that could not open a proxy writes the variable `MISSING` in place of the proxy.
    let is_lacking = found.iter().any(|(name, _)| name == state_dir::MISSING);
    if own == meant || (is_lacking && own.iter().all(|place| meant.contains(place))) {
        state_dir::proven_env(theirs)
    } else {
        Ok(None)
    }
}

/// The addresses of the proxies in these variables, without users and passwords.
fn places(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    let is_proxy = |name: &str| ["http_proxy", "NOROUTER_SOCKS"].contains(&name);
    let found = variables.iter().filter(|(name, _)| is_proxy(name));
    let mut places: Vec<_> = found
        .map(|(name, url)| {
            let (_, rest) = url.split_once("://").unwrap_or(("", url));
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            (name.as_str(), place)
        })
        .collect();
    places.sort_unstable();
    places
}

/// The variables for a host's proxies, according to the manifest.
fn proxies(plan: &Plan, host: &HostPlan) -> Vec<(String, String)> {
    let proxies = [&host.http, &host.socks];
    let [http, socks] = proxies.map(|proxy| proxy.as_ref().map(|proxy| proxy.listen));
    let listens = |_: &&HostPlan| host.loopback;
    let direct = plan.hosts.iter().filter(listens);
    let direct = direct.map(|host| host.vip.address()).collect();
    proxy::variables(http, socks, None, &direct)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn variables_lead_to_the_proxies_of_the_host() {
        let text =
            "hosts: {a: {http: {listen: '127.0.0.1:18080'}, socks: {listen: '127.0.0.1:18081'}}}";
        let plan = norouter::plan::load("n.yaml", text).plan.unwrap();
        let variables = proxies(&plan, &plan.hosts[0]);
        let value = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(value("http_proxy"), Some("http://127.0.0.1:18080"));
        assert_eq!(value("all_proxy"), None);
        assert_eq!(value("NOROUTER_SOCKS"), Some("socks5h://127.0.0.1:18081"));
        let vip = plan.hosts[0].vip;
        let exempt = format!("localhost,.localhost,127.0.0.1,::1,{vip}");
        assert_eq!(value("NO_PROXY"), Some(exempt.as_str()));
    }

    #[test]
    fn the_variables_of_another_agent_in_the_same_folder_are_left_alone() {
        let folder = Folder::new("env");
        let state = folder.path("agent");
        fs::create_dir(&state).unwrap();
        let write = |text: &str| fs::write(state.join("env"), text).unwrap();
        let text = "hosts: {a: {http: {listen: '127.0.0.1:18080'}}}";
        let plan = norouter::plan::load("n.yaml", text).plan.unwrap();
        let meant = proxies(&plan, &plan.hosts[0]);
        let state = state.to_str().unwrap();
        // This was written by an agent of another process, which has no proxy.
        write("HOSTALIASES=/x\nNOROUTER_AGENT=8-1\n");
        assert_eq!(written(state, 7, &meant), Ok(None));
        // This was written by an agent of another network in this process, with another proxy.
        write("http_proxy=http://a:b@127.0.0.1:18081\nNOROUTER_AGENT=7-1\n");
        assert_eq!(written(state, 7, &meant), Ok(None));
        // This was written by our agent. Nothing listens at its proxy, so an error is returned in place of the
        // variables.
        write("http_proxy=http://a:b@127.0.0.1:18080\nNOROUTER_AGENT=7-1\n");
        let told = written(state, 7, &meant);
        if cfg!(target_os = "linux") {
            assert!(told.unwrap_err().contains("127.0.0.1:18080"));
        } else {
            assert!(told.unwrap().is_some());
        }
    }
}
