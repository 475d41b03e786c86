//! The commands that the page can call. Each of them checks its arguments and passes them on. None accepts a path that
//! a person has not chosen, and none runs a command that the person has not approved: `test_host` asks for the approval
//! itself.

use std::{path::Path, sync::Arc};

use norouter::{
    edit,
    editor::{self, EDITS_MAX},
    import::HOSTS_MAX,
    manifest::SIZE_MAX_BYTES,
    secret::Secret,
    view::{
        EditRequest, Edited, EndedFlowsView, FieldSpec, FlowsView, HostAction, LogView, Merged,
        OpenPortsView, Outline, PlanView, TrialNews, WhyView,
    },
};
use serde_json::Value;
use tauri::{State, ipc::Channel};

use crate::{
    checks,
    desk::Desk,
    diagnostics, dialogs, effect, env_script, feed, imports, manifest,
    surface::Surface,
    trials, urls,
    view::{
        App, ChangedBy, Check, Checked, HostTest, Imports, ManifestChange, ManifestText, News,
        Refused, Settings, Then,
    },
    words::dialog,
};

/// The maximum length of a path, in bytes.
const PATH_MAX: usize = 4_096;

/// The maximum length of the name of a context of kubectl, in bytes.
const CONTEXT_MAX: usize = 1_024;

/// The maximum length of a text that is copied or saved, in bytes.
const TEXT_MAX: usize = 16 << 20;

/// The maximum length of an error message that the page sends to the log, in bytes.
const MESSAGE_MAX: usize = 4_096;

type Outcome<T = ()> = Result<T, Refused>;

/// Declares the commands in one list, so that their names, their handler and their permissions always agree.
macro_rules! commands {
    ($($name:ident),* $(,)?) => {
        /// The names of all commands, for tests that try all of them.
        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Makes the handler that runs the commands when the page calls them.
        pub(crate) fn handler<R: tauri::Runtime>() -> impl Fn(tauri::ipc::Invoke<R>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$($name),*]
        }
    };
}

commands![
    app,
    watch,
    flows,
    ended_flows,
    logs,
    plan,
    why,
    open_ports,
    open_manifest,
    open_dialog,
    open_demo,
    open_failed,
    create_example,
    consent,
    start,
    stop,
    reload,
    attach,
    detach,
    quit,
    start_host,
    stop_host,
    restart_host,
    approve,
    kill_flow,
    answer,
    forget_recent,
    set_settings,
    checks,
    imports,
    create_from,
    manifest_read,
    manifest_check,
    manifest_save,
    manifest_outline,
    manifest_edit,
    manifest_fields,
    manifest_merge,
    manifest_schema,
    manifest_history,
    manifest_history_text,
    test_host,
    test_answer,
    test_end,
    env_script,
    copy,
    open_url,
    diagnostics,
    diagnostics_save,
    export_log,
    report,
];

/// Computes something that can take long, on a thread of its own, so that other requests do not wait for it.
async fn aside<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
    let computed = tokio::task::spawn_blocking(compute).await;
    computed.map_err(|_| "the app has failed to compute this".to_owned().into())
}

fn bounded(text: &str, most: usize) -> Outcome {
    if text.len() > most {
        return Err(format!("this is longer than {most} bytes").into());
    }
    Ok(())
}

fn path(text: &str) -> Outcome<&Path> {
    bounded(text, PATH_MAX)?;
    let path = Path::new(text);
    if text.contains('\0') || !path.is_absolute() {
        return Err("this is not the path of a file".into());
    }
    Ok(path)
}

#[tauri::command]
async fn app(desk: State<'_, Desk>) -> Outcome<App> {
    Ok(desk.app())
}

#[tauri::command]
async fn watch(
    desk: State<'_, Desk>,
    feed: State<'_, feed::Feed>,
    trials: State<'_, trials::Trials>,
    channel: Channel<Vec<News>>,
) -> Outcome {
    // The caller is a new page, so the page that has requested the running trials is gone.
    trials.end_all();
    feed.begin(&desk, move |news| channel.send(news).is_ok());
    Ok(())
}

#[tauri::command]
async fn flows(desk: State<'_, Desk>, limit: usize) -> Outcome<FlowsView> {
    desk.flows(limit).await
}

#[tauri::command]
async fn ended_flows(desk: State<'_, Desk>, limit: usize) -> Outcome<EndedFlowsView> {
    desk.ended_flows(limit).await
}

#[tauri::command]
async fn logs(desk: State<'_, Desk>, host: Option<String>, limit: usize) -> Outcome<LogView> {
    desk.logs(host.as_deref(), limit).await
}

#[tauri::command]
async fn plan(desk: State<'_, Desk>) -> Outcome<PlanView> {
    desk.plan().await
}

#[tauri::command]
async fn why(desk: State<'_, Desk>, target: String, from: Option<String>) -> Outcome<WhyView> {
    desk.why(&target, from.as_deref()).await
}

#[tauri::command]
async fn open_ports(desk: State<'_, Desk>, host: String) -> Outcome<OpenPortsView> {
    desk.open_ports(&host).await
}

