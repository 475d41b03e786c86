//! Figures for Prometheus, in its text format 0.0.4.

use std::fmt::Write as _;

use crate::view::{HostState, HostView, NetworkView};

/// All figures of a network in its present state.
pub(super) fn text(network: &NetworkView, flows: usize) -> String {
    let mut out = String::new();
    let of = label("network", &network.network);
    head(
        &mut out,
        "norouter_info",
        "gauge",
        "The manager that runs the network.",
    );
    let version = label("version", &network.version);
    let _ = writeln!(out, "norouter_info{{{of},{version}}} 1");
    head(
        &mut out,
        "norouter_uptime_seconds",
        "gauge",
        "Seconds since the manager was started.",
    );
    let uptime = std::time::Duration::from_millis(network.uptime_ms).as_secs_f64();
    let _ = writeln!(out, "norouter_uptime_seconds{{{of}}} {uptime}");
    head(
        &mut out,
        "norouter_flows",
        "gauge",
        "Connections inside the network.",
    );
    let _ = writeln!(out, "norouter_flows{{{of}}} {flows}");
    let mut each = |name: &str, kind: &str, help: &str, figure: &dyn Fn(&HostView) -> u64| {
        head(&mut out, name, kind, help);
        for host in &network.snapshot.hosts {
            let host_label = label("host", &host.name);
            let _ = writeln!(out, "{name}{{{of},{host_label}}} {}", figure(host));
        }
    };
    each(
        "norouter_host_up",
        "gauge",
        "1 if connections can reach the host.",
        &|host| host.state.is_up().into(),
    );
    each(
        "norouter_host_flows",
        "gauge",
        "Connections that begin or end at the host.",
        &|host| host.traffic.flows as u64,
    );
    each(
        "norouter_host_sent_bytes_total",
        "counter",
        "Bytes of packets that the host has sent into the network.",
        &|host| host.traffic.bytes_from,
    );
    each(
        "norouter_host_received_bytes_total",
        "counter",
        "Bytes of packets that were sent to the host.",
        &|host| host.traffic.bytes_to,
    );
    each(
        "norouter_host_refused_packets_total",
        "counter",
        "Packets of the host that were dropped or refused.",
        &|host| host.traffic.refused,
    );
    each(
        "norouter_host_malformed_packets_total",
        "counter",
        "Refused packets that were not packets of this network.",
        &|host| host.traffic.malformed,
    );
    each(
        "norouter_host_spoofed_packets_total",
        "counter",
        "Refused packets that the host has sent with the address of another host.",
        &|host| host.traffic.spoofed,
    );
    each(
        "norouter_host_stray_packets_total",
        "counter",
        "Refused packets that did not belong to a connection.",
        &|host| host.traffic.stray,
    );
    each(
        "norouter_host_shed_packets_total",
        "counter",
        "Packets to the host that were dropped because its queue was too long.",
        &|host| host.traffic.shed,
    );
    head(
        &mut out,
        "norouter_host_state",
        "gauge",
        "1 for the state that the host is in.",
    );
    for host in &network.snapshot.hosts {
        let (name, state) = (label("host", &host.name), label("state", state(host.state)));
        let _ = writeln!(out, "norouter_host_state{{{of},{name},{state}}} 1");
    }
    out
}

/// The value of the label for a state. Dashboards and alerts compare this value, so it must stay the same when the
/// words for people change.
fn state(state: HostState) -> &'static str {
    match state {
        HostState::Waiting => "waiting",
        HostState::NeedsYou => "needs an answer",
        HostState::Refused => "refused",
        HostState::Starting
        | HostState::Greeting
        | HostState::Configuring
        | HostState::Ready
        | HostState::Degraded
        | HostState::Stopped => state.word(),
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n");
    format!("{name}=\"{value}\"")
}
