//! The window. When it is closed, it is only hidden. After a while it is destroyed, because a hidden web view still
//! uses memory.

use std::time::Duration;

use tauri::{
    AppHandle, DragDropEvent, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    Window, WindowEvent, utils::config::Color, webview::NewWindowResponse,
};

use crate::{
    desk::Desk,
    dialogs,
    tray::icon,
    view::{Dragged, Theme},
    words,
};

/// The name of the window in the program and in its permissions.
pub(crate) const MAIN: &str = "main";

/// The argument that starts the app without its window.
pub(crate) const HIDDEN: &str = "--hidden";

/// The smallest size of the window: half of a small screen at twice the usual scale. The tests of the page check a
/// window of this width.
const MIN_SIZE: (f64, f64) = (480.0, 400.0);

/// How long a hidden window is kept before it is destroyed.
const KEPT: Duration = Duration::from_mins(5);

/// The background colour before the page has been painted.
const BEHIND: Color = Color(0x16, 0x1a, 0x22, 0xff);

/// Shows the window in front of the others.
pub(crate) fn show(app: &AppHandle) {
    let desk = app.state::<Desk>();
    let window = app.get_webview_window(MAIN).map_or_else(|| build(app), Ok);
    let shown = window.and_then(|window| {
        window.show()?;
        window.unminimize()?;
        window.set_focus()
    });
    match shown {
        Ok(()) => desk.set_visible(true),
        Err(error) => tracing::error!("the window cannot be shown: {error}"),
    }
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || icon::is_shown(&app));
}

/// Shows the window minimised, without bringing it to the front.
pub(crate) fn show_minimized(app: &AppHandle) {
    let window = app.get_webview_window(MAIN).map_or_else(|| build(app), Ok);
    let shown = window.and_then(|window| {
        window.show()?;
        window.minimize()
    });
    match shown {
        Ok(()) => app.state::<Desk>().set_visible(true),
        Err(error) => tracing::error!("the window cannot be shown: {error}"),
    }
}

/// If there is no tray and the window is minimised, shows it in front of the others.
pub(crate) fn bring_up(app: &AppHandle) {
    let minimized = app.get_webview_window(MAIN);
    let minimized = minimized.is_some_and(|window| window.is_minimized().unwrap_or(false));
    if minimized && !app.state::<Desk>().app().tray {
        show(app);
    }
}

fn build(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
        .title(words::APP)
        .inner_size(1180.0, 780.0)
        .min_inner_size(MIN_SIZE.0, MIN_SIZE.1)
        .background_color(BEHIND)
        .visible(false)
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    // The tool kit has already found out whether the desktop is dark. Setting a theme would override that, even if the
    // theme is `None`.
    let theme = app.state::<Desk>().settings().theme;
    if theme != Theme::System {
        set_theme(app, theme);
    }
    Ok(window)
}

/// Sets whether the frames of windows are light or dark.
pub(crate) fn set_theme(app: &AppHandle, theme: Theme) {
    app.set_theme(match theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    });
}

/// Whether a URL is one of the page's own.
fn is_ours(url: &Url) -> bool {
    url.scheme() == "tauri"
        || (["http", "https"].contains(&url.scheme()) && url.host_str() == Some("tauri.localhost"))
}

/// Handles the events of the window.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "most of what can happen to a window is the system's affair"
)]
pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    let app = window.app_handle();
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            let app = app.clone();
            tauri::async_runtime::spawn(async move { close(&app).await });
        }
        WindowEvent::Destroyed => {
            app.state::<Desk>().set_focused(false);
            app.state::<Desk>().set_visible(false);
            // A trial that waits for an answer would wait for ever without its page.
            app.state::<crate::trials::Trials>().end_all();
        }
        WindowEvent::Focused(focused) => app.state::<Desk>().set_focused(*focused),
        WindowEvent::DragDrop(drag) => on_drag(app, drag),
        _ => {}
    }
}

/// Handles files that are dragged over the window. The page then says what would happen if they were dropped.
fn on_drag(app: &AppHandle, drag: &DragDropEvent) {
    let desk = app.state::<Desk>();
    match drag {
        DragDropEvent::Enter { paths, .. } => desk.set_dragged(Dragged::of(paths)),
        DragDropEvent::Drop { paths, .. } => {
            desk.set_dragged(None);
            if let [path] = &paths[..] {
                open(app, path.clone());
            }
        }
        DragDropEvent::Leave => desk.set_dragged(None),
        DragDropEvent::Over { .. } | _ => {}
    }
}

/// Opens a manifest that the person has dropped on the window, or that was an argument of the app.
pub(crate) fn open(app: &AppHandle, path: std::path::PathBuf) {
    let desk = app.state::<Desk>().inner().clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = desk.open(&path).await {
            desk.fail_to_open(&path, error);
        }
    });
}

/// Closes the window. If there is a tray icon, the window is hidden. Without a tray icon, the window is minimised if
/// the app runs a network. Otherwise the app has nothing left to do, and quits.
async fn close(app: &AppHandle) {
    let desk = app.state::<Desk>().inner().clone();
    let asking = app.clone();
    let tray = tauri::async_runtime::spawn_blocking(move || icon::is_shown(&asking)).await;
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    if tray.unwrap_or(false) {
        hide(app, &window, &desk);
    } else if desk.hosted() > 0 {
        if let Err(error) = window.minimize() {
            tracing::warn!("the window cannot be minimised: {error}");
        }
    } else {
        let surface = app.state::<std::sync::Arc<dyn crate::surface::Surface>>();
        dialogs::quit(&desk, &**surface).await;
    }
}

fn hide(app: &AppHandle, window: &WebviewWindow, desk: &Desk) {
    if let Err(error) = window.hide() {
        tracing::warn!("the window cannot be hidden: {error}");
        return;
    }
    desk.set_focused(false);
    desk.set_visible(false);
    let (app, mut visible) = (app.clone(), desk.visible());
    tauri::async_runtime::spawn(async move {
        let again = visible.wait_for(|visible| *visible);
        if tokio::time::timeout(KEPT, again).await.is_err()
            && let Some(window) = app.get_webview_window(MAIN)
            && let Err(error) = window.destroy()
        {
            tracing::warn!("the hidden window cannot be given up: {error}");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_goes_nowhere_else() {
        for (url, expected) in [
            ("tauri://localhost/", true),
            ("http://tauri.localhost/index.html", true),
            ("https://tauri.localhost/", true),
            ("http://tauri.localhost.example.com/", false),
            ("https://example.com/", false),
            ("data:text/html,x", false),
            ("about:blank", false),
        ] {
            assert_eq!(is_ours(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