#[tauri::command(rename_all = "camelCase")]
async fn open_manifest(desk: State<'_, Desk>, path: String) -> Outcome {
    self::path(&path)?;
    Ok(desk.open_again(&path).await?)
}

#[tauri::command]
async fn open_dialog(desk: State<'_, Desk>, surface: State<'_, Arc<dyn Surface>>) -> Outcome {
    Ok(dialogs::open_dialog(&desk, &**surface).await?)
}

#[tauri::command]
async fn open_demo(desk: State<'_, Desk>) -> Outcome {
    Ok(desk.open_demo().await?)
}

#[tauri::command]
async fn open_failed(desk: State<'_, Desk>) -> Outcome {
    Ok(desk.open_failed().await?)
}

#[tauri::command]
async fn create_example(
    desk: State<'_, Desk>,
    surface: State<'_, Arc<dyn Surface>>,
    then: Option<Then>,
) -> Outcome<Option<String>> {
    let then = then.unwrap_or_default();
    Ok(dialogs::create(&desk, &**surface, dialogs::EXAMPLE, then).await?)
}

#[tauri::command]
async fn consent(desk: State<'_, Desk>, digest: String, agree: bool) -> Outcome {
    Ok(desk.consent(&digest, agree).await?)
}

#[tauri::command]
async fn start(desk: State<'_, Desk>) -> Outcome {
    Ok(desk.start().await?)
}

#[tauri::command]
async fn stop(desk: State<'_, Desk>) -> Outcome {
    Ok(desk.stop().await?)
}

#[tauri::command]
async fn reload(desk: State<'_, Desk>) -> Outcome {
    desk.reload().await
}

#[tauri::command]
async fn attach(desk: State<'_, Desk>, name: String) -> Outcome {
    Ok(desk.attach(&name).await?)
}

#[tauri::command]
async fn detach(desk: State<'_, Desk>) -> Outcome {
    Ok(desk.detach()?)
}

#[tauri::command]
async fn quit(desk: State<'_, Desk>, surface: State<'_, Arc<dyn Surface>>) -> Outcome {
    dialogs::quit(&desk, &**surface).await;
    Ok(())
}

#[tauri::command]
async fn start_host(desk: State<'_, Desk>, host: String) -> Outcome {
    desk.host_action(&host, HostAction::Start).await
}

#[tauri::command]
async fn stop_host(desk: State<'_, Desk>, host: String) -> Outcome {
    desk.host_action(&host, HostAction::Stop).await
}

#[tauri::command]
async fn restart_host(desk: State<'_, Desk>, host: String) -> Outcome {
    desk.host_action(&host, HostAction::Restart).await
}

#[tauri::command]
async fn approve(desk: State<'_, Desk>, host: String, number: u64) -> Outcome {
    desk.approve(&host, number).await
}

#[tauri::command]
async fn kill_flow(desk: State<'_, Desk>, id: String) -> Outcome {
    desk.kill_flow(&id).await
}

#[tauri::command]
async fn answer(
    desk: State<'_, Desk>,
    host: String,
    prompt: u64,
    text: Option<Secret>,
    remember: bool,
) -> Outcome {
    desk.answer(&host, prompt, text, remember).await
}

#[tauri::command]
async fn forget_recent(desk: State<'_, Desk>, path: String) -> Outcome {
    bounded(&path, PATH_MAX)?;
    Ok(desk.forget_recent(&path)?)
}

#[tauri::command]
async fn set_settings(
    desk: State<'_, Desk>,
    surface: State<'_, Arc<dyn Surface>>,
    settings: Settings,
) -> Outcome {
    Ok(dialogs::set_settings(&desk, &**surface, settings)?)
}

#[tauri::command]
async fn checks() -> Outcome<Vec<Check>> {
    Ok(checks::all().await)
}

#[tauri::command]
async fn imports(found: State<'_, imports::Found>, context: Option<String>) -> Outcome<Imports> {
    if let Some(context) = &context {
        bounded(context, CONTEXT_MAX)?;
    }
    Ok(found.look(context).await)
}

#[tauri::command]
async fn create_from(
    desk: State<'_, Desk>,
    surface: State<'_, Arc<dyn Surface>>,
    found: State<'_, imports::Found>,
    offers: Vec<String>,
    then: Option<Then>,
) -> Outcome<Option<String>> {
    if offers.len() > HOSTS_MAX {
        return Err(format!("choose at most {HOSTS_MAX} hosts").into());
    }
    let text = found.manifest(&offers).await?;
    let then = then.unwrap_or_default();
    Ok(dialogs::create(&desk, &**surface, &text, then).await?)
}

#[tauri::command]
async fn manifest_read(desk: State<'_, Desk>) -> Outcome<ManifestText> {
    Ok(manifest::read(&desk.manifest()?)?)
}

