//! Tests of marks in the stream to an agent, and of the answers to the agent's marks.

use super::*;

/// The request in a frame: its operation and its id.
fn request(frame: &[u8]) -> (String, u64) {
    let Ok(Message::Request(request)) = Message::parse(&frame[crate::wire::HEADER_LEN..]) else {
        panic!("no request");
    };
    (request.op, request.id)
}

fn answer(story: &mut Story, id: u64) {
    let json = format!(r#"{{"type":"result","body":{{"request_id":{id},"op":"ping"}}}}"#);
    story.says(&control(&json));
}

#[test]
fn no_more_is_under_way_than_the_agent_has_room_for_on_its_way() {
    let mut story = Story::beating();
    let mut pings = Vec::new();
    let mut sent = 0;
    while story.link.may_send() {
        pings.extend(
            story
                .link
                .poll_frame(story.now, true)
                .map(|frame| request(&frame)),
        );
        story.link.note_sent(story.now, 10_000);
        sent += 10_000;
        assert!(sent < 1 << 20, "nothing limits it");
    }
    assert!(
        pings.len() > 4 && pings.iter().all(|(op, _)| op == "ping"),
        "{pings:?}"
    );
    story.text.clear();
    answer(&mut story, pings[1].1);
    assert!(story.link.may_send());
    assert!(story.text.contains("-> Wake"), "{}", story.text);
}

#[test]
fn an_agent_without_heartbeats_gets_no_marks_and_everything_at_once() {
    let mut story = Story::ready();
    for _ in 0..1_000 {
        assert!(story.link.may_send());
        assert_eq!(story.link.poll_frame(story.now, true), None);
        story.link.note_sent(story.now, 60_000);
    }
}

#[test]
fn only_the_newest_mark_is_answered_however_many_there_are() {
    let mut story = Story::beating();
    for number in 1..=1_000 {
        let json =
            format!(r#"{{"type":"event","body":{{"type":"mark","data":{{"number":{number}}}}}}}"#);
        story.says(&control(&json));
    }
    let frame = story.link.poll_frame(story.now, false).unwrap();
    assert_eq!(request(&frame), ("marked".to_owned(), 0));
    assert!(String::from_utf8_lossy(&frame).contains(r#""number":1000"#));
    assert_eq!(story.link.poll_frame(story.now, false), None);
}

#[test]
fn an_agent_is_far_if_its_answers_take_long() {
    for (millis, far) in [(0, false), (2, false), (20, true)] {
        let mut story = Story::beating();
        story.then(Link::handle_timeout);
        story.now = story.now + Duration::from_millis(millis);
        story.pongs();
        assert_eq!(story.link.is_far(), far, "{millis} ms");
    }
}
