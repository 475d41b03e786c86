//! The messages of an agent, and what the manager makes of them.

use super::{
    CHANGES_MAX, Link, Note, Output, PROBLEMS_MAX, REFUSALS_MAX, REFUSED_MAX, Reply, State,
    UNKNOWN_MAX,
    heartbeat::Heartbeat,
    loss::{self, Loss},
    requests::Pending,
    wire_text,
};
use crate::{
    time::Instant,
    wire::{
        Desync,
        control::{Event, Greeting, Message, Outcome, ProblemReport, Raw, feature},
    },
};

impl Link {
    pub(super) fn handle_control(&mut self, now: Instant, json: &[u8]) {
        match Message::parse(json) {
            Ok(Message::Result(outcome)) => self.handle_result(now, &outcome),
            Ok(Message::Event(event)) => match Event::try_from(event) {
                Ok(Event::Problems(problems)) => self.handle_problems(now, problems),
                Ok(Event::Notice(text)) => self.handle_notice(now, &text),
                Ok(Event::RouteSuggestion(suggestion)) => {
                    self.outputs.push_back(Output::Suggestion(now, suggestion));
                }
                Ok(Event::Refused(mut refused)) => {
                    refused.truncate(REFUSED_MAX);
                    for ask in &mut refused {
                        ask.to = loss::said(&ask.to);
                    }
                    self.outputs.push_back(Output::Refused(now, refused));
                }
                // A newer agent may send events that this manager has not asked for, but not all the time.
                Ok(Event::Unknown(_)) if self.life.unknown.count(now) <= UNKNOWN_MAX => {}
                Ok(Event::Unknown(_)) => self.handle_fault(now, "events that nobody knows"),
                Err(_) => self.handle_fault(now, "an event that cannot be read"),
            },
            Ok(Message::Request(_)) => {
                self.handle_fault(now, "a request, which agents do not make");
            }
            Err(_) => self.handle_fault(now, "a message that cannot be read"),
        }
    }

    fn handle_result(&mut self, now: Instant, outcome: &Outcome) {
        let id = outcome.request_id;
        match self.requests.take(id) {
            Some(Pending::Configure { sum }) => match outcome.failure() {
                Some(reason) => self.handle_refusal(now, loss::said(&reason)),
                None => self.handle_greeting(now, &outcome.data, sum),
            },
            Some(Pending::Lost) => self.tell_next(),
            Some(Pending::Ask { since, wants_data }) => {
                let reply = Reply::read(outcome, now - since, wants_data);
                self.outputs.push_back(Output::Reply(id, reply));
            }
            Some(Pending::Ping { since }) => {
                let heartbeat = self.life.heartbeat.as_mut();
                if heartbeat.is_some_and(|heartbeat| heartbeat.measure(now - since)) {
                    self.outputs.push_back(Output::Changed);
                }
            }
            Some(Pending::Forgotten) => {}
            None => self.handle_fault(now, "a result that nobody asked for"),
        }
    }

    fn handle_problems(&mut self, now: Instant, mut problems: Vec<ProblemReport>) {
        problems.truncate(PROBLEMS_MAX);
        for problem in &mut problems {
            problem.what = loss::said(&problem.what);
            problem.reason = loss::said(&problem.reason);
        }
        self.life.unsettled = None;
        if problems == self.life.problems {
            return;
        }
        if self.life.changes.count(now) > CHANGES_MAX {
            self.life.unsettled = Some(problems);
            return;
        }
        self.life.problems = problems;
        self.outputs.push_back(Output::Changed);
    }

    /// Reports the last of the changes that came faster than anybody can read.
    pub(super) fn settle_problems(&mut self, now: Instant) {
        if self.life.changes.is_over(now)
            && let Some(problems) = self.life.unsettled.take()
        {
            self.handle_problems(now, problems);
        }
    }

    fn handle_notice(&mut self, now: Instant, text: &str) {
        if self.life.notices.count(now) > CHANGES_MAX {
            return self.handle_fault(now, "notices faster than anybody can read");
        }
        let notice = Note::Notice(loss::said(text));
        self.outputs.push_back(Output::Note(notice));
    }

    fn handle_refusal(&mut self, now: Instant, reason: String) {
        self.refusals += 1;
        let sure = self.refusals >= REFUSALS_MAX;
        self.end(now, Loss::Refused { reason, sure });
    }

    /// Takes the answer to a configuration. `sum` is the sum of the message that it answers.
    fn handle_greeting(&mut self, now: Instant, data: &Raw, sum: u16) {
        let Ok(mut greeting) = data.read::<Greeting>() else {
            return self.handle_refusal(now, "its greeting cannot be read".to_owned());
        };
        if greeting.has(feature::SUMS) && greeting.sum != sum {
            let (desync, banner) = (Desync::Sum, String::new());
            return self.end(now, Loss::OutOfStep { desync, banner });
        }
        greeting.version = loss::said(&greeting.version);
        let lacks = |feature: &&&str| !greeting.has(feature);
        if let Some(missing) = self.demands.required.iter().find(lacks) {
            let version = greeting.version;
            return self.end(
                now,
                Loss::Lacks {
                    feature: missing,
                    version,
                },
            );
        }
        let missed: Vec<_> = self
            .demands
            .wanted
            .iter()
            .filter(lacks)
            .map(ToString::to_string)
            .collect();
        if !missed.is_empty() {
            self.outputs.push_back(Output::Note(Note::Lacks(missed)));
        }
        let banner = wire_text(&self.life.decoder.banner());
        if !banner.is_empty() && self.state != State::Ready {
            self.outputs.push_back(Output::Note(Note::Banner(banner)));
        }
        if greeting.has(feature::HEARTBEAT) {
            let heartbeat = &mut self.life.heartbeat;
            heartbeat.get_or_insert_with(|| Heartbeat::new(now));
        }
        self.refusals = 0;
        self.life.greeting = Some(greeting);
        self.life.served_since.get_or_insert(now);
        if self.state != State::Ready {
            self.enter(State::Ready);
        }
        self.update(now);
    }
}
