//! On systems without unix sockets, an agent that lost its manager ends only when it notices the silence itself.

use crate::addr::Vip;

/// No successor can exist here.
pub(super) type Successor = ();

/// Agents have no such socket here.
pub(super) enum SuccessionSocket {}

/// Does nothing: on these systems an earlier agent cannot be reached.
pub(super) fn take_place(_manager: &str, _me: Vip) -> Result<Option<SuccessionSocket>, String> {
    Ok(None)
}

impl SuccessionSocket {
    /// Never called, since no [`SuccessionSocket`] exists.
    pub(super) async fn successor(&self) -> Successor {
        match *self {}
    }
}
