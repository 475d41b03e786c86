//! What connections to a published port have shown about the service behind it.

use serde::{Deserialize, Serialize};

/// The last attempt to connect to the service behind a published port. It was made by a connection, or by the probe of
/// a person who has asked why a connection does not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TriedPort {
    /// The published port.
    pub port: u16,
    /// The outcome of the attempt.
    pub outcome: TryOutcome,
    /// The time of the outcome, in milliseconds on the manager's clock.
    pub at_ms: u64,
}

/// The outcome of an attempt to connect to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum TryOutcome {
    /// The service has accepted the connection.
    Answered,
    /// The service has refused the connection, or the agent could not connect to it.
    Refused,
    /// The service did not answer in time.
    TimedOut,
}

impl TryOutcome {
    /// The outcome of the last connection to the service, in words. `None` if people need not look at it.
    pub const fn complaint(self) -> Option<&'static str> {
        match self {
            Self::Answered => None,
            Self::Refused => Some("refused the last connection"),
            Self::TimedOut => Some("did not answer the last connection"),
        }
    }
}
