//! Tests of a manifest that is edited while its network runs.

use super::*;
use crate::{
    plan::{self, Kind},
    view::TryOutcome,
};

const C: &str = "127.0.42.102";

pub(super) const OLD: &str = "
hosts:
  alpha: {vip: 127.0.42.100, cmd: alpha, ports: ['8080:127.0.0.1:80']}
  beta: {vip: 127.0.42.101, cmd: beta, ports: ['8080:127.0.0.1:80']}
";

pub(super) fn plan(text: &str) -> Plan {
    let loaded = plan::load("test.yaml", text);
    loaded.plan.expect("a good manifest")
}

/// A network whose agents are ready. With [`CAN`] as `feature`, the agents can be configured again; with an empty text
/// they cannot.
pub(super) fn running(text: &str, feature: &str) -> Core {
    let plan = plan(text);
    let mut core = Core::new(&plan, 1);
    core.start(NOW);
    for host in &plan.hosts {
        answer(&mut core, host.vip, feature);
    }
    outputs(&mut core);
    core
}

fn answer(core: &mut Core, vip: Vip, feature: &str) {
    core.handle_spawned(NOW, vip, Ok(()));
    let mut hello = greeting(&format!(r#""tcp","loopback"{feature}"#));
    core.handle_bytes(NOW, vip, &mut hello);
    while core.poll_frame(NOW, vip).is_some() {}
}

pub(super) const CAN: &str = r#","reconfigure""#;

/// The processes that are started or ended, in words.
pub(super) fn done(core: &mut Core) -> Vec<String> {
    let outputs = outputs(core).into_iter();
    outputs
        .filter_map(|output| match output {
            Output::Spawn(vip, Start::Command(argv) | Start::Shell(argv)) => {
                Some(format!("start {vip}: {}", argv[0]))
            }
            Output::Spawn(vip, Start::InProcess) => Some(format!("start {vip}")),
            Output::Spawn(_, Start::Chosen(_)) => panic!("no instance was chosen"),
            Output::Look(vip, number, argv) => {
                Some(format!("look {number} for {vip}: {}", argv[0]))
            }
            Output::EndLook(vip, number) => Some(format!("end look {number} for {vip}")),
            Output::CloseInput(vip) => Some(format!("end {vip}")),
            Output::Terminate(_)
            | Output::Kill(_)
            | Output::Wake(_)
            | Output::Fetch(..)
            | Output::Event(_)
            | Output::Reply(..)
            | Output::Answer(..)
            | Output::Changed => None,
        })
        .collect()
}

#[test]
fn the_same_plan_changes_nothing() {
    let mut core = running(OLD, CAN);
    assert!(core.reload(NOW, &plan(OLD), Commands::Start).is_empty());
    assert!(done(&mut core).is_empty());
    assert_eq!(core.poll_frame(NOW, vip(A)), None);
    assert_eq!(states(&core), [HostState::Ready, HostState::Ready]);
}

#[test]
fn a_port_more_is_a_message_and_ends_nothing() {
    let mut core = running(OLD, CAN);
    let new = OLD.replace(
        "ports: ['8080:127.0.0.1:80']}\n  beta",
        "ports: ['8080:127.0.0.1:80', '81:127.0.0.1:81']}\n  beta",
    );
    let changes = core.reload(NOW, &plan(&new), Commands::Start);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].kind, Kind::Reconfigured);
    assert!(done(&mut core).is_empty());
    assert_eq!(configured_with(&mut core, A).forwards.len(), 2);
    assert_eq!(configured_with(&mut core, B).others.len(), 2);
    assert_eq!(core.snapshot(NOW).hosts[0].ports, [81, 8080]);
}

#[test]
fn an_upstream_agent_is_started_again_instead() {
    let mut core = running(OLD, "");
    let new = OLD.replace("beta: {", "beta: {aliases: [bee], ");
    core.reload(NOW, &plan(&new), Commands::Start);
    let expected = [A, B].map(|host| format!("end {host}"));
    assert_eq!(done(&mut core), expected, "each of them knows the names");
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    let later = NOW + std::time::Duration::from_secs(1);
    core.handle_timeout(later);
    assert_eq!(done(&mut core), [format!("start {B}: beta")]);
}

