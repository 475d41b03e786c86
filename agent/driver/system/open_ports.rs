//! Lists the ports of this machine on which programs listen for TCP connections.
//!
//! Linux has the list in `/proc/net/tcp` (`proc(5)`), and the programs in the folders of their processes. Other systems
//! have a program that prints the list.

use std::collections::BTreeSet;

use crate::wire::open_ports::{OPEN_PORTS_MAX, OpenPort, OpenPorts};

/// The open ports, without those of this process. The programs of other users may be missing. The function reads many
/// files or runs a program, and is slow.
pub(crate) fn list() -> Result<OpenPorts, String> {
    let me = std::process::id();
    let mut ports: Vec<OpenPort> = platform::list()?
        .into_iter()
        .filter(|port| port.process != Some(me))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    ports.sort_by_key(|port| (port.address.port(), port.address.ip()));
    let more = ports.len().saturating_sub(OPEN_PORTS_MAX) as u64;
    ports.truncate(OPEN_PORTS_MAX);
    Ok(OpenPorts { ports, more })
}

#[cfg(target_os = "linux")]
mod platform {
    use std::{
        collections::{HashMap, HashSet},
        fs, io,
        net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    };

    use crate::{driver::system::error::describe, wire::open_ports::OpenPort};

    /// The state of a socket that listens (`tcp_states.h`), as the table has it.
    const LISTENING: &str = "0A";

