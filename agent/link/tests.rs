//! Tests the states of an agent: each test holds a conversation with a link, and many compare its transcript with the
//! expected one.

mod asked;
mod lost;
mod marks;
mod unfit;

use std::fmt::Write;

use super::{
    lives::{FAULTS_MAX, GIANTS_MAX},
    messages::PROBLEMS_MAX,
    *,
};
use crate::{view::ByHand, wire::control::Configure};

/// Describes a loss in words. If the description tells a person to run something, it is for a host `web1`.
fn told(why: &Loss) -> String {
    let by_hand = ByHand {
        name: "web1".to_owned(),
        version: "x norouter --version".to_owned(),
        printed: "the version of norouter",
        norouter: "norouter".to_owned(),
        connect: "x true".to_owned(),
        ..ByHand::default()
    };
    why.trouble(&by_hand).to_string()
}

fn configure() -> Configure {
    serde_json::from_str(r#"{"me": "127.0.42.101"}"#).unwrap()
}

/// A link, the present time, and a transcript of what has happened.
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
            link: Link::new(configure(), demands, 1),
            now: Instant::ZERO,
            text: String::new(),
        }
    }

    /// Performs an action on the link, and writes the link's outputs into the transcript.
    fn then(&mut self, what: impl FnOnce(&mut Link, Instant)) -> &mut Self {
        what(&mut self.link, self.now);
        while let Some(output) = self.link.poll_output() {
            let line = match output {
                Output::Send(frame) if frame.windows(4).any(|word| word == b"ping") => {
                    "send ping".to_owned()
                }
                Output::Send(frame) if frame.windows(5).any(|word| word == b"probe") => {
                    "send probe".to_owned()
                }
                Output::Send(_) => "send configure".to_owned(),
                Output::Fetch(sum) => format!("fetch {sum}"),
                Output::Note(note) => format!("{note:?}"),
                Output::Changed => match self.link.state() {
                    State::Ending { why, .. } => format!("ending: {}", told(why)),
                    State::Waiting {
                        pause,
                        attempt,
                        why,
                        ..
                    } => format!("try {attempt} in {pause:?}: {}", told(why)),
                    State::Refused { why } => format!("refused: {}", told(why)),
                    State::Configuring { .. } => "configuring".to_owned(),
                    other @ (State::Idle | State::Spawning | State::Ready | State::Stopped) => {
                        format!("{other:?}").to_lowercase()
                    }
                },
                Output::Reply(id, reply) => format!("{id}: {reply:?}"),
                Output::Refused(_, refused) => format!("refused {refused:?}"),
                Output::Suggestion(at, suggestion) => {
                    format!("at{at} {:?} via {}", suggestion.ip, suggestion.route)
                }
                other @ (Output::Spawn
                | Output::CloseInput
                | Output::Terminate
                | Output::Kill
                | Output::Wake) => {
                    format!("-> {other:?}")
                }
            };
            writeln!(self.text, "{} {line}", self.now).unwrap();
        }
        self
    }

    /// A story with an agent that answers heartbeats.
    fn beating() -> Self {
        let mut story = Self::started();
        story.says(&control(
            r#"{"type":"result","body":{"request_id":1,"op":"configure",
                "data":{"features":["tcp","loopback","heartbeat"],"version":"0.7.0"}}}"#,
        ));
        story.text.clear();
        story
    }

    /// Answers the last ping.
    fn pongs(&mut self) -> &mut Self {
        let id = self.link.lives.requests.last;
        self.says(&control(&format!(
            r#"{{"type":"result","body":{{"request_id":{id},"op":"ping"}}}}"#
        )))
    }

    fn after_millis(&mut self, millis: u64) -> &mut Self {
        self.now = self.now + Duration::from_millis(millis);
        self.then(Link::handle_timeout)
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
        let (mut buffer, mut turn) = (BytesMut::from(bytes), Turn::Yield);
        while turn != Turn::Done {
            if let Turn::Wait(until) = turn {
                self.now = until;
            }
            self.then(|link, now| {
                link.begin_turn();
                while link.handle_bytes(now, &mut buffer).is_some() {}
                turn = link.end_turn(now);
            });
        }
        self
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

/// The answer to the last message, from an agent that supports checksums. The answer contains `sum`.
fn greeting_with(story: &Story, sum: u16) -> Vec<u8> {
    let json = format!(
        r#"{{"type":"result","body":{{"request_id":{},"op":"configure",
            "data":{{"features":["tcp","sums","heartbeat"],"version":"x","sum":{sum}}}}}}}"#,
        story.link.lives.requests.last
    );
    control(&json)
}