#[test]
fn a_route_that_is_gone_is_told_of_although_no_host_has_changed() {
    let mut core = running(OLD, CAN);
    let with = format!(
        "{OLD}routes:\n  - {{to: ['10.0.0.0/8'], via: beta}}\n  - {{to: ['10.1.0.0/16'], via: beta}}\n"
    );
    let told = core.take_up(NOW, &plan(&with), Hold::Nothing).changes;
    assert!(told.contains(&"the routes: changed".to_owned()), "{told:?}");
    let without = with.replace("  - {to: ['10.1.0.0/16'], via: beta}\n", "");
    let told = core.take_up(NOW, &plan(&without), Hold::Nothing).changes;
    assert_eq!(told, ["the routes: changed"]);
    let told = core.take_up(NOW, &plan(&without), Hold::Nothing).changes;
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn hosts_come_and_go_and_the_others_stay() {
    let mut core = running(OLD, CAN);
    let new = OLD.replace(
        "beta: {vip: 127.0.42.101, cmd: beta",
        "gamma: {vip: 127.0.42.102, cmd: gamma",
    );
    let changes = core.reload(NOW, &plan(&new), Commands::Start);
    let kinds: Vec<_> = changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [Kind::Removed, Kind::Added]);
    assert_eq!(
        done(&mut core),
        [format!("end {B}"), format!("start {C}: gamma")]
    );
    assert_eq!(states(&core), [HostState::Ready, HostState::Starting]);
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    assert!(core.hosts.len() == 2 && core.switch.flow_count(vip(B)) == 0);
    answer(&mut core, vip(C), CAN);
    assert_eq!(states(&core), [HostState::Ready, HostState::Ready]);
    core.reload(NOW, &plan(OLD), Commands::Start);
    core.reload(NOW, &plan(&new), Commands::Start);
    core.handle_exit(NOW, vip(C), Ending::Status(0));
    assert_eq!(core.hosts.len(), 3, "one host is still on its way out");
}

#[test]
fn a_host_that_is_back_in_the_manifest_before_its_process_has_ended_runs_again() {
    let mut core = running(OLD, CAN);
    let (alone, _) = OLD.split_once("  beta").unwrap();
    core.reload(NOW, &plan(alone), Commands::Start);
    assert_eq!(done(&mut core), [format!("end {B}")]);
    let changes = core.reload(NOW, &plan(OLD), Commands::Start);
    assert_eq!(changes[0].kind, Kind::Added);
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    let later = NOW + std::time::Duration::from_secs(1);
    core.handle_timeout(later);
    assert_eq!(done(&mut core), [format!("start {B}: beta")]);
}

#[test]
fn another_command_is_another_process() {
    let mut core = running(OLD, CAN);
    let new = OLD.replace("cmd: beta", "cmd: other");
    core.reload(NOW, &plan(&new), Commands::Start);
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    core.handle_timeout(NOW + std::time::Duration::from_secs(1));
    assert_eq!(
        done(&mut core),
        [format!("end {B}"), format!("start {B}: other")]
    );
}

#[test]
fn a_command_that_is_held_is_not_started_by_anything_but_approval() {
    let mut core = running(OLD, CAN);
    let new = format!(
        "{}  gamma: {{vip: {C}, cmd: gamma}}\n",
        OLD.replace("cmd: beta", "cmd: evil")
    );
    let changes = core.reload(NOW, &plan(&new), Commands::Hold);
    assert!(changes.iter().all(|change| change.kind == Kind::Held));
    assert_eq!(changes.len(), 2);
    assert!(done(&mut core).is_empty());
    let expected = [HostState::Ready, HostState::Degraded, HostState::NeedsYou];
    assert_eq!(states(&core), expected);
    let held = &core.snapshot(NOW).hosts[1].troubles[0];
    assert_eq!(held.code, TroubleCode::Approval);
    assert!(held.what.contains("evil"));
    // A held command is not approved by another edit of the same host, by a restart, or by a request to start.
    let edited = new
        .replace("cmd: evil", "aliases: [bee], cmd: evil")
        .replace("cmd: gamma", "aliases: [gee], cmd: gamma");
    core.reload(NOW, &plan(&edited), Commands::Hold);
    assert!(
        !core.host_action(NOW, vip(C), HostAction::Start),
        "whoever asks is told"
    );
    assert!(!core.host_action(NOW, vip(C), HostAction::Restart));
    assert!(
        core.host_action(NOW, vip(B), HostAction::Restart),
        "with the old command"
    );
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    let later = NOW + std::time::Duration::from_secs(1);
    core.handle_timeout(later);
    assert_eq!(
        done(&mut core),
        [format!("end {B}"), format!("start {B}: beta")]
    );
    answer(&mut core, vip(B), CAN);
    approve(&mut core, later);
    core.handle_exit(later, vip(B), Ending::Status(0));
    let mut started = done(&mut core);
    started.sort();
    assert_eq!(
        started,
        [
            format!("end {B}"),
            format!("start {B}: evil"),
            format!("start {C}: gamma")
        ]
    );
}