    pub(super) fn list() -> Result<Vec<OpenPort>, String> {
        let mut found = Vec::new();
        for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            match fs::read_to_string(table) {
                Ok(text) => found.extend(text.lines().filter_map(listener)),
                // A machine without IPv6 does not have the second table.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{table}: {}", describe(&error))),
            }
        }
        let inodes = found.iter().map(|(_, inode)| *inode).collect();
        let programs = programs(&inodes);
        let ports = found.into_iter().map(|(address, inode)| {
            let (process, program) = programs.get(&inode).cloned().unzip();
            OpenPort {
                address,
                program: program.unwrap_or_default(),
                process,
            }
        });
        Ok(ports.collect())
    }

    /// The address and the inode of a socket that listens; `None` for other lines of the table.
    fn listener(line: &str) -> Option<(SocketAddr, u64)> {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        if fields.nth(1)? != LISTENING {
            return None;
        }
        let inode = fields.nth(5)?.parse().ok()?;
        let (ip, port) = local.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        Some((SocketAddr::new(address(ip)?, port), inode))
    }

    /// An address as the table has it: words of 32 bits in hexadecimal digits, in the byte order of the machine.
    fn address(text: &str) -> Option<IpAddr> {
        let words = text.as_bytes().chunks(8).map(|digits| {
            let digits = str::from_utf8(digits).ok()?;
            Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
        });
        let bytes = words.collect::<Option<Vec<_>>>()?.concat();
        if let Ok(bytes) = <[u8; 4]>::try_from(&bytes[..]) {
            return Some(Ipv4Addr::from(bytes).into());
        }
        let bytes = <[u8; 16]>::try_from(&bytes[..]).ok()?;
        Some(Ipv6Addr::from(bytes).to_canonical())
    }

    /// The processes that have these sockets open, with their programs. If several processes share a socket, as the
    /// workers of a server do, the first one counts.
    fn programs(inodes: &HashSet<u64>) -> HashMap<u64, (u32, String)> {
        let mut found = HashMap::new();
        let mut pids: Vec<u32> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        pids.sort_unstable();
        for pid in pids {
            let files = fs::read_dir(format!("/proc/{pid}/fd"));
            let sockets = files.into_iter().flatten().filter_map(|file| {
                let link = fs::read_link(file.ok()?.path()).ok()?;
                let inode = link
                    .to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .parse()
                    .ok()?;
                inodes.contains(&inode).then_some(inode)
            });
            let sockets: Vec<u64> = sockets.collect();
            if sockets.is_empty() {
                continue;
            }
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            for inode in sockets {
                let program = || (pid, name.trim_end().to_owned());
                found.entry(inode).or_insert_with(program);
            }
        }
        found
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_address_is_read_in_the_byte_order_of_the_machine() {
            let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
            let v4 = word([127, 0, 0, 1]);
            assert_eq!(address(&v4), Some(Ipv4Addr::LOCALHOST.into()));
            let v6 = [word([0; 4]), word([0; 4]), word([0; 4]), word([0, 0, 0, 1])].concat();
            assert_eq!(address(&v6), Some(Ipv6Addr::LOCALHOST.into()));
            for text in ["", "\u{e9}0000001", "0100007F0100007F"] {
                assert_eq!(address(text), None, "{text}");
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::process::{Command, Stdio};

    use crate::{driver::system::error::describe, wire::open_ports::OpenPort};

    #[cfg(windows)]
    const LISTER: (&str, &[&str]) = ("netstat", &["-a", "-n", "-o"]);
    #[cfg(not(windows))]
    const LISTER: (&str, &[&str]) = ("lsof", &["-nP", "-iTCP", "-sTCP:LISTEN", "-Fpcn"]);

    pub(super) fn list() -> Result<Vec<OpenPort>, String> {
        let (program, arguments) = LISTER;
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output();
        let output = output.map_err(|error| format!("{program}: {}", describe(&error)))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(if cfg!(windows) {
            super::of_netstat(&text)
        } else {
            super::of_lsof(&text)
        })
    }
}

/// Reads the output of `lsof -Fpcn`: a line for each field, which begins with the field's letter. A process (`p`) and
/// its command (`c`) come before the names (`n`) of its sockets.
#[cfg(any(test, not(target_os = "linux")))]
fn of_lsof(text: &str) -> Vec<OpenPort> {
    let mut ports = Vec::new();
    let (mut process, mut program) = (None, "");
    for line in text.lines() {
        let Some((field, value)) = line.split_at_checked(1) else {
            continue;
        };
        match field {
            "p" => (process, program) = (value.parse().ok(), ""),
            "c" => program = value,
            "n" => {
                // lsof writes a star for all addresses, of IPv4 and IPv6 alike.
                let address = value.replacen('*', "[::]", 1).parse();
                ports.extend(address.ok().map(|address| OpenPort {
                    address,
                    program: program.to_owned(),
                    process,
                }));
            }
            _ => {}
        }
    }
    ports
}

/// Reads the output of `netstat -a -n -o` of Windows. The name of a state depends on the language of the system, so a
/// listener is recognized by the port 0 at its far end.
#[cfg(any(test, not(target_os = "linux")))]
fn of_netstat(text: &str) -> Vec<OpenPort> {
    let ports = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["TCP", near, far, .., process] = words.as_slice() else {
            return None;
        };
        let address = near.parse().ok().filter(|_| far.ends_with(":0"))?;
        Some(OpenPort {
            address,
            program: String::new(),
            process: process.parse().ok(),
        })
    });
    ports.collect()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        net::TcpListener,
        process::{Command, Stdio},
    };

    use super::*;

    fn port(address: &str, program: &str, process: u32) -> OpenPort {
        OpenPort {
            address: address.parse().unwrap(),
            program: program.to_owned(),
            process: Some(process),
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_is_found_with_its_program_and_our_own_listeners_are_left_out() {
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = "import socket,sys\n\
            s=socket.create_server((sys.argv[1],0),family=socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)\n\
            print(s.getsockname()[1],flush=True)\n\
            sys.stdin.read()";
        for host in ["127.0.0.1", "::1"] {
            let mut child = Command::new("python3")
                .args(["-c", server, host])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            output.read_line(&mut line).unwrap();
            let number: u16 = line.trim().parse().unwrap();
            let found = list().unwrap();
            let of = |number| found.ports.iter().find(|it| it.address.port() == number);
            let server = of(number).unwrap();
            assert_eq!(server.address.ip().to_string(), host);
            assert_eq!(server.process, Some(child.id()));
            assert!(server.program.starts_with("python3"), "{server:?}");
            assert_eq!(of(own.local_addr().unwrap().port()), None);
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }

    #[test]
    fn the_list_of_lsof_is_read() {
        let text =
            "p412\ncnode\nf18\nn127.0.0.1:3000\np500\ncpostgres\nf5\nn[::1]:5432\nf6\nn*:5433\n";
        let read = of_lsof(text);
        let expected = [
            port("127.0.0.1:3000", "node", 412),
            port("[::1]:5432", "postgres", 500),
            port("[::]:5433", "postgres", 500),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn the_list_of_netstat_is_read_in_any_language() {
        let text = "\r\nAktive Verbindungen\r\n\r\n  Proto  Lokale Adresse  Remoteadresse  Status  PID\r\n\
            \x20 TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1012\r\n\
            \x20 TCP    127.0.0.1:49700        127.0.0.1:49701        HERGESTELLT     5000\r\n\
            \x20 TCP    [::1]:3000             [::]:0                 ABHÖREN         77\r\n\
            \x20 UDP    0.0.0.0:5353           *:*                                    1999\r\n";
        let expected = [port("0.0.0.0:135", "", 1012), port("[::1]:3000", "", 77)];
        assert_eq!(of_netstat(text), expected);
    }
}
