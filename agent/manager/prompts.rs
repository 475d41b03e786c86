//! What one host's command asks a person: the questions that are open, and the answers that are kept for the next time.

use std::collections::BTreeMap;

use crate::{
    plan::Start,
    secret::Secret,
    text,
    view::{PromptKind, PromptView},
};

/// How many questions of a host may be open; a command asks one after the other.
const OPEN_MAX: usize = 4;

/// How many answers are kept for a host.
const KEPT_MAX: usize = 16;

/// How many processes of one life may use the same answer.
const USES_MAX: usize = 8;

/// The most lines of a question that are shown.
const LINES_MAX: usize = 40;

/// The questions and answers of one host.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    open: Vec<Prompt>,
    kept: BTreeMap<String, Kept>,
    /// The command whose answers are kept.
    start: Option<Start>,
}

#[derive(Debug)]
struct Prompt {
    id: u64,
    /// None of what only wants to be read.
    kind: Option<PromptKind>,
    /// As it was asked.
    asked: String,
    /// As it is shown.
    shown: String,
    asker: u32,
}

/// An answer for a question that may come again.
#[derive(Debug)]
struct Kept {
    answer: Secret,
    /// The processes of this life that have had it.
    used: Vec<u32>,
    /// Whether this life was given it without anybody being asked.
    unproven: bool,
}

/// What a person wants who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Will {
    /// That the command goes on.
    Answers,
    /// That it does not: there is no answer, or it is "no".
    Refuses,
}

/// What becomes of a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A person has answered it before.
    Known(Secret),
    /// It waits.
    Open,
    /// Too many wait already.
    TooMany,
}

impl Prompts {
    /// A command is started. Answers that were of no use to its last life are not tried again: whoever guesses too often is
    /// locked out. Another command does not get what was meant for this one.
    pub(super) fn begin(&mut self, start: &Start) {
        if self.start.as_ref() != Some(start) {
            self.kept.clear();
            self.start = Some(start.clone());
        }
        self.kept.retain(|_, kept| !kept.unproven);
        for kept in self.kept.values_mut() {
            kept.used.clear();
        }
    }

    /// The host can be reached: what its command was told was right.
    pub(super) fn prove(&mut self) {
        for kept in self.kept.values_mut() {
            kept.unproven = false;
        }
    }

    /// The command asks something.
    pub(super) fn ask(
        &mut self,
        id: u64,
        kind: Option<PromptKind>,
        question: String,
        asker: u32,
    ) -> Asked {
        if self.open.len() >= OPEN_MAX {
            return Asked::TooMany;
        }
        if let Some(kept) = self.kept.get_mut(&question) {
            if !kept.used.contains(&asker) && kept.used.len() < USES_MAX {
                kept.used.push(asker);
                kept.unproven = true;
                return Asked::Known(kept.answer.clone());
            }
            self.kept.remove(&question);
        }
        self.open.push(Prompt {
            id,
            kind,
            shown: shown(&question),
            asked: question,
            asker,
        });
        Asked::Open
    }

    /// A person has answered, or will not. False if nobody asks that any more.
    pub(super) fn answer(
        &mut self,
        id: u64,
        text: Option<&Secret>,
        remember: bool,
    ) -> Option<Will> {
        let wanted = |prompt: &Prompt| prompt.id == id && prompt.kind.is_some();
        let index = self.open.iter().position(wanted)?;
        let prompt = self.open.remove(index);
        let is_no = |text: &Secret| text.reveal() == "no";
        let will = match text {
            None => Will::Refuses,
            Some(text) if prompt.kind == Some(PromptKind::Confirm) && is_no(text) => Will::Refuses,
            Some(_) => Will::Answers,
        };
        if let Some(text) = text.filter(|_| remember && self.kept.len() < KEPT_MAX) {
            let kept = Kept {
                answer: text.clone(),
                used: vec![prompt.asker],
                unproven: false,
            };
            self.kept.insert(prompt.asked, kept);
        }
        Some(will)
    }

    /// Nobody waits for an answer any more. False if nobody did.
    pub(super) fn withdraw(&mut self, id: u64) -> bool {
        let before = self.open.len();
        self.open.retain(|prompt| prompt.id != id);
        self.open.len() < before
    }

    /// The command has ended, or is made to: the numbers of the questions that nobody asks any more.
    pub(super) fn close(&mut self) -> Vec<u64> {
        self.open.drain(..).map(|prompt| prompt.id).collect()
    }

    /// How many questions are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Why the host needs a person, in one line.
    pub(super) fn reason(&self) -> Option<String> {
        let prompt = self.open.first()?;
        let words: Vec<_> = prompt.shown.split_whitespace().collect();
        let how = if prompt.kind.is_some() {
            "asks"
        } else {
            "says"
        };
        Some(format!("its command {how}: {}", words.join(" ")))
    }

