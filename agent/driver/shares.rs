//! Room for what others ask for, of which nobody gets more than a share.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Mutex, PoisonError},
};

/// Some places.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    taken: Mutex<HashMap<Ipv4Addr, usize>>,
}

/// A place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'s> {
    shares: &'s Shares,
    peer: Ipv4Addr,
}

impl Shares {
    /// This many places, of which one peer gets at most a quarter.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Mutex::default(),
        }
    }

    /// A place for a peer; none if all are taken, or its share is.
    pub(super) fn take(&self, peer: Ipv4Addr) -> Option<Place<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.entry(peer).or_default();
        if all >= self.most || *own >= self.most / 4 {
            return None;
        }
        *own += 1;
        Some(Place { shares: self, peer })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let taken = &self.shares.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_cannot_take_every_place() {
        let (greedy, other) = (Ipv4Addr::new(127, 0, 42, 1), Ipv4Addr::new(127, 0, 42, 2));
        let shares = Shares::new(8);
        let first = shares.take(greedy).unwrap();
        let _second = shares.take(greedy).unwrap();
        assert!(shares.take(greedy).is_none());
        assert!(shares.take(other).is_some());
        drop(first);
        assert!(shares.take(greedy).is_some());
    }
}
