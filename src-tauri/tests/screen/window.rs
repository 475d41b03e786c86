//! Tests of the real window with the real web view: what the page may do, and what it is told.

use serde_json::{Value, json};

use super::{
    desktop::Desktop,
    display::Display,
    page::text,
    rig::{Driven, Home},
};

/// A network with only this machine, without a command and without a published port.
const ALONE: &str =
    "hosts:\n  laptop: {vip: 127.0.74.1, dns: {disable: true}, stateDir: {disable: true}}\n";

/// Requests a URL at which nothing listens. The promise is rejected only if the page's content security policy blocks
/// the request. If the request fails for another reason, there is no `securitypolicyviolation` event.
const FETCH: &str = "await new Promise((passed, refused) => {
    document.addEventListener('securitypolicyviolation', refused, {once: true});
    setTimeout(passed, 5000);
    fetch('http://127.0.0.1:9/').catch(() => {});
});";

#[tokio::test]
async fn the_page_runs_a_network_and_can_do_nothing_else() {
    let home = Home::new();
    let manifest = home.file(&format!("window-{}.yaml", std::process::id()), ALONE);
    let app = Driven::start(&home, &[&manifest]).await;
    for foreign in [
        "plugin:window|close",
        "plugin:event|listen",
        "plugin:dialog|open",
    ] {
        let refused = app.invoke(foreign, json!({})).await.unwrap_err();
        assert!(refused.contains("not allowed"), "{foreign}: {refused}");
    }
    let attempt = |code: &str| {
        format!(
            "const done = arguments[0]; (async () => {{ {code} }})().then(() => done('done'), () => done('refused'));"
        )
    };
    for code in [FETCH, "eval('1')", "new Function('return 1')()"] {
        let outcome = app
            .page
            .execute_async(&attempt(code), vec![])
            .await
            .unwrap();
        assert_eq!(outcome, json!("refused"), "{code}");
    }

    let listen = "window.heard = [];
        const id = window.__TAURI_INTERNALS__.transformCallback((batch) => window.heard.push(...(batch.message ?? [])));
        return `__CHANNEL__:${id}`;";
    let channel = app.page.execute(listen, vec![]).await.unwrap();
    app.invoke("watch", json!({"channel": channel}))
        .await
        .unwrap();
    let refused = app
        .invoke("open_manifest", json!({"path": "/etc/passwd"}))
        .await;
    assert!(refused.unwrap_err().contains("not open before"));
    // Even such a small network does not run before consent, and the person can agree only to what was shown.
    app.invoke("start", json!({})).await.unwrap();
    let asked = "return window.heard.findLast((news) => news.kind === 'app' && news.app.consent)?.app.consent ?? null;";
    let asked = app.until_found(&home, asked, "nothing is asked").await;
    assert_eq!(
        asked["grants"],
        json!([{"isNew": true, "text": "every host may reach all that is published and routed"}])
    );
    let agree = |digest: &Value| json!({"digest": digest, "agree": true});
    let refused = app.invoke("consent", agree(&json!("another"))).await;
    assert!(refused.is_err());
    app.invoke("consent", agree(&asked["digest"]))
        .await
        .unwrap();
    let find = "return window.heard.findLast((news) => news.kind === 'network'
        && news.network.hosts.every((host) => host.state === 'ready'))?.network ?? null;";
    let network = app.until_found(&home, find, "no network is ready").await;
    assert_eq!(network["hosts"][0]["name"], "laptop");
    assert_eq!(network["pid"], app.pid());
    app.invoke("stop", json!({})).await.unwrap();
    let ended = "return window.heard.find((news) => news.kind === 'ended') ?? null;";
    app.until_found(&home, ended, "the end is not told").await;
    app.end().await;
}

/// Whether the page of the app has dark colours.
const IS_DARK: &str = "return matchMedia('(prefers-color-scheme: dark)').matches;";

#[tokio::test]
async fn the_window_is_dark_on_a_dark_desktop() {
    let (_desktop, home) = (Desktop::dark(), Home::new());
    let app = Driven::start(&home, &[]).await;
    app.sees(&home, &text("One file, one network")).await;
    let dark = app.page.execute(IS_DARK, vec![]).await.unwrap();
    assert_eq!(dark, json!(true), "{}", home.said());
    app.end().await;
}

#[test]
fn the_window_has_the_same_size_at_each_start_at_any_scale() {
    let display = Display::open();
    for (name, value) in [("GDK_SCALE", "2"), ("GDK_DPI_SCALE", "1.25")] {
        let (desktop, home) = (Desktop::new(), Home::new());
        let mut sizes = Vec::new();
        for _ in 0..3 {
            let app = home.start_with(&[], &[(name, value)]);
            let icon = desktop.icon(app.pid());
            let window = display.window(&home, app.pid(), "NORMAL");
            icon.shows(&home, "No network is open");
            sizes.extend(
                display
                    .place(window)
                    .map(|(_, _, width, height)| (width, height)),
            );
            assert_eq!(icon.quit(&home, app), Some(0), "{}", home.said());
        }
        assert_eq!(sizes.len(), 3);
        assert!(
            sizes.iter().all(|size| *size == sizes[0]),
            "{name}: {sizes:?}"
        );
    }
}
