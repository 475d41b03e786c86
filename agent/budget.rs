//! Limits what one of many holders (an agent, a host, a user) may take, so that enough is left for the others. [`Work`]
//! limits work per second, and [`Shares`] limits the part of a shared space.

use std::{collections::BTreeMap, time::Duration};

use crate::time::Instant;

/// The maximum number of units of work that one agent may cause per second. One unit is the work for one packet: one or
/// two microseconds in the manager, and about as much on the host that receives the packet.
pub const UNITS_PER_SECOND: u32 = 100_000;

/// The kinds of work that an agent causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// A packet of an existing connection.
    Packet,
    /// A new connection.
    Connection,
    /// A packet that the switch refused.
    Refused,
    /// A packet with this many bytes beyond its receiver's window. A correct sender sends no such packets, except those
    /// with a single byte that probe a closed window.
    Useless(u32),
    /// A control message of this many bytes, well-formed or not.
    Message(usize),
}

impl Effort {
    /// The cost of this work in units.
    pub fn units(self) -> u32 {
        match self {
            Self::Packet => 1,
            // A connection needs a TCP stack, a socket and a dial on the other host.
            Self::Connection => 16,
            // A refused packet is looked up, counted and answered.
            Self::Refused => 4,
            // At this cost, an agent can send at most about 50 MB/s that exceed the receivers' windows. Bytes within a
            // window are not limited by this.
            Self::Useless(bytes) => 1 + bytes / 512,
            Self::Message(bytes) => 8 + u32::try_from(bytes / 16).unwrap_or(u32::MAX),
        }
    }
}

/// A budget of work that refills as time passes: a token bucket whose level may fall below zero.
///
/// Work is charged after it was done, because its cost is not known earlier. While a budget is below zero, its holder
/// has to wait.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    per_second: u32,
    /// The number of units to which the budget refills at most.
    most: u32,
    /// The level, in millionths of a unit.
    level: i64,
    at: Instant,
}

/// One unit of work. [`Work`] counts its level in millionths of a unit.
const UNIT: i64 = 1_000_000;

impl Work {
    /// Creates a full budget that holds `most` units and regains `per_second` units each second.
    pub const fn new(per_second: u32, most: u32) -> Self {
        Self {
            per_second,
            most,
            level: most as i64 * UNIT,
            at: Instant::ZERO,
        }
    }

    /// Charges `units` for work that was done.
    pub fn spend(&mut self, now: Instant, units: u32) {
        self.fill(now);
        self.level = self.level.saturating_sub(i64::from(units) * UNIT);
    }

    /// The time at which the budget will no longer be below zero; `None` if it is not below zero now.
    pub fn wait(&mut self, now: Instant) -> Option<Instant> {
        self.fill(now);
        if self.level >= 0 {
            return None;
        }
        // One millionth of a unit is regained in 1 / per_second microseconds.
        let debt = self.level.unsigned_abs();
        let micros = debt.div_ceil(u64::from(self.per_second.max(1)));
        Some(now + Duration::from_micros(micros))
    }

    fn fill(&mut self, now: Instant) {
        let micros = i64::try_from((now - self.at).as_micros()).unwrap_or(i64::MAX);
        self.at = self.at.max(now);
        let gained = micros.saturating_mul(i64::from(self.per_second));
        let most = i64::from(self.most) * UNIT;
        self.level = self.level.saturating_add(gained).min(most);
    }
}

/// Space that many holders share. One holder may take at most a multiple of the space that is free. Some space is
/// therefore always left for the next holder (Choudhury and Hahne, Dynamic Queue Length Thresholds, 1998).
#[derive(Clone, Debug)]
pub struct Shares<K> {
    total: usize,
    multiple: usize,
    used: usize,
    by: Counts<K>,
}

impl<K: Copy + Ord> Shares<K> {
    /// Creates `total` space. One holder may take at most `multiple` times the space that is free.
    pub const fn new(total: usize, multiple: usize) -> Self {
        Self {
            total,
            multiple,
            used: 0,
            by: Counts::new(),
        }
    }

    /// The space that a holder may still take.
    pub fn room(&self, holder: K) -> usize {
        let free = self.free();
        // After a holder has taken `more`, (free - more) * multiple must be at least held + more.
        let may = free
            .saturating_mul(self.multiple)
            .saturating_sub(self.held(holder))
            / (self.multiple + 1);
        may.min(free)
    }

    /// Takes `amount` for a holder. Returns false, and takes nothing, if that is more than the holder may have.
    #[must_use]
    pub fn take(&mut self, holder: K, amount: usize) -> bool {
        let fits = amount <= self.room(holder);
        if fits {
            self.insist(holder, amount);
        }
        fits
    }

