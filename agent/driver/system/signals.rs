//! The operating system's requests to stop.

use std::{future::Future, io};

/// Completes when the process is asked to stop: by SIGTERM, SIGINT or SIGHUP, or on Windows by Ctrl-C, Ctrl-Break or
/// the closing of the console. The signals are caught from this call on. Only agents use this function, because SIGHUP
/// has another meaning for a manager.
pub fn terminated() -> io::Result<impl Future<Output = ()>> {
    let mut requests = Requests::listen()?;
    Ok(async move {
        // An agent does not have a manifest to reload, so SIGHUP ends it as well.
        requests.next().await;
    })
}

/// A signal to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A person has pressed Ctrl-C.
    Interrupt,
    /// Another program wants this process to end.
    Terminate,
    /// SIGHUP. If the process has no terminal, another program wants the manifest to be reloaded. Otherwise the
    /// terminal was closed. A process that was started with `nohup` does not get this signal.
    HangUp,
}

/// The signals to the process, one after the other.
pub struct Requests(platform::Sources);

impl Requests {
    /// Catches the signals from now on.
    pub fn listen() -> io::Result<Self> {
        platform::Sources::listen().map(Self)
    }

    /// Waits for the next request.
    pub async fn next(&mut self) -> Request {
        self.0.next().await
    }
}

/// Notices changes of the terminal's size, on systems that report them.
pub struct Resizes {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Resizes {
    /// Watches from this call on. If that is not possible, no change is ever reported.
    pub fn listen() -> Self {
        #[cfg(unix)]
        return Self {
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change())
                .ok(),
        };
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits for the next change of the terminal's size.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal {
            signal.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
mod platform {
    use super::Request;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Sources {
        terminate: Signal,
        interrupt: Signal,
        /// `None` if the process has to survive the end of its terminal.
        hangup: Option<Signal>,
    }

    impl Sources {
        pub(super) fn listen() -> std::io::Result<Self> {
            // SIGHUP is not caught if it is ignored, because catching it would undo the effect of `nohup`. SIGINT is
            // always caught. A script starts its background processes with SIGINT ignored, but may still use this
            // signal to end them.
            let hangup = (!hangup_is_ignored()).then(|| signal(SignalKind::hangup()));
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hangup: hangup.transpose()?,
            })
        }

        pub(super) async fn next(&mut self) -> Request {
            let hung_up = async {
                match &mut self.hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.terminate.recv() => Request::Terminate,
                _ = self.interrupt.recv() => Request::Interrupt,
                _ = hung_up => Request::HangUp,
            }
        }
    }

    /// Whether this process ignores SIGHUP, for example because `nohup` has started it. On Linux a file tells that. On
    /// other systems it would take a system call that Rust considers unsafe, so the answer is always no.
    fn hangup_is_ignored() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        ignores(&status, SignalKind::hangup().as_raw_value())
    }

    /// Whether a process with this `/proc/PID/status` ignores a signal (`proc_pid_status(5)`).
    fn ignores(status: &str, signal: i32) -> bool {
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u128::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }

    #[cfg(test)]
    mod tests {
        use super::ignores;

        #[test]
        fn the_mask_of_ignored_signals_is_read() {
            let nohup = "Name:\tnorouter\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
            assert!(ignores(nohup, 1) && ignores(nohup, 13));
            assert!(!ignores(nohup, 2) && !ignores(nohup, 15));
            assert!(!ignores("", 1) && !ignores("SigIgn:\tnonsense", 1));
        }
    }
}

#[cfg(windows)]
mod platform {
    use super::Request;
    use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

    pub(super) struct Sources(CtrlC, CtrlBreak, CtrlClose);

    impl Sources {
        pub(super) fn listen() -> std::io::Result<Self> {
            Ok(Self(ctrl_c()?, ctrl_break()?, ctrl_close()?))
        }

        pub(super) async fn next(&mut self) -> Request {
            tokio::select! {
                _ = self.0.recv() => Request::Interrupt,
                _ = self.1.recv() => Request::Interrupt,
                _ = self.2.recv() => Request::Terminate,
            }
        }
    }
}
