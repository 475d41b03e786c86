//! Whether this desktop has a tray. Only desktops on Linux may lack one, so a test is needed only there.

#[cfg(not(target_os = "linux"))]
pub(super) use super::elsewhere::{is_possible, is_shown};
#[cfg(target_os = "linux")]
pub(super) use super::linux::{is_possible, is_shown};
