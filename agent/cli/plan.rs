//! `norouter plan`: shows what a manifest would do, without doing it.

use std::{fmt::Write as _, path::PathBuf};

use serde_json::{Value, json};

use super::{
    error::{Error, Exit},
    input::{Commands, Source},
    output, plan_yaml,
};
use crate::{
    plan::{self, Allow, HostPlan, Plan, Protocol, ProxyPlan, Start},
    route::{Target, policy::Action},
    text::{escape, figures::counted, shell_line},
};

/// The note for entries of the manifest that this version does not serve yet.
const LATER: &str = "  (not served yet)";

/// Show what a manifest would do
///
/// Shows for every host its command, the ports on which it would listen, and where they lead. Values from hostTemplate,
/// and the addresses that NoRouter assigns, are included. Nothing is started. Problems of the manifest go to standard
/// error.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The manifest; "-" is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// List instead what the manifest grants (commands, published ports, proxies, files, names and routes), in one
    /// sentence each
    ///
    /// With --json, the output is the file for "norouter up --require-trust".
    #[arg(long)]
    grants: bool,
    /// Write the plan as JSON
    #[arg(long)]
    json: bool,
    /// Write a manifest that means the same, with all addresses, and with hostTemplate, anchors and merge keys resolved
    #[arg(long, conflicts_with_all = ["grants", "json"])]
    yaml: bool,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let loaded = Source::of(args.file.as_deref())?.load(commands)?;
    if !loaded.problems.is_empty() {
        output::talk(&loaded.report(true));
    }
    let Some(plan) = &loaded.plan else {
        return Err(Error::new(
            Exit::InvalidManifest,
            format!("{} cannot be run", loaded.file_name),
        ));
    };
    if args.grants {
        let grants = plan::grants(plan);
        if args.json {
            output::json(&json!(grants))?;
        } else {
            let lines = grants.iter().map(|grant| format!("{grant}\n"));
            output::data(&lines.collect::<String>())?;
        }
    } else if args.yaml {
        output::data(&plan_yaml::of(&loaded, plan)?)?;
    } else if args.json {
        output::json(&as_json(plan))?;
    } else {
        output::data(&as_text(plan))?;
    }
    Ok(Exit::Ok)
}

fn as_text(plan: &Plan) -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = String::new();
    for host in &plan.hosts {
        let aliases: String = host
            .aliases
            .iter()
            .fold(String::new(), |all, alias| format!("{all}, {alias}"));
        let _ = writeln!(
            text,
            "{bold}{}{bold:#}{aliases} at {bold}{}{bold:#}",
            host.name, host.vip
        );
        for (what, value) in facts(plan, host) {
            let _ = writeln!(text, "  {what:<10} {value}");
        }
        text.push('\n');
    }
    for route in plan.routes.iter() {
        let via: Vec<String> = route.via.iter().map(|via| plan.name_of(*via)).collect();
        let except = match texts(&route.not_to).join(", ") {
            none if none.is_empty() => none,
            except => format!(" except {except}"),
        };
        let _ = writeln!(
            text,
            "{bold}{}{bold:#}{except} through {}",
            texts(&route.to).join(", "),
            via.join(", else ")
        );
    }
    if plan.routes.iter().next().is_some() {
        text.push('\n');
    }
    if !plan.policy.is_open() {
        let rest = match plan.policy.default_action() {
            Action::Allow => "allows",
            Action::Deny => "denies",
        };
        let _ = writeln!(
            text,
            "{bold}policy{bold:#} of {}, {rest} everything else; norouter check --matrix shows who may reach what\n",
            counted(plan.policy.rules().len(), "rule")
        );
    }
    let ports = plan
        .hosts
        .iter()
        .map(|host| tcp_addresses(host).count())
        .sum();
    let _ = writeln!(
        text,
        "{}, {}",
        counted(plan.hosts.len(), "host"),
        counted(ports, "published port")
    );
    text
}

