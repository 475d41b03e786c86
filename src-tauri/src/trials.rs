//! Trials of single hosts, which the page requests, even before a manifest is saved or run. A command runs only if the
//! person has approved it: with the manifest, or in answer to a question that [`Trials::begin`] has returned.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use norouter::{
    driver::{
        control,
        manager::{Trial, doubts},
        system::describe,
    },
    plan::{HostPlan, Plan, load, trial_grants},
    secret::Secret,
    view::{Answer, Grant, TrialNews},
};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    watch,
};

use crate::{
    consent::{beside, hash},
    desk::Desk,
    login_shell::environment_is_known,
    view::{HostTest, TestConsent},
};

/// When the app ends, it waits at most this long for the trials to end.
const WIND_DOWN_MAX: Duration = Duration::from_secs(5);

/// The maximum number of trials at the same time.
const RUNNING_MAX: usize = 8;

/// The maximum number of questions, and of agreements, that are remembered.
const DIGESTS_MAX: usize = 256;

/// The trials that run, and what the person has agreed to.
#[derive(Clone, Default)]
pub(crate) struct Trials {
    state: Arc<Mutex<State>>,
    /// How many trials run, for those who wait until none does.
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    last: u64,
    running: BTreeMap<u64, UnboundedSender<Order>>,
    /// The digests of the grants that the person was asked about.
    asked: BTreeSet<String>,
    /// The digests of the grants that the person has agreed to. They are forgotten when the app ends.
    agreed: BTreeSet<String>,
}

/// An order for a running trial.
enum Order {
    Answer(Answer),
    End,
}

impl Trials {
    /// Begins a trial of a host of a manifest. `agreed` is the digest of a question to which the person has agreed. If
    /// the person still has to agree, nothing is started, and the question is returned. `send` returns false when the
    /// page does not receive the news any more.
    pub(crate) async fn begin(
        &self,
        desk: &Desk,
        text: &str,
        host: &str,
        agreed: Option<&str>,
        send: impl FnMut(TrialNews) -> bool + Send + 'static,
    ) -> Result<HostTest, String> {
        let plan = load("", text).plan;
        let plan = plan.ok_or("the manifest has errors: correct them first")?;
        let mut hosts = plan.hosts.iter();
        let found = hosts.find(|planned| planned.name.as_str() == host);
        let planned = found.ok_or_else(|| format!("the manifest has no host {host}"))?;
        if let Some(consent) = self.ask(desk, &plan, planned, agreed) {
            return Ok(HostTest::Asks { consent });
        }
        environment_is_known().await;
        // Without a socket, the command also runs, but it cannot ask the person.
        let door = control::open_for_trial().ok();
        let (orders, inbox) = unbounded_channel();
        let id = {
            let mut state = self.lock();
            if state.running.len() >= RUNNING_MAX {
                return Err(format!("{RUNNING_MAX} hosts are being tested already"));
            }
            state.last += 1;
            let id = state.last;
            state.running.insert(id, orders);
            self.count.send_replace(state.running.len());
            id
        };
        let trial = Trial::start(&plan, planned.vip, door);
        let trial = trial.map_err(|error| {
            self.forget(id);
            format!("{host} cannot be tested: {}", describe(&error))
        })?;
        let trials = self.clone();
        tokio::spawn(async move {
            follow(trial, inbox, send).await;
            trials.forget(id);
        });
        Ok(HostTest::Begun { id })
    }

    /// Answers a question of the command that is tried, or refuses to answer.
    pub(crate) fn answer(&self, id: u64, prompt: u64, text: Option<Secret>) -> Result<(), String> {
        self.order(
            id,
            Order::Answer(Answer {
                prompt,
                text,
                remember: false,
            }),
        )
    }

    /// Begins to end a trial. Its last news comes when it has ended.
    pub(crate) fn end(&self, id: u64) -> Result<(), String> {
        self.order(id, Order::End)
    }

    /// Ends all trials, because the page that has requested them is gone.
    pub(crate) fn end_all(&self) {
        for orders in self.lock().running.values() {
            let _ = orders.send(Order::End);
        }
    }

