//! Parses and writes the messages of the HTTP and SOCKS proxies, and makes the variables that lead programs to the
//! proxies. This module never opens a socket, reads a clock or resolves a name.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

pub mod credentials;
pub mod http;
pub mod outward;
pub mod pac;
pub mod page;
pub mod socks;
pub mod throttle;
pub mod upstream;
pub mod variables;

pub use credentials::{Credentials, CredentialsError};
pub use outward::Outward;
pub use throttle::Throttle;
pub use upstream::Upstream;
pub use variables::{reached_at, variables};
