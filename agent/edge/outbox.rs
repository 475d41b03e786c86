//! What an agent wants done and said: queues that everything in it writes to, and that others empty.

use std::collections::VecDeque;

use super::words::Output;
use crate::wire::control::{Event, Message, Outcome, Raw};

/// How many messages may wait for the manager before suggestions are dropped.
const CONTROL_MAX: usize = 1_024;

/// What waits for the driver, and what for the manager.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    outputs: VecDeque<Output>,
    messages: VecDeque<Message>,
    report_due: bool,
}

impl Outbox {
    /// Queues something for the driver to do.
    pub(super) fn ask(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Queues something that the manager is to know.
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

    /// Whether the manager reads so little that what it does not need at once has to be left out.
    pub(super) fn is_full(&self) -> bool {
        self.messages.len() >= CONTROL_MAX
    }

    /// Whether there is something for the manager.
    pub(super) fn has_words(&self) -> bool {
        self.report_due || !self.messages.is_empty()
    }

    /// Notes whether the problems are others than before.
    pub(super) fn note_news(&mut self, news: bool) {
        self.report_due |= news;
    }

    /// Whether the problems are others than when this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.report_due)
    }
}
