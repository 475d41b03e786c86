//! From nothing to a network of three real machines: this one, one behind a real sshd, and a container of a real podman,
//! with a published port and a route behind a gateway. Once with the pointer alone, and once with the keyboard alone.

use std::process::Command;

use super::{
    display::{
        CONTROL, DOWN, ESCAPE, LETTER_F, LETTER_N, LETTER_P, LETTER_R, NUMBER_4, RETURN, SPACE,
        TAB, UP,
    },
    edit::{Person, cloud, field, host, socket},
    machines::{BEHIND, BEHIND_GATE, IN_BOX, Machines, PORT},
    page::{button, card},
    rig::Home,
    save::save_as,
};

/// The box before something that was found on this machine.
fn found(name: &str) -> String {
    format!("//label[contains(., '{name}')]//input[@type='checkbox']")
}

/// The name of the file that a story writes.
fn file(name: &str) -> String {
    format!("{name}-{}.yaml", std::process::id())
}

/// Reads both sites with curl through the proxy that the manifest gives this machine.
fn assert_reads(me: &Person, manifest: &str) {
    let proxy = manifest.split("listen: \"127.0.0.1:").nth(1);
    let proxy = proxy.and_then(|rest| rest.split('"').next());
    let proxy = format!("http://127.0.0.1:{}", proxy.expect(manifest));
    let behind = format!("http://{BEHIND}:{PORT}/");
    for (address, wanted) in [("http://box:8080/", IN_BOX), (&behind, BEHIND_GATE)] {
        let what = format!("curl does not read {address}");
        me.home.wait(&what, || {
            let mut curl = Command::new("curl");
            let curl = curl.args(["--silent", "--fail", "--max-time", "20"]);
            let read = curl.args(["--proxy", &proxy, address]).output().unwrap();
            (read.stdout == wanted.as_bytes()).then_some(())
        });
    }
}

#[tokio::test]
async fn with_the_pointer_nothing_becomes_three_machines_a_port_and_a_route() {
    let home = Home::new();
    let machines = Machines::start(&home);
    let me = Person::start(home, &[]).await;
    for name in ["gate", "box"] {
        me.tap(&found(name)).await;
    }
    me.tap(&button("Create network with 2 hosts")).await;
    let name = file("pointed");
    let first = save_as(&me.display, &me.home, me.app.pid(), &name);
    let path = me.home.path(&name).to_str().unwrap().to_owned();
    me.tap(&button("Approve and start")).await;
    for name in ["laptop", "gate", "box"] {
        me.sees(&card(name, "ready")).await;
    }

    // A port of the container, and a route through the host of ssh.
    me.tap("//nav//a[normalize-space(span)='Manifest']").await;
    me.sees(&host("box")).await;
    me.tap("//button[@aria-label='Publish a port of box']")
        .await;
    me.type_in(&field("Port of box"), &format!("8080:{PORT}"))
        .await;
    me.tap("//main//h1").await;
    me.sees(&socket("box", 8080)).await;
    let handle = "//button[starts-with(@aria-label, 'Route through gate')]";
    let (x, y) = me.middle(handle).await;
    me.drag((x, y), (x + 90, y + 20));
    me.type_in(&field("Add a destination"), &format!("{BEHIND}/32"))
        .await;
    me.tap("//main//h1").await;
    me.sees(&cloud(1)).await;

    // The text, the effect and what has to be approved are side by side. Nothing is saved before.
    me.tap("//button[normalize-space()='Save' and not(@disabled)]")
        .await;
    me.sees("//dialog//section[contains(., 'In the file')]//*[contains(., '10.87.0.5/32')]")
        .await;
    me.sees(
        "//dialog//section[contains(., 'In the running network')]//*[contains(., 'to approve')]",
    )
    .await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    me.tap("//dialog//button[normalize-space()='Save' and not(@disabled)]")
        .await;
    let saved = me.saved(&path, &first);
    me.sees("//body[not(.//dialog)]").await;
    me.tap("//nav//a[normalize-space(span)='Network']").await;
    me.tap(&button("Approve and apply")).await;
    me.sees("//body[not(.//button[normalize-space()='Approve and apply'])]")
        .await;
    assert_reads(&me, &saved);
    me.sees(&card("box", "ready")).await;
    me.app.end().await;
    drop(machines);
}

#[tokio::test]
async fn with_keys_alone_nothing_becomes_three_machines_a_port_and_a_route() {
    let home = Home::new();
    let machines = Machines::start(&home);
    let me = Person::start(home, &[]).await;
    let tab_to = async |what: &str| me.app.tab_to(&me.home, &me.display, what).await;
    tab_to(&found("gate")).await;
    me.press(&[SPACE]);
    tab_to(&button("Create network with 1 host")).await;
    me.press(&[RETURN]);
    let name = file("keyed");
    save_as(&me.display, &me.home, me.app.pid(), &name);
    let path = me.home.path(&name).to_str().unwrap().to_owned();
    tab_to(&button("Approve and start")).await;
    me.press(&[RETURN]);
    for name in ["laptop", "gate"] {
        me.sees(&card(name, "ready")).await;
    }

    // The container is chosen among what was found, with the arrows.
    me.press(&[CONTROL, NUMBER_4]);
    me.sees(&host("gate")).await;
    me.press(&[LETTER_N]);
    me.focused("//*[@role='menu']//button[1]").await;
    for kind in ["any command", "wsl", "lxc / incus", "kubernetes", "podman"] {
        me.press(&[UP]);
        me.focused(&format!("//*[@role='menuitem' and contains(., '{kind}')]"))
            .await;
    }
    me.press(&[RETURN]);
    me.focused("//form//input[@name='name']").await;
    me.press(&[TAB]);
    me.focused("//form//input[@name='target']").await;
    let offer = "//form//button[@data-offer and contains(., 'box')]";
    me.sees(offer).await;
    me.press(&[DOWN]);
    me.focused(offer).await;
    me.press(&[RETURN]);
    me.focused("//form//input[@name='target']").await;
    me.press(&[RETURN]);
    me.focused(&host("box")).await;

    me.press(&[LETTER_P]);
    me.retype("Port of box", &format!("8080:127.0.0.1:{PORT}"))
        .await;
    me.focused("//button[@aria-label='Publish a port of box']")
        .await;
    me.press(&[ESCAPE]);
    me.focused(&host("box")).await;
    me.press(&[CONTROL, LETTER_F]);
    me.type_in("//input[@placeholder='Find a host']", "gate")
        .await;
    me.press(&[RETURN]);
    me.focused(&host("gate")).await;
    me.press(&[LETTER_R]);
    me.retype("Add a destination", &format!("{BEHIND}/32"))
        .await;
    me.focused(&cloud(1)).await;

    let saved = me.apply(&path).await;
    me.sees(&card("box", "ready")).await;
    assert_reads(&me, &saved);
    me.app.end().await;
    drop(machines);
}
