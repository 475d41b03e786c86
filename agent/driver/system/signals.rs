//! The operating system's requests to stop.

use std::{future::Future, io};

/// Completes when the process is asked to stop: by SIGTERM, SIGINT or SIGHUP, or on Windows by Ctrl-C, Ctrl-Break or
/// the closing of the console. The signals are caught from this call on. Only agents use it, because SIGHUP has another
/// meaning for a manager.
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
    /// terminal was closed.
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

    pub(super) struct Sources([Signal; 3]);

    impl Sources {
        pub(super) fn listen() -> std::io::Result<Self> {
            Ok(Self([
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
                signal(SignalKind::hangup())?,
            ]))
        }

        pub(super) async fn next(&mut self) -> Request {
            let [terminate, interrupt, hangup] = &mut self.0;
            tokio::select! {
                _ = terminate.recv() => Request::Terminate,
                _ = interrupt.recv() => Request::Interrupt,
                _ = hangup.recv() => Request::HangUp,
            }
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
