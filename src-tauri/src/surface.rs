//! Everything for which the app needs the person's desktop: dialogs, the clipboard, the browser, the session. Commands
//! use the desktop only through this trait, so tests do not need one.

use std::{future::Future, path::PathBuf, pin::Pin};

use crate::view::Theme;

/// A future with the person's answer.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The operations that need the person's desktop.
pub(crate) trait Surface: Send + Sync + 'static {
    /// Asks which manifest to open.
    fn ask_manifest(&self) -> Later<Option<PathBuf>>;
    /// Asks for the path of a new file.
    fn ask_place(&self, title: &str, name: &str) -> Later<Option<PathBuf>>;
    /// Asks a question that is answered with yes or no.
    fn ask_yes(&self, question: &str, detail: &str, yes: &str) -> Later<bool>;
    /// Puts a text into the clipboard.
    fn copy(&self, text: &str) -> Result<(), String>;
    /// Opens a URL in the browser.
    fn browse(&self, url: &str) -> Result<(), String>;
    /// Sets whether the app is started when the person logs in.
    fn start_at_login(&self, on: bool) -> Result<(), String>;
    /// Sets whether the window's frame is light or dark.
    fn theme(&self, theme: Theme);
    /// Quits the app without further questions.
    fn exit(&self);
}
