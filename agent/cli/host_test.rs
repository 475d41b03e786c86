//! `norouter host test`: tries one host, step by step, before it is in a network.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    error::{Error, Exit},
    input::{Commands, Source},
    output, progress,
    prompt_line::meant,
    reach::{json_line, wait_for},
    trust,
    typing::{self, Unseen},
    way::Way,
};
use crate::{
    driver::{
        control,
        manager::Trial,
        system::{
            describe,
            signals::{Request, Requests},
        },
    },
    edit::{Edit, apply},
    manifest::value::Value,
    plan::{self, HostPlan, Loaded, Plan, trial_grants},
    secret::Secret,
    text::{escape, figures::latency, shell_line, with_remedy},
    view::{
        Answer, InstallView, PromptKind, PromptView, TrialNews, TrialOutcome, TrialStep,
        no_such_host,
    },
};

/// The manifest to which the command adds a host that options describe.
const EMPTY: &str = "hosts:\n  this-machine: {}\n";

/// The name of a host that options describe, if the person has given it none.
const UNNAMED: &str = "host";

/// The maximum width of a bar, in columns.
const COLUMNS: usize = 79;

/// Try whether a host can be a member, step by step
///
/// Runs the command of the host once, shows each step with its time, and ends what it has started. The host does not
/// have to be in a manifest: "norouter host test --ssh web1". The test opens no ports and does not disturb a running
/// network. The only file that it may leave behind is the agent that it sends to the host: it stays there for the next
/// start, and "norouter clean" removes it. ssh is run with -v, so that it tells its steps. The exit code is 5 if the
/// host cannot be a member.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name, an alias or the VIP of a host in the manifest. With --ssh, --cmd and so on: any name, under which the
    /// test shows the host
    #[arg(value_name = "HOST", required_unless_present = "Way")]
    host: Option<String>,
    #[command(flatten)]
    way: Way,
    /// The manifest; by default the one that norouter itself would run
    #[arg(short, long, value_name = "FILE", conflicts_with = "Way")]
    file: Option<PathBuf>,
    /// Run nothing that is not listed in LIST, which "norouter plan --grants --json" has written
    #[arg(long, value_name = "LIST")]
    require_trust: Option<PathBuf>,
    /// Write each step as a line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let loaded = args.load(commands)?;
    let Some(plan) = &loaded.plan else {
        output::talk(&loaded.report(true));
        let message = format!("{} cannot be run", loaded.file_name);
        return Err(Error::new(Exit::InvalidManifest, message));
    };
    let called = args.host.as_deref().unwrap_or(UNNAMED);
    let host = host(plan, called)
        .ok_or_else(|| Error::new(Exit::Failure, no_such_host(called)).hint(
            "\"norouter host ls\" lists the hosts of the manifest; --ssh, --cmd and so on test a host that is not in it",
        ))?;
    if let Some(list) = &args.require_trust {
        trust::check_grants(trial_grants(plan, host), list)?;
    }
    if !args.json {
        let shown = host.start.shown();
        let command = if shown.is_empty() {
            "this machine, without a command".to_owned()
        } else {
            shell_line(&shown)
        };
        output::talk(&format!("{}: {}", host.name, escape(&command)));
    }
    wait_for(async {
        let door = match control::open_for_trial() {
            Ok(door) => Some(door),
            Err(why) => {
                output::talk(&escape(&format!(
                    "warning: the command cannot ask for a password: {why}"
                )));
                None
            }
        };
        let failed = |error: io::Error| {
            let message = format!("the host cannot be tested: {}", describe(&error));
            Error::new(Exit::Failure, message)
        };
        let mut requests = Requests::listen().map_err(failed)?;
        let trial = Trial::start(plan, host.vip, door).map_err(failed)?;
        let mut face = Face::new(args.json, trial);
        face.follow(&mut requests).await
    })
}

impl Args {
    /// Loads the manifest that has the host, or makes one from the options.
    fn load(&self, commands: Commands) -> Result<Loaded, Error> {
        let fields = self.way.fields();
        if fields.is_empty() {
            return Source::of(self.file.as_deref())?.load(commands);
        }
        let name = self.host.clone().unwrap_or_else(|| UNNAMED.to_owned());
        let edit = Edit::AddHost {
            name,
            fields: Value::Map(fields),
        };
        let applied = apply(EMPTY, &edit)
            .map_err(|refusal| Error::new(Exit::Usage, refusal.to_string()).hint(refusal.hint()))?;
        Ok(plan::load("the command line", &applied.text))
    }
}

/// The host of a plan with this name, alias or VIP.
fn host<'a>(plan: &'a Plan, called: &str) -> Option<&'a HostPlan> {
    let is = |host: &&HostPlan| {
        let mut names = std::iter::once(&host.name).chain(&host.aliases);
        host.vip.to_string() == called
            || names.any(|name| name.as_str().eq_ignore_ascii_case(called))
    };
    plan.hosts.iter().find(is)
}

/// Shows a trial to a person or a program, and passes the questions of the command on to the person.
struct Face {
    json: bool,
    trial: Trial,
    /// The typed lines; `None` before the first question.
    lines: Option<UnboundedReceiver<Secret>>,
    /// The question that is shown now.
    open: Option<(PromptView, Option<Unseen>)>,
    /// Whether a bar is shown on the present line of the terminal.
    has_bar: bool,
    was_sent: bool,
}

impl Face {
    fn new(json: bool, trial: Trial) -> Self {
        Self {
            json,
            trial,
            lines: None,
            open: None,
            has_bar: false,
            was_sent: false,
        }
    }

