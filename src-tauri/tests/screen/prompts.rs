//! Tests of the dialog in which a person answers the command of a host, with real keys. The typed text stays in the
//! dialog, whatever happens to the question.

use std::{fs, process::Command};

use serde_json::json;

use super::{
    display::{Display, RETURN},
    page::{button, card},
    rig::{Driven, Home},
};

/// A command that asks for a password up to three times, as ssh does, and becomes an agent after the right answer.
const LOGIN: &str = r#"
echo $$ > "$0.pid"
for try in 1 2 3; do
    answer=$("$SSH_ASKPASS" "password of $1: ") || exit 9
    if [ "$answer" = xyzzy ]; then shift; exec "$NOROUTER" "$@"; fi
    echo "Permission denied, please try again." >&2
done
exit 8
"#;

/// The typed texts: the lengths of the texts in password fields, and the texts in all other fields. The last value says
/// whether the focus is in a password field of a dialog.
const TYPED: &str =
    "const fields = [...document.querySelectorAll('input:not([type=checkbox]), textarea')];
    const secret = (field) => field.type === 'password';
    return [
        fields.filter(secret).map((field) => field.value.length),
        fields.filter((field) => !secret(field) && field.value !== '').map((field) => field.value),
        document.activeElement.matches('dialog[open] input[type=password]'),
    ];";

#[tokio::test]
async fn a_secret_stays_in_its_field_and_a_wrong_one_is_told() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let (display, home) = (Display::open(), Home::new());
    let alone = "dns: {disable: true}, stateDir: {disable: true}";
    let mut hosts = format!("hosts:\n  laptop: {{vip: 127.0.79.1, {alone}}}\n");
    for (name, vip) in [("vault", 2), ("safe", 3)] {
        let script = home.file(name, &format!("NOROUTER='{program}'\n{LOGIN}"));
        hosts += &format!(
            "  {name}: {{vip: 127.0.79.{vip}, cmd: [sh, \"{script}\", {name}], loopback: {{disable: true}}, {alone}}}\n"
        );
    }
    let manifest = home.file(&format!("prompts-{}.yaml", std::process::id()), &hosts);
    let app = Driven::start(&home, &[&manifest]).await;
    app.click(&home, &button("Approve and start")).await;
    app.sees(&home, &card("vault", "needs input")).await;
    app.sees(&home, &card("safe", "needs input")).await;
    let window = display.window(&home, app.pid(), "NORMAL");
    let typed = async |secret: usize| {
        let wanted = json!([[secret], [], true]);
        let script = format!(
            "const typed = (() => {{ {TYPED} }})();
             return JSON.stringify(typed) === '{wanted}' ? true : (window.typed = typed, null);"
        );
        app.until_found(&home, &script, &format!("{wanted} was not typed"))
            .await;
    };
    let says = |what: &str| format!("//dialog//*[@role='status' and contains(., '{what}')]");

    // The command is killed while the person types a secret. After its restart, the command asks again.
    app.click(
        &home,
        "//a[@data-host='vault' and contains(@aria-label, 'needs input')]",
    )
    .await;
    app.tap(
        &home,
        &display,
        "//main//button[normalize-space()='Answer']",
    )
    .await;
    app.sees(&home, "//dialog//*[contains(., 'password of vault')]")
        .await;
    display.write(window, "correct ");
    typed(8).await;
    let asking = fs::read_to_string(home.path("vault.pid")).unwrap();
    let killed = Command::new("kill").args(["-9", asking.trim()]).status();
    assert!(killed.unwrap().success());
    display.write(window, "wvf");
    app.sees(&home, &says("The connection")).await;
    display.write(window, "wvp hows");
    app.sees(&home, &says("asked again")).await;
    display.write(window, " wv");
    typed(22).await;

    // The page says that a wrong answer was wrong, and the right answer is accepted.
    display.press(window, &[RETURN]);
    app.sees(&home, &says("Not accepted, try again (attempt 2)."))
        .await;
    typed(0).await;
    display.write(window, "xyzzy");
    display.press(window, &[RETURN]);
    app.sees(&home, &says("vault accepted the answer")).await;

    // After its answer, the question stays in the dialog. The question of another host does not take its place.
    display.write(window, "wv");
    typed(2).await;
    app.sees(&home, "//dialog//*[contains(., 'password of vault')]")
        .await;
    display.press(window, &[RETURN]);
    app.sees(&home, &says("Nothing was sent.")).await;
    app.tap(
        &home,
        &display,
        "//dialog//button[normalize-space()='Next question: safe']",
    )
    .await;
    app.sees(&home, "//dialog//*[contains(., 'password of safe')]")
        .await;
    typed(0).await;
    display.write(window, "xyzzy");
    display.press(window, &[RETURN]);
    app.sees(&home, "//*[.='safe accepted the answer']").await;
    app.sees(&home, "//body[not(.//dialog[@open])]").await;
    app.turn_to(&home, "Network").await;
    app.sees(&home, &card("vault", "ready")).await;
    app.sees(&home, &card("safe", "ready")).await;
    app.end().await;
}
