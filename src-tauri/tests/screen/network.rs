//! Tests of the real window with a real network and the real agent, from opening a manifest to repairing it.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    desktop::Desktop,
    page::{button, card, text},
    rig::{Driven, Home, PATIENCE, children},
    site,
};

/// The answer that the command of the second host expects.
const RIGHT: &str = "xyzzy-plugh";

/// The VIP of the host with the site.
const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 75, 2);

/// A command that asks for a password as ssh does, and becomes an agent if the answer is right.
const LOGIN: &str = r#"
touch "$(dirname "$0")/ran"
answer=$("$SSH_ASKPASS" "ann's password: ") || exit 9
[ "$answer" = xyzzy-plugh ] || exit 8
exec "$NOROUTER" "$@"
"#;

/// Records every state that the page shows for the host `web`, even a state that it shows only for a moment.
const REMEMBER: &str = "window.drawn = [];
    const look = () => {
        const label = document.querySelector('[data-host=web]')?.getAttribute('aria-label');
        if (label && label !== window.drawn.at(-1)) window.drawn.push(label);
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
    look();";

/// Reads the site through the network. The connection stays open until the returned stream is dropped.
fn get(port: u16) -> TcpStream {
    site::get(WEB, port)
}

#[tokio::test]
async fn a_network_is_agreed_to_run_used_harmed_edited_and_repaired() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let desktop = Desktop::new();
    let home = Home::new();
    let (first, second) = (site::open(), site::open());
    let login = home.file("login.sh", &format!("NOROUTER='{program}'\n{LOGIN}"));
    let manifest = |ports: &str| {
        let alone = "dns: {disable: true}, stateDir: {disable: true}";
        // All hosts are on one machine, where only one agent can listen on an address.
        let far = format!("{alone}, loopback: {{disable: true}}");
        format!(
            "hosts:\n  laptop: {{vip: 127.0.75.1, {alone}}}\n  web: {{vip: {WEB}, cmd: [\"{program}\"], ports: [{ports}], {far}}}\n  vault: {{vip: 127.0.75.3, cmd: [sh, \"{login}\"], {far}}}\n"
        )
    };
    let port = |port: u16| format!("'{port}:127.0.0.1:{port}'");
    let name = format!("network-{}", std::process::id());
    let file = format!("{name}.yaml");
    let path = home.file(&file, &manifest(&port(first)));
    let ran = Path::new(&path).with_file_name("ran");

    // Nothing runs before the person has seen the commands.
    let app = Driven::start(&home, &[&path]).await;
    let icon = desktop.icon(app.pid());
    app.sees(&home, &text(&format!("Before {file} runs"))).await;
    let agents = || children(app.pid(), Path::new(&program));
    for word in [&program, &login] {
        let argv = format!("//li//*[contains(., \"{word}\")]");
        app.sees(&home, &argv).await;
    }
    let reach = "every host may reach all that is published and routed";
    app.sees(&home, &format!("//li[contains(., '{reach}')]"))
        .await;
    assert!(!ran.exists() && agents().is_empty());
    app.click(&home, &button("Approve and start")).await;
    app.sees(&home, &card("web", "ready")).await;

    // The network can be stopped and started from the tray, too.
    icon.click(&home, "Stop");
    app.sees(&home, &button("Start network")).await;
    icon.click(&home, "Start");
    app.sees(&home, &card("web", "ready")).await;

    // A command asks for a password, and continues after the answer.
    app.sees(&home, &card("vault", "needs input")).await;
    app.click(&home, &button("Answer")).await;
    app.sees(&home, "//dialog//*[.=\"vault needs input\"]")
        .await;
    app.sees(&home, "//dialog//*[contains(., \"ann's password:\")]")
        .await;
    app.until(&home, "//dialog//input[@type='password']", async |field| {
        field.send_keys(RIGHT).await.is_ok()
    })
    .await;
    app.click(&home, "//dialog//button[normalize-space()='Send']")
        .await;
    app.sees(&home, &card("vault", "ready")).await;
    assert!(ran.exists());

    // Bytes pass through the network, and the page shows their flow.
    let open = get(first);
    app.turn_to(&home, "Connections").await;
    app.sees(
        &home,
        "//*[@role='grid']//*[@role='row' and contains(., 'laptop') and contains(., 'web')]",
    )
    .await;
    drop(open);

    // A lost agent is restarted without being asked.
    app.turn_to(&home, "Network").await;
    app.sees(&home, &card("web", "ready")).await;
    app.page.execute(REMEMBER, vec![]).await.unwrap();
    let [agent] = agents()
        .into_iter()
        .filter(|agent| {
            // Both agents are child processes of the app, even that of `vault`, because its shell script starts it with
            // `exec`. The address in this variable shows which process is the agent of `web`.
            let words = fs::read(format!("/proc/{agent}/environ")).unwrap_or_default();
            let place = format!("NOROUTER_ASKPASS={name}/{WEB}/");
            words
                .windows(place.len())
                .any(|part| part == place.as_bytes())
        })
        .collect::<Vec<_>>()[..]
    else {
        panic!("there is not one agent of web: {:?}", agents());
    };
    let killed = Command::new("kill")
        .args(["-9", &agent.to_string()])
        .status();
    assert!(killed.unwrap().success());
    let away = "return window.drawn.some((label) => !label.startsWith('web, ready'));";
    let start = Instant::now();
    while app.page.execute(away, vec![]).await.unwrap() != json!(true) {
        assert!(
            start.elapsed() < PATIENCE,
            "the loss is not shown\n{}",
            home.said()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.sees(&home, &card("web", "ready")).await;
    drop(get(first));

    // A change of the file is applied when the person has seen what it grants ...
    let more = manifest(&format!("{}, {}", port(first), port(second)));
    let laptop = "laptop: {vip: 127.0.75.1, ";
    let open = format!("{laptop}loopback: {{allow: any}}, ");
    home.file(&file, &more.replace(laptop, &open));
    app.sees(&home, &text(&format!("{file} has changed"))).await;
    for granted in [
        &format!("as web:{second}"),
        "every user of this machine can connect to the published ports",
    ] {
        let new = format!("//li[contains(., '{granted}') and contains(., 'new')]");
        app.sees(&home, &new).await;
    }
    let as_before = format!("//li[contains(., '{reach}') and contains(., 'as before')]");
    app.sees(&home, &as_before).await;
    app.click(&home, &button("Approve and apply")).await;
    app.sees(
        &home,
        &format!("//a[@data-host='web' and contains(., '{second}')]"),
    )
    .await;
    drop(get(second));

    // ... and a broken file is not applied.
    home.file(&file, "hosts:\n  laptop: {}\n  web: {ports: [what]}\n");
    app.turn_to(&home, "Manifest").await;
    app.sees(&home, &text("The network keeps running as before."))
        .await;
    app.sees(&home, &text("line 3, column ")).await;
    drop(get(second));
    home.file(&file, &manifest(&port(second)));
    app.turn_to(&home, "Network").await;
    let gone = format!("//a[@data-host='web' and not(contains(., '{first}'))]");
    app.sees(&home, &gone).await;
    drop(get(second));
    app.end().await;
}
