//! The shown network. The app runs its manager, or attaches to one that is already running. In both cases the app uses
//! the control socket, so that the rest of the app need not distinguish the two cases, and other programs can reach the
//! network, too.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use norouter::{
    driver::{
        Handle, Manager,
        control::{self, Client, Identity, OpenError, client},
        manager::{
            NetworkName,
            origin::{Cause, Origin},
        },
        system::watch::Watch,
    },
    manager::{Hold, ReloadOutcome},
    plan::Plan,
    view::LogView,
};

use crate::{
    consent::digest,
    desk::{Desk, State},
    shown::Session,
    truth::{LINES_MAX, Truth},
    view::Phase,
    words::failure,
};

/// The longest time for which the app, when it quits, waits for the end of its network. Agents that have not ended by
/// then end because their manager is gone.
const END_MAX: Duration = Duration::from_secs(10);

impl Desk {
    /// Starts the network of the open manifest, or asks for consent first. Does nothing if the network is already
    /// running.
    pub(crate) async fn start(&self) -> Result<(), String> {
        let _turn = self.0.turn.lock().await;
        if let Some(session) = &self.lock().session {
            return match session.phase {
                Phase::Starting | Phase::Running => Ok(()),
                Phase::Ending => Err("the network is ending; wait a moment".to_owned()),
            };
        }
        let path = self.manifest()?;
        let shown = path.display().to_string();
        let watch = Watch::start(&path);
        let loaded = Self::load(&path)?;
        let Some(plan) = loaded.plan.clone() else {
            self.fail(failure::not_runnable(&shown), loaded.report(false));
            return Err("the manifest has errors".to_owned());
        };
        self.edit(|state| state.failure = None);
        if !self.lock().agreements.get().cover(&shown, &plan) {
            self.ask(&shown, &plan);
            return Ok(());
        }
        self.host(&path, plan, watch).await
    }

