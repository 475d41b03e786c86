//! Keeps a thread awake for a moment before it sleeps.
//!
//! A reader should still be awake when a quick answer arrives: on an idle machine, waking a processor takes several
//! times as long as all other work for a packet. So after something has arrived, the reader keeps polling for a moment.
//! In that time it yields the processor to every process that wants it, and only then lets the operating system put it
//! to sleep.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// How long to poll: longer than an answer takes through a few processes of this machine, and far shorter than an
/// answer takes from another machine.
const MOMENT: Duration = Duration::from_micros(200);

/// How long another process may use the processor for its part of an answer, such as copying and summing 64 KiB. A
/// process that takes longer has other work to do. Polling stops then, because Linux moves a process that yields
/// further back in the queue each time.
const STEP_MAX: Duration = Duration::from_micros(200);

/// The maximum number of arrivals after which polling is skipped because earlier polling was in vain, so that traffic
/// without quick answers costs almost nothing.
const IGNORED_MAX: u32 = 64;

/// The same limit on a busy processor, which may be busy with the other half of a fast transfer of this process.
const IGNORED_WHILE_BUSY_MAX: u32 = 8;

/// How a period of polling ended.
#[derive(Debug, PartialEq, Eq)]
enum Moment {
    /// More arrived.
    Answered,
    /// Nothing arrived.
    Quiet,
    /// Others keep the processor busy.
    Busy,
}

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
        let mut ignored = 0;
        loop {
            self.arrived.notified().await;
            ignored = match self.wait(offer).await {
                Moment::Answered => 0,
                Moment::Quiet => (2 * ignored + 1).min(IGNORED_MAX),
                Moment::Busy => (2 * ignored + 1).min(IGNORED_WHILE_BUSY_MAX),
            };
            for _ in 0..ignored {
                self.arrived.notified().await;
            }
        }
    }

    /// Polls until nothing has arrived for a moment. Stops at once if other processes keep the processor busy, since
    /// such a processor does not sleep anyway. `offer` yields the processor, and returns how long it was used by
    /// others.
    async fn wait(&self, offer: impl Fn() -> Duration) -> Moment {
        let first = self.arrivals.load(Ordering::Relaxed);
        let (mut last, mut since) = (first, Instant::now());
        while since.elapsed() < MOMENT {
            // Other tasks and processes come first: the purpose is to stay awake, not to be quick.
            if offer() > STEP_MAX {
                return Moment::Busy;
            }
            tokio::task::yield_now().await;
            let arrivals = self.arrivals.load(Ordering::Relaxed);
            if arrivals != last {
                (last, since) = (arrivals, Instant::now());
            }
        }
        if last == first {
            Moment::Quiet
        } else {
            Moment::Answered
        }
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
        assert_eq!(vigil.wait(|| Duration::ZERO).await, Moment::Quiet);
    }

    #[tokio::test]
    async fn an_arrival_within_the_moment_is_an_answer() {
        let vigil = Vigil::default();
        let waits = vigil.wait(|| STEP_MAX);
        let (end, ()) = tokio::join!(waits, async { vigil.note() });
        assert_eq!(end, Moment::Answered);
    }

    #[tokio::test]
    async fn a_busy_processor_is_left_to_others() {
        let vigil = Vigil::default();
        let waits = vigil.wait(|| STEP_MAX + Duration::from_micros(1));
        let (end, ()) = tokio::join!(waits, async { vigil.note() });
        assert_eq!(end, Moment::Busy);
    }
}
