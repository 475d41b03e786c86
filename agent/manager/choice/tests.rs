//! Tests of the choice between the instances of a host.

use super::*;
use crate::plan;

fn chosen(way: &str) -> Chosen {
    let loaded = plan::load("m", &format!("hosts: {{a: {{{way}}}}}"));
    let plan = loaded
        .plan
        .unwrap_or_else(|| panic!("{:?}", loaded.problems));
    match &plan.hosts[0].start {
        Start::Chosen(chosen) => *chosen.clone(),
        other @ (Start::InProcess | Start::Command(_) | Start::Shell(_)) => panic!("{other:?}"),
    }
}

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

fn ready() -> link::State {
    link::State::Ready
}

fn waiting() -> link::State {
    link::State::Waiting {
        until: at(1_000_000),
        pause: Duration::from_secs(30),
        attempt: 9,
        why: link::Loss::Silent,
    }
}

/// The wishes of a choice, in a short form.
fn wishes(choice: &mut Choice) -> Vec<String> {
    let wishes = std::iter::from_fn(|| choice.poll_wish());
    wishes
        .map(|wish| match wish {
            Wish::Look(number, words) => format!("{number}: {} {}", words[0], words[1]),
            Wish::EndLook(number) => format!("end {number}"),
            Wish::Enter(start) => format!("enter {}", start.words().unwrap()[3]),
            Wish::Retry => "retry".to_owned(),
            Wish::Move(why) => why,
            Wish::Fail(why) => format!("{why:?}"),
            Wish::Tell => "tell".to_owned(),
        })
        .collect()
}

fn pod(change: &str, name: &str, ready: bool, made: u64, deleted: &str) -> String {
    let ready = if ready { "True" } else { "False" };
    format!("{change}|uid-of-{name}|{name}|{ready}|2026-01-01T00:00:{made:02}Z|{deleted}\n")
}

/// A choice among pods that has seen a whole list at 100 ms, and its wishes at that time.
fn pods(lines: &[String]) -> (Choice, Vec<String>) {
    let mut choice = Choice::new(chosen("kubernetes: {selector: 'app=api'}"));
    let chosen = choice.chosen.clone();
    choice.want(at(0), &chosen);
    assert_eq!(wishes(&mut choice), ["1: kubectl get"]);
    for line in lines {
        choice.handle_line(at(0), 1, line);
    }
    choice.handle_timeout(at(99));
    assert_eq!(wishes(&mut choice), [""; 0], "the list may not be whole");
    choice.handle_timeout(at(100));
    let wished = wishes(&mut choice);
    (choice, wished)
}

#[test]
fn the_newest_ready_pod_is_entered() {
    let (_, wished) = pods(&[
        pod("ADDED", "old", true, 1, ""),
        pod("ADDED", "new", true, 3, ""),
        pod("ADDED", "starts", false, 4, ""),
        pod("ADDED", "ends", true, 5, "2026-01-01T00:01:00Z"),
        pod("ADDED", "middle", true, 2, ""),
    ]);
    assert_eq!(wished, ["enter new"]);
}

#[test]
fn a_pod_is_kept_as_long_as_it_is_ready_whatever_becomes_of_others() {
    let (mut choice, wished) = pods(&[pod("ADDED", "a", true, 1, "")]);
    assert_eq!(wished, ["enter a"]);
    choice.handle_state(at(200), &ready());
    choice.handle_line(at(300), 1, &pod("ADDED", "b", true, 2, ""));
    choice.handle_line(at(400), 1, &pod("MODIFIED", "a", false, 1, ""));
    choice.handle_line(at(500), 1, &pod("MODIFIED", "a", true, 1, ""));
    assert_eq!(wishes(&mut choice), [""; 0]);
    let same = choice.chosen.clone();
    choice.want(at(600), &same);
    assert_eq!(wishes(&mut choice), ["enter a"], "it is entered again");
}

