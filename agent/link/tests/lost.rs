//! The reason for a loss: what the command has said, and how long the link waits for an answer.

use super::*;
use crate::view::{ByHand, TroubleCause};

impl Story {
    /// The command writes this line to its standard error.
    fn complains(&mut self, line: &str) -> &mut Self {
        self.then(|link, now| link.handle_stderr(now, line.as_bytes()))
    }

    fn ends(&mut self, ending: Ending) -> &mut Self {
        self.then(Link::handle_closed)
            .then(|link, now| link.handle_exit(now, ending))
    }

    /// The reason for the loss.
    #[track_caller]
    fn why(&self) -> &Loss {
        match self.link.state() {
            State::Ending { why, .. } | State::Waiting { why, .. } | State::Refused { why } => why,
            other @ (State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ready
            | State::Stopped) => panic!("not lost: {other:?}"),
        }
    }

    #[track_caller]
    fn pause(&self) -> Duration {
        let State::Waiting { pause, .. } = self.link.state() else {
            panic!("it is not tried again: {:?}", self.link.state());
        };
        *pause
    }
}

#[test]
fn the_last_telling_line_of_standard_error_is_the_reason() {
    let mut story = Story::started();
    story
        .complains("Pseudo-terminal will not be allocated because stdin is not a terminal.")
        .complains("ssh: Could not resolve hostname wbe1: Name or service not known")
        .ends(Ending::Status(255));
    let trouble = story.why().trouble(&ByHand::default());
    assert_eq!(
        trouble.what,
        "ssh: Could not resolve hostname wbe1: Name or service not known (status 255)"
    );
    assert_eq!(trouble.cause, Some(TroubleCause::UnknownName));
    assert!(story.pause() <= Duration::from_secs(4));
}

#[test]
fn a_reason_of_an_earlier_life_is_not_told_again() {
    let mut story = Story::started();
    story
        .complains("the moon is down")
        .ends(Ending::Status(3))
        .after(1)
        .then(|link, now| link.handle_spawned(now, Ok(())))
        .ends(Ending::Status(3));
    assert_eq!(
        told(story.why()),
        "its command exited with status 3, and wrote nothing; run it by hand: x norouter --version - it has to print the version of norouter"
    );
}

#[test]
fn a_refused_login_is_tried_once_and_then_only_if_a_person_says_so() {
    for line in [
        "ann@web1: Permission denied (publickey).",
        "Host key verification failed.",
    ] {
        let mut story = Story::started();
        story.complains(line).ends(Ending::Status(255));
        assert_eq!(story.why().remedy(), Remedy::Person);
        story
            .then(Link::handle_wake)
            .then(|link, _| link.retry_now());
        assert!(
            matches!(story.link.state(), State::Refused { .. }),
            "{}",
            story.text
        );
        assert_eq!(story.link.poll_timeout(), None);
        story.then(|link, _| link.start());
        assert_eq!(story.link.state(), &State::Spawning);
    }
}

#[test]
fn what_somebody_has_to_mend_is_tried_ever_more_rarely() {
    let mut story = Story::started();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        story
            .complains("bash: line 1: norouter: command not found")
            .ends(Ending::Status(127));
        pauses.push(story.pause().as_secs());
        story.now = story.now + story.pause();
        story
            .then(Link::handle_timeout)
            .then(|link, now| link.handle_spawned(now, Ok(())));
    }
    assert!(pauses.is_sorted(), "{pauses:?}");
    assert!(pauses[0] >= 3 && pauses[8] >= 240, "{pauses:?}");
}

#[test]
fn a_host_that_was_well_for_ten_seconds_is_tried_again_at_once() {
    let mut story = Story::ready();
    for _ in 0..20 {
        tries_after(&mut story, 0);
    }
    story.now = story.now + Duration::from_secs(10);
    story.ends(Ending::Signal(9));
    assert!(
        story.pause() <= Duration::from_millis(500),
        "{}",
        story.text
    );
}

