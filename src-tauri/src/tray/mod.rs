//! The icon in the tray, if the desktop has a tray. Everything in the app can also be done without it.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
pub(crate) mod icon;
pub(crate) mod lines;
#[cfg(target_os = "linux")]
mod linux;
mod presence;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use norouter::view::HostAction;
use tauri::{
    AppHandle, Manager as _,
    image::Image,
    menu::{Menu, MenuBuilder, MenuItem, MenuItemBuilder, Submenu, SubmenuBuilder},
    tray::{TrayIcon, TrayIconBuilder},
};

use self::{
    icon::ID,
    lines::{Act, Line, Shape},
};
use crate::{
    desk::Desk,
    dialogs, notices,
    surface::Surface,
    urls,
    view::Place,
    window,
    words::{self, failure},
};

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
    let lines = lines::lines(&desk.app(), None, None, &BTreeSet::new());
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
    for line in lines {
        menu = match line {
            Line::Gap => menu.separator(),
            Line::Text(text, act) => menu.item(&item(app, text, act.as_ref())?),
            Line::Menu(text, lines) => menu.item(&submenu(app, text, lines)?),
        };
    }
    menu.build()
}

fn submenu(app: &AppHandle, text: &str, lines: &[Line]) -> tauri::Result<Submenu<tauri::Wry>> {
    let mut menu = SubmenuBuilder::new(app, plain(text));
    for line in lines {
        menu = match line {
            Line::Gap => menu.separator(),
            Line::Text(text, act) => menu.item(&item(app, text, act.as_ref())?),
            Line::Menu(text, lines) => menu.item(&submenu(app, text, lines)?),
        };
    }
    menu.build()
}

fn item(app: &AppHandle, text: &str, act: Option<&Act>) -> tauri::Result<MenuItem<tauri::Wry>> {
    // A line that cannot be clicked needs no id.
    let id = act.map(Act::id).unwrap_or_default();
    let item = MenuItemBuilder::with_id(id, plain(text));
    item.enabled(act.is_some()).build(app)
}

/// A text in which no letter is underlined. In a menu, a single `&` would underline the letter after it.
fn plain(text: &str) -> String {
    text.replace('&', "&&")
}

