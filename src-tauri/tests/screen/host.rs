//! Tests of the page of one host. The page restarts the host, and shows its output and its lives. A remembered answer
//! is used again without a question.

use std::fs;

use super::{
    display::Display,
    page::{button, card},
    rig::{Driven, Home},
    save::save_as,
};

/// A command that says how often it was started, asks for a password, and becomes an agent if the answer is right.
const LOGIN: &str = r#"
echo life >> "$(dirname "$0")/lives"
echo "this is life $(wc -l < "$(dirname "$0")/lives")" >&2
answer=$("$SSH_ASKPASS" "ann's password: ") || exit 9
[ "$answer" = xyzzy-plugh ] || exit 8
exec "$NOROUTER" "$@"
"#;

/// Records whether a question was ever shown on the page.
const WATCH: &str = "window.asked = false;
    new MutationObserver(() => {
        window.asked ||= document.querySelector('dialog') !== null || document.body.innerText.includes('vault needs input');
    }).observe(document.body, {subtree: true, childList: true});";

#[tokio::test]
async fn a_host_is_restarted_and_not_asked_again_and_its_words_are_kept() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let (display, home) = (Display::open(), Home::new());
    let login = home.file("login.sh", &format!("NOROUTER='{program}'\n{LOGIN}"));
    let alone = "dns: {disable: true}, stateDir: {disable: true}";
    let manifest = home.file(
        &format!("host-{}.yaml", std::process::id()),
        &format!(
            "hosts:\n  laptop: {{vip: 127.0.78.1, {alone}}}\n  vault: {{vip: 127.0.78.2, cmd: [sh, \"{login}\"], loopback: {{disable: true}}, {alone}}}\n"
        ),
    );
    let app = Driven::start(&home, &[&manifest]).await;
    app.click(&home, &button("Approve and start")).await;
    app.sees(&home, &card("vault", "needs input")).await;
    app.click(&home, &button("Answer")).await;
    app.until(&home, "//dialog//input[@type='password']", async |field| {
        field.send_keys("xyzzy-plugh").await.is_ok()
    })
    .await;
    app.click(&home, "//dialog//label[contains(., 'Remember')]//input")
        .await;
    app.click(&home, "//dialog//button[normalize-space()='Send']")
        .await;
    app.sees(&home, &card("vault", "ready")).await;

    // The second life of the host writes its own output, and gets the remembered answer.
    app.click(&home, "//a[@data-host='vault']").await;
    app.sees(&home, "//pre[contains(., 'this is life 1')]")
        .await;
    app.page.execute(WATCH, vec![]).await.unwrap();
    app.click(&home, &button("Restart")).await;
    app.sees(&home, "//pre[contains(., 'this is life 2')]")
        .await;
    let life = |number: u8| {
        format!(
            "//ol/li[pre[contains(., 'this is life {number}')] and .//*[contains(@class, 'entry') and contains(., 'ready')]]"
        )
    };
    app.sees(&home, &life(2)).await;
    app.sees(&home, &life(1)).await;
    let asked = app.page.execute("return window.asked;", vec![]).await;
    assert_eq!(asked.unwrap(), serde_json::json!(false));
    assert_eq!(
        fs::read_to_string(home.path("lives")).unwrap(),
        "life\nlife\n"
    );

    // The report is saved exactly as it was shown, in the file that the person has chosen.
    app.turn_to(&home, "Settings").await;
    app.click(&home, &button("Show report")).await;
    let shown = "return document.querySelector('dialog pre')?.textContent ?? null;";
    app.sees(&home, "//dialog//pre[contains(., '== Manifest')]")
        .await;
    let shown = app.page.execute(shown, vec![]).await.unwrap();
    app.click(&home, "//dialog//button[normalize-space()='Save']")
        .await;
    let saved = save_as(&display, &home, app.pid(), "report.txt");
    assert_eq!(Some(saved.as_str()), shown.as_str());
    assert!(saved.contains("vault at 127.0.78.2: ready"), "{saved}");

    app.turn_to(&home, "Log").await;
    app.sees(&home, "//*[contains(., 'this is life 2')]").await;
    app.click(&home, &button("Export")).await;
    let saved = save_as(&display, &home, app.pid(), "network.log");
    for words in ["this is life 1", "this is life 2"] {
        assert!(saved.contains(words), "{saved}");
    }
    app.end().await;
}
