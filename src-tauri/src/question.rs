//! A dialog of the desktop that is answered with yes or no, on Linux. In the dialogs of the plug-in, the button for yes
//! has the keyboard focus, and Enter would end a network by accident. Here, Enter changes nothing.

use gtk::{
    ButtonsType, DialogFlags, MessageDialog, MessageType, ResponseType, Widget, Window,
    glib::Cast,
    prelude::{
        DialogExt as _, GtkWindowExt as _, MessageDialogExt as _, StyleContextExt as _,
        WidgetExt as _,
    },
};
use tauri::{AppHandle, Manager as _};
use tokio::sync::oneshot::Sender;

use crate::{
    window,
    words::{APP, dialog as words},
};

/// Shows the question, over the window if the window is visible, and sends the answer. A dialog that is closed counts
/// as no. Must be called in the main thread.
pub(crate) fn ask(app: &AppHandle, question: &str, detail: &str, yes: &str, answer: Sender<bool>) {
    let window = app.get_webview_window(window::MAIN);
    let window = window.filter(|window| window.is_visible().unwrap_or(false));
    let window = window.and_then(|window| window.gtk_window().ok());
    let window = window.map(Cast::upcast::<Window>);
    let dialog = MessageDialog::new(
        window.as_ref(),
        DialogFlags::MODAL,
        MessageType::Question,
        ButtonsType::None,
        question,
    );
    dialog.set_title(APP);
    dialog.set_secondary_text(Some(detail));
    let no = dialog.add_button(words::CANCEL, ResponseType::Cancel);
    let yes: Widget = dialog.add_button(yes, ResponseType::Accept);
    yes.style_context().add_class("destructive-action");
    dialog.set_default_response(ResponseType::Cancel);
    no.grab_focus();
    let answer = std::cell::Cell::new(Some(answer));
    dialog.connect_response(move |dialog, response| {
        if let Some(answer) = answer.take() {
            // This fails if the task that asked does not wait for the answer any more. That does no harm.
            let _ = answer.send(response == ResponseType::Accept);
        }
        dialog.close();
    });
    dialog.show_all();
    dialog.present();
}
