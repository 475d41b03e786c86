//! The words of a link: the states of an agent, and what is to be done or known about it.

use std::time::Duration;

use bytes::Bytes;

use super::{appetite::Excess, ask::AgentReply, loss::Loss};
use crate::{
    time::Instant,
    wire::control::{RefusedAsk, RouteSuggestion},
};

/// What the driver is to do, or what the manager should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the command.
    Spawn,
    /// Close the agent's input, which asks it to end.
    CloseInput,
    /// Ask the process group to end.
    Terminate,
    /// Kill the process group.
    Kill,
    /// Write this control frame to the agent.
    Send(Bytes),
    /// The agent has said something that does not stop it.
    Note(Note),
    /// The reply to the question with this number; see [`super::Link::ask`].
    Reply(u64, AgentReply),
    /// The agent has suggested a route at that time.
    Suggestion(Instant, RouteSuggestion),
    /// The agent has refused this to other hosts, by the policy, at that time.
    Refused(Instant, Vec<RefusedAsk>),
    /// [`super::Link::state`] has changed.
    Changed,
}

/// Something about an agent that does not stop it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A line of its standard error, made safe to show.
    Stderr(String),
    /// Text that it wrote before its first frame.
    Banner(String),
    /// Features that it lacks and that the manifest does not depend on.
    Lacks(Vec<String>),
    /// It sends more than its share, mostly this, and is slowed down.
    Greedy(Excess),
    /// It asks that people are told this.
    Notice(String),
}

/// The state of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was not started yet.
    Idle,
    /// The driver is starting the command.
    Spawning,
    /// The command runs and has been sent its configuration; the agent has not answered.
    Configuring {
        /// When the wait for its answer is over.
        give_up_at: Instant,
    },
    /// The agent serves.
    Ready,
    /// It is being ended: its stream has ended, it was judged, or it was stopped. The process is still there.
    Ending {
        /// Why.
        why: Loss,
        /// When the next treatment is due.
        act_at: Instant,
        /// The next treatment, each less gentle than the one before.
        next: Treatment,
    },
    /// It is gone, and will be started again.
    Waiting {
        /// When it will be started.
        until: Instant,
        /// The pause between its end and that start.
        pause: Duration,
        /// The number of that start, from 1, counted since it last served for a while.
        attempt: u32,
        /// Why it is gone.
        why: Loss,
    },
    /// It is gone, and starting it again as it is would not help.
    Refused {
        /// Why.
        why: Loss,
    },
    /// It is gone because it was stopped on purpose.
    Stopped,
}

/// How a process is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is asked to end.
    Terminate,
    /// It is killed.
    Kill,
    /// Everything was done; only the report of the operating system is missing.
    Wait,
}
