//! The names of the network, their aliases and their addresses. A zone has no names from outside the network.

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::addr::HostName;

/// Every name is also known below this domain, so that `web.norouter` always means `web` in the network.
pub const SUFFIX: &str = "norouter";

/// The number of seconds for which our answers may be cached. It is small, because the names change with the manifest.
pub const TTL: u32 = 10;

/// The names of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The address of each name, in lower case.
    names: BTreeMap<String, Ipv4Addr>,
    /// For each address, its primary name, which reverse lookups return.
    primary: BTreeMap<Ipv4Addr, String>,
}

impl Zone {
    /// Makes the zone of these names and aliases.
    ///
    /// The primary name of an address is the first of its names without a dot, or else its first name. A text that is
    /// not a valid [`HostName`] is left out, because it would have another meaning in a hosts file.
    pub fn new<N: AsRef<str>>(entries: impl IntoIterator<Item = (N, Ipv4Addr)>) -> Self {
        let mut zone = Self::default();
        for (name, address) in entries {
            let Ok(name) = name.as_ref().parse::<HostName>() else {
                continue;
            };
            let name = name.as_str().to_owned();
            let primary = zone.primary.entry(address).or_insert_with(|| name.clone());
            if primary.contains('.') && !name.contains('.') {
                primary.clone_from(&name);
            }
            zone.names.insert(name, address);
        }
        zone
    }

    /// The address of a name or alias, with or without [`SUFFIX`]. Upper and lower case are not distinguished.
    pub fn address(&self, name: &str) -> Option<Ipv4Addr> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let short = || name.strip_suffix(SUFFIX)?.strip_suffix('.');
        let found = self.names.get(&name);
        found.or_else(|| self.names.get(short()?)).copied()
    }

    /// The primary name of an address. `None` if the address is not in the network.
    pub fn name(&self, address: Ipv4Addr) -> Option<&str> {
        self.primary.get(&address).map(String::as_str)
    }

    /// Whether the network has a name below this one, which must be in lower case and without [`SUFFIX`].
    pub(super) fn has_below(&self, name: &str) -> bool {
        let below = |known: &String| {
            known
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('.'))
        };
        self.names.keys().any(below)
    }

    /// Every name with its address, ordered by address. The primary name of each address comes first.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Ipv4Addr)> {
        let mut entries: Vec<(Ipv4Addr, bool, &str)> = self
            .names
            .iter()
            .map(|(name, address)| (*address, self.name(*address) != Some(name), name.as_str()))
            .collect();
        entries.sort_unstable();
        entries
            .into_iter()
            .map(|(address, _, name)| (name, address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 101);
    const DB: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 102);

    #[test]
    fn a_name_is_known_in_any_case_and_below_the_networks_own_domain() {
        let zone = Zone::new([("Web", WEB), ("db.example.com", DB)]);
        for name in ["web", "WEB.", "web.NoRouter", "web.norouter."] {
            assert_eq!(zone.address(name), Some(WEB), "{name}");
        }
        assert_eq!(zone.address("db.example.com.norouter"), Some(DB));
        for name in [
            "",
            ".",
            "norouter",
            ".norouter",
            "webnorouter",
            "db",
            "web..",
        ] {
            assert_eq!(zone.address(name), None, "{name}");
        }
    }

    #[test]
    fn an_address_is_called_by_its_first_short_name() {
        let zone = Zone::new([("a.example.com", WEB), ("web", WEB), ("b", WEB)]);
        assert_eq!(zone.name(WEB), Some("web"));
        assert_eq!(zone.name(DB), None);
        let entries: Vec<_> = zone.entries().collect();
        assert_eq!(entries, [("web", WEB), ("a.example.com", WEB), ("b", WEB)]);
    }

    #[test]
    fn a_text_that_could_break_out_of_a_line_is_no_name() {
        let zone = Zone::new([("a\n10.0.0.1 bank", WEB), ("localhost", WEB), ("a b", WEB)]);
        assert_eq!(zone, Zone::default());
    }
}
