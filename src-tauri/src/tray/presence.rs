//! Whether this desktop has a tray. Only Linux desktops may have none, so only there a test is needed.

#[cfg(not(target_os = "linux"))]
pub(super) use super::elsewhere::{is_possible, is_shown};
#[cfg(target_os = "linux")]
pub(super) use super::linux::{is_possible, is_shown};