    /// What a person can answer, oldest first.
    pub(super) fn view(&self) -> Vec<PromptView> {
        let open = self.open.iter();
        let view = open.filter_map(|prompt| {
            Some(PromptView {
                id: prompt.id,
                kind: prompt.kind?,
                text: prompt.shown.clone(),
            })
        });
        view.collect()
    }
}

/// A question as it is shown: its lines cleaned like those of standard error, and together no longer than one of them may be.
fn shown(asked: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut room = text::LINE_MAX;
    for line in asked.trim_end().lines().take(LINES_MAX) {
        let line = text::escape_line(line.as_bytes());
        let end = line.floor_char_boundary(room);
        room = room.saturating_sub(line.len() + 1);
        lines.push(line[..end].to_owned());
        if room == 0 {
            break;
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "Enter passphrase for key '/k': ";

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn command(word: &str) -> Start {
        Start::Command(vec![word.to_owned()])
    }

    fn prompts() -> Prompts {
        let mut prompts = Prompts::default();
        prompts.begin(&command("ssh"));
        prompts
    }

    fn ask(prompts: &mut Prompts, id: u64, asker: u32) -> Asked {
        prompts.ask(id, Some(PromptKind::Secret), PASSPHRASE.to_owned(), asker)
    }

    #[test]
    fn a_question_is_answered_once() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), Asked::Open);
        assert_eq!(
            prompts.reason().unwrap(),
            "its command asks: Enter passphrase for key '/k':"
        );
        assert!(
            prompts.answer(2, None, false).is_none(),
            "there is no such question"
        );
        assert!(prompts.answer(1, Some(&secret("x")), false).is_some());
        assert!(prompts.answer(1, Some(&secret("x")), false).is_none());
        assert_eq!((prompts.view(), prompts.reason()), (Vec::new(), None));
        assert_eq!(ask(&mut prompts, 3, 7), Asked::Open, "nothing was kept");
    }

    #[test]
    fn a_kept_answer_serves_the_next_life_and_every_process_of_it_once() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), Asked::Open);
        assert!(prompts.answer(1, Some(&secret("right")), true).is_some());
        assert_eq!(ask(&mut prompts, 2, 8), Asked::Known(secret("right")));
        prompts.prove();
        prompts.begin(&command("ssh"));
        assert_eq!(ask(&mut prompts, 3, 7), Asked::Known(secret("right")));
        assert_eq!(
            ask(&mut prompts, 4, 7),
            Asked::Open,
            "it was wrong after all"
        );
        assert_eq!(ask(&mut prompts, 5, 9), Asked::Open, "and is forgotten");
    }

    #[test]
    fn a_kept_answer_is_not_tried_twice_in_vain() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), Asked::Open);
        assert!(prompts.answer(1, Some(&secret("wrong")), true).is_some());
        prompts.begin(&command("ssh"));
        assert_eq!(ask(&mut prompts, 2, 8), Asked::Known(secret("wrong")));
        prompts.begin(&command("ssh"));
        assert_eq!(ask(&mut prompts, 3, 9), Asked::Open);
    }

    #[test]
    fn another_command_does_not_get_the_answer() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), Asked::Open);
        assert!(prompts.answer(1, Some(&secret("right")), true).is_some());
        prompts.prove();
        prompts.begin(&command("other"));
        assert_eq!(ask(&mut prompts, 2, 8), Asked::Open);
    }

    #[test]
    fn what_only_wants_to_be_read_is_no_question() {
        let mut prompts = prompts();
        let text = "Confirm user presence for key".to_owned();
        assert_eq!(prompts.ask(1, None, text, 7), Asked::Open);
        assert_eq!(
            prompts.reason().unwrap(),
            "its command says: Confirm user presence for key"
        );
        assert_eq!(prompts.view(), []);
        assert!(prompts.answer(1, Some(&secret("x")), true).is_none());
        assert!(prompts.withdraw(1));
        assert_eq!(prompts.reason(), None);
    }

    #[test]
    fn many_and_long_questions_have_an_end() {
        let mut prompts = prompts();
        let hostile = "\u{1b}[2Jx\r\n".repeat(10_000);
        for id in 1..=4 {
            let asked = prompts.ask(id, Some(PromptKind::Text), hostile.clone(), 7);
            assert_eq!(asked, Asked::Open);
        }
        assert_eq!(ask(&mut prompts, 5, 7), Asked::TooMany);
        for view in prompts.view() {
            assert!(view.text.len() <= text::LINE_MAX, "{}", view.text.len());
            assert!(view.text.lines().count() > 1);
            let clean = |c: char| c == '\n' || !text::is_unsafe(c);
            assert!(view.text.chars().all(clean), "{}", view.text);
        }
        assert_eq!(prompts.close(), [1, 2, 3, 4]);
        assert_eq!(prompts.len(), 0);
    }
}
