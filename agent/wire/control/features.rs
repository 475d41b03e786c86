//! The features that the other side announced, as a set of known names.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
};

use super::feature;

/// Every known feature. The index of a feature is its bit in the set.
const KNOWN: &[&str] = &[
    feature::TCP,
    feature::LOOPBACK,
    feature::LOOPBACK_DISABLE,
    feature::PROBLEMS,
    feature::HTTP,
    feature::SOCKS,
    feature::HOST_ALIASES,
    feature::HOST_ALIASES_NIP_IO,
    feature::ETC_HOSTS,
    feature::ROUTES,
    feature::DNS,
    feature::CREDENTIALS,
    feature::RECONFIGURE,
    feature::HEARTBEAT,
    feature::LOST,
    feature::PROBE,
    feature::SUMS,
    feature::NOT_TO,
    feature::POLICY,
    feature::NOTICES,
    feature::SAME_USER,
    feature::OPEN_PORTS,
    feature::MARKS,
];

/// A set of features. Unknown names are skipped, so a set has a fixed size, no matter how many names were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(u64);

impl Features {
    /// Whether the feature is in the set.
    pub fn has(self, name: &str) -> bool {
        self.0 & bit(name) != 0
    }

    /// The names in the set, in the order in which they were added to the protocol.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        KNOWN.iter().copied().filter(move |name| self.has(name))
    }
}

/// The bit of a feature; 0 for a name that is not known here.
fn bit(name: &str) -> u64 {
    let index = KNOWN.iter().position(|known| *known == name);
    index.map_or(0, |index| 1 << index)
}

impl<'n> FromIterator<&'n str> for Features {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        Self(names.into_iter().fold(0, |bits, name| bits | bit(name)))
    }
}

impl Serialize for Features {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(KNOWN.iter().filter(|name| self.has(name)))
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Features;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names")
    }

    // Go writes null for an empty list.
    fn visit_unit<E>(self) -> Result<Features, E> {
        Ok(Features::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Features, A::Error> {
        let mut bits = 0;
        while let Some(name) = names.next_element::<std::borrow::Cow<'de, str>>()? {
            bits |= bit(&name);
        }
        Ok(Features(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_a_bit() {
        let source = include_str!("feature.rs");
        let names = source.lines().filter_map(|line| {
            let (_, value) = line
                .trim()
                .split_once("pub const ")?
                .1
                .split_once(": &str = \"")?;
            Some(value.strip_suffix("\";")?.replace("\\\"", "\""))
        });
        let features: Vec<String> = names.collect();
        assert!(features.len() > 15, "{features:?}");
        for name in &features {
            assert_ne!(bit(name), 0, "{name} is not in KNOWN");
        }
        assert_eq!(features.len(), KNOWN.len());
        assert!(KNOWN.len() <= 64);
    }

    #[test]
    fn unknown_names_cost_nothing_and_known_ones_survive_the_wire() {
        let many: Vec<String> = (0..10_000).map(|n| format!("f{n}")).collect();
        let json = serde_json::to_string(&many).unwrap();
        let set: Features = serde_json::from_str(&json).unwrap();
        assert_eq!(set, Features::default());
        let set: Features = serde_json::from_str(r#"["x","sums","tcp","tcp"]"#).unwrap();
        assert!(set.has("sums") && set.has("tcp") && !set.has("x"));
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["tcp","sums"]"#);
        assert_eq!(
            serde_json::from_str::<Features>("null").unwrap(),
            Features::default()
        );
    }
}
