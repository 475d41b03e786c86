//! Tests of a host whose instance is chosen at each start.

use std::time::Duration;

use super::{
    reload::{CAN, done, plan},
    *,
};
use crate::link::CannotStart;

const PODS: &str = "
hosts:
  alpha: {vip: 127.0.42.100, kubernetes: {selector: app=api}}
";

fn at(millis: u64) -> Instant {
    NOW + Duration::from_millis(millis)
}

fn line(name: &str, is_ready: bool, deleted: &str) -> String {
    let ready = if is_ready { "True" } else { "False" };
    format!("MODIFIED|{name}|{name}|{ready}|2026|{deleted}")
}

/// A network whose only host waits for a pod.
fn waiting() -> Core {
    let mut core = Core::new(&plan(PODS), 1);
    core.start(NOW);
    assert_eq!(done(&mut core), ["look 1 for 127.0.42.100: kubectl"]);
    core.handle_look_line(NOW, vip(A), 1, &line("one", false, ""));
    core.handle_timeout(at(100));
    assert_eq!(states(&core), [HostState::Starting]);
    core
}

/// A network whose only host is in the pod `one`.
fn inside() -> Core {
    let mut core = waiting();
    core.handle_look_line(at(200), vip(A), 1, &line("one", true, ""));
    assert_eq!(done(&mut core), ["start 127.0.42.100: kubectl"]);
    core.handle_spawned(at(300), vip(A), Ok(()));
    let mut hello = greeting(&format!(r#""tcp","loopback"{CAN}"#));
    core.handle_bytes(at(300), vip(A), &mut hello);
    assert_eq!(states(&core), [HostState::Ready]);
    core
}

#[test]
fn a_host_without_a_ready_pod_says_so_and_can_be_stopped() {
    let mut core = waiting();
    core.handle_timeout(at(2_000));
    let view = &core.snapshot(at(2_000)).hosts[0];
    assert_eq!(view.troubles[0].code, TroubleCode::Unready);
    assert_eq!(view.instance, None);
    outputs(&mut core);
    core.stop(at(3_000));
    assert_eq!(done(&mut core), ["end look 1 for 127.0.42.100"]);
    assert!(!core.is_over(), "the command still runs");
    outputs(&mut core);
    core.handle_look_end(at(3_100), vip(A), 1, Ok(Ending::Signal(9)));
    assert!(core.is_over());
    let told = outputs(&mut core);
    assert!(
        told.contains(&Output::Changed),
        "the driver is told: {told:?}"
    );
}

#[test]
fn a_host_is_moved_from_a_pod_that_goes_away_to_one_that_is_ready() {
    let mut core = inside();
    let view = &core.snapshot(at(300)).hosts[0];
    assert_eq!(view.instance.as_deref(), Some("one"));
    core.handle_look_line(at(400), vip(A), 1, &line("two", true, ""));
    core.handle_look_line(at(500), vip(A), 1, &line("one", true, "soon"));
    assert_eq!(done(&mut core), ["end 127.0.42.100"]);
    core.handle_exit(at(600), vip(A), Ending::Status(0));
    assert_eq!(
        done(&mut core),
        ["start 127.0.42.100: kubectl"],
        "without a pause"
    );
    core.handle_spawned(at(700), vip(A), Ok(()));
    let view = &core.snapshot(at(700)).hosts[0];
    assert_eq!(view.instance.as_deref(), Some("two"));
}

#[test]
fn a_host_that_lost_its_pod_is_started_as_soon_as_another_is_ready() {
    let mut core = inside();
    core.handle_closed(at(400), vip(A));
    core.handle_exit(at(400), vip(A), Ending::Status(137));
    assert_eq!(states(&core), [HostState::Waiting]);
    outputs(&mut core);
    core.handle_look_line(at(410), vip(A), 1, &line("one", false, ""));
    assert_eq!(done(&mut core), [""; 0]);
    core.handle_look_line(at(420), vip(A), 1, &line("two", true, ""));
    assert_eq!(done(&mut core), ["start 127.0.42.100: kubectl"]);
}

#[test]
fn a_failed_list_is_a_loss_like_any_other() {
    for (outcome, expected) in [
        (Ok(Ending::Status(1)), "no rights (status 1)"),
        (
            Err(CannotStart::NotFound("kubectl".to_owned())),
            "its command could not be started: \"kubectl\"",
        ),
    ] {
        let mut core = waiting();
        core.handle_stderr(at(200), vip(A), b"no rights");
        core.handle_look_end(at(200), vip(A), 1, outcome);
        assert_eq!(states(&core), [HostState::Waiting]);
        let reason = core.snapshot(at(200)).hosts[0].reason.clone().unwrap();
        assert!(reason.starts_with(expected), "{reason}");
        outputs(&mut core);
        let mut looks = Vec::new();
        while looks.is_empty() {
            let (due, _) = core.poll_timeout().unwrap();
            core.handle_timeout(due);
            looks = done(&mut core);
        }
        assert_eq!(looks, ["look 2 for 127.0.42.100: kubectl"]);
    }
}

#[test]
fn another_choice_in_the_manifest_ends_the_one_before() {
    let mut core = inside();
    outputs(&mut core);
    let other = PODS.replace("app=api", "app=web");
    core.reload(at(400), &plan(&other), Commands::Start);
    assert_eq!(done(&mut core), ["end 127.0.42.100"]);
    core.handle_exit(at(500), vip(A), Ending::Status(0));
    let looks = [
        "end look 1 for 127.0.42.100",
        "look 2 for 127.0.42.100: kubectl",
    ];
    assert_eq!(done(&mut core), looks);
    let none = PODS.replace("kubernetes: {selector: app=api}", "cmd: alpha");
    core.reload(at(600), &plan(&none), Commands::Start);
    let started = ["end look 2 for 127.0.42.100", "start 127.0.42.100: alpha"];
    assert_eq!(done(&mut core), started);
}

#[test]
fn the_commands_that_list_pods_are_held_with_the_one_that_enters_them() {
    let mut core = inside();
    outputs(&mut core);
    let other = PODS.replace("app=api", "app=web");
    core.reload(at(400), &plan(&other), Commands::Hold);
    assert_eq!(done(&mut core), [""; 0]);
    let held = core.snapshot(at(400)).hosts[0].held.clone().unwrap();
    assert!(held.lookups[0].contains(&"--selector=app=web".to_owned()));
}
