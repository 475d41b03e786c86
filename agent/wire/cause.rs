//! The reason why a connection or listener does not work: a word for programs, and a sentence for people.

use serde::{Deserialize, Serialize};

/// The reason why a destination is not reached, or why an address cannot be listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The manifest does not allow the connection, or the agent's configuration does not contain the destination.
    NotAllowed,
    /// The administrator of the agent's machine does not permit the action.
    Limited,
    /// The resolver does not know the name.
    NameNotFound,
    /// The host that serves the destination is not up. Agents report this cause only to clients of their proxies.
    HostDown,
    /// There is no route to the destination.
    Unreachable,
    /// Nothing listens at the destination.
    Refused,
    /// No answer arrived in time.
    TimedOut,
    /// Another program listens at the address.
    InUse,
    /// The operating system does not allow the agent to listen at the address.
    NotPermitted,
    /// The host does not have the address.
    NoAddress,
    /// Any other cause, including causes that this version does not know.
    #[serde(other)]
    Other,
}

/// The reason why a destination was not reached, for the client program and for the person who uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cause, for the program.
    pub cause: Cause,
    /// The reason, for the person: a sentence that names host, address and reason.
    pub reason: String,
}
