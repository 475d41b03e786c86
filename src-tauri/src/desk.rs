//! The state of the app: the open manifest, the shown network, and the settings. One lock protects it. The lock is
//! never held across an `await`. When the state changes, all tasks that show a part of it are woken.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use norouter::{
    driver::{
        control::Client,
        demo,
        manager::origin,
        system::{describe, files, watch::Watch},
    },
    plan::{Loaded, Plan},
    view::{HostView, NetworkView, Snapshot},
};
use tokio::{sync::watch, task::AbortHandle};

use crate::{
    consent::{Agreements, digest},
    history::History,
    manifest,
    recent::Recent,
    shown::Session,
    store::Store,
    truth,
    view::{
        App, ChangedBy, Consent, Dragged, Failure, ManifestChange, ManifestText, News, Place,
        Platform, Settings,
    },
    words::failure,
};

/// A reason of at most this many characters is shown in the title of a failure.
const REASON_MAX: usize = 200;

/// The folders in which the app keeps its files.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// The folder for the person's settings.
    pub(crate) config: PathBuf,
    /// The folder for data that the app remembers.
    pub(crate) data: PathBuf,
}

/// The state of the app. Clones share the same state.
#[derive(Clone)]
pub(crate) struct Desk(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    state: Mutex<State>,
    /// Tells all receivers the number of the last change.
    wake: watch::Sender<u64>,
    visible: watch::Sender<bool>,
    /// Whether the window has the keyboard focus.
    focused: AtomicBool,
    /// Held while a manifest is opened, or a network is started or attached to, so that these operations do not
    /// overlap.
    pub(crate) turn: tokio::sync::Mutex<()>,
    folders: Folders,
}

pub(crate) struct State {
    /// The number of changes so far. `app_at` is the number of the last change that changed the app's own state.
    /// `disk_at` is the number of the last change that was a change of the file on the disk.
    change: u64,
    app_at: u64,
    disk_at: u64,
    pub(crate) tray: bool,
    pub(crate) opened: Option<Opened>,
    pub(crate) session: Option<Session>,
    /// The networks that the app runs but does not show now.
    pub(crate) aside: Vec<Session>,
    /// How many networks were shown or started so far.
    pub(crate) begun: u64,
    /// Whether the app is being quit.
    pub(crate) leaving: bool,
    pub(crate) consent: Option<Consent>,
    pub(crate) dragged: Option<Dragged>,
    pub(crate) failure: Option<Failure>,
    /// The place that the page has to show next.
    go: Option<Place>,
    pub(crate) running: Vec<String>,
    pub(crate) settings: Store<Settings>,
    pub(crate) recent: Store<Recent>,
    pub(crate) agreements: Store<Agreements>,
    /// The history of the manifest that is open.
    history: Option<History>,
    /// The text that is being saved, and the view that saves it. The change of the file may be noticed before the save
    /// is over.
    saving: Option<(String, ChangedBy)>,
}

/// The manifest that is open.
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    /// The file's content when it was last read; `None` while it cannot be read.
    seen: Option<ManifestText>,
    /// The task that watches the file.
    watch: AbortHandle,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// A network about whose hosts the person is notified.
pub(crate) struct Watched {
    /// The number of the network.
    pub(crate) id: u64,
    /// The name of the network.
    pub(crate) name: String,
    /// Whether the network is shown in the window.
    pub(crate) is_shown: bool,
    /// The state of the network, as far as it is known.
    pub(crate) snapshot: Snapshot,
}

/// How much of the state one page has already received.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    session: u64,
    truth: truth::Cursor,
    app: u64,
    disk: u64,
}

