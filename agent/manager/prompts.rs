//! The prompts of one host's command: the open ones, and the answers that are kept for its next runs.

use std::collections::BTreeMap;

use crate::{
    plan::Start,
    secret::Secret,
    text,
    view::{ASKS, PromptKind, PromptView, Trouble, TroubleCode},
};

/// The maximum number of open prompts of a host. Normally, a command asks its questions one after the other.
const OPEN_MAX: usize = 4;

/// The maximum number of answers that are kept for a host.
const KEPT_MAX: usize = 16;

/// The maximum number of processes in one run of the command that may be given the same answer.
const USES_MAX: usize = 8;

/// The maximum number of lines of a question that are shown.
const LINES_MAX: usize = 40;

/// The questions and answers of one host.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    open: Vec<Prompt>,
    kept: BTreeMap<String, Kept>,
    /// The command whose answers are kept.
    start: Option<Start>,
    /// The prompts that will get no answer, and whose askers learn that only when the command has ended. If they
    /// learned it earlier, the command would go on, and ssh would send an empty password to the host.
    withheld: Vec<u64>,
}

#[derive(Debug)]
struct Prompt {
    id: u64,
    /// `None` if the text needs no answer.
    kind: Option<PromptKind>,
    /// The question as it was asked.
    asked: String,
    /// The question as it is shown.
    shown: String,
    asker: u32,
}

/// An answer that is kept, because the command may ask the same question again.
#[derive(Debug)]
struct Kept {
    answer: Secret,
    /// The ids of the processes that were given the answer in this run of the command.
    used: Vec<u32>,
    /// Whether this run of the command was given the kept answer and the host was not reached afterwards. If so, the
    /// answer may be wrong.
    unproven: bool,
}

/// The decision of a person who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Will {
    /// The command may go on.
    Answers,
    /// The command must not go on.
    Refuses {
        /// The question, as it was shown.
        question: String,
        /// Whether the person has answered "no". If not, the person has refused to answer.
        no: bool,
    },
}

/// The decision about a new prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PromptVerdict {
    /// A person has answered the same prompt before, with this answer.
    Known(Secret),
    /// The prompt waits for a person.
    Open,
    /// The prompt is not accepted: too many wait already.
    TooMany,
}

impl Prompts {
    /// Prepares for a start of the command. If the last run of the command was given a kept answer and the host was not
    /// reached, the answer may be wrong. Such an answer is dropped, because too many wrong passwords lock a user out.
    /// If the command has changed, all kept answers are dropped.
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

    /// Notes that the host can be reached, which proves that the answers were right.
    pub(super) fn prove(&mut self) {
        for kept in self.kept.values_mut() {
            kept.unproven = false;
        }
    }

    /// Takes a prompt of the command.
    pub(super) fn ask(
        &mut self,
        id: u64,
        kind: Option<PromptKind>,
        question: String,
        asker: u32,
    ) -> PromptVerdict {
        if self.open.len() >= OPEN_MAX {
            return PromptVerdict::TooMany;
        }
        if let Some(kept) = self.kept.get_mut(&question) {
            if !kept.used.contains(&asker) && kept.used.len() < USES_MAX {
                kept.used.push(asker);
                kept.unproven = true;
                return PromptVerdict::Known(kept.answer.clone());
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
        PromptVerdict::Open
    }

    /// Takes a person's answer, or the refusal to answer; `None` if the prompt is not open any more.
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
        let no = prompt.kind == Some(PromptKind::Confirm) && text.is_some_and(is_no);
        if no || text.is_none() {
            let question = prompt.shown;
            return Some(Will::Refuses { question, no });
        }
        if let Some(text) = text.filter(|_| remember && self.kept.len() < KEPT_MAX) {
            let kept = Kept {
                answer: text.clone(),
                used: vec![prompt.asker],
                unproven: false,
            };
            self.kept.insert(prompt.asked, kept);
        }
        Some(Will::Answers)
    }

    /// Keeps a prompt without an answer until its command has ended.
    pub(super) fn withhold(&mut self, id: u64) {
        self.withheld.push(id);
    }

    /// Withdraws a prompt, because nobody waits for its answer any more. Returns false if the prompt was not open.
    pub(super) fn withdraw(&mut self, id: u64) -> bool {
        self.withheld.retain(|withheld| *withheld != id);
        let before = self.open.len();
        self.open.retain(|prompt| prompt.id != id);
        self.open.len() < before
    }

    /// Closes all prompts, because the command has ended or will be ended.
    pub(super) fn close(&mut self) {
        let gone = self.open.drain(..).map(|prompt| prompt.id);
        self.withheld.extend(gone);
    }

    /// Takes the prompts that get no answer. Their command has ended, so their askers may learn it now.
    pub(super) fn take_withheld(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.withheld)
    }

