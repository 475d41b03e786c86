//! Tests with a real network and the real state of the app, but without a window. The network is started, shown,
//! changed, attached to and ended.

use std::fs;

use norouter::view::{ErrorCode, Event, HostAction, HostState, PlanView};

use crate::{
    desk::{Cursor, Desk},
    testing::{Folder, desk, file, manifest, run, until},
    view::{CommandChange, News, Phase},
};

fn state_of(desk: &Desk, host: &str) -> Option<HostState> {
    let network = desk.network()?;
    let mut hosts = network.snapshot.hosts.iter();
    hosts.find(|it| it.name == host).map(|it| it.state)
}

/// Whether the command of a host has written a word to its standard error.
fn said(desk: &Desk, word: &str) -> bool {
    let news = desk.news(&mut Cursor::default());
    news.iter().any(|news| {
        // Events that only quote the word, such as those about the command, do not count.
        let News::Line { line } = news else {
            return false;
        };
        matches!(&line.event, Event::Stderr { line, .. } if line.contains(word))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_before_consent_and_everything_is_seen_afterwards() {
    let folder = Folder::new("session");
    let here = desk(&folder);
    let path = file(&folder, "consent", &manifest(71, "hello"));
    here.open(&path).await.unwrap();
    here.start().await.unwrap();
    let consent = here.app().consent.unwrap();
    assert!(here.app().network.is_none());
    assert_eq!(consent.hosts.len(), 1, "this machine has no command");
    assert_eq!(consent.hosts[0].change, CommandChange::New);
    here.consent(&consent.digest, false).await.unwrap();
    assert!(here.app().network.is_none() && here.app().consent.is_none());
    here.start().await.unwrap();
    assert!(here.consent("another", true).await.is_err());
    assert_eq!(here.app().consent.unwrap().digest, consent.digest);

    here.consent(&consent.digest, true).await.unwrap();
    until(&here, "this machine is ready", |app, desk| {
        let running = app
            .network
            .as_ref()
            .is_some_and(|shown| shown.phase == Phase::Running);
        running && state_of(desk, "laptop") == Some(HostState::Ready)
    })
    .await;
    assert!(here.app().network.unwrap().hosted && here.app().consent.is_none());
    // A second click on the button changes nothing.
    here.start().await.unwrap();
    assert_eq!(here.session_id(), 1);
    assert_eq!(here.flows(10).await.unwrap().total, 0);
    let refused = here.host_action("nobody", HostAction::Restart).await;
    assert_eq!(refused.unwrap_err().code, Some(ErrorCode::NoHost));
    until(&here, "the host has spoken", |_, desk| said(desk, "hello")).await;

    // A second app attaches to the same network, and does not run it.
    let folder_there = Folder::new("other");
    let there = desk(&folder_there);
    there.open(&path).await.unwrap();
    assert!(!there.app().network.unwrap().hosted);
    until(&there, "the other sees it too", |_, desk| {
        state_of(desk, "laptop") == Some(HostState::Ready) && said(desk, "hello")
    })
    .await;
    assert!(here.detach().is_err());
    there.detach().unwrap();
    assert!(there.app().network.is_none());
    let name = here.app().network.unwrap().name;
    there.look_around().await;
    assert!(there.app().running.contains(&name));
    there.attach(&name).await.unwrap();
    assert!(there.attach("../x").await.is_err());

    // A broken file is reported, and the network keeps running unchanged.
    fs::write(&path, "hosts: [").unwrap();
    until(&here, "the mistake is told", |app, _| app.failure.is_some()).await;
    assert!(here.app().failure.unwrap().report.contains("-->"));
    assert_eq!(state_of(&here, "laptop"), Some(HostState::Ready));
    fs::write(&path, manifest(71, "hello")).unwrap();
    until(&here, "the mistake is mended", |app, _| {
        app.failure.is_none()
    })
    .await;

    // An app that has attached may end the network.
    there.stop().await.unwrap();
    until(&here, "it has ended here", |app, _| app.network.is_none()).await;
    until(&there, "it has ended there", |app, _| app.network.is_none()).await;
    // The person is asked about a command that was not agreed to.
    fs::write(&path, manifest(71, "again")).unwrap();
    here.start().await.unwrap();
    assert_eq!(
        here.app().consent.unwrap().hosts[0].change,
        CommandChange::Changed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_change_that_grants_more_is_in_force_before_consent() {
    let (folder, folder_there) = (Folder::new("change"), Folder::new("change-other"));
    let (here, there) = (desk(&folder), desk(&folder_there));
    let path = file(&folder, "change", &manifest(79, "hello"));
    here.open(&path).await.unwrap();
    let digest = here.app().consent.unwrap().digest;
    here.consent(&digest, true).await.unwrap();
    until(&here, "it runs", |_, desk| desk.network().is_some()).await;
    there.open(&path).await.unwrap();
    until(&there, "it is seen", |_, desk| desk.network().is_some()).await;
    let held = |desk: &Desk| desk.network().unwrap().snapshot.held.is_some();

    // The person is asked about a change that grants more. Until the answer, no part of the change is in force.
    let opening = manifest(79, "goodbye").replace(
        "stateDir: {disable: true}}",
        "stateDir: {disable: true}, ports: ['2222:127.0.0.1:22']}",
    );
    fs::write(&path, &opening).unwrap();
    until(&here, "the change is asked for", |app, _| {
        app.failure.is_none() && app.consent.is_some()
    })
    .await;
    let consent = here.app().consent.unwrap();
    assert!(consent.running);
    assert_eq!(consent.hosts[0].change, CommandChange::Changed);
    let fresh: Vec<_> = consent.grants.iter().filter(|grant| grant.is_new).collect();
    assert_eq!(fresh.len(), 1, "{:?}", consent.grants);
    assert!(fresh[0].text.contains("127.0.0.1:22 of this machine"));
    let is_old = |plan: &PlanView| plan.hosts[0].publishes.is_empty();
    until(&there, "the other sees that it waits", |_, desk| held(desk)).await;
    here.consent(&consent.digest, false).await.unwrap();
    assert!(
        here.app().consent.is_none() && held(&there),
        "it goes on waiting"
    );
    here.reload().await.unwrap();
    until(&here, "it is asked for again", |app, _| {
        app.consent.is_some()
    })
    .await;
    assert!(here.consent("another", true).await.is_err());
    assert!(is_old(&here.plan().await.unwrap()) && !said(&here, "goodbye"));
    here.consent(&consent.digest, true).await.unwrap();
    assert!(!is_old(&here.plan().await.unwrap()));
    until(&here, "the new command speaks", |_, desk| {
        said(desk, "goodbye") && !held(desk)
    })
    .await;
    // A change that only takes away is applied without a question. If the person then restores what was taken away, the
    // app asks.
    fs::write(&path, manifest(79, "goodbye")).unwrap();
    until(&there, "less is taken up", |_, desk| {
        desk.network().unwrap().snapshot.hosts[0].ports.is_empty()
    })
    .await;
    assert!(here.app().consent.is_none());
    fs::write(&path, &opening).unwrap();
    until(&here, "it is asked for", |app, _| app.consent.is_some()).await;
    // An app that has attached sees the waiting change. It may approve the change, although only the other app shows
    // the question.
    until(&there, "it waits", |_, desk| held(desk)).await;
    let number = there.network().unwrap().snapshot.held.unwrap().number;
    let path_there = format!("/v1/approve?number={number}");
    there.client().unwrap().post(&path_there).await.unwrap();
    until(&here, "the question is over", |app, _| {
        app.consent.is_none()
    })
    .await;
    here.wind_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_manifest_runs_once_and_the_app_takes_its_network_along() {
    let folder = Folder::new("once");
    let here = desk(&folder);
    let path = file(&folder, "once", &manifest(72, "x"));
    here.open(&path).await.unwrap();
    let digest = here.app().consent.unwrap().digest;
    here.consent(&digest, true).await.unwrap();
    until(&here, "it runs", |_, desk| desk.network().is_some()).await;
    // Another manifest is opened while the network keeps running. When its own manifest is opened again, the network is
    // shown again.
    let other = file(&folder, "other", "hosts: {a: {}}\n");
    let (id, name) = (here.session_id(), here.app().network.unwrap().name);
    here.open(&other).await.unwrap();
    assert!(here.app().network.is_none());
    assert_eq!(here.hosted(), 1);
    here.look_around().await;
    assert!(here.app().running.contains(&name));
    here.attach(&name).await.unwrap();
    assert_eq!((here.session_id(), here.hosted()), (id, 1));
    let shown = here.app();
    assert!(shown.network.unwrap().hosted);
    assert_eq!(shown.manifest.as_deref(), path.to_str());
    // The network can be shown even if its manifest is gone. The manifest of another network is then not shown with it.
    let text = fs::read_to_string(&path).unwrap();
    here.open(&other).await.unwrap();
    fs::remove_file(&path).unwrap();
    here.attach(&name).await.unwrap();
    assert_eq!((here.session_id(), here.hosted()), (id, 1));
    assert!(here.app().network.unwrap().hosted && here.app().manifest.is_none());
    fs::write(&path, text).unwrap();
    // The network ends with the app, even if it is not shown.
    here.open(&other).await.unwrap();
    here.wind_down().await;
    assert_eq!(here.hosted(), 0);
    // At its next start, the app still knows which network was running and what was agreed to.
    let next = desk(&folder);
    assert_eq!(next.last_open(), (Some(other), vec![path.clone()]));
    next.resume(Some(path.clone())).await;
    until(&next, "it runs again", |_, desk| desk.network().is_some()).await;
    assert!(next.app().consent.is_none() && next.app().network.unwrap().hosted);
    next.wind_down().await;
    assert!(next.app().network.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_networks_that_ran_are_resumed_as_far_as_they_are_approved() {
    let folder = Folder::new("resume");
    let here = desk(&folder);
    let three = [(81, "one"), (82, "two"), (83, "three")];
    let paths = three.map(|(net, name)| file(&folder, name, &manifest(net, "x")));
    for path in &paths {
        run(&here, path).await;
    }
    assert_eq!(here.hosted(), 3);
    // Even if the app crashes now, it will know that these networks ran.
    assert_eq!(desk(&folder).last_open().1, paths);
    here.wind_down().await;
    assert_eq!(here.hosted(), 0);
    assert!(here.start().await.is_err(), "the app is being quit");
    // A signal may try to end the app a second time.
    here.wind_down().await;

    fs::write(&paths[0], manifest(81, "another")).unwrap();
    let next = desk(&folder);
    next.resume(None).await;
    assert_eq!(next.hosted(), 2);
    let app = next.app();
    assert_eq!(app.manifest.as_deref(), paths[2].to_str());
    assert!(app.network.unwrap().hosted && app.consent.is_none());
    let failure = app.failure.unwrap();
    assert!(
        failure.title.starts_with("Could not start one-"),
        "{failure:?}"
    );
    assert!(
        failure.title.ends_with("needs your approval"),
        "{failure:?}"
    );
    assert_eq!(next.last_open().1, paths[1..]);
    next.open_failed().await.unwrap();
    let consent = next.app().consent.unwrap();
    assert_eq!(consent.hosts[0].change, CommandChange::Changed);
    // An answer to a question that is not shown any more changes nothing.
    next.consent("another", false).await.unwrap();
    assert!(next.app().consent.is_some());
    next.consent(&consent.digest, false).await.unwrap();
    assert!(next.app().consent.is_none());

    // If the person stops a network, it does not run at the next start.
    next.open(&paths[1]).await.unwrap();
    next.stop_and_wait().await.unwrap();
    assert_eq!(next.last_open().1, paths[2..]);
    next.wind_down().await;
}

/// A command that writes a burst, and never becomes an agent.
const BURST: &str = "i=0; while [ $i -lt 1900 ]; do echo burst $i >&2; i=$((i+1)); done; echo done >&2; exec sleep 1000";

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_burst_reaches_the_page_and_is_on_the_disk_with_its_date() {
    let folder = Folder::new("burst");
    let here = desk(&folder);
    let text = format!(
        "hosts:\n  web: {{vip: 127.0.84.2, cmd: [sh, -c, '{BURST}'], loopback: {{disable: true}}}}\n"
    );
    run(&here, &file(&folder, "burst", &text)).await;
    until(&here, "the burst is over", |_, desk| said(desk, "done")).await;
    let burst: Vec<String> = (0..1_900).map(|number| format!("burst {number}")).collect();
    let news = here.news(&mut Cursor::default());
    let told = news.iter().filter_map(|news| {
        let News::Line { line } = news else {
            return None;
        };
        let Event::Stderr { line, .. } = &line.event else {
            return None;
        };
        line.starts_with("burst").then(|| line.clone())
    });
    assert_eq!(told.collect::<Vec<_>>(), burst);
    let log = here.app().network.unwrap().log.unwrap();
    let log = fs::read_to_string(log).unwrap();
    let lines = log.lines().filter(|line| line.contains("| burst"));
    let lines: Vec<_> = lines.map(|line| line.split_once("| ").unwrap()).collect();
    assert_eq!(
        lines.iter().map(|(_, said)| *said).collect::<Vec<_>>(),
        burst
    );
    let (before, _) = lines[0];
    let year = before.split_once('-').unwrap().0;
    assert!(
        year.parse::<u16>().is_ok_and(|year| year > 2_000),
        "{before}"
    );
    // The report for helpers contains the path of the log.
    let report = crate::diagnostics::text(&here).await;
    assert!(report.contains(".log\n"), "{report}");
    here.wind_down().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn jump_hosts_are_found_only_for_commands_that_run() {
    let folder = Folder::new("way");
    let here = desk(&folder);
    let ran = folder.path("ran");
    let config = format!(
        "Match host web exec \"echo x >> {}\"\n ProxyJump gate\nHost gate\n HostName 127.0.0.1\n Port 1\n",
        ran.display()
    );
    let config = folder.file("config", &config);
    let text = format!(
        "hosts:\n  web: {{vip: 127.0.85.2, cmd: [ssh, -F, '{}', web, --, norouter], loopback: {{disable: true}}}}\n",
        config.display()
    );
    let path = file(&folder, "way", &text);
    let finding = tokio::spawn(crate::jumps::find(here.clone()));
    here.open(&path).await.unwrap();
    assert!(here.app().consent.is_some() && !ran.exists());
    let digest = here.app().consent.unwrap().digest;
    here.consent(&digest, true).await.unwrap();
    until(&here, "the jump host is found", |app, _| {
        let shown = app.network.as_ref();
        shown.is_some_and(|shown| shown.jumps.get("web").is_some_and(|way| way == "gate"))
    })
    .await;
    finding.abort();
    here.wind_down().await;
}

#[tokio::test]
async fn a_damaged_file_of_the_app_is_told_of_although_a_manifest_is_opened() {
    let folder = Folder::new("damaged");
    fs::create_dir_all(folder.path("config")).unwrap();
    folder.file("config/settings.json", "{broken");
    let here = desk(&folder);
    let path = file(&folder, "damaged", "hosts: {a: {}}\n");
    here.open(&path).await.unwrap();
    let told = here.app().failure.unwrap().report;
    assert!(told.contains("settings.json.broken-1"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_with_mistakes_is_told_and_can_be_mended() {
    let folder = Folder::new("mistakes");
    let here = desk(&folder);
    let path = file(&folder, "mistakes", "hosts: {a: {vip: 10.0.0.1}}\n");
    here.open(&path).await.unwrap();
    assert!(here.app().failure.unwrap().report.contains("10.0.0.1"));
    assert!(here.start().await.is_err());
    assert!(here.app().network.is_none());
    let mut cursor = Cursor::default();
    here.news(&mut cursor);
    fs::write(&path, "hosts: {a: {cmd: 'true'}}\n").unwrap();
    let mut told = false;
    until(&here, "the change is told", |_, desk| {
        let news = desk.news(&mut cursor);
        told |= news
            .iter()
            .any(|news| matches!(news, News::Manifest { .. }));
        told
    })
    .await;
    // The reason why a file cannot be opened is in the title, and the file can be tried again.
    let nowhere = folder.path("nowhere.yaml");
    let error = here.open(&nowhere).await.unwrap_err();
    here.fail_to_open(&nowhere, error);
    let failure = here.app().failure.unwrap();
    let title = "Could not open nowhere.yaml: ";
    assert!(failure.title.starts_with(title), "{failure:?}");
    assert!(
        failure.title.len() > title.len() && !failure.title.contains("cannot open"),
        "{failure:?}"
    );
    assert_eq!(failure.manifest.as_deref(), nowhere.to_str());
    assert!(here.open_failed().await.is_err());
    fs::write(&nowhere, "hosts: {a: {cmd: 'true'}}\n").unwrap();
    here.open_failed().await.unwrap();
    assert_eq!(here.app().manifest.as_deref(), nowhere.to_str());
    assert!(here.app().failure.is_none());
}
