//! The shown network. The app runs its manager, or attaches to one that is already running. In both cases the app uses
//! the control socket. The rest of the app therefore need not distinguish the two cases, and other programs can reach
//! the network, too.

use std::{
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    consent::digest,
    desk::{Desk, State},
    follow::{follow_ours, follow_theirs, keep_up},
    logbook::{self, NetworkLog},
    shown::Session,
    truth::Truth,
    view::{Phase, Place},
    words::failure,
};
use norouter::{
    driver::{
        Handle, Manager,
        control::{self, Client, Identity, OpenError},
        manager::{Intent, NetworkName, origin::Origin},
        system::watch::Watch,
    },
    manager::Hold,
    plan::Plan,
};

/// How long the app waits for the end of its networks when it quits. Agents that have not ended by then end because
/// their manager is gone.
const END_MAX: Duration = Duration::from_secs(10);

/// A network that was to be started.
enum Launched {
    /// The app runs it now.
    Ours(Running),
    /// Another program runs it already.
    Theirs(Client),
}

/// The manager of a network that the app has started.
struct Running {
    client: Client,
    manager: Manager,
    origin: Origin,
}

impl Desk {
    /// Starts the network of the open manifest, or asks for consent first. Does nothing if the network already runs.
    pub(crate) async fn start(&self) -> Result<(), String> {
        let _turn = self.0.turn.lock().await;
        self.start_opened().await
    }

