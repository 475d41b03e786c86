//! Buffers for reading. A buffer is used again when all frames that were cut from it have been dropped.

use std::{collections::VecDeque, io};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The most that is read at a time, in bytes: enough for a few of the largest frames.
const READ_MAX: usize = 256 << 10;

/// What is read at a time from a pipe that carries little. A thousand hosts that only answer heartbeats have a buffer of
/// this size each.
const READ_MIN: usize = 4 << 10;

/// How much more is read at a time after a read of as much as may be read now.
const GROWTH: usize = 4;

/// After this many reads in a row of less than [`READ_MIN`], the larger blocks are given back.
const SMALL_READS: u32 = 16;

/// How many bytes of one pipe are read before other tasks and processes have their turn. This is the capacity of a pipe
/// on Linux; smaller turns would waste time.
const TURN: usize = 64 << 10;

/// Yields to other tasks and processes when many bytes of one pipe have been read.
#[derive(Default)]
pub(in crate::driver) struct Turns {
    bytes: usize,
}

impl Turns {
    /// Counts bytes that have been read. Yields when at least `TURN` bytes have been read since the last yield.
    pub(in crate::driver) async fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= TURN {
            self.bytes = 0;
            // Without this, a pipe that never becomes empty would keep this thread on its processor for the whole time
            // slice.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }
}

/// How many free blocks are kept.
const SPARE_MAX: usize = 16;

/// Blocks of memory for reading. A block is used again when no frame in a queue refers to it any more. A new block for
/// each read would cost more than the read itself, because the operating system would have to find and clear its pages.
/// The size of the blocks follows the amount that the pipe carries.
pub(in crate::driver) struct Pool {
    spare: VecDeque<BytesMut>,
    /// How much is read at a time now.
    room: usize,
    /// The number of small reads in a row.
    small: u32,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            spare: VecDeque::new(),
            room: READ_MIN,
            small: 0,
        }
    }
}

impl Pool {
    /// Reads into `buffer`, behind the bytes that are in it, and returns the number of bytes; 0 at the end.
    pub(in crate::driver) async fn read(
        &mut self,
        pipe: &mut (impl AsyncRead + Unpin),
        buffer: &mut BytesMut,
    ) -> io::Result<usize> {
        self.make_room(buffer);
        let count = pipe.read_buf(buffer).await?;
        self.note(buffer, count);
        Ok(count)
    }

    /// Makes room for a read in `buffer`, and keeps the bytes that are in it.
    fn make_room(&mut self, buffer: &mut BytesMut) {
        // Less room than this is not worth a read.
        let least = self.room / GROWTH;
        if buffer.capacity() - buffer.len() >= least || buffer.try_reclaim(self.room) {
            return;
        }
        let size = buffer.len() + self.room;
        let free = self
            .spare
            .iter_mut()
            .position(|block| block.try_reclaim(size));
        let block = free.and_then(|index| self.spare.remove(index));
        // The block will fit again when it has the beginning of another frame in it.
        let mut old = replace(buffer, block, size.max(self.room + least));
        old.clear();
        self.spare.push_back(old);
        if self.spare.len() > SPARE_MAX {
            self.spare.pop_front();
        }
    }

    /// Notes a read of `count` bytes.
    fn note(&mut self, buffer: &mut BytesMut, count: usize) {
        if count >= self.room {
            self.room = READ_MAX.min(self.room * GROWTH);
        }
        if count >= READ_MIN {
            self.small = 0;
        } else if self.room > READ_MIN {
            self.small += 1;
            if self.small >= SMALL_READS && buffer.len() < READ_MIN {
                *self = Self::default();
                replace(buffer, None, buffer.len() + READ_MIN);
            }
        }
    }
}

/// Moves the bytes in `buffer` to this block, or to a new one of this size, and returns the old one.
fn replace(buffer: &mut BytesMut, block: Option<BytesMut>, size: usize) -> BytesMut {
    let mut block = block.unwrap_or_else(|| BytesMut::with_capacity(size));
    block.extend_from_slice(buffer);
    std::mem::replace(buffer, block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_used_again_when_its_frames_are_gone_and_not_before() {
        let mut pool = Pool::default();
        let mut buffer = BytesMut::new();
        // Fills the free room of the buffer with `mark`, and takes out all bytes except the last four. These four stay
        // in the buffer, like the beginning of a frame that has not arrived completely.
        let mut read = |mark: u8| {
            pool.make_room(&mut buffer);
            let start = buffer.as_ptr();
            buffer.resize(buffer.capacity(), mark);
            (start, buffer.split_to(buffer.len() - 4).freeze())
        };
        let (first, frame) = read(1);
        let (second, held) = read(2);
        assert_ne!(first, second, "the frame is still there");
        assert_eq!(held[..5], [1, 1, 1, 1, 2]);
        drop(frame);
        let (third, _) = read(3);
        assert_eq!(third, first);
    }

    #[tokio::test]
    async fn the_room_follows_what_the_pipe_carries() {
        let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
        let much = vec![1; 8 * READ_MAX];
        let mut pipe = &much[..];
        let mut reads = Vec::new();
        while !pipe.is_empty() {
            reads.push(pool.read(&mut pipe, &mut buffer).await.unwrap());
            drop(buffer.split());
        }
        assert!(reads[0] < 2 * READ_MIN && reads[3..].iter().max() >= Some(&READ_MAX));
        assert!(buffer.capacity() >= READ_MAX);
        // The beginning of a frame stays in the buffer.
        buffer.extend_from_slice(b"begin");
        for _ in 0..SMALL_READS {
            assert_eq!(pool.read(&mut &b"x"[..], &mut buffer).await.unwrap(), 1);
        }
        assert!(buffer.capacity() < 2 * READ_MIN && pool.spare.is_empty());
        assert!(buffer.starts_with(b"beginx"));
    }
}
