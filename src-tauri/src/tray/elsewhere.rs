//! macOS and Windows always have a tray.

pub(super) const fn is_possible() -> bool {
    true
}

pub(super) const fn is_shown() -> bool {
    true
}
