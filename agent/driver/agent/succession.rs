//! Lets a new agent end an earlier agent of the same manager. If the manager has lost its connection to the earlier
//! agent, that agent may not have noticed it yet. It still occupies the ports that the new agent needs.
//!
//! Each agent has a socket that no other user can reach. A client that connects to it and sends [`END`] asks the agent
//! to end; when the connection closes, the ports are free. A client that sends nothing only checks whether the agent is
//! alive.

use std::{
    fs, io,
    io::{Read as _, Write as _},
    os::unix::{fs::MetadataExt as _, net::UnixListener as SystemListener},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt as _,
    net::{UnixListener, UnixStream},
    time::timeout,
};

use super::real_addresses::ACCEPT_PAUSE;
use crate::{
    addr::Vip,
    driver::system::{
        describe,
        private::{folders, in_a_folder, is_ours_alone, same_user},
    },
};

/// How long an earlier agent may take to end. An agent that is suspended does not end before it is resumed.
const END_MAX: Duration = Duration::from_secs(1);

/// How long a successor may take to send its request.
const SAY_MAX: Duration = Duration::from_millis(300);

/// The request to end.
const END: [u8; 1] = *b"e";

/// The connection of a later agent that waits for the end of this one. The connection closes when this value is
/// dropped.
pub(super) type Successor = UnixStream;

/// The socket on which an agent hears from its successor.
pub(super) struct SuccessionSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The inode of the socket's file, which shows whether the file is still ours.
    inode: u64,
}

/// Ends an earlier agent of this manager for this address, and takes its place. Blocks until that agent has ended and
/// its ports are free, but not longer than [`END_MAX`]. After an error, a later agent cannot end this one; the error
/// says why.
pub(super) fn take_place(manager: &str, me: Vip) -> Result<Option<SuccessionSocket>, String> {
    let name = format!("{manager}-{me}.agent");
    let beside = beside();
    for folder in folders().chain(beside.clone()) {
        if let Ok(mut earlier) = std::os::unix::net::UnixStream::connect(folder.join(&name)) {
            // If the earlier agent cannot be asked to end, the new one starts nevertheless.
            let _ = earlier.write_all(&END);
            let _ = earlier.set_read_timeout(Some(END_MAX));
            let _ = earlier.read(&mut [0]);
        }
        tidy(&folder, &format!("-{me}.agent"));
    }
    let bind = |folder: &Path| bind(folder.join(&name)).map_err(|error| describe(&error));
    in_a_folder(bind)
        .or_else(|why| match beside.as_deref().map(bind) {
            Some(Ok(socket)) => Ok(socket),
            Some(Err(_)) | None => Err(why),
        })
        .map(Some)
}

/// The folder of this program, if only this user can write to it. A folder in which a manager has put an agent is such
/// a folder. On a machine whose root file system is read-only, it may be the only writable folder.
fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.to_owned();
    is_ours_alone(&folder).then_some(folder)
}

/// Removes the sockets of agents that ended without cleaning up.
fn tidy(folder: &Path, ending: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_agents = path.to_str().is_some_and(|path| path.ends_with(ending));
        let refuses = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if is_agents
            && std::os::unix::net::UnixStream::connect(&path).is_err_and(|error| refuses(&error))
        {
            let _ = fs::remove_file(path);
        }
    }
}

fn bind(path: PathBuf) -> io::Result<SuccessionSocket> {
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = SystemListener::bind(&path)?;
    listener.set_nonblocking(true)?;
    Ok(SuccessionSocket {
        listener: UnixListener::from_std(listener)?,
        inode: fs::metadata(&path)?.ino(),
        path,
    })
}

impl SuccessionSocket {
    /// Waits for a successor.
    pub(super) async fn successor(&self) -> Successor {
        loop {
            match self
                .listener
                .accept()
                .await
                .map(|(stream, _)| same_user(stream))
            {
                Ok(Ok(mut stream)) => {
                    let mut said = [0; END.len()];
                    // A client that sends nothing must not keep other clients waiting.
                    let heard = timeout(SAY_MAX, stream.read_exact(&mut said)).await;
                    if matches!(heard, Ok(Ok(_))) && said == END {
                        return stream;
                    }
                }
                Ok(Err(_)) => {}
                // There are probably not enough file descriptors. The later agent waits for [`END_MAX`], and then
                // starts with the ports that are free.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

impl Drop for SuccessionSocket {
    fn drop(&mut self) {
        // A later agent may have replaced the file with its own.
        if fs::metadata(&self.path).is_ok_and(|now| now.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::system::{files::tests::Folder, private::make};

    #[tokio::test]
    async fn who_only_looks_whether_an_agent_lives_is_no_successor() {
        let outer = Folder::new();
        let folder = outer.path().join("places");
        make(&folder).unwrap();
        let path = folder.join("a-127.0.0.1.agent");
        let socket = bind(path.clone()).unwrap();
        tidy(&folder, "-127.0.0.1.agent");
        assert!(path.exists(), "it lives");
        let _silent = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let mut successor = std::os::unix::net::UnixStream::connect(&path).unwrap();
        successor.write_all(&END).unwrap();
        let served = socket.successor().await;
        served.try_write(b"!").unwrap();
        let mut answer = [0];
        successor.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"!", "the right one is served");
        drop(socket);
        assert!(!path.exists(), "nothing is left behind");
        fs::remove_dir(folder).unwrap();
    }
}