    async fn follow(&mut self, requests: &mut Requests) -> Result<Exit, Error> {
        let (mut exit, mut asked) = (Exit::Ok, None);
        loop {
            tokio::select! {
                news = self.trial.next() => {
                    let Some(news) = news else { break };
                    if let TrialNews::Over { outcome, .. } = &news {
                        exit = match outcome {
                            TrialOutcome::Member => Exit::Ok,
                            TrialOutcome::Failed => Exit::PartlyUp,
                            TrialOutcome::Ended => Exit::Failure,
                        };
                    }
                    if let Err(error) = self.show(&news) {
                        // The output cannot be written any more. The command of the host has to end nevertheless.
                        self.trial.end();
                        while self.trial.next().await.is_some() {}
                        return Err(error);
                    }
                }
                line = next(&mut self.lines) => self.take(line),
                request = requests.next() => {
                    if asked.is_some() {
                        self.open = None;
                        // The agent notices that its input has ended, and ends.
                        std::process::exit(Exit::Interrupted as i32);
                    }
                    asked = Some(match request {
                        Request::Interrupt => Exit::Interrupted,
                        Request::Terminate | Request::HangUp => Exit::Failure,
                    });
                    self.trial.end();
                }
            }
        }
        Ok(asked.unwrap_or(exit))
    }

    fn show(&mut self, news: &TrialNews) -> Result<(), Error> {
        self.clear_bar();
        if let TrialNews::Asks { prompts } = news {
            self.ask(prompts);
        }
        if self.json {
            return json_line(news);
        }
        match news {
            TrialNews::Step {
                step,
                text,
                took_ms,
                ..
            } => {
                self.was_sent |= *step == TrialStep::Sent;
                let took = self::took(*took_ms);
                output::data(&format!("{took:>10}  {}\n", escape(text)))?;
            }
            TrialNews::Install { install } => self.bar(install),
            TrialNews::Asks { .. } => {}
            TrialNews::Said { line } => output::talk(&format!("{:>10}  {}", "|", escape(line))),
            TrialNews::Remark { text } => output::talk(&format!("{:>10}  {}", "!", escape(text))),
            TrialNews::Over {
                outcome,
                at_ms,
                trouble,
                ..
            } => {
                let took = self::took(*at_ms);
                match outcome {
                    TrialOutcome::Member => {
                        output::data(&format!("{took:>10}  the host can be a member\n"))?;
                        if self.was_sent {
                            output::talk(
                                "the agent stays on the host for the next start; \"norouter clean\" removes it",
                            );
                        }
                    }
                    TrialOutcome::Ended => output::talk("the test was ended before its outcome"),
                    TrialOutcome::Failed => {
                        let why = trouble.as_ref().map_or_else(
                            || "the reason is not known".to_owned(),
                            |it| with_remedy(&it.what, it.remedy.as_deref()),
                        );
                        output::data(&format!(
                            "{took:>10}  the host cannot be a member: {}\n",
                            escape(&why)
                        ))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Shows the progress of the agent, on a line that is rewritten each time.
    fn bar(&mut self, install: &InstallView) {
        let mut err = io::stderr();
        if err.is_terminal() {
            self.has_bar = true;
            // If the terminal is gone, the bar cannot be shown.
            let _ = write!(err, "\r{}", progress::line(install, COLUMNS));
        }
    }

    fn clear_bar(&mut self) {
        if std::mem::take(&mut self.has_bar) {
            let _ = write!(io::stderr(), "\r{:COLUMNS$}\r", "");
        }
    }

    /// Shows the first of the open questions, unless one of them is shown already.
    fn ask(&mut self, prompts: &[PromptView]) {
        let is_open = |(shown, _): &(PromptView, _)| prompts.iter().any(|it| it.id == shown.id);
        if self.open.as_ref().is_some_and(is_open) {
            return;
        }
        self.open = None;
        let Some(prompt) = prompts.first() else {
            return;
        };
        let has_person = typing::has_person();
        if has_person {
            // Lines that were typed before this question is shown are not an answer to it.
            typing::begin(&mut self.lines);
        }
        let text = prompt.text.lines().map(escape).collect::<Vec<_>>();
        output::talk(&format!("its command asks: {}", text.join("\n")));
        let unseen = match prompt.kind {
            _ if !has_person => None,
            PromptKind::Secret => Unseen::begin().ok().map(Some),
            PromptKind::Confirm | PromptKind::Text => Some(None),
        };
        let Some(unseen) = unseen else {
            output::talk(
                "nobody can answer this question here, so it is refused: run the test in a terminal",
            );
            return self.refuse(prompt.id);
        };
        let what = match prompt.kind {
            PromptKind::Confirm => "yes or no",
            PromptKind::Secret | PromptKind::Text => "the answer",
        };
        output::talk(&format!(
            "type {what} and press Enter; an empty line refuses"
        ));
        self.open = Some((prompt.clone(), unseen));
    }

    /// Answers the shown question with a typed line. `None` is the end of the input.
    fn take(&mut self, line: Option<Secret>) {
        let Some(line) = line else {
            // The person cannot type any more.
            self.lines = None;
            if let Some((prompt, _)) = self.open.take() {
                self.refuse(prompt.id);
            }
            return;
        };
        if let Some((prompt, _)) = self.open.take() {
            self.trial.answer(Answer {
                prompt: prompt.id,
                text: meant(prompt.kind, &line),
                remember: false,
            });
        }
    }

    fn refuse(&self, prompt: u64) {
        self.trial.answer(Answer {
            prompt,
            text: None,
            remember: false,
        });
    }
}

/// A duration, as people read it.
fn took(ms: u64) -> String {
    match ms {
        0 => "< 1 ms".to_owned(),
        ms => latency(ms.saturating_mul(1_000)),
    }
}

/// The next typed line. Before the first question, this never completes.
async fn next(lines: &mut Option<UnboundedReceiver<Secret>>) -> Option<Secret> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}
