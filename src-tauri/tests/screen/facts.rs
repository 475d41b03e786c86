//! Tests that the page tells the truth about a running network: its ports, connections, output and commands. Menus are
//! opened and used with a real pointer.

use std::{
    io::Read as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
};

use super::{
    desktop::Desktop,
    display::Display,
    page::{button, card, text},
    reader::Reader,
    rig::{Driven, Home, PATIENCE},
    site,
};

/// The VIP of the host with the site.
const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 80, 2);

/// A command that writes as many lines as `ssh -v` before it becomes an agent.
const TALKATIVE: &str = "for line in $(seq 89); do echo \"debug1: talk $line of $0\" >&2; done\n";

/// A port of this machine on which nothing listens.
fn free() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Connects to a published port whose service does not exist, and waits for the end of the connection.
fn knock(port: u16) {
    let to = SocketAddr::from((WEB, port));
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The connection is closed or reset.
    let _ = stream.read(&mut [0]);
}

#[tokio::test]
async fn what_the_page_tells_is_true_and_menus_stay_open() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let (desktop, display, home) = (Desktop::new(), Display::open(), Home::new());
    let [first, second] = ["first.sh", "second.sh"]
        .map(|name| home.file(name, &format!("{TALKATIVE}exec '{program}' \"$@\"\n")));
    let (open, shut, proxy) = (site::open(), free(), free());
    // Both agents share the folder with the variables for shells, because it is in the home folder.
    let manifest = |script: &str| {
        format!(
            "hosts:
  laptop: {{vip: 127.0.80.1, http: {{listen: '127.0.0.1:{proxy}'}}, dns: {{disable: true}}}}
  web: {{vip: {WEB}, cmd: [sh, \"{script}\"], ports: ['{open}:127.0.0.1:{open}', '{shut}:127.0.0.1:{shut}', '5432:127.0.0.1:5432'], loopback: {{disable: true}}, dns: {{disable: true}}}}
"
        )
    };
    let file = format!("facts-{}.yaml", std::process::id());
    let path = home.file(&file, &manifest(&first));
    let app = Driven::start(&home, &[&path]).await;
    let icon = desktop.icon(app.pid());
    let reader = Reader::new();
    app.sees(&home, &button("Approve and start")).await;
    reader.all_have_names(&home);
    app.click(&home, &button("Approve and start")).await;
    app.sees(&home, &card("web", "ready")).await;

    // The tray offers to open a page in the browser, but not a database.
    let web = "\u{25cf} web: ready";
    icon.shows_in(&home, &[web, &format!("Open web:{open} in the browser")]);
    let lines = icon.inside(web);
    assert!(lines.contains(&format!("Copy {WEB}:5432")), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.starts_with("Open web:5432")),
        "{lines:?}"
    );

    // The card and the page say whether a service answers behind a port, not only that an agent listens for it.
    let chip = |port: u16, said: &str| {
        format!(
            "//a[@data-host='web']//span[contains(@class, 'port') and contains(., '{port}') and contains(., '{said}')]"
        )
    };
    app.sees(&home, &chip(open, "not tried yet")).await;
    drop(site::get(WEB, open));
    knock(shut);
    app.sees(&home, &chip(open, "answers")).await;
    app.sees(&home, &chip(shut, "connection refused")).await;

    reader.all_have_names(&home);

    // The menu of a card stays open when the button is released, and the menu of the web view does not appear.
    let item = |name: &str| format!("//*[@role='menu']//button[normalize-space(span)='{name}']");
    app.tap_right(&home, &display, "//a[@data-host='web']")
        .await;
    app.sees(&home, &item("Copy command")).await;
    app.tap(&home, &display, &item("Open host page")).await;
    let port = |port: u16, said: &str| {
        format!(
            "//li[.//*[contains(@class, 'port') and .='{port}'] and contains(., 'listening') and contains(., '{said}')]"
        )
    };
    app.sees(&home, &port(open, "answers on web")).await;
    app.sees(&home, &port(shut, "connection refused on web"))
        .await;
    app.sees(&home, &port(5432, "not tried on web yet")).await;
    reader.all_have_names(&home);
    app.tap_right(&home, &display, "//nav//a[normalize-space(span)='Log']")
        .await;
    app.sees(&home, "//body[not(.//*[@role='menu'])]").await;

    // Connections that have ended are still visible, with their outcome.
    app.turn_to(&home, "Connections").await;
    app.click(&home, &button("Recent")).await;
    let row = |port: u16, said: &str| {
        format!("//*[@role='row' and contains(., 'web:{port}') and contains(., '{said}')]")
    };
    app.sees(&home, &row(open, "closed")).await;
    app.sees(&home, &row(shut, "refused")).await;
    app.click(&home, &button("Open now")).await;
    let stays = site::get(WEB, open);
    app.tap_right(&home, &display, &row(open, "open")).await;
    app.tap(&home, &display, &item("Details")).await;
    app.sees(&home, "//section[@aria-label='Details']").await;
    reader.all_have_names(&home);
    drop(stays);

    // Every line of the command is in the log.
    app.turn_to(&home, "Log").await;
    app.until(&home, "//input[@type='search']", async |field| {
        field.send_keys("talk").await.is_ok()
    })
    .await;
    app.sees(&home, "//*[@role='status' and contains(., '89')]")
        .await;
    reader.all_have_names(&home);

    // A new command waits while the old one runs. After the approval, the page shows the command that runs.
    home.file(&file, &manifest(&second));
    app.sees(&home, &text("The changed manifest needs your approval"))
        .await;
    app.click(&home, &button("Review")).await;
    app.sees(&home, &text("The network keeps running as before"))
        .await;
    drop(site::get(WEB, open));
    app.click(&home, &button("Approve and apply")).await;
    app.click(&home, "//a[@data-host='web']").await;
    let command = |script: &str| format!("//code[contains(., '{script}')]");
    app.sees(&home, &command(&second)).await;
    app.sees(&home, &format!("//body[not({})]", &command(&first)[1..]))
        .await;
    app.sees(
        &home,
        "//pre[contains(., 'talk 89 of') and contains(., 'second.sh')]",
    )
    .await;
    // The button moves when the host is ready.
    app.sees(
        &home,
        "//section[@aria-label='State' and contains(., 'ready')]",
    )
    .await;
    app.click(&home, "//button[@aria-label='Copy the command']")
        .await;
    let mut clipboard = arboard::Clipboard::new().unwrap();
    home.wait("the command was not copied", || {
        clipboard.get_text().ok()?.contains(&second).then_some(())
    });

    // The variables for a shell are those of this machine, although the other agent has written its variables later.
    app.turn_to(&home, "Settings").await;
    let variable =
        format!("//pre[contains(., 'http_proxy=') and contains(., '127.0.0.1:{proxy}')]");
    app.sees(&home, &variable).await;
    for page in ["Settings", "Policy", "Manifest", "Open", "This machine"] {
        app.turn_to(&home, page).await;
        reader.all_have_names(&home);
    }
    app.end().await;
}
