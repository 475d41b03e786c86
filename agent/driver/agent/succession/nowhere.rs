//! On systems without unix sockets, an agent that lost its manager ends only when it notices the silence itself.

use crate::addr::Vip;

/// No successor ever comes.
pub(super) type Successor = ();

/// No agent has a place here.
pub(super) enum Place {}

/// Takes no place, because there is none.
pub(super) fn take_place(_manager: &str, _me: Vip) -> Result<Option<Place>, String> {
    Ok(None)
}

impl Place {
    /// Never called, since no [`Place`] exists.
    pub(super) async fn successor(&self) -> Successor {
        match *self {}
    }
}
