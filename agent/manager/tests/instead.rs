//! Tests of hosts whose command does not find a usable agent, and whose shell is started instead.

use std::time::Duration;

use super::*;
use crate::{
    link::{Offer, Target},
    plan, wire,
};

/// A network starts all its commands at once when it begins. After that, it may start one more command whenever this
/// time has passed.
const PACE: Duration = Duration::from_millis(50);

const COMMAND: &str = "hosts: {beta: {vip: 127.0.42.101, cmd: ssh b norouter}}";

fn starting() -> (Core, Start) {
    let plan = plan::load("test.yaml", COMMAND).plan.unwrap();
    let shell = plan.hosts[0].start.through_the_shell().unwrap();
    let mut core = Core::new(&plan, 1);
    core.start(NOW);
    assert_eq!(started(&mut core, 0), Some(plan.hosts[0].start.clone()));
    core.handle_spawned(NOW, vip(B), Ok(()));
    (core, Start::Shell(shell))
}

/// Advances the time until the network may have started `number` further commands. Returns the command that it has
/// started last.
fn started(core: &mut Core, number: u32) -> Option<Start> {
    core.handle_timeout(NOW + number * PACE);
    let outputs = outputs(core).into_iter().rev();
    let mut starts = outputs.filter_map(|output| match output {
        Output::Spawn(_, start) => Some(start),
        Output::CloseInput(_)
        | Output::Terminate(_)
        | Output::Kill(_)
        | Output::Wake(_)
        | Output::Fetch(..)
        | Output::Look(..)
        | Output::EndLook(..)
        | Output::Event(_)
        | Output::Reply(..)
        | Output::Answer(..)
        | Output::Changed => None,
    });
    starts.next()
}

fn fails(core: &mut Core, line: &str, status: i32) {
    core.handle_stderr(NOW, vip(B), line.as_bytes());
    core.handle_closed(NOW, vip(B));
    core.handle_exit(NOW, vip(B), Ending::Status(status));
}

/// The shell runs an agent that the host already has, and the agent answers.
fn serves(core: &mut Core) {
    let offer = Offer {
        target: Target::new("linux", "x86_64"),
        sum: "5f0c".to_owned(),
    };
    core.handle_shell(NOW, vip(B), [offer].into());
    let look = String::from_utf8(sent(core)).unwrap();
    let (_, rest) = look.split_once("; then l=").unwrap();
    let nonce = rest.split_once(';').unwrap().0;
    let mut runs = BytesMut::from(format!("\nnr-{nonce} run 5f0c /x\n").as_bytes());
    core.handle_bytes(NOW, vip(B), &mut runs);
    answers(core, r#""tcp","loopback""#);
    assert_eq!(states(core), [HostState::Ready]);
}

/// Everything that waits to be sent.
fn sent(core: &mut Core) -> Vec<u8> {
    let mut sent = Vec::new();
    while let Some(bytes) = core.poll_frame(NOW, vip(B)) {
        sent.extend_from_slice(&bytes);
    }
    sent
}

/// The agent answers its configuration. The requests of all starts are numbered together.
fn answers(core: &mut Core, features: &str) {
    let sent = sent(core);
    // A line for the shell may come first.
    let begin = sent.iter().position(|&byte| byte == wire::MAGIC).unwrap();
    let mut frame = BytesMut::from(&sent[begin..]);
    let item = Decoder::new(1 << 20).poll(&mut frame).unwrap();
    let Some(Item::Control(json)) = item else {
        panic!("{item:?}");
    };
    let Message::Request(request) = Message::parse(&json).unwrap() else {
        panic!("no request");
    };
    let greeting = String::from_utf8(greeting(features).split_off(8).to_vec()).unwrap();
    let id = format!("\"request_id\":{}", request.id);
    let mut out = BytesMut::new();
    frame::put_control(
        &mut out,
        greeting.replace("\"request_id\":1", &id).as_bytes(),
    );
    core.handle_bytes(NOW, vip(B), &mut out);
}

fn notes(core: &Core) -> Vec<String> {
    core.snapshot(NOW).hosts[0].notes.clone()
}

#[test]
fn a_command_that_finds_no_norouter_is_started_again_through_the_shell() {
    let (mut core, shell) = starting();
    core.handle_stderr(NOW, vip(B), b"sh: 1: norouter: not found");
    core.handle_closed(NOW, vip(B));
    core.handle_exit(NOW, vip(B), Ending::Status(127));
    core.handle_timeout(NOW + PACE);
    let outputs = outputs(&mut core);
    assert!(
        outputs.contains(&Output::Spawn(vip(B), shell.clone())),
        "{outputs:?}"
    );
    let told = |output: &Output| {
        let Output::Event(event @ Event::Warning { .. }) = output else {
            return None;
        };
        Some(event.line())
    };
    let told: Vec<_> = outputs.iter().filter_map(told).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("beta (127.0.42.101): warning: sh: 1: norouter: not found (status 127); so an agent is put there through its shell: ssh b sh -c"),
        "{told:?}"
    );
    serves(&mut core);
    assert!(notes(&core)[0].contains("norouter restart beta"));
    // If an agent has served through the shell, the next start is through the shell, too.
    fails(&mut core, "Connection reset by peer", 255);
    assert_eq!(states(&core), [HostState::Waiting]);
    core.host_action(NOW, vip(B), HostAction::Start);
    assert_eq!(started(&mut core, 2), Some(shell));
}

