//! Asks the person at the terminal of `norouter up`: shows the questions of commands one by one below the hosts.

use std::{collections::BTreeSet, io::Write};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    screen::Screen,
    typing::{self, Unseen},
};
use crate::{
    addr::Vip,
    driver::manager::Intent,
    secret::Secret,
    view::{Answer, HostView, PromptKind, PromptView, Snapshot},
};

/// The questions that are shown at this terminal, if there is one.
pub(super) struct Desk {
    /// Whether there is a screen on which a question can be shown.
    screen: bool,
    /// Whether answers are kept for later starts of the host.
    remember: bool,
    /// The lines that the person types. `None` until this program reads them.
    lines: Option<UnboundedReceiver<Secret>>,
    open: Option<Open>,
    /// The held commands that the person has been shown.
    held: Vec<(Vip, u64)>,
    /// The held change that the person has been shown. `None` if there is none.
    change: Option<u64>,
    /// The questions that were only announced in a line, because there is no screen to ask them on.
    told: BTreeSet<u64>,
}

/// The question that is on the screen.
struct Open {
    vip: Vip,
    prompt: u64,
    kind: PromptKind,
    _unseen: Option<Unseen>,
}

impl Desk {
    pub(super) fn new(screen: bool, remember: bool) -> Self {
        Self {
            screen,
            remember,
            lines: None,
            open: None,
            held: Vec::new(),
            change: None,
            told: BTreeSet::new(),
        }
    }

    /// Begins to read what is typed. Returns false if there is no person who could type.
    pub(super) fn listen(&mut self) -> bool {
        if !typing::has_person() {
            return false;
        }
        self.lines.get_or_insert_with(typing::lines);
        true
    }

    /// Waits for the next line that is typed. Without a person, it waits for ever.
    pub(super) async fn line(&mut self) -> Secret {
        if let Some(lines) = &mut self.lines {
            if let Some(line) = lines.recv().await {
                return line;
            }
            // The input has ended, so no more lines will come.
            self.screen = false;
            if let Some(open) = self.open.take() {
                self.told.remove(&open.prompt);
            }
        }
        std::future::pending().await
    }

    /// The intents that a typed line stands for.
    pub(super) fn take<W: Write>(&mut self, line: &Secret, screen: &mut Screen<W>) -> Vec<Intent> {
        let Some(open) = self.open.take() else {
            screen.typed();
            let yes = line.reveal().trim().eq_ignore_ascii_case("yes");
            // Only commands that the person has been shown are started.
            let commands = self
                .held
                .iter()
                .map(|&(vip, held)| Intent::Approve(vip, held));
            let change = self.change.map(Intent::ApproveChange);
            return commands.chain(change).filter(|_| yes).collect();
        };
        if open.kind != PromptKind::Secret {
            screen.typed();
        }
        screen.question(None);
        let answer = Answer {
            prompt: open.prompt,
            text: meant(open.kind, line),
            remember: self.remember,
        };
        vec![Intent::Answer(open.vip, answer)]
    }

    /// Shows the question that is open now, and removes those that are not open any more.
    pub(super) fn look<W: Write>(&mut self, snapshot: &Snapshot, screen: &mut Screen<W>) {
        let open = |host: &HostView, prompt: &PromptView| {
            let vip: Vip = host.vip.parse().ok()?;
            Some((vip, host.name.clone(), prompt.clone()))
        };
        let held = |host: &HostView| Some((host.vip.parse().ok()?, host.held.as_ref()?.number));
        let held: Vec<_> = snapshot.hosts.iter().filter_map(held).collect();
        let change = snapshot.held.as_ref().map(|change| change.number);
        if held != self.held || change != self.change {
            self.held = held;
            self.change = change;
            // A "yes" that was half typed was an answer to the earlier text.
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
                // An answer that was half typed must not become part of the next one.
                self.forget();
            }
            self.close();
            screen.question(None);
        }
        for (vip, host, prompt) in asked {
            if self.told.contains(&prompt.id) || self.open.is_some() {
                continue;
            }
            self.told.insert(prompt.id);
            let unseen = match prompt.kind {
                _ if !self.screen || !self.listen() => None,
                PromptKind::Secret => Unseen::begin().ok().map(Some),
                PromptKind::Confirm | PromptKind::Text => Some(None),
            };
            screen.print(&format!("{host}:\n  {}", prompt.text.replace('\n', "\n  ")));
            let Some(unseen) = unseen else {
                screen.print(&format!("{host}: \"norouter answer {host}\" answers that"));
                continue;
            };
            let what = match prompt.kind {
                PromptKind::Confirm => "yes or no",
                PromptKind::Secret | PromptKind::Text => "the answer",
            };
            screen.question(Some(format!(
                "type {what} for {host} and press Enter; an empty line refuses"
            )));
            self.forget();
            self.open = Some(Open {
                vip,
                prompt: prompt.id,
                kind: prompt.kind,
                _unseen: unseen,
            });
        }
    }

    /// Discards what was typed and has not been read yet.
    fn forget(&mut self) {
        if let Some(lines) = &mut self.lines {
            typing::forget(lines);
        }
    }

    /// Restores the mode of the terminal.
    pub(super) fn close(&mut self) {
        self.open = None;
    }
}

/// The answer that a typed line stands for. `None` if the person refuses to answer.
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
