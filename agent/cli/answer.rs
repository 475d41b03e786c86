//! `norouter answer`: shows the questions of hosts' commands, and sends a person's answers.

use std::{
    collections::BTreeSet,
    io::{IsTerminal as _, Write as _},
};

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    prompt_line::meant,
    reach::{self, WhichNetwork, wait_for},
    typing::{self, Unseen},
};
use crate::{
    driver::{
        control::{
            Client,
            client::{self, Events, StreamItem},
        },
        system::{describe, signals::Requests},
    },
    secret::Secret,
    text::escape,
    view::{Answer, HostState, HostView, PromptKind, PromptView, Snapshot},
};

/// Answer the questions of hosts' commands: passwords, passphrases, host keys
///
/// At a terminal, the questions are shown and answered one after the other, and secrets are hidden while they are
/// typed. Without a terminal, one line of standard input answers the first open question; if several hosts ask
/// something, HOST must be given.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option that people know"
)]
pub(super) struct Args {
    /// The name, an alias or the VIP of the host; without it, all hosts
    #[arg(value_name = "HOST", value_hint = clap::ValueHint::Other)]
    host: Option<String>,
    /// Only show the questions
    #[arg(long)]
    list: bool,
    /// Refuse to answer the open questions
    #[arg(long, conflicts_with_all = ["list", "remember"])]
    cancel: bool,
    /// Reuse the answer if the host asks the same question after a restart; the manager keeps it in memory only
    #[arg(long, conflicts_with = "list")]
    remember: bool,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write the questions as JSON
    #[arg(long, requires = "list")]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = if args.list {
            args.network.client().await?
        } else {
            args.network.own_client().await?
        };
        let snapshot = client.network().await?.snapshot;
        if let Some(called) = &args.host {
            reach::host(&snapshot, called)?;
        }
        let open = args.open(&snapshot);
        if args.list {
            return args.show(&open);
        }
        if args.cancel {
            return args.refuse(&client, &open).await;
        }
        if std::io::stdin().is_terminal() {
            return args.converse(&client).await;
        }
        args.answer_one(&client, &open).await
    })
}

impl Args {
    /// Whether the arguments select this host.
    fn means(&self, host: &HostView) -> bool {
        let called = self.host.as_ref();
        called.is_none_or(|called| host.is_called(called))
    }

