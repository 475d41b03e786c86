//! On systems without Unix sockets, an earlier agent cannot be asked to end. It ends when it notices that its manager
//! is silent.

use crate::addr::Vip;

/// The connection of a later agent, which never exists here.
pub(super) type Successor = ();

/// The socket for later agents, which never exists here.
pub(super) enum Place {}

/// Does nothing on these systems.
pub(super) fn take_place(_manager: &str, _me: Vip) -> Result<Option<Place>, String> {
    Ok(None)
}

impl Place {
    /// Never called, because a [`Place`] cannot exist.
    pub(super) async fn successor(&self) -> Successor {
        match *self {}
    }
}