    /// Takes `amount` if that much is free, even if the holder already has its full share. This is used for the owner
    /// of the machine, and for space to which every holder is entitled.
    #[must_use]
    pub fn take_any(&mut self, holder: K, amount: usize) -> bool {
        let fits = amount <= self.free();
        if fits {
            self.insist(holder, amount);
        }
        fits
    }

    fn insist(&mut self, holder: K, amount: usize) {
        self.used += amount;
        self.by.add(holder, amount);
    }

    /// Frees space that a holder has taken.
    pub fn give(&mut self, holder: K, amount: usize) {
        self.used -= self.by.take(holder, amount);
    }

    /// The amount of space that a holder has.
    pub fn held(&self, holder: K) -> usize {
        self.by.of(holder)
    }

    /// The amount of free space.
    pub const fn free(&self) -> usize {
        self.total.saturating_sub(self.used)
    }

    /// The amount of space that all holders have together.
    pub const fn used(&self) -> usize {
        self.used
    }
}

/// An amount for each of many keys. A key whose amount is 0 uses no memory.
#[derive(Clone, Debug)]
pub struct Counts<K>(BTreeMap<K, usize>);

impl<K: Copy + Ord> Counts<K> {
    /// Creates counts that are 0 for every key.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds to the amount of `key`.
    pub fn add(&mut self, key: K, amount: usize) {
        if amount > 0 {
            *self.0.entry(key).or_default() += amount;
        }
    }

    /// Subtracts from the amount of `key`, but not below 0, and returns how much was subtracted.
    pub fn take(&mut self, key: K, amount: usize) -> usize {
        let Some(has) = self.0.get_mut(&key) else {
            return 0;
        };
        let amount = amount.min(*has);
        *has -= amount;
        if *has == 0 {
            self.0.remove(&key);
        }
        amount
    }

    /// The amount of `key`; 0 if there is none.
    pub fn of(&self, key: K) -> usize {
        self.0.get(&key).copied().unwrap_or_default()
    }
}

impl<K: Copy + Ord> Default for Counts<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn a_debt_is_waited_for_and_idle_time_is_saved_up_to_a_bound() {
        let mut work = Work::new(1_000, 10);
        work.spend(at(0), 10);
        assert_eq!(work.wait(at(0)), None);
        work.spend(at(0), 5);
        assert_eq!(work.wait(at(0)), Some(at(5_000)));
        assert_eq!(work.wait(at(5_000)), None);
        work.spend(at(10_000_000), 11);
        assert_eq!(work.wait(at(10_000_000)), Some(at(10_001_000)));
    }

    #[test]
    fn a_budget_survives_the_ends_of_its_numbers() {
        let mut work = Work::new(u32::MAX, u32::MAX);
        work.spend(at(u64::MAX), u32::MAX);
        assert_eq!(work.wait(at(u64::MAX)), None);
        let mut none = Work::new(0, 0);
        for _ in 0..10 {
            none.spend(at(0), u32::MAX);
        }
        assert!(none.wait(at(1)).is_some());
    }

    #[test]
    fn something_is_left_for_the_next_one_however_many_take_all_that_they_may() {
        for multiple in [1, 4] {
            let mut shares = Shares::new(10_000, multiple);
            let mut last = usize::MAX;
            for holder in 0..5 {
                let mut held = 0;
                while shares.take(holder, 1) {
                    held += 1;
                }
                assert!(held > 0 && held <= last, "holder {holder} got {held}");
                last = held;
            }
            let (first, used) = (shares.held(0), shares.used());
            assert!(used < 10_000);
            assert!(shares.take_any(9, 10_000 - used), "the owner gets the rest");
            assert!(!shares.take_any(9, 1));
            shares.give(0, first);
            assert!(shares.take(7, 100));
            assert_eq!(shares.held(0), 0);
        }
    }

    #[test]
    fn one_alone_may_have_its_multiple_of_what_is_left() {
        let mut shares = Shares::new(1_000, 4);
        assert_eq!(shares.room(1), 800);
        assert!(shares.take(1, 800));
        assert_eq!(shares.room(1), 0);
        assert_eq!(shares.room(2), 160);
    }

    #[test]
    fn nobody_gives_back_more_than_they_have() {
        let mut shares = Shares::new(10, 1);
        assert!(shares.take(1, 2) && shares.take(2, 2));
        shares.give(1, 5);
        shares.give(3, 1);
        assert_eq!((shares.used(), shares.held(2)), (2, 2));
    }
}
