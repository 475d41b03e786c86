//! The lines that `ssh -v` writes about the connection that it makes.

use crate::{plan::HostPlan, text::escape, view::Event};

/// The maximum number of lines in a trial that are recognized as lines of `ssh -v`. It is limited because a host can
/// write lines that look like them.
pub(super) const LINES_MAX: usize = 500;

/// The beginnings of the lines that `ssh -v` writes about its connection. `ssh` passes on the standard error of the
/// host to the same stream, so a host can imitate these lines. Therefore, the lines are shown, but nothing depends on
/// them.
const TALK: [&[u8]; 6] = [
    b"debug1: ",
    b"debug2: ",
    b"debug3: ",
    b"OpenSSH_",
    b"Transferred: sent ",
    b"Bytes per second: sent ",
];

/// The beginning of the line in which `ssh -v` reports that the machine has accepted the user.
pub(super) const LOGGED_IN: &str = "Authenticated to ";

/// Whether `ssh -v` has written this line of standard error about its connection.
pub(super) fn is_talk(line: &[u8]) -> bool {
    TALK.iter().any(|begin| line.starts_with(begin)) || line.starts_with(LOGGED_IN.as_bytes())
}

/// The event for a line of `ssh -v`. The trial turns the event into a step, or ignores it.
pub(super) fn talk(host: &HostPlan, line: &[u8]) -> Event {
    Event::Stderr {
        host: host.name.to_string(),
        vip: host.vip.to_string(),
        line: escape(String::from_utf8_lossy(line).trim_end()),
    }
}
