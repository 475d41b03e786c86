//! What the operating system allows this process, and how much of it an agent may use.

use crate::flow::Capacity;

/// How many open files are kept for everything that is no connection: pipes of commands, the control socket, files.
const RESERVE: usize = 64;

/// What is assumed where the operating system does not say how many open files there may be.
const OPEN_FILES: usize = 8_192;

/// What all connections of an agent may hold in memory, in bytes ...
const MEMORY: usize = 256 << 20;

/// ... and inside of a manager, whose queues have the rest of that.
const MEMORY_INSIDE: usize = 192 << 20;

/// Whether an agent has a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::driver) enum Alone {
    Yes,
    /// It lives in a manager's, which needs open files for the commands of its hosts.
    No,
}

/// How much an agent may have. Each connection is an open file.
pub(in crate::driver) fn capacity(alone: Alone) -> Capacity {
    let files = open_files().unwrap_or(OPEN_FILES).saturating_sub(RESERVE);
    let most = Capacity::default().flows;
    match alone {
        Alone::Yes => Capacity {
            flows: files.min(most),
            memory: MEMORY,
        },
        Alone::No => Capacity {
            flows: (files / 2).min(most),
            memory: MEMORY_INSIDE,
        },
    }
}

/// Lets this process have as many open files as it may, and tells how many that are. Each connection is one, and the usual
/// limit of 1,024 is a courtesy to programs that this one does not need.
pub(in crate::driver) fn open_files() -> Option<usize> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: maximum,
            maximum,
        };
        // Without effect where it is not allowed.
        let _ = setrlimit(Resource::Nofile, raised);
        let current = getrlimit(Resource::Nofile).current?;
        usize::try_from(current).ok()
    }
    #[cfg(not(unix))]
    None
}
