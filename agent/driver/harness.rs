//! The common part of all drivers. It gives tasks access to the state machine under a lock, performs the machine's
//! outputs, and runs its timer.
//!
//! All tasks of a state machine share one thread. A task never holds the lock across an await, so no task ever waits
//! for the lock. Each output is logged at a level that its driver chooses. Each timer is logged at `trace`, with its
//! reason.

use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    driver::system::{clock::Clock, vigil::Vigil},
    time::Instant,
};

/// A state machine. It is told about events, and decides what to do (`docs/ARCHITECTURE.md`, "The shape of a machine").
pub(super) trait Machine: Send + 'static {
    /// An action that the driver has to perform.
    type Output: fmt::Debug;

    /// The next output. `None` if there is none.
    fn poll_output(&mut self) -> Option<Self::Output>;

    /// When to call [`Machine::handle_timeout`], with the reason for the log.
    fn poll_timeout(&self) -> Option<(Instant, &'static str)>;

    /// Tells the machine the present time, so that it does everything that is due.
    fn handle_timeout(&mut self, now: Instant);
}

/// The state that the tasks of one state machine share: the machine in its [`Harness`], and everything that is needed
/// to perform its outputs.
pub(super) trait World: Send + Sync + Sized + 'static {
    type Machine: Machine;

    /// The state machine, and the driver's state under the same lock.
    type State: Send;

    /// The longest time between two calls of [`World::ticked`]. `None` if the driver has no checks of its own.
    const TICK: Option<Duration> = None;

    fn harness(&self) -> &Harness<Self::State>;

    fn machine(state: &mut Self::State) -> &mut Self::Machine;

    /// Logs an output of the machine, before it is performed.
    fn log_output(output: &<Self::Machine as Machine>::Output);

    /// Logs that the timer has fired, with the reason and the delay.
    fn log_timer(why: &'static str, late: Duration);

    /// Performs one output of the machine.
    fn perform(
        self: &Arc<Self>,
        state: &mut Self::State,
        output: <Self::Machine as Machine>::Output,
    );

    /// Called when the machine has no further outputs.
    fn settled(self: &Arc<Self>, state: &mut Self::State);

    /// Called when the timer has fired, before the machine is told. `_late` is the delay of the timer.
    fn ticked(self: &Arc<Self>, _late: Duration) {}

    /// The present time on the machine's clock.
    fn now(&self) -> Instant {
        self.harness().clock.now()
    }

    /// Locks the state. The state stays valid even if a task has panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Self::State> {
        let state = self.harness().state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes an event to the machine, and performs the outputs.
    fn tell<R>(self: &Arc<Self>, what: impl FnOnce(&mut Self::Machine, Instant) -> R) -> R {
        let mut state = self.lock();
        let answer = what(Self::machine(&mut state), self.now());
        self.settle(state);
        answer
    }

    /// Performs the outputs of the machine.
    fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, Self::State>) {
        while let Some(output) = Self::machine(&mut state).poll_output() {
            Self::log_output(&output);
            self.perform(&mut state, output);
        }
        self.settled(&mut state);
        let next = Self::machine(&mut state).poll_timeout();
        self.harness().rearm(next.map(|(at, _why)| at));
    }
}

/// The state of a machine under its lock, with the clock and the timer.
pub(super) struct Harness<S> {
    pub(super) clock: Clock,
    /// Keeps the thread awake for a moment after something has arrived.
    pub(super) vigil: Vigil,
    state: Mutex<S>,
    /// When the timer will fire, in microseconds. [`NEVER`] if the machine does not wait for a time.
    armed: AtomicU64,
    /// Notified when the timer has to fire earlier than planned.
    sooner: Notify,
}

const NEVER: u64 = u64::MAX;

impl<S> Harness<S> {
    pub(super) fn new(clock: Clock, state: S) -> Self {
        Self {
            clock,
            vigil: Vigil::default(),
            state: Mutex::new(state),
            armed: AtomicU64::new(NEVER),
            sooner: Notify::new(),
        }
    }

    /// Wakes the task of the timer if it would wake later than `next`.
    fn rearm(&self, next: Option<Instant>) {
        if next.is_some_and(|at| at.as_micros() < self.armed.load(Ordering::Relaxed)) {
            self.sooner.notify_one();
        }
    }
}

/// Runs the timer: calls the machine when the time that it waits for has come.
pub(super) async fn keep_time<W: World>(world: Arc<W>) -> Infallible {
    let harness = world.harness();
    loop {
        let next = {
            let mut state = world.lock();
            let tick = W::TICK.map(|tick| (world.now() + tick, "a check of the system"));
            let next = W::machine(&mut state).poll_timeout();
            let next = next.into_iter().chain(tick).min_by_key(|(at, _)| *at);
            let armed = next.map_or(NEVER, |(at, _)| at.as_micros());
            harness.armed.store(armed, Ordering::Relaxed);
            next
        };
        tokio::select! {
            () = harness.clock.sleep_until(next.map(|(at, _)| at)) => {
                let Some((at, why)) = next else { continue };
                let late = world.now() - at;
                W::log_timer(why, late);
                world.ticked(late);
                world.tell(W::Machine::handle_timeout);
                // A machine may have much to do at once, so other tasks are served in between.
                tokio::task::yield_now().await;
            }
            () = harness.sooner.notified() => {}
        }
    }
}

/// Keeps the thread of a machine awake while answers arrive quickly.
pub(super) async fn keep_vigil<W: World>(world: Arc<W>) -> Infallible {
    world.harness().vigil.keep().await
}
