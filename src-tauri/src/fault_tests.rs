//! Tests of rare events with a real network: the control socket disappears, its streams break, a network is stopped or
//! changed while it starts, and the app is quit in the middle of a start.

use std::{
    fs::{self, File},
    path::PathBuf,
    pin::pin,
    time::Duration,
};

use norouter::view::{HostAction, HostState};

use crate::{
    desk::{Cursor, Desk},
    dialogs,
    testing::{Folder, PATIENCE, Paper, desk, file, manifest, run, until},
    view::{App, News, Phase},
};

fn phase(app: &App) -> Option<Phase> {
    app.network.as_ref().map(|shown| shown.phase)
}

/// The path of the control socket of the shown network.
fn socket(desk: &Desk) -> PathBuf {
    let name = desk.app().network.unwrap().name;
    let end = format!("/{name}.sock");
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    let mut paths = sockets
        .lines()
        .filter_map(|line| line.split(' ').next_back());
    PathBuf::from(paths.find(|path| path.ends_with(&end)).unwrap())
}

/// Removes the control socket of the shown network, as a program that cleans up temporary files does. The manager
/// cannot create it again until the returned value is dropped.
fn take_away_socket(desk: &Desk) -> Kept {
    let socket = socket(desk);
    let lock = socket.with_extension("lock");
    let mine = socket.with_extension("kept");
    let held = File::create(&mine).unwrap();
    held.lock().unwrap();
    fs::rename(mine, &lock).unwrap();
    fs::remove_file(socket).unwrap();
    Kept { lock, _held: held }
}

/// Holds the lock file of a network, so that its manager cannot take it.
struct Kept {
    lock: PathBuf,
    _held: File,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.lock);
    }
}

/// Breaks all connections to the control socket of the shown network. Returns how many there were.
fn cut(desk: &Desk) -> usize {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let socket = socket(desk);
    // Both ends are in this process. Safe code can only get a copy of a descriptor, but a copy is enough.
    let this = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let numbers: Vec<i32> = descriptors
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let is_end = |stream: &std::os::unix::net::UnixStream| {
        // The listening socket has the same address, but it is not connected.
        let address = stream.local_addr().ok();
        stream.peer_addr().is_ok()
            && address.is_some_and(|it| it.as_pathname() == Some(socket.as_path()))
    };
    let copies = numbers.into_iter().filter_map(|number| {
        let copy = pidfd_getfd(&this, number, PidfdGetfdFlags::empty()).ok()?;
        Some(std::os::unix::net::UnixStream::from(copy))
    });
    let cut = copies.filter(is_end).filter(|stream| {
        let shut = stream.shutdown(std::net::Shutdown::Both);
        shut.is_ok()
    });
    cut.count()
}