/// The checksum of the message that has configured the agent.
fn sum_of_configuration(story: &Story) -> u16 {
    let message = Message::configure(
        story.link.lives.requests.last,
        &story.link.configuration.make(),
    );
    sum::of_control(&message.to_json())
}

#[test]
fn an_agent_that_was_told_something_else_is_started_again() {
    let mut story = Story::started();
    let sum = sum_of_configuration(&story);
    let wrong = greeting_with(&story, sum ^ 1);
    story.says(&wrong);
    let State::Ending { why, .. } = story.link.state() else {
        panic!("{:?}", story.link.state());
    };
    assert_eq!(why.remedy(), Remedy::Time);
    assert!(told(why).contains("changes what it carries"), "{why:?}");

    let mut story = Story::started();
    let right = greeting_with(&story, sum);
    story.says(&right);
    assert_eq!(story.link.state(), &State::Ready);
}

#[test]
fn what_is_sent_has_a_sum_as_soon_as_the_agent_takes_it() {
    let sum_of_next = |link: &mut Link| {
        while link.poll_output().is_some() {}
        link.send(&Message::ping(2));
        let Some(Output::Send(frame)) = link.poll_output() else {
            panic!("nothing was sent");
        };
        (u16::from_be_bytes([frame[6], frame[7]]), frame)
    };
    let mut story = Story::started();
    assert_eq!(sum_of_next(&mut story.link).0, 0);
    let mut story = Story::started();
    let greeting = greeting_with(&story, sum_of_configuration(&story));
    story.says(&greeting);
    let (sum, frame) = sum_of_next(&mut story.link);
    assert_eq!(sum, crate::wire::sum::of_control(&frame[8..]));
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
        .then(|link, now| link.handle_exit(now, Ending::Status(0)));
    story.reads(
        "0.000s spawning
         0.000s -> Spawn
         0.000s send configure
         0.000s configuring
         0.000s ready
         3600.000s -> CloseInput
         3600.000s ending: stopped
         3600.000s stopped",
    );
}

#[test]
fn a_command_that_cannot_start_says_why() {
    let mut story = Story::new();
    story.then(|link, _| link.start());
    story.text.clear();
    story.then(|link, now| link.handle_spawned(now, Err("no such file".to_owned().into())));
    let State::Waiting { pause, .. } = story.link.state() else {
        panic!("{}", story.text);
    };
    assert!(
        *pause > Duration::from_secs(3),
        "a program does not appear in a moment"
    );
    assert!(
        story
            .text
            .ends_with("its command could not be started: no such file\n"),
        "{}",
        story.text
    );
}

#[test]
fn a_command_that_ends_at_once_is_explained_by_its_exit_and_its_words() {
    let mut story = Story::started();
    story
        .says(b"sh: norouter: not\nfound\x1b[2J\n")
        .then(Link::handle_closed)
        .then(|link, now| link.handle_exit(now, Ending::Status(127)));
    story.reads(
        "0.000s configuring
         0.000s -> CloseInput
         0.000s ending: its command is ending
         0.000s try 1 in 3.68s: its command exited with status 127, usually: command not found on that host; \
                it wrote \"sh: norouter: not found\\u{1b}[2J\"; install norouter there, or write its path in cmd",
    );
}

