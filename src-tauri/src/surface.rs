//! Everything that needs the person's screen: dialogs, the clipboard, the browser, the session. Commands know it by
//! this trait only, so that they can be tested without a screen.

use std::{future::Future, path::PathBuf, pin::Pin};

use crate::view::Theme;

/// An answer that takes a while.
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
    /// Sets whether the app is started when the person logs in.
    fn start_at_login(&self, on: bool) -> Result<(), String>;
    /// Draws the frame of the window light or dark.
    fn theme(&self, theme: Theme);
    /// Ends the app. All questions were asked before.
    fn exit(&self);
}
