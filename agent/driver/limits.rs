//! What the operating system allows this process.

/// Lets this process have as many open files as it may. Each connection is one, and the usual limit of 1,024 is a
/// courtesy to programs that this one does not need. Without effect where it is not allowed.
pub(super) fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: maximum,
            maximum,
        };
        let _ = setrlimit(Resource::Nofile, raised);
    }
}
