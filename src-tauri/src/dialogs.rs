//! Actions of the page and the tray that need dialogs: choosing files, settings, stopping and quitting.

use norouter::{driver::system::files, view::FlowsView};

use crate::{
    desk::Desk,
    surface::Surface,
    view::{Settings, Then},
    words::dialog,
};

/// The example manifest that is written to a new file.
pub(crate) const EXAMPLE: &str = include_str!("../../docs/examples/norouter.yaml");

/// Opens a manifest that the person chooses.
pub(crate) async fn open_dialog(desk: &Desk, surface: &dyn Surface) -> Result<(), String> {
    match surface.ask_manifest().await {
        Some(path) => desk.open(&path).await,
        None => Ok(()),
    }
}

/// Creates a manifest at a path that the person chooses, and opens it if `then` says so. Returns the path; `None` if
/// the person has cancelled.
pub(crate) async fn create(
    desk: &Desk,
    surface: &dyn Surface,
    text: &str,
    then: Then,
) -> Result<Option<String>, String> {
    let Some(path) = surface.ask_place(dialog::PLACE, "norouter.yaml").await else {
        return Ok(None);
    };
    files::replace(&path, text.as_bytes(), files::PRIVATE)?;
    match then {
        Then::Write => {}
        Then::Open => desk.open(&path).await?,
        Then::StopAndOpen => {
            desk.stop_and_wait().await?;
            desk.open(&path).await?;
        }
    }
    Ok(Some(path.display().to_string()))
}

/// Asks whether the waiting command of a host may run, and approves exactly that command.
pub(crate) async fn approve(desk: &Desk, surface: &dyn Surface, host: &str) -> Result<(), String> {
    let hosts = desk.network().map(|network| network.snapshot.hosts);
    let mut hosts = hosts.unwrap_or_default().into_iter();
    let held = hosts.find(|it| it.name == host).and_then(|it| it.held);
    let held = held.ok_or_else(|| "this command does not wait any more".to_owned())?;
    let commands = held.lookups.iter().chain([&held.command]);
    let commands: Vec<_> = commands
        .map(|words| norouter::text::shell_line(words))
        .collect();
    let command = commands.join("\n");
    let question = dialog::approve(host);
    if !surface.ask_yes(&question, &command, dialog::APPROVE).await {
        return Ok(());
    }
    let approved = desk.approve(host, held.number).await;
    approved.map_err(|refused| refused.text)
}

/// Writes a text to a path that the person chooses, and returns the path; `None` if the person has cancelled.
pub(crate) async fn save(
    surface: &dyn Surface,
    title: &str,
    name: &str,
    text: &str,
) -> Result<Option<String>, String> {
    let Some(path) = surface.ask_place(title, name).await else {
        return Ok(None);
    };
    files::replace(&path, text.as_bytes(), files::PRIVATE)?;
    Ok(Some(path.display().to_string()))
}

/// Applies the settings that the person has chosen.
pub(crate) fn set_settings(
    desk: &Desk,
    surface: &dyn Surface,
    settings: Settings,
) -> Result<(), String> {
    let before = desk.settings();
    if settings.start_at_login != before.start_at_login {
        surface.start_at_login(settings.start_at_login)?;
    }
    if settings.theme != before.theme {
        surface.theme(settings.theme);
    }
    desk.set_settings(settings)
}

/// Stops the network. If that would cut connections, the person has to confirm it.
pub(crate) async fn stop(desk: &Desk, surface: &dyn Surface) -> Result<(), String> {
    let flows = open_flows(desk).await;
    if let Some(network) = desk.app().network.filter(|_| flows > 0) {
        let question = dialog::stop(&network.name);
        let hosts = desk.network().map_or(0, |it| it.snapshot.hosts.len());
        let told = dialog::what_ends(hosts, flows);
        if !surface.ask_yes(&question, &told, dialog::STOP).await {
            return Ok(());
        }
    }
    desk.stop().await
}

/// How many connections would be cut if the shown network were stopped.
async fn open_flows(desk: &Desk) -> usize {
    desk.flows(0).await.map_or(0, |flows| flows.total)
}

/// How many connections would be cut if all networks that the app runs were stopped.
async fn hosted_flows(desk: &Desk) -> usize {
    let mut flows = 0;
    for client in desk.hosted_clients() {
        let open = client.get::<FlowsView>("/v1/flows?limit=0").await;
        flows += open.map_or(0, |open| open.total);
    }
    flows
}

/// Quits the app. If that stops a network, the person has to confirm it.
pub(crate) async fn quit(desk: &Desk, surface: &dyn Surface) {
    let shown = desk.app().network.filter(|network| network.hosted);
    let question = match (desk.hosted(), shown) {
        (0, _) => None,
        (1, Some(network)) => Some(dialog::quit(&network.name)),
        (networks, _) => Some(dialog::quit_several(networks)),
    };
    if let Some(question) = question {
        let told = dialog::what_ends(desk.hosted_hosts(), hosted_flows(desk).await);
        if !surface.ask_yes(&question, &told, dialog::QUIT).await {
            return;
        }
    }
    desk.wind_down().await;
    surface.exit();
}
