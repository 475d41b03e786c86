//! Runs the trial of one host in a manager of its own, which is ended when the outcome is known.

use std::{collections::VecDeque, io, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    time::{Instant as Deadline, timeout_at},
};

use super::{control_socket::ControlSocket, handle::Manager, shared::Intent};
use crate::{
    addr::Vip,
    driver::system::{clock::seed, programs},
    manager::{self, Core, Facts},
    plan::{Plan, Start},
    view::{Answer, Event, Snapshot, TrialNews, TrialOutcome, TroubleCode},
};

/// How long a trial waits until a pod or container is ready.
const UNREADY_MAX: Duration = Duration::from_secs(20);

/// The trial of a host. Dropping it ends everything that the trial has started, but does not wait for the end.
pub struct Trial {
    manager: Option<Manager>,
    events: broadcast::Receiver<Event>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    steps: manager::Trial,
    vip: Vip,
    news: VecDeque<TrialNews>,
    /// News that has arrived but is not handled yet. It is kept if a call of [`Trial::next`] is cancelled.
    heard: Option<Heard>,
    /// The last known state of the host.
    facts: Option<Facts>,
    /// When the wait for an instance ends, if the host waits for one.
    unready_until: Option<Deadline>,
}

/// News from the manager of a trial.
#[derive(Clone)]
enum Heard {
    Event(Event),
    /// Some events were missed.
    Gap,
    /// The snapshot has changed.
    View,
}

impl Trial {
    /// Starts the command of one host of a plan, and no other command. `door` is a control socket through which the
    /// command asks people. The error says why the host cannot be tried.
    pub fn start(plan: &Plan, vip: Vip, door: Option<impl ControlSocket>) -> io::Result<Self> {
        let core = Core::trial(plan, vip, seed());
        let core = core.ok_or_else(|| io::Error::other("the plan does not have this host"))?;
        let start = plan
            .host(vip)
            .map_or(Start::InProcess, |it| it.start.clone());
        let (manager, events) = Manager::run(core, door)?;
        Ok(Self {
            snapshots: manager.handle().snapshot(),
            manager: Some(manager),
            events,
            steps: manager::Trial::new(&start, found(&start).as_deref()),
            vip,
            news: VecDeque::new(),
            heard: None,
            facts: None,
            unready_until: None,
        })
    }

    /// The next news; `None` when the trial is over and everything that was started has ended.
    pub async fn next(&mut self) -> Option<TrialNews> {
        loop {
            if let Some(news) = self.news.pop_front() {
                if matches!(news, TrialNews::Over { .. }) {
                    self.end();
                }
                return Some(news);
            }
            if let Some(heard) = self.heard.clone() {
                let facts = self.look().await;
                self.heard = None;
                if let Some(facts) = facts {
                    self.handle(&heard, &facts);
                }
                continue;
            }
            let manager = self.manager.as_mut()?;
            tokio::select! {
                biased;
                event = self.events.recv() => match event {
                    Ok(event) => self.heard = Some(Heard::Event(event)),
                    Err(RecvError::Lagged(_)) => self.heard = Some(Heard::Gap),
                    Err(RecvError::Closed) => self.close(),
                },
                Ok(()) = self.snapshots.changed() => self.heard = Some(Heard::View),
                _ = &mut manager.ended => self.close(),
                () = until(self.unready_until) => self.give_up(),
            }
        }
    }

    /// Answers a question of the command, or refuses to answer it.
    pub fn answer(&self, answer: Answer) {
        self.tell(Intent::Answer(self.vip, answer));
    }

    /// Begins to end the trial. [`Trial::next`] returns `None` when everything has ended.
    pub fn end(&self) {
        self.tell(Intent::Down);
    }

    fn tell(&self, intent: Intent) {
        if let Some(manager) = &self.manager {
            manager.handle().tell(intent);
        }
    }

    /// The present state of the host; `None` if the manager has ended. A question that the manager gets while it ends
    /// may never be answered.
    async fn look(&mut self) -> Option<Facts> {
        let vip = self.vip;
        let manager = self.manager.as_mut()?;
        let answer = manager
            .handle()
            .errands
            .give(move |shared| shared.facts(vip));
        let facts = tokio::select! {
            biased;
            facts = answer => facts.ok()??,
            _ = &mut manager.ended => {
                self.close();
                return None;
            }
        };
        self.facts = Some(facts.clone());
        Some(facts)
    }

    fn handle(&mut self, heard: &Heard, facts: &Facts) {
        let news = match heard {
            Heard::Event(event) => self.steps.handle_event(event, facts),
            Heard::Gap => self.steps.handle_gap(facts),
            Heard::View => {
                self.note_unready(facts);
                self.steps.handle_view(facts)
            }
        };
        self.news.extend(news);
    }

    fn note_unready(&mut self, facts: &Facts) {
        let mut troubles = facts.host.troubles.iter();
        if troubles.any(|trouble| trouble.code == TroubleCode::Unready) {
            let until = || Deadline::now() + UNREADY_MAX;
            self.unready_until.get_or_insert_with(until);
        } else {
            self.unready_until = None;
        }
    }

    /// Gives up waiting for an instance.
    fn give_up(&mut self) {
        self.unready_until = None;
        if let Some(facts) = &self.facts {
            self.news
                .extend(self.steps.end(facts, TrialOutcome::Failed));
        }
    }

    /// Handles the end of the manager, after which nothing runs any more.
    fn close(&mut self) {
        if let Some(facts) = &self.facts {
            self.news.extend(self.steps.end(facts, TrialOutcome::Ended));
        }
        if let Some(manager) = self.manager.take() {
            manager.join();
        }
    }
}

/// Waits until `deadline`. Without a deadline, this never completes.
async fn until(deadline: Option<Deadline>) {
    match deadline {
        Some(deadline) => {
            let _ = timeout_at(deadline, std::future::pending::<()>()).await;
        }
        None => std::future::pending().await,
    }
}

/// The path of the program of a command; `None` for a host without a command, or if the program is not found.
fn found(start: &Start) -> Option<PathBuf> {
    programs::find(start.words()?.first()?)
}
