//! On systems without Unix sockets, an earlier agent cannot be asked to end. It ends when it notices that its manager
//! is silent.

use crate::addr::Vip;

/// The connection from a later agent. No such connection is ever made on these systems.
pub(super) type Successor = ();

/// The socket on which an agent hears from its successor. These systems have no such socket, so this type has no
/// values.
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
