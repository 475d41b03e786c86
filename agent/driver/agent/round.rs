//! Limits how many bytes one stream may move before the other streams have their turn.

/// How many bytes all streams together may move in a round. There is a limit so that a stream with little data does not
/// wait long for its turn.
const ROUND: usize = 2 << 20;

/// The smallest share of a stream in one turn, in bytes. A smaller share would not be worth the overhead of a turn.
const QUANTUM_MIN: usize = 4 << 10;

/// The budget of bytes for one round. Each stream has one turn in a round: the runtime polls the tasks of an agent one
/// after the other, and one of them begins the next round (`keep_rounds`).
#[derive(Debug)]
pub(super) struct Round {
    /// How many bytes are left in this round.
    left: usize,
    /// How many bytes each stream may move in each direction: an equal share of the round for each stream that was
    /// active in the last round.
    share: usize,
    /// How many streams have moved bytes in this round.
    movers: usize,
}

impl Default for Round {
    fn default() -> Self {
        Self {
            left: ROUND,
            share: ROUND,
            movers: 0,
        }
    }
}

impl Round {
    /// How many bytes a stream may move in each direction in its turn.
    pub(super) fn quantum(&self) -> usize {
        self.share.min(self.left).max(QUANTUM_MIN)
    }

    /// Notes how many bytes a stream has moved. Returns true if this stream is the first one in the round to move any.
    pub(super) fn note(&mut self, bytes: usize) -> bool {
        if bytes == 0 {
            return false;
        }
        self.left = self.left.saturating_sub(bytes);
        self.movers += 1;
        self.movers == 1
    }

    /// Begins the next round.
    pub(super) fn renew(&mut self) {
        *self = Self {
            left: ROUND,
            share: ROUND / self.movers.max(1),
            movers: 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes this many streams move in a round if each of them moves as much as it may.
    fn moved(round: &mut Round, streams: usize) -> usize {
        let quanta = (0..streams).map(|_| {
            let quantum = round.quantum();
            round.note(quantum);
            quantum
        });
        quanta.sum()
    }

    #[test]
    fn all_streams_together_move_hardly_more_in_a_round_than_one_alone() {
        for streams in [1, 2, 100, 10_000] {
            let mut round = Round::default();
            for _ in 0..3 {
                let moved = moved(&mut round, streams);
                assert!((ROUND - streams..=ROUND + streams * QUANTUM_MIN).contains(&moved));
                round.renew();
                assert_eq!(round.quantum(), (ROUND / streams).max(QUANTUM_MIN));
            }
        }
    }

    #[test]
    fn a_round_begins_with_the_first_stream_that_moves_something() {
        let mut round = Round::default();
        assert!(!round.note(0));
        assert!(round.note(1) && !round.note(1));
        round.renew();
        assert!(round.note(1));
    }
}
