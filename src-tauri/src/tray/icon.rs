//! Whether the icon is in the tray and visible.

use tauri::{AppHandle, Manager as _};

use super::presence;
use crate::desk::Desk;

/// The id of the icon among the tray icons of the app.
pub(super) const ID: &str = "norouter";

/// Whether the icon is visible now. The call may block briefly, so do not make it where other work must not wait.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    let shown = app.tray_by_id(ID).is_some() && presence::is_shown();
    app.state::<Desk>().set_tray(shown);
    shown
}
