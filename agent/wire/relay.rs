//! What the agent of a proxy and that of a gateway say to each other before they carry a connection.
//!
//! The agent of the proxy opens a flow to the gateway's relay port and asks. The gateway resolves, dials and answers.
//! After the answer that it has connected, the flow is the connection. Both messages are JSON behind a length of two
//! bytes:
//!
//! ```text
//! u16be length of what follows
//! bytes JSON
//! ```

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The longest message, in bytes.
pub const MESSAGE_MAX: usize = 4 << 10;

/// Bytes before a message.
pub const LENGTH_LEN: usize = 2;

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// A name, or an address of either family.
    pub host: String,
    /// The port there.
    pub port: u16,
}

/// The answer of the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Why the gateway did not connect, as one of the words of [`cause`]; absent if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The cause in words for people; empty if the gateway connected.
    #[serde(default)]
    pub reason: String,
}

/// Why a gateway did not connect.
pub mod cause {
    /// No route leads through this gateway to there, or the address is one that it never dials.
    pub const NOT_ALLOWED: &str = "notAllowed";
    /// The gateway's resolver does not know the name.
    pub const NAME_NOT_FOUND: &str = "nameNotFound";
    /// No way through the network leads there.
    pub const UNREACHABLE: &str = "unreachable";
    /// Nobody listens there.
    pub const REFUSED: &str = "refused";
    /// The destination did not answer in time.
    pub const TIMED_OUT: &str = "timedOut";
}

/// A message with its length in front.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    // The messages have strings and numbers, nothing that JSON cannot hold.
    let json = serde_json::to_vec(message).unwrap_or_default();
    let mut bytes = Vec::with_capacity(LENGTH_LEN + json.len());
    bytes.extend_from_slice(&u16::try_from(json.len()).unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(&json);
    bytes
}

/// The length of the message that these bytes announce, unless it is too long.
pub fn length(bytes: [u8; LENGTH_LEN]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes(bytes));
    (length <= MESSAGE_MAX).then_some(length)
}

/// A message without its length.
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
}
