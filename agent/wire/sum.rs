//! Sums over frames, an addition to upstream's protocol. The sums reveal that a pipe has changed the bytes that it
//! carries.
//!
//! TCP's own sum does not notice some changes: for example, two bits in the same column of its 16-bit words that are
//! flipped in opposite directions. A packet here may be 64 KiB long. A control message has no other sum at all. The sum
//! of a frame is in the reserved field of its header. Upstream leaves that field 0, so 0 means that a frame has no sum.

use bytes::{Bytes, BytesMut};
use xxhash_rust::xxh64::xxh64;

use super::layout::{HEADER_LEN, Kind, LENGTH_OVERHEAD, MAGIC};

/// The bytes of a header that are its reserved field.
const FIELD: std::ops::Range<usize> = HEADER_LEN - 2..HEADER_LEN;

/// The sum of a control frame: the low 16 bits of the payload's XXH64 with the frame's type as its seed, or 1 if these
/// bits are 0.
pub fn of_control(payload: &[u8]) -> u16 {
    of(Kind::Control as u16, payload)
}

/// The sum of a frame of any type.
pub(super) fn of(kind: u16, payload: &[u8]) -> u16 {
    let [.., high, low] = xxh64(payload, u64::from(kind)).to_be_bytes();
    u16::from_be_bytes([high, low]).max(1)
}

/// Writes the sum of each frame in `frames` into the frame's header. All frames must be complete.
pub fn seal(mut frames: &mut [u8]) {
    while let Some((header, rest)) = frames.split_first_chunk_mut::<HEADER_LEN>() {
        let [_, high, middle, low, kind @ .., _, _] = *header;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        let payload = length.saturating_sub(LENGTH_OVERHEAD).min(rest.len());
        let (payload, next) = rest.split_at_mut(payload);
        let sum = of(u16::from_be_bytes(kind), payload);
        [header[FIELD.start], header[FIELD.start + 1]] = sum.to_be_bytes();
        frames = next;
    }
}

/// A whole frame without its sum, for a receiver that does not support sums. Bytes that are not a frame stay as they
/// are: the last line for a host's shell travels with the first frame for its agent.
pub fn unsealed(frame: Bytes) -> Bytes {
    let has_sum = frame.get(FIELD).is_some_and(|sum| sum != [0, 0]);
    if !has_sum || frame.first() != Some(&MAGIC) {
        return frame;
    }
    let mut frame = BytesMut::from(frame);
    if let Some(sum) = frame.get_mut(FIELD) {
        sum.fill(0);
    }
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Decoder, Desync, Item, PacketFrame, frame::put_control};

    fn frames() -> BytesMut {
        let mut frames = BytesMut::from(&PacketFrame::new(b"a packet").into_bytes()[..]);
        put_control(&mut frames, b"{}");
        frames
    }

    #[test]
    fn a_sum_is_what_the_protocol_says() {
        // XXH64 of nothing with the seed 0 is 0xef46db3751d8e999, by its specification.
        assert_eq!(of(0, b""), 0xe999);
        assert_ne!(of(1, b"{}"), of(2, b"{}"), "the type counts");
    }

    #[test]
    fn sealed_frames_are_taken_and_unsealed_they_are_what_they_were() {
        let plain = frames();
        let mut sealed = plain.clone();
        seal(&mut sealed);
        assert_ne!(sealed, plain);
        let (packet, control) = sealed.split_at(16);
        let line = Bytes::from_static(b"go 0123456789\n");
        assert_eq!(unsealed(line.clone()), line, "it is not a frame");
        let control = unsealed(Bytes::copy_from_slice(control));
        let packet = unsealed(Bytes::copy_from_slice(packet));
        assert_eq!([packet, control].concat(), plain);
        let mut decoder = Decoder::new(100);
        assert!(matches!(
            decoder.poll(&mut sealed),
            Ok(Some(Item::Packet(_)))
        ));
        assert!(matches!(
            decoder.poll(&mut sealed),
            Ok(Some(Item::Control(_)))
        ));
    }

    #[test]
    fn a_changed_packet_is_skipped_and_a_changed_message_ends_the_stream() {
        let mut stream = frames();
        seal(&mut stream);
        stream[HEADER_LEN] ^= 1;
        *stream.last_mut().unwrap() ^= 1;
        let mut decoder = Decoder::new(100);
        assert_eq!(decoder.poll(&mut stream), Ok(Some(Item::Damaged)));
        assert_eq!(decoder.poll(&mut stream), Err(Desync::Sum));
    }

    /// In each of two columns, one bit becomes 1 and another becomes 0, so that TCP's sum stays the same.
    #[test]
    fn flipped_bits_that_tcp_does_not_notice_are_seen() {
        let mut packet = vec![0x55; 4_000];
        (packet[2_000], packet[2_101]) = (0x54, 0x57);
        let sums = |packet: &[u8]| {
            let words = packet.chunks(2);
            let words = words.map(|word| u64::from(u16::from_be_bytes([word[0], word[1]])));
            (words.sum::<u64>(), of(1, packet))
        };
        let before = sums(&packet);
        packet[100] ^= 1;
        packet[2_000] ^= 1;
        packet[1_101] ^= 2;
        packet[2_101] ^= 2;
        let after = sums(&packet);
        assert_eq!(before.0, after.0, "by TCP's words");
        assert_ne!(before.1, after.1, "by ours");
    }
}
