//! Answers the dialog of the tool kit that asks where a file should be saved.

use std::fs;

use arboard::{GetExtLinux as _, LinuxClipboardKind};

use super::{
    display::{CONTROL, Display, LETTER_A, LETTER_V, RETURN},
    rig::Home,
};

/// Answers the dialog that asks where to save, and returns the content of the saved file.
pub(crate) fn save_as(display: &Display, home: &Home, pid: u32, name: &str) -> String {
    let dialog = display.window(home, pid, "DIALOG");
    let path = home.path(name);
    let mut clipboard = arboard::Clipboard::new().unwrap();
    clipboard.set_text(path.to_str().unwrap()).unwrap();
    display.press(dialog, &[CONTROL, LETTER_A]);
    display.press(dialog, &[CONTROL, LETTER_V]);
    // The pasted path arrives only after the owner of the clipboard has sent it. The path can be selected only then.
    home.wait("the path is not in the dialog", || {
        display.press(dialog, &[CONTROL, LETTER_A]);
        let selected = clipboard.get().clipboard(LinuxClipboardKind::Primary);
        (selected.text().ok()? == path.to_str()?).then_some(())
    });
    display.press(dialog, &[RETURN]);
    home.wait("nothing was saved", || fs::read_to_string(&path).ok())
}
