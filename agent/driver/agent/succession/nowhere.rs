//! On systems without unix sockets, an agent that lost its manager ends only when it notices the silence itself.

use crate::addr::Vip;

/// No successor ever comes.
pub(super) type Successor = ();

/// No agent has such a socket here.
pub(super) enum SuccessionSocket {}

/// Takes no place, because there is none.
pub(super) fn take_place(_manager: &str, _me: Vip) -> Result<Option<SuccessionSocket>, String> {
    Ok(None)
}

impl SuccessionSocket {
    /// Never called, since no [`SuccessionSocket`] exists.
    pub(super) async fn successor(&self) -> Successor {
        match *self {}
    }
}
