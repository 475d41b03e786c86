//! Tests of commands that ask a person something.

use super::*;
use crate::{
    secret::Secret,
    view::{Answer, HostView, PromptKind},
};

const PASSWORD: &str = "ann@beta's password: ";

/// A network whose second host's command has just been started.
fn greeting_core() -> Core {
    let mut core = core();
    core.start(NOW);
    core.handle_spawned(NOW, vip(B), Ok(()));
    outputs(&mut core);
    core
}

fn ask(core: &mut Core, asker: u32) -> Option<u64> {
    let kind = Some(PromptKind::Secret);
    core.prompt(NOW, vip(B), kind, PASSWORD.to_owned(), asker)
}

fn answer(core: &mut Core, prompt: u64, text: Option<&str>, remember: bool) -> bool {
    let text = text.map(|text| Secret::new(text.to_owned()));
    let answer = Answer {
        prompt,
        text,
        remember,
    };
    core.answer(NOW, vip(B), answer)
}

fn beta(core: &Core) -> HostView {
    core.snapshot(NOW).hosts.remove(1)
}

fn answers(core: &mut Core) -> Vec<(u64, Option<String>)> {
    let answers = outputs(core).into_iter().filter_map(|output| match output {
        Output::Answer(id, text) => Some((id, text.map(|text| text.reveal().to_owned()))),
        Output::Spawn(..)
        | Output::Look(..)
        | Output::EndLook(..)
        | Output::CloseInput(_)
        | Output::Terminate(_)
        | Output::Kill(_)
        | Output::Wake(_)
        | Output::Fetch(..)
        | Output::Event(_)
        | Output::Reply(..)
        | Output::Changed => None,
    });
    answers.collect()
}