    /// Does the same as [`Desk::start`]. The caller must hold `turn`.
    pub(crate) async fn start_opened(&self) -> Result<(), String> {
        if let Some(session) = &self.lock().session {
            return match session.phase {
                Phase::Starting | Phase::Running => Ok(()),
                Phase::Ending => Err("the network is stopping; wait a moment".to_owned()),
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
        self.edit(State::forget_failure);
        if !self.lock().agreements.get().cover(&shown, &plan) {
            self.ask(&shown, &plan);
            return Ok(());
        }
        self.host(&path, plan, watch).await
    }

    /// Runs a plan inside the app and shows it. If its network already runs elsewhere, attaches to it instead. The
    /// caller must hold `turn`, and must have started the watch before it read the plan, so that no change is missed.
    pub(crate) async fn host(
        &self,
        path: &Path,
        plan: Plan,
        watch: io::Result<Watch>,
    ) -> Result<(), String> {
        if self.lock().session.is_some() {
            return Ok(());
        }
        match self.launch(path, &plan, watch).await {
            Ok(Launched::Ours(running)) => self.keep(path, plan, running, State::show),
            Ok(Launched::Theirs(client)) => self.show(client).await,
            Err(error) => {
                self.fail(failure::START, &error);
                Err(error)
            }
        }
    }

    /// Starts the manager of a network, unless another program runs the network already.
    async fn launch(
        &self,
        path: &Path,
        plan: &Plan,
        watch: io::Result<Watch>,
    ) -> Result<Launched, String> {
        let door = match control::open(&Identity::of_manifest(path), &plan.view()).await {
            Ok(door) => door,
            Err(OpenError::Runs { name }) => return Ok(Launched::Theirs(Client::new(name))),
            Err(error) => return Err(error.to_string()),
        };
        let client = Client::new(door.name().clone());
        crate::login_shell::environment_is_known().await;
        if self.lock().leaving {
            return Err("NoRouter is quitting".to_owned());
        }
        let (mut manager, events) = Manager::start(plan, Some(door))
            .map_err(|error| format!("the manager cannot be started: {error}"))?;
        // The app follows its own network through the control socket, like any other network. Therefore it does not
        // need these events.
        drop(events);
        let origin = Origin::new(path, Hold::NewGrants, Some(watch), &mut manager);
        Ok(Launched::Ours(Running {
            client,
            manager,
            origin,
        }))
    }

    /// Keeps a network that was started, until it ends.
    fn keep(
        &self,
        path: &Path,
        plan: Plan,
        running: Running,
        place: impl FnOnce(&mut State, Session),
    ) -> Result<(), String> {
        let Running {
            client,
            manager,
            origin,
        } = running;
        let handle = manager.handle().clone();
        let id = self.edit(|state| {
            // If a grant that was agreed to is not in force any more, it is forgotten. If it comes back, the person is
            // asked again.
            state.remember(path, &plan);
            state.note_running(path, true);
            let hosted = Some((handle.clone(), plan));
            let session = self.new_session(state, client, Some(path.to_owned()), hosted);
            let id = session.id;
            place(state, session);
            id
        });
        let upkeep = tokio::spawn(keep_up(self.clone(), id, origin, handle)).abort_handle();
        let (desk, kept_up) = (self.clone(), upkeep.clone());
        let waiting = std::thread::Builder::new().name("network".to_owned());
        let waiting = waiting.spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| manager.join()));
            kept_up.abort();
            if outcome.is_err() {
                let report =
                    "This is a mistake in the program. Please report it with the diagnostics.";
                desk.fail_about(id, failure::ENDED, report);
            }
            desk.ended(id);
        });
        waiting.map(drop).map_err(|error| {
            // The manager was dropped, and the network ends with it.
            upkeep.abort();
            self.ended(id);
            error.to_string()
        })
    }

    /// Opens a manifest, or the one that was open last if none is given. Then starts the networks that ran when the app
    /// was quit or crashed, if they grant only what the person has agreed to.
    pub(crate) async fn resume(&self, given: Option<PathBuf>) {
        let (last, ran) = self.last_open();
        let mut failed = Vec::new();
        if let Some(path) = given.or(last)
            && let Err(error) = self.resume_shown(&path, &ran).await
        {
            self.fail_to_open(&path, error);
        }
        for path in &ran {
            let is_open = self.manifest().is_ok_and(|open| open == *path);
            if !is_open && let Err(error) = self.resume_aside(path).await {
                failed.push((path, error));
            }
        }
        if let [(path, error)] = &failed[..] {
            self.fail_to_start(path, error);
        } else if !failed.is_empty() {
            let lines = failed.iter();
            let lines = lines.map(|(path, error)| format!("{}: {error}", path.display()));
            let report = lines.collect::<Vec<_>>().join("\n");
            self.fail(failure::not_started_several(failed.len()), report);
        }
        // A network that could not be started is reported only once.
        self.edit(State::forget_not_running);
        self.look_around().await;
    }

    /// Opens a manifest, and starts its network if that ran before and needs no consent.
    async fn resume_shown(&self, path: &Path, ran: &[PathBuf]) -> Result<(), String> {
        let _turn = self.0.turn.lock().await;
        self.lay_down(path).await?;
        let is_approved = self.lock().consent.is_none();
        if is_approved && ran.contains(&self.manifest()?) {
            // A failure was already shown, with its report, where it arose.
            let _ = self.start_opened().await;
        }
        Ok(())
    }

    /// Starts a network that ran before, and does not show it.
    async fn resume_aside(&self, path: &Path) -> Result<(), String> {
        let _turn = self.0.turn.lock().await;
        if self.lock().runs(path) {
            return Ok(());
        }
        let watch = Watch::start(path);
        let loaded = Self::load(path)?;
        let plan = loaded.plan.ok_or("it has errors")?;
        let shown = path.display().to_string();
        if !self.lock().agreements.get().cover(&shown, &plan) {
            return Err("it has changed, and needs your approval".to_owned());
        }
        match self.launch(path, &plan, watch).await? {
            Launched::Ours(running) => self.keep(path, plan, running, |state, session| {
                state.aside.push(session);
            }),
            // The network is listed among the other networks that run.
            Launched::Theirs(_) => Ok(()),
        }
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
        if self.bring_back(|session| *session.name() == name).await {
            return Ok(());
        }
        let client = Client::new(name);
        let network = client.network().await.map_err(|error| error.to_string())?;
        let is_open = match &network.manifest {
            Some(manifest) => self.lay_down(Path::new(manifest)).await.is_ok(),
            None => false,
        };
        if self.lock().shows(client.name()) {
            return Ok(());
        }
        self.edit(|state| {
            state.set_aside();
            if !is_open {
                // The file that is open belongs to another network.
                state.opened = None;
            }
        });
        self.show(client).await
    }

    /// Shows the network for which `is_meant` is true, if it was set aside, even if its manifest cannot be opened.
    /// Returns false if there is no such network. The caller must hold `turn`.
    async fn bring_back(&self, is_meant: impl Fn(&Session) -> bool) -> bool {
        let found = {
            let state = self.lock();
            let mut aside = state.aside.iter();
            let found = aside.find(|session| is_meant(session));
            found.map(|session| (session.id, session.manifest.clone()))
        };
        let Some((id, manifest)) = found else {
            return false;
        };
        if let Some(manifest) = manifest
            && self.lay_down(&manifest).await.is_ok()
            && self.session_id() == id
        {
            return true;
        }
        self.edit(|state| {
            state.bring_up(|session| session.id == id);
            state.opened = None;
            state.is_shown(id)
        })
    }

    /// Lets the page show a place in a network of the app. If the network was set aside, it is shown again. Does
    /// nothing if the network has ended.
    pub(crate) async fn go_to(&self, id: u64, place: Place) {
        let turn = self.0.turn.lock().await;
        if self.session_id() != id {
            self.bring_back(|session| session.id == id).await;
        }
        drop(turn);
        if self.session_id() == id {
            self.go(place);
        }
        self.look_around().await;
    }

    /// Attaches to the network of this manifest, if one is running.
    pub(crate) async fn attach_to_manifest(&self, manifest: &str) -> bool {
        for (client, network) in Client::around().await {
            let theirs = network.ok().and_then(|network| network.manifest);
            if theirs.as_deref() == Some(manifest) {
                return self.show(client).await.is_ok();
            }
        }
        false
    }

    async fn show(&self, client: Client) -> Result<(), String> {
        let network = client.network().await.map_err(|error| error.to_string())?;
        self.begin(client, network.manifest.map(PathBuf::from));
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
        self.stop_shown().await.map(drop)
    }

    /// Does the same as [`Desk::stop`]. Returns the number of the network.
    async fn stop_shown(&self) -> Result<u64, String> {
        let (id, client, hosted) = self.edit(|state| {
            let session = state.session.as_mut();
            let session = session.ok_or_else(|| "no network runs".to_owned())?;
            session.phase = Phase::Ending;
            Ok::<_, String>((session.id, session.client.clone(), session.hosted.clone()))
        })?;
        let error = match (client.post("/v1/down").await, hosted) {
            (Ok(()), _) => return Ok(id),
            // The control socket was removed, or does not answer. The app can reach its own manager without it.
            (Err(_), Some(manager)) => {
                manager.tell(Intent::Down);
                return Ok(id);
            }
            (Err(error), _) => error,
        };
        let still_runs = self.edit(|state| {
            let session = state.session_mut(id);
            // The network keeps running, and can be stopped again.
            session.map(Session::keep_running).is_some()
        });
        if still_runs {
            Err(error.to_string())
        } else {
            Ok(id)
        }
    }

    /// Stops the shown network, and waits for its end.
    pub(crate) async fn stop_and_wait(&self) -> Result<(), String> {
        let mut wakes = self.wakes();
        if self.session_id() == 0 {
            return Ok(());
        }
        let id = self.stop_shown().await?;
        let runs = || self.lock().sessions().any(|session| session.id == id);
        let over = async { while runs() && wakes.changed().await.is_ok() {} };
        let over = tokio::time::timeout(END_MAX, over).await;
        over.map_err(|_| format!("the network has not ended within {} s", END_MAX.as_secs()))
    }

    /// How many networks the app runs.
    pub(crate) fn hosted(&self) -> usize {
        let state = self.lock();
        let hosted = state.sessions().filter(|session| session.is_hosted());
        hosted.count()
    }

    /// How many hosts the networks have that the app runs.
    pub(crate) fn hosted_hosts(&self) -> usize {
        let state = self.lock();
        let hosted = state.sessions().filter(|session| session.is_hosted());
        let plans = hosted.filter_map(|session| session.plan.as_ref());
        plans.map(|plan| plan.hosts.len()).sum()
    }

    /// Clients for the managers of the networks that the app runs.
    pub(crate) fn hosted_clients(&self) -> Vec<Client> {
        let state = self.lock();
        let hosted = state.sessions().filter(|session| session.is_hosted());
        hosted.map(|session| session.client.clone()).collect()
    }

    /// Stops all networks that the app runs, and waits for their end, at most for [`END_MAX`]. From now on nothing is
    /// started, but the app remembers which networks ran.
    pub(crate) async fn wind_down(&self) {
        self.edit(|state| state.leaving = true);
        let over = async {
            // If a network is being started, this waits until it can be stopped.
            let _turn = self.0.turn.lock().await;
            let mut wakes = self.wakes();
            for manager in self.edit(State::end_hosted) {
                manager.tell(Intent::Down);
            }
            while self.hosted() > 0 && wakes.changed().await.is_ok() {}
        };
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

    /// The plan in force, if the app knows it: for its own network, the plan of that network, and otherwise the plan of
    /// the open file.
    pub(crate) fn plan_now(&self) -> Option<Plan> {
        let plan = self
            .lock()
            .session
            .as_ref()
            .and_then(|session| session.plan.clone());
        plan.or_else(|| Self::load(&self.manifest().ok()?).ok()?.plan)
    }

    /// Applies the waiting change of the manifest, but only if its digest shows that it is the change that the person
    /// has seen.
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
            if let Some(session) = state.session_mut(id) {
                session.waits.take_if(|(waits, _)| *waits == number);
            }
            state.in_force(id, &plan);
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

    /// Requests the present traffic, because the stream of events reports it only from time to time.
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

    /// Shows a network of another program, and begins to read its events. Its state is not known yet.
    pub(crate) fn begin(&self, client: Client, manifest: Option<PathBuf>) -> u64 {
        self.edit(|state| {
            let session = self.new_session(state, client, manifest, None);
            let id = session.id;
            state.show(session);
            id
        })
    }

    /// A network whose state is not known yet. From now on, its events are read.
    fn new_session(
        &self,
        state: &mut State,
        client: Client,
        manifest: Option<PathBuf>,
        hosted: Option<(Handle, Plan)>,
    ) -> Session {
        state.begun += 1;
        let id = state.begun;
        let (hosted, plan) = hosted.unzip();
        let log = hosted.is_some();
        let log = log.then(|| logbook::place_of(&self.folders().data, client.name()));
        let (desk, reading) = (self.clone(), client.clone());
        let reader = match log.clone() {
            Some(log) => tokio::spawn(follow_ours(desk, id, reading, NetworkLog::begin(log))),
            None => tokio::spawn(follow_theirs(desk, id, reading)),
        };
        Session {
            id,
            client,
            hosted,
            manifest,
            plan,
            waits: None,
            phase: Phase::Starting,
            truth: Truth::default(),
            jumps: BTreeMap::new(),
            log,
            reader: reader.abort_handle(),
        }
    }
}

