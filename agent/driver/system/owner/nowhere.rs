//! Replaces `owner.rs` on systems that do not reveal the owner of a connection. An agent on such a system does not
//! announce that it can keep other users out, so a manifest that requires this is refused.

use std::{io, net::SocketAddr};

/// A connection to the kernel, which does not exist on these systems.
#[derive(Debug)]
pub(crate) enum SocketOwners {}

/// The owner of a socket, which is not known on these systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketOwner {
    /// The id of the user.
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

    pub(crate) fn holder(self) -> Option<String> {
        None
    }
}