#[test]
fn a_host_needs_a_person_while_its_command_asks_and_goes_on_when_it_is_answered() {
    let mut core = greeting_core();
    assert_eq!(beta(&core).state, HostState::Greeting);
    let id = ask(&mut core, 7).unwrap();
    let asking = beta(&core);
    assert_eq!(asking.state, HostState::NeedsYou);
    assert_eq!(
        asking.reason.as_deref(),
        Some("its command asks: ann@beta's password:")
    );
    assert_eq!(asking.prompts.len(), 1);
    let told = outputs(&mut core);
    let needs = |output: &Output| {
        matches!(
            output,
            Output::Event(Event::Host {
                state: HostState::NeedsYou,
                ..
            })
        )
    };
    assert_eq!(told.iter().filter(|output| needs(output)).count(), 1);
    core.handle_timeout(NOW + std::time::Duration::from_hours(1));
    assert_eq!(beta(&core).state, HostState::NeedsYou, "a person has time");

    assert!(answer(&mut core, id, Some("x"), false));
    assert_eq!(answers(&mut core), [(id, Some("x".to_owned()))]);
    assert!(!answer(&mut core, id, Some("x"), false), "it was answered");
    let view = beta(&core);
    assert_eq!(
        (view.state, view.prompts),
        (HostState::Greeting, Vec::new())
    );
    core.handle_bytes(
        NOW,
        vip(B),
        &mut greeting(r#""tcp","loopback","loopback.disable""#),
    );
    assert_eq!(beta(&core).state, HostState::Ready);
}

#[test]
fn nobody_is_asked_for_a_command_that_is_gone() {
    for (name, end) in [
        (
            "its end",
            Core::handle_closed as fn(&mut Core, Instant, Vip),
        ),
        ("a stop", |core, now, vip| {
            assert!(core.host_action(now, vip, HostAction::Stop));
        }),
        ("a restart", |core, now, vip| {
            assert!(core.host_action(now, vip, HostAction::Restart));
        }),
        ("a timeout of ours", |core, now, vip| {
            core.withdraw(now, vip, 1);
        }),
    ] {
        let mut core = greeting_core();
        let id = ask(&mut core, 7).unwrap();
        outputs(&mut core);
        end(&mut core, NOW, vip(B));
        assert_eq!(beta(&core).prompts, [], "{name}");
        assert_ne!(beta(&core).state, HostState::NeedsYou, "{name}");
        assert!(!answer(&mut core, id, Some("x"), true), "{name}");
    }
    let mut core = greeting_core();
    core.handle_exit(NOW, vip(B), Ending::Status(255));
    assert_eq!(ask(&mut core, 7), None, "it has no command that could ask");
}

#[test]
fn whoever_does_not_answer_is_not_asked_again_in_a_moment() {
    let mut core = greeting_core();
    let id = ask(&mut core, 7).unwrap();
    assert!(answer(&mut core, id, None, false));
    core.handle_exit(NOW, vip(B), Ending::Status(255));
    let view = beta(&core);
    assert_eq!((view.state, view.retry), (HostState::Refused, None));
    let reason = view.reason.unwrap();
    assert_eq!(
        reason,
        "nobody has answered what its command asked: ann@beta's password:; start the host to be asked again"
    );
}

#[test]
fn a_command_is_ended_before_it_is_told_that_nobody_answers_so_that_it_does_not_try_an_empty_password()
 {
    type End = fn(&mut Core, u64);
    let ways: [(&str, End); 4] = [
        ("a refusal", |core, id| {
            assert!(answer(core, id, None, false));
        }),
        ("a no", |core, id| {
            let no = core.prompt(
                NOW,
                vip(B),
                Some(PromptKind::Confirm),
                "Go on?".to_owned(),
                8,
            );
            assert!(answer(core, no.unwrap(), Some("no"), true));
            assert!(!answer(core, id, Some("x"), false), "it is over");
        }),
        ("a stop", |core, _| {
            assert!(core.host_action(NOW, vip(B), HostAction::Stop));
        }),
        ("the end of the network", |core, _| core.stop(NOW)),
    ];
    for (name, end) in ways {
        let mut core = greeting_core();
        let id = ask(&mut core, 7).unwrap();
        outputs(&mut core);
        end(&mut core, id);
        let told = outputs(&mut core);
        assert!(
            told.contains(&Output::Terminate(vip(B))),
            "{name}: {told:?}"
        );
        let answered = told
            .iter()
            .any(|output| matches!(output, Output::Answer(..)));
        assert!(!answered, "{name}: {told:?}");
        assert_eq!(beta(&core).prompts, [], "{name}");
        core.handle_exit(NOW, vip(B), Ending::Signal(15));
        let answers = answers(&mut core);
        assert!(answers.contains(&(id, None)), "{name}: {answers:?}");
        assert!(answers.iter().all(|(_, text)| text.is_none()), "{name}");
    }
}

#[test]
fn a_no_is_told_as_what_it_was_and_is_not_asked_again() {
    let mut core = greeting_core();
    let text = "The authenticity of host 'web' can't be established.\nReally go on (yes/no)? ";
    let kind = Some(PromptKind::Confirm);
    let id = core.prompt(NOW, vip(B), kind, text.to_owned(), 7);
    assert!(answer(&mut core, id.unwrap(), Some("no"), false));
    core.handle_exit(NOW, vip(B), Ending::Signal(15));
    outputs(&mut core);
    let view = beta(&core);
    assert_eq!(view.state, HostState::Refused);
    let reason = view.reason.unwrap();
    assert!(
        reason.starts_with("the answer was no to what its command asked: The authenticity of host"),
        "{reason}"
    );
    core.handle_wake(NOW);
    core.handle_timeout(NOW + std::time::Duration::from_hours(1));
    assert_eq!(beta(&core).state, HostState::Refused);
    assert!(core.host_action(NOW, vip(B), HostAction::Start));
    assert_eq!(beta(&core).state, HostState::Starting);
}

#[test]
fn a_host_that_is_reached_goes_on_when_a_question_is_refused() {
    let mut core = all_ready();
    let id = ask(&mut core, 7).unwrap();
    outputs(&mut core);
    assert!(answer(&mut core, id, None, false));
    assert_eq!(answers(&mut core), [(id, None)]);
    assert_eq!(beta(&core).state, HostState::Ready);
}

#[test]
fn a_kept_answer_is_given_without_a_person_until_it_is_wrong() {
    let mut core = greeting_core();
    let id = ask(&mut core, 7).unwrap();
    assert!(answer(&mut core, id, Some("x"), true));
    assert!(core.host_action(NOW, vip(B), HostAction::Restart));
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    core.handle_spawned(NOW, vip(B), Ok(()));
    outputs(&mut core);
    let second = ask(&mut core, 8).unwrap();
    assert_eq!(answers(&mut core), [(second, Some("x".to_owned()))]);
    assert_eq!(beta(&core).state, HostState::Greeting);
    ask(&mut core, 8).unwrap();
    assert_eq!(beta(&core).state, HostState::NeedsYou);
}

#[test]
fn a_host_that_is_reached_stays_reached_while_its_command_asks() {
    let mut core = all_ready();
    ask(&mut core, 7).unwrap();
    let view = beta(&core);
    assert_eq!(view.state, HostState::Degraded);
    let asks = Trouble {
        code: TroubleCode::Asks,
        what: "its command asks: ann@beta's password:".to_owned(),
        said: Some("ann@beta's password:".to_owned()),
        ..Trouble::default()
    };
    assert_eq!(view.troubles, [asks]);
}