/// The lines about one host, each with a keyword and its explanation.
fn facts(plan: &Plan, host: &HostPlan) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.push(match &host.start {
        Start::InProcess => ("runs", "on this machine, inside norouter itself".to_owned()),
        Start::Command(_) | Start::Shell(_) | Start::Chosen(_) => {
            ("runs", shell_line(&host.start.shown()))
        }
    });
    if let Some(instead) = host.start.shown_instead() {
        facts.push((
            "or runs",
            format!(
                "{}  (if no usable norouter is found there)",
                shell_line(&instead)
            ),
        ));
    }
    let lookups = host.start.lookups();
    facts.extend(lookups.iter().map(|words| ("chosen by", shell_line(words))));
    for forward in &host.forwards {
        let listen = host.vip.socket(forward.listen_port);
        let note = match forward.protocol {
            Protocol::Tcp => "",
            Protocol::Udp => LATER,
        };
        facts.push((
            "publishes",
            format!("{listen}/{} -> {}{note}", forward.protocol, forward.target),
        ));
    }
    let addresses = listen_addresses(plan, host).len();
    let listens = match addresses {
        _ if !host.loopback => "on no loopback address (loopback is disabled)".to_owned(),
        0 => "on no loopback address (nothing is published)".to_owned(),
        1 => format!("on its loopback at the published port{}", users(host.allow)),
        many => format!(
            "on its loopback at all {many} published ports of the network{}",
            users(host.allow)
        ),
    };
    facts.push(("listens", listens));
    for (proxy, what) in [(&host.http, "an HTTP"), (&host.socks, "a SOCKS")] {
        let Some(proxy) = proxy else { continue };
        let users = match &proxy.credentials {
            Some(file) => format!(" for the users in {}", escape(file)),
            None => users(proxy.allow).to_owned(),
        };
        facts.push((
            "listens",
            format!("on {} as {what} proxy{users}", proxy.listen),
        ));
    }
    if let Some(port) = host.dns {
        facts.push((
            "answers",
            format!("DNS questions at {}", host.vip.socket(port)),
        ));
    }
    if let Some(folder) = &host.state_dir {
        facts.push(("writes", format!("hosts files into {}", escape(folder))));
    }
    if host.write_etc_hosts {
        facts.push(("writes", "/etc/hosts".to_owned()));
    }
    facts
}

/// A note about the users who may connect; empty if programs of every user may connect.
fn users(allow: Allow) -> &'static str {
    match allow {
        Allow::SameUser => ", for programs of its own user",
        Allow::Any => "",
    }
}

fn tcp_addresses(host: &HostPlan) -> impl Iterator<Item = String> {
    host.forwards
        .iter()
        .filter(|forward| forward.protocol == Protocol::Tcp)
        .map(|forward| host.vip.socket(forward.listen_port).to_string())
}

/// The addresses on which the host's agent listens on the real loopback interface.
fn listen_addresses(plan: &Plan, host: &HostPlan) -> Vec<String> {
    if host.loopback {
        plan.hosts.iter().flat_map(tcp_addresses).collect()
    } else {
        Vec::new()
    }
}

fn texts(targets: &[Target]) -> Vec<String> {
    targets.iter().map(ToString::to_string).collect()
}

fn as_json(plan: &Plan) -> Value {
    let hosts: Vec<Value> = plan
        .hosts
        .iter()
        .map(|host| host_json(plan, host))
        .collect();
    let routes: Vec<Value> = plan
        .routes
        .iter()
        .map(|route| {
            json!({
                "via": route.via.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "viaNames": route.via.iter().map(|via| plan.name_of(*via)).collect::<Vec<_>>(),
                "to": texts(&route.to),
                "notTo": texts(&route.not_to),
            })
        })
        .collect();
    let policy = (!plan.policy.is_open()).then(|| plan.matrix());
    json!({ "hosts": hosts, "routes": routes, "policy": policy })
}

fn host_json(plan: &Plan, host: &HostPlan) -> Value {
    let publishes: Vec<Value> = host
        .forwards
        .iter()
        .map(|forward| {
            json!({
                "listen": host.vip.socket(forward.listen_port).to_string(),
                "connect": forward.target.to_string(),
                "protocol": forward.protocol.to_string(),
            })
        })
        .collect();
    json!({
        "name": host.name.as_str(),
        "aliases": host.aliases.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "vip": host.vip.to_string(),
        "command": host.start.words(),
        "shellCommand": host.start.through_the_shell(),
        "lookups": host.start.lookups(),
        "publishes": publishes,
        "listens": listen_addresses(plan, host),
        "allow": host.allow.to_string(),
        "http": host.http.as_ref().map(proxy_json),
        "socks": host.socks.as_ref().map(proxy_json),
        "dns": host.dns.map(|port| host.vip.socket(port).to_string()),
        "stateDir": host.state_dir,
        "writeEtcHosts": host.write_etc_hosts,
    })
}

fn proxy_json(proxy: &ProxyPlan) -> Value {
    json!({
        "listen": proxy.listen.to_string(),
        "credentials": proxy.credentials,
        "allow": proxy.allow.to_string(),
    })
}
