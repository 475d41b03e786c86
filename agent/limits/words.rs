//! Parsers for permits: the values of `listen=`, `dial=` and the other keys, in an option and in a file.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
};

use ipnet::{IpNet, Ipv4Net};

use crate::{
    destination::Host,
    route::{Target, TargetError, is_special},
    text::{meant, quote},
};

pub(super) const NOTHING: &str = "nothing";
const NETWORK: &str = "network";
const EVERYTHING: &str = "everything";
const HOSTS_FILE: &str = "hosts-file";

const LOOPBACK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8);

/// A kind of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Listen,
    Dial,
    Gateway,
    Resolve,
    Proxy,
    Write,
}

/// The set of names that other hosts may resolve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Names {
    /// No names.
    #[default]
    Nothing,
    /// The names of the network itself.
    Network,
    /// The names of the network, and all names that the machine can resolve.
    Everything,
}

/// Addresses and ports to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListenRange {
    block: IpNet,
    ports: Ports,
}

/// Destinations and ports to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    target: Target,
    ports: Ports,
}

/// A file or folder that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Writable {
    /// The hosts file of the machine.
    HostsFile,
    /// A folder with everything below it; the path is kept as it was written.
    Folder(String),
}

/// A range of ports, which may contain all ports.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ports(RangeInclusive<u16>);

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Listen,
        Self::Dial,
        Self::Gateway,
        Self::Resolve,
        Self::Proxy,
        Self::Write,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Dial => "dial",
            Self::Gateway => "gateway",
            Self::Resolve => "resolve",
            Self::Proxy => "proxy",
            Self::Write => "write",
        }
    }
}

impl ListenRange {
    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.ports.0.contains(&address.port()) && self.block.contains(&address.ip().to_canonical())
    }
}

impl Remote {
    /// Whether a connection to this name could be permitted, depending on the addresses to which the name resolves.
    pub(super) fn may_have(&self, name: &str, port: u16) -> bool {
        let may = match &self.target {
            Target::Cidr(_) => true,
            Target::Glob(_) => self.target.has_name(name),
        };
        may && self.ports.0.contains(&port)
    }

    /// Whether an address is permitted, by itself or through the name that was resolved to it. Some addresses have a
    /// different meaning on each machine (loopback, metadata services). These addresses have to be permitted
    /// explicitly: a larger block or a pattern does not include them.
    pub(super) fn has(&self, name: Option<&str>, address: IpAddr, port: u16) -> bool {
        let has = match &self.target {
            Target::Cidr(_) if is_special(address) => self.target.names_special(address),
            Target::Cidr(_) => self.target.has_address(address),
            Target::Glob(_) => {
                let is_exact = !self.target.to_string().contains('*');
                name.is_some_and(|name| self.target.has_name(name))
                    && (is_exact || !is_special(address))
            }
        };
        has && self.ports.0.contains(&port)
    }
}

impl Writable {
    /// Whether a folder is the permitted folder, or below it. Paths are compared as they are written. A path with parts
    /// that could lead out of the folder again, such as `..`, is not below it.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        let Self::Folder(permitted) = self else {
            return false;
        };
        let plain = |part: &str| !["", ".", ".."].contains(&part) && !part.contains(['$', '\\']);
        let trimmed = |text: &str| text.trim_end_matches('/').to_owned();
        let (permitted, folder) = (trimmed(permitted), trimmed(folder));
        match folder.strip_prefix(&permitted) {
            Some("") => true,
            Some(rest) => match rest.strip_prefix('/') {
                Some(rest) => rest.split('/').all(plain),
                None => false,
            },
            None => false,
        }
    }
}

/// The kind of action that a key is about.
pub(super) fn kind(key: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.into_iter();
    known().find(|kind| kind.word() == key).ok_or_else(|| {
        let words: Vec<_> = known().map(Kind::word).collect();
        let hint = match meant(key, words.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("its keys are: {}", words.join(", ")),
        };
        format!("unknown key {}; {hint}", quote(key))
    })
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("gateway: {} is neither yes nor no", quote(text))),
    }
}

pub(super) fn names(text: &str) -> Result<Names, String> {
    let all = [Names::Nothing, Names::Network, Names::Everything];
    let found = all.into_iter().find(|names| names.to_string() == text);
    found.ok_or_else(|| {
        format!(
            "resolve: {} is none of {NOTHING}, {NETWORK} and {EVERYTHING}",
            quote(text)
        )
    })
}