    /// Runs a plan inside the app, or attaches to its network if that already runs. The caller must hold `turn`, and
    /// must have started the watch before the plan was read, so that no change is missed.
    pub(crate) async fn host(
        &self,
        path: &Path,
        plan: Plan,
        watch: io::Result<Watch>,
    ) -> Result<(), String> {
        if self.lock().session.is_some() {
            return Ok(());
        }
        let door = match control::open(&Identity::of_manifest(path), &plan.view()).await {
            Ok(door) => door,
            Err(OpenError::Runs { name }) => return self.show(Client::new(name)).await,
            Err(error) => {
                let message = error.to_string();
                self.fail(failure::START, &message);
                return Err(message);
            }
        };
        let client = Client::new(door.name().clone());
        crate::login_shell::environment_is_known().await;
        let (mut manager, events) = Manager::start(&plan, Some(door))
            .map_err(|error| format!("the manager cannot be started: {error}"))?;
        // The app follows its own network through the control socket, like any other network. So it does not need these
        // events.
        drop(events);
        let origin = Origin::new(path, Hold::NewGrants, Some(watch), &mut manager);
        let handle = manager.handle().clone();
        // Agreed grants that are not in force any more are forgotten, so that the person is asked again if they come
        // back.
        self.edit(|state| state.remember(path, &plan));
        let id = self.begin(client, Some(path.to_owned()), Some((handle.clone(), plan)));
        let upkeep = tokio::spawn(keep_up(self.clone(), id, origin, handle)).abort_handle();
        let desk = self.clone();
        let waiting = std::thread::Builder::new().name("network".to_owned());
        let waiting = waiting.spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| manager.join()));
            upkeep.abort();
            if outcome.is_err() {
                let report =
                    "This is a mistake in the program. Please report it with the diagnostics.";
                desk.fail(failure::ENDED, report);
            }
            desk.ended(id);
        });
        waiting.map(drop).map_err(|error| error.to_string())
    }

    /// Shows another running network, of this app or of another program.
    pub(crate) async fn attach(&self, name: &str) -> Result<(), String> {
        let outcome = self.attach_to(name).await;
        self.look_around().await;
        outcome
    }

    async fn attach_to(&self, name: &str) -> Result<(), String> {
        let name: NetworkName = name.parse().map_err(|error| format!("{error}"))?;
        let _turn = self.0.turn.lock().await;
        let client = Client::new(name);
        let network = client.network().await.map_err(|error| error.to_string())?;
        if let Some(manifest) = network.manifest.as_deref() {
            let manifest = Path::new(manifest);
            // The network is shown even if its file cannot be opened.
            if self.lay_down(manifest).await.is_ok() && self.lock().shows(client.name()) {
                return Ok(());
            }
        }
        self.edit(State::set_aside);
        self.show(client).await
    }

    /// Attaches to the network of this manifest, if one is running.
    pub(crate) async fn attach_to_manifest(&self, manifest: &str) -> bool {
        for client in Client::running().await {
            let theirs = client
                .network()
                .await
                .ok()
                .and_then(|network| network.manifest);
            if theirs.as_deref() == Some(manifest) {
                return self.show(client).await.is_ok();
            }
        }
        false
    }

    async fn show(&self, client: Client) -> Result<(), String> {
        let network = client.network().await.map_err(|error| error.to_string())?;
        self.begin(client, network.manifest.map(PathBuf::from), None);
        Ok(())
    }

    /// Stops showing a network that another program runs.
    pub(crate) fn detach(&self) -> Result<(), String> {
        self.edit(|state| match &state.session {
            None => Err("no network is shown".to_owned()),
            Some(session) if session.is_hosted() => {
                Err("the app runs this network itself; it can be stopped".to_owned())
            }
            Some(_) => {
                state.session = None;
                Ok(())
            }
        })
    }

    /// Stops the shown network, no matter which program runs it.
    pub(crate) async fn stop(&self) -> Result<(), String> {
        let client = self.edit(|state| {
            let session = state.session.as_mut();
            let session = session.ok_or_else(|| "no network runs".to_owned())?;
            session.phase = Phase::Ending;
            Ok::<_, String>(session.client.clone())
        })?;
        let ended = client.post("/v1/down").await;
        ended.map_err(|error| error.to_string())
    }

    /// Stops the shown network, and waits for its end.
    pub(crate) async fn stop_and_wait(&self) -> Result<(), String> {
        let mut wakes = self.wakes();
        let id = self.session_id();
        if id == 0 {
            return Ok(());
        }
        self.stop().await?;
        let over = async { while self.session_id() == id && wakes.changed().await.is_ok() {} };
        let over = tokio::time::timeout(END_MAX, over).await;
        over.map_err(|_| format!("the network has not ended within {} s", END_MAX.as_secs()))
    }

    /// How many networks the app runs.
    pub(crate) fn hosted(&self) -> usize {
        let state = self.lock();
        let shown = state.session.iter().filter(|session| session.is_hosted());
        shown.count() + state.aside.len()
    }

    /// Stops all networks that the app runs, and waits for their end, at most for [`END_MAX`].
    pub(crate) async fn wind_down(&self) {
        let mut wakes = self.wakes();
        let running = self.lock().session.as_ref().is_some_and(Session::is_hosted);
        let remembered = self.edit(|state| state.recent.change(|recent| recent.running = running));
        if let Err(error) = remembered {
            tracing::warn!("{error}");
        }
        let aside = self
            .lock()
            .aside
            .iter()
            .map(|it| it.client.clone())
            .collect::<Vec<_>>();
        // An error may mean that the network has already ended.
        for client in aside {
            let _ = client.post("/v1/down").await;
        }
        if running {
            let _ = self.stop().await;
        }
        let over = async { while self.hosted() > 0 && wakes.changed().await.is_ok() {} };
        if tokio::time::timeout(END_MAX, over).await.is_err() {
            tracing::warn!("a network has not ended within {} s", END_MAX.as_secs());
        }
    }

    /// A client for the manager of the shown network.
    pub(crate) fn client(&self) -> Result<Client, String> {
        let state = self.lock();
        let session = state.session.as_ref().ok_or("no network runs")?;
        Ok(session.client.clone())
    }

    /// The plan of the shown network, if the app runs it.
    pub(crate) fn hosted_plan(&self) -> Option<Plan> {
        self.lock().session.as_ref()?.plan.clone()
    }

    /// The plan in force, as far as the app knows it: that of its own network, otherwise that of the open file.
    pub(crate) fn plan_now(&self) -> Option<Plan> {
        let plan = self
            .lock()
            .session
            .as_ref()
            .and_then(|session| session.plan.clone());
        plan.or_else(|| Self::load(&self.manifest().ok()?).ok()?.plan)
    }

    /// Applies the waiting change of the manifest, but only if its digest shows that it is the change the person has
    /// seen.
    pub(crate) async fn take_up(&self, digest_shown: &str) -> Result<(), String> {
        let (id, client, path, number, plan) = {
            let state = self.lock();
            let gone = || "this change does not wait any more; look again".to_owned();
            let session = state.session.as_ref().ok_or_else(gone)?;
            let (number, plan) = session.waits.clone().ok_or_else(gone)?;
            let path = session.manifest().ok_or_else(gone)?.to_owned();
            (session.id, session.client.clone(), path, number, plan)
        };
        if digest(&plan) != digest_shown {
            self.edit(|state| state.ask_for_change(&path, &plan));
            return Err(
                "the manifest has changed meanwhile; look at what it grants again".to_owned(),
            );
        }
        let approved = client.post(&format!("/v1/approve?number={number}")).await;
        approved.map_err(|error| error.to_string())?;
        self.edit(|state| {
            state.remember(&path, &plan);
            if let Some(session) = state.session_mut(id) {
                session.waits.take_if(|(waits, _)| *waits == number);
                session.plan = Some(plan);
            }
        });
        Ok(())
    }

    /// Finds the other networks of this user that are running.
    pub(crate) async fn look_around(&self) {
        let shown = self
            .lock()
            .session
            .as_ref()
            .map(|session| session.name().clone());
        let running = Client::running().await;
        let others = running
            .iter()
            .map(Client::name)
            .filter(|name| Some(*name) != shown.as_ref());
        let others: Vec<String> = others.map(ToString::to_string).collect();
        if self.lock().running != others {
            self.edit(|state| state.running = others);
        }
    }

    /// Requests the present traffic, because the stream reports it only from time to time.
    pub(crate) async fn refresh(&self) {
        let Some((id, client)) = self
            .lock()
            .session
            .as_ref()
            .map(|it| (it.id, it.client.clone()))
        else {
            return;
        };
        let Ok(network) = client.network().await else {
            return;
        };
        self.change(|state, change| {
            if let Some(session) = state.session_mut(id) {
                session.truth.refresh(&network, change);
            }
        });
    }

    /// Shows a network whose state is not known yet, and begins to read the events of its manager.
    pub(crate) fn begin(
        &self,
        client: Client,
        manifest: Option<PathBuf>,
        hosted: Option<(Handle, Plan)>,
    ) -> u64 {
        let (handle, plan) = hosted.unzip();
        let ends_with_stream = handle.is_none();
        self.edit(|state| {
            state.sessions += 1;
            let id = state.sessions;
            let reading = follow(self.clone(), id, client.clone(), ends_with_stream);
            state.consent = None;
            state.session = Some(Session {
                id,
                client,
                hosted: handle,
                manifest,
                plan,
                waits: None,
                phase: Phase::Starting,
                truth: Truth::default(),
                reader: tokio::spawn(reading).abort_handle(),
            });
            id
        })
    }

    fn ended(&self, id: u64) {
        self.edit(|state| {
            if state
                .session
                .as_ref()
                .is_some_and(|session| session.id == id)
            {
                state.session = None;
                state.consent.take_if(|asked| asked.running);
            }
            state.aside.retain(|session| session.id != id);
        });
    }
}

