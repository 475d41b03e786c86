//! Where this system does not tell without more ado whose a connection is: nobody is known. An agent here does not say that
//! it can keep other users out, so that a manifest that asks for it is refused.

use std::{io, net::SocketAddr};

/// What nobody has here.
#[derive(Debug)]
pub(crate) enum Owners {}

/// Nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The user.
    pub(crate) user: u32,
}

impl Owners {
    pub(crate) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn of_client(&mut self, _: SocketAddr, _: SocketAddr) -> io::Result<Option<Owner>> {
        match *self {}
    }

    pub(crate) fn of_listener(&mut self, _: SocketAddr) -> io::Result<Option<Owner>> {
        match *self {}
    }
}

impl Owner {
    pub(crate) fn is_us(self) -> bool {
        false
    }

    pub(crate) fn describe(self) -> String {
        format!("the user with uid {}", self.user)
    }
}