/// Parses a listen range. It must be inside 127.0.0.0/8, because on behalf of other hosts an agent listens only on
/// loopback addresses.
pub(super) fn loopback(text: &str) -> Result<ListenRange, String> {
    let range = listen_range(Kind::Listen, text)?;
    match range.block {
        IpNet::V4(block) if LOOPBACK.contains(&block) => Ok(range),
        IpNet::V4(_) | IpNet::V6(_) => Err(format!(
            "listen: {} is not inside 127.0.0.0/8, and agents listen for other hosts nowhere else",
            quote(text)
        )),
    }
}

pub(super) fn listen_range(kind: Kind, text: &str) -> Result<ListenRange, String> {
    let wrong = |why: &str| {
        format!(
            "{}: {} {why}; write ADDRESS or ADDRESS/BITS, and then :PORT or :FIRST-LAST",
            kind.word(),
            quote(text)
        )
    };
    let (host, ports) = split(text).ok_or_else(|| wrong("has no port behind its colon"))?;
    match target(host) {
        Ok(Target::Cidr(block)) => Ok(ListenRange { block, ports }),
        Ok(Target::Glob(_)) | Err(_) => Err(wrong("is not an address")),
    }
}

pub(super) fn remote(text: &str) -> Result<Remote, String> {
    let wrong = |why: &str| {
        format!(
            "dial: {} {why}; write ADDRESS, ADDRESS/BITS or NAME, and then :PORT or :FIRST-LAST",
            quote(text)
        )
    };
    let (host, ports) = split(text).ok_or_else(|| wrong("has no port behind its colon"))?;
    let target = target(host).map_err(|error| wrong(&format!("is {error}")))?;
    if let Target::Glob(_) = target
        && !host.contains('*')
        && let Err(error) = host.parse::<Host>()
    {
        return Err(wrong(&format!("is not a host: {error}")));
    }
    Ok(Remote { target, ports })
}

pub(super) fn writable(text: &str) -> Result<Writable, String> {
    if text == HOSTS_FILE {
        return Ok(Writable::HostsFile);
    }
    let is_path = text.starts_with(['/', '~', '$'])
        || text.get(1..).is_some_and(|rest| rest.starts_with(":\\"));
    if is_path {
        return Ok(Writable::Folder(text.to_owned()));
    }
    Err(format!(
        "write: {} is neither \"{HOSTS_FILE}\" nor a folder; write its whole path, as in ~/.norouter/agent",
        quote(text)
    ))
}

/// Parses a destination. A single address becomes a block that contains only this address.
fn target(text: &str) -> Result<Target, TargetError> {
    match text.parse() {
        Err(TargetError::BareAddress(address)) => Ok(Target::Cidr(address.to_canonical().into())),
        parsed => parsed,
    }
}

/// Splits a text into the part before the ports, and the ports. If no port is written, that means all ports. If a port
/// follows an IPv6 address, the address has brackets.
fn split(text: &str) -> Option<(&str, Ports)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        // Only IPv6 addresses may be in brackets.
        let host = Some(host).filter(|host| host.contains(':'))?;
        return match rest.strip_prefix(':') {
            Some(text) => Some((host, ports(text)?)),
            None if rest.is_empty() => Some((host, Ports::all())),
            None => None,
        };
    }
    match text.split_once(':') {
        Some((host, text)) if !text.contains(':') => Some((host, ports(text)?)),
        Some(_) | None => Some((text, Ports::all())),
    }
}

fn ports(text: &str) -> Option<Ports> {
    if text == "*" {
        return Some(Ports::all());
    }
    let port = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|port| digits && *port > 0)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some(Ports(first..=last))
}

impl Ports {
    const fn all() -> Self {
        Self(1..=u16::MAX)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        if *self == Self::all() {
            return Ok(());
        }
        if first == last {
            return write!(f, ":{first}");
        }
        write!(f, ":{first}-{last}")
    }
}

impl fmt::Display for ListenRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_block(f, &self.block)?;
        self.ports.fmt(f)
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Cidr(block) => write_block(f, block)?,
            Target::Glob(_) => self.target.fmt(f)?,
        }
        self.ports.fmt(f)
    }
}

impl fmt::Display for Writable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostsFile => HOSTS_FILE,
            Self::Folder(folder) => folder,
        })
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => NOTHING,
            Self::Network => NETWORK,
            Self::Everything => EVERYTHING,
        })
    }
}

/// Writes a block. A block with a single address is written as that address.
fn write_block(f: &mut fmt::Formatter<'_>, block: &IpNet) -> fmt::Result {
    let (open, close) = match block {
        IpNet::V4(_) => ("", ""),
        IpNet::V6(_) => ("[", "]"),
    };
    if block.prefix_len() == block.max_prefix_len() {
        write!(f, "{open}{}{close}", block.addr())
    } else {
        write!(f, "{open}{block}{close}")
    }
}
