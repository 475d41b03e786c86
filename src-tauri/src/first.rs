//! Ends this process if it is a second start of the app, and the app that already runs never answers. The plug-in
//! passes the arguments of a second start on to that app, and waits for its answer without a limit.

use std::{
    io::Write as _,
    process,
    sync::mpsc::{Sender, channel},
    time::Duration,
};

use zbus::{blocking::fdo::DBusProxy, names::BusName};

use crate::{
    bubble::{Notice, Slot},
    words::{APP, first as words},
};

/// The name that the running app has on the message bus. The plug-in makes it from the identifier of the app.
const NAME: &str = "io.github.norouter.app.SingleInstance";

/// How long the running app may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// The slot of the notification that the running app does not answer.
static SLOT: Slot = Slot::numbered(0x6e6f_7271);

/// Ends this process if the running app does not answer within [`ANSWER_MAX`]. The caller drops the returned sender as
/// soon as this start turns out to be the first one, or is over.
pub(crate) fn watch() -> Sender<()> {
    let (sender, over) = channel();
    let thread = std::thread::Builder::new().name("first".to_owned());
    let started = thread.spawn(move || {
        let waited = over.recv_timeout(ANSWER_MAX);
        if waited == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            && let Some(pid) = other()
        {
            tell(pid);
            process::exit(1);
        }
    });
    if let Err(error) = started {
        tracing::warn!("a start that is not answered would wait for ever: {error}");
    }
    sender
}

/// The process id of the app that already runs.
fn other() -> Option<u32> {
    let bus = zbus::blocking::Connection::session().ok()?;
    let bus = DBusProxy::new(&bus).ok()?;
    let name = BusName::try_from(NAME).ok()?;
    let pid = bus.get_connection_unix_process_id(name).ok()?;
    (pid != process::id()).then_some(pid)
}

/// Tells the person on the standard error and on the desktop, because nobody reads the standard error of an app that
/// was started from a menu.
fn tell(pid: u32) {
    let (title, text) = (words::SILENT, words::end(pid));
    // If the text cannot be written, nothing can be done.
    let _ = writeln!(std::io::stderr(), "{APP}: {title}. {text}");
    let notice = Notice {
        title: title.to_owned(),
        text,
        place: None,
        asks: true,
    };
    SLOT.show(&notice, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_plug_in() {
        let settings = include_str!("../tauri.conf.json");
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
        let identifier = settings["identifier"].as_str().unwrap();
        assert_eq!(NAME, format!("{identifier}.SingleInstance"));
    }

    #[test]
    fn a_start_that_is_over_ends_nothing() {
        drop(watch());
    }
}