#[test]
fn a_terminal_in_the_way_is_recognized_by_the_echo_of_our_own_words() {
    let echo = b"B^@^Bo^@^B^@^@{\"type\":\"request\",\"body\":{\"id\":1,\"op\":\"configure\"}}\r\nerror: an agent\r\n";
    let cat = control(r#"{"type":"request","body":{"id":1,"op":"configure","args":{}}}"#);
    let mut printed = Story::started();
    printed.says(echo).ends(Ending::Status(2));
    let mut silent = Story::started();
    silent.says(echo).after(12);
    let mut raw = Story::started();
    raw.says(&cat);
    for story in [&printed, &silent, &raw] {
        let trouble = story.why().trouble(&ByHand::default());
        assert_eq!(trouble.cause, Some(TroubleCause::Terminal), "{trouble}");
        assert!(trouble.remedy.as_ref().unwrap().contains("-t"), "{trouble}");
        assert!(!trouble.what.contains("configure"), "{trouble}");
    }
}

#[test]
fn a_command_that_ends_well_without_a_word_had_no_input() {
    let mut story = Story::started();
    story.ends(Ending::Status(0));
    let trouble = story.why().trouble(&ByHand::default());
    assert_eq!(trouble.cause, Some(TroubleCause::NoInput));
    assert!(trouble.remedy.unwrap().contains("-i"));
    let mut story = Story::ready();
    story.ends(Ending::Status(0));
    assert_eq!(
        story.why().trouble(&ByHand::default()).cause,
        None,
        "its agent has answered"
    );
    assert_eq!(story.why().remedy(), Remedy::Time);
}

#[test]
fn text_instead_of_a_frame_is_quoted() {
    let mut story = Story::ready();
    story.says(b"Killed\n");
    let told = super::told(story.why());
    assert!(
        told.contains("\"Killed\"") && !told.contains("-t"),
        "{told}"
    );
    let mut story = Story::ready();
    story.says(b"\0\0\0\x07");
    let told = super::told(story.why());
    assert!(told.contains("found [00, 00, 00, 07]"), "{told}");
}

#[test]
fn a_command_that_takes_long_is_quoted_and_a_quick_one_is_not() {
    let mut story = Story::started();
    story.complains("Waiting for the touch of a key ...");
    assert_eq!(story.link.mutters(), None);
    story.text.clear();
    story.after(5);
    let says = "Waiting for the touch of a key ...";
    assert_eq!(story.link.mutters(), Some(says));
    assert_eq!(story.text, "  5.000s configuring\n", "people are told");
    story.text.clear();
    story.complains("Do you want to continue connecting? (y/n) ");
    assert_eq!(
        story.link.mutters(),
        Some("Do you want to continue connecting? (y/n)")
    );
    assert!(story.text.ends_with("configuring\n"), "{}", story.text);
    story.says(&control(GREETING));
    assert_eq!(story.link.mutters(), None);
    story.complains("listening");
    assert_eq!(story.link.mutters(), None);
}

#[test]
fn people_are_told_of_a_command_that_is_silent_for_long() {
    let mut story = Story::started();
    assert!(!story.link.is_late());
    story.text.clear();
    story.after(5);
    assert_eq!(story.text, "  5.000s configuring\n", "people are told");
    assert!(story.link.is_late() && story.link.mutters().is_none());
    story.says(&control(GREETING));
    assert!(!story.link.is_late());
}

#[test]
fn a_command_that_shows_a_page_has_the_time_of_a_person() {
    let mut story = Story::started();
    story
        .complains("To sign in, open the page https://example.com/device and enter the code ABC")
        .after(500);
    assert!(
        matches!(story.link.state(), State::Configuring { .. }),
        "{}",
        story.text
    );
    story.after(100);
    assert!(
        story.text.contains("no agent has answered"),
        "{}",
        story.text
    );
}

#[test]
fn a_process_that_is_about_to_end_is_not_called_stuck() {
    let mut story = Story::ready();
    story.then(Link::handle_closed);
    assert_eq!(told(story.why()), "its command is ending");
    story.after(1);
    assert_eq!(*story.why(), Loss::Closed);
}

#[test]
fn a_refused_question_ends_the_command_at_once_and_waits_for_a_person() {
    let mut story = Story::started();
    story
        .then(|link, now| link.handle_asking(now, true))
        .then(|link, now| assert!(link.handle_refused_prompt(now, "ann's password:\n", false)))
        .then(|link, now| link.handle_asking(now, false));
    assert!(story.text.contains("-> Terminate"), "{}", story.text);
    story.then(|link, now| link.handle_exit(now, Ending::Signal(15)));
    assert_eq!(story.why().remedy(), Remedy::Person);
    let told = super::told(story.why());
    assert!(told.contains("asked: ann's password:"), "{told}");
    assert_eq!(story.link.poll_timeout(), None);
}

#[test]
fn a_command_that_asks_is_stopped_without_delay() {
    let mut story = Story::started();
    story
        .then(|link, now| link.handle_asking(now, true))
        .then(Link::stop);
    assert!(story.text.contains("-> Terminate"), "{}", story.text);
}