#[test]
fn a_lost_host_that_becomes_another_one_is_started_once() {
    let mut core = running(OLD, CAN);
    core.handle_exit(NOW, vip(B), Ending::Status(1));
    assert_eq!(states(&core), [HostState::Ready, HostState::Waiting]);
    let new = OLD.replace("cmd: beta, ports: ['8080", "cmd: other, ports: ['81");
    core.reload(NOW, &plan(&new), Commands::Start);
    core.handle_timeout(NOW + std::time::Duration::from_millis(100));
    assert_eq!(done(&mut core), [format!("start {B}: other")]);
}

#[test]
fn who_approves_approves_what_was_shown() {
    let mut core = running(OLD, CAN);
    let number = |core: &Core| core.snapshot(NOW).hosts[1].held.as_ref().unwrap().number;
    core.reload(
        NOW,
        &plan(&OLD.replace("cmd: beta", "cmd: good")),
        Commands::Hold,
    );
    let seen = number(&core);
    // When something else in the manifest changes, the command keeps the number that a person has seen.
    let edited = OLD.replace("cmd: beta", "aliases: [bee], cmd: good");
    core.reload(NOW, &plan(&edited), Commands::Hold);
    assert_eq!(number(&core), seen);
    core.reload(
        NOW,
        &plan(&OLD.replace("cmd: beta", "cmd: evil")),
        Commands::Hold,
    );
    assert!(!core.approve(NOW, vip(B), seen), "it was another command");
    // A number is never used a second time, whatever happens to the manifest.
    core.reload(NOW, &plan(OLD), Commands::Hold);
    assert_eq!(core.snapshot(NOW).hosts[1].held, None);
    core.reload(
        NOW,
        &plan(&OLD.replace("cmd: beta", "cmd: evil")),
        Commands::Hold,
    );
    assert!(!core.approve(NOW, vip(B), seen));
    assert!(done(&mut core).is_empty());
    let view = core.snapshot(NOW).hosts[1].held.clone().unwrap();
    assert_eq!(view.command[0], "evil");
    assert_eq!(view.previous.unwrap()[0], "beta");
    assert!(core.approve(NOW, vip(B), view.number));
    assert!(!core.approve(NOW, vip(B), view.number), "once");
    assert_eq!(done(&mut core), [format!("end {B}")]);
}

/// Approves every command that is held.
fn approve(core: &mut Core, now: Instant) {
    for host in core.snapshot(now).hosts {
        if let Some(held) = host.held {
            core.approve(now, host.vip.parse().unwrap(), held.number);
        }
    }
}

#[test]
fn what_is_held_is_not_approved_for_a_host_that_was_stopped_or_a_network_that_ends() {
    let mut core = running(OLD, CAN);
    let new = OLD.replace("cmd: beta", "cmd: evil");
    core.reload(NOW, &plan(&new), Commands::Hold);
    core.host_action(NOW, vip(B), HostAction::Stop);
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    approve(&mut core, NOW);
    assert_eq!(done(&mut core), [format!("end {B}")]);
    assert_eq!(states(&core), [HostState::Ready, HostState::Stopped]);

    let mut core = running(OLD, CAN);
    core.reload(NOW, &plan(&new), Commands::Hold);
    core.stop(NOW);
    approve(&mut core, NOW);
    core.handle_exit(NOW, vip(A), Ending::Status(0));
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    assert!(core.is_over());
    assert!(done(&mut core).iter().all(|what| what.starts_with("end")));
}

