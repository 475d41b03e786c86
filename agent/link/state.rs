//! The states of an agent, and the outputs of a link.

use std::time::Duration;

use bytes::Bytes;

use super::{appetite::Excess, ask::Reply, loss::Loss};
use crate::{
    time::Instant,
    wire::control::{RefusedAsk, RouteSuggestion},
};

/// A task for the driver, or news for the manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the host's command.
    Spawn,
    /// Close the agent's input. A correct agent ends when its input does.
    CloseInput,
    /// Send SIGTERM to the process group.
    Terminate,
    /// Send SIGKILL to the process group.
    Kill,
    /// Write this control frame to the agent.
    Send(Bytes),
    /// A report about an agent that goes on running.
    Note(Note),
    /// The reply to the question with this number; see [`super::Link::ask`].
    Reply(u64, Reply),
    /// The agent suggested a route at this time.
    Suggestion(Instant, RouteSuggestion),
    /// At this time the agent reported destinations that its policy has refused to other hosts.
    Refused(Instant, Vec<RefusedAsk>),
    /// [`super::Link::state`] has changed.
    Changed,
}

/// A report about an agent that goes on running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A line of the agent's standard error, made safe to show.
    Stderr(String),
    /// Text that the agent wrote before its first frame.
    Banner(String),
    /// Features that the agent lacks, and that the manifest does not need.
    Lacks(Vec<String>),
    /// The agent is slowed down because it uses more than its share, mostly with this kind of work.
    Greedy(Excess),
    /// A text that the agent wants people to see.
    Notice(String),
}

/// The state of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The agent was not started yet.
    Idle,
    /// The driver is starting the command.
    Spawning,
    /// The command runs and has been sent its configuration; the agent has not answered.
    Configuring {
        /// When the manager gives up waiting for the answer.
        give_up_at: Instant,
    },
    /// The agent has accepted its configuration, and serves.
    Ready,
    /// The agent is being ended, and its process is still there.
    Ending {
        /// The reason.
        why: Loss,
        /// When the next step is due.
        act_at: Instant,
        /// The next step. Each is less gentle than the one before.
        next: Treatment,
    },
    /// The agent is gone, and will be started again.
    Waiting {
        /// When it will be started.
        until: Instant,
        /// The length of the pause before that start.
        pause: Duration,
        /// The number of that start. It is counted from 1, which is the first one after the agent was last healthy.
        attempt: u32,
        /// The reason why it is gone.
        why: Loss,
    },
    /// The agent is gone, and will not be started again before somebody changes something.
    Refused {
        /// The reason.
        why: Loss,
    },
    /// The agent was stopped on purpose.
    Stopped,
}

/// A step by which a process is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Send SIGTERM.
    Terminate,
    /// Send SIGKILL.
    Kill,
    /// Wait until the operating system reports the end of the process.
    Wait,
}
