//! Shell commands that set the variables for a host's proxies.

use norouter::{
    driver::{agent::state_dir, system::shell::Shell},
    plan::{HostPlan, Plan, Start},
    proxy,
    view::no_such_host,
};

use crate::desk::Desk;

/// Shell commands that set the variables with which programs reach the network, on this machine or on a host.
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
    let written = match (&found.start, &found.state_dir) {
        // On this machine the file that the agent has written is preferred, because it has the addresses that are
        // really in use.
        (Start::InProcess, Some(folder)) => state_dir::proven_env(folder)?,
        _ => None,
    };
    let variables = written.unwrap_or_else(|| proxies(&plan, found));
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
    use super::*;

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
}