#[test]
fn a_network_whose_hosts_are_stopped_already_ends_when_it_is_told_to() {
    let mut core = running(OLD, CAN);
    for address in [A, B] {
        core.host_action(NOW, vip(address), HostAction::Stop);
        core.handle_exit(NOW, vip(address), Ending::Status(0));
    }
    outputs(&mut core);
    core.stop(NOW);
    assert!(core.is_over());
    assert_eq!(
        outputs(&mut core),
        [Output::Changed],
        "the driver looks again"
    );
}

#[test]
fn a_command_that_is_held_is_told_at_once() {
    let mut core = running(OLD, CAN);
    let new = OLD.replace("cmd: beta", "cmd: evil");
    core.reload(NOW, &plan(&new), Commands::Hold);
    let told = outputs(&mut core).into_iter().any(|output| {
        matches!(output, Output::Event(Event::Host { reason: Some(why), .. }) if why.contains("evil"))
    });
    assert!(told);
}

#[test]
fn the_plan_is_that_of_the_last_manifest_with_the_commands_that_hosts_have() {
    let mut core = running(OLD, CAN);
    let old = core.plan().view().hosts[1].clone();
    let new = OLD.replace("cmd: beta, ports: ['8080", "cmd: evil, ports: ['81");
    core.reload(NOW, &plan(&new), Commands::Hold);
    let held = core.plan().view().hosts[1].clone();
    assert_eq!(held.command, old.command);
    assert_ne!(held.publishes, old.publishes);
    approve(&mut core, NOW);
    assert_eq!(core.plan().view().hosts[1].command[0], "evil");
}

#[test]
fn a_host_that_is_back_with_a_command_that_is_held_goes_on_with_its_old_one() {
    let mut core = running(OLD, CAN);
    let gone = format!("hosts:\n  alpha: {{vip: {A}}}\n");
    core.reload(NOW, &plan(&gone), Commands::Hold);
    core.reload(
        NOW,
        &plan(&OLD.replace("cmd: beta", "cmd: evil")),
        Commands::Hold,
    );
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    let later = NOW + std::time::Duration::from_secs(1);
    core.handle_timeout(later);
    let started = done(&mut core);
    assert!(started.contains(&format!("start {B}: beta")), "{started:?}");
}

#[test]
fn a_host_that_is_started_while_it_still_ends_is_not_shown_as_stopped() {
    let mut core = running(OLD, CAN);
    core.host_action(NOW, vip(B), HostAction::Stop);
    outputs(&mut core);
    assert_eq!(states(&core)[1], HostState::Stopped);
    assert!(core.host_action(NOW, vip(B), HostAction::Start));
    assert!(
        outputs(&mut core).contains(&Output::Changed),
        "faces hear it"
    );
    assert_eq!(states(&core)[1], HostState::Waiting);
}

#[test]
fn a_service_that_was_tried_is_forgotten_only_if_its_port_leads_elsewhere() {
    let both = OLD.replace(
        "'8080:127.0.0.1:80']}\n  beta",
        "'8080:127.0.0.1:80', '81:127.0.0.1:81']}\n  beta",
    );
    let mut core = running(&both, r#","reconfigure","probe""#);
    for number in [8080, 81] {
        core.switch
            .note_tried(NOW, vip(A), port(number), TryOutcome::Answered);
    }
    let tried = |core: &Core| {
        let tried = core.snapshot(NOW).hosts[0].tried.clone();
        tried.iter().map(|it| it.port).collect::<Vec<_>>()
    };
    assert_eq!(tried(&core), [81, 8080]);
    core.reload(NOW, &plan(&both), Commands::Start);
    assert_eq!(tried(&core), [81, 8080]);
    let other = both.replace("81:127.0.0.1:81", "81:127.0.0.1:82");
    core.reload(NOW, &plan(&other), Commands::Start);
    assert_eq!(tried(&core), [8080]);
    core.reload(NOW, &plan(OLD), Commands::Start);
    assert_eq!(tried(&core), [8080]);
}
