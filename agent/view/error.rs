//! The kinds of errors on the control socket.

use serde::{Deserialize, Serialize};

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// A parameter or the body cannot be understood.
    BadRequest,
    /// The request comes from a web page.
    Forbidden,
    /// There is nothing at this path.
    NotFound,
    /// The path exists, but not with this method.
    Method,
    /// There is no host of that name.
    NoHost,
    /// There is no flow with this id; it may have ended.
    NoFlow,
    /// There is no host where the connection could begin.
    NoSource,
    /// The question does not exist, or does not wait for an answer any more.
    NoPrompt,
    /// The question does not come from the command of a host that is still connecting, or the command has asked too
    /// many questions.
    NoAsker,
    /// The host cannot be started now: its command waits for approval, or the network is ending.
    NotNow,
    /// Nothing with this number waits for approval; it may have changed in the meantime.
    NotHeld,
    /// The host's agent cannot answer now, or is of a version that does not know the question.
    NoAnswer,
    /// The network has no manifest to reload.
    NoManifest,
    /// The manifest has errors, and nothing has changed.
    InvalidManifest,
    /// Too many programs read events, or too many requests wait for an answer.
    Busy,
}
