//! Whether the icon is in the tray and can be seen.

use tauri::{AppHandle, Manager as _};

use super::presence;
use crate::desk::Desk;

/// The name of the icon among the icons of this machine.
pub(super) const ID: &str = "norouter";

/// Whether there is an icon that is shown now. This may take a moment; call it where that does not matter.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    let shown = app.tray_by_id(ID).is_some() && presence::is_shown();
    app.state::<Desk>().set_tray(shown);
    shown
}