#[test]
fn the_command_is_tried_again_when_a_person_restarts_the_host() {
    let (mut core, shell) = starting();
    fails(&mut core, "sh: 1: norouter: not found", 127);
    assert_eq!(started(&mut core, 1), Some(shell));
    serves(&mut core);
    core.host_action(NOW, vip(B), HostAction::Restart);
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    let command = started(&mut core, 2);
    assert!(matches!(command, Some(Start::Command(_))), "{command:?}");
    core.handle_spawned(NOW, vip(B), Ok(()));
    answers(&mut core, r#""tcp","loopback""#);
    assert_eq!(states(&core), [HostState::Ready]);
    assert_eq!(notes(&core), [""; 0]);
}

#[test]
fn the_command_is_tried_again_after_a_pause_if_the_shell_fails_too() {
    let (mut core, shell) = starting();
    fails(&mut core, "sh: 1: norouter: not found", 127);
    assert_eq!(started(&mut core, 1), Some(shell));
    core.handle_shell(NOW, vip(B), [].into());
    fails(&mut core, "sh: not found", 127);
    assert_eq!(states(&core), [HostState::Waiting]);
    core.host_action(NOW, vip(B), HostAction::Start);
    let command = started(&mut core, 2);
    assert!(matches!(command, Some(Start::Command(_))), "{command:?}");
}

#[test]
fn an_agent_that_is_too_old_is_left_for_one_that_is_put_there() {
    let (mut core, shell) = starting();
    answers(&mut core, "");
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    assert_eq!(started(&mut core, 1), Some(shell));
    core.handle_shell(NOW, vip(B), [].into());
    fails(&mut core, "sh: not found", 127);
    let host = core.snapshot(NOW).hosts[0].clone();
    assert_eq!(host.state, HostState::Refused, "{host:?}");
    assert_eq!(
        host.troubles[0].code,
        TroubleCode::Lacks,
        "no other can be put there"
    );
}

#[test]
fn the_shell_is_started_only_if_the_command_finds_no_agent_and_shows_the_way() {
    let (mut core, _) = starting();
    fails(
        &mut core,
        "ssh: connect to host b port 22: Connection refused",
        255,
    );
    assert_eq!(
        (started(&mut core, 1), states(&core)),
        (None, vec![HostState::Waiting])
    );
    let hidden = COMMAND.replace("ssh b norouter", "./connect b");
    let mut core = Core::new(&plan::load("test.yaml", &hidden).plan.unwrap(), 1);
    core.start(NOW);
    core.handle_spawned(NOW, vip(B), Ok(()));
    outputs(&mut core);
    fails(&mut core, "sh: 1: norouter: not found", 127);
    assert_eq!(
        (started(&mut core, 2), states(&core)),
        (None, vec![HostState::Waiting])
    );
    assert_eq!(
        core.snapshot(NOW).hosts[0].troubles[0].code,
        TroubleCode::Exited
    );
}
