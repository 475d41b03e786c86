//! Tests of other files while a network runs: hosts that were found on this machine, and a file that cannot be opened.

use std::fs;

use super::{
    desktop::Desktop,
    display::Display,
    page::{button, text},
    rig::{Driven, Home},
    save::save_as,
};

/// A network with only this machine.
const ALONE: &str =
    "hosts:\n  laptop: {vip: 127.0.82.1, dns: {disable: true}, stateDir: {disable: true}}\n";

/// A kubectl that knows two clusters. Only the second one has a pod.
const KUBECTL: &str = r#"#!/bin/sh
case "$*" in
'config get-contexts --output=name') printf 'staging\nproduction\n' ;;
'config current-context') echo staging ;;
'--context=production --all-namespaces get pods '*) echo '{"items": [{"metadata": {"name": "db-0", "namespace": "vault"}}]}' ;;
*) echo '{"items": []}' ;;
esac
"#;

#[tokio::test]
async fn other_files_can_be_made_and_opened_while_a_network_runs() {
    let (desktop, display, home) = (Desktop::new(), Display::open(), Home::new());
    fs::create_dir(home.path(".ssh")).unwrap();
    home.file(
        ".ssh/config",
        "Host shop\n  HostName 192.0.2.1\nHost mail\n  HostName 192.0.2.2\n",
    );
    home.program("kubectl", KUBECTL);
    let name = format!("import-{}", std::process::id());
    let path = home.file(&format!("{name}.yaml"), ALONE);
    let app = Driven::start(&home, &[&path]).await;
    let icon = desktop.icon(app.pid());
    let line = |text: &str| format!("//*[contains(@class, 'cm-line') and contains(., '{text}')]");
    let running = format!("{name}: 1 of 1 host up");
    app.click(&home, &button("Approve and start")).await;
    icon.shows(&home, &running);

    // A notice names the file that cannot be used and the reason, and leads to the file. The network keeps running.
    let miss = format!("miss-{}.yaml", std::process::id());
    let broken = home.file(&miss, "hosts:\n  laptop: {}\n  web: {ports: [what]}\n");
    assert_eq!(home.start(&[&broken]).ended(), Some(0), "{}", home.said());
    app.sees(
        &home,
        &format!(
            "//section[contains(@aria-label, '{miss}')]//*[@role='alert' and contains(., 'does not say where to listen')]"
        ),
    )
    .await;
    app.click(&home, &button("Edit the manifest")).await;
    // The notice goes as soon as the page shows the problem itself, and what is below it moves.
    app.sees(&home, &text("line 3, column 17")).await;
    app.sees(
        &home,
        "//body[not(.//section[contains(@aria-label, 'was not opened')])]",
    )
    .await;
    app.click(&home, "//button[@title='Text (Alt+3)']").await;
    app.sees(&home, &line("ports: [what]")).await;
    icon.click_in(&home, &["Other running networks", &name]);
    icon.shows(&home, &running);

    // Hosts that were found are added to the running network only when the person saves.
    let choose = async || {
        app.turn_to(&home, "Open").await;
        let context = "//label[.='Pods of the context']/following-sibling::select";
        app.until(&home, context, async |list| {
            list.select_by_label("production").await.is_ok()
        })
        .await;
        let pod = "//label[contains(., 'production/vault/pod/db-0')]";
        app.sees(&home, pod).await;
        for host in ["shop", "mail"] {
            let found = format!("//label[contains(., '{host}')]//input[@type='checkbox']");
            app.click(&home, &found).await;
        }
        app.click(&home, &button("Create network with 2 hosts"))
            .await;
    };
    choose().await;
    app.click(&home, &button(&format!("Add to {name}"))).await;
    app.sees(&home, &text("Added 2 hosts. Save to apply."))
        .await;
    app.sees(
        &home,
        "//*[contains(@class, 'cm-line') and contains(., 'shop')]",
    )
    .await;
    assert_eq!(fs::read_to_string(&path).unwrap(), ALONE);
    app.click(&home, &button("Undo")).await;
    app.sees(
        &home,
        "//*[contains(@class, 'cm-content') and not(contains(., 'shop'))]",
    )
    .await;

    // The network is stopped, and then the new file is opened. Nothing in it runs before consent.
    choose().await;
    app.click(&home, &button(&format!("Stop {name} and create")))
        .await;
    let file = format!("found-{}.yaml", std::process::id());
    let saved = save_as(&display, &home, app.pid(), &file);
    assert!(
        saved.contains("shop:") && saved.contains("mail:"),
        "{saved}"
    );
    app.sees(&home, &text(&format!("Before {file} runs"))).await;
    app.sees(&home, "//li//*[contains(., 'shop')]").await;
    app.click(&home, &button("Cancel")).await;
    let stem = file.trim_end_matches(".yaml");
    icon.shows(&home, &format!("{stem} is not running"));
    icon.click(&home, "Quit");
    app.ended(&home);
}
