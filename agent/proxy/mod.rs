//! What clients of the HTTP and SOCKS proxies say, and the answers to them: bytes to values and back. This room never
//! opens a socket, reads a clock or resolves a name.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

pub mod credentials;
pub mod http;
pub mod pac;
pub mod page;
pub mod socks;
pub mod throttle;

pub use credentials::{Credentials, CredentialsError};
pub use throttle::Throttle;

/// Why a destination was not reached, as far as the protocols have words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The manifest does not let clients of this proxy go there.
    NotAllowed,
    /// The administrator of the machine that would connect does not permit it.
    Limited,
    /// Nobody knows the name.
    NameNotFound,
    /// The host of the network that would serve it is not up.
    HostDown,
    /// No way through the network leads to the address.
    Unreachable,
    /// The address answered that nobody listens on the port.
    Refused,
    /// Nothing answered in time.
    TimedOut,
    /// There was another cause.
    Other,
}

/// Why a destination was not reached, for the client's program and for the person in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cause, for the program.
    pub cause: Cause,
    /// The reason, for the person: a sentence that names host, address and reason.
    pub reason: String,
}

/// Whether two texts are the same, in a time that depends on their lengths only.
pub(crate) fn same_secret(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(difference) == 0 && a.len() == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_only_if_every_byte_is() {
        assert!(same_secret(b"abc", b"abc"));
        assert!(!same_secret(b"abc", b"abd"));
        assert!(!same_secret(b"abc", b"ab"));
        assert!(!same_secret(b"", b"a"));
    }
}
