//! The icon in the tray, where there is a tray. The app is complete without one.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
pub(crate) mod icon;
pub(crate) mod lines;
#[cfg(target_os = "linux")]
mod linux;
mod presence;

use std::{sync::Arc, time::Duration};

use tauri::{
    AppHandle, Manager as _,
    image::Image,
    menu::{Menu, MenuBuilder, MenuItemBuilder},
    tray::{TrayIcon, TrayIconBuilder},
};

use self::{
    icon::ID,
    lines::{Act, Line, Shape},
};
use crate::{desk::Desk, dialogs, notices, surface::Surface, urls, window, words};

/// The shortest time between two updates of the menu.
const PACE: Duration = Duration::from_secs(1);

/// Puts the icon into the tray and keeps it up to date. Does nothing if the machine has no tray.
pub(crate) fn begin(app: &AppHandle) {
    if !presence::is_possible() {
        tracing::warn!("there is no tray: libayatana-appindicator3 is not installed");
        return;
    }
    match build(app) {
        Ok(icon) => {
            tauri::async_runtime::spawn(keep_true(app.clone(), icon));
        }
        Err(error) => tracing::warn!("there is no tray: {error}"),
    }
}

fn build(app: &AppHandle) -> tauri::Result<TrayIcon> {
    let desk = app.state::<Desk>();
    let lines = lines::lines(&desk.app(), None);
    TrayIconBuilder::with_id(ID)
        .icon(picture(Shape::Off)?)
        .icon_as_template(cfg!(target_os = "macos"))
        .tooltip(words::APP)
        .menu(&menu(app, &lines)?)
        .show_menu_on_left_click(true)
        .on_menu_event(|app, event| {
            if let Some(act) = Act::of(event.id().as_ref()) {
                let app = app.clone();
                tauri::async_runtime::spawn(async move { perform(&app, act).await });
            }
        })
        .build(app)
}

fn menu(app: &AppHandle, lines: &[Line]) -> tauri::Result<Menu<tauri::Wry>> {
    let mut menu = MenuBuilder::new(app);
    for (line, number) in lines.iter().zip(0..) {
        menu = match line {
            Line::Gap => menu.separator(),
            Line::Text(text, act) => {
                let id = act.as_ref().map_or_else(|| format!("{number}"), Act::id);
                // A single `&` would underline the next letter.
                let item = MenuItemBuilder::with_id(id, text.replace('&', "&&"));
                menu.item(&item.enabled(act.is_some()).build(app)?)
            }
        };
    }
    menu.build()
}

async fn keep_true(app: AppHandle, icon: TrayIcon) {
    let desk = app.state::<Desk>().inner().clone();
    let mut wakes = desk.wakes();
    let mut drawn = (Shape::Off, Vec::new());
    loop {
        wakes.mark_unchanged();
        let (state, network) = (desk.app(), desk.network());
        let now = (
            lines::shape(&state, network.as_ref()),
            lines::lines(&state, network.as_ref()),
        );
        if now != drawn
            && let Err(error) = draw(&app, &icon, &drawn, &now)
        {
            tracing::warn!("the tray cannot be drawn: {error}");
        }
        drawn = now;
        tokio::time::sleep(PACE).await;
        if wakes.changed().await.is_err() {
            return;
        }
    }
}

type Drawn = (Shape, Vec<Line>);

fn draw(app: &AppHandle, icon: &TrayIcon, before: &Drawn, now: &Drawn) -> tauri::Result<()> {
    if before.0 != now.0 {
        icon.set_icon_with_as_template(Some(picture(now.0)?), cfg!(target_os = "macos"))?;
    }
    if before.1 != now.1 {
        icon.set_menu(Some(menu(app, &now.1)?))?;
        if let Some(Line::Text(head, _)) = now.1.first() {
            icon.set_tooltip(Some(words::menu::tooltip(head)))?;
        }
    }
    Ok(())
}

/// The image for a shape. macOS colours a template itself. Elsewhere the image is light with a dark edge, so that it is
/// visible on light and dark panels.
fn picture(shape: Shape) -> tauri::Result<Image<'static>> {
    macro_rules! icon {
        ($name:literal) => {
            if cfg!(target_os = "macos") {
                &include_bytes!(concat!("../../../icons/tray/", $name, "-template.png"))[..]
            } else {
                &include_bytes!(concat!("../../../icons/tray/", $name, ".png"))[..]
            }
        };
    }
    Image::from_bytes(match shape {
        Shape::Off => icon!("off"),
        Shape::Connecting => icon!("connecting"),
        Shape::On => icon!("on"),
        Shape::Attention => icon!("attention"),
    })
}

async fn perform(app: &AppHandle, act: Act) {
    let desk = app.state::<Desk>().inner().clone();
    let surface = app.state::<Arc<dyn Surface>>().inner().clone();
    let outcome = match act {
        Act::Start => {
            let started = desk.start().await;
            if desk.app().consent.is_some() {
                window::show(app);
            }
            started
        }
        Act::Stop => dialogs::stop(&desk, &*surface).await,
        Act::Reload => desk.reload().await.map_err(|refused| refused.text),
        Act::Show => {
            window::show(app);
            Ok(())
        }
        Act::Quit => {
            dialogs::quit(&desk, &*surface).await;
            Ok(())
        }
        Act::Copy(text) => surface.copy(&text).map(|()| {
            // Showing the notification may take a while.
            tauri::async_runtime::spawn_blocking(move || notices::show_copied(&text));
        }),
        Act::Browse(url) => match urls::address_of_the_network(&desk, &url) {
            Ok(url) => surface.browse(&url),
            Err(error) => Err(error),
        },
    };
    if let Err(error) = outcome {
        desk.fail(words::failure::ACT, error);
        window::show(app);
    }
}
