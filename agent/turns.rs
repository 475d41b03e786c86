//! The order in which many keys are served: those that have just become active go first, the others in a circle.
//!
//! This is the order of the scheduler in RFC 8290: a key that needs little is served soon, and one that needs much is
//! not starved. The caller decides when a turn ends.

use std::collections::VecDeque;

/// How many keys that have just become active are served in a row before a steady one is. Without a limit, a sequence
/// of them could starve the steady ones.
const FRESH_IN_A_ROW: u32 = 16;

/// The keys that wait for their turn. A key must not be added again while it waits.
#[derive(Debug)]
pub struct Turns<K> {
    /// Keys that have just become active.
    fresh: VecDeque<K>,
    /// Keys that have had a turn.
    steady: VecDeque<K>,
    fresh_served: u32,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self {
            fresh: VecDeque::new(),
            steady: VecDeque::new(),
            fresh_served: 0,
        }
    }
}

impl<K> Turns<K> {
    /// Whether no key is waiting.
    pub fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.steady.is_empty()
    }

    /// Adds a key that has become active.
    pub fn begin(&mut self, key: K) {
        self.fresh.push_back(key);
    }

    /// Removes the key whose turn it is. The second value is true if it has just become active.
    pub fn take(&mut self) -> Option<(K, bool)> {
        if self.fresh_served < FRESH_IN_A_ROW
            && let Some(key) = self.fresh.pop_front()
        {
            self.fresh_served += 1;
            return Some((key, true));
        }
        self.fresh_served = 0;
        if let Some(key) = self.steady.pop_front() {
            return Some((key, false));
        }
        Some((self.fresh.pop_front()?, true))
    }

    /// Removes the first key that has become active and has not had a turn since.
    pub fn take_fresh(&mut self) -> Option<K> {
        self.fresh.pop_front()
    }

    /// Whether there is a key that [`Turns::take_fresh`] would take.
    pub fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Removes the key whose turn would come last.
    pub fn last(&mut self) -> Option<K> {
        self.steady.pop_back().or_else(|| self.fresh.pop_back())
    }

    /// Puts a key back whose turn goes on, so that it is the next one again.
    pub fn go_on(&mut self, key: K, is_fresh: bool) {
        if is_fresh {
            self.fresh.push_front(key);
        } else {
            self.steady.push_front(key);
        }
    }

    /// Puts a key back whose turn has ended and that needs another one.
    pub fn end(&mut self, key: K) {
        self.steady.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newly_active_go_first_though_not_for_ever() {
        let mut turns = Turns::default();
        turns.end(0);
        for fresh in 1..40 {
            turns.begin(fresh);
        }
        let order: Vec<_> = std::iter::from_fn(|| turns.take()).collect();
        assert_eq!(order[0], (1, true));
        assert_eq!(order[16], (0, false));
        assert_eq!(order.len(), 40);
        assert!(turns.is_empty());
    }

    #[test]
    fn a_turn_that_goes_on_stays_in_front() {
        let mut turns = Turns::default();
        turns.begin('a');
        turns.begin('b');
        let (a, fresh) = turns.take().unwrap();
        turns.go_on(a, fresh);
        assert_eq!(turns.take(), Some(('a', true)));
        turns.end('a');
        assert_eq!(turns.last(), Some('a'));
        assert_eq!(turns.take(), Some(('b', true)));
        assert_eq!(turns.take(), None);
    }
}