impl Desk {
    /// Loads the state of this user. If a file of the state cannot be parsed, that is shown as a failure.
    pub(crate) fn new(folders: Folders) -> Self {
        let (settings, one) = Store::open(folders.config.join("settings.json"));
        let (recent, two) = Store::open(folders.data.join("recent.json"));
        let (agreements, three) = Store::open(folders.data.join("agreements.json"));
        let told: Vec<String> = [one, two, three].into_iter().flatten().collect();
        let failure = (!told.is_empty()).then(|| Failure {
            title: failure::FILES.to_owned(),
            report: told.join("\n"),
            manifest: None,
        });
        let state = State {
            change: 1,
            app_at: 1,
            disk_at: 0,
            tray: false,
            opened: None,
            session: None,
            aside: Vec::new(),
            begun: 0,
            leaving: false,
            consent: None,
            dragged: None,
            failure,
            go: None,
            running: Vec::new(),
            settings,
            recent,
            agreements,
            history: None,
            saving: None,
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            wake: watch::Sender::new(1),
            visible: watch::Sender::new(false),
            focused: AtomicBool::new(false),
            turn: tokio::sync::Mutex::default(),
            folders,
        }))
    }

    /// The folders in which the app keeps its files.
    pub(crate) fn folders(&self) -> &Folders {
        &self.0.folders
    }

    /// A receiver that is notified of every change.
    pub(crate) fn wakes(&self) -> watch::Receiver<u64> {
        self.0.wake.subscribe()
    }

    /// A receiver that tells whether the page is visible, and when that changes.
    pub(crate) fn visible(&self) -> watch::Receiver<bool> {
        self.0.visible.subscribe()
    }

    /// Sets whether the page is visible.
    pub(crate) fn set_visible(&self, visible: bool) {
        self.0.visible.send_if_modified(|seen| {
            let before = std::mem::replace(seen, visible);
            before != visible
        });
    }

    /// Whether the window has the keyboard focus.
    pub(crate) fn is_focused(&self) -> bool {
        self.0.focused.load(Ordering::Relaxed)
    }

    /// Sets whether the window has the keyboard focus.
    pub(crate) fn set_focused(&self, focused: bool) {
        self.0.focused.store(focused, Ordering::Relaxed);
    }

    /// Has the page show a place as soon as it can.
    pub(crate) fn go(&self, place: Place) {
        self.change(|state, _| state.go = Some(place));
    }

    /// Sets whether the tray has an icon of the app.
    pub(crate) fn set_tray(&self, tray: bool) {
        if self.lock().tray != tray {
            self.edit(|state| state.tray = tray);
        }
    }

    /// Sets which files are dragged over the window.
    pub(crate) fn set_dragged(&self, dragged: Option<Dragged>) {
        if self.lock().dragged != dragged {
            self.edit(|state| state.dragged = dragged);
        }
    }

    /// The manifest that was open last, and the manifests whose networks ran when the app was quit or crashed. Empty if
    /// the app should not open them at its start.
    pub(crate) fn last_open(&self) -> (Option<PathBuf>, Vec<PathBuf>) {
        let state = self.lock();
        if !state.settings.get().open_last {
            return (None, Vec::new());
        }
        let recent = state.recent.get();
        let last = recent.last().map(PathBuf::from);
        let ran = recent.hosted.iter().map(PathBuf::from);
        (last.filter(|path| path.is_file()), ran.collect())
    }

    /// The number of the shown network, counted from 1 since the app started; 0 if none is shown.
    pub(crate) fn session_id(&self) -> u64 {
        self.lock().session.as_ref().map_or(0, Session::id)
    }

    /// The present state of the app, for the page.
    pub(crate) fn app(&self) -> App {
        self.lock().app()
    }

    /// The shown network; `None` until its manager has reported its state.
    pub(crate) fn network(&self) -> Option<NetworkView> {
        let state = self.lock();
        state.session.as_ref()?.truth.network().cloned()
    }

    /// The shown network once its state is known: its number, a client for its manager, and its hosts.
    pub(crate) fn shown_hosts(&self) -> Option<(u64, Client, Vec<HostView>)> {
        let state = self.lock();
        let session = state.session.as_ref()?;
        let hosts = session.truth.network()?.snapshot.hosts.clone();
        Some((session.id, session.client.clone(), hosts))
    }

    /// The networks about whose hosts the person is notified: the shown one, and those that the app runs beside it.
    pub(crate) fn watched(&self) -> Vec<Watched> {
        let state = self.lock();
        let watched = state.sessions().map(|session| Watched {
            id: session.id,
            name: session.name().to_string(),
            is_shown: state.is_shown(session.id),
            snapshot: session
                .truth
                .network()
                .map(|network| network.snapshot.clone())
                .unwrap_or_default(),
        });
        watched.collect()
    }

    /// The names of the networks beside the shown one in which something waits for the person.
    pub(crate) fn aside_in_need(&self) -> BTreeSet<String> {
        let state = self.lock();
        let is_in_need = |session: &&Session| {
            let network = session.truth.network();
            network.is_some_and(|network| network.snapshot.needs_attention())
        };
        let needy = state.aside.iter().filter(is_in_need);
        needy.map(|session| session.name().to_string()).collect()
    }

    /// The file with the log of the shown network, if the app runs it.
    pub(crate) fn network_log(&self) -> Option<PathBuf> {
        self.lock().session.as_ref()?.log.clone()
    }

    /// Stores the jump hosts on the way to each host of a network.
    pub(crate) fn set_jumps(&self, id: u64, jumps: BTreeMap<String, Vec<String>>) {
        let is_known = |state: &State| {
            let mut sessions = state.sessions();
            let session = sessions.find(|session| session.id == id);
            session.is_none_or(|session| session.jumps == jumps)
        };
        if is_known(&self.lock()) {
            return;
        }
        self.edit(|state| {
            if let Some(session) = state.session_mut(id) {
                session.jumps = jumps;
            }
        });
    }

    /// The person's settings.
    pub(crate) fn settings(&self) -> Settings {
        self.lock().settings.get().clone()
    }

    /// Replaces the person's settings.
    pub(crate) fn set_settings(&self, settings: Settings) -> Result<(), String> {
        self.edit(|state| state.settings.change(|mine| *mine = settings))
    }

    /// Opens a manifest that was open before. Other files are refused, because this path was not chosen by the person
    /// in a dialog just now.
    pub(crate) async fn open_again(&self, path: &str) -> Result<(), String> {
        if !self.lock().recent.get().has(path) {
            return Err(format!(
                "{path} was not open before; choose it in the dialog"
            ));
        }
        self.open(Path::new(path)).await
    }

    /// Forgets a manifest that was open before.
    pub(crate) fn forget_recent(&self, path: &str) -> Result<(), String> {
        self.edit(|state| state.recent.change(|recent| recent.forget(path)))
    }

    /// Shows that something went wrong.
    pub(crate) fn fail(&self, title: impl Into<String>, report: impl Into<String>) {
        self.show_failure(title.into(), report.into(), None);
    }

    /// Shows that something went wrong with a network. The title names the network if it is not shown.
    pub(crate) fn fail_about(&self, id: u64, title: &str, report: impl Into<String>) {
        let name = {
            let state = self.lock();
            let aside = state.aside.iter().find(|session| session.id == id);
            aside.map(|session| session.name().to_string())
        };
        let title = match name {
            Some(name) => failure::of(&name, title),
            None => title.to_owned(),
        };
        self.fail(title, report);
    }

    /// Shows that the network of a manifest could not be started.
    pub(crate) fn fail_to_start(&self, path: &Path, error: &str) {
        let shown = path.display().to_string();
        self.show_failure(failure::not_started(path), error.to_owned(), Some(shown));
    }

    /// Shows that a manifest could not be opened.
    pub(crate) fn fail_to_open(&self, path: &Path, error: String) {
        let shown = path.display().to_string();
        self.show_failure(failure::not_opened(path), error, Some(shown));
    }

    fn show_failure(&self, title: String, report: String, manifest: Option<String>) {
        // A short reason is shown in the title, so that it is not hidden in the report. The title already names the
        // file, so the reason need not name it again.
        let file = manifest.as_deref().unwrap_or_default();
        let reason = report.strip_prefix(&format!("cannot open {file}: "));
        let reason = reason.unwrap_or(&report);
        let fits =
            !reason.is_empty() && !reason.contains('\n') && reason.chars().count() <= REASON_MAX;
        let title = if fits {
            format!("{title}: {reason}")
        } else {
            title
        };
        let failure = Failure {
            title,
            report,
            manifest,
        };
        tracing::warn!("{}\n{}", failure.title, failure.report);
        self.edit(|state| state.failure = Some(failure));
    }

    /// Tries again to open the manifest that could not be opened. The person has chosen it before.
    pub(crate) async fn open_failed(&self) -> Result<(), String> {
        let failed = self.app().failure.and_then(|failure| failure.manifest);
        let failed = failed.ok_or_else(|| "no manifest has failed to open".to_owned())?;
        let outcome = self.open(Path::new(&failed)).await;
        if let Err(error) = &outcome {
            self.fail_to_open(Path::new(&failed), error.clone());
        }
        outcome
    }

    /// Opens a manifest. If the person has not consented to what it grants, the question for consent is shown. Nothing
    /// is started.
    pub(crate) async fn open(&self, path: &Path) -> Result<(), String> {
        let turn = self.0.turn.lock().await;
        let outcome = self.lay_down(path).await;
        drop(turn);
        self.look_around().await;
        outcome
    }

    /// Opens the demo and starts it: a manifest that the app writes, whose commands start the app itself.
    pub(crate) async fn open_demo(&self) -> Result<(), String> {
        let _turn = self.0.turn.lock().await;
        self.lay_down_demo().await?;
        self.start_opened().await
    }

    /// Opens the demo. The caller must hold `turn`.
    async fn lay_down_demo(&self) -> Result<(), String> {
        let path = self.folders().data.join("demo.yaml");
        if let Ok(path) = std::fs::canonicalize(&path)
            && self.lock().runs(&path)
        {
            return self.lay_down(&path).await;
        }
        let made = tokio::task::spawn_blocking(|| demo::demo(false)).await;
        let made = made.map_err(|error| error.to_string())??;
        std::fs::create_dir_all(&self.folders().data).map_err(|error| describe(&error))?;
        files::replace(&path, made.manifest.as_bytes(), files::PRIVATE)?;
        let path = std::fs::canonicalize(path).map_err(|error| describe(&error))?;
        if let Some(plan) = Self::load(&path)?.plan {
            let path = path.display().to_string();
            // No further consent is needed: the person has asked for the demo, and only this app has written its
            // commands.
            self.edit(|state| state.agreements.change(|all| all.agree(&path, &plan)))?;
        }
        self.lay_down(&path).await
    }

    /// Opens a manifest. The caller must hold `turn`.
    pub(crate) async fn lay_down(&self, path: &Path) -> Result<(), String> {
        let path = std::fs::canonicalize(path)
            .map_err(|error| format!("cannot open {}: {}", path.display(), describe(&error)))?;
        let shown = path.display().to_string();
        // The watch is started before the file is read, so that no change is missed.
        let watch = Watch::start(&path);
        let seen = manifest::read(&path)?;
        let loaded = Self::load(&path)?;
        let told = self.open_history(&path, &seen.text);
        let watch = tokio::spawn(watch_file(self.clone(), path.clone(), watch)).abort_handle();
        let noted = self.edit(|state| {
            state.bring_up(|session| session.manifest() == Some(&path));
            state.opened = Some(Opened {
                path: path.clone(),
                seen: Some(seen),
                watch,
            });
            state.disk_at = state.change;
            state.forget_failure();
            if let Some(report) = told {
                state.failure = Some(Failure {
                    title: failure::FILES.to_owned(),
                    report,
                    manifest: None,
                });
            }
            state.recent.change(|recent| recent.add(&shown))
        });
        if let Err(error) = noted {
            // The manifest is open. Only the list of recent manifests is not up to date.
            tracing::warn!("{error}");
        }
        if self.lock().session.is_some() {
            return Ok(());
        }
        // A command or a service may already run the network of this manifest.
        if self.attach_to_manifest(&shown).await {
            return Ok(());
        }
        match &loaded.plan {
            Some(plan) => self.ask(&shown, plan),
            None => self.fail(failure::not_runnable(&shown), loaded.report(false)),
        }
        Ok(())
    }

    /// Asks for consent if the person has not agreed yet.
    pub(crate) fn ask(&self, path: &str, plan: &Plan) {
        self.edit(|state| {
            let covered = state.session.is_some() || state.agreements.get().cover(path, plan);
            state.consent = (!covered).then(|| state.agreements.get().question(path, plan, false));
        });
    }

    /// Takes the answer to the question for consent. If the answer is yes, exactly the shown commands are started, or
    /// exactly the shown change is applied.
    pub(crate) async fn consent(&self, digest_shown: &str, agree: bool) -> Result<(), String> {
        let _turn = self.0.turn.lock().await;
        if !agree {
            // Only the question that was shown is removed: another question may have taken its place.
            self.edit(|state| state.consent.take_if(|asked| asked.digest == digest_shown));
            return Ok(());
        }
        let asked = self.edit(|state| state.consent.take());
        let Some(asked) = asked else {
            return Err("nothing waits for your approval".to_owned());
        };
        if asked.running {
            return self.take_up(digest_shown).await;
        }
        let path = PathBuf::from(asked.path);
        let watch = Watch::start(&path);
        let loaded = Self::load(&path)?;
        let shown = path.display().to_string();
        let Some(plan) = loaded.plan else {
            self.fail(failure::not_runnable(&shown), loaded.report(false));
            return Ok(());
        };
        if digest(&plan) != digest_shown {
            self.ask(&shown, &plan);
            return Err(
                "the manifest has changed meanwhile; look at what it grants again".to_owned(),
            );
        }
        self.edit(|state| state.agreements.change(|all| all.agree(&shown, &plan)))?;
        self.host(&path, plan, watch).await
    }

    /// The manifest that is open.
    pub(crate) fn manifest(&self) -> Result<PathBuf, String> {
        let state = self.lock();
        let opened = state.opened.as_ref().map(|opened| opened.path.clone());
        opened.ok_or_else(|| "no manifest is open".to_owned())
    }

    /// Notes the text that is about to be saved, and the view that saves it.
    pub(crate) fn saving(&self, text: &str, by: ChangedBy) {
        self.lock().saving = Some((text.to_owned(), by));
    }

    /// Notes the content that the person has saved, so that it is not reported as a change by another program.
    pub(crate) fn saved(&self, text: &ManifestText) {
        let mut state = self.lock();
        state.note_change(Path::new(&text.path), &text.text);
        state.saving = None;
        if let Some(opened) = &mut state.opened
            && opened.path.display().to_string() == text.path
        {
            opened.seen = Some(text.clone());
        }
    }

    /// Opens the history of a manifest, and adds the present content of its file. Returns a report if the file of the
    /// history cannot be parsed.
    fn open_history(&self, path: &Path, text: &str) -> Option<String> {
        let (history, told) = History::open(&self.folders().data, path);
        let mut state = self.lock();
        state.history = Some(history);
        state.note_change(path, text);
        told
    }

    /// The changes of the open manifest, the newest first.
    pub(crate) fn history(&self) -> Vec<ManifestChange> {
        let state = self.lock();
        state
            .history
            .as_ref()
            .map(History::changes)
            .unwrap_or_default()
    }

    /// The content of the open manifest after a change; `None` if it is not kept.
    pub(crate) fn history_text(&self, id: u64) -> Option<String> {
        self.lock().history.as_ref()?.text(id)
    }

    /// Reads and parses a manifest.
    pub(crate) fn load(path: &Path) -> Result<Loaded, String> {
        origin::load(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    /// Everything that has changed since the page with this cursor last received news.
    pub(crate) fn news(&self, cursor: &mut Cursor) -> Vec<News> {
        let mut state = self.lock();
        let mut news = Vec::new();
        if state.app_at > cursor.app {
            news.push(News::App {
                app: Box::new(state.app()),
            });
        }
        let session = state.session.as_ref().map_or(0, Session::id);
        if session != cursor.session {
            if cursor.session > 0 {
                news.push(News::Ended);
            }
            cursor.session = session;
            cursor.truth = truth::Cursor::default();
        }
        if let Some(session) = &state.session {
            news.extend(session.truth.since(&mut cursor.truth, state.change));
        }
        if cursor.app > 0
            && state.disk_at > cursor.disk
            && let Some(seen) = state.opened.as_ref().and_then(|opened| opened.seen.clone())
        {
            news.push(News::Manifest { manifest: seen });
        }
        cursor.app = state.change;
        cursor.disk = state.change;
        if let Some(place) = state.go.take() {
            news.push(News::Go { place });
        }
        news
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a part of the state that the page sees, and wakes all receivers.
    pub(crate) fn edit<T>(&self, edit: impl FnOnce(&mut State) -> T) -> T {
        self.change(|state, change| {
            state.app_at = change;
            edit(state)
        })
    }

    /// Changes a part of the state, and wakes all receivers.
    pub(crate) fn change<T>(&self, edit: impl FnOnce(&mut State, u64) -> T) -> T {
        let mut state = self.lock();
        state.change += 1;
        let change = state.change;
        let outcome = edit(&mut state, change);
        drop(state);
        self.0.wake.send_replace(change);
        outcome
    }
}

impl Cursor {
    /// Prepares for a page that was hidden for a while. The page gets the whole state of the app and of the network
    /// again. Of the log, it gets only the lines that it has not received yet.
    pub(crate) fn look_again(&mut self) {
        self.app = self.app.min(1);
        self.truth.change = 0;
    }
}

impl State {
    /// Notes that the present change changes the part of the state that the page sees.
    pub(crate) fn note_app_change(&mut self) {
        self.app_at = self.change;
    }

    /// Forgets the last failure, because something else was done since then. The failure about a damaged file of the
    /// app is kept, because it occurs before there is a page that could show it.
    pub(crate) fn forget_failure(&mut self) {
        self.failure.take_if(|it| it.title != failure::FILES);
    }

    /// Adds the content of the open manifest to its history. If that fails, the manifest is not affected.
    fn note_change(&mut self, path: &Path, text: &str) {
        let saving = self.saving.as_ref().filter(|(saved, _)| saved == text);
        let by = saving.map_or(ChangedBy::Other, |(_, by)| *by);
        if let Some(history) = self.history.as_mut().filter(|it| it.is_of(path))
            && let Err(error) = history.note(text, by)
        {
            tracing::warn!("the history of {} is not kept: {error}", path.display());
        }
    }

    fn app(&self) -> App {
        App {
            version: norouter::VERSION.to_owned(),
            platform: Platform::THIS,
            tray: self.tray,
            manifest: self
                .opened
                .as_ref()
                .map(|opened| opened.path.display().to_string()),
            network: self.session.as_ref().map(Session::view),
            running: self.running.clone(),
            recent: self.recent.get().view(),
            consent: self.consent.clone(),
            dragged: self.dragged.clone(),
            failure: self.failure.clone(),
            settings: self.settings.get().clone(),
        }
    }
}

/// Watches the open file, and updates the state when the file has changed.
async fn watch_file(desk: Desk, path: PathBuf, watch: io::Result<Watch>) {
    let mut watch = match watch {
        Ok(watch) => watch,
        Err(error) => {
            tracing::warn!("{} cannot be watched for changes: {error}", path.display());
            return;
        }
    };
    loop {
        watch.changed().await;
        // A missing file is ignored, because some editors remove it for a moment.
        let Ok(text) = manifest::read(&path) else {
            continue;
        };
        let plan = norouter::plan::load("", &text.text).plan;
        let shown = path.display().to_string();
        desk.change(|state, change| {
            let is_new = state
                .opened
                .as_ref()
                .is_some_and(|opened| opened.seen.as_ref() != Some(&text));
            if is_new {
                state.note_change(&path, &text.text);
            }
            let Some(opened) = state.opened.as_mut().filter(|opened| opened.path == path) else {
                return;
            };
            if opened.seen.as_ref() == Some(&text) {
                return;
            }
            opened.seen = Some(text);
            state.disk_at = change;
            // The question that is shown must be about the present content of the file, so it is asked again. If the
            // network runs, the task that reloads its manifest asks again.
            let asked = state.consent.as_ref().filter(|asked| !asked.running);
            if let (Some(_), Some(plan)) = (asked, &plan) {
                state.consent = Some(state.agreements.get().question(&shown, plan, false));
                state.app_at = change;
            }
        });
    }
}
