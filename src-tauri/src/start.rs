//! The start and the end of the app.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use norouter::driver::{agent, demo, system::signals};
use tauri::{AppHandle, Manager as _, RunEvent};
use tauri_plugin_window_state::StateFlags;

use crate::{
    bubble, commands,
    desk::{Desk, Folders},
    dialogs, feed, imports, jumps, logbook, login_shell, notices,
    surface::Surface,
    tauri_surface::TauriSurface,
    tray, trials, window,
};

/// How often the app looks for other running networks while the page is visible.
const LOOK_AROUND: Duration = Duration::from_secs(3);

/// How often the app looks for other running networks while only the tray shows them.
const LOOK_SELDOM: Duration = Duration::from_secs(20);

/// How long a hidden app waits for a tray before it shows its window. The panel with the tray may start later than the
/// app.
const TRAY_MAX: Duration = Duration::from_secs(10);

/// How often a hidden app looks whether there is a tray.
const TRAY_PACE: Duration = Duration::from_millis(500);

/// Runs the app until it is quit.
pub fn run() -> ExitCode {
    #[cfg(target_os = "linux")]
    crate::graphics::spare();
    #[cfg(target_os = "linux")]
    let silence = crate::first::watch();
    let builder = tauri::Builder::default()
        // This plug-in must be the first one, so that a second instance of the app ends before it does anything else.
        .plugin(tauri_plugin_single_instance::init(|app, words, folder| {
            window::show(app);
            if let Some(path) = manifest_among(words.iter().skip(1), Path::new(&folder)) {
                window::open(app, path);
            }
        }))
        .plugin(tauri_plugin_dialog::init())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_state_flags(StateFlags::all() & !StateFlags::VISIBLE)
                .build(),
        )
        .setup(move |app| {
            // This is the only app: otherwise this process would have ended by now.
            #[cfg(target_os = "linux")]
            drop(silence);
            begin(app.handle())?;
            Ok(())
        })
        .on_window_event(window::on_event)
        .invoke_handler(commands::handler());
    #[cfg(not(target_os = "linux"))]
    let builder = builder.plugin(
        tauri_plugin_autostart::Builder::new()
            .app_name(crate::words::APP)
            .arg(window::HIDDEN)
            .build(),
    );
    let app = builder.build(tauri::generate_context!());
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            complain(&format!("NoRouter cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    app.run(on_event);
    ExitCode::SUCCESS
}

fn begin(app: &AppHandle) -> tauri::Result<()> {
    let folders = Folders {
        config: app.path().app_config_dir()?,
        data: app.path().app_local_data_dir()?,
    };
    logbook::begin(&folders.data);
    let desk = Desk::new(folders);
    let surface: Arc<dyn Surface> = Arc::new(TauriSurface::new(app.clone()));
    app.manage(desk.clone());
    app.manage(surface);
    app.manage(feed::Feed::default());
    app.manage(imports::Found::default());
    app.manage(trials::Trials::default());

    tauri::async_runtime::spawn(async { login_shell::ask() });
    tray::begin(app);
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == window::HIDDEN) {
        tauri::async_runtime::spawn(be_seen(app.clone()));
    } else {
        window::show(app);
    }
    let here = std::env::current_dir().unwrap_or_default();
    let given = manifest_among(words.iter(), &here);
    let resumed = desk.clone();
    tauri::async_runtime::spawn(async move { resumed.resume(given).await });
    let clicked = app.clone();
    bubble::begin(move |network, place| {
        let app = clicked.clone();
        tauri::async_runtime::spawn(async move {
            app.state::<Desk>().go_to(network, place).await;
            window::show(&app);
        });
    });
    let asked = app.clone();
    tauri::async_runtime::spawn(notices::tell(desk.clone(), move |network, notice| {
        // Without a tray, the window may be minimised, so it is brought to the front when something needs the person.
        if notice.asks {
            window::bring_up(&asked);
        }
        // Showing a notification may take a while.
        tauri::async_runtime::spawn_blocking(move || notices::show(network, &notice));
    }));
    tauri::async_runtime::spawn(look_around(desk.clone()));
    tauri::async_runtime::spawn(jumps::find(desk.clone()));
    tauri::async_runtime::spawn(obey_signals(app.clone(), desk));
    Ok(())
}

/// Shows the window minimised if there is no tray from which the person could open it.
async fn be_seen(app: AppHandle) {
    let has_tray = || {
        let app = app.clone();
        tauri::async_runtime::spawn_blocking(move || tray::icon::is_shown(&app))
    };
    let start = tokio::time::Instant::now();
    while start.elapsed() < TRAY_MAX {
        if has_tray().await.unwrap_or(false) {
            return;
        }
        tokio::time::sleep(TRAY_PACE).await;
    }
    let visible = *app.state::<Desk>().visible().borrow();
    if !visible {
        window::show_minimized(&app);
    }
}

