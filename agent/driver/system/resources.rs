//! The limits that the operating system sets for this process, and the share of them that an agent may use.

use crate::flow::Capacity;

/// How many open files are reserved for everything except connections: the pipes of commands, the control socket,
/// files.
const RESERVE: usize = 64;

/// The number of open files that is assumed if the operating system does not report a limit.
const OPEN_FILES: usize = 8_192;

/// The memory that all connections of an agent may hold, in bytes.
const MEMORY: usize = 256 << 20;

/// The memory that all connections of an agent inside a manager may use, in bytes. The manager's queues use the rest of
/// [`MEMORY`].
const MEMORY_INSIDE: usize = 192 << 20;

/// Whether an agent has its process for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::driver) enum Alone {
    Yes,
    /// The agent shares the process with a manager, which needs open files for the commands of its hosts.
    No,
}

/// The capacity of an agent. Each connection needs an open file.
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

/// Raises the limit of open files as far as possible, and returns the new limit. Each connection needs an open file.
/// The usual limit of 1,024 is meant for programs that use `select`, which this program does not use. `None` if the
/// limit is not known.
pub(in crate::driver) fn open_files() -> Option<usize> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: maximum,
            maximum,
        };
        // If this is not permitted, the limit stays as it is.
        let _ = setrlimit(Resource::Nofile, raised);
        let current = getrlimit(Resource::Nofile).current?;
        usize::try_from(current).ok()
    }
    #[cfg(not(unix))]
    None
}
