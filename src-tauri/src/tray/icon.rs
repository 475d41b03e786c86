//! Whether the icon is in the tray and visible.

use tauri::{AppHandle, Manager as _};

use super::presence;
use crate::desk::Desk;

/// The id of the icon among the tray icons of the app.
pub(super) const ID: &str = "norouter";

/// Whether the icon is visible at the moment. This may block for a moment, so do not call it where that matters.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    let shown = app.tray_by_id(ID).is_some() && presence::is_shown();
    app.state::<Desk>().set_tray(shown);
    shown
}