impl State {
    /// The network that is shown, and those that are set aside.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.session.iter().chain(&self.aside)
    }

    /// The network with this number, shown or set aside.
    pub(crate) fn session_mut(&mut self, id: u64) -> Option<&mut Session> {
        let mut sessions = self.session.iter_mut().chain(&mut self.aside);
        sessions.find(|session| session.id == id)
    }

    /// Whether the network with this number is shown.
    pub(crate) fn is_shown(&self, id: u64) -> bool {
        self.session.as_ref().is_some_and(|it| it.id == id)
    }

    /// Whether a network with this name is shown.
    fn shows(&self, name: &NetworkName) -> bool {
        self.session.as_ref().is_some_and(|it| it.name() == name)
    }

    /// Whether the app runs the network of this manifest.
    pub(crate) fn runs(&self, manifest: &Path) -> bool {
        let mut hosted = self.sessions().filter(|session| session.is_hosted());
        hosted.any(|session| session.manifest() == Some(manifest))
    }

    /// Shows this network instead of the present one.
    fn show(&mut self, session: Session) {
        self.set_aside();
        self.session = Some(session);
    }

    /// Shows no network. If the app runs the network that was shown, it keeps running.
    pub(crate) fn set_aside(&mut self) {
        let shown = self.session.take().filter(Session::is_hosted);
        self.aside.extend(shown);
        self.consent = None;
    }

    /// Shows the network for which `is_meant` is true, if the app runs it. Otherwise shows no network.
    pub(crate) fn bring_up(&mut self, is_meant: impl Fn(&Session) -> bool) {
        self.set_aside();
        let Some(place) = self.aside.iter().position(is_meant) else {
            return;
        };
        let session = self.aside.remove(place);
        let waits = session.waits.clone();
        let manifest = session.manifest.clone().unwrap_or_default();
        self.session = Some(session);
        if let Some((_, plan)) = waits {
            self.ask_for_change(&manifest, &plan);
        }
    }

    /// Notes that the app ends its networks. Returns the handles of their managers.
    fn end_hosted(&mut self) -> Vec<Handle> {
        let sessions = self.session.iter_mut().chain(&mut self.aside);
        let ended = sessions.filter_map(|session| {
            let manager = session.hosted.clone()?;
            session.phase = Phase::Ending;
            Some(manager)
        });
        ended.collect()
    }

    /// Asks whether a change of a running network's manifest may be applied.
    pub(crate) fn ask_for_change(&mut self, path: &Path, plan: &Plan) {
        let path = path.display().to_string();
        self.consent = Some(self.agreements.get().question(&path, plan, true));
    }

    /// Stores the grants of a plan that is in force. If they cannot be stored, the person is asked again the next time.
    pub(crate) fn remember(&mut self, path: &Path, plan: &Plan) {
        let path = path.display().to_string();
        if let Err(error) = self.agreements.change(|all| all.agree(&path, plan)) {
            tracing::warn!("{error}");
        }
    }

    /// Stores whether the app runs the network of this manifest, for the next start of the app.
    pub(crate) fn note_running(&mut self, manifest: &Path, runs: bool) {
        let manifest = manifest.display().to_string();
        let noted = self
            .recent
            .change(|recent| recent.set_hosted(&manifest, runs));
        if let Err(error) = noted {
            tracing::warn!("{error}");
        }
    }

    /// Forgets the networks that ran before and do not run now.
    fn forget_not_running(&mut self) {
        if self.leaving {
            return;
        }
        let hosted = self.sessions().filter(|session| session.is_hosted());
        let paths = hosted.filter_map(|session| Some(session.manifest()?.display().to_string()));
        let paths: Vec<String> = paths.collect();
        let noted = self
            .recent
            .change(|recent| recent.hosted.retain(|path| paths.contains(path)));
        if let Err(error) = noted {
            tracing::warn!("{error}");
        }
    }
}
