//! The control sockets of this user, of the kind that this platform has.

#[cfg(windows)]
pub(super) use super::pipe::{Bound, Listener, Stream, bind, connect, names};
#[cfg(unix)]
pub(super) use super::socket::{Bound, Listener, Stream, bind, connect, names};
