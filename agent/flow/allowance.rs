//! How many bytes of a flow to a far host may be under way: few at first, and more as long as that makes the flow faster.
//!
//! The receiver of such a flow takes a lot, so that the sender alone decides. If the sender let everything be under way
//! at once, a slow link would be busy with it for seconds.

use std::time::Duration;

use super::stack::{FAR_WINDOW, WINDOW};
use crate::time::Instant;

/// The time after which a larger allowance is tried again, because the link may have become faster.
const AGAIN: Duration = Duration::from_secs(5);

/// The number of rounds in which a larger allowance has to show that it makes the flow faster. A single round may be slow
/// for another reason.
const ROUNDS: u32 = 4;

/// How many bytes a flow may have sent that the other end has not acknowledged.
#[derive(Debug)]
pub(super) struct Allowance {
    bytes: usize,
    /// The number of bytes that were written so far.
    written: u64,
    round: Round,
    /// The bytes per second of the fastest round with this allowance, and the number of its rounds.
    fastest: u64,
    rounds: u32,
    /// The bytes per second of the fastest round with the allowance before this one; `None` if the present one is to stay
    /// until `again_at`.
    before: Option<u64>,
    again_at: Instant,
}

/// The time in which as many bytes are acknowledged as may be under way.
#[derive(Clone, Copy, Debug)]
struct Round {
    since: Instant,
    /// The number of bytes that were acknowledged at the beginning.
    acknowledged: u64,
    /// Whether the allowance was used up.
    was_full: bool,
    /// Whether the allowance has just been changed, so that this round does not show its effect.
    is_mixed: bool,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            bytes: WINDOW,
            written: 0,
            round: Round {
                since: now,
                acknowledged: 0,
                was_full: false,
                is_mixed: true,
            },
            fastest: 0,
            rounds: 0,
            before: Some(0),
            again_at: now,
        }
    }

    /// How many bytes may be written if this many are under way or wait to be sent.
    pub(super) fn room(&self, unsent: usize) -> usize {
        self.bytes.saturating_sub(unsent)
    }

    /// Notes that `count` bytes were written, so that `unsent` bytes are under way or wait.
    pub(super) fn note_written(&mut self, count: usize, unsent: usize) {
        self.written += count as u64;
        self.round.was_full |= unsent >= self.bytes;
    }

    /// Notes that `unsent` bytes are not acknowledged yet.
    pub(super) fn note_acknowledged(&mut self, now: Instant, unsent: usize) {
        let acknowledged = self.written - unsent as u64;
        let bytes = acknowledged - self.round.acknowledged;
        if bytes < self.bytes as u64 {
            return;
        }
        let round = std::mem::replace(
            &mut self.round,
            Round {
                since: now,
                acknowledged,
                was_full: false,
                is_mixed: false,
            },
        );
        if round.was_full && !round.is_mixed {
            let micros = u64::try_from((now - round.since).as_micros()).unwrap_or(u64::MAX);
            self.judge(now, bytes.saturating_mul(1_000_000) / micros.max(1));
        }
    }

    /// Changes the allowance after some rounds in which it was used up, the last of them at this many bytes per second.
    fn judge(&mut self, now: Instant, rate: u64) {
        self.fastest = self.fastest.max(rate);
        self.rounds += 1;
        let before = match self.before {
            None if now < self.again_at => return,
            None => 0,
            Some(before) => before,
        };
        if self.fastest / 4 >= before / 3 {
            if self.bytes < FAR_WINDOW {
                self.before = Some(self.fastest);
                self.change(self.bytes * 2);
            }
        } else if self.rounds >= ROUNDS {
            (self.before, self.again_at) = (None, now + AGAIN);
            self.change(self.bytes / 2);
        }
    }

    fn change(&mut self, bytes: usize) {
        self.bytes = bytes;
        (self.fastest, self.rounds) = (0, 0);
        self.round.is_mixed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The allowance of a flow that always has more to send, after some seconds on a link of this many bytes per second
    /// and with this round trip.
    fn after_10_s(rate: u64, round_trip: Duration) -> usize {
        let (mut allowance, mut now) = (Allowance::new(Instant::ZERO), Instant::ZERO);
        let mut unsent = 0;
        while now < Instant::from_micros(10_000_000) {
            let count = allowance.room(unsent);
            unsent += count;
            allowance.note_written(count, unsent);
            // A piece is acknowledged when the link has carried it, and not before the round trip has passed.
            let piece = unsent.div_ceil(8);
            let carried = Duration::from_micros(piece as u64 * 1_000_000 / rate);
            now = now + carried.max(round_trip / 8);
            unsent -= piece;
            allowance.note_acknowledged(now, unsent);
        }
        allowance.bytes
    }

    #[test]
    fn a_flow_has_as_much_under_way_as_makes_it_faster() {
        let far = Duration::from_millis(50);
        assert_eq!(after_10_s(200 << 20, far), FAR_WINDOW);
        assert_eq!(after_10_s(20 << 20, far), 2 * WINDOW);
        for (rate, round_trip) in [(2 << 20, 50), (100 << 20, 1)] {
            let bytes = after_10_s(rate, Duration::from_millis(round_trip));
            assert!(bytes <= 2 * WINDOW, "{bytes} at {rate}");
        }
    }
}