/// Reads the events of a manager until the stream ends.
async fn follow(desk: Desk, id: u64, client: Client, ends_with_stream: bool) {
    let outcome = async {
        let log: LogView = client.get(&format!("/v1/logs?limit={LINES_MAX}")).await?;
        let mut events = client.events(Some(log.last)).await?;
        desk.with_session(id, |session, _| session.truth.remember(log.lines));
        while let Some(item) = events.next().await? {
            desk.hear(id, item);
        }
        Ok::<_, client::Error>(())
    };
    if let Err(error) = outcome.await {
        desk.fail(failure::UNSEEN, error.to_string());
    }
    if ends_with_stream {
        desk.ended(id);
    }
}

impl Desk {
    /// Takes an item of the manager's stream. The first item shows that the network is running.
    pub(crate) fn hear(&self, id: u64, item: client::StreamItem) {
        let heard = self.with_session(id, |session, change| {
            let waited = session.held();
            session.truth.hear(item, change);
            let decided = waited.is_some() && session.held().is_none();
            let waits = session
                .waits
                .take_if(|(number, _)| decided && Some(*number) == waited);
            let has_decided = waits.is_some();
            if let Some((_, plan)) = waits {
                // The manager does not hold this change any more, so it was approved, perhaps through another program.
                // If it was withdrawn instead, because the manifest has changed again, `taken` handles that.
                session.plan = Some(plan);
            }
            let begins = session.phase == Phase::Starting && session.truth.network().is_some();
            (begins, has_decided)
        });
        let (begins, has_decided) = heard.unwrap_or_default();
        if has_decided && self.session_id() == id {
            self.edit(|state| state.consent.take_if(|asked| asked.running));
        }
        if begins {
            self.edit(|state| {
                if let Some(session) = state.session_mut(id) {
                    session.phase = Phase::Running;
                }
            });
        }
    }

