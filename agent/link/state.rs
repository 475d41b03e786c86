//! The types of a link: the states of an agent, and the outputs for the driver and the manager.

use std::time::Duration;

use bytes::Bytes;

use super::{appetite::Excess, ask::AgentReply, loss::Loss, shell::Done};
use crate::{
    time::Instant,
    wire::control::{RefusedAsk, RouteSuggestion},
};

/// An action for the driver, or information for the manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the host's command.
    Spawn,
    /// Close the agent's input, so that it exits.
    CloseInput,
    /// Ask the process group to end: SIGTERM on Unix, nothing on Windows.
    Terminate,
    /// Send SIGKILL to the process group.
    Kill,
    /// Write this control frame to the agent, or this text to the shell that is to run the agent.
    Send(Bytes),
    /// [`super::Link::poll_frame`] has a frame, or [`super::Link::may_send`] is true again.
    Wake,
    /// Read the agent with this SHA-256, and give its bytes to [`super::Link::handle_parcel`].
    Fetch(String),
    /// Report this about the agent, which keeps running.
    Note(Note),
    /// The reply to the question with this number; see [`super::Link::ask`].
    Reply(u64, AgentReply),
    /// The agent has suggested this route at this time.
    Suggestion(Instant, RouteSuggestion),
    /// The agent has refused these requests of other hosts because of the policy, at this time.
    Refused(Instant, Vec<RefusedAsk>),
    /// The value of [`super::Link::state`] has changed.
    Changed,
}

/// A report about an agent that keeps running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A line of the agent's standard error, made safe to show.
    Stderr(String),
    /// Text that the command wrote before its first frame.
    Banner(String),
    /// Features that the manifest uses and the agent lacks. The agent is accepted without them.
    Lacks(Vec<String>),
    /// The agent exceeds its budget, mainly with this kind of work, and is slowed down.
    Greedy(Excess),
    /// A text that the agent wants people to see.
    Notice(String),
    /// A step on the way to an agent is over, on a host that has only a shell.
    Step(Done),
    /// The host's command has not started a usable agent, for this reason. The host's shell is started instead.
    ThroughTheShell(Loss),
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
        /// The time at which the wait for the answer ends.
        give_up_at: Instant,
    },
    /// The agent is up.
    Ready,
    /// The agent is being ended, because its stream has ended, because of a loss, or by a request. The process still
    /// exists.
    Ending {
        /// The reason for the end.
        why: Loss,
        /// The time of the next step.
        act_at: Instant,
        /// The next step. Each step is more forceful than the one before.
        next: Treatment,
    },
    /// The agent is lost, and will be started again.
    Waiting {
        /// The time of the next start.
        until: Instant,
        /// The pause between the loss and the next start.
        pause: Duration,
        /// The number of the next start, from 1. The count begins anew when the agent has served for a while.
        attempt: u32,
        /// The reason for the loss.
        why: Loss,
    },
    /// The agent is lost, and will not be started again until something changes.
    Refused {
        /// The reason for the loss.
        why: Loss,
    },
    /// The agent was stopped by a request.
    Stopped,
}

/// A step that makes a process end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Ask the process group to end.
    Terminate,
    /// Kill the process group.
    Kill,
    /// Wait until the operating system reports the end.
    Wait,
}
