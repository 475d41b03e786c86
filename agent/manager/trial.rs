//! The trial of one host. The trial uses the same state machine as a network, but the host is the only one, carries no
//! connections, and is started once. The events on the way become steps for people.

use std::{collections::BTreeSet, path::Path};

use super::{
    configure::{self, Names},
    host::{BANNER, Host},
    network::Core,
    talk::{LOGGED_IN, is_talk},
};
use crate::{
    addr::Vip,
    link::Link,
    plan::{Plan, Start},
    text::quote,
    time::Instant,
    view::{
        Event, HostState, HostView, InstallStep, InstallView, PromptView, TrialNews, TrialOutcome,
        TrialStep, TroubleCode,
    },
    wire::control::Greeting,
};

impl Core {
    /// Creates the network in which one host of a plan is tried; `None` if the plan does not have the host. The agent
    /// must have the features that the plan needs, but it is not told to use any of them. It does not replace another
    /// agent.
    pub fn trial(plan: &Plan, vip: Vip, seed: u64) -> Option<Self> {
        let planned = plan.host(vip)?;
        let alone = plan.alone(vip)?;
        let mut core = Self::new(&alone, seed);
        let host = alone.host(vip)?;
        let link = Link::new(
            configure::configuration(&core.plan, &Names::of(&alone), host, ""),
            configure::demands(plan, planned),
            seed,
        );
        core.is_trial = true;
        let host = Host::new(host.clone(), link.once(), Instant::ZERO);
        core.hosts.insert(vip, host);
        Some(core)
    }

    /// The state of a host that is tried.
    pub fn facts(&self, now: Instant, vip: Vip) -> Option<Facts> {
        let snapshot = self.snapshot(now);
        let host = snapshot.host(&vip.to_string())?.clone();
        let greeting = self.hosts.get(&vip)?.link.greeting().cloned();
        Some(Facts {
            now_ms: snapshot.now_ms,
            host,
            greeting,
        })
    }
}

/// The state of a host that is tried.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The present time, in milliseconds on the manager's clock.
    pub now_ms: u64,
    /// The host as the command line and the app show it.
    pub host: HostView,
    /// The greeting of the agent; `None` before the agent has answered.
    pub greeting: Option<Greeting>,
}

/// Turns the events of a host that is tried into steps.
#[derive(Debug)]
pub struct Trial {
    program: String,
    began_ms: Option<u64>,
    /// When the last step was over, on the manager's clock.
    last_ms: u64,
    /// The steps that the present command has reached.
    seen: BTreeSet<TrialStep>,
    /// The machine to which `ssh` is connecting, as `ssh -v` has written it.
    target: String,
    prompts: Vec<PromptView>,
    install: Option<InstallView>,
    is_over: bool,
}

impl Trial {
    /// A trial whose command starts now. `found` is the path at which the program of the command was found; `None` if
    /// it was not looked up.
    pub fn new(start: &Start, found: Option<&Path>) -> Self {
        let named = start.words().and_then(<[String]>::first);
        let program = match (named, found) {
            (None, _) => "an agent runs inside this program".to_owned(),
            (Some(name), Some(path)) if path != Path::new(name) => {
                format!("{} was found at {}, and runs", quote(name), path.display())
            }
            (Some(name), _) => format!("{} runs", quote(name)),
        };
        Self {
            program,
            began_ms: None,
            last_ms: 0,
            seen: BTreeSet::new(),
            target: String::new(),
            prompts: Vec::new(),
            install: None,
            is_over: false,
        }
    }

    /// Whether the outcome of the trial is known.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Handles an event. `facts` is the state of the host at that time.
    pub fn handle_event(&mut self, event: &Event, facts: &Facts) -> Vec<TrialNews> {
        let mut news = Vec::new();
        self.begin(facts);
        if self.is_over {
            return news;
        }
        match event {
            Event::Host { state, reason, .. } => {
                let is_late = matches!(state, HostState::Greeting | HostState::Configuring);
                self.handle_state(*state, facts, &mut news);
                let said = reason.clone().filter(|_| is_late);
                news.extend(said.map(|text| TrialNews::Remark { text }));
            }
            Event::Step {
                step,
                took_ms,
                bytes,
                ..
            } => self.handle_step(*step, *took_ms, *bytes, facts, &mut news),
            Event::Stderr { line, .. } if is_talk(line.as_bytes()) => {
                let told = self.told(line);
                news.extend(told.map(|(step, text)| self.step(step, text, facts)));
            }
            Event::Stderr { line, .. } => news.push(TrialNews::Said { line: line.clone() }),
            Event::Warning { text, .. } => news.push(match text.strip_prefix(BANNER) {
                Some(banner) => {
                    let text = format!("the command wrote this first, which was skipped: {banner}");
                    self.step(TrialStep::Banner, text, facts)
                }
                None => TrialNews::Remark { text: text.clone() },
            }),
            Event::Reloaded { .. }
            | Event::Held { .. }
            | Event::Hopeless { .. }
            | Event::Refused { .. } => {}
        }
        news
    }

