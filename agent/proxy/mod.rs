//! What clients of the HTTP and SOCKS proxies say, and the answers to them: bytes to values and back; and the variables
//! that lead clients there. This room never opens a socket, reads a clock or resolves a name.

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
mod variables;

pub use credentials::{Credentials, CredentialsError};
pub use throttle::Throttle;
pub use variables::{reached_at, variables};

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
