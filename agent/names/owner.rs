//! The owner of a block in a hosts file. Since each block names its owner, several networks on one machine can have a
//! block of their own.

use std::{fmt, net::Ipv4Addr};

/// The host whose agent has written a block, and the process of that agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The name of the host.
    pub host: String,
    /// The address of the host inside its network.
    pub vip: Ipv4Addr,
    /// A word that identifies the process, and that no other process of the machine ever has.
    pub process: String,
}

impl Owner {
    /// Reads the owner from the words of a mark; `None` if the words do not name an owner.
    pub fn parse(words: &str) -> Option<Self> {
        let mut words = words.split(' ');
        let (host, vip, process) = (words.next()?, words.next()?, words.next()?);
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let all_fit = [host, process]
            .iter()
            .all(|word| !word.is_empty() && word.chars().all(fits));
        let is_whole = words.next().is_none();
        Some(Self {
            host: host.to_owned(),
            vip: vip.parse().ok()?,
            process: process.to_owned(),
        })
        .filter(|_| all_fit && is_whole)
    }

    /// Whether both owners are agents of the same host. The host's name and address identify it.
    pub fn is_life_of_same(&self, other: &Self) -> bool {
        (&self.host, self.vip) == (&other.host, other.vip)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.host, self.vip, self.process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written_and_nothing_else_is_one() {
        let owner = Owner {
            host: "gke-pod.example".to_owned(),
            vip: Ipv4Addr::new(127, 0, 42, 1),
            process: "12.3456.1".to_owned(),
        };
        assert_eq!(Owner::parse(&owner.to_string()), Some(owner));
        for words in [
            "",
            "web",
            "web 127.0.42.1",
            "web 127.0.42.1 ",
            "web 127.0.42 1.2",
            "web 127.0.42.1 1.2 x",
            "w\u{1b}b 127.0.42.1 1.2",
        ] {
            assert_eq!(Owner::parse(words), None, "{words:?}");
        }
    }
}
