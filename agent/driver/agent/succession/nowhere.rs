//! Where there are no unix sockets an agent that lost its manager ends by its own count alone.

use crate::addr::Vip;

/// Nobody.
pub(super) type Successor = ();

/// What no agent has here.
pub(super) enum Place {}

/// There is no place to take.
pub(super) fn take_place(_manager: &str, _me: Vip) -> Result<Option<Place>, String> {
    Ok(None)
}

impl Place {
    /// Nobody comes.
    pub(super) async fn successor(&self) -> Successor {
        match *self {}
    }
}
