//! The outbox of an agent: actions for the driver and messages for the manager, in queues.

use std::collections::VecDeque;

use super::words::Output;
use crate::wire::control::{Event, Message, Outcome, Raw};

/// The maximum number of messages that may wait for the manager. Beyond that, suggestions of routes are dropped.
const CONTROL_MAX: usize = 1_024;

/// The queued actions for the driver, and the queued messages for the manager.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    outputs: VecDeque<Output>,
    messages: VecDeque<Message>,
    report_due: bool,
}

impl Outbox {
    /// Queues an action for the driver.
    pub(super) fn ask(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Queues an event for the manager.
    pub(super) fn tell(&mut self, event: Event) {
        self.messages.push_back(Message::Event(event.into_raw()));
    }

    /// Queues the answer to a request.
    pub(super) fn answer(&mut self, id: u64, op: String, outcome: Result<Raw, String>) {
        let (error, data) = match outcome {
            Ok(data) => (Raw::default(), data),
            Err(reason) => (Raw::of(&reason), Raw::default()),
        };
        self.messages.push_back(Message::Result(Outcome {
            request_id: id,
            op,
            error,
            data,
        }));
    }

    pub(super) fn poll_message(&mut self) -> Option<Message> {
        self.messages.pop_front()
    }

    /// Whether the queue of messages is full. If it is, messages that the manager can do without have to be dropped.
    pub(super) fn is_full(&self) -> bool {
        self.messages.len() >= CONTROL_MAX
    }

    /// Whether a message waits for the manager.
    pub(super) fn has_messages(&self) -> bool {
        self.report_due || !self.messages.is_empty()
    }

    /// Notes that the list of problems has changed, if `news` is true.
    pub(super) fn note_problems_changed(&mut self, news: bool) {
        self.report_due |= news;
    }

    /// Whether the list of problems has changed since the last call.
    pub(super) fn take_problems_changed(&mut self) -> bool {
        std::mem::take(&mut self.report_due)
    }
}
