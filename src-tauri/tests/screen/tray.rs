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
    let laptop = "\u{25cf} laptop: ready";
    icon.shows_in(&home, &[laptop, "Copy 127.0.73.1:8080"]);
    icon.click(&home, "Stop");
    icon.shows(&home, "Start");
    assert_eq!(icon.quit(&home, app), Some(0), "{}", home.said());
}

/// A browser that stores the URL with which it was called. The file gets its final name only when it is complete, so
/// that no reader sees a part of it.
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

    // Copies the address of a port, and then the address of a host. The notification about the second copy replaces the
    // first notification.
    let mut clipboard = arboard::Clipboard::new().unwrap();
    let address = format!("127.0.76.1:{port}");
    let laptop = "\u{25cf} laptop: ready";
    icon.click_in(&home, &[laptop, &format!("Copy {address}")]);
    let first = desktop.notification();
    assert_eq!(first.title, format!("Copied {address}"));
    assert_eq!(clipboard.get_text().unwrap(), address);
    // The line for the address without a port comes before the lines with a port.
    icon.click_in(&home, &[laptop, "Copy 127.0.76.1"]);
    let second = desktop.notification();
    assert_eq!(second.title, "Copied 127.0.76.1");
    assert_eq!((first.replaced, second.replaced), (0, first.id));
    assert_eq!(clipboard.get_text().unwrap(), "127.0.76.1");

    let page = format!("Open laptop:{port} in the browser");
    icon.click_in(&home, &[laptop, &page]);
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
    let again = "the manifest was reloaded; nothing has changed";
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
        home.said().contains("Manifest not applied").then_some(())
    });
    icon.click(&home, "Stop");
    icon.shows(&home, "Start");
    assert_eq!(icon.quit(&home, app), Some(0), "{}", home.said());
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
    assert_eq!(icon.quit(&home, app), Some(0), "{}", home.said());
}

#[test]
fn an_app_that_does_not_answer_ends_the_next_start_with_a_word() {
    let desktop = Desktop::new();
    let home = Home::new();
    let app = home.start(&["--hidden"]);
    let icon = desktop.icon(app.pid());
    icon.shows(&home, "No network is open");
    app.signal("STOP");
    let other = Home::new();
    let second = other.start(&[]);
    assert_eq!(second.ended(), Some(1), "{}", other.said());
    let told = format!("End its process {}", app.pid());
    assert!(other.said().contains(&told), "{}", other.said());
    let seen = desktop.notification();
    assert_eq!(
        seen.title,
        "NoRouter is already running and does not respond"
    );
    assert!(seen.text.starts_with(&told), "{seen:?}");
    app.signal("CONT");
    assert_eq!(icon.quit(&home, app), Some(0), "{}", home.said());
}

#[test]
fn a_hidden_app_without_a_tray_is_among_the_windows() {
    let (display, home) = (Display::open(), Home::new());
    let app = home.start(&["--hidden"]);
    display.window(&home, app.pid(), "NORMAL");
}

#[test]
fn two_networks_run_side_by_side_and_the_tray_switches() {
    let desktop = Desktop::new();
    let home = Home::new();
    let open = |name: &str, vip: &str| {
        let text = ALONE.replace("127.0.73.1", vip);
        let file = home.file(&format!("{name}-{}.yaml", std::process::id()), &text);
        home.agreed_to(&file, 8080, "127.0.0.1:80");
        file
    };
    let (one, two) = (open("one", "127.0.62.1"), open("two", "127.0.63.1"));
    let app = home.start(&["--hidden", &one]);
    let icon = desktop.icon(app.pid());
    let name = |name: &str| format!("{name}-{}", std::process::id());
    icon.click(&home, "Start the network");
    icon.shows(&home, &format!("{}: 1 of 1 host up", name("one")));
    // A second start of the app opens another manifest. Its network starts beside the first one.
    assert_eq!(home.start(&[&two]).ended(), Some(0), "{}", home.said());
    icon.shows(&home, &format!("{} is not running", name("two")));
    icon.click(&home, "Start the network");
    icon.shows(&home, &format!("{}: 1 of 1 host up", name("two")));
    icon.click_in(&home, &["Other running networks", &name("one")]);
    icon.shows(&home, &format!("{}: 1 of 1 host up", name("one")));
    icon.shows_in(&home, &["Other running networks", &name("two")]);
    let ends = |word: &str| icon.click(&home, word);
    ends("Stop the network");
    icon.shows(&home, &format!("{} is not running", name("one")));
    icon.shows_in(&home, &["Other running networks", &name("two")]);
}

/// A command that asks a question, and never becomes an agent.
const ASKS: &str = "echo \"$(basename \"$SSH_ASKPASS\")\" > \"$HOME/helper\"; exec \"$SSH_ASKPASS\" \"ann & bob's <b> password: \"\n";

#[test]
fn what_needs_a_person_is_told_and_leads_to_the_question() {
    let (desktop, display, home) = (Desktop::new(), Display::open(), Home::new());
    let asks = home.file("asks.sh", ASKS);
    let alone = "dns: {disable: true}, stateDir: {disable: true}";
    let manifest = home.file(
        &format!("asks-{}.yaml", std::process::id()),
        &format!(
            "hosts:\n  laptop: {{vip: 127.0.62.11, {alone}}}\n  vault: {{vip: 127.0.62.12, cmd: [sh, \"{asks}\"], loopback: {{disable: true}}, {alone}}}\n"
        ),
    );
    let command = ["sh", &asks, "agent", "--automated"];
    let grant = serde_json::json!({"kind": "command", "host": "vault", "command": command});
    home.agreed(&manifest, grant);
    let app = home.start(&["--hidden", &manifest]);
    let icon = desktop.icon(app.pid());
    icon.click(&home, "Start the network");
    let vault = "\u{25b2} vault: needs input";
    icon.shows_in(&home, &[vault, "Answer"]);
    // The question comes from the small program beside the app, not from the app with all of its libraries.
    let helper = fs::read_to_string(home.path("helper")).unwrap();
    assert_eq!(helper.trim(), "norouter");
    let seen = desktop.notification();
    assert_eq!(seen.title, "vault needs input");
    // This desktop does not interpret markup, and shows the text literally.
    assert_eq!(seen.text, "Its command asks: ann & bob's <b> password:");
    assert_eq!(seen.actions, ["default"]);
    assert!(display.windows(app.pid(), "NORMAL").is_empty());
    desktop.click(&seen);
    display.window(&home, app.pid(), "NORMAL");
    icon.click_in(&home, &[vault, "Answer"]);
    icon.click(&home, "Stop the network");
    icon.shows(&home, "Start the network");
}
