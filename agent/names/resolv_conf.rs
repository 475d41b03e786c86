//! The resolvers that a host uses: reads resolv.conf(5) as the host's C library does.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    time::Duration,
};

/// The port of DNS servers.
const PORT: u16 = 53;
/// The maximum number of servers that are asked; further ones are left out.
const SERVERS_MAX: usize = 3;
/// The greatest `ndots`; a greater number counts as this one.
const NDOTS_MAX: usize = 15;
/// The longest timeout for one server, in seconds.
const TIMEOUT_MAX: u64 = 30;
/// The maximum number of rounds through the servers.
const ATTEMPTS_MAX: usize = 5;

/// The resolvers of a host, and the rules for asking them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolvers {
    /// The servers, in the order in which they have to be asked.
    pub servers: Vec<SocketAddr>,
    /// The search list: the domains in which short names are looked up, in this order.
    pub search: Vec<String>,
    /// A name with fewer dots than this is looked up in the search list first.
    pub ndots: usize,
    /// The time that one server has to answer.
    pub timeout: Duration,
    /// The number of times that all servers are asked before the lookup fails.
    pub attempts: usize,
}

impl Default for Resolvers {
    /// The resolvers if the file is empty: only the one on this machine.
    fn default() -> Self {
        Self {
            servers: vec![(Ipv4Addr::LOCALHOST, PORT).into()],
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
        }
    }
}

impl Resolvers {
    /// Reads a file. Invalid lines are ignored, as C libraries do. If there are several search lists, the last one
    /// counts. The domain of the host's own name is searched only if a search list contains it.
    pub fn parse(text: &str) -> Self {
        let mut resolvers = Self::default();
        let mut servers = Vec::new();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            // A keyword must be at the beginning of its line, but spaces may precede a comment.
            match words.next().filter(|word| line.starts_with(word)) {
                Some("nameserver") => servers.extend(words.next().and_then(server)),
                Some("domain") => resolvers.search = domains(words.take(1)),
                Some("search") => resolvers.search = domains(words),
                Some("options") => words.for_each(|word| resolvers.option(word)),
                _ => {}
            }
        }
        servers.truncate(SERVERS_MAX);
        if !servers.is_empty() {
            resolvers.servers = servers;
        }
        resolvers
    }

    /// The resolvers at these addresses, with default values for everything else.
    pub fn at(servers: impl IntoIterator<Item = IpAddr>, search: &[String]) -> Self {
        let servers = servers.into_iter().map(|server| (server, PORT).into());
        Self {
            servers: servers.collect(),
            search: domains(search.iter().map(String::as_str)),
            ..Self::default()
        }
    }

    fn option(&mut self, word: &str) {
        match word.split_once(':') {
            Some(("ndots", number)) => {
                self.ndots = number
                    .parse()
                    .map_or(self.ndots, |n: usize| n.min(NDOTS_MAX));
            }
            Some(("timeout", number)) => {
                let seconds = |n: u64| Duration::from_secs(n.clamp(1, TIMEOUT_MAX));
                self.timeout = number.parse().map_or(self.timeout, seconds);
            }
            Some(("attempts", number)) => {
                let rounds = |n: usize| n.clamp(1, ATTEMPTS_MAX);
                self.attempts = number.parse().map_or(self.attempts, rounds);
            }
            _ => {}
        }
    }
}

/// Domains without the dot at their end. The root is left out, because it adds nothing to a name.
fn domains<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    words
        .take_while(|word| !word.starts_with(['#', ';']))
        .map(|word| word.strip_suffix('.').unwrap_or(word).to_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Parses the address of a server. After an IPv6 address, there may be the number of an interface. If there is the name
/// of an interface, 0 is used, because only the machine knows the number for the name.
fn server(word: &str) -> Option<SocketAddr> {
    let (address, interface) = match word.split_once('%') {
        Some((address, interface)) => (address, interface.parse().unwrap_or(0)),
        None => (word, 0),
    };
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        return Some(SocketAddrV6::new(address, PORT, 0, interface).into());
    }
    Some((word.parse::<Ipv4Addr>().ok()?, PORT).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_its_manual_says() {
        let resolvers = Resolvers::parse(
            "# nameserver 9.9.9.9\n; nameserver 9.9.9.8\n nameserver 9.9.9.7\n\
             domain old.test\nnameserver 10.0.0.1 # first\nnameserver\tfe80::1%3\nnameserver nonsense\n\
             search Corp.Test. lab.test . # rest\noptions ndots:5 timeout:2 attempts:1 rotate ndots:x\n\
             nameserver ::1\nnameserver 10.0.0.4\nnameserver",
        );
        let servers: Vec<String> = resolvers.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.1:53", "[fe80::1%3]:53", "[::1]:53"]);
        assert_eq!(resolvers.search, ["corp.test", "lab.test"]);
        assert_eq!((resolvers.ndots, resolvers.attempts), (5, 1));
        assert_eq!(resolvers.timeout, Duration::from_secs(2));
    }

    #[test]
    fn numbers_beyond_reason_are_brought_back() {
        let resolvers = Resolvers::parse("options ndots:99 timeout:0 attempts:99\n");
        assert_eq!((resolvers.ndots, resolvers.attempts), (15, 5));
        assert_eq!(resolvers.timeout, Duration::from_secs(1));
    }

    #[test]
    fn an_empty_file_means_this_machine() {
        assert_eq!(Resolvers::parse(""), Resolvers::default());
        assert_eq!(Resolvers::default().servers[0].to_string(), "127.0.0.1:53");
    }

    #[test]
    fn the_last_of_domain_and_search_counts() {
        let parse = |text| Resolvers::parse(text).search;
        assert_eq!(parse("search a b\r\ndomain c d\r\n"), ["c"]);
        assert_eq!(parse("domain c\nsearch a b\n"), ["a", "b"]);
    }
}
