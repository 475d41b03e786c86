//! Checks that a manager asks an agent for, so that it can explain why a connection works or does not.
//!
//! An addition: the operation is requested only of agents that announced
//! [`feature::PROBE`](super::control::feature::PROBE).

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What to check: the arguments of the operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Probe {
    /// Whether the agent listens for TCP on a real address of its host, for programs there.
    Listener {
        /// The real address.
        address: SocketAddr,
    },
    /// Whether a flow to this destination would connect: the agent connects there, and closes the connection at once.
    Dial {
        /// The agent's own VIP, for a published port; else an address or a name, for a gateway.
        host: String,
        /// The port there.
        port: u16,
    },
}

/// What the check found: the data of the result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Why it does not work; absent if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The cause in words for people; empty if it works.
    #[serde(default, deserialize_with = "super::control::null_is_empty")]
    pub reason: String,
}

/// Why it does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The configuration of the agent does not have it: it listens there, or dials that, for nobody.
    NotAllowed,
    /// The host's resolver does not know the name.
    NameNotFound,
    /// No way through the network leads there.
    Unreachable,
    /// Nobody listens there.
    Refused,
    /// There was no answer in time.
    TimedOut,
    /// Another program listens at the address.
    InUse,
    /// The operating system does not let the agent listen there.
    NotPermitted,
    /// The administrator of the host does not permit it.
    Limited,
    /// The host does not have the address.
    NoAddress,
    /// Any other cause; also every word that is not known here.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_probe_is_written_as_the_protocol_says() {
        let listener = Probe::Listener {
            address: "127.0.42.101:8080".parse().unwrap(),
        };
        let dial = Probe::Dial {
            host: "db.internal".to_owned(),
            port: 5432,
        };
        for (probe, wire) in [
            (
                listener,
                json!({"what": "listener", "address": "127.0.42.101:8080"}),
            ),
            (
                dial,
                json!({"what": "dial", "host": "db.internal", "port": 5432}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&probe).unwrap(), wire);
            assert_eq!(serde_json::from_value::<Probe>(wire).unwrap(), probe);
        }
    }

    #[test]
    fn what_was_found_may_be_told_in_words_of_a_later_version() {
        let found = |wire| serde_json::from_value::<Found>(wire).unwrap();
        assert_eq!(found(json!({})), Found::default());
        let refused = json!({"cause": "refused", "reason": "nobody"});
        assert_eq!(found(refused.clone()).cause, Some(Cause::Refused));
        assert_eq!(
            serde_json::to_value(found(refused.clone())).unwrap(),
            refused
        );
        let later = found(json!({"cause": "inTheMood", "reason": "x"}));
        assert_eq!(later.cause, Some(Cause::Other));
    }
}