    /// Called when events were missed. The present state is known, but the steps that have led to it are not.
    pub fn handle_gap(&mut self, facts: &Facts) -> Vec<TrialNews> {
        let mut news = Vec::new();
        self.begin(facts);
        if !self.is_over {
            self.handle_state(facts.host.state, facts, &mut news);
        }
        news
    }

    /// Handles changes of the state that come without an event: changes of the open questions, and progress in sending
    /// an agent.
    pub fn handle_view(&mut self, facts: &Facts) -> Vec<TrialNews> {
        let mut news = Vec::new();
        self.begin(facts);
        if self.is_over {
            return news;
        }
        if self.prompts != facts.host.prompts {
            self.prompts.clone_from(&facts.host.prompts);
            let prompts = self.prompts.clone();
            news.push(TrialNews::Asks { prompts });
        }
        if self.install != facts.host.install {
            self.install = facts.host.install;
            let sending = self.install.filter(|it| it.step == InstallStep::Upload);
            news.extend(sending.map(|install| TrialNews::Install { install }));
        }
        news
    }

    /// Ends the trial with this outcome. Does nothing if the trial is over already.
    pub fn end(&mut self, facts: &Facts, outcome: TrialOutcome) -> Vec<TrialNews> {
        let mut news = Vec::new();
        if !self.is_over {
            self.over(outcome, facts, &mut news);
        }
        news
    }

    fn begin(&mut self, facts: &Facts) {
        if self.began_ms.is_none() {
            self.began_ms = Some(facts.now_ms);
            self.last_ms = facts.now_ms;
        }
    }

    fn at_ms(&self, facts: &Facts) -> u64 {
        let began = self.began_ms.unwrap_or(facts.now_ms);
        facts.now_ms.saturating_sub(began)
    }

    fn step(&mut self, step: TrialStep, text: String, facts: &Facts) -> TrialNews {
        let took_ms = facts.now_ms.saturating_sub(self.last_ms);
        self.last_ms = facts.now_ms;
        self.seen.insert(step);
        TrialNews::Step {
            step,
            text,
            at_ms: self.at_ms(facts),
            took_ms,
        }
    }

    fn handle_state(&mut self, state: HostState, facts: &Facts, news: &mut Vec<TrialNews>) {
        let runs = matches!(
            state,
            HostState::Greeting | HostState::Configuring | HostState::NeedsYou
        );
        if (runs || state.is_up()) && !self.seen.contains(&TrialStep::Program) {
            let text = self.program.clone();
            news.push(self.step(TrialStep::Program, text, facts));
        }
        let speaks = state == HostState::Configuring || state.is_up();
        if speaks && !self.seen.contains(&TrialStep::Answered) {
            let text = "its first output has arrived".to_owned();
            news.push(self.step(TrialStep::Answered, text, facts));
        }
        if state == HostState::Starting {
            // Another command is started in place of the first.
            self.seen.clear();
        }
        if state.is_up() {
            let Some(greeting) = &facts.greeting else {
                return;
            };
            let has = |step| self.seen.contains(&step);
            if has(TrialStep::Shell) && !has(TrialStep::Sent) {
                let text = "an agent was there already".to_owned();
                news.push(self.step(TrialStep::Present, text, facts));
            }
            let text = format!("its agent has answered, version {}", greeting.version);
            news.push(self.step(TrialStep::Agent, text, facts));
            let names: Vec<_> = greeting.features.names().collect();
            let text = format!("the agent can do: {}", names.join(", "));
            news.push(self.step(TrialStep::Features, text, facts));
            self.over(TrialOutcome::Member, facts, news);
        } else if state == HostState::Refused {
            self.over(TrialOutcome::Failed, facts, news);
        }
    }

