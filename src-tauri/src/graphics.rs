//! Keeps the web view from simulating a graphics processor on machines that have none.

use std::path::Path;

use gtk::glib;

/// The variable by which `WebKitGTK` paints pages without a graphics processor.
const VARIABLE: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// The folder with the kernel's graphics processors.
const DEVICES: &str = "/dev/dri";

/// Makes the web view paint without a graphics processor if the machine has none. Otherwise it loads libraries that
/// simulate one, and these take a quarter of the app's memory. A value that the person has set stays. This must be called
/// before the first thread starts: the environment of a process cannot be changed safely while other threads read it.
pub(crate) fn spare() {
    if !are_in(Path::new(DEVICES)) {
        // If this fails, the web view only needs more memory. The log has not begun yet.
        let _ = glib::setenv(VARIABLE, "1", false);
    }
}

/// Whether a folder has graphics processors that programs may use. If it cannot be read, it counts as having one.
fn are_in(devices: &Path) -> bool {
    let Ok(devices) = devices.read_dir() else {
        return devices.exists();
    };
    let mut names = devices.flatten().map(|device| device.file_name());
    names.any(|name| name.to_string_lossy().starts_with("renderD"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_screen_alone_is_no_graphics_processor() {
        let folder = Folder::new("graphics");
        let place = folder.path("dri");
        assert!(!are_in(&place));
        fs::create_dir(&place).unwrap();
        fs::write(place.join("card0"), "").unwrap();
        assert!(!are_in(&place));
        fs::write(place.join("renderD128"), "").unwrap();
        assert!(are_in(&place));
    }
}
