//! The probes that a manager requests from an agent, to explain why a connection works or does not.
//!
//! They are an addition to the protocol: a manager requests probes only from agents that announced
//! [`feature::PROBE`](super::control::feature::PROBE).

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::cause::{Cause, Failure};

/// The check to perform, as the arguments of the operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Probe {
    /// Checks whether the agent listens for TCP on a real address of its host, for programs on this host.
    Listener {
        /// The real address.
        address: SocketAddr,
    },
    /// Checks whether a flow to this destination would connect: the agent connects, and closes the connection at once.
    Dial {
        /// The agent's own VIP for a published port, or an address or name for a gateway.
        host: String,
        /// The port at this host.
        port: u16,
    },
}

/// The result of a check, as the data of the operation's result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Why the listener or connection does not work; absent if it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The cause in words for people; empty if it works.
    #[serde(default, deserialize_with = "super::null::null_is_empty")]
    pub reason: String,
    /// The other loopback address, if nothing accepts connections at the configured address but something does at the
    /// other one: for example `[::1]:80` if `127.0.0.1:80` is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<SocketAddr>,
}

impl From<Failure> for Found {
    fn from(failure: Failure) -> Self {
        // The agent does not report that a host is down, because the manager knows that better.
        let cause = if failure.cause == Cause::HostDown {
            Cause::Other
        } else {
            failure.cause
        };
        Self {
            cause: Some(cause),
            reason: failure.reason,
            instead: None,
        }
    }
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
        let elsewhere = json!({"cause": "refused", "reason": "nobody", "instead": "[::1]:80"});
        assert_eq!(
            found(elsewhere.clone()).instead,
            Some("[::1]:80".parse().unwrap())
        );
        assert_eq!(
            serde_json::to_value(found(elsewhere.clone())).unwrap(),
            elsewhere
        );
        let later = found(json!({"cause": "inTheMood", "reason": "x"}));
        assert_eq!(later.cause, Some(Cause::Other));
    }
}
