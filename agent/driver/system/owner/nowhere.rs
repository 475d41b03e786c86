//! The substitute on systems that do not easily tell the owner of a connection: the owner is never known. An agent
//! there does not claim that it can keep other users out, so a manifest that requires this is refused.

use std::{io, net::SocketAddr};

/// A connection to the kernel for such questions, which these systems do not have.
#[derive(Debug)]
pub(crate) enum SocketOwners {}

/// The owner of a socket, which is never known on these systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketOwner {
    /// The user.
    pub(crate) user: u32,
}

impl SocketOwners {
    pub(crate) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn of_client(
        &mut self,
        _: SocketAddr,
        _: SocketAddr,
    ) -> io::Result<Option<SocketOwner>> {
        match *self {}
    }

    pub(crate) fn of_listener(&mut self, _: SocketAddr) -> io::Result<Option<SocketOwner>> {
        match *self {}
    }
}

impl SocketOwner {
    pub(crate) fn is_us(self) -> bool {
        false
    }

    pub(crate) fn describe(self) -> String {
        format!("the user with uid {}", self.user)
    }
}
