//! Lives of agents, told as transcripts.

use std::fmt::Write;

use super::*;
use crate::wire::control::{Configure, feature};

fn configure() -> Configure {
    serde_json::from_str(r#"{"me": "127.0.42.101"}"#).unwrap()
}

/// A link, its time, and what happened to it.
struct Story {
    link: Link,
    now: Instant,
    text: String,
}

impl Story {
    fn new() -> Self {
        let demands = Demands {
            required: vec![feature::TCP],
            wanted: vec![feature::LOOPBACK],
        };
        Self {
            link: Link::new(&configure(), demands),
            now: Instant::ZERO,
            text: String::new(),
        }
    }

    /// Lets something happen and writes down what the link made of it.
    fn then(&mut self, what: impl FnOnce(&mut Link, Instant)) -> &mut Self {
        what(&mut self.link, self.now);
        while let Some(output) = self.link.poll_output() {
            let line = match output {
                Output::Send(_) => "send configure".to_owned(),
                Output::Note(note) => format!("{note:?}"),
                Output::Changed => match self.link.state() {
                    State::Ending { why, .. } => format!("ending: {why}"),
                    State::Over { why } => format!("over: {why}"),
                    State::Configuring { .. } => "configuring".to_owned(),
                    other @ (State::Idle | State::Spawning | State::Ready) => {
                        format!("{other:?}").to_lowercase()
                    }
                },
                Output::Suggestion(at, suggestion) => {
                    format!("at{at} {:?} via {}", suggestion.ip, suggestion.route)
                }
                other @ (Output::Spawn | Output::CloseInput | Output::Terminate | Output::Kill) => {
                    format!("-> {other:?}")
                }
            };
            writeln!(self.text, "{} {line}", self.now).unwrap();
        }
        self
    }

    fn started() -> Self {
        let mut story = Self::new();
        story.then(|link, _| link.start());
        story.then(|link, now| link.handle_spawned(now, Ok(())));
        story.text.clear();
        story
    }

    fn ready() -> Self {
        let mut story = Self::started();
        story.says(&control(GREETING));
        story.text.clear();
        story
    }

    fn says(&mut self, bytes: &[u8]) -> &mut Self {
        let mut buffer = BytesMut::from(bytes);
        self.then(|link, now| while link.handle_bytes(now, &mut buffer).is_some() {})
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now + Duration::from_secs(seconds);
        self.then(Link::handle_timeout)
    }

    #[track_caller]
    fn reads(&self, expected: &str) {
        let expected: Vec<_> = expected
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let text: Vec<_> = self.text.lines().map(str::trim).collect();
        assert_eq!(text, expected);
    }
}

const GREETING: &str = r#"{"type":"result","body":{"request_id":1,"op":"configure",
    "data":{"features":["tcp","loopback"],"version":"0.7.0"}}}"#;

fn control(json: &str) -> Vec<u8> {
    let mut out = BytesMut::new();
    frame::put_control(&mut out, json.as_bytes());
    out.to_vec()
}

#[test]
fn a_healthy_life() {
    let mut story = Story::new();
    story
        .then(|link, _| link.start())
        .then(|link, now| link.handle_spawned(now, Ok(())))
        .says(&control(GREETING))
        .after(3600)
        .then(Link::stop)
        .then(|link, _| link.handle_exit(Ending::Status(0)));
    story.reads(
        "0.000s spawning
         0.000s -> Spawn
         0.000s send configure
         0.000s configuring
         0.000s ready
         3600.000s -> CloseInput
         3600.000s ending: stopped
         3600.000s over: stopped",
    );
}

#[test]
fn a_command_that_cannot_start_says_why() {
    let mut story = Story::new();
    story.then(|link, _| link.start());
    story.text.clear();
    story.then(|link, now| link.handle_spawned(now, Err("no such file".to_owned())));
    story.reads("0.000s over: its command could not be started: no such file");
}