/// The first argument that is not an option, as a path.
fn manifest_among<'a>(mut words: impl Iterator<Item = &'a String>, here: &Path) -> Option<PathBuf> {
    let word = words.find(|word| !word.starts_with('-'))?;
    Some(here.join(word))
}

async fn look_around(desk: Desk) {
    let mut visible = desk.visible();
    loop {
        desk.look_around().await;
        let shown = *visible.borrow_and_update();
        let pause = if shown { LOOK_AROUND } else { LOOK_SELDOM };
        tokio::select! {
            changed = visible.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Quits the app without a question when the desktop session ends or the person presses Ctrl-C.
async fn obey_signals(app: AppHandle, desk: Desk) {
    if let Ok(asked) = signals::terminated() {
        asked.await;
        desk.wind_down().await;
        app.exit(0);
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "most of what can happen to an app is the system's affair"
)]
fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        // The last window was closed, or the desktop has asked the app to quit. Neither may stop a network without a
        // question.
        RunEvent::ExitRequested {
            api, code: None, ..
        } => {
            api.prevent_exit();
            if app.get_webview_window(window::MAIN).is_some() {
                let desk = app.state::<Desk>().inner().clone();
                let surface = app.state::<Arc<dyn Surface>>().inner().clone();
                tauri::async_runtime::spawn(async move { dialogs::quit(&desk, &*surface).await });
            }
        }
        RunEvent::Exit => {
            tauri::async_runtime::block_on(app.state::<trials::Trials>().wind_down());
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            window::show(app);
            if let Some(path) = urls.first().and_then(|url| url.to_file_path().ok()) {
                window::open(app, path);
            }
        }
        _ => {}
    }
}

/// Runs this program as a host of the demo if the arguments ask for that. The commands of the demo start this same
/// program. Returns the exit code.
pub fn demo_host(words: &[String]) -> Option<ExitCode> {
    let outcome = match words {
        [word, probe] if word == "demo-host" && probe == "--probe" => match demo::probe() {
            Ok(()) => Ok(()),
            Err(reason) => {
                use std::io::Write as _;
                // The process that has started this one reads the reason from the standard output.
                let _ = writeln!(std::io::stdout(), "{reason}");
                return Some(ExitCode::FAILURE);
            }
        },
        [word, rest @ .., agent, automated]
            if word == "demo-host" && agent == "agent" && automated == "--automated" =>
        {
            be_host(rest)
        }
        _ => return None,
    };
    Some(match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            complain(&reason);
            ExitCode::FAILURE
        }
    })
}

fn be_host(words: &[String]) -> Result<(), String> {
    host(words)?.settle()?;
    match agent::run_on_stdio(None, None).map_err(|error| error.to_string())? {
        agent::End::Closed | agent::End::Stopped | agent::End::Succeeded => Ok(()),
        end @ (agent::End::Unconfigured(_) | agent::End::Broken(_) | agent::End::Silent) => {
            Err(end.to_string())
        }
    }
}

/// Parses the arguments of a host of the demo, as the demo's manifest has them.
fn host(words: &[String]) -> Result<demo::Host, String> {
    let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    let missing = || "a host of the demo is started by the demo, not by hand".to_owned();
    let name = value("--name=").ok_or_else(missing)?;
    let page = value("--page=").ok_or_else(missing)?;
    let peers = words.iter().filter_map(|word| word.strip_prefix("--peer="));
    Ok(demo::Host {
        name: name.parse().map_err(|error| format!("{error}"))?,
        page: page.parse().map_err(|error| format!("{error}"))?,
        apart: words.iter().any(|word| word == "--apart"),
        peers: peers.map(str::parse).collect::<Result<_, _>>()?,
    })
}

#[allow(clippy::print_stderr, reason = "there is no window to say it in")]
fn complain(what: &str) {
    eprintln!("{what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_is_no_option_is_the_manifest() {
        let among = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            manifest_among(words.iter(), Path::new("/here"))
        };
        assert_eq!(among(&["--hidden"]), None);
        assert_eq!(
            among(&["--hidden", "n.yaml"]),
            Some(PathBuf::from("/here/n.yaml"))
        );
        assert_eq!(
            among(&["/there/n.yaml"]),
            Some(PathBuf::from("/there/n.yaml"))
        );
    }

    #[test]
    fn a_host_of_the_demo_understands_the_demos_own_manifest() {
        let demo = demo::demo(true).unwrap();
        let plan = norouter::plan::load("demo", &demo.manifest).plan.unwrap();
        let mut hosts = 0;
        for host_plan in &plan.hosts {
            let norouter::plan::Start::Command(words) = &host_plan.start else {
                continue;
            };
            let words = &words[2..words.len() - 2];
            let understood = host(words).unwrap();
            assert_eq!(understood.name, host_plan.name);
            assert_eq!(understood.peers.len(), 2);
            hosts += 1;
        }
        assert_eq!(hosts, 3);
        assert!(host(&[]).is_err());
        assert!(demo_host(&["n.yaml".to_owned()]).is_none());
    }
}
