//! The interface through which a manager uses its control socket.

use std::future::Future;

use super::{inside::Inside, name::NetworkName};

/// The control socket that other programs of this user connect to.
pub trait ControlSocket: Send + 'static {
    /// The name of the network.
    fn name(&self) -> &NetworkName;

    /// Serves the socket until the network has ended, and a moment longer, so that connected programs receive the last
    /// events.
    fn serve(self, inside: Inside) -> impl Future<Output = ()>;
}
