//! The seats for connections to the control socket. They leave room for short requests, no matter what other programs
//! do.
//!
//! If all seats are taken, a connection without a request, or with a short one, may have to leave. The connection that
//! has been inactive for the longest time leaves first. A short request normally takes milliseconds, so that connection
//! has probably sent only a part of its request, or does not read its answer. Requests that have to wait keep their
//! seats, but their number is limited, so that other seats remain.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

/// How many programs may be connected at a time.
const SEATS: usize = 256;

/// How long a program may take to send the head or the body of a request, and how long a connection may be idle between
/// requests.
pub(super) const REQUEST_MAX: Duration = Duration::from_secs(5);

/// How many programs may read events at a time.
const READERS_MAX: usize = 128;

/// How many requests may wait for agents, for a person or for a reload at a time.
const WAITERS_MAX: usize = 64;

/// Why a request may keep its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// The request reads the events of the network.
    Reads,
    /// The answer has to wait for agents, for a person or for a reload.
    Waits,
}

impl Stay {
    const fn most(self) -> usize {
        match self {
            Self::Reads => READERS_MAX,
            Self::Waits => WAITERS_MAX,
        }
    }
}

/// All seats.
#[derive(Clone, Default)]
pub(super) struct Seats(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    /// The number of the newest activity: a seat was given, or a connection did something.
    latest: u64,
    /// The taken seats. The key is the number of the activity with which the seat was given.
    taken: BTreeMap<u64, Taken>,
}

struct Taken {
    /// The number of the connection's newest activity.
    latest: u64,
    stay: Option<Stay>,
    /// Tells the connection to leave when this value is dropped.
    _leave: oneshot::Sender<()>,
}

/// The seat of one connection. It is given back when this value is dropped.
pub(super) struct Seat {
    seats: Seats,
    number: u64,
}

/// The right of a connection to keep its seat. It ends when this value is dropped.
pub(super) struct Kept {
    seats: Seats,
    number: u64,
}

impl Seats {
    /// Gives a seat to a new connection. The returned receiver completes when the connection has to leave because
    /// another connection needs the seat.
    pub(super) fn give(&self) -> (Arc<Seat>, oneshot::Receiver<()>) {
        let (leave, left) = oneshot::channel();
        let mut table = self.lock();
        if table.taken.len() >= SEATS {
            let short = table.taken.iter().filter(|(_, it)| it.stay.is_none());
            let longest = short.min_by_key(|(_, it)| it.latest);
            if let Some(number) = longest.map(|(number, _)| *number) {
                table.taken.remove(&number);
            }
        }
        let number = table.number();
        let taken = Taken {
            latest: number,
            stay: None,
            _leave: leave,
        };
        table.taken.insert(number, taken);
        let seats = self.clone();
        (Arc::new(Seat { seats, number }), left)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn number(&mut self) -> u64 {
        self.latest += 1;
        self.latest
    }

    fn change(&mut self, number: u64, stay: Option<Stay>) {
        let latest = self.number();
        // The connection may have left.
        if let Some(taken) = self.taken.get_mut(&number) {
            (taken.latest, taken.stay) = (latest, stay);
        }
    }
}

impl Seat {
    /// Notes that the connection has sent a request.
    pub(super) fn note(&self) {
        self.seats.lock().change(self.number, None);
    }

    /// Lets the connection keep its seat as long as its request lasts. `None` if too many connections keep theirs for
    /// the same reason.
    pub(super) fn keep(&self, stay: Stay) -> Option<Kept> {
        let mut table = self.seats.lock();
        let same = table.taken.values().filter(|it| it.stay == Some(stay));
        if same.count() >= stay.most() {
            return None;
        }
        table.change(self.number, Some(stay));
        Some(Kept {
            seats: self.seats.clone(),
            number: self.number,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().taken.remove(&self.number);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.seats.lock().change(self.number, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a connection has been asked to leave.
    fn has_to_leave(left: &mut oneshot::Receiver<()>) -> bool {
        left.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_connection_that_has_done_nothing_for_the_longest_time_makes_room() {
        let seats = Seats::default();
        let mut taken: Vec<_> = (0..SEATS).map(|_| seats.give()).collect();
        taken[0].0.note();
        let _kept = taken[1].0.keep(Stay::Waits).unwrap();
        assert!(taken.iter_mut().all(|(_, left)| !has_to_leave(left)));
        let mut more: Vec<_> = (0..SEATS).map(|_| seats.give()).collect();
        let order: Vec<bool> = (taken.iter_mut())
            .map(|(_, left)| has_to_leave(left))
            .collect();
        assert!(order[0] && !order[1], "one that waits is left in peace");
        assert!(order[2..].iter().all(|left| *left));
        assert!(has_to_leave(&mut more[0].1), "it was the turn of this one");
        assert!(more[1..].iter_mut().all(|(_, left)| !has_to_leave(left)));
        assert_eq!(seats.lock().taken.len(), SEATS);
        drop((taken, more));
        assert_eq!(seats.lock().taken.len(), 0);
    }

    #[test]
    fn readers_and_waiters_leave_seats_for_others() {
        let seats = Seats::default();
        let taken: Vec<_> = (0..SEATS).map(|_| seats.give()).collect();
        let mut kept = Vec::new();
        for (stay, most) in [(Stay::Reads, READERS_MAX), (Stay::Waits, WAITERS_MAX)] {
            let all = taken[kept.len()..].iter();
            kept.extend(all.map_while(|(seat, _)| seat.keep(stay)));
            let total = seats.lock();
            let same = total.taken.values().filter(|it| it.stay == Some(stay));
            assert_eq!(same.count(), most);
        }
        assert!(kept.len() < SEATS);
        kept.remove(0);
        let last = &taken[SEATS - 1].0;
        assert!(last.keep(Stay::Waits).is_none(), "no waiter has left");
        assert!(last.keep(Stay::Reads).is_some(), "a reader has left");
    }
}