    pub(crate) fn with_session<T>(
        &self,
        id: u64,
        edit: impl FnOnce(&mut Session, u64) -> T,
    ) -> Option<T> {
        self.change(|state, change| Some(edit(state.session_mut(id)?, change)))
    }
}

/// Reloads the manifest whenever it changes. A change that grants nothing new is applied; for any other change, the
/// person is asked. Problems of the manifest are shown.
async fn keep_up(desk: Desk, id: u64, mut origin: Origin, handle: Handle) {
    loop {
        let cause = origin.next().await;
        let is_wanted = !matches!(cause, Cause::Changed(_));
        let Some(taken) = origin.take_up(&handle, cause).await else {
            continue;
        };
        match taken.plan {
            Some((plan, outcome)) => desk.edit(|state| state.taken(id, &plan, &outcome, is_wanted)),
            None => desk.fail(failure::RELOAD, taken.report),
        }
    }
}

impl State {
    /// Notes that the manifest of a session was reloaded, and that its manager has applied or holds the change. If the
    /// person has dismissed the question, it is asked again only on an explicit request, and not when the file is
    /// merely written again.
    fn taken(&mut self, id: u64, plan: &Plan, outcome: &ReloadOutcome, is_wanted: bool) {
        let is_shown = self
            .session
            .as_ref()
            .is_some_and(|session| session.id == id);
        if is_shown {
            self.failure = None;
        }
        let Some(session) = self.session_mut(id) else {
            return;
        };
        let path = session.manifest.clone().unwrap_or_default();
        if let Some(number) = outcome.held {
            let before = session.waits.replace((number, plan.clone()));
            // The question of a network that is set aside is asked when the network is shown again.
            if is_shown && (is_wanted || before.is_none_or(|(before, _)| before != number)) {
                self.ask_for_change(&path, plan);
            }
            return;
        }
        session.waits = None;
        session.plan = Some(plan.clone());
        if is_shown {
            self.consent.take_if(|asked| asked.running);
        }
        self.remember(&path, plan);
    }

    /// The network with this number, shown or set aside.
    fn session_mut(&mut self, id: u64) -> Option<&mut Session> {
        let sessions = self.session.iter_mut().chain(&mut self.aside);
        sessions.into_iter().find(|session| session.id == id)
    }

    /// Whether a network with this name is shown.
    fn shows(&self, name: &NetworkName) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.name() == name)
    }

    /// Whether the app runs the network of this manifest.
    pub(crate) fn runs(&self, manifest: &Path) -> bool {
        let mut sessions = self.session.iter().chain(&self.aside);
        sessions.any(|session| session.is_hosted() && session.manifest() == Some(manifest))
    }

    /// Shows no network. One that the app runs goes on.
    pub(crate) fn set_aside(&mut self) {
        let shown = self.session.take().filter(Session::is_hosted);
        self.aside.extend(shown);
        self.consent = None;
    }

    /// Shows the network of this manifest if the app runs it, and otherwise none.
    pub(crate) fn bring_up(&mut self, manifest: &Path) {
        self.set_aside();
        let mut aside = self.aside.iter();
        let Some(place) = aside.position(|session| session.manifest() == Some(manifest)) else {
            return;
        };
        let session = self.aside.remove(place);
        let waits = session.waits.clone();
        self.session = Some(session);
        if let Some((_, plan)) = waits {
            self.ask_for_change(manifest, &plan);
        }
    }

    /// Asks whether a change of a running network's manifest may be applied.
    fn ask_for_change(&mut self, path: &Path, plan: &Plan) {
        let path = path.display().to_string();
        self.consent = Some(self.agreements.get().question(&path, plan, true));
    }

    /// Stores the grants of a plan that is in force. If they cannot be stored, the person is asked again the next time.
    fn remember(&mut self, path: &Path, plan: &Plan) {
        let path = path.display().to_string();
        if let Err(error) = self.agreements.change(|all| all.agree(&path, plan)) {
            tracing::warn!("{error}");
        }
    }
}
