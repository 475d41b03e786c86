//! The ports of its own host on which programs listen, as an agent reports them when the manager asks.
//!
//! This is an addition to the protocol: a manager asks only agents that announced
//! [`feature::OPEN_PORTS`](super::control::feature::OPEN_PORTS).

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::null::null_is_empty;

/// The most open ports in an answer.
pub const OPEN_PORTS_MAX: usize = 256;

/// The open ports of a host, as the data of the operation's result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPorts {
    /// The ports, in the order of their numbers, at most [`OPEN_PORTS_MAX`].
    #[serde(default, deserialize_with = "null_is_empty")]
    pub ports: Vec<OpenPort>,
    /// The number of open ports that are not in the list.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// A port on which a program listens for TCP connections.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPort {
    /// The real address on which the program listens; the unspecified address stands for all addresses.
    pub address: SocketAddr,
    /// The name of the program; empty if the agent may not see it.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "String::is_empty"
    )]
    pub program: String,
    /// The process id of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn open_ports_are_written_as_the_protocol_says() {
        let node = OpenPort {
            address: "127.0.0.1:3000".parse().unwrap(),
            program: "node".to_owned(),
            process: Some(7),
        };
        let hidden = OpenPort {
            address: "[::]:5432".parse().unwrap(),
            program: String::new(),
            process: None,
        };
        let ports = OpenPorts {
            ports: vec![node, hidden],
            more: 3,
        };
        let wire = json!({
            "ports": [
                {"address": "127.0.0.1:3000", "program": "node", "process": 7},
                {"address": "[::]:5432"},
            ],
            "more": 3,
        });
        assert_eq!(serde_json::to_value(&ports).unwrap(), wire);
        assert_eq!(serde_json::from_value::<OpenPorts>(wire).unwrap(), ports);
        let empty = json!({"ports": null});
        assert_eq!(
            serde_json::from_value::<OpenPorts>(empty).unwrap(),
            OpenPorts::default()
        );
    }
}
