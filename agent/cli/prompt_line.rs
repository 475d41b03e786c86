//! The line in which `norouter up` asks the person at its terminal. It shows one question of a command at a time, below
//! the hosts.

use std::{collections::BTreeSet, io::Write};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    host_block::HostBlock,
    typing::{self, Unseen},
};
use crate::{
    addr::Vip,
    driver::manager::Intent,
    secret::Secret,
    view::{Answer, HostView, PromptKind, PromptView, Snapshot},
};

/// The state of the questions at this terminal.
pub(super) struct PromptLine {
    /// Whether a question can be asked here: there must be a block, and a person who can type.
    can_ask: bool,
    /// Whether answers are kept for the next start of a host.
    remember: bool,
    /// The typed lines; `None` while nothing is read from the terminal.
    lines: Option<UnboundedReceiver<Secret>>,
    open: Option<Open>,
    /// The commands that wait for approval and that the person has been shown.
    held: Vec<(Vip, u64)>,
    /// The change of the manifest that waits for approval and that the person has been shown; `None` if none waits.
    change: Option<u64>,
    /// The questions that the person was told about.
    told: BTreeSet<u64>,
}

/// The question that is shown now.
struct Open {
    vip: Vip,
    prompt: u64,
    kind: PromptKind,
    _unseen: Option<Unseen>,
}

impl PromptLine {
    pub(super) fn new(can_ask: bool, remember: bool) -> Self {
        Self {
            can_ask,
            remember,
            lines: None,
            open: None,
            held: Vec::new(),
            change: None,
            told: BTreeSet::new(),
        }
    }

    /// Starts to read typed lines; returns false if nobody can type.
    pub(super) fn listen(&mut self) -> bool {
        if !typing::has_person() {
            return false;
        }
        self.lines.get_or_insert_with(typing::lines);
        true
    }

    /// The next typed line. This never completes while nothing is read from the terminal.
    pub(super) async fn line(&mut self) -> Secret {
        if let Some(lines) = &mut self.lines {
            if let Some(line) = lines.recv().await {
                return line;
            }
            // The input has ended, so the person cannot type any more.
            self.can_ask = false;
            if let Some(open) = self.open.take() {
                self.told.remove(&open.prompt);
            }
        }
        std::future::pending().await
    }

    /// Handles a typed line: it answers the question, or approves what is shown.
    pub(super) fn take<W: Write>(
        &mut self,
        line: &Secret,
        block: &mut HostBlock<W>,
    ) -> Vec<Intent> {
        let Some(open) = self.open.take() else {
            block.typed();
            let yes = line.reveal().trim().eq_ignore_ascii_case("yes");
            // Only commands that the person has been shown are approved.
            let commands = self
                .held
                .iter()
                .map(|&(vip, held)| Intent::Approve(vip, held));
            let change = self.change.map(Intent::ApproveChange);
            return commands.chain(change).filter(|_| yes).collect();
        };
        if open.kind != PromptKind::Secret {
            block.typed();
        }
        block.question(None);
        let answer = Answer {
            prompt: open.prompt,
            text: meant(open.kind, line),
            remember: self.remember,
        };
        vec![Intent::Answer(open.vip, answer)]
    }

    /// Shows the question that is open now, and removes questions that are not open any more.
    pub(super) fn look<W: Write>(&mut self, snapshot: &Snapshot, block: &mut HostBlock<W>) {
        let open = |host: &HostView, prompt: &PromptView| {
            let vip: Vip = host.vip.parse().ok()?;
            Some((vip, host.name.clone(), prompt.clone()))
        };
        let held = |host: &HostView| {
            let number = host.held.as_ref()?.number;
            Some((host.vip.parse().ok()?, number))
        };
        let held: Vec<_> = snapshot.hosts.iter().filter_map(held).collect();
        let change = snapshot.held.as_ref().map(|change| change.number);
        if held != self.held || change != self.change {
            self.held = held;
            self.change = change;
            // The person may be typing "yes" at this moment, in answer to what was shown before.
            self.forget();
        }
        let hosts = snapshot.hosts.iter();
        let asked: Vec<_> = hosts
            .flat_map(|host| host.prompts.iter().filter_map(|prompt| open(host, prompt)))
            .collect();
        let ids: BTreeSet<u64> = asked.iter().map(|(_, _, prompt)| prompt.id).collect();
        self.told.retain(|id| ids.contains(id));
        let stands = |open: &Open| ids.contains(&open.prompt);
        if !self.open.as_ref().is_some_and(stands) {
            if self.open.is_some() {
                // The question is not open any more. A partly typed answer to it must not become a part of the next
                // answer.
                self.forget();
            }
            self.close();
            block.question(None);
        }
        for (vip, host, prompt) in asked {
            if self.told.contains(&prompt.id) || self.open.is_some() {
                continue;
            }
            self.told.insert(prompt.id);
            let unseen = match prompt.kind {
                _ if !self.can_ask || !self.listen() => None,
                PromptKind::Secret => Unseen::begin().ok().map(Some),
                PromptKind::Confirm | PromptKind::Text => Some(None),
            };
            // What was typed before the question is shown is not an answer to it.
            self.forget();
            block.ask(&host, &prompt);
            let Some(unseen) = unseen else {
                block.print(&format!("{host}: \"norouter answer {host}\" answers that"));
                continue;
            };
            let what = match prompt.kind {
                PromptKind::Confirm => "yes or no",
                PromptKind::Secret | PromptKind::Text => "the answer",
            };
            block.question(Some(format!(
                "type {what} for {host} and press Enter; an empty line refuses"
            )));
            self.open = Some(Open {
                vip,
                prompt: prompt.id,
                kind: prompt.kind,
                _unseen: unseen,
            });
        }
    }

    /// Discards typed text that was not read yet.
    fn forget(&mut self) {
        if let Some(lines) = &mut self.lines {
            typing::forget(lines);
        }
    }

    /// Closes the question that is shown, so that the terminal shows typed text again.
    pub(super) fn close(&mut self) {
        self.open = None;
    }
}

/// The answer that the person means by a typed line. `None` if the person refuses to answer.
pub(super) fn meant(kind: PromptKind, line: &Secret) -> Option<Secret> {
    let text = match kind {
        PromptKind::Secret => line.reveal(),
        PromptKind::Text => line.reveal().trim(),
        PromptKind::Confirm => match line.reveal().trim() {
            "y" | "Y" => "yes",
            "n" | "N" => "no",
            text => text,
        },
    };
    (!text.is_empty()).then(|| Secret::new(text.to_owned()))
}
