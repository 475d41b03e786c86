//! Reads what a person types at the terminal, line by line, visible or hidden.

use std::io::{self, IsTerminal as _};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::secret::Secret;

/// While this value exists, the terminal does not show typed text.
pub(super) struct Unseen(platform::Mode);

impl Unseen {
    /// Hides typed text from now on. If this fails, the person must not type a secret.
    pub(super) fn begin() -> io::Result<Self> {
        platform::hide().map(Self)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        platform::restore(&self.0);
    }
}

/// Whether there is a terminal at which a person can type to this program now.
pub(super) fn has_person() -> bool {
    io::stdin().is_terminal() && platform::is_foreground()
}

/// Discards typed text that was not read yet, because it was meant for an earlier question.
pub(super) fn forget(lines: &mut UnboundedReceiver<Secret>) {
    platform::forget();
    while lines.try_recv().is_ok() {}
}

/// Discards typed text that was not read yet, and reads lines from now on.
pub(super) fn begin(lines: &mut Option<UnboundedReceiver<Secret>>) {
    if let Some(lines) = lines {
        forget(lines);
    } else {
        platform::forget();
        *lines = Some(self::lines());
    }
}

/// Reads one line, without its line break; `None` at the end of the input.
pub(super) fn line() -> Option<Secret> {
    let mut line = zeroize::Zeroizing::new(String::new());
    let count = io::stdin().read_line(&mut line).ok()?;
    let text = line.trim_end_matches(['\r', '\n']);
    (count > 0).then(|| Secret::new(text.to_owned()))
}

/// Reads lines from the terminal from now on. While this program is in the background, nothing is read.
pub(super) fn lines() -> UnboundedReceiver<Secret> {
    let (sender, lines) = unbounded_channel();
    std::thread::spawn(move || {
        loop {
            platform::wait_for_turn();
            let Some(line) = line() else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[cfg(unix)]
mod platform {
    use std::{io, time::Duration};

    use rustix::{
        event::{PollFd, PollFlags, poll},
        process::getpgrp,
        termios::{
            LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetpgrp,
            tcsetattr,
        },
    };

    /// The interval at which the program checks whether it is in the foreground again.
    const LOOK: Duration = Duration::from_millis(200);

    pub(super) type Mode = Termios;

    pub(super) fn hide() -> io::Result<Mode> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?;
        Ok(before)
    }

    pub(super) fn restore(before: &Mode) {
        // If the terminal is gone, there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }

    pub(super) fn forget() {
        // If this fails, a line that was typed for an earlier question may be taken as the answer to the next one.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }

    /// Whether this program is in the foreground. A background program would be stopped if it read from the terminal or
    /// changed it.
    pub(super) fn is_foreground() -> bool {
        tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }

    pub(super) fn wait_for_turn() {
        let input = io::stdin();
        loop {
            let mut fds = [PollFd::new(&input, PollFlags::IN)];
            // If the input has an error, the next read will report it.
            let _ = poll(&mut fds, None);
            if is_foreground() || tcgetpgrp(&input).is_err() {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::io;

    use winapi_util::{HandleRef, console};

    /// `ENABLE_ECHO_INPUT` of the Windows function `SetConsoleMode`.
    const ECHO: u32 = 0x4;

    pub(super) type Mode = u32;

    pub(super) fn hide() -> io::Result<Mode> {
        let before = console::mode(HandleRef::stdin())?;
        console::set_mode(HandleRef::stdin(), before & !ECHO)?;
        Ok(before)
    }

    pub(super) fn restore(before: &Mode) {
        // If the console is gone, there is nothing to restore.
        let _ = console::set_mode(HandleRef::stdin(), *before);
    }

    /// Does nothing, because a Windows console delivers only whole lines, and the caller discards those.
    pub(super) const fn forget() {}

    pub(super) const fn is_foreground() -> bool {
        true
    }

    pub(super) const fn wait_for_turn() {}
}
