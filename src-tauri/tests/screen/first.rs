//! The first use of the app: its page cannot be left, the demo runs, the app can start at login, and the app opens a
//! file that a second start passes on to it.

use std::{fs, process::Command};

use serde_json::json;

use super::{
    desktop::Desktop,
    display::Display,
    page::{button, card, text},
    rig::{Driven, Home, children},
};

/// The address to which the page tries to navigate. Nothing listens there, so if the page could be left, an error would
/// be shown.
const AWAY: &str = "http://127.0.0.1:9/";

/// Finds the port that the demo publishes for one of its hosts, as the card of the host shows it.
const PORT: &str = "return document.querySelector('[data-host=kitchen]').innerText.match(/\\b8\\d{3}\\b/)?.[0] ?? null;";

#[tokio::test]
async fn the_first_run_tries_the_demo_and_takes_a_file_from_a_second_start() {
    let (desktop, display, home) = (Desktop::new(), Display::open(), Home::new());
    let app = Driven::start(&home, &[]).await;
    let pid = app.pid();
    let icon = desktop.icon(app.pid());
    app.sees(&home, &text("One file, one network")).await;

    // The page cannot leave its address or open another window, neither by a script nor by a link.
    let mark = "window.still = true; return location.href;";
    let before = app.page.execute(mark, vec![]).await.unwrap();
    let opened = app
        .page
        .execute(
            "return window.open(arguments[0]) === null;",
            vec![AWAY.into()],
        )
        .await;
    assert_eq!(opened.unwrap(), json!(true));
    for leave in [
        "location = arguments[0];",
        "location.assign('data:text/html,gone');",
        "document.body.append(Object.assign(document.createElement('a'), {href: arguments[0], target: '_blank', id: 'away'}));
         document.getElementById('away').click();",
        "document.getElementById('away').target = ''; document.getElementById('away').click();",
    ] {
        app.page.execute(leave, vec![AWAY.into()]).await.unwrap();
        // If the page had begun to load another address, the new page would be shown after two paints. Then the address
        // would be different, and `window.still` would not be set.
        let after = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done([window.still, location.href])));";
        let after = app.page.execute_async(after, vec![]).await.unwrap();
        assert_eq!(after, json!([true, before]), "{leave}");
    }
    assert_eq!(app.page.windows().await.unwrap().len(), 1);
    display.window(&home, pid, "NORMAL");

    // To start at login, the app writes a file that names the app's own program.
    app.turn_to(&home, "Settings").await;
    let switch = "//label[contains(., 'Start at login')]//input";
    let file = home.path("config/autostart/NoRouter.desktop");
    assert!(!file.exists());
    app.click(&home, switch).await;
    let entry = home.wait("nothing starts at login", || fs::read_to_string(&file).ok());
    let program = env!("CARGO_BIN_EXE_norouter-app");
    let line = format!("Exec=\"{program}\" --hidden");
    assert!(entry.lines().any(|it| it == line), "{entry}");
    app.click(&home, switch).await;
    home.wait("it still starts at login", || {
        (!file.exists()).then_some(())
    });

    // The demo starts without a question for consent, and its pages can be read.
    app.turn_to(&home, "Open").await;
    app.click(&home, "//button[contains(., 'Try the demo network')]")
        .await;
    app.sees(&home, &card("kitchen", "ready")).await;
    let port = app.page.execute(PORT, vec![]).await.unwrap();
    let port = port.as_str().expect("the kitchen publishes nothing");
    let read = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "30"])
        .args(["--noproxy", "*", "--retry", "5", "--retry-connrefused"])
        .arg(format!("http://127.0.42.101:{port}/"))
        .output()
        .unwrap();
    assert!(read.status.success(), "{read:?}");
    let page = String::from_utf8(read.stdout).unwrap();
    assert!(page.contains("kitchen"), "{page}");
    let hosts = children(pid, program.as_ref());
    assert_eq!(hosts.len(), 3);
    // While connections are open, the app asks before it stops the network. Therefore the test waits until none is
    // open. The window may cut this text off, and the driver does not count such a text as displayed. Therefore the
    // test only checks that the text exists.
    app.until(&home, "//p[.='4 hosts, 0 open connections']", async |_| {
        true
    })
    .await;
    icon.click(&home, "Stop");
    app.sees(&home, &button("Start network")).await;
    home.wait("a host of the demo has outlived it", || {
        children(pid, program.as_ref()).is_empty().then_some(())
    });

    // A second instance of the app brings the first window to the front, passes its file on, and ends.
    let window = display.window(&home, pid, "NORMAL");
    display.take_keyboard();
    assert!(!display.has_keyboard(window));
    let name = format!("handed-{}.yaml", std::process::id());
    let manifest = home.file(
        &name,
        "hosts: {laptop: {}, far: {cmd: [nobody, runs, this]}}\n",
    );
    let second = home.start(&[&manifest]);
    assert_eq!(second.ended(), Some(0), "{}", home.said());
    home.wait("the first one is not in front", || {
        display.has_keyboard(window).then_some(())
    });
    app.sees(&home, &text(&format!("Before {name} runs"))).await;
    app.sees(&home, "//li//*[contains(., 'nobody')]").await;
    app.click(&home, &button("Cancel")).await;

    // The window says what would happen if the files were dropped, and accepts a single file.
    let name = format!("dropped-{}.yaml", std::process::id());
    let manifest = home.file(
        &name,
        "hosts: {laptop: {}, far: {cmd: [nobody, drops, this]}}\n",
    );
    let both = display.drag(&home, window, &[&manifest, &manifest]);
    app.sees(&home, &text("One file at a time")).await;
    both.leave();
    app.sees(&home, "//main[not(//*[.='One file at a time'])]")
        .await;
    let one = display.drag(&home, window, &[&manifest]);
    app.sees(&home, &text(&format!("Drop to open {name}")))
        .await;
    one.drop(&home);
    app.sees(&home, &text(&format!("Before {name} runs"))).await;
    app.sees(&home, "//li//*[contains(., 'drops')]").await;
    app.click(&home, &button("Cancel")).await;
    icon.click(&home, "Quit");
    app.ended(&home);
}
