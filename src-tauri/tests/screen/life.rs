//! A network keeps running when the window is closed, and ends with the app. The app asks before it cuts connections.

use std::{net::Ipv4Addr, path::Path};

use super::{
    desktop::Desktop,
    display::{Display, ESCAPE, RETURN, TAB},
    page::{button, card},
    rig::{Driven, Home, children, is_there},
    site,
};

/// The VIP of the host with the site.
const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 2);

#[tokio::test]
async fn a_closed_window_keeps_the_network_and_quitting_asks_before_it_ends() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let (desktop, display, home) = (Desktop::new(), Display::open(), Home::new());
    let port = site::open();
    let alone = "dns: {disable: true}, stateDir: {disable: true}";
    let name = format!("life-{}", std::process::id());
    let manifest = home.file(
        &format!("{name}.yaml"),
        &format!(
            "hosts:\n  laptop: {{vip: 127.0.77.1, {alone}}}\n  web: {{vip: {WEB}, cmd: [\"{program}\"], ports: ['{port}:127.0.0.1:{port}'], loopback: {{disable: true}}, {alone}}}\n"
        ),
    );
    let app = Driven::start(&home, &[&manifest]).await;
    let icon = desktop.icon(app.pid());
    app.click(&home, &button("Approve and start")).await;
    app.sees(&home, &card("web", "ready")).await;
    let pid = app.pid();
    let agents = children(pid, Path::new(&program));
    assert_eq!(agents.len(), 1);

    // A window that was moved and closed comes back at the same place with the same size. It shows the network that
    // kept running.
    let window = display.window(&home, pid, "NORMAL");
    let place = (70, 45, 930, 640);
    display.put(window, place);
    let seen = "return [innerWidth, innerHeight];";
    home.wait("the window is not moved", || {
        (display.place(window) == Some(place)).then_some(())
    });
    display.close(window);
    display.no_window(&home, pid, "NORMAL");
    drop(site::get(WEB, port));
    assert!(is_there(agents[0]));
    icon.click(&home, "Show");
    let window = display.window(&home, pid, "NORMAL");
    home.wait("the window is elsewhere", || {
        (display.place(window) == Some(place)).then_some(())
    });
    app.sees(&home, &card("web", "ready")).await;
    let inside = app.page.execute(seen, vec![]).await.unwrap();
    assert_eq!(inside, serde_json::json!([930, 640]));

    // The app asks before it quits.
    let open = site::get(WEB, port);
    icon.click(&home, "Quit");
    let dialog = display.window(&home, pid, "DIALOG");
    display.press(dialog, &[ESCAPE]);
    display.no_window(&home, pid, "DIALOG");
    drop(open);
    drop(site::get(WEB, port));
    assert!(is_there(agents[0]));

    // At first, the keyboard focus is on the button that changes nothing. The next button quits.
    icon.click(&home, "Quit");
    let dialog = display.window(&home, pid, "DIALOG");
    display.press(dialog, &[RETURN]);
    display.no_window(&home, pid, "DIALOG");
    drop(site::get(WEB, port));
    assert!(is_there(agents[0]));
    icon.click(&home, "Quit");
    let dialog = display.window(&home, pid, "DIALOG");
    display.press(dialog, &[TAB]);
    display.press(dialog, &[RETURN]);
    app.ended(&home);
    home.wait("an agent has outlived the app", || {
        (!is_there(agents[0])).then_some(())
    });

    // The next start continues where the last run ended: the window has its place, and the network runs.
    let app = home.start(&[]);
    let icon = desktop.icon(app.pid());
    let window = display.window(&home, app.pid(), "NORMAL");
    home.wait("the window is elsewhere", || {
        (display.place(window) == Some(place)).then_some(())
    });
    icon.shows(&home, "\u{25cf} web: ready");

    // When the network is stopped from the tray, the app asks only if that would cut connections.
    let open = site::get(WEB, port);
    icon.click(&home, "Stop");
    let dialog = display.window(&home, app.pid(), "DIALOG");
    display.press(dialog, &[ESCAPE]);
    display.no_window(&home, app.pid(), "DIALOG");
    icon.click(&home, "Stop");
    let dialog = display.window(&home, app.pid(), "DIALOG");
    display.press(dialog, &[TAB]);
    display.press(dialog, &[RETURN]);
    icon.shows(&home, "Start");
    drop(open);
    assert_eq!(icon.quit(&home, app), Some(0), "{}", home.said());
}