    /// Ends all trials, and waits until their commands have ended, but at most for [`WIND_DOWN_MAX`].
    pub(crate) async fn wind_down(&self) {
        self.end_all();
        let mut count = self.count.subscribe();
        let over = count.wait_for(|count| *count == 0);
        let _ = tokio::time::timeout(WIND_DOWN_MAX, over).await;
    }

    /// Removes a trial that is over.
    fn forget(&self, id: u64) {
        let mut state = self.lock();
        state.running.remove(&id);
        self.count.send_replace(state.running.len());
    }

    fn order(&self, id: u64, order: Order) -> Result<(), String> {
        let state = self.lock();
        let orders = state.running.get(&id).ok_or("this test is over")?;
        orders
            .send(order)
            .map_err(|_| "this test is over".to_owned())
    }

    /// The question that the person has to answer before the trial; `None` if everything is approved already.
    fn ask(
        &self,
        desk: &Desk,
        plan: &Plan,
        host: &HostPlan,
        agreed: Option<&str>,
    ) -> Option<TestConsent> {
        let needed = trial_grants(plan, host);
        if needed.is_empty() {
            return None;
        }
        let digest = digest(&needed);
        let previous = {
            let state = desk.lock();
            let path = state
                .opened
                .as_ref()
                .map(|it| it.path.display().to_string());
            let agreements = state.agreements.get();
            let path = path.as_deref().unwrap_or_default();
            if agreements.cover_grants(path, &needed) {
                return None;
            }
            agreements.command(path, host.name.as_str())
        };
        let mut state = self.lock();
        if agreed == Some(digest.as_str()) && state.asked.contains(&digest) {
            while state.agreed.len() >= DIGESTS_MAX {
                state.agreed.pop_first();
            }
            state.agreed.insert(digest.clone());
        }
        if state.agreed.contains(&digest) {
            return None;
        }
        while state.asked.len() >= DIGESTS_MAX {
            state.asked.pop_first();
        }
        state.asked.insert(digest.clone());
        let others = needed
            .iter()
            .filter(|it| !matches!(it, Grant::Command { .. }));
        let doubts = doubts::doubts(plan).into_iter();
        Some(TestConsent {
            digest,
            command: host.start.words().map(|_| {
                let (name, vip) = (host.name.to_string(), host.vip.to_string());
                beside(name, vip, &host.start.shown(), previous)
            }),
            grants: others.map(ToString::to_string).collect(),
            doubts: doubts
                .filter(|doubt| doubt.host == host.name)
                .map(|doubt| doubt.text)
                .collect(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The SHA-256 of the grants of a trial.
fn digest(grants: &BTreeSet<Grant>) -> String {
    // The grants contain only texts, which JSON can always express.
    hash(&serde_json::to_vec(grants).unwrap_or_default())
}

/// Sends all news of a trial to the page, and passes the orders of the page on to the trial.
async fn follow(
    mut trial: Trial,
    mut orders: UnboundedReceiver<Order>,
    mut send: impl FnMut(TrialNews) -> bool,
) {
    loop {
        tokio::select! {
            news = trial.next() => {
                let Some(news) = news else { return };
                if !send(news) {
                    trial.end();
                }
            }
            Some(order) = orders.recv() => match order {
                Order::Answer(answer) => trial.answer(answer),
                Order::End => trial.end(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use norouter::view::{TrialOutcome, TrialStep};

    use super::*;
    use crate::testing::{Folder, desk};

    /// The maximum duration of a trial in these tests, even on a busy machine.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn manifest(script: &str) -> String {
        let command = serde_json::to_string(&["sh", "-c", script]).unwrap();
        format!("hosts: {{here: {{}}, web: {{cmd: {command}}}}}\n")
    }

    /// Begins a trial of the host `web`, and returns all of its news.
    async fn tried(
        trials: &Trials,
        desk: &Desk,
        text: &str,
        agreed: Option<&str>,
    ) -> Vec<TrialNews> {
        let (sender, mut news) = unbounded_channel();
        let send = move |news| sender.send(news).is_ok();
        let begun = trials.begin(desk, text, "web", agreed, send).await.unwrap();
        assert!(matches!(begun, HostTest::Begun { .. }), "{begun:?}");
        let mut all = Vec::new();
        while let Some(one) = tokio::time::timeout(PATIENCE, news.recv()).await.unwrap() {
            all.push(one);
        }
        all
    }

    async fn asked(trials: &Trials, desk: &Desk, text: &str, agreed: Option<&str>) -> TestConsent {
        match trials
            .begin(desk, text, "web", agreed, |_| true)
            .await
            .unwrap()
        {
            HostTest::Asks { consent } => consent,
            begun @ HostTest::Begun { .. } => panic!("{begun:?}"),
        }
    }

    #[tokio::test]
    async fn a_command_runs_only_after_the_person_has_agreed_to_it() {
        let folder = Folder::new("trial-consent");
        let (desk, trials) = (desk(&folder), Trials::default());
        let ran = folder.path("ran");
        let text = manifest(&format!("echo x >> {}; exit 3", ran.display()));
        let consent = asked(&trials, &desk, &text, None).await;
        assert_eq!(consent.command.as_ref().unwrap().command[0], "sh");
        let other = manifest(&format!("echo y >> {}; exit 3", ran.display()));
        let again = asked(&trials, &desk, &other, Some(&consent.digest)).await;
        assert_ne!(again.digest, consent.digest, "another command");
        // An agreement to a question that was never asked does not count.
        let fresh = Trials::default();
        asked(&fresh, &desk, &text, Some(&consent.digest)).await;
        assert!(!Path::new(&ran).exists());
        let news = tried(&trials, &desk, &text, Some(&consent.digest)).await;
        let Some(TrialNews::Over {
            outcome, trouble, ..
        }) = news.last()
        else {
            panic!("{news:?}");
        };
        assert_eq!(*outcome, TrialOutcome::Failed);
        assert!(trouble.is_some());
        assert_eq!(std::fs::read_to_string(&ran).unwrap(), "x\n", "it ran once");
        tried(&trials, &desk, &text, None).await;
        assert_eq!(std::fs::read_to_string(&ran).unwrap(), "x\nx\n");
        assert!(trials.lock().running.is_empty());
    }

    #[tokio::test]
    async fn what_was_agreed_to_with_the_manifest_needs_no_question() {
        let folder = Folder::new("trial-agreed");
        let (desk, trials) = (desk(&folder), Trials::default());
        let text = manifest("exit 3");
        let file = folder.file("n.yaml", &text);
        desk.open(&file).await.unwrap();
        asked(&trials, &desk, &text, None).await;
        let plan = load("", &text).plan.unwrap();
        let path = file.display().to_string();
        desk.edit(|state| state.agreements.change(|all| all.agree(&path, &plan)))
            .unwrap();
        tried(&trials, &desk, &text, None).await;
    }

    #[tokio::test]
    async fn a_trial_is_ended_when_the_person_says_so_or_the_page_is_gone() {
        let folder = Folder::new("trial-ended");
        let (desk, trials) = (desk(&folder), Trials::default());
        let pid = folder.path("pid");
        let text = manifest(&format!(
            "echo $$ > {}; echo here >&2; exec sleep 600",
            pid.display()
        ));
        let digest = asked(&trials, &desk, &text, None).await.digest;
        for ends_all in [false, true] {
            let (sender, mut news) = unbounded_channel();
            let send = move |news| sender.send(news).is_ok();
            let begun = trials.begin(&desk, &text, "web", Some(&digest), send).await;
            let HostTest::Begun { id } = begun.unwrap() else {
                panic!("it was agreed to")
            };
            let mut last = None;
            while let Some(one) = tokio::time::timeout(PATIENCE, news.recv()).await.unwrap() {
                if matches!(one, TrialNews::Said { .. }) {
                    if ends_all {
                        trials.end_all();
                    } else {
                        trials.end(id).unwrap();
                    }
                }
                last = Some(one);
            }
            let Some(TrialNews::Over { outcome, .. }) = last else {
                panic!("{last:?}")
            };
            assert_eq!(outcome, TrialOutcome::Ended);
            let pid = std::fs::read_to_string(&pid).unwrap();
            assert!(!Path::new("/proc").join(pid.trim()).exists());
        }
    }

    #[tokio::test]
    async fn trials_run_at_the_same_time_up_to_a_limit_and_end_one_by_one() {
        let folder = Folder::new("trials");
        let (desk, trials) = (desk(&folder), Trials::default());
        let mut running = Vec::new();
        for number in 0..RUNNING_MAX {
            let text = manifest(&format!("echo trial {number} >&2; exec sleep 600"));
            let digest = asked(&trials, &desk, &text, None).await.digest;
            let (sender, news) = unbounded_channel();
            let send = move |news| sender.send(news).is_ok();
            let begun = trials.begin(&desk, &text, "web", Some(&digest), send).await;
            let HostTest::Begun { id } = begun.unwrap() else {
                panic!("it was agreed to")
            };
            running.push((id, news));
        }
        let text = manifest("exit 0");
        let digest = asked(&trials, &desk, &text, None).await.digest;
        let one_more = trials.begin(&desk, &text, "web", Some(&digest), |_| true);
        let refused = one_more.await.unwrap_err();
        assert!(refused.contains("are being tested already"), "{refused}");
        for (number, (id, mut news)) in running.into_iter().enumerate() {
            let (mut said, mut last) = (String::new(), None);
            while let Some(one) = tokio::time::timeout(PATIENCE, news.recv()).await.unwrap() {
                if let TrialNews::Said { line, .. } = &one {
                    said.push_str(line);
                    trials.end(id).unwrap();
                }
                last = Some(one);
            }
            assert_eq!(said, format!("trial {number}"));
            let Some(TrialNews::Over { outcome, .. }) = last else {
                panic!("{last:?}")
            };
            assert_eq!(outcome, TrialOutcome::Ended);
        }
        tried(&trials, &desk, &text, Some(&digest)).await;
    }

    #[tokio::test]
    async fn the_end_of_the_app_waits_for_the_ends_of_trials() {
        let folder = Folder::new("trial-wind-down");
        let (desk, trials) = (desk(&folder), Trials::default());
        trials.wind_down().await;
        let pid = folder.path("pid");
        let text = manifest(&format!(
            "echo $$ > {}; echo here >&2; exec sleep 600",
            pid.display()
        ));
        let digest = asked(&trials, &desk, &text, None).await.digest;
        let (sender, mut news) = unbounded_channel();
        let send = move |news| sender.send(news).is_ok();
        let begun = trials.begin(&desk, &text, "web", Some(&digest), send).await;
        assert!(matches!(begun, Ok(HostTest::Begun { .. })), "{begun:?}");
        // The command has written its number before it says something.
        loop {
            let one = tokio::time::timeout(PATIENCE, news.recv()).await.unwrap();
            if matches!(one.unwrap(), TrialNews::Said { .. }) {
                break;
            }
        }
        let pid = std::fs::read_to_string(&pid).unwrap();
        let process = Path::new("/proc").join(pid.trim());
        assert!(process.exists());
        trials.wind_down().await;
        assert!(trials.lock().running.is_empty());
        assert!(!process.exists());
    }

    #[tokio::test]
    async fn this_machine_needs_no_command_and_a_host_that_is_not_there_is_refused() {
        let folder = Folder::new("trial-here");
        let (desk, trials) = (desk(&folder), Trials::default());
        let (sender, mut news) = unbounded_channel();
        let send = move |news| sender.send(news).is_ok();
        let begun = trials
            .begin(&desk, "hosts: {here: {}}", "here", None, send)
            .await;
        assert!(matches!(begun, Ok(HostTest::Begun { .. })), "{begun:?}");
        let mut steps = Vec::new();
        while let Some(one) = tokio::time::timeout(PATIENCE, news.recv()).await.unwrap() {
            if let TrialNews::Step { step, .. } = one {
                steps.push(step);
            }
        }
        assert_eq!(steps.last(), Some(&TrialStep::Features));
        for (text, host) in [("hosts: {a: {}}", "b"), ("hosts: {", "a")] {
            let refused = trials.begin(&desk, text, host, None, |_| true).await;
            assert!(refused.is_err(), "{text}");
        }
    }
}