#[test]
fn a_command_that_ends_at_once_is_explained_by_its_exit_and_its_words() {
    let mut story = Story::started();
    story
        .says(b"sh: norouter: not\nfound\x1b[2J\n")
        .then(Link::handle_closed)
        .then(|link, _| link.handle_exit(Ending::Status(127)));
    story.reads(
        "0.000s -> CloseInput
         0.000s ending: its command closed its output but did not end
         0.000s over: its command exited with status 127 (usually: command not found on that host); \
                it wrote: sh: norouter: not found\\u{1b}[2J",
    );
}

#[test]
fn a_silent_agent_is_given_up_and_ended_step_by_step() {
    let mut story = Story::started();
    story.after(59).after(1).after(1).after(2).after(60);
    story.reads(
        "60.000s -> CloseInput
         60.000s ending: its command runs, but no agent has answered; run the command by hand and look whether it asks for something
         61.000s -> Terminate
         63.000s -> Kill",
    );
    assert_eq!(story.link.poll_timeout(), None);
}

#[test]
fn an_agent_that_talks_but_does_not_answer_is_given_up_sooner() {
    let mut story = Story::started();
    story.says(b"Last login: today\n").after(15);
    assert!(
        story.text.contains("it wrote: Last login: today"),
        "{}",
        story.text
    );
}

#[test]
fn a_banner_does_not_hurt() {
    let mut story = Story::started();
    story.says(&[&b"Welcome to Ubuntu\n"[..], &control(GREETING)].concat());
    story.reads(
        "0.000s Banner(\"Welcome to Ubuntu\")
         0.000s ready",
    );
}

#[test]
fn an_agent_that_lacks_what_the_manifest_depends_on_is_refused() {
    let mut story = Story::started();
    story.says(&control(
        r#"{"type":"result","body":{"request_id":1,"op":"configure","data":{"features":null,"version":"0.1"}}}"#,
    ));
    story.reads(
        "0.000s -> CloseInput
         0.000s ending: its agent (version 0.1) cannot do \"tcp\", which this manifest depends on; install a newer one on that host",
    );
    story.then(|link, _| link.handle_exit(Ending::Status(0)));
    let State::Over { why } = story.link.state() else {
        panic!("still alive");
    };
    assert!(why.is_refusal());
}

#[test]
fn a_missed_comfort_is_a_note() {
    let mut story = Story::started();
    story.says(&control(
        r#"{"type":"result","body":{"request_id":1,"op":"configure","data":{"features":["tcp"],"version":"0.1"}}}"#,
    ));
    story.reads(
        "0.000s Lacks([\"loopback\"])
         0.000s ready",
    );
}

#[test]
fn an_agent_that_refuses_its_configuration_is_quoted() {
    let mut story = Story::started();
    story.says(&control(
        r#"{"type":"result","body":{"request_id":1,"op":"configure","error":"already\u001b configured"}}"#,
    ));
    assert!(
        story.text.contains("already\\u{1b} configured"),
        "{}",
        story.text
    );
}

#[test]
fn a_few_faults_are_forgiven_a_flood_is_not() {
    let unknown = [0x42, 0, 0, 4, 0, 9, 0, 0];
    let mut story = Story::ready();
    for _ in 0..FAULTS_MAX {
        story.says(&unknown);
    }
    story.after(11);
    for _ in 0..FAULTS_MAX {
        story.says(&unknown);
    }
    story.reads("");
    story.says(&unknown);
    assert!(
        story.text.contains("ending: its agent misbehaves"),
        "{}",
        story.text
    );
    assert!(matches!(story.link.state(), State::Ending { why, .. } if why.is_refusal()));
}

#[test]
fn strange_messages_are_faults_not_crashes() {
    let mut story = Story::ready();
    let strange = [
        "{}",
        "[[[[",
        "null",
        r#"{"type":"request","body":{"id":1,"op":"configure"}}"#,
        GREETING,
        r#"{"type":"event","body":{"type":"problems","data":7}}"#,
    ];
    for _ in 0..20 {
        for json in strange {
            story.says(&control(json));
        }
    }
    assert!(story.text.contains("misbehaves"), "{}", story.text);
}

#[test]
fn a_stream_out_of_step_ends_the_link_and_says_what_was_found() {
    let mut story = Story::ready();
    story.says(b"Connection closed by remote host");
    assert!(
        story.text.contains("out of step: found [43, 6f, 6e, 6e]"),
        "{}",
        story.text
    );
    assert!(story.text.contains("-> CloseInput"));
}

#[test]
fn an_exit_without_a_word_is_a_loss_too() {
    let mut story = Story::ready();
    story.then(|link, _| link.handle_exit(Ending::Signal(9)));
    story.reads("0.000s over: its command was ended by signal 9");
}

#[test]
fn problems_are_kept_short_and_few_and_may_not_flicker() {
    let mut story = Story::ready();
    let list = |count: usize, mark: usize| {
        let long = "x".repeat(5_000);
        let problem = format!(r#"{{"what":"listen on 127.0.42.1:{mark}","reason":"{long}"}}"#);
        let problems = vec![problem; count].join(",");
        control(&format!(
            r#"{{"type":"event","body":{{"type":"problems","data":{{"problems":[{problems}]}}}}}}"#
        ))
    };
    story.says(&list(100, 1));
    assert_eq!(story.link.problems().len(), PROBLEMS_MAX);
    assert!(story.link.problems()[0].reason.len() < 1_000);
    story.text.clear();
    story.says(&list(100, 1)).reads("");
    for n in 0..=usize::try_from(CHANGES_MAX + FAULTS_MAX).unwrap() {
        story.says(&list(1, n + 2));
    }
    assert!(story.text.contains("misbehaves"), "{}", story.text);
}

#[test]
fn a_process_that_had_to_be_ended_is_not_said_to_have_ended_by_itself() {
    let mut story = Story::ready();
    story
        .then(Link::handle_closed)
        .after(1)
        .then(|link, _| link.handle_exit(Ending::Signal(15)));
    assert!(
        story
            .text
            .ends_with("over: its command closed its output but did not end\n"),
        "{}",
        story.text
    );
}

#[test]
fn packets_pass_only_while_ready() {
    let packet = PacketFrame::new(b"ip");
    let bytes = packet.clone().into_bytes();
    let mut buffer = BytesMut::from(&bytes[..]);
    let mut story = Story::ready();
    assert_eq!(
        story.link.handle_bytes(story.now, &mut buffer),
        Some(packet)
    );
    story.then(Link::stop);
    let mut buffer = BytesMut::from(&bytes[..]);
    assert_eq!(story.link.handle_bytes(story.now, &mut buffer), None);
    assert!(buffer.is_empty());
}

#[test]
fn a_suggestion_is_passed_on_with_its_time_and_a_strange_one_is_a_fault() {
    let suggestion = |data: &str| {
        let event =
            format!(r#"{{"type":"event","body":{{"type":"routeSuggestion","data":{data}}}}}"#);
        control(&event)
    };
    let mut story = Story::ready();
    story.after(2).says(&suggestion(
        r#"{"ip":["10.0.0.5","fd00::5"],"route":"127.0.42.101"}"#,
    ));
    story.reads("2.000s at  2.000s [10.0.0.5, fd00::5] via 127.0.42.101");
    for strange in [
        r#"{"ip":["bastion"],"route":"127.0.42.101"}"#,
        r#"{"ip":["10.0.0.5"]}"#,
        r#"{"ip":["10.0.0.5"],"route":"bastion"}"#,
    ] {
        let mut story = Story::ready();
        for _ in 0..=FAULTS_MAX {
            story.says(&suggestion(strange));
        }
        assert!(
            story.text.contains("misbehaves"),
            "{strange} {}",
            story.text
        );
    }
}
