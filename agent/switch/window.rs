//! The receive window of one end of a flow, as its segments show it.

use crate::wire::Segment;

/// The largest window scale factor, as a shift (RFC 7323 section 2.3).
const SHIFT_MAX: u8 = 14;

/// The greatest accepted distance between an acknowledgment and the last sequence number that the switch has seen from
/// the other end. An acknowledgment may include bytes that have not reached the switch yet. An acknowledgment with a
/// greater distance is ignored, because it could make the right edge of the window wrap around.
const DISTANCE_MAX: u32 = 1 << 29;

/// The receive window of one end (RFC 9293 section 3.8.6).
///
/// Every segment of this end crosses the switch before the other end receives it. In doubt, the switch assumes the
/// larger window. Therefore it never assumes a smaller window than the other end does. Whatever this end sends, the
/// other end is not charged for bytes that it believed to be allowed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    /// The right edge of the window: the sequence number after the last byte that this end accepts. `None` before its
    /// first acknowledgment.
    edge: Option<u32>,
    /// The window scale (a shift) in this end's SYN; `None` before the SYN, or if the SYN has none.
    shift: Option<u8>,
}

impl Window {
    /// Updates the window with a segment that this end has sent. `other` is the window of the other end, and `next` is
    /// the sequence number after everything that the other end has sent.
    pub(super) fn note(&mut self, segment: Segment, other: Self, next: Option<u32>) {
        let shift = segment.shift.map(|shift| shift.min(SHIFT_MAX));
        self.shift = self.shift.max(shift);
        let is_near = |next| {
            let distance = segment.ack.wrapping_sub(next).cast_signed();
            distance.unsigned_abs() <= DISTANCE_MAX
        };
        if !segment.flags.ack || !next.is_some_and(is_near) {
            return;
        }
        // The window in a SYN is never scaled. Other windows are scaled only if both SYNs had the option.
        let shift = match (self.shift, other.shift) {
            (Some(own), Some(_)) if !segment.flags.syn => own,
            _ => 0,
        };
        let edge = segment.ack.wrapping_add(u32::from(segment.window) << shift);
        if self.edge.is_none_or(|old| is_after(edge, old)) {
            self.edge = Some(edge);
        }
    }

    /// The number of bytes before the sequence number `end` that are beyond the window.
    pub(super) fn beyond(self, end: u32) -> u32 {
        match self.edge {
            Some(edge) if is_after(end, edge) => end.wrapping_sub(edge),
            _ => 0,
        }
    }
}

/// Whether sequence number `a` comes after `b` (RFC 9293 section 3.4: arithmetic modulo 2^32).
pub(super) fn is_after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::packet::Flags;

    fn segment(syn: bool, ack: u32, window: u16, shift: Option<u8>) -> Segment {
        Segment {
            seq: 0,
            ack,
            flags: Flags {
                syn,
                ack: true,
                ..Flags::default()
            },
            span: u32::from(syn),
            window,
            shift,
        }
    }

    #[test]
    fn nothing_is_beyond_a_window_that_nobody_has_named() {
        assert_eq!(Window::default().beyond(1_000_000), 0);
    }

    #[test]
    fn a_window_counts_shifted_after_its_syn_where_both_ends_shift() {
        let (mut plain, mut shifting) = (Window::default(), Window::default());
        plain.note(segment(true, 0, 100, None), Window::default(), Some(0));
        shifting.note(segment(true, 1, 100, Some(3)), Window::default(), Some(0));
        assert_eq!(shifting.beyond(101), 0);
        assert_eq!(
            shifting.beyond(102),
            1,
            "the window of a SYN is not shifted"
        );
        let mut both = shifting;
        both.note(segment(false, 1, 100, None), shifting, Some(0));
        assert_eq!((both.beyond(801), both.beyond(802)), (0, 1));
        shifting.note(segment(false, 1, 100, None), plain, Some(0));
        assert_eq!(shifting.beyond(102), 1);
    }

    #[test]
    fn a_window_does_not_shrink_and_numbers_wrap() {
        let mut window = Window::default();
        let mut note = |ack, size| {
            window.note(segment(false, ack, size, None), Window::default(), Some(0));
            window
        };
        let first = note(u32::MAX - 9, 20);
        assert_eq!((first.beyond(10), first.beyond(11)), (0, 1));
        let zero = note(u32::MAX - 9, 0);
        assert_eq!(zero.beyond(10), 0, "the other end may not have heard of it");
        let later = note(10, 20);
        assert_eq!((later.beyond(30), later.beyond(33)), (0, 3));
    }

    #[test]
    fn a_second_syn_does_not_take_back_the_shift_of_the_first() {
        let (mut window, mut other) = (Window::default(), Window::default());
        other.note(segment(true, 0, 100, Some(0)), window, Some(0));
        for shift in [Some(3), None, Some(1)] {
            window.note(segment(true, 1, 100, shift), other, Some(0));
        }
        window.note(segment(false, 1, 100, None), other, Some(0));
        assert_eq!(window.beyond(801), 0);
    }

    #[test]
    fn acknowledgments_of_what_was_never_sent_do_not_move_the_edge_behind_the_sender() {
        let mut window = Window::default();
        let next = 1_000_u32;
        // If these acknowledgments were accepted, each of them would move the edge forward. The third one would make
        // the edge wrap around, so that it would be behind `next`.
        for step in 1..=3_u32 {
            let ack = next.wrapping_add(step.wrapping_mul(0x3fff_ffff));
            window.note(segment(false, ack, 0, None), Window::default(), Some(next));
            assert_eq!(window.beyond(next + 64_000), 0);
        }
        let optimistic = segment(false, next + 500_000, 100, None);
        window.note(optimistic, Window::default(), Some(next));
        assert_eq!(window.beyond(next + 500_100), 0, "it may be on its way");
    }
}