    fn handle_step(
        &mut self,
        step: InstallStep,
        took_ms: u64,
        bytes: u64,
        facts: &Facts,
        news: &mut Vec<TrialNews>,
    ) {
        let (step, text) = match step {
            InstallStep::Connect => (TrialStep::Shell, "its shell has answered".to_owned()),
            InstallStep::Upload => {
                let size = crate::text::figures::bytes(bytes);
                (TrialStep::Sent, format!("an agent was sent, {size}"))
            }
            InstallStep::Verify => (TrialStep::Checked, "the agent was checked there".to_owned()),
            // The greeting of the agent shows that it has started.
            InstallStep::Start => return,
        };
        let TrialNews::Step {
            step, text, at_ms, ..
        } = self.step(step, text, facts)
        else {
            return;
        };
        // The time that the link has measured is exact.
        news.push(TrialNews::Step {
            step,
            text,
            at_ms,
            took_ms,
        });
    }

    /// The step that a line of `ssh -v` reports; `None` if it reports none.
    fn told(&mut self, line: &str) -> Option<(TrialStep, String)> {
        if let Some(rest) = line.strip_prefix(LOGGED_IN) {
            // Authenticated to web ([192.0.2.7]:22) using "publickey".
            let (to, how) = rest.split_once(" using ")?;
            let to = to.split(" (").next().unwrap_or(to);
            let how = how.trim_end_matches('.').trim_matches('"');
            return Some((
                TrialStep::LoggedIn,
                format!("{to} has accepted the login ({how})"),
            ));
        }
        let line = line.strip_prefix("debug1: ")?;
        if let Some(target) = line.strip_prefix("Connecting to ") {
            target.trim_end_matches('.').clone_into(&mut self.target);
            return None;
        }
        if line == "Connection established." {
            let target = std::mem::take(&mut self.target);
            return Some((TrialStep::Connected, format!("connected to {target}")));
        }
        let key = line.strip_suffix(" host key.")?;
        let (host, key) = key.split_once(" is known and matches the ")?;
        let host = host.trim_start_matches("Host ").trim_matches('\'');
        Some((
            TrialStep::HostKey,
            format!("the host key of {host} is the known one ({key})"),
        ))
    }