async fn keep_true(app: AppHandle, icon: TrayIcon) {
    let desk = app.state::<Desk>().inner().clone();
    let mut wakes = desk.wakes();
    let mut drawn = (Shape::Off, Vec::new());
    loop {
        wakes.mark_unchanged();
        let (state, network, plan) = (desk.app(), desk.network(), desk.hosted_plan());
        let needy = desk.aside_in_need();
        let now = (
            lines::shape(&state, network.as_ref(), &needy),
            lines::lines(&state, network.as_ref(), plan.as_ref(), &needy),
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

/// The image for a shape. On macOS it is a template image, and the system colours it. Elsewhere it has a background of
/// its own, so that its contrast is the same on light and dark panels.
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
    let (title, before) = (title(&act), desk.app().failure);
    // These actions may lead to a question that only the window can show.
    let may_ask = matches!(
        act,
        Act::Start | Act::Open(_) | Act::OpenDialog | Act::Demo | Act::Attach(_)
    );
    let show = |place| {
        desk.go(place);
        window::show(app);
    };
    let outcome = match act {
        Act::Start => desk.start().await,
        Act::Stop => dialogs::stop(&desk, &*surface).await,
        Act::Reload => desk.reload().await.map_err(|refused| refused.text),
        Act::Review => {
            show(Place::Network);
            desk.reload().await.map_err(|refused| refused.text)
        }
        Act::OpenDialog => dialogs::open_dialog(&desk, &*surface).await,
        Act::Open(path) => desk.open_again(&path).await,
        Act::Demo => desk.open_demo().await,
        Act::Attach(name) => desk.attach(&name).await,
        Act::Show => {
            window::show(app);
            Ok(())
        }
        Act::Host(host) => {
            show(Place::Host { host });
            Ok(())
        }
        Act::Answer(host) => {
            show(Place::Question { host });
            Ok(())
        }
        Act::Approve(host) => dialogs::approve(&desk, &*surface, &host).await,
        Act::Restart(host) => restart(&desk, &host, HostAction::Restart).await,
        Act::StartHost(host) => restart(&desk, &host, HostAction::Start).await,
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
    let failure = desk.app().failure;
    if let Err(error) = outcome {
        // The action may already have reported its failure itself, with more details.
        if failure.is_none() || failure == before {
            desk.fail(title, error);
        }
        window::show(app);
    } else if (may_ask && desk.app().consent.is_some()) || (failure.is_some() && failure != before)
    {
        window::show(app);
    }
}

async fn restart(desk: &Desk, host: &str, action: HostAction) -> Result<(), String> {
    let done = desk.host_action(host, action).await;
    done.map_err(|refused| refused.text)
}

/// The title of the failure if an action fails.
fn title(act: &Act) -> String {
    let title = match act {
        Act::Start => failure::START,
        Act::Stop => failure::STOP,
        Act::Reload | Act::Review => failure::RELOAD,
        Act::Open(path) => return failure::not_opened(path.as_ref()),
        Act::OpenDialog | Act::Demo => failure::OPEN,
        Act::Restart(_) | Act::StartHost(_) => failure::RESTART,
        Act::Approve(_) => failure::APPROVE,
        Act::Copy(_) => failure::COPY,
        Act::Browse(_) => failure::BROWSE,
        Act::Attach(_) | Act::Show | Act::Host(_) | Act::Answer(_) | Act::Quit => failure::SHOW,
    };
    title.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size at which many desktops draw the icon.
    const SIDE: usize = 22;

    /// The relative luminance of each pixel of a shape on a bar of this grey, by WCAG 2.2.
    fn drawn(shape: Shape, bar: f64) -> Vec<f64> {
        let picture = picture(shape).unwrap();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let pixels = (0..SIDE * SIDE).map(|at| {
            let (x, y) = (at % SIDE, at / SIDE);
            let columns = x * width / SIDE..(x + 1) * width / SIDE;
            let rows = y * height / SIDE..(y + 1) * height / SIDE;
            let covered =
                rows.flat_map(|row| columns.clone().map(move |column| row * width + column));
            let all: Vec<f64> = covered
                .map(|pixel| {
                    let [red, green, blue, alpha] = [0, 1, 2, 3]
                        .map(|part| f64::from(picture.rgba()[pixel * 4 + part]) / 255.0);
                    let on_bar = |part: f64| (part * alpha + bar * (1.0 - alpha)).powf(2.2);
                    0.2126 * on_bar(red) + 0.7152 * on_bar(green) + 0.0722 * on_bar(blue)
                })
                .collect();
            #[expect(clippy::cast_precision_loss, reason = "a picture has few pixels")]
            let count = all.len() as f64;
            all.iter().sum::<f64>() / count
        });
        pixels.collect()
    }

    #[test]
    fn the_four_shapes_differ_on_light_and_dark_bars_at_the_size_of_a_tray() {
        let shapes = [Shape::Off, Shape::Connecting, Shape::On, Shape::Attention];
        for bar in [0.11, 0.96] {
            for (number, one) in shapes.iter().enumerate() {
                for other in &shapes[..number] {
                    let pairs = drawn(*one, bar).into_iter().zip(drawn(*other, bar));
                    // WCAG asks for a contrast ratio of at least 3 between the parts of a picture.
                    let is_seen = |(one, other): &(f64, f64)| {
                        (one.max(*other) + 0.05) / (one.min(*other) + 0.05) >= 3.0
                    };
                    let seen = pairs.filter(is_seen).count();
                    assert!(seen >= 12, "{one:?} and {other:?} on {bar}: {seen} pixels");
                }
            }
        }
    }
}
