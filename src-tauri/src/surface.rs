//! What needs the person's screen: dialogs, the clipboard, the browser, the session. Commands know it by this trait only, so
//! that they can be tried without a screen.

use std::{future::Future, path::PathBuf, pin::Pin};

use crate::view::Theme;

/// An answer that takes its time.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The person's screen.
pub(crate) trait Surface: Send + Sync + 'static {
    /// Asks which manifest to open.
    fn ask_manifest(&self) -> Later<Option<PathBuf>>;
    /// Asks where to write a file.
    fn ask_place(&self, title: &str, name: &str) -> Later<Option<PathBuf>>;
    /// Asks whether something may happen.
    fn ask_yes(&self, question: &str, detail: &str, yes: &str) -> Later<bool>;
    /// Puts a text into the clipboard.
    fn copy(&self, text: &str) -> Result<(), String>;
    /// Shows an address in the browser.
    fn browse(&self, url: &str) -> Result<(), String>;
    /// Starts the app whenever the person logs in, or does not.
    fn start_at_login(&self, on: bool) -> Result<(), String>;
    /// Draws the frame of the window light or dark.
    fn theme(&self, theme: Theme);
    /// Ends the app; whoever is to be asked was asked.
    fn exit(&self);
}
