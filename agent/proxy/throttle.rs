//! Limits how fast passwords can be guessed. After three wrong passwords, an address gets only one answer per second.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::time::Instant;

/// The number of wrong passwords that an address may send before it is slowed down.
const FREE: u32 = 3;

/// Time between two answers to an address after [`FREE`] wrong passwords.
const PAUSE: Duration = Duration::from_secs(1);

/// The maximum number of checks of one address that may wait. Further checks are refused.
const WAITING_MAX: u32 = 8;

/// The time for which wrong passwords are remembered.
const MEMORY: Duration = Duration::from_mins(1);

/// The maximum number of addresses that are remembered.
const PEERS_MAX: usize = 4_096;

/// The addresses that have recently sent wrong passwords.
#[derive(Debug, Default)]
pub struct Throttle(BTreeMap<IpAddr, Guesses>);

#[derive(Debug)]
struct Guesses {
    wrong: u32,
    last: Instant,
    /// When the next check may be made.
    next: Instant,
}

impl Throttle {
    /// The time to wait before the password of this address is checked. `None` if too many checks already wait. The
    /// wait is the same for right and wrong passwords, because otherwise its length would reveal the result.
    pub fn turn(&mut self, now: Instant, peer: IpAddr) -> Option<Duration> {
        let Some(guesses) = self.0.get_mut(&block(peer)) else {
            return Some(Duration::ZERO);
        };
        if now - guesses.last >= MEMORY || guesses.wrong < FREE {
            return Some(Duration::ZERO);
        }
        let begin = guesses.next.max(now);
        if begin - now >= PAUSE * WAITING_MAX {
            return None;
        }
        guesses.next = begin + PAUSE;
        Some(guesses.next - now)
    }

    /// Notes that this address has sent a wrong password.
    pub fn note_wrong(&mut self, now: Instant, peer: IpAddr) {
        let peer = block(peer);
        if self.0.len() >= PEERS_MAX && !self.0.contains_key(&peer) {
            self.0.retain(|_, guesses| now - guesses.last < MEMORY);
            let oldest = self.0.iter().min_by_key(|(_, guesses)| guesses.last);
            if self.0.len() >= PEERS_MAX
                && let Some((&oldest, _)) = oldest
            {
                self.0.remove(&oldest);
            }
        }
        let guesses = self.0.entry(peer).or_insert(Guesses {
            wrong: 0,
            last: now,
            next: now,
        });
        if now - guesses.last >= MEMORY {
            guesses.wrong = 0;
        }
        guesses.wrong = guesses.wrong.saturating_add(1);
        guesses.last = now;
    }
}

/// The block of addresses that are treated as one address. The owner of one IPv6 address usually has 2^64 of them.
fn block(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::ZERO;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn after_the_third_wrong_answer_each_takes_a_second_and_nobody_else_waits() {
        let mut throttle = Throttle::default();
        let (peer, other) = (address("10.0.0.1"), address("10.0.0.2"));
        for _ in 0..FREE {
            assert_eq!(throttle.turn(NOW, peer), Some(Duration::ZERO));
            throttle.note_wrong(NOW, peer);
        }
        for seconds in 1..=8 {
            let turn = throttle.turn(NOW, address("::ffff:10.0.0.1"));
            assert_eq!(turn, Some(Duration::from_secs(seconds)));
        }
        assert_eq!(throttle.turn(NOW, peer), None);
        assert_eq!(throttle.turn(NOW, other), Some(Duration::ZERO));
        // Even a client that has given up waiting has used its turn.
        let later = NOW + Duration::from_secs(9);
        assert_eq!(throttle.turn(later, peer), Some(PAUSE));
        assert_eq!(throttle.turn(NOW + MEMORY, peer), Some(Duration::ZERO));
        throttle.note_wrong(NOW + MEMORY, peer);
        assert_eq!(throttle.turn(NOW + MEMORY, peer), Some(Duration::ZERO));
    }

    #[test]
    fn a_guesser_with_many_addresses_has_one_and_takes_little_room() {
        let mut throttle = Throttle::default();
        for last in 1..=FREE {
            throttle.note_wrong(NOW, address(&format!("2001:db8::{last}")));
        }
        assert_eq!(throttle.turn(NOW, address("2001:db8::ffff:1")), Some(PAUSE));
        for i in 0..10_000_u32 {
            throttle.note_wrong(NOW, IpAddr::V4((i + 1).into()));
        }
        assert_eq!(throttle.0.len(), PEERS_MAX);
    }
}
