//! Questions to an agent, and the replies to them.

use super::*;

fn probing() -> (Story, AgentQuestion) {
    let mut story = Story::started();
    story.says(&control(
        r#"{"type":"result","body":{"request_id":1,"op":"configure",
            "data":{"features":["tcp","loopback","probe"],"version":"0.7.0"}}}"#,
    ));
    story.text.clear();
    let dial = crate::wire::probe::Probe::Dial {
        host: "127.0.42.101".to_owned(),
        port: 80,
    };
    (story, AgentQuestion::Probe(dial))
}

fn found(id: u64, data: &str) -> Vec<u8> {
    control(&format!(
        r#"{{"type":"result","body":{{"request_id":{id},"op":"probe","data":{data}}}}}"#
    ))
}

#[test]
fn an_agent_is_asked_and_its_answer_is_cleaned() {
    let (mut story, question) = probing();
    story.then(|link, now| assert_eq!(link.ask(now, &question), Ok(2)));
    story.now = story.now + Duration::from_millis(30);
    story.says(&found(2, r#"{"cause":"refused","reason":"a\u001b[2J"}"#));
    // Both are ignored: the same answer a second time, and an answer to a question that this agent was not asked.
    story.says(&found(2, r#"{"reason":""}"#));
    story.says(&found(3, r#"{"reason":""}"#));
    story.reads(
        r#"0.000s send probe
           0.030s 2: Found(Found { cause: Some(Refused), reason: "a\\u{1b}[2J", instead: None }, 30ms)"#,
    );
    assert_eq!(*story.link.state(), State::Ready);
}

#[test]
fn an_answer_that_does_not_come_or_cannot_be_read_is_none() {
    let (mut story, question) = probing();
    for _ in 0..3 {
        story.then(|link, now| drop(link.ask(now, &question)));
    }
    story.text.clear();
    story.says(&found(2, "null"));
    story
        .after(11)
        .reads("0.000s 2: Unable(\"its answer cannot be read\")");
    story.after(1).says(&found(3, r#"{"reason":""}"#));
    story.reads(
        "0.000s 2: Unable(\"its answer cannot be read\")
         12.000s 3: Silent
         12.000s 4: Silent",
    );
    assert_eq!(story.link.poll_timeout(), None);
}

#[test]
fn questions_to_an_agent_that_is_lost_are_answered_with_that() {
    let (mut story, question) = probing();
    assert_eq!(
        story.link.ask(story.now, &AgentQuestion::Alive),
        Err(AgentReply::CannotBeAsked),
        "it has no heartbeat"
    );
    let open = (0..100).map_while(|_| story.link.ask(story.now, &question).ok());
    assert_eq!(open.count(), 16);
    assert_eq!(story.link.ask(story.now, &question), Err(AgentReply::Busy));
    story.then(|_, _| ()).text.clear();
    story.then(Link::handle_closed);
    assert_eq!(story.text.matches("Lost").count(), 16, "{}", story.text);
    assert_eq!(story.link.ask(story.now, &question), Err(AgentReply::NotUp));
}

#[test]
fn a_question_and_a_heartbeat_do_not_take_each_others_answers() {
    let mut story = Story::beating();
    story.then(Link::handle_timeout);
    story.then(|link, now| assert_eq!(link.ask(now, &AgentQuestion::Alive), Ok(3)));
    story.now = story.now + Duration::from_millis(20);
    story.pongs();
    assert_eq!(story.link.latency(), None);
    story.says(&control(
        r#"{"type":"result","body":{"request_id":2,"op":"ping"}}"#,
    ));
    assert_eq!(story.link.latency(), Some(Duration::from_millis(20)));
    assert_eq!(story.text.matches("3: Found").count(), 1, "{}", story.text);
}

#[test]
fn open_ports_are_cleaned_and_limited() {
    let (mut story, _) = probing();
    let ports = AgentQuestion::OpenPorts;
    story.then(|link, now| assert_eq!(link.ask(now, &ports), Err(AgentReply::CannotBeAsked)));

    let mut story = Story::started();
    story.says(&control(
        r#"{"type":"result","body":{"request_id":1,"op":"configure",
            "data":{"features":["tcp","loopback","openPorts"],"version":"0.7.0"}}}"#,
    ));
    story.text.clear();
    story.then(|link, now| assert_eq!(link.ask(now, &ports), Ok(2)));
    let port = r#"{"address":"127.0.0.1:3000","program":"no\u001b[2Jde"}"#;
    let many = vec![port; 300].join(",");
    story.says(&found(2, &format!(r#"{{"ports":[{many}]}}"#)));
    let said = std::mem::take(&mut story.text);
    assert_eq!(said.matches("3000").count(), 256);
    assert!(said.contains(r"no\\u{1b}[2Jde"), "{said}");
    assert!(said.contains("more: 44"), "{said}");

    story.then(|link, now| assert_eq!(link.ask(now, &ports), Ok(3)));
    story.text.clear();
    story.says(&found(3, r#"{"ports":[{"address":"somewhere"}]}"#));
    story.reads("0.005s 3: Unable(\"its answer cannot be read\")");
}
