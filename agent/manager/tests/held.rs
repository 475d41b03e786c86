//! Tests of a change of the manifest that is held as a whole.

use super::{
    reload::{CAN, OLD, done, plan, running},
    *,
};
use crate::view::HeldChange;

/// A manifest that publishes a port of a new host `laptop`, and no longer publishes the port of `beta`.
fn opening() -> Plan {
    plan(&format!(
        "{}  laptop: {{dns: {{disable: true}}, ports: ['22:127.0.0.1:22']}}\n",
        OLD.replace("beta, ports: ['8080:127.0.0.1:80']", "beta")
    ))
}

fn told(core: &mut Core) -> Vec<Event> {
    let mut events = Vec::new();
    for output in outputs(core) {
        if let Output::Event(event @ (Event::Held { .. } | Event::Reloaded { .. })) = output {
            events.push(event);
        }
    }
    events
}

#[test]
fn nothing_of_a_change_that_grants_more_is_in_force_before_somebody_has_agreed() {
    let mut core = running(OLD, CAN);
    let before = core.plan().view();
    let outcome = core.take_up(NOW, &opening(), Hold::NewGrants);
    assert!(outcome.changes.is_empty() && outcome.grants.len() == 1);
    let number = outcome.held.unwrap();
    let sentence = "all hosts can connect to 127.0.0.1:22 of this machine, as laptop:22";
    assert_eq!(
        core.snapshot(NOW).held,
        Some(HeldChange {
            number,
            grants: vec![sentence.to_owned()]
        })
    );
    let held = Event::Held {
        grants: vec![sentence.to_owned()],
    };
    assert_eq!(told(&mut core), [held]);
    assert_eq!(core.plan().view(), before, "not even what it takes away");
    assert_eq!(core.snapshot(NOW).hosts.len(), 2);
    assert_eq!(
        core.poll_frame(NOW, vip(A)),
        None,
        "no agent has heard of it"
    );
    for other in [number + 1, 0] {
        assert!(!core.approve_change(NOW, other));
    }
    assert!(core.approve_change(NOW, number));
    let Some(Event::Reloaded { changes, grants }) = told(&mut core).pop() else {
        panic!("it is not taken up");
    };
    assert_eq!(grants, [sentence]);
    assert_eq!(changes.len(), 2);
    assert_eq!(core.snapshot(NOW).hosts.len(), 3);
    assert_eq!(core.snapshot(NOW).held, None);
    assert!(!core.approve_change(NOW, number), "once is enough");
}

#[test]
fn what_grants_nothing_is_taken_up_at_once_and_ends_what_waits() {
    let mut core = running(OLD, CAN);
    assert!(
        core.take_up(NOW, &opening(), Hold::NewGrants)
            .held
            .is_some()
    );
    let less = plan(&OLD.replace("beta, ports: ['8080:127.0.0.1:80']", "beta"));
    let outcome = core.take_up(NOW, &less, Hold::NewGrants);
    assert_eq!((outcome.held, outcome.changes.len()), (None, 1));
    assert_eq!(core.snapshot(NOW).held, None);
    // A port that was removed and comes back is a new grant.
    assert!(
        core.take_up(NOW, &plan(OLD), Hold::NewGrants)
            .held
            .is_some()
    );
    assert!(
        core.take_up(NOW, &less, Hold::NewGrants).held.is_none(),
        "the file is as it was"
    );
    assert_eq!(core.snapshot(NOW).held, None);
}

#[test]
fn the_same_change_keeps_its_number_and_another_one_cannot_be_approved_with_it() {
    let mut core = running(OLD, CAN);
    let first = core.take_up(NOW, &opening(), Hold::NewGrants).held.unwrap();
    told(&mut core);
    assert_eq!(
        core.take_up(NOW, &opening(), Hold::NewGrants).held,
        Some(first)
    );
    assert!(told(&mut core).is_empty(), "it was told already");
    let other = plan(&OLD.replace("cmd: beta", "cmd: evil"));
    let second = core.take_up(NOW, &other, Hold::NewGrants).held.unwrap();
    assert!(!core.approve_change(NOW, first));
    assert!(done(&mut core).is_empty());
    assert!(core.approve_change(NOW, second));
    assert_eq!(done(&mut core), [format!("end {B}")]);
    core.take_up(NOW, &opening(), Hold::NewGrants);
    let third = core.snapshot(NOW).held.unwrap().number;
    core.stop(NOW);
    assert!(!core.approve_change(NOW, third), "the network ends");
}

#[test]
fn a_network_that_holds_nothing_or_commands_only_tells_what_is_new() {
    let mut core = running(OLD, CAN);
    let outcome = core.take_up(NOW, &opening(), Hold::Nothing);
    assert_eq!((outcome.held, outcome.grants.len()), (None, 1));
    let Some(Event::Reloaded { grants, .. }) = told(&mut core).pop() else {
        panic!("it is not taken up");
    };
    assert_eq!(grants.len(), 1);

    let mut core = running(OLD, CAN);
    let new = OLD.replace("cmd: beta", "writeEtcHosts: true, cmd: evil");
    let outcome = core.take_up(NOW, &plan(&new), Hold::Commands);
    let grants: Vec<_> = outcome.grants.iter().map(ToString::to_string).collect();
    assert_eq!(grants.len(), 1, "its command is not granted yet");
    assert!(grants[0].contains("hosts file"), "{grants:?}");
    assert!(core.snapshot(NOW).hosts[1].held.is_some());
}

#[test]
fn more_than_anybody_reads_is_counted() {
    let mut core = running(OLD, CAN);
    let ports: Vec<_> = (1..=1_003).map(|port| format!("'{port}:a:1'")).collect();
    let many = OLD.replace(
        "beta, ports: ['8080:127.0.0.1:80']",
        &format!("beta, ports: [{}]", ports.join(", ")),
    );
    let outcome = core.take_up(NOW, &plan(&many), Hold::NewGrants);
    assert_eq!(outcome.grants.len(), 1_003);
    let told = core.snapshot(NOW).held.unwrap().grants;
    assert_eq!(told.len(), 1_001);
    assert!(told[1_000].starts_with("3 more; "), "{}", told[1_000]);
}

#[test]
fn a_manifest_that_cannot_be_applied_is_shown_until_one_can_be() {
    let mut core = running(OLD, CAN);
    assert_eq!(core.snapshot(NOW).unapplied, None);
    let later = NOW + std::time::Duration::from_mins(1);
    for (now, report) in [(NOW, "first".to_owned()), (later, "x".repeat(100_000))] {
        core.refuse_manifest(now, report);
        assert!(outputs(&mut core).contains(&Output::Changed));
    }
    let unapplied = core.snapshot(later).unapplied.unwrap();
    assert_eq!(
        unapplied.since_ms,
        NOW.as_micros() / 1_000,
        "the first time counts"
    );
    assert!(unapplied.report.starts_with('x') && unapplied.report.len() < 10_000);
    core.take_up(later, &plan(OLD), Hold::Nothing);
    assert!(outputs(&mut core).contains(&Output::Changed));
    assert_eq!(core.snapshot(later).unapplied, None);
}
