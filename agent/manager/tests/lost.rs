//! Tests of which agents are told that hosts are lost, and when.

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::wire::control::{LOST, Lost};

fn at(millis: u64) -> Instant {
    NOW + Duration::from_millis(millis)
}

/// A running network of two hosts whose agents support `lost`. The first request to each of them had the number 1.
fn running() -> Core {
    let mut core = core();
    core.start(NOW);
    for address in [A, B] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        greet(&mut core, address, NOW);
    }
    outputs(&mut core);
    core
}

/// Lets the agent of a host answer its configuration. The configuration is the first request that is not about lost
/// hosts.
fn greet(core: &mut Core, address: &str, now: Instant) {
    let id = told(core, address)
        .into_iter()
        .find_map(|(id, lost)| lost.is_none().then_some(id));
    let json = format!(
        r#"{{"type":"result","body":{{"request_id":{},"op":"configure","data":{{"features":["tcp","loopback","loopback.disable","lost","reconfigure"],"version":"x"}}}}}}"#,
        id.unwrap()
    );
    let mut hello = BytesMut::new();
    frame::put_control(&mut hello, json.as_bytes());
    core.handle_bytes(now, vip(address), &mut hello);
}

/// Takes the requests to a host, and answers those about lost hosts. Returns the number of each request, and the list
/// of lost hosts if the request has one.
fn told(core: &mut Core, address: &str) -> Vec<(u64, Option<Vec<String>>)> {
    let mut requests = Vec::new();
    while let Some(bytes) = core.poll_frame(NOW, vip(address)) {
        let item = Decoder::new(1 << 20)
            .poll(&mut BytesMut::from(&bytes[..]))
            .unwrap();
        if let Some(Item::Control(json)) = item
            && let Message::Request(request) = Message::parse(&json).unwrap()
        {
            let lost = (request.op == LOST).then(|| {
                let lost: Lost = request.args.read().unwrap();
                lost.hosts.iter().map(ToString::to_string).collect()
            });
            if lost.is_some() {
                let answer = format!(
                    r#"{{"type":"result","body":{{"request_id":{},"op":"lost"}}}}"#,
                    request.id
                );
                let mut answers = BytesMut::new();
                frame::put_control(&mut answers, answer.as_bytes());
                core.handle_bytes(NOW, vip(address), &mut answers);
            }
            requests.push((request.id, lost));
        }
    }
    requests
}

fn said_to_a(core: &mut Core) -> Vec<Vec<String>> {
    told(core, A)
        .into_iter()
        .filter_map(|(_, lost)| lost)
        .collect()
}

#[test]
fn the_others_hear_at_once_of_a_host_that_is_lost_and_that_is_back() {
    let mut core = running();
    core.handle_timeout(at(1));
    assert!(
        said_to_a(&mut core).is_empty(),
        "nobody is lost who has only begun"
    );
    core.handle_exit(at(1_000), vip(B), Ending::Status(1));
    core.handle_timeout(at(1_000));
    assert_eq!(said_to_a(&mut core), [vec![B.to_owned()]]);
    // A host that is started again stays lost until its agent is ready.
    core.host_action(at(2_000), vip(B), HostAction::Start);
    core.handle_spawned(at(2_000), vip(B), Ok(()));
    core.handle_timeout(at(2_000));
    assert!(said_to_a(&mut core).is_empty());
    greet(&mut core, B, at(2_001));
    core.handle_timeout(at(2_001));
    assert_eq!(said_to_a(&mut core), [Vec::<String>::new()]);
}

#[test]
fn a_host_that_comes_back_hears_who_is_lost() {
    let mut core = running();
    core.host_action(NOW, vip(B), HostAction::Stop);
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    core.handle_timeout(NOW);
    core.handle_exit(at(1_000), vip(A), Ending::Status(1));
    core.host_action(at(1_000), vip(A), HostAction::Start);
    core.handle_spawned(at(1_000), vip(A), Ok(()));
    greet(&mut core, A, at(1_000));
    assert_eq!(said_to_a(&mut core), [vec![B.to_owned()]]);
}

#[test]
fn an_agent_that_does_not_know_the_word_is_not_told() {
    let mut core = all_ready();
    core.handle_exit(NOW, vip(B), Ending::Status(1));
    core.handle_timeout(NOW);
    assert!(said_to_a(&mut core).is_empty());
    assert!(
        core.lost_broadcast.due().is_none(),
        "and nobody waits for it"
    );
}

#[test]
fn a_host_that_was_lost_and_is_another_one_now_is_listened_for_again() {
    let mut core = running();
    let whole = plan();
    core.handle_exit(NOW, vip(B), Ending::Status(1));
    core.handle_timeout(NOW);
    assert_eq!(said_to_a(&mut core), [vec![B.to_owned()]]);
    let mut without = whole.clone();
    without.hosts.truncate(1);
    core.reload(at(1_000), &without, Commands::Start);
    core.handle_timeout(at(1_000));
    assert_eq!(said_to_a(&mut core), [Vec::<String>::new()]);
    core.reload(at(2_000), &whole, Commands::Start);
    core.handle_timeout(at(2_000));
    assert!(said_to_a(&mut core).is_empty());
}

#[test]
fn agents_are_told_which_hosts_are_far_and_a_far_one_only_of_itself() {
    let mut core = core();
    core.start(NOW);
    for address in [A, B] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        let mut hello = greeting(r#""tcp","loopback","loopback.disable","lost","heartbeat""#);
        core.handle_bytes(NOW, vip(address), &mut hello);
    }
    core.handle_timeout(NOW);
    let mut lists = BTreeMap::new();
    for (address, millis) in [(A, 0), (B, 30), (A, 30), (B, 30)] {
        while let Some(bytes) = core.poll_frame(at(millis), vip(address)) {
            let json = bytes.slice(crate::wire::HEADER_LEN..);
            let Message::Request(request) = Message::parse(&json).unwrap() else {
                panic!("no request");
            };
            let answer = format!(
                r#"{{"type":"result","body":{{"request_id":{},"op":"{}"}}}}"#,
                request.id, request.op
            );
            if request.op == LOST {
                let lost: Lost = request.args.read().unwrap();
                lists.insert(address, lost.far);
            }
            let mut answers = BytesMut::new();
            frame::put_control(&mut answers, answer.as_bytes());
            if request.op != "configure" {
                core.handle_bytes(at(millis), vip(address), &mut answers);
            }
        }
        core.handle_timeout(at(millis + 100));
    }
    let far = vec![vip(B).address()];
    assert_eq!(lists, BTreeMap::from([(A, far.clone()), (B, far)]));
}