#[test]
fn a_pod_that_goes_away_is_left_as_soon_as_another_is_ready() {
    let (mut choice, _) = pods(&[pod("ADDED", "a", true, 1, "")]);
    choice.handle_state(at(200), &ready());
    choice.handle_line(at(300), 1, &pod("ADDED", "b", false, 2, ""));
    choice.handle_line(at(400), 1, &pod("MODIFIED", "a", true, 1, "soon"));
    assert_eq!(wishes(&mut choice), [""; 0], "its agent still serves");
    choice.handle_line(at(500), 1, &pod("MODIFIED", "b", true, 2, ""));
    assert_eq!(
        wishes(&mut choice),
        ["its pod a is going away, and b is ready"]
    );
    let same = choice.chosen.clone();
    choice.want(at(600), &same);
    assert_eq!(wishes(&mut choice), ["enter b"], "nothing is listed again");
}

#[test]
fn a_lost_agent_does_not_wait_for_its_retry_when_another_pod_is_ready() {
    let (mut choice, _) = pods(&[
        pod("ADDED", "a", true, 2, ""),
        pod("ADDED", "b", true, 1, ""),
    ]);
    choice.handle_state(at(200), &waiting());
    assert_eq!(
        wishes(&mut choice),
        [""; 0],
        "its pod is well, so the pause has a reason"
    );
    choice.handle_line(at(300), 1, &pod("DELETED", "a", true, 2, ""));
    assert_eq!(wishes(&mut choice), ["retry"]);
    let same = choice.chosen.clone();
    choice.want(at(301), &same);
    assert_eq!(wishes(&mut choice), ["enter b"]);
    choice.handle_state(at(400), &waiting());
    choice.handle_line(at(500), 1, &pod("MODIFIED", "b", false, 1, ""));
    assert_eq!(wishes(&mut choice), [""; 0]);
    choice.handle_line(at(600), 1, &pod("MODIFIED", "b", true, 1, ""));
    assert_eq!(wishes(&mut choice), ["retry"], "it has become ready again");
}

#[test]
fn a_watch_that_ends_is_begun_again_and_only_what_it_names_counts() {
    let (mut choice, _) = pods(&[pod("ADDED", "a", true, 1, "")]);
    choice.handle_state(at(200), &ready());
    choice.handle_end(at(1_000), 1, Ok(Ending::Status(0)));
    choice.handle_timeout(at(1_999));
    assert_eq!(wishes(&mut choice), [""; 0]);
    choice.handle_timeout(at(2_000));
    assert_eq!(wishes(&mut choice), ["2: kubectl get"]);
    choice.handle_line(at(2_100), 1, &pod("DELETED", "a", true, 1, ""));
    choice.handle_line(at(2_100), 2, &pod("ADDED", "b", true, 2, ""));
    choice.handle_line(at(2_100), 2, &pod("ADDED", "a", true, 1, "soon"));
    assert_eq!(wishes(&mut choice), [""; 0], "the list may not be whole");
    choice.handle_timeout(at(2_200));
    assert_eq!(
        wishes(&mut choice),
        ["its pod a is going away, and b is ready"]
    );
}

