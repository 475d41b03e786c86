//! Follows the networks while they run: by the events of their managers, and by the changes of their manifests.

use std::time::Duration;

use norouter::{
    driver::{
        Handle,
        control::{Client, client},
        manager::origin::{Cause, Origin},
    },
    manager::ReloadOutcome,
    plan::Plan,
    view::LogView,
};

use crate::{
    desk::{Desk, State},
    logbook::NetworkLog,
    shown::Session,
    truth::LINES_MAX,
    view::Phase,
    words::failure,
};

/// If the events of a network stop while it runs, the app waits this long before it reads them again.
const AGAIN: Duration = Duration::from_millis(500);

/// After this many failures in a row, the person is told.
const FAILURES_MAX: u32 = 10;

/// Reads the events of another program's manager until the network ends. If the stream stops earlier, it is read again.
pub(crate) async fn follow_theirs(desk: Desk, id: u64, client: Client) {
    loop {
        if let Err(error) = read(&desk, id, &client, None).await {
            desk.fail_about(id, failure::UNSEEN, error.to_string());
            break;
        }
        if !runs_on(&desk, id, &client).await {
            break;
        }
        tokio::time::sleep(AGAIN).await;
    }
    desk.ended(id);
}

/// Whether the network whose events were read still runs. Another run of the same manifest is another network.
async fn runs_on(desk: &Desk, id: u64, client: &Client) -> bool {
    let known = desk.with_session(id, |session, _| {
        let network = session.truth.network()?;
        Some((network.pid, network.uptime_ms))
    });
    let (Some((pid, uptime_ms)), Ok(now)) = (known.flatten(), client.network().await) else {
        return false;
    };
    now.pid == pid && now.uptime_ms >= uptime_ms
}

/// Reads the events of the app's own network, and writes its log, until the network has ended. If the stream stops
/// earlier, it is read again, because otherwise a network would run that nobody sees.
pub(crate) async fn follow_ours(desk: Desk, id: u64, client: Client, mut log: NetworkLog) {
    let mut failures = 0;
    loop {
        let before = log.last();
        let outcome = read(&desk, id, &client, Some(&mut log)).await;
        let error = outcome.err().filter(|_| log.last() == before);
        failures = if error.is_some() { failures + 1 } else { 0 };
        if let Some(error) = error.filter(|_| failures == FAILURES_MAX) {
            desk.fail_about(id, failure::UNSEEN, error.to_string());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Reads the events of a manager until the stream ends.
async fn read(
    desk: &Desk,
    id: u64,
    client: &Client,
    mut log: Option<&mut NetworkLog>,
) -> Result<(), client::Error> {
    let mut last = desk.with_session(id, |session, _| session.truth.last_line());
    if last == Some(0) {
        let begun: LogView = client.get(&format!("/v1/logs?limit={LINES_MAX}")).await?;
        last = Some(begun.last);
        if let Some(log) = &mut log {
            begun.lines.iter().for_each(|line| log.note(line));
        }
        desk.with_session(id, |session, _| session.truth.remember(begun.lines));
    }
    let mut events = client.events(last).await?;
    while let Some(item) = events.next().await? {
        if let Some(log) = &mut log {
            log.hear(&item);
        }
        desk.hear(id, item);
    }
    Ok(())
}

/// Reloads the manifest whenever it changes. A change that grants nothing new is applied. For any other change, the
/// person is asked. Problems of the manifest are shown.
pub(crate) async fn keep_up(desk: Desk, id: u64, mut origin: Origin, handle: Handle) {
    loop {
        let cause = origin.next().await;
        let is_wanted = !matches!(cause, Cause::Changed(_));
        let Some(taken) = origin.take_up(&handle, cause).await else {
            continue;
        };
        match taken.plan {
            Some((plan, outcome)) => desk.edit(|state| state.taken(id, &plan, &outcome, is_wanted)),
            None => desk.fail_about(id, failure::RELOAD, taken.report),
        }
    }
}

impl Desk {
    /// Takes an item of the manager's stream. The first item shows that the network is running.
    pub(crate) fn hear(&self, id: u64, item: client::StreamItem) {
        self.change(|state, change| {
            let Some(session) = state.session_mut(id) else {
                return;
            };
            let waited = session.held();
            session.truth.hear(item, change);
            let begins = session.phase == Phase::Starting && session.truth.network().is_some();
            if begins {
                session.phase = Phase::Running;
            }
            // If the manager does not hold a change any more, the change was approved, perhaps through another program.
            // It may also have been withdrawn because the manifest has changed again. That case is handled in `taken`.
            let is_decided = waited.is_some() && session.held().is_none();
            let decided = session
                .waits
                .take_if(|(number, _)| is_decided && Some(*number) == waited);
            if begins || decided.is_some() {
                state.note_app_change();
            }
            if let Some((_, plan)) = decided {
                state.in_force(id, &plan);
            }
        });
    }

    pub(crate) fn with_session<T>(
        &self,
        id: u64,
        edit: impl FnOnce(&mut Session, u64) -> T,
    ) -> Option<T> {
        self.change(|state, change| Some(edit(state.session_mut(id)?, change)))
    }

    /// Notes that a network has ended.
    pub(crate) fn ended(&self, id: u64) {
        self.edit(|state| {
            let ended = state.sessions().find(|session| session.id == id);
            let hosted = ended.filter(|session| session.is_hosted());
            let manifest = hosted.and_then(|session| session.manifest.clone());
            if let Some(manifest) = manifest.filter(|_| !state.leaving) {
                state.note_running(&manifest, false);
            }
            if state.is_shown(id) {
                state.session = None;
                state.consent.take_if(|asked| asked.running);
            }
            state.aside.retain(|session| session.id != id);
        });
    }
}

impl State {
    /// Notes that the manifest of a network was reloaded, and that its manager has applied or holds the change. A
    /// question that the person has dismissed is not shown again each time the file is written, but only if the person
    /// asks for it.
    fn taken(&mut self, id: u64, plan: &Plan, outcome: &ReloadOutcome, is_wanted: bool) {
        let is_shown = self.is_shown(id);
        if is_shown {
            self.failure = None;
        }
        let Some(session) = self.session_mut(id) else {
            return;
        };
        let Some(number) = outcome.held else {
            session.waits = None;
            return self.in_force(id, plan);
        };
        let path = session.manifest.clone().unwrap_or_default();
        let before = session.waits.replace((number, plan.clone()));
        // If the network is set aside, the question is asked when the network is shown again.
        if is_shown && (is_wanted || before.is_none_or(|(before, _)| before != number)) {
            self.ask_for_change(&path, plan);
        }
    }

    /// Notes that a plan is in force in a network, either because it grants nothing new or because it was approved.
    pub(crate) fn in_force(&mut self, id: u64, plan: &Plan) {
        if self.is_shown(id) {
            self.consent.take_if(|asked| asked.running);
        }
        let Some(session) = self.session_mut(id) else {
            return;
        };
        session.plan = Some(plan.clone());
        if let Some(path) = session.manifest.clone() {
            self.remember(&path, plan);
        }
    }
}
