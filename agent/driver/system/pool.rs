//! Buffers for reading. A buffer is used again when all frames that were cut from it have been dropped.

use std::collections::VecDeque;

use bytes::BytesMut;

/// How much is read at a time, in bytes: enough for a few of the largest frames.
pub(in crate::driver) const READ_MAX: usize = 256 << 10;

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

/// The least room that is worth a read, in bytes.
const READ_MIN: usize = 64 << 10;

/// How many free blocks are kept.
const SPARE_MAX: usize = 16;

/// Blocks of memory for reading. A block is used again when no frame in a queue refers to it any more. A new block for
/// each read would cost more than the read itself, because the operating system would have to find and clear its pages.
#[derive(Default)]
pub(in crate::driver) struct Pool {
    spare: VecDeque<BytesMut>,
}

impl Pool {
    /// Makes room for a read in `buffer`, and keeps the bytes that are in it.
    pub(in crate::driver) fn make_room(&mut self, buffer: &mut BytesMut) {
        if buffer.capacity() - buffer.len() >= READ_MIN || buffer.try_reclaim(READ_MAX) {
            return;
        }
        let size = READ_MAX + READ_MIN;
        let free = self
            .spare
            .iter_mut()
            .position(|block| block.try_reclaim(size));
        let mut block = free
            .and_then(|index| self.spare.remove(index))
            .unwrap_or_else(|| BytesMut::with_capacity(size));
        block.extend_from_slice(buffer);
        let mut old = std::mem::replace(buffer, block);
        old.clear();
        self.spare.push_back(old);
        if self.spare.len() > SPARE_MAX {
            self.spare.pop_front();
        }
    }
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
}