#[test]
fn a_watch_that_fails_disturbs_no_agent_and_pauses_longer_each_time() {
    let (mut choice, _) = pods(&[pod("ADDED", "a", true, 1, "")]);
    choice.handle_state(at(200), &ready());
    let mut now = at(1_000);
    let mut pauses = Vec::new();
    for number in 1..8 {
        choice.handle_end(now, number, Ok(Ending::Status(1)));
        let (due, _) = choice.poll_timeout().unwrap();
        pauses.push((due - now).as_secs());
        now = due;
        choice.handle_timeout(now);
        assert_eq!(
            wishes(&mut choice),
            [format!("{}: kubectl get", number + 1)]
        );
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn a_list_that_fails_at_a_start_is_the_reason_why_the_host_is_lost() {
    let mut choice = Choice::new(chosen("kubernetes: {deployment: api}"));
    let same = choice.chosen.clone();
    choice.want(at(0), &same);
    assert_eq!(wishes(&mut choice), ["1: kubectl get"]);
    choice.handle_end(at(1), 1, Ok(Ending::Status(1)));
    assert_eq!(wishes(&mut choice), ["Ok(Status(1))"]);
    assert!(!choice.cancel(), "nothing is wanted any more");
    choice.handle_state(at(2), &waiting());
    assert_eq!(choice.poll_timeout(), None, "the next start lists them");
    choice.want(at(3), &same);
    choice.handle_line(at(4), 2, "app=api,matchExpressions\n");
    choice.handle_end(at(5), 2, Ok(Ending::Status(0)));
    let wished = wishes(&mut choice);
    assert!(wished[1].contains("write them as selector"), "{wished:?}");
    choice.want(at(6), &same);
    choice.handle_line(at(7), 3, "app=api,\n");
    choice.handle_end(at(8), 3, Ok(Ending::Status(0)));
    assert_eq!(wishes(&mut choice), ["3: kubectl get", "4: kubectl get"]);
    choice.handle_line(at(9), 4, &pod("ADDED", "a", true, 1, ""));
    choice.handle_timeout(at(109));
    assert_eq!(wishes(&mut choice), ["enter a"]);
    assert!(!choice.is_at_rest());
    choice.handle_state(at(200), &link::State::Stopped);
    assert_eq!(wishes(&mut choice), ["end 4"]);
    choice.handle_end(at(201), 4, Ok(Ending::Signal(9)));
    assert!(choice.is_at_rest());
}

#[test]
fn containers_are_listed_each_second_but_only_while_there_is_no_agent() {
    let mut choice = Choice::new(chosen("podman: {service: web, project: shop}"));
    let same = choice.chosen.clone();
    let container = |id: &str, status: &str| format!("{id}|2026-01-01 00:00:00|{status}\n");
    choice.want(at(0), &same);
    assert_eq!(wishes(&mut choice), ["1: podman ps"]);
    choice.handle_line(at(10), 1, &container("aaa", "Up 1 second (starting)"));
    choice.handle_end(at(20), 1, Ok(Ending::Status(0)));
    assert_eq!(wishes(&mut choice), [""; 0]);
    choice.handle_timeout(at(1_020));
    assert_eq!(wishes(&mut choice), ["2: podman ps"]);
    choice.handle_line(at(1_030), 2, &container("aaa", "Up 2 seconds (healthy)"));
    choice.handle_end(at(1_040), 2, Ok(Ending::Status(0)));
    assert_eq!(wishes(&mut choice), ["enter aaa"]);
    choice.handle_state(at(1_100), &ready());
    assert_eq!(
        choice.poll_timeout(),
        None,
        "nothing is asked while it serves"
    );
    choice.handle_state(at(2_000), &waiting());
    choice.handle_timeout(at(2_000));
    assert_eq!(wishes(&mut choice), ["3: podman ps"]);
    choice.handle_line(at(2_010), 3, &container("bbb", "Up 1 second (healthy)"));
    choice.handle_end(at(2_020), 3, Ok(Ending::Status(0)));
    assert_eq!(wishes(&mut choice), ["retry"]);
}

#[test]
fn people_are_told_what_a_host_waits_for() {
    let (mut choice, wished) = pods(&[
        pod("ADDED", "a", false, 1, ""),
        pod("ADDED", "b", false, 2, ""),
    ]);
    assert_eq!(wished, [""; 0]);
    assert_eq!(choice.waits(), None);
    choice.handle_timeout(at(2_000));
    assert_eq!(wishes(&mut choice), ["tell"]);
    let told = choice.waits().unwrap();
    assert_eq!(
        told,
        "it waits for a ready pod of selector app=api; not ready: a, b"
    );
    choice.handle_line(at(3_000), 1, &pod("DELETED", "a", false, 1, ""));
    choice.handle_line(at(3_000), 1, &pod("DELETED", "b", false, 2, ""));
    let told = choice.waits().unwrap();
    assert_eq!(
        told,
        "it waits for a pod of selector app=api, and none is listed"
    );
    choice.handle_line(at(4_000), 1, &pod("ADDED", "c", true, 3, ""));
    assert_eq!(
        (wishes(&mut choice), choice.waits()),
        (vec!["enter c".to_owned()], None)
    );
}