    /// The open questions of the selected hosts.
    fn open<'a>(&self, snapshot: &'a Snapshot) -> Vec<(&'a HostView, &'a PromptView)> {
        let hosts = snapshot.hosts.iter().filter(|host| self.means(host));
        hosts
            .flat_map(|host| host.prompts.iter().map(move |prompt| (host, prompt)))
            .collect()
    }

    fn show(&self, open: &[(&HostView, &PromptView)]) -> Result<Exit, Error> {
        if self.json {
            let list = open.iter().map(|(host, prompt)| {
                json!({"host": host.name, "vip": host.vip, "id": prompt.id,
                       "kind": prompt.kind, "text": prompt.text})
            });
            output::json(&list.collect())?;
            return Ok(Exit::Ok);
        }
        for (host, prompt) in open {
            output::data(&format!("{}: {}\n", host.name, shown(prompt)))?;
        }
        if open.is_empty() {
            output::talk("no host asks anything");
        }
        Ok(Exit::Ok)
    }

    async fn refuse(
        &self,
        client: &Client,
        open: &[(&HostView, &PromptView)],
    ) -> Result<Exit, Error> {
        if open.is_empty() {
            return Err(self.nothing());
        }
        for (host, prompt) in open {
            self.say(client, &host.name, prompt.id, None).await?;
        }
        Ok(Exit::Ok)
    }

    /// Sends one line of standard input as the answer to the first open question. Fails if more than one host has open
    /// questions.
    async fn answer_one(
        &self,
        client: &Client,
        open: &[(&HostView, &PromptView)],
    ) -> Result<Exit, Error> {
        let Some((host, prompt)) = open.first() else {
            return Err(self.nothing());
        };
        if open.iter().any(|(other, _)| other.name != host.name) {
            let names: Vec<_> = open.iter().map(|(host, _)| host.name.as_str()).collect();
            return Err(Error::new(Exit::Usage, "several hosts ask something")
                .hint(format!("say which is meant: {}", names.join(", "))));
        }
        let Some(text) = typing::line().and_then(|line| meant(prompt.kind, &line)) else {
            return Err(
                Error::new(Exit::Usage, "there is no answer on standard input")
                    .hint("write one line to it; --cancel refuses to answer"),
            );
        };
        if !self.say(client, &host.name, prompt.id, Some(text)).await? {
            return Ok(Exit::Failure);
        }
        Ok(Exit::Ok)
    }

    /// Asks the person all open questions, and the questions that follow the answers, until none is left.
    async fn converse(&self, client: &Client) -> Result<Exit, Error> {
        let failed = |error: std::io::Error| {
            Error::new(
                Exit::Failure,
                format!("signals cannot be caught: {}", describe(&error)),
            )
        };
        // Ctrl-C is caught, because the terminal has to show typed text again before the program ends.
        let mut requests = Requests::listen().map_err(failed)?;
        let mut lines = typing::lines();
        let mut events = client.events(None).await?;
        let mut snapshot = Snapshot::default();
        let (mut seen, mut answered) = (BTreeSet::new(), BTreeSet::new());
        learn(&mut events, &mut snapshot).await?;
        loop {
            let open = self.open(&snapshot);
            let fresh = open.iter().find(|(_, prompt)| !seen.contains(&prompt.id));
            if let Some((host, prompt)) = fresh {
                let (host, prompt) = (host.name.clone(), (*prompt).clone());
                seen.insert(prompt.id);
                let unseen = ask(&host, &prompt)?;
                let line = loop {
                    tokio::select! {
                        line = lines.recv() => match line {
                            Some(line) => break Some(line),
                            None => return Ok(interrupted()),
                        },
                        told = learn(&mut events, &mut snapshot) => told?,
                        _ = requests.next() => return Ok(interrupted()),
                    }
                    let open = self.open(&snapshot);
                    if !open.iter().any(|(_, other)| other.id == prompt.id) {
                        break None;
                    }
                };
                if unseen.is_some() || line.is_none() {
                    output::talk("");
                }
                drop(unseen);
                match line {
                    Some(line) => {
                        let text = meant(prompt.kind, &line);
                        self.say(client, &host, prompt.id, text).await?;
                        answered.insert(host);
                    }
                    None => output::talk(&format!("{host}: this is not asked any more")),
                }
                continue;
            }
            let hosts = snapshot.hosts.iter();
            let mut hosts = hosts.filter(|host| answered.contains(&host.name));
            let on_its_way = |host: &HostView| {
                use HostState::{Configuring, Greeting, NeedsYou, Starting};
                matches!(host.state, Starting | Greeting | Configuring | NeedsYou)
            };
            if !hosts.any(on_its_way) {
                break;
            }
            tokio::select! {
                _ = requests.next() => return Ok(Exit::Interrupted),
                told = learn(&mut events, &mut snapshot) => told?,
            }
        }
        if seen.is_empty() {
            output::talk("no host asks anything");
        }
        let hosts = snapshot.hosts.iter();
        let hosts: Vec<_> = hosts.filter(|host| answered.contains(&host.name)).collect();
        for host in &hosts {
            let reason = host.reason.as_ref();
            let reason = reason.map(|reason| format!(": {}", escape(reason)));
            let reason = reason.unwrap_or_default();
            output::talk(&format!("{}: {}{reason}", host.name, host.state.word()));
        }
        let all_up = hosts.iter().all(|host| host.state.is_up());
        Ok(if all_up { Exit::Ok } else { Exit::PartlyUp })
    }

    /// Sends an answer to the manager; returns false if the manager rejects it, for example because the question is not
    /// open any more.
    async fn say(
        &self,
        client: &Client,
        host: &str,
        prompt: u64,
        text: Option<Secret>,
    ) -> Result<bool, Error> {
        let answer = Answer {
            prompt,
            text,
            remember: self.remember,
        };
        match client.answer(host, &answer).await {
            Ok(()) => {
                let what = if answer.text.is_some() {
                    "answered"
                } else {
                    "refused"
                };
                output::talk(&format!("{host}: {what}"));
                Ok(true)
            }
            Err(client::Error::Refused { text, .. }) => {
                output::talk(&format!("{host}: {}", escape(&text)));
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn nothing(&self) -> Error {
        let who = self.host.as_deref().unwrap_or("no host");
        let what = if self.host.is_some() {
            "nothing"
        } else {
            "anything"
        };
        Error::new(Exit::Failure, format!("{who} asks {what}"))
            .hint("\"norouter status\" shows how the hosts are")
    }
}

/// The text of a question as shown to people.
fn shown(prompt: &PromptView) -> String {
    let lines: Vec<_> = prompt.text.lines().map(escape).collect();
    lines.join("\n  ")
}

/// Ends the output line of the open question, because the person has pressed Ctrl-C or closed the input. Returns the
/// exit code.
fn interrupted() -> Exit {
    output::talk("");
    Exit::Interrupted
}

/// Waits for the next event, and updates the snapshot with it.
async fn learn(events: &mut Events, snapshot: &mut Snapshot) -> Result<(), Error> {
    match events.next().await? {
        Some(StreamItem::Snapshot(network)) => *snapshot = network.snapshot,
        Some(StreamItem::Host(host)) => {
            snapshot.apply(*host);
        }
        Some(StreamItem::Event(_) | StreamItem::Missed(_)) => {}
        None => return Err(Error::new(Exit::NoManager, "the network has ended")),
    }
    Ok(())
}

/// Shows a question at the terminal. If the question asks for a secret, the returned value hides typed text until it is
/// dropped. Returns `None` for other questions.
fn ask(host: &str, prompt: &PromptView) -> Result<Option<Unseen>, Error> {
    let unseen = match prompt.kind {
        PromptKind::Secret => Some(Unseen::begin().map_err(|error| {
            let message = format!(
                "the terminal would show what is typed: {}",
                describe(&error)
            );
            Error::new(Exit::Failure, message).hint("pipe the answer into this command instead")
        })?),
        PromptKind::Confirm | PromptKind::Text => None,
    };
    let mut out = std::io::stderr();
    // If writing to the terminal fails, nobody can be told about it.
    let _ = write!(out, "{host}: {} ", shown(prompt));
    let _ = out.flush();
    Ok(unseen)
}