#[test]
fn a_silent_agent_is_given_up_and_ended_step_by_step() {
    let mut story = Story::started();
    story.after(59).after(1).after(1).after(2).after(60);
    story.reads(
        "59.000s configuring
         60.000s -> CloseInput
         60.000s ending: its command runs, but no agent has answered; \
                run it by hand: x norouter --version - it has to print the version of norouter
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
        story.text.contains("it wrote \"Last login: today\""),
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
    story.then(|link, now| link.handle_exit(now, Ending::Status(0)));
    let State::Refused { why } = story.link.state() else {
        panic!("still alive");
    };
    assert_eq!(why.remedy(), Remedy::Person);
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
    assert!(
        matches!(story.link.state(), State::Ending { why, .. } if why.remedy() == Remedy::Person)
    );
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
        story
            .text
            .contains("wrote to the command's output: \"Connection closed by remote host\""),
        "{}",
        story.text
    );
    assert!(story.text.contains("-> CloseInput"));
}

#[test]
fn an_exit_without_a_word_is_a_loss_too() {
    let mut story = Story::ready();
    story.then(|link, now| link.handle_exit(now, Ending::Signal(9)));
    story.reads("0.000s try 1 in 460ms: its command was ended by signal 9");
}

#[test]
fn problems_are_kept_short_and_few_and_may_not_flicker() {
    let mut story = Story::ready();
    let list = |count: usize, mark: usize| {
        let long = "x".repeat(if count > 1 { 2_000 } else { 100 });
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
    story.after(1).says(&list(100, 1)).reads("");
    story.after(1);
    for n in 0..80 {
        story.says(&list(1, n));
    }
    let mark = |story: &Story| story.link.problems()[0].what.clone();
    assert_eq!(
        mark(&story),
        "listen on 127.0.42.1:18",
        "twenty changes are told"
    );
    let (due, _) = story.link.poll_timeout().unwrap();
    assert!(due > story.now);
    story.after(60);
    assert_eq!(mark(&story), "listen on 127.0.42.1:79", "and then the last");
    assert_eq!(story.link.state(), &State::Ready);
}

#[test]
fn a_process_that_had_to_be_ended_is_not_said_to_have_ended_by_itself() {
    let mut story = Story::ready();
    story
        .then(Link::handle_closed)
        .after(1)
        .then(|link, now| link.handle_exit(now, Ending::Signal(15)));
    assert!(
        story
            .text
            .ends_with(": its command closed its output but did not end; run it by hand to see what it waits for: x norouter --version\n"),
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

#[test]
fn a_lost_agent_is_started_again_after_a_pause_and_knows_nothing_of_its_last_life() {
    let mut story = Story::ready();
    story
        .then(|link, now| link.handle_exit(now, Ending::Signal(9)))
        .after(1)
        .then(|link, now| link.handle_spawned(now, Ok(())));
    assert_eq!(story.link.greeting(), None);
    let second = GREETING.replace("\"request_id\":1", "\"request_id\":2");
    story.says(&control(&second));
    story.reads(
        "0.000s try 1 in 460ms: its command was ended by signal 9
         1.000s spawning
         1.000s -> Spawn
         1.000s send configure
         1.000s configuring
         1.000s ready",
    );
}

/// Makes the agent exit after it has served for this many seconds. Returns the number of the next start.
fn tries_after(story: &mut Story, seconds: u64) -> u32 {
    story.now = story.now + Duration::from_secs(seconds);
    story.then(|link, now| link.handle_exit(now, Ending::Status(1)));
    let &State::Waiting { attempt, until, .. } = story.link.state() else {
        panic!("{:?}", story.link.state());
    };
    story.now = until;
    story.then(Link::handle_timeout);
    story.then(|link, now| link.handle_spawned(now, Ok(())));
    let id = story.link.lives.requests.last;
    let greeting = GREETING.replace("\"request_id\":1", &format!("\"request_id\":{id}"));
    story.says(&control(&greeting));
    assert_eq!(story.link.state(), &State::Ready);
    attempt
}

#[test]
fn tries_are_counted_until_the_agent_has_served_for_some_seconds() {
    let mut story = Story::ready();
    let tries = [1, 1, 1, 3, 4, 1, 1].map(|seconds| tries_after(&mut story, seconds));
    assert_eq!(tries, [1, 2, 3, 4, 1, 2, 3]);
}

#[test]
fn a_command_that_always_ends_is_started_at_most_ten_times_in_two_minutes() {
    for seed in 0..50 {
        let demands = Demands {
            required: Vec::new(),
            wanted: Vec::new(),
        };
        let mut link = Link::new(configure(), demands, seed);
        link.start();
        let (mut now, mut starts) = (Instant::ZERO, 0);
        while now < Instant::ZERO + Duration::from_mins(2) {
            starts += 1;
            link.handle_spawned(now, Ok(()));
            link.handle_exit(now, Ending::Status(1));
            now = link.poll_timeout().unwrap().0;
            link.handle_timeout(now);
        }
        assert!((5..=10).contains(&starts), "{starts}");
    }
}

#[test]
fn whoever_waits_is_started_at_once_on_request_or_after_a_sleep() {
    for wake in [Link::handle_wake, |link: &mut Link, _| link.retry_now()] {
        let mut story = Story::ready();
        story.then(|link, now| link.handle_exit(now, Ending::Signal(1)));
        story.text.clear();
        story.then(wake);
        story.reads(
            "0.000s spawning
             0.000s -> Spawn",
        );
    }
}

#[test]
fn an_agent_that_refuses_three_times_waits_for_a_person() {
    let mut story = Story::started();
    for number in 1..=3 {
        if number > 1 {
            // A single refusal may be due to bits of the configuration that were changed in transit.
            assert!(matches!(story.link.state(), State::Waiting { .. }));
            story
                .after(1)
                .then(|link, now| link.handle_spawned(now, Ok(())));
        }
        story.says(&control(&format!(
            r#"{{"type":"result","body":{{"request_id":{number},"op":"configure","error":"no"}}}}"#,
        )));
        story.then(|link, now| link.handle_exit(now, Ending::Status(0)));
    }
    story.then(Link::handle_wake).after(3600);
    assert!(matches!(story.link.state(), State::Refused { .. }));
    assert_eq!(story.link.poll_timeout(), None);
    story.then(|link, _| link.start());
    assert_eq!(story.link.state(), &State::Spawning);
}

#[test]
fn an_agent_that_sends_messages_that_are_too_long_is_refused_in_the_end() {
    let giant = {
        let mut bytes = control("");
        let length = u32::try_from(crate::wire::CONTROL_MAX_FROM_AGENT + 1 + 4).unwrap();
        bytes[1..4].copy_from_slice(&length.to_be_bytes()[1..]);
        bytes
    };
    let sends = |story: &mut Story| {
        let number = story.link.lives.requests.last.to_string();
        let own = GREETING.replace("\"request_id\":1", &format!("\"request_id\":{number}"));
        story.says(&control(&own)).says(&giant);
        story.then(|link, now| link.handle_exit(now, Ending::Status(0)));
    };
    let mut story = Story::started();
    for number in 1..=GIANTS_MAX {
        if number > 1 {
            assert!(matches!(story.link.state(), State::Waiting { .. }));
            story.after(60);
            story.then(|link, now| link.handle_spawned(now, Ok(())));
        }
        sends(&mut story);
    }
    assert!(matches!(story.link.state(), State::Refused { .. }));
    let told = "a message of 262145 bytes, where 262144 are the most";
    assert!(story.text.contains(told), "{}", story.text);
    // If a person asks for the start, the count is reset.
    story.then(|link, _| link.start());
    story.then(|link, now| link.handle_spawned(now, Ok(())));
    sends(&mut story);
    assert!(matches!(story.link.state(), State::Waiting { .. }));
}

#[test]
fn stopping_ends_every_state_and_starting_ends_the_stop() {
    let lost = |story: &mut Story| {
        story.then(|link, now| link.handle_exit(now, Ending::Status(1)));
    };
    let mut story = Story::ready();
    lost(&mut story);
    story.then(Link::stop).after(3600);
    assert_eq!(story.link.state(), &State::Stopped);
    story.then(|link, _| link.start());
    story.then(|link, now| link.handle_spawned(now, Ok(())));
    story.then(Link::stop).then(|link, _| link.start());
    lost(&mut story);
    assert_eq!(story.link.state(), &State::Spawning, "started again");
    story.then(Link::stop);
    story.then(|link, now| link.handle_spawned(now, Err("no".to_owned().into())));
    assert_eq!(story.link.state(), &State::Stopped);
}

#[test]
fn a_restart_ends_the_process_before_another_one_begins() {
    let mut story = Story::ready();
    story.then(Link::restart);
    story.then(|link, now| link.handle_exit(now, Ending::Status(0)));
    story.reads(
        "0.000s -> CloseInput
         0.000s ending: restarted
         0.000s spawning
         0.000s -> Spawn",
    );
}

#[test]
fn a_heartbeat_measures_and_its_absence_is_death() {
    let mut story = Story::beating();
    story.after_millis(0).after_millis(40).pongs();
    assert_eq!(story.link.latency(), Some(Duration::from_millis(40)));
    for _ in 0..10 {
        story.after(1);
    }
    story.reads(
        "0.000s send ping
         0.040s ready
         2.040s send ping
         4.040s send ping
         6.040s send ping
         8.040s send ping
         9.040s -> CloseInput
         9.040s ending: its agent has not answered for 8 s, though its command still runs: the host or the connection to it may be down; check whether the host is up
         9.040s -> Terminate",
    );
}

#[test]
fn any_bytes_are_a_sign_of_life() {
    let mut story = Story::beating();
    for _ in 0..100 {
        story.after(1).says(&control(
            r#"{"type":"event","body":{"type":"problems","data":{"problems":[]}}}"#,
        ));
    }
    assert_eq!(story.link.state(), &State::Ready);
    assert_eq!(
        story.text.matches("ping").count(),
        50,
        "it is asked all the same"
    );
}

#[test]
fn an_upstream_agent_is_never_asked_and_never_missed() {
    let mut story = Story::ready();
    story
        .after(3600)
        .then(Link::handle_wake)
        .then(Link::handle_stalled);
    story.reads("");
    assert_eq!(story.link.poll_timeout(), None);
}

#[test]
fn an_agent_that_takes_nothing_any_more_is_ended() {
    let mut story = Story::beating();
    story.then(Link::handle_stalled);
    assert!(story.text.contains("has taken no data"), "{}", story.text);
}

#[test]
fn an_answer_that_nobody_asked_for_is_a_fault() {
    let mut story = Story::beating();
    story.after(1);
    for _ in 0..=FAULTS_MAX + 1 {
        story.pongs();
    }
    assert!(story.text.contains("misbehaves"), "{}", story.text);
}

#[test]
fn the_time_of_a_person_does_not_count() {
    let mut story = Story::started();
    story
        .after(50)
        .then(|link, now| link.handle_asking(now, true))
        .after(3600);
    assert_eq!(story.link.poll_timeout(), None);
    assert!(story.link.may_ask());
    story.then(|link, now| link.handle_asking(now, false));
    story.text.clear();
    story.after(59);
    story.reads("");
    story.after(1);
    assert!(
        story.text.contains("no agent has answered"),
        "{}",
        story.text
    );
    assert!(!story.link.may_ask());
}
