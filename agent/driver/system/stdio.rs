//! Standard input and output as asynchronous streams. They need no threads if the system can wait for them.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

pub(in crate::driver) type Input = Box<dyn AsyncRead + Unpin + Send>;

pub(in crate::driver) type Output = Box<dyn AsyncWrite + Unpin + Send>;

/// Whether both standard input and standard output are pipes or Unix sockets. Managers, ssh and container engines give
/// such streams to an agent. On systems other than Unix this is not known, and the result is false.
pub fn are_pipes() -> bool {
    #[cfg(unix)]
    return unix::are_pipes();
    #[cfg(not(unix))]
    false
}

/// Closes standard output, so that its reader notices the end. Later output is lost. On systems other than Unix, the
/// output is closed only when the process ends.
pub fn close_output() {
    #[cfg(unix)]
    unix::close_output();
}

/// Opens standard input and output. Managers, ssh and container engines give an agent pipes or Unix sockets, for which
/// the event loop can wait. Anything else is read and written on threads.
pub(in crate::driver) fn open() -> io::Result<(Input, Output)> {
    #[cfg(unix)]
    return Ok((unix::input()?, unix::output()?));
    #[cfg(not(unix))]
    Ok((Box::new(tokio::io::stdin()), Box::new(tokio::io::stdout())))
}

#[cfg(unix)]
mod unix {
    use std::{
        io,
        os::{
            fd::{AsFd, BorrowedFd, OwnedFd},
            unix::net::UnixStream as StdUnixStream,
        },
    };

    use rustix::{
        fs::{FileType, fstat},
        net::{AddressFamily, getsockname},
    };
    use tokio::net::{UnixStream, unix::pipe};

    use super::{Input, Output, widen};

    pub(super) fn input() -> io::Result<Input> {
        let fd = std::io::stdin().as_fd().try_clone_to_owned()?;
        Ok(match kind(&fd)? {
            Kind::Pipe => {
                widen(&fd);
                Box::new(pipe::Receiver::from_owned_fd(fd)?)
            }
            Kind::UnixSocket => Box::new(socket(fd)?),
            Kind::Other => Box::new(tokio::io::stdin()),
        })
    }

    pub(super) fn output() -> io::Result<Output> {
        let fd = std::io::stdout().as_fd().try_clone_to_owned()?;
        Ok(match kind(&fd)? {
            Kind::Pipe => {
                widen(&fd);
                Box::new(pipe::Sender::from_owned_fd(fd)?)
            }
            Kind::UnixSocket => Box::new(socket(fd)?),
            Kind::Other => Box::new(tokio::io::stdout()),
        })
    }

    pub(super) fn are_pipes() -> bool {
        let (input, output) = (std::io::stdin(), std::io::stdout());
        let is_pipe = |fd: BorrowedFd<'_>| {
            let kind = fd.try_clone_to_owned().and_then(|fd| kind(&fd));
            kind.is_ok_and(|kind| !matches!(kind, Kind::Other))
        };
        is_pipe(input.as_fd()) && is_pipe(output.as_fd())
    }

    pub(super) fn close_output() {
        let nothing = std::fs::File::options().write(true).open("/dev/null");
        // If this fails, the reader sees the end when this process ends.
        let _ = nothing.map(rustix::stdio::dup2_stdout);
    }

    enum Kind {
        Pipe,
        UnixSocket,
        Other,
    }

    fn kind(fd: &OwnedFd) -> io::Result<Kind> {
        let kind = FileType::from_raw_mode(fstat(fd)?.st_mode);
        Ok(if kind == FileType::Fifo {
            Kind::Pipe
        } else if kind == FileType::Socket && is_unix(fd) {
            Kind::UnixSocket
        } else {
            Kind::Other
        })
    }

    fn is_unix(fd: &OwnedFd) -> bool {
        getsockname(fd).is_ok_and(|address| address.address_family() == AddressFamily::UNIX)
    }

    fn socket(fd: OwnedFd) -> io::Result<UnixStream> {
        let socket = StdUnixStream::from(fd);
        socket.set_nonblocking(true)?;
        UnixStream::from_std(socket)
    }
}

/// Enlarges a pipe as far as possible without privileges, so that a packet of 64 KiB needs only one switch between
/// processes. Other streams, and pipes that may not grow, stay as they are.
#[cfg(unix)]
pub(in crate::driver) fn widen(fd: &impl std::os::fd::AsFd) {
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(fd, PIPE_SIZE);
    #[cfg(not(target_os = "linux"))]
    let _ = fd;
}

#[cfg(target_os = "linux")]
const PIPE_SIZE: usize = 256 << 10;
