//! A moment with open eyes before sleep.
//!
//! What answers soon should not find its reader asleep: on an idle machine, waking a processor takes several times as long
//! as everything that a packet needs of it. So whoever has just received something looks for more for a moment, giving the
//! processor to anybody who wants it, and only then lets the operating system put it to sleep.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// How long to look. Longer than an answer takes that comes through a few processes of this machine; far shorter than
/// anything that comes from another one.
const MOMENT: Duration = Duration::from_micros(200);

/// How long another process may have the processor for its part of an answer. One that takes longer has other work, and with
/// each offer Linux puts those who made it further back in the line for the processor.
const STEP_MAX: Duration = Duration::from_micros(50);

/// How many arrivals at most are left alone after moments in which nothing came, so that traffic in which nothing answers
/// soon costs next to nothing.
const LEFT_ALONE_MAX: u32 = 64;

/// Counts what arrives, and keeps the thread awake for a moment after it.
#[derive(Default)]
pub(in crate::driver) struct Vigil {
    arrivals: AtomicU32,
    arrived: Notify,
}

impl Vigil {
    /// Something has arrived.
    pub(in crate::driver) fn note(&self) {
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// Keeps watch; never ends.
    pub(in crate::driver) async fn keep(&self) -> ! {
        let mut leave_alone = 0;
        loop {
            self.arrived.notified().await;
            if self.answers_come(offer).await {
                leave_alone = 0;
                continue;
            }
            leave_alone = (2 * leave_alone + 1).min(LEFT_ALONE_MAX);
            for _ in 0..leave_alone {
                self.arrived.notified().await;
            }
        }
    }

    /// Looks until nothing has come for a moment, and tells whether anything did before that. Does not look on a
    /// processor that others keep busy: it does not sleep anyway. `offer` offers it, and tells for how long it was taken.
    async fn answers_come(&self, offer: impl Fn() -> Duration) -> bool {
        let first = self.arrivals.load(Ordering::Relaxed);
        let (mut last, mut since) = (first, Instant::now());
        while since.elapsed() < MOMENT {
            // Others first, in this process and in all others: this is for waiting, not for being quick.
            if offer() > STEP_MAX {
                return false;
            }
            tokio::task::yield_now().await;
            let arrivals = self.arrivals.load(Ordering::Relaxed);
            if arrivals != last {
                (last, since) = (arrivals, Instant::now());
            }
        }
        last != first
    }
}

/// Offers the processor to all other processes, and tells for how long they took it.
fn offer() -> Duration {
    let offered = Instant::now();
    std::thread::yield_now();
    offered.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_moment_in_which_nothing_comes_ends() {
        let vigil = Vigil::default();
        vigil.note();
        assert!(!vigil.answers_come(|| Duration::ZERO).await);
    }

    #[tokio::test]
    async fn an_arrival_within_the_moment_is_an_answer() {
        let vigil = Vigil::default();
        let answers = vigil.answers_come(|| STEP_MAX);
        let (answered, ()) = tokio::join!(answers, async { vigil.note() });
        assert!(answered);
    }

    #[tokio::test]
    async fn a_busy_processor_is_left_to_others() {
        let vigil = Vigil::default();
        let answers = vigil.answers_come(|| STEP_MAX + Duration::from_micros(1));
        let (answered, ()) = tokio::join!(answers, async { vigil.note() });
        assert!(!answered);
    }
}
