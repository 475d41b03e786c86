//! Keeps a thread awake for a short time after bytes have arrived, because more may follow.
//!
//! If an answer arrives quickly, its reader should still be awake: on an idle machine, waking a processor takes several
//! times as long as all other work for a packet. Therefore the reader polls for a short time after something has
//! arrived. It yields the processor to all others during that time, and sleeps only afterwards.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// How long to poll. An answer that passes through a few processes of this machine arrives within this time. An answer
/// from another machine takes much longer.
const MOMENT: Duration = Duration::from_micros(200);

/// How long another process may use the processor for its part of an answer. A process that uses it for longer has
/// other work to do, so polling ends. If polling went on, each yield would move the polling process further back in
/// Linux's queue.
const STEP_MAX: Duration = Duration::from_micros(50);

/// An arrival of at least this many bytes is bulk data. The processor limits the speed of such a transfer, so polling
/// would slow it down.
const BULK_MIN: usize = 16 << 10;

/// After polling was in vain, it is skipped for at most this many arrivals. Traffic without quick answers therefore
/// costs almost nothing.
const IGNORED_MAX: u32 = 64;

/// How a period of polling ended.
#[derive(Debug, PartialEq, Eq)]
enum Moment {
    /// More bytes arrived.
    Answered,
    /// Nothing arrived.
    Quiet,
    /// Polling would take the processor from other processes, or from a transfer.
    Busy,
}

/// Counts arrivals, and keeps the thread awake for a moment after one.
#[derive(Default)]
pub(in crate::driver) struct Vigil {
    arrivals: AtomicU32,
    /// Whether the newest arrival was bulk data.
    bulk: AtomicBool,
    arrived: Notify,
}

impl Vigil {
    /// Notes the arrival of this many bytes.
    pub(in crate::driver) fn note(&self, bytes: usize) {
        self.bulk.store(bytes >= BULK_MIN, Ordering::Relaxed);
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// Keeps the thread awake after arrivals. It has to run on that thread for ever, as a task.
    pub(in crate::driver) async fn keep(&self) -> ! {
        let mut ignored = 0;
        loop {
            self.arrived.notified().await;
            ignored = match self.wait(offer).await {
                Moment::Answered => 0,
                Moment::Busy | Moment::Quiet => (2 * ignored + 1).min(IGNORED_MAX),
            };
            for _ in 0..ignored {
                self.arrived.notified().await;
            }
        }
    }

    /// Polls until nothing has arrived for a moment. Stops at once if bulk data arrives, or if other processes keep the
    /// processor busy, because a busy processor does not sleep anyway. `offer` yields the processor, and returns how
    /// long other processes have used it.
    async fn wait(&self, offer: impl Fn() -> Duration) -> Moment {
        let first = self.arrivals.load(Ordering::Relaxed);
        let (mut last, mut since) = (first, Instant::now());
        while since.elapsed() < MOMENT {
            // Other tasks and other processes run first: polling only has to keep the processor awake.
            let offered = offer();
            if offered > STEP_MAX || self.bulk.load(Ordering::Relaxed) {
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
        vigil.note(1);
        assert_eq!(vigil.wait(|| Duration::ZERO).await, Moment::Quiet);
    }

    #[tokio::test]
    async fn an_arrival_within_the_moment_is_an_answer() {
        let vigil = Vigil::default();
        let waits = vigil.wait(|| STEP_MAX);
        let (end, ()) = tokio::join!(waits, async { vigil.note(1) });
        assert_eq!(end, Moment::Answered);
    }

    #[tokio::test]
    async fn a_busy_processor_is_left_to_others() {
        let vigil = Vigil::default();
        let waits = vigil.wait(|| STEP_MAX + Duration::from_micros(1));
        let (end, ()) = tokio::join!(waits, async { vigil.note(1) });
        assert_eq!(end, Moment::Busy);
    }

    #[tokio::test]
    async fn a_transfer_is_not_polled_for() {
        let vigil = Vigil::default();
        let waits = vigil.wait(|| Duration::ZERO);
        let (end, ()) = tokio::join!(waits, async { vigil.note(BULK_MIN) });
        assert_eq!(end, Moment::Busy);
    }
}