#[tauri::command]
async fn manifest_check(desk: State<'_, Desk>, text: String) -> Outcome<Checked> {
    bounded(&text, SIZE_MAX_BYTES)?;
    let (problems, plan) = manifest::check(&text);
    let Some(new) = plan else {
        return Ok(Checked {
            problems,
            effect: None,
        });
    };
    // If no network runs, there are no flows. If no plan is in force, the new plan is compared with itself, so that no
    // changes are shown.
    let flows = desk.flows(usize::MAX).await.unwrap_or_default().flows;
    let old = desk.plan_now().unwrap_or_else(|| new.clone());
    let effect = Some(effect::effect(&old, &new, &flows));
    Ok(Checked { problems, effect })
}

#[tauri::command]
async fn manifest_save(
    desk: State<'_, Desk>,
    text: String,
    base: String,
    by: Option<ChangedBy>,
) -> Outcome<ManifestText> {
    let path = desk.manifest()?;
    desk.saving(&text, by.unwrap_or(ChangedBy::Text));
    let saved = manifest::save(&path, &text, &base)?;
    desk.saved(&saved);
    Ok(saved)
}

#[tauri::command]
async fn manifest_outline(text: String) -> Outcome<Option<Outline>> {
    bounded(&text, SIZE_MAX_BYTES)?;
    aside(move || editor::outline(&text)).await
}

#[tauri::command]
async fn manifest_edit(text: String, edits: Vec<EditRequest>) -> Outcome<Edited> {
    bounded(&text, SIZE_MAX_BYTES)?;
    if edits.len() > EDITS_MAX {
        return Err(format!("these are more than {EDITS_MAX} edits").into());
    }
    aside(move || editor::edited(&text, edits)).await
}

#[tauri::command]
async fn manifest_fields() -> Outcome<Vec<FieldSpec>> {
    Ok(editor::fields())
}

#[tauri::command]
async fn manifest_merge(base: String, mine: String, theirs: String) -> Outcome<Merged> {
    for text in [&base, &mine, &theirs] {
        bounded(text, SIZE_MAX_BYTES)?;
    }
    aside(move || edit::merge(&base, &mine, &theirs)).await
}

#[tauri::command]
async fn manifest_history(desk: State<'_, Desk>) -> Outcome<Vec<ManifestChange>> {
    Ok(desk.history())
}

#[tauri::command]
async fn manifest_history_text(desk: State<'_, Desk>, id: u64) -> Outcome<String> {
    let text = desk.history_text(id);
    text.ok_or_else(|| "this content of the file is not kept any more".into())
}

#[tauri::command]
async fn test_host(
    desk: State<'_, Desk>,
    trials: State<'_, trials::Trials>,
    text: String,
    host: String,
    digest: Option<String>,
    channel: Channel<TrialNews>,
) -> Outcome<HostTest> {
    bounded(&text, SIZE_MAX_BYTES)?;
    let send = move |news| channel.send(news).is_ok();
    Ok(trials
        .begin(&desk, &text, &host, digest.as_deref(), send)
        .await?)
}

#[tauri::command]
async fn test_answer(
    trials: State<'_, trials::Trials>,
    id: u64,
    prompt: u64,
    text: Option<Secret>,
) -> Outcome {
    Ok(trials.answer(id, prompt, text)?)
}

#[tauri::command]
async fn test_end(trials: State<'_, trials::Trials>, id: u64) -> Outcome {
    Ok(trials.end(id)?)
}

#[tauri::command]
async fn manifest_schema() -> Outcome<Value> {
    serde_json::from_str(&norouter::manifest::json_schema::json_schema())
        .map_err(|error| error.to_string().into())
}

#[tauri::command]
async fn env_script(desk: State<'_, Desk>, shell: String, host: Option<String>) -> Outcome<String> {
    Ok(env_script::env_script(&desk, &shell, host.as_deref())?)
}

#[tauri::command]
async fn copy(surface: State<'_, Arc<dyn Surface>>, text: String) -> Outcome {
    bounded(&text, TEXT_MAX)?;
    Ok(surface.copy(&text)?)
}

#[tauri::command]
async fn open_url(
    desk: State<'_, Desk>,
    surface: State<'_, Arc<dyn Surface>>,
    url: String,
) -> Outcome {
    Ok(surface.browse(&urls::clicked_address(&desk, &url)?)?)
}

#[tauri::command]
async fn diagnostics(desk: State<'_, Desk>) -> Outcome<String> {
    Ok(diagnostics::text(&desk).await)
}

#[tauri::command]
async fn diagnostics_save(
    surface: State<'_, Arc<dyn Surface>>,
    text: String,
) -> Outcome<Option<String>> {
    bounded(&text, TEXT_MAX)?;
    Ok(dialogs::save(
        &**surface,
        dialog::SAVE_REPORT,
        "norouter-diagnostics.txt",
        &text,
    )
    .await?)
}

#[tauri::command]
async fn export_log(surface: State<'_, Arc<dyn Surface>>, text: String) -> Outcome<Option<String>> {
    bounded(&text, TEXT_MAX)?;
    Ok(dialogs::save(&**surface, dialog::SAVE_LOG, "norouter.log", &text).await?)
}

#[tauri::command]
async fn report(message: String) -> Outcome {
    bounded(&message, MESSAGE_MAX)?;
    tracing::error!("the page: {}", norouter::text::escape(&message));
    Ok(())
}
