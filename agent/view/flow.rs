//! What people and programs see of a flow.

use serde::{Deserialize, Serialize};

use crate::addr::FlowKey;

/// The flows of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FlowsView {
    /// How many there are.
    pub total: usize,
    /// All of them, or those that were in use last where fewer are asked for.
    pub flows: Vec<FlowView>,
}

/// One TCP connection inside the network, counted at the switch, so that it does not matter which agents are at its
/// ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FlowView {
    /// What it is called where one flow is meant: [`flow_id`].
    #[cfg_attr(
        test,
        schemars(
            description = "What it is called where one flow is meant: `SRC-DST`, the two ends."
        )
    )]
    pub id: String,
    /// The name of the host that began it.
    pub from: String,
    /// The name of the host at its other end; for a destination outside the network, the gateway.
    pub to: String,
    /// The address and port where it begins.
    pub src: String,
    /// The address and port where it goes.
    pub dst: String,
    /// The same in words, where they are known: `web1:8080`, or `web1:dns` and `web1:relay` for what a host does for
    /// others.
    pub name: String,
    /// The gateway, if it leaves the network there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The pattern of the route that leads there, if it leaves the network: `10.0.0.0/8`. For a destination that was named,
    /// all globs of the route: which of them it was, only the proxy knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How far it has come.
    pub state: FlowState,
    /// Bytes that the host which began it has sent.
    pub bytes_from: u64,
    /// Bytes that were sent to it.
    pub bytes_to: u64,
    /// Bytes per second that it has sent in the last second or so.
    pub rate_from: u64,
    /// Bytes per second that were sent to it.
    pub rate_to: u64,
    /// Packets both ways.
    pub packets: u64,
    /// Milliseconds since it began.
    pub age_ms: u64,
    /// Milliseconds since its last packet.
    pub idle_ms: u64,
    /// Microseconds that its handshake took: through the network, the dial at the far end, and back. Not known before it
    /// is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u64>,
}

/// How far a flow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum FlowState {
    /// The far end has not answered yet.
    Opening,
    /// Bytes may go both ways.
    Open,
    /// One end has said that it sends no more.
    Closing,
}

impl FlowState {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Open => "open",
            Self::Closing => "closing",
        }
    }
}

/// A flow's name in one word: `127.0.42.100:49152-127.0.42.101:8080`.
pub fn flow_id(key: FlowKey) -> String {
    format!("{}-{}", key.src, key.dst)
}

/// The flow of that name, if it is one.
pub fn parse_flow_id(id: &str) -> Option<FlowKey> {
    let (src, dst) = id.split_once('-')?;
    Some(FlowKey {
        src: src.parse().ok()?,
        dst: dst.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_found_again_by_its_name() {
        let id = "127.0.42.100:49152-10.0.0.1:443";
        assert_eq!(parse_flow_id(id).map(flow_id).as_deref(), Some(id));
        for bad in [
            "",
            "-",
            "127.0.42.100:1",
            "127.0.42.100-127.0.42.101",
            "a:1-b:2",
        ] {
            assert_eq!(parse_flow_id(bad), None, "{bad}");
        }
    }
}
