//! The demo: a network that needs nothing but this program.
//!
//! The hosts of its manifest are child processes of the same program. The manifest runs like any other, so the demo's
//! hosts reach the network in the same way as all hosts.

mod host;
mod page;
mod peer;

use std::{
    fmt::Write as _,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener},
    path::Path,
    process::{Command, Stdio},
};

pub use self::{
    host::{Host, probe},
    peer::Peer,
};
use super::system::describe;

/// The VIP of the person's own machine, and the names and VIPs of the three hosts with a page.
const LAPTOP: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 100);
const HOSTS: [(&str, Ipv4Addr); 3] = [
    ("kitchen", Ipv4Addr::new(127, 0, 42, 101)),
    ("cellar", Ipv4Addr::new(127, 0, 42, 102)),
    ("attic", Ipv4Addr::new(127, 0, 42, 103)),
];

/// The ports that are tried for the pages. The first one that is free at the addresses of all three hosts is used.
const PORTS: std::ops::Range<u16> = 8080..8180;

/// The port at which hosts answer DNS questions.
const DNS: u16 = 10_053;

/// The address of a page in a host's own network, where all ports are free.
const PAGE_INSIDE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80);

/// The demo in the variant that can run on this machine.
#[derive(Clone, Debug)]
pub struct Demo {
    /// The text of the demo's manifest.
    pub manifest: String,
    /// Whether the hosts have networks of their own; the error is the reason why they do not.
    pub apart: Result<(), String>,
}

/// Creates the demo. The error is worded for people. With `shared`, the hosts share this machine's loopback even if
/// each could have a network of its own.
pub fn demo(shared: bool) -> Result<Demo, String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("this program cannot find itself: {}", describe(&error)))?;
    let program = program
        .to_str()
        .ok_or("the path of this program is not text; move it elsewhere")?;
    let apart = if shared {
        Err("--shared asks for it".to_owned())
    } else {
        own_networks(Path::new(program))
            .map_err(|reason| format!("a network of its own is not allowed here ({reason})"))
    };
    let manifest = manifest(program, apart.is_ok())
        .map_err(|error| format!("no port can be had on 127.0.0.1: {error}"))?;
    Ok(Demo { manifest, apart })
}

/// Checks whether a host can have a network of its own. Fails with the reason if it cannot. The check starts a process
/// that tries to get such a network, because a system can forbid it in many ways.
fn own_networks(program: &Path) -> Result<(), String> {
    let output = Command::new(program)
        .args(["demo-host", "--probe"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| describe(&error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The manifest of the demo. `apart` says whether the hosts have networks of their own.
fn manifest(program: &str, apart: bool) -> std::io::Result<String> {
    let pages = if apart {
        [PAGE_INSIDE; HOSTS.len()]
    } else {
        free_pages()?
    };
    let vips = HOSTS.into_iter().map(|(_, vip)| vip).chain([LAPTOP]);
    let dns = vips.into_iter().all(|vip| is_free(vip, DNS));
    Ok(write_manifest(program, apart, published_port(), dns, pages))
}

fn write_manifest(
    program: &str,
    apart: bool,
    port: u16,
    dns: bool,
    pages: [SocketAddrV4; HOSTS.len()],
) -> String {
    let dns = if dns {
        ""
    } else {
        "  # Another network answers DNS questions at these addresses.\n  dns: {disable: true}\n"
    };
    let mut text = format!(
        "# What \"norouter demo\" runs. In the place of a command here would stand:\n\
         # ssh -o ControlMaster=no -o ClearAllForwardings=yes kitchen -- norouter\n\
         hostTemplate:\n  stateDir: {{disable: true}}\n{dns}\
         hosts:\n  # No \"cmd\": this machine.\n  laptop:\n    vip: \"{LAPTOP}\"\n"
    );
    for ((name, vip), page) in HOSTS.into_iter().zip(pages) {
        let mut words = vec![program.to_owned(), "demo-host".to_owned()];
        words.extend([format!("--name={name}"), format!("--page={page}")]);
        if apart {
            words.push("--apart".to_owned());
        }
        for (peer, vip) in HOSTS.into_iter().filter(|(peer, _)| *peer != name) {
            words.push(format!("--peer={peer}={vip}:{port}"));
        }
        // Every JSON string is also a valid YAML string with the same meaning.
        let words: Vec<_> = words
            .into_iter()
            .map(|word| format!("\n      - {}", serde_json::Value::String(word)))
            .collect();
        let _ = write!(
            text,
            "  {name}:\n    vip: \"{vip}\"\n    cmd:{}\n    ports: [\"{port}:{page}\"]\n",
            words.concat()
        );
        if !apart {
            text.push_str("    # The addresses are this machine's, where the laptop's agent already listens.\n");
            text.push_str("    loopback: {disable: true}\n");
        }
    }
    text
}

/// A port that is free at the addresses of all hosts.
fn published_port() -> u16 {
    let free = |port: &u16| HOSTS.into_iter().all(|(_, vip)| is_free(vip, *port));
    PORTS.into_iter().find(free).unwrap_or(PORTS.start)
}

/// Whether no program listens on this address.
fn is_free(vip: Ipv4Addr, port: u16) -> bool {
    let address = SocketAddrV4::new(vip, port);
    // Only this error counts. Other errors do not depend on the port, and the network will report them.
    !TcpListener::bind(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// Free ports of this machine, for hosts that share its loopback.
fn free_pages() -> std::io::Result<[SocketAddrV4; HOSTS.len()]> {
    let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    // All listeners stay open until the last port is known, so that all ports differ.
    let held = [
        TcpListener::bind(any)?,
        TcpListener::bind(any)?,
        TcpListener::bind(any)?,
    ];
    let mut pages = [any; HOSTS.len()];
    for (page, listener) in pages.iter_mut().zip(&held) {
        if let SocketAddr::V4(address) = listener.local_addr()? {
            *page = address;
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    const PROGRAM: &str = "/opt/a \"strange\" folder/norouter";

    #[test]
    fn the_manifest_is_one_that_anybody_could_have_written() {
        for apart in [true, false] {
            let text = write_manifest(PROGRAM, apart, 8080, apart, [PAGE_INSIDE; 3]);
            let loaded = plan::load("demo", &text);
            assert_eq!(loaded.report(false), "", "{text}");
            let plan = loaded.plan.unwrap();
            assert_eq!(plan.hosts.len(), 4);
            assert_eq!(plan.hosts[0].start, plan::Start::InProcess);
            let plan::Start::Command(words) = &plan.hosts[3].start else {
                panic!("the attic has no command");
            };
            assert_eq!(words[0], PROGRAM);
            assert_eq!(words.contains(&"--apart".to_owned()), apart);
            assert!(words.ends_with(&["agent".to_owned(), "--automated".to_owned()]));
            assert_eq!(plan.hosts[3].loopback, apart);
            assert!(plan.hosts[0].loopback);
            assert_eq!(plan.hosts[3].dns.is_some(), apart);
        }
    }

    #[test]
    fn pages_that_share_a_machine_have_ports_of_their_own() {
        let mut pages = free_pages().unwrap();
        pages.sort_unstable();
        assert!(pages[0].port() > 0);
        assert!(pages[0] < pages[1] && pages[1] < pages[2], "{pages:?}");
    }
}
