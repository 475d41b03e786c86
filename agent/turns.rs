//! The order in which keys that want the same resource have their turns. Newly active keys come first. The other keys
//! take turns in a circle.
//!
//! The scheduler of RFC 8290 uses the same order: a key that wants little is served soon, and a key that wants much
//! never starves. The caller decides how much a key may take in one turn.

use std::collections::VecDeque;

/// The maximum number of turns in a row for newly active keys. After that, one of the other keys has its turn.
/// Otherwise, a constant supply of new keys could starve the others.
const FRESH_IN_A_ROW: u32 = 16;

/// The keys that wait for their turn. A key must be taken out before it is added again.
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

    /// Takes out the key whose turn it is, and returns whether it is newly active. `None` if no key waits.
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

    /// Takes out the newly active key that has waited the longest; `None` if there is none.
    pub fn take_fresh(&mut self) -> Option<K> {
        self.fresh.pop_front()
    }

    /// Whether [`Turns::take_fresh`] would return a key.
    pub fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Takes out the key whose turn would come last.
    pub fn last(&mut self) -> Option<K> {
        self.steady.pop_back().or_else(|| self.fresh.pop_back())
    }

    /// Puts back a key in the middle of its turn, so that its turn continues.
    pub fn go_on(&mut self, key: K, is_fresh: bool) {
        if is_fresh {
            self.fresh.push_front(key);
        } else {
            self.steady.push_front(key);
        }
    }

    /// Puts back a key at the end of its turn, because it wants another turn.
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
