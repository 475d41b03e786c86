//! Standard input and output as streams that wait without a thread of their own, where the platform allows it.

#[cfg(unix)]
pub(super) use self::unix::open;

#[cfg(not(unix))]
pub(super) use self::portable::open;

#[cfg(unix)]
mod unix {
    use std::{
        io,
        os::fd::{AsFd, OwnedFd},
        pin::Pin,
        task::{Context, Poll, ready},
    };

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, unix::AsyncFd};

    /// Opens both. A regular file cannot be waited for; nobody has a reason to run an agent on one.
    pub(in crate::driver) fn open() -> io::Result<(Input, Output)> {
        let input = register(std::io::stdin().as_fd().try_clone_to_owned()?)?;
        let output = register(std::io::stdout().as_fd().try_clone_to_owned()?)?;
        Ok((Input(input), Output(output)))
    }

    /// The flag belongs to the open file and not to us, so whoever shares it sees it too. A manager, ssh or a
    /// container engine opens the pipe for the agent alone.
    fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
        let flags = rustix::fs::fcntl_getfl(&fd)?;
        rustix::fs::fcntl_setfl(&fd, flags | rustix::fs::OFlags::NONBLOCK)?;
        super::super::child::widen(&fd);
        AsyncFd::new(fd)
    }

    pub(in crate::driver) struct Input(AsyncFd<OwnedFd>);

    pub(in crate::driver) struct Output(AsyncFd<OwnedFd>);

    impl AsyncRead for Input {
        fn poll_read(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            loop {
                let mut guard = ready!(self.0.poll_read_ready(context))?;
                let read = guard.try_io(|fd| {
                    let room = buffer.initialize_unfilled();
                    Ok(rustix::io::read(fd.get_ref(), room)?)
                });
                if let Ok(read) = read {
                    buffer.advance(read?);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    impl AsyncWrite for Output {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            loop {
                let mut guard = ready!(self.0.poll_write_ready(context))?;
                let written = guard.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), bytes)?));
                if let Ok(written) = written {
                    return Poll::Ready(written);
                }
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
}

#[cfg(not(unix))]
mod portable {
    use tokio::io::{Stdin, Stdout};

    /// Opens both. tokio reads and writes them on threads.
    pub(in crate::driver) fn open() -> std::io::Result<(Stdin, Stdout)> {
        Ok((tokio::io::stdin(), tokio::io::stdout()))
    }
}