    /// The number of open prompts.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// The trouble of a host whose command asks or tells a person something; `None` if no prompt is open.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let prompt = self.open.first()?;
        let words: Vec<_> = prompt.shown.split_whitespace().collect();
        let (code, how) = if prompt.kind.is_some() {
            (TroubleCode::Asks, ASKS)
        } else {
            (TroubleCode::Says, "its command says: ")
        };
        let said = words.join(" ");
        Some(Trouble {
            code,
            what: format!("{how}{said}"),
            said: Some(said),
            ..Trouble::default()
        })
    }

    /// The questions that a person can answer, oldest first.
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

/// A prompt as it is shown. Its lines are made safe like lines of standard error. All lines together have the length
/// limit of one such line.
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

    fn ask(prompts: &mut Prompts, id: u64, asker: u32) -> PromptVerdict {
        prompts.ask(id, Some(PromptKind::Secret), PASSPHRASE.to_owned(), asker)
    }

    #[test]
    fn a_question_is_answered_once() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), PromptVerdict::Open);
        assert_eq!(
            prompts.trouble().unwrap().what,
            "its command asks: Enter passphrase for key '/k':"
        );
        assert!(
            prompts.answer(2, None, false).is_none(),
            "there is no such question"
        );
        assert!(prompts.answer(1, Some(&secret("x")), false).is_some());
        assert!(prompts.answer(1, Some(&secret("x")), false).is_none());
        assert_eq!((prompts.view(), prompts.trouble()), (Vec::new(), None));
        assert_eq!(
            ask(&mut prompts, 3, 7),
            PromptVerdict::Open,
            "nothing was kept"
        );
    }

    #[test]
    fn a_kept_answer_serves_the_next_life_and_every_process_of_it_once() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), PromptVerdict::Open);
        assert!(prompts.answer(1, Some(&secret("right")), true).is_some());
        assert_eq!(
            ask(&mut prompts, 2, 8),
            PromptVerdict::Known(secret("right"))
        );
        prompts.prove();
        prompts.begin(&command("ssh"));
        assert_eq!(
            ask(&mut prompts, 3, 7),
            PromptVerdict::Known(secret("right"))
        );
        assert_eq!(
            ask(&mut prompts, 4, 7),
            PromptVerdict::Open,
            "it was wrong after all"
        );
        assert_eq!(
            ask(&mut prompts, 5, 9),
            PromptVerdict::Open,
            "and is forgotten"
        );
    }

    #[test]
    fn a_kept_answer_is_not_tried_twice_in_vain() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), PromptVerdict::Open);
        assert!(prompts.answer(1, Some(&secret("wrong")), true).is_some());
        prompts.begin(&command("ssh"));
        assert_eq!(
            ask(&mut prompts, 2, 8),
            PromptVerdict::Known(secret("wrong"))
        );
        prompts.begin(&command("ssh"));
        assert_eq!(ask(&mut prompts, 3, 9), PromptVerdict::Open);
    }

    #[test]
    fn another_command_does_not_get_the_answer() {
        let mut prompts = prompts();
        assert_eq!(ask(&mut prompts, 1, 7), PromptVerdict::Open);
        assert!(prompts.answer(1, Some(&secret("right")), true).is_some());
        prompts.prove();
        prompts.begin(&command("other"));
        assert_eq!(ask(&mut prompts, 2, 8), PromptVerdict::Open);
    }

    #[test]
    fn what_only_wants_to_be_read_is_no_question() {
        let mut prompts = prompts();
        let text = "Confirm user presence for key".to_owned();
        assert_eq!(prompts.ask(1, None, text, 7), PromptVerdict::Open);
        assert_eq!(
            prompts.trouble().unwrap().what,
            "its command says: Confirm user presence for key"
        );
        assert_eq!(prompts.view(), []);
        assert!(prompts.answer(1, Some(&secret("x")), true).is_none());
        assert!(prompts.withdraw(1));
        assert_eq!(prompts.trouble(), None);
    }

    #[test]
    fn many_and_long_questions_have_an_end() {
        let mut prompts = prompts();
        let hostile = "\u{1b}[2Jx\r\n".repeat(10_000);
        for id in 1..=4 {
            let asked = prompts.ask(id, Some(PromptKind::Text), hostile.clone(), 7);
            assert_eq!(asked, PromptVerdict::Open);
        }
        assert_eq!(ask(&mut prompts, 5, 7), PromptVerdict::TooMany);
        for view in prompts.view() {
            assert!(view.text.len() <= text::LINE_MAX, "{}", view.text.len());
            assert!(view.text.lines().count() > 1);
            let clean = |c: char| c == '\n' || !text::is_unsafe(c);
            assert!(view.text.chars().all(clean), "{}", view.text);
        }
        prompts.close();
        assert_eq!(prompts.len(), 0);
        assert_eq!(prompts.take_withheld(), [1, 2, 3, 4]);
        assert!(prompts.take_withheld().is_empty());
    }
}
