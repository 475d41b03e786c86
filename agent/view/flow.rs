//! Flows as people and programs see them.

use serde::{Deserialize, Serialize};

use crate::addr::FlowKey;

/// The flows of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FlowsView {
    /// The number of all flows.
    pub total: usize,
    /// All flows, or only the most recently used ones if the request limits their number.
    pub flows: Vec<FlowView>,
}

/// One TCP connection inside the network. The switch counts its traffic, so the numbers do not depend on the agents at
/// its ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FlowView {
    /// Identifies the flow in requests; see [`flow_id`].
    #[cfg_attr(
        test,
        schemars(description = "Identifies the flow in requests: `SRC-DST`, the two ends.")
    )]
    pub id: String,
    /// The name of the host that began the flow.
    pub from: String,
    /// The name of the host at the other end; for a destination outside the network, the gateway.
    pub to: String,
    /// The address and port where the flow begins.
    pub src: String,
    /// The address and port where the flow ends.
    pub dst: String,
    /// The host and port of the destination: `web1:8080`, or `web1:dns` and `web1:relay` for the services of the host's
    /// agent. If no host has the address, this is the address and port.
    pub name: String,
    /// The gateway through which the flow leaves the network, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The pattern of the route that leads to the destination, if the flow leaves the network: `10.0.0.0/8`. If the
    /// client has asked for the destination by name, this lists all globs of the route, because only the proxy knows
    /// which of them matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The state of the flow.
    pub state: FlowState,
    /// Bytes from the host that began the flow.
    pub bytes_from: u64,
    /// Bytes to the host that began the flow.
    pub bytes_to: u64,
    /// Bytes per second from the host that began the flow, over the last second or so.
    pub rate_from: u64,
    /// Bytes per second to the host that began the flow.
    pub rate_to: u64,
    /// Packets in both directions.
    pub packets: u64,
    /// Milliseconds since the flow began.
    pub age_ms: u64,
    /// Milliseconds since the last packet.
    pub idle_ms: u64,
    /// Duration of the handshake in microseconds: the way through the network, the dial at the far end, and the way
    /// back. Missing until the handshake is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u64>,
}

/// The state of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum FlowState {
    /// The far end has not answered yet.
    Opening,
    /// Bytes can go both ways.
    Open,
    /// One end has finished sending.
    Closing,
}

impl FlowState {
    /// The state as a word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Open => "open",
            Self::Closing => "closing",
        }
    }
}

/// The flows that have ended most recently.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EndedFlowsView {
    /// The time of this answer, in milliseconds on the manager's clock.
    pub now_ms: u64,
    /// The flows, in the order in which they ended.
    pub ended: Vec<EndedFlowView>,
}

/// A TCP connection that has ended, or that was refused before it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EndedFlowView {
    /// The id that the flow had: `SRC-DST`. A later flow may have the same id.
    pub id: String,
    /// The name of the host that began the flow.
    pub from: String,
    /// The name of the host at the other end; for a destination outside the network, the gateway. Missing if the flow
    /// was refused before a gateway was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The address and port where the flow began.
    pub src: String,
    /// The address and port where the flow ended.
    pub dst: String,
    /// The destination with the name of its host, as in [`FlowView`].
    #[cfg_attr(
        test,
        schemars(description = "The destination with the name of its host, as in `FlowView`.")
    )]
    pub name: String,
    /// The gateway through which the flow left the network, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// How the flow has ended.
    pub outcome: FlowOutcome,
    /// Bytes from the host that began the flow.
    pub bytes_from: u64,
    /// Bytes to the host that began the flow.
    pub bytes_to: u64,
    /// Milliseconds from the first packet to the end.
    pub lasted_ms: u64,
    /// The time of the end, in milliseconds on the manager's clock.
    pub ended_ms: u64,
    /// Duration of the handshake in microseconds. Missing if the handshake was never finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u64>,
}

/// How a flow has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum FlowOutcome {
    /// Both ends have finished sending.
    Closed,
    /// The end that began the flow has reset the flow.
    ResetByFrom,
    /// The other end has reset the flow after it was open.
    ResetByTo,
    /// The other end has refused the flow: its service refused the connection, or its agent could not connect.
    Refused,
    /// The other end did not answer in time.
    TimedOut,
    /// The policy has refused the flow, or has ended it.
    Denied,
    /// The flow was refused because nothing is published there, the host is down, or the host has too many flows.
    Unavailable,
    /// One of the flow's hosts was lost.
    Lost,
    /// A person has ended the flow.
    Killed,
}

impl FlowOutcome {
    /// The outcome in words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::ResetByFrom => "reset by its client",
            Self::ResetByTo => "reset by its server",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Denied => "denied by the policy",
            Self::Unavailable => "not available",
            Self::Lost => "host lost",
            Self::Killed => "ended by hand",
        }
    }
}

/// The id of a flow in one word: `127.0.42.100:49152-127.0.42.101:8080`.
pub fn flow_id(key: FlowKey) -> String {
    format!("{}-{}", key.src, key.dst)
}

/// Parses the id of a flow; `None` if the text is not an id.
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
