//! Reads the standard error of commands, line by line.

use std::{sync::Arc, time::Duration};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::shared::Shared;
use crate::{addr::Vip, driver::harness::World as _};

/// How long to wait for the rest of an agent's output after its process has ended.
pub(super) const REST_MAX: Duration = Duration::from_secs(1);

/// The longest line of standard error, in bytes. A longer one is split.
pub(super) const LINE_MAX: usize = 16 << 10;

/// A line of standard error that has no end after this time is treated as complete. It may be a question, because a
/// program that waits for the answer does not end the line.
const UNFINISHED_MAX: Duration = Duration::from_secs(1);

/// How many lines of standard error are read at a time. The number is high enough to read the rest of a pipe within
/// [`REST_MAX`] after its command has ended.
const LINES_MAX: usize = 128;

/// How long reading pauses after a lot of standard error, so that one agent's messages do not take the time of others.
const FLOOD_PAUSE: Duration = Duration::from_millis(20);

/// Tells the manager each line, until the command has closed its standard error.
pub(super) async fn read_errors(
    shared: Arc<Shared>,
    vip: Vip,
    mut errors: impl AsyncRead + Unpin + Send,
) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(LINE_MAX);
        let unfinished = !buffer.is_empty();
        let read = errors.read_buf(&mut buffer);
        let (ended, quiet) = if unfinished {
            match tokio::time::timeout(UNFINISHED_MAX, read).await {
                Ok(read) => (matches!(read, Ok(0) | Err(_)), false),
                Err(_) => (false, true),
            }
        } else {
            (matches!(read.await, Ok(0) | Err(_)), false)
        };
        let mut flooded = buffer.len() >= LINE_MAX;
        let mut lines = 0;
        loop {
            if lines == LINES_MAX {
                tokio::time::sleep(FLOOD_PAUSE).await;
                (lines, flooded) = (0, false);
            }
            lines += 1;
            let line = match buffer.iter().position(|&byte| byte == b'\n') {
                Some(end) => {
                    let line = buffer.split_to(end);
                    buffer.advance(1);
                    line
                }
                None if buffer.len() >= LINE_MAX || ((ended || quiet) && !buffer.is_empty()) => {
                    buffer.split()
                }
                None => break,
            };
            shared.tell(|core, now| core.handle_stderr(now, vip, &line));
        }
        if ended {
            return;
        }
        if flooded {
            tokio::time::sleep(FLOOD_PAUSE).await;
        }
    }
}
