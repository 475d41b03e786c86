//! How far one end of a flow lets the other end send, as its segments show it.

use crate::wire::Segment;

/// The largest shift of a window (RFC 7323 section 2.3).
const SHIFT_MAX: u8 = 14;

/// The receive window of one end (RFC 9293 section 3.8.6).
///
/// Every segment crosses the switch before the other end sees it. So the switch never takes a window for smaller than the
/// other end does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    /// The sequence number after the last byte that this end takes; `None` before its first acknowledgment.
    edge: Option<u32>,
    /// The shift that this end's SYN named; `None` before the SYN, or if it named none.
    shift: Option<u8>,
}

impl Window {
    /// Notes a segment that this end has sent; `other` is the window of the other end.
    pub(super) fn note(&mut self, segment: Segment, other: Self) {
        if segment.flags.syn {
            self.shift = segment.shift.map(|shift| shift.min(SHIFT_MAX));
        }
        if !segment.flags.ack {
            return;
        }
        // The window of a SYN is never shifted, and others only where both ends have named a shift.
        let shift = match (self.shift, other.shift) {
            (Some(own), Some(_)) if !segment.flags.syn => own,
            _ => 0,
        };
        let edge = segment.ack.wrapping_add(u32::from(segment.window) << shift);
        if self.edge.is_none_or(|old| is_after(edge, old)) {
            self.edge = Some(edge);
        }
    }

    /// How many sequence numbers before `end` this end does not take yet.
    pub(super) fn beyond(self, end: u32) -> u32 {
        match self.edge {
            Some(edge) if is_after(end, edge) => end.wrapping_sub(edge),
            _ => 0,
        }
    }
}

/// Whether sequence number `a` is after `b` (RFC 9293 section 3.4: arithmetic modulo 2^32).
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
        plain.note(segment(true, 0, 100, None), Window::default());
        shifting.note(segment(true, 1, 100, Some(3)), Window::default());
        assert_eq!(shifting.beyond(101), 0);
        assert_eq!(
            shifting.beyond(102),
            1,
            "the window of a SYN is not shifted"
        );
        let mut both = shifting;
        both.note(segment(false, 1, 100, None), shifting);
        assert_eq!((both.beyond(801), both.beyond(802)), (0, 1));
        shifting.note(segment(false, 1, 100, None), plain);
        assert_eq!(shifting.beyond(102), 1);
    }

    #[test]
    fn a_window_does_not_shrink_and_numbers_wrap() {
        let mut window = Window::default();
        window.note(segment(false, u32::MAX - 9, 20, None), Window::default());
        assert_eq!((window.beyond(10), window.beyond(11)), (0, 1));
        window.note(segment(false, u32::MAX - 9, 0, None), Window::default());
        assert_eq!(
            window.beyond(10),
            0,
            "the other end may not have heard of it"
        );
        window.note(segment(false, 10, 20, None), Window::default());
        assert_eq!((window.beyond(30), window.beyond(33)), (0, 3));
    }
}
