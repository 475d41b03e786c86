//! Tests of everything that can be done from the tray alone.

use std::{fs, process::Command};

use super::{desktop::Desktop, display::Display, rig::Home, site};

/// A network with only this machine.
const ALONE: &str = "hosts:\n  laptop: {vip: 127.0.73.1, ports: ['8080:127.0.0.1:80'], dns: {disable: true}, stateDir: {disable: true}}\n";

#[test]
fn a_network_is_started_seen_and_stopped_from_the_tray_alone() {
    let desktop = Desktop::new();
    let home = Home::new();
    let manifest = home.file(&format!("tray-{}.yaml", std::process::id()), ALONE);
    home.agreed_to(&manifest, 8080, "127.0.0.1:80");
    let app = home.start(&["--hidden", &manifest]);
    let icon = desktop.icon(app.pid());
    icon.click(&home, "Start");
    icon.shows(&home, "\u{25cf} laptop: ready");
    icon.shows(&home, "Copy 127.0.73.1:8080");
    icon.click(&home, "Stop");
    icon.shows(&home, "Start");
    icon.click(&home, "Quit");
    assert_eq!(app.ended(), Some(0), "{}", home.said());
}

/// A browser that stores the URL with which it was called. The file gets its name only when it is complete, so that no
/// reader sees half of it.
const BROWSER: &str =
    "#!/bin/sh\nprintf %s \"$*\" > \"$HOME/asked.new\"\nmv \"$HOME/asked.new\" \"$HOME/asked\"\n";

#[test]
fn lines_of_the_tray_copy_open_and_reload_without_a_window() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let (desktop, display, home) = (Desktop::new(), Display::open(), Home::new());
    home.program("xdg-open", BROWSER);
    let port = site::open();
    let name = format!("lines-{}", std::process::id());
    let text = ALONE
        .replace("127.0.73.1", "127.0.76.1")
        .replace("8080:127.0.0.1:80", &format!("{port}:127.0.0.1:{port}"));
    let manifest = home.file(&format!("{name}.yaml"), &text);
    home.agreed_to(&manifest, port, &format!("127.0.0.1:{port}"));
    let app = home.start(&["--hidden", &manifest]);
    let icon = desktop.icon(app.pid());
    icon.click(&home, "Start");

    // Copies the address of a port, and then that of a host. The notification about the second copy replaces the first
    // one.
    let mut clipboard = arboard::Clipboard::new().unwrap();
    let address = format!("127.0.76.1:{port}");
    icon.click(&home, &format!("Copy {address} (laptop)"));
    let first = desktop.notification();
    assert_eq!(first.title, format!("Copied {address}"));
    assert_eq!(clipboard.get_text().unwrap(), address);
    icon.click(&home, "\u{25cf} laptop: ready");
    let second = desktop.notification();
    assert_eq!(second.title, "Copied 127.0.76.1");
    assert_eq!((first.replaced, second.replaced), (0, first.id));
    assert_eq!(clipboard.get_text().unwrap(), "127.0.76.1");

    icon.click(&home, &format!("Open laptop:{port} in the browser"));
    let asked = home.wait("the browser was not asked", || {
        fs::read_to_string(home.path("asked")).ok()
    });
    assert_eq!(asked, format!("http://{address}/"));
    drop(site::get([127, 0, 76, 1].into(), port));

    // The file has not changed, so it is read again only on an explicit request.
    let log = || {
        let told = Command::new(&program)
            .args(["logs", "--network", &name])
            .output();
        let told = told.unwrap();
        assert!(told.status.success(), "{told:?}");
        String::from_utf8(told.stdout).unwrap()
    };
    let again = "the manifest was read again; nothing has changed";
    assert!(!log().contains(again), "{}", log());
    icon.click(&home, "Reload the manifest");
    home.wait("the manifest was not read again", || {
        log().contains(again).then_some(())
    });
    assert!(display.windows(app.pid(), "NORMAL").is_empty());

    // If something goes wrong, the window opens and reports it.
    home.file(&format!("{name}.yaml"), "hosts: [");
    icon.click(&home, "Reload the manifest");
    display.window(&home, app.pid(), "NORMAL");
    home.wait("nothing was told", || {
        home.said().contains("That did not work").then_some(())
    });
    icon.click(&home, "Stop");
    icon.shows(&home, "Start");
    icon.click(&home, "Quit");
    assert_eq!(app.ended(), Some(0), "{}", home.said());
}

#[test]
fn a_second_start_hands_its_manifest_over_and_goes() {
    let desktop = Desktop::new();
    let home = Home::new();
    let app = home.start(&["--hidden"]);
    let icon = desktop.icon(app.pid());
    icon.shows(&home, "No network is open");
    let manifest = home.file(&format!("second-{}.yaml", std::process::id()), ALONE);
    let second = home.start(&[&manifest]);
    assert_eq!(second.ended(), Some(0), "{}", home.said());
    icon.shows(&home, "Start");
    icon.click(&home, "Quit");
    assert_eq!(app.ended(), Some(0), "{}", home.said());
}