    fn over(&mut self, outcome: TrialOutcome, facts: &Facts, news: &mut Vec<TrialNews>) {
        self.is_over = true;
        let is_known = |code| !matches!(code, TroubleCode::Stopped | TroubleCode::Restarted);
        let trouble = facts.host.troubles.first().cloned();
        news.push(TrialNews::Over {
            outcome,
            at_ms: self.at_ms(facts),
            version: facts.greeting.as_ref().map(|it| it.version.clone()),
            trouble: trouble.filter(|it| is_known(it.code)),
            said: facts.host.stderr.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        link::{CannotStart, Ending},
        manager::Output,
        plan,
        wire::control::Greeting,
    };

    const TEXT: &str =
        "hosts: {here: {}, web: {cmd: ssh web -- norouter, http: {listen: '127.0.0.1:1'}}}";

    fn at(ms: u64) -> Instant {
        Instant::ZERO + std::time::Duration::from_millis(ms)
    }

    /// A trial of the second host, with all of its news so far.
    struct Tried {
        core: Core,
        trial: Trial,
        vip: Vip,
        told: Vec<TrialNews>,
        started: Vec<Start>,
    }

    impl Tried {
        fn new() -> Self {
            let plan = plan::load("n.yaml", TEXT).plan.unwrap();
            let host = &plan.hosts[1];
            let found = PathBuf::from("/usr/bin/ssh");
            let mut tried = Self {
                core: Core::trial(&plan, host.vip, 1).unwrap(),
                trial: Trial::new(&host.start, Some(&found)),
                vip: host.vip,
                told: Vec::new(),
                started: Vec::new(),
            };
            tried.core.start(Instant::ZERO);
            tried.settle(Instant::ZERO);
            tried
        }

        fn settle(&mut self, now: Instant) {
            while let Some(output) = self.core.poll_output() {
                let facts = self.core.facts(now, self.vip).unwrap();
                if let Output::Event(event) = output {
                    self.told.extend(self.trial.handle_event(&event, &facts));
                } else if let Output::Spawn(_, start) = output {
                    self.started.push(start);
                }
            }
        }

        fn does(&mut self, ms: u64, what: impl FnOnce(&mut Core, Instant, Vip)) {
            what(&mut self.core, at(ms), self.vip);
            self.settle(at(ms));
        }

        fn steps(&self) -> Vec<(TrialStep, u64, u64)> {
            let steps = self.told.iter().filter_map(|news| {
                let TrialNews::Step {
                    step,
                    at_ms,
                    took_ms,
                    ..
                } = *news
                else {
                    return None;
                };
                Some((step, at_ms, took_ms))
            });
            steps.collect()
        }

        fn outcome(&self) -> Option<(TrialOutcome, TroubleCode)> {
            self.told.iter().find_map(|news| {
                let TrialNews::Over {
                    outcome, trouble, ..
                } = news
                else {
                    return None;
                };
                Some((*outcome, trouble.as_ref()?.code))
            })
        }
    }

    #[test]
    fn the_way_of_ssh_is_told_step_by_step_with_its_times() {
        let mut tried = Tried::new();
        let words = tried.started[0].words().unwrap();
        assert_eq!(words[..3], ["ssh", "-v", "web"]);
        tried.does(5, |core, now, vip| core.handle_spawned(now, vip, Ok(())));
        for (ms, line) in [
            (10, "OpenSSH_9.2p1 Debian"),
            (20, "debug1: Connecting to web [192.0.2.7] port 22."),
            (40, "debug1: Connection established."),
            (
                60,
                "debug1: Host 'web' is known and matches the ED25519 host key.",
            ),
            (
                90,
                "Authenticated to web ([192.0.2.7]:22) using \"publickey\".",
            ),
        ] {
            tried.does(ms, |core, now, vip| {
                core.handle_stderr(now, vip, line.as_bytes());
            });
        }
        assert_eq!(
            tried.steps(),
            [
                (TrialStep::Program, 5, 5),
                (TrialStep::Connected, 40, 35),
                (TrialStep::HostKey, 60, 20),
                (TrialStep::LoggedIn, 90, 30),
            ]
        );
        let TrialNews::Step { text, .. } = &tried.told[1] else {
            panic!("{:?}", tried.told);
        };
        assert_eq!(text, "connected to web [192.0.2.7] port 22");
        let facts = tried.core.facts(at(90), tried.vip).unwrap();
        assert_eq!(
            facts.host.stderr,
            Vec::<String>::new(),
            "they are not the host's"
        );
        assert_eq!(facts.greeting, None::<Greeting>);
    }

    #[test]
    fn a_host_that_would_be_tried_again_in_a_network_is_tried_once() {
        let mut tried = Tried::new();
        tried.does(5, |core, now, vip| core.handle_spawned(now, vip, Ok(())));
        let line = b"ssh: connect to host web port 22: Connection refused";
        tried.does(9, |core, now, vip| core.handle_stderr(now, vip, line));
        tried.does(10, |core, now, vip| {
            core.handle_closed(now, vip);
            core.handle_exit(now, vip, Ending::Status(255));
        });
        assert_eq!(
            tried.outcome(),
            Some((TrialOutcome::Failed, TroubleCode::Exited))
        );
        for ms in [1_000, 60_000, 600_000] {
            tried.does(ms, |core, now, _| core.handle_timeout(now));
        }
        assert_eq!(tried.started.len(), 1);
    }

    #[test]
    fn a_program_that_does_not_exist_has_no_step() {
        let mut tried = Tried::new();
        tried.does(3, |core, now, vip| {
            core.handle_spawned(now, vip, Err(CannotStart::NotFound("ssh".to_owned())));
        });
        assert_eq!(tried.steps(), []);
        assert_eq!(
            tried.outcome(),
            Some((TrialOutcome::Failed, TroubleCode::NotStarted))
        );
    }

    #[test]
    fn the_agent_is_asked_to_do_nothing_and_is_judged_as_in_the_network() {
        let plan = plan::load("n.yaml", TEXT).plan.unwrap();
        let host = &plan.hosts[1];
        let alone = plan.alone(host.vip).unwrap();
        let configure = configure::configure(&alone, &Names::of(&alone), &alone.hosts[0], "");
        assert!(configure.forwards.is_empty() && configure.others.is_empty());
        assert!(configure.loopback.disable && configure.state_dir.disable);
        assert!(configure.http.listen.is_empty() && !configure.write_etc_hosts);
        assert!(configure.manager.is_empty(), "it has no predecessors");
        let lenient = configure::demands(&alone, &alone.hosts[0]);
        assert_ne!(configure::demands(&plan, host), lenient);
    }
}
