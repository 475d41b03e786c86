//! Whether this desktop has a tray: only on Linux it has to be found out.

#[cfg(not(target_os = "linux"))]
pub(super) use super::elsewhere::{is_possible, is_shown};
#[cfg(target_os = "linux")]
pub(super) use super::linux::{is_possible, is_shown};
