//! Keeps a thread awake for a short time before it sleeps.
//!
//! When an answer arrives quickly, its reader should still be awake: on an idle machine, waking a processor takes
//! several times as long as all other work for a packet. Therefore, after something has arrived, the reader polls for a
//! short time. It yields the processor to all others during that time, and sleeps only afterwards.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// How long to poll. An answer that passes through a few processes of this machine takes less time, and one from
/// another machine takes much more.
const MOMENT: Duration = Duration::from_micros(200);

/// How long another process may use the processor to produce an answer. A process that needs more has other work to do,
/// and Linux moves a process that yields further back in its queue each time.
const STEP_MAX: Duration = Duration::from_micros(50);

/// How many arrivals are ignored at most if polling was useless before, so that traffic without quick answers costs
/// almost nothing.
const LEFT_ALONE_MAX: u32 = 64;

/// Counts arrivals, and keeps the thread awake for a moment after one.
#[derive(Default)]
pub(in crate::driver) struct Vigil {
    arrivals: AtomicU32,
    arrived: Notify,
}

impl Vigil {
    /// Notes that bytes have arrived.
    pub(in crate::driver) fn note(&self) {
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// Runs for ever as a task of the thread.
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

    /// Polls until nothing has arrived for a short time. Returns whether anything arrived before that. If others keep
    /// the processor busy, it stops at once, because the processor does not sleep anyway. `offer` yields the processor,
    /// and returns for how long.
    async fn answers_come(&self, offer: impl Fn() -> Duration) -> bool {
        let first = self.arrivals.load(Ordering::Relaxed);
        let (mut last, mut since) = (first, Instant::now());
        while since.elapsed() < MOMENT {
            // Other tasks and processes come first, because the purpose is only to stay awake.
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

/// Yields the processor to other processes, and returns for how long.
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
