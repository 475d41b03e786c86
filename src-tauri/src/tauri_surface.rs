//! Implements the operations on the person's desktop with Tauri.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use arboard::Clipboard;
use tauri::AppHandle;
#[cfg(not(target_os = "linux"))]
use tauri_plugin_dialog::MessageDialogButtons;
use tauri_plugin_dialog::{DialogExt as _, FilePath};
use tokio::sync::oneshot;

use crate::{
    surface::{Later, Surface},
    view::Theme,
    window,
    words::dialog as words,
};

/// Implements [`Surface`] for a running Tauri app.
pub(crate) struct TauriSurface {
    app: AppHandle,
    /// The clipboard. On some systems, a copied text is available only while this value exists.
    clipboard: Mutex<Option<Clipboard>>,
}

impl TauriSurface {
    /// Makes the surface of this app.
    pub(crate) fn new(app: AppHandle) -> Self {
        Self {
            app,
            clipboard: Mutex::default(),
        }
    }
}

fn later<T: Send + 'static>(otherwise: T, ask: impl FnOnce(oneshot::Sender<T>)) -> Later<T> {
    let (sender, answer) = oneshot::channel();
    ask(sender);
    // A dialog that was closed without an answer counts as the default answer.
    Box::pin(async move { answer.await.unwrap_or(otherwise) })
}

fn path(chosen: Option<FilePath>) -> Option<PathBuf> {
    chosen.and_then(|chosen| chosen.into_path().ok())
}

impl Surface for TauriSurface {
    fn ask_manifest(&self) -> Later<Option<PathBuf>> {
        let dialog = self.app.dialog().file().set_title(words::OPEN);
        let dialog = dialog.add_filter(words::MANIFESTS, &["yaml", "yml"]);
        later(None, |answer| {
            dialog.pick_file(|chosen| drop(answer.send(path(chosen))));
        })
    }

    fn ask_place(&self, title: &str, name: &str) -> Later<Option<PathBuf>> {
        let dialog = self
            .app
            .dialog()
            .file()
            .set_title(title)
            .set_file_name(name);
        later(None, |answer| {
            dialog.save_file(|chosen| drop(answer.send(path(chosen))));
        })
    }

    #[cfg(target_os = "linux")]
    fn ask_yes(&self, question: &str, detail: &str, yes: &str) -> Later<bool> {
        let texts = [question, detail, yes].map(str::to_owned);
        let app = self.app.clone();
        later(false, |answer| {
            let asked = self.app.run_on_main_thread(move || {
                let [question, detail, yes] = &texts;
                crate::question::ask(&app, question, detail, yes, answer);
            });
            if let Err(error) = asked {
                tracing::warn!("a question cannot be shown: {error}");
            }
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn ask_yes(&self, question: &str, detail: &str, yes: &str) -> Later<bool> {
        let buttons =
            MessageDialogButtons::OkCancelCustom(yes.to_owned(), words::CANCEL.to_owned());
        let dialog = self.app.dialog().message(format!("{question}\n\n{detail}"));
        let dialog = dialog.title(crate::words::APP).buttons(buttons);
        later(false, |answer| {
            dialog.show(|yes| {
                // This fails if the task that asked does not wait for the answer any more. That does no harm.
                let _ = answer.send(yes);
            });
        })
    }

    fn copy(&self, text: &str) -> Result<(), String> {
        let mut clipboard = self
            .clipboard
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let failed = |error: arboard::Error| format!("the clipboard cannot be used: {error}");
        if clipboard.is_none() {
            *clipboard = Some(Clipboard::new().map_err(failed)?);
        }
        match clipboard.as_mut() {
            Some(clipboard) => clipboard.set_text(text).map_err(failed),
            None => Ok(()),
        }
    }

    fn browse(&self, url: &str) -> Result<(), String> {
        open::that_detached(url).map_err(|error| format!("the browser cannot be started: {error}"))
    }

    fn start_at_login(&self, on: bool) -> Result<(), String> {
        start_at_login(&self.app, on)
            .map_err(|error| format!("starting at login cannot be changed: {error}"))
    }

    fn theme(&self, theme: Theme) {
        window::set_theme(&self.app, theme);
    }

    fn exit(&self) {
        self.app.exit(0);
    }
}

#[cfg(target_os = "linux")]
fn start_at_login(app: &AppHandle, on: bool) -> Result<(), String> {
    use tauri::Manager as _;
    let config = app.path().config_dir().map_err(|error| error.to_string())?;
    crate::login::set(&config, crate::window::HIDDEN, on)
}

#[cfg(not(target_os = "linux"))]
fn start_at_login(app: &AppHandle, on: bool) -> Result<(), String> {
    use tauri_plugin_autostart::ManagerExt as _;
    let starter = app.autolaunch();
    let outcome = if on {
        starter.enable()
    } else {
        starter.disable()
    };
    outcome.map_err(|error| error.to_string())
}
