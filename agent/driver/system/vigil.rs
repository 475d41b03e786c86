//! Keeps a thread awake for a moment before it sleeps.
//!
//! A reader should still be awake when a quick answer arrives: on an idle machine, waking a processor takes several
//! times as long as everything else that a packet costs. So after something has arrived, the reader polls for more for
//! a moment. It yields the processor to anybody who wants it, and only then lets the operating system put it to sleep.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// How long to poll. Longer than an answer takes through a few processes of this machine; far shorter than an answer
/// takes from another machine.
const MOMENT: Duration = Duration::from_micros(200);

/// How long another process may take the processor for its part of an answer. A process that takes longer has other
/// work to do, and Linux moves a process that yields further back in the queue each time.
const STEP_MAX: Duration = Duration::from_micros(50);

/// The most arrivals that are ignored after moments in which nothing came, so that traffic without quick answers costs
/// next to nothing.
const LEFT_ALONE_MAX: u32 = 64;

/// Counts arrivals, and keeps the thread awake for a moment after one.
#[derive(Default)]
pub(in crate::driver) struct Vigil {
    arrivals: AtomicU32,
    arrived: Notify,
}

impl Vigil {
    /// Notes that something has arrived.
    pub(in crate::driver) fn note(&self) {
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// Runs for ever, as a task of the thread.
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

    /// Polls until nothing has come for a moment, and tells whether anything came before that. Stops at once on a
    /// processor that others keep busy, since that does not sleep anyway. `offer` yields the processor, and returns how
    /// long it was gone.
    async fn answers_come(&self, offer: impl Fn() -> Duration) -> bool {
        let first = self.arrivals.load(Ordering::Relaxed);
        let (mut last, mut since) = (first, Instant::now());
        while since.elapsed() < MOMENT {
            // Others come first, in this process and in all others: the purpose is to wait, not to be quick.
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

/// Yields the processor to all other processes, and returns how long they had it.
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
