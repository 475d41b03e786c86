//! Why something does not work: a word for programs, and a sentence for people.

use serde::{Deserialize, Serialize};

/// Why a destination is not reached, or an address is not listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The manifest does not allow it, or the configuration of the agent does not have it.
    NotAllowed,
    /// The administrator of the machine that would do it does not permit it.
    Limited,
    /// The resolver does not know the name.
    NameNotFound,
    /// The host of the network that would serve it is not up. Agents tell this to clients of their proxies only.
    HostDown,
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
    /// The host does not have the address.
    NoAddress,
    /// Any other cause; also every word that is not known here.
    #[serde(other)]
    Other,
}

/// Why a destination was not reached, for the client's program and for the person in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cause, for the program.
    pub cause: Cause,
    /// The reason, for the person: a sentence that names host, address and reason.
    pub reason: String,
}
