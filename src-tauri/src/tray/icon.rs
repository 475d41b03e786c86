//! Finds out whether the icon is in the tray and visible.

use tauri::{AppHandle, Manager as _};

use super::presence;
use crate::desk::Desk;

/// The id of the icon among the tray icons of the app.
pub(super) const ID: &str = "norouter";

/// Whether the icon is visible now. The call may block for a moment, so it must not be made on a thread that other work
/// needs.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    let shown = app.tray_by_id(ID).is_some() && presence::is_shown();
    app.state::<Desk>().set_tray(shown);
    shown
}