/// Calls `act` again and again until it succeeds.
async fn succeeds<E: std::fmt::Debug>(mut act: impl AsyncFnMut() -> Result<(), E>) {
    let trying = async {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            if act().await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, trying).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_cannot_be_stopped_runs_on_and_can_be_stopped_later() {
    let (folder, folder_there) = (Folder::new("stop"), Folder::new("stop-other"));
    let (here, there) = (desk(&folder), desk(&folder_there));
    let path = file(&folder, "stop", &manifest(86, "hello"));
    run(&here, &path).await;
    there.open(&path).await.unwrap();
    until(&there, "it is seen", |app, _| {
        phase(app) == Some(Phase::Running)
    })
    .await;
    let kept = take_away_socket(&here);
    let name = here.app().network.unwrap().name;
    // An impatient person clicks twice.
    let (error, again) = tokio::join!(there.stop(), there.stop());
    assert!(error.unwrap_err().contains(&name) && again.is_err());
    assert_eq!(phase(&there.app()), Some(Phase::Running));
    assert!(there.stop_and_wait().await.is_err());
    // The app can be quit. It does not run the network itself, so the network keeps running.
    let paper = Paper::default();
    dialogs::quit(&there, &paper).await;
    assert_eq!(paper.taken(), ["exit"]);
    assert_eq!(phase(&here.app()), Some(Phase::Running));

    drop(kept);
    succeeds(async || there.stop().await).await;
    for desk in [&here, &there] {
        until(desk, "it has ended", |app, _| app.network.is_none()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_stops_its_own_networks_although_their_control_sockets_are_gone() {
    let folder = Folder::new("gone");
    let here = desk(&folder);
    let paths = [(87, "one"), (88, "two")].map(|(net, name)| {
        let name = format!("gone-{name}");
        file(&folder, &name, &manifest(net, "hello"))
    });
    run(&here, &paths[0]).await;
    let kept = take_away_socket(&here);
    here.stop_and_wait().await.unwrap();
    assert!(here.app().network.is_none());
    drop(kept);

    here.start().await.unwrap();
    let _kept = take_away_socket(&here);
    run(&here, &paths[1]).await;
    let _kept = take_away_socket(&here);
    let paper = Paper::that_says_yes();
    dialogs::quit(&here, &paper).await;
    assert_eq!(here.hosted(), 0);
    assert_eq!(
        paper.taken(),
        [
            "asked: Quit NoRouter and stop 2 networks? Disconnects 4 hosts. Nothing is using them now.",
            "exit"
        ]
    );
}

/// All tasks of this test share one thread, so that nothing happens between two lines without an `await`.
#[tokio::test]
async fn a_network_that_is_stopped_while_it_starts_does_not_come_up_again() {
    let folder = Folder::new("early");
    let here = desk(&folder);
    let path = file(&folder, "early", &manifest(89, "hello"));
    here.open(&path).await.unwrap();
    let digest = here.app().consent.unwrap().digest;
    here.consent(&digest, true).await.unwrap();
    assert_eq!(phase(&here.app()), Some(Phase::Starting));
    let (watched, mut wakes) = (here.clone(), here.wakes());
    let watching = tokio::spawn(async move {
        let mut phases = vec![phase(&watched.app())];
        while phases.last() != Some(&None) && wakes.changed().await.is_ok() {
            phases.push(phase(&watched.app()));
        }
        phases.dedup();
        phases
    });
    here.stop().await.unwrap();
    assert!(here.start().await.unwrap_err().contains("stopping"));
    let phases = tokio::time::timeout(PATIENCE, watching).await.unwrap();
    assert_eq!(phases.unwrap(), [Some(Phase::Ending), None]);
    // The network can be started again. A network that was stopped does not run at the next start of the app.
    here.start().await.unwrap();
    until(&here, "it runs", |app, _| {
        phase(app) == Some(Phase::Running)
    })
    .await;
    assert_eq!(here.last_open().1, [path]);
    here.stop_and_wait().await.unwrap();
    assert!(here.last_open().1.is_empty());
}

/// Lets a future run until it has to wait for the first time. Returns its result if it does not have to wait. A start
/// of a network reads its manifest, and waits for the answers of other networks.
async fn until_it_waits<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn the_app_is_quit_while_a_network_starts_and_nothing_outlives_it() {
    let (folder, folder_there) = (Folder::new("quit"), Folder::new("quit-other"));
    let (here, there) = (desk(&folder), desk(&folder_there));
    run(
        &there,
        &file(&folder_there, "quit-there", &manifest(90, "hello")),
    )
    .await;
    let path = file(&folder, "quit", &manifest(91, "hello"));
    here.open(&path).await.unwrap();
    let digest = here.app().consent.unwrap().digest;
    let mut starting = pin!(here.consent(&digest, true));
    assert!(until_it_waits(starting.as_mut()).await.is_none());
    assert_eq!(here.hosted(), 0);
    // The network does not run yet, but its start is waited for.
    let mut leaving = pin!(here.wind_down());
    assert!(until_it_waits(leaving.as_mut()).await.is_none());
    let (started, ()) = tokio::join!(starting, leaving);
    assert!(started.unwrap_err().contains("quitting"));
    assert_eq!(here.hosted(), 0);
    let state = here.network();
    assert!(state.is_none() && here.app().network.is_none());
    let running = norouter::driver::control::Client::running().await;
    let mut names = running.iter().map(|client| client.name().to_string());
    assert!(!names.any(|name| name == format!("quit-{}", std::process::id())));
    there.wind_down().await;
}

#[tokio::test]
async fn a_manifest_that_changes_while_its_network_starts_is_asked_about() {
    let (folder, folder_there) = (Folder::new("meanwhile"), Folder::new("meanwhile-other"));
    let (here, there) = (desk(&folder), desk(&folder_there));
    run(
        &there,
        &file(&folder_there, "meanwhile-there", &manifest(94, "hello")),
    )
    .await;
    let path = file(&folder, "meanwhile", &manifest(92, "one"));
    here.open(&path).await.unwrap();
    let stale = here.app().consent.unwrap().digest;
    // The file changes after the person has seen its commands, and before they are approved.
    fs::write(&path, manifest(92, "two")).unwrap();
    let error = here.consent(&stale, true).await.unwrap_err();
    assert!(error.contains("has changed"), "{error}");
    assert!(here.app().network.is_none());
    let consent = here.app().consent.unwrap();
    assert!(format!("{consent:?}").contains("two"));

    // The file changes after it was read for the start, and before its network runs. The network starts as it was
    // approved, and the person is asked about the change.
    let mut starting = pin!(here.consent(&consent.digest, true));
    assert!(until_it_waits(starting.as_mut()).await.is_none());
    fs::write(&path, manifest(92, "three")).unwrap();
    starting.await.unwrap();
    until(&here, "the change is asked about", |app, _| {
        app.consent.as_ref().is_some_and(|asked| asked.running)
    })
    .await;
    let asked = here.app().consent.unwrap();
    assert!(format!("{asked:?}").contains("three"));
    let plan = here.hosted_plan().unwrap();
    assert_eq!(crate::consent::digest(&plan), consent.digest);
    here.wind_down().await;
    there.wind_down().await;
}

/// Adds the lines of the log that this page receives to `lines`. Returns whether the page receives the whole state
/// again.
fn received(desk: &Desk, cursor: &mut Cursor, lines: &mut Vec<u64>) -> bool {
    let mut whole = false;
    for news in desk.news(cursor) {
        match news {
            News::Network { .. } => whole = true,
            News::Line { line } => lines.push(line.seq),
            News::Missed { count } => panic!("{count} lines are missing"),
            News::App { .. } | News::Host { .. } | News::Manifest { .. } | News::Go { .. } => {}
            News::Ended => panic!("the network has not ended"),
        }
    }
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_broken_stream_the_page_gets_the_whole_state_again_and_no_line_twice() {
    let (folder, folder_there) = (Folder::new("broken"), Folder::new("broken-other"));
    let (here, there) = (desk(&folder), desk(&folder_there));
    let path = file(&folder, "broken", &manifest(93, "hello"));
    run(&here, &path).await;
    there.open(&path).await.unwrap();
    let is_ready = |_: &App, desk: &Desk| {
        let hosts = desk.network().map(|it| it.snapshot.hosts);
        hosts.is_some_and(|hosts| hosts[0].state == HostState::Ready)
    };
    let mut pages = [
        (&here, Cursor::default(), vec![]),
        (&there, Cursor::default(), vec![]),
    ];
    for (desk, cursor, lines) in &mut pages {
        until(desk, "it is seen", is_ready).await;
        received(desk, cursor, lines);
    }
    for action in [HostAction::Stop, HostAction::Start] {
        // One connection of each app reads the events.
        assert!(cut(&here) >= 2);
        here.host_action("mute", action).await.unwrap();
        for (desk, cursor, lines) in &mut pages {
            let mut whole = false;
            until(desk, "it is seen again", |_, desk| {
                whole |= received(desk, cursor, lines);
                let hosts = desk.network().unwrap().snapshot.hosts;
                whole && (hosts[1].state == HostState::Stopped) == (action == HostAction::Stop)
            })
            .await;
        }
    }
    for (desk, _, lines) in &pages {
        // A page that is opened now gets each line once, too.
        let mut late = Vec::new();
        assert!(received(desk, &mut Cursor::default(), &mut late));
        assert!(late.starts_with(lines), "{lines:?}, then {late:?}");
        let first = late[0];
        let all: Vec<u64> = (first..first + late.len() as u64).collect();
        assert_eq!(late, all);
        assert!(desk.app().failure.is_none());
        assert_eq!(phase(&desk.app()), Some(Phase::Running));
    }
    // The end of the network is not mistaken for a broken stream.
    here.stop_and_wait().await.unwrap();
    until(&there, "it has ended", |app, _| app.network.is_none()).await;
    assert!(there.app().failure.is_none());
}
