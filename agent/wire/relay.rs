//! The messages that the agent of a proxy and the agent of a gateway exchange before the gateway carries a connection.
//!
//! The agent of the proxy opens a flow to the gateway's relay port and sends an [`Ask`]. The gateway resolves, dials
//! and sends an [`Answer`]. If the gateway has connected, the flow carries the bytes of the connection from then on.
//! Both messages are JSON after a length of two bytes:
//!
//! ```text
//! u16be length of what follows
//! bytes JSON
//! ```

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::cause::{Cause, Failure};

/// The longest message, in bytes.
pub const MESSAGE_MAX: usize = 4 << 10;

/// The size of the length before a message, in bytes.
pub const LENGTH_LEN: usize = 2;

/// A request to a gateway to connect to a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// A name, or an address of either family.
    pub host: String,
    /// The port of the destination.
    pub port: u16,
}

/// The answer of the gateway. The default says that the gateway has connected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Why the gateway did not connect, as one of the causes that relays know; absent if it has connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The cause in words for people; empty if the gateway connected.
    #[serde(default)]
    pub reason: String,
}

impl Answer {
    /// Whether the gateway has connected. A cause that relays do not know may come from a newer gateway, and counts as
    /// [`Cause::Other`].
    pub fn outcome(self) -> Result<(), Failure> {
        let Some(cause) = self.cause else {
            return Ok(());
        };
        Err(Failure {
            cause: if known(cause) == cause {
                cause
            } else {
                Cause::Other
            },
            reason: self.reason,
        })
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self {
            cause: Some(known(failure.cause)),
            reason: failure.reason,
        }
    }
}

/// Reduces a cause to one of the five that relays know: not allowed (by the manifest or by the administrator), name not
/// found, refused, timed out, and unreachable. The last one stands for all other causes.
const fn known(cause: Cause) -> Cause {
    match cause {
        Cause::NotAllowed | Cause::Limited => Cause::NotAllowed,
        Cause::NameNotFound | Cause::Refused | Cause::TimedOut => cause,
        Cause::Unreachable
        | Cause::HostDown
        | Cause::InUse
        | Cause::NotPermitted
        | Cause::NoAddress
        | Cause::Other => Cause::Unreachable,
    }
}

/// Encodes a message with its length in front.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    // The messages contain only strings and numbers, which JSON can always express.
    let json = serde_json::to_vec(message).unwrap_or_default();
    let mut bytes = Vec::with_capacity(LENGTH_LEN + json.len());
    bytes.extend_from_slice(&u16::try_from(json.len()).unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(&json);
    bytes
}

/// Decodes the length of a message; `None` if the message is too long.
pub fn length(bytes: [u8; LENGTH_LEN]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes(bytes));
    (length <= MESSAGE_MAX).then_some(length)
}

/// Decodes a message from `json`, which does not include the length before the message.
pub fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_the_wire() {
        let ask = Ask {
            host: "db.internal".to_owned(),
            port: 5432,
        };
        let bytes = encode(&ask);
        let (head, json) = bytes.split_at(LENGTH_LEN);
        assert_eq!(length([head[0], head[1]]), Some(json.len()));
        assert_eq!(decode::<Ask>(json).unwrap(), ask);
        assert_eq!(length([0xff, 0xff]), None);
    }

    #[test]
    fn an_answer_has_a_cause_that_relays_know_and_any_other_word_is_a_failure() {
        let failure = |cause| Failure {
            cause,
            reason: "x".to_owned(),
        };
        for (cause, word, told) in [
            (Cause::NotAllowed, "notAllowed", Cause::NotAllowed),
            (Cause::Limited, "notAllowed", Cause::NotAllowed),
            (Cause::NameNotFound, "nameNotFound", Cause::NameNotFound),
            (Cause::Refused, "refused", Cause::Refused),
            (Cause::TimedOut, "timedOut", Cause::TimedOut),
            (Cause::HostDown, "unreachable", Cause::Unreachable),
            (Cause::Other, "unreachable", Cause::Unreachable),
        ] {
            let answer = Answer::from(failure(cause));
            let json = serde_json::json!({"cause": word, "reason": "x"});
            assert_eq!(serde_json::to_value(&answer).unwrap(), json);
            assert_eq!(answer.outcome(), Err(failure(told)));
        }
        for word in ["limited", "hostDown", "inTheMood"] {
            let json = format!(r#"{{"cause":"{word}","reason":"x"}}"#);
            let answer: Answer = decode(json.as_bytes()).unwrap();
            assert_eq!(answer.outcome(), Err(failure(Cause::Other)), "{word}");
        }
        let connected: Answer = decode(br#"{"reason":""}"#).unwrap();
        assert_eq!(connected.outcome(), Ok(()));
    }
}
