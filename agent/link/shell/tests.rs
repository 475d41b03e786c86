//! Tests of the conversation with shells that answer correctly, and with shells that do not.

mod cuts;
mod hostile;

use std::ops::Range;

use super::*;

const NOW: Instant = Instant::ZERO;
const SUM: &str = "5f0c";
const X86_64: &[u8] = b"nr-n1 elf \x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\n";

/// The seeds to try. The environment variable `SIM_SEEDS` sets their number when the tests are built.
fn seeds(usual: u64) -> Range<u64> {
    let number = option_env!("SIM_SEEDS").map(|it| it.parse().unwrap());
    0..number.unwrap_or(usual)
}

fn shell() -> Shell {
    shell_with("n1")
}

fn shell_with(nonce: &str) -> Shell {
    let offers = [Offer {
        target: Target::new("linux", "x86_64"),
        sum: SUM.to_owned(),
    }];
    Shell::new(NOW, nonce, "key".to_owned(), offers.into())
}

/// The lines that are sent to the shell, without empty ones, and all other wishes.
fn wishes(shell: &mut Shell) -> (Vec<String>, Vec<Wish>) {
    let (mut sent, mut rest) = (Vec::new(), Vec::new());
    while let Some(wish) = shell.poll_wish() {
        match wish {
            Wish::Send(bytes) => sent.push(String::from_utf8_lossy(&bytes).into_owned()),
            other @ (Wish::Fetch(_) | Wish::Tell(_) | Wish::TellTaken) => rest.push(other),
        }
    }
    sent.retain(|sent| sent != BLANK);
    (sent, rest)
}

fn says(shell: &mut Shell, text: &[u8]) -> Outcome {
    shell.handle_bytes(NOW, &mut BytesMut::from(text))
}

/// A conversation with a shell that has these tools. The manager is reading the agent for it.
fn fetching(tools: &str) -> Shell {
    let mut shell = shell();
    says(
        &mut shell,
        format!("nr-n1 has {tools} at /run/x\n").as_bytes(),
    );
    says(&mut shell, b"nr-n1 system Linux x86_64\n");
    says(&mut shell, X86_64);
    assert_eq!(says(&mut shell, b"\nnr-n1 end\n"), Outcome::Open);
    let (_, rest) = wishes(&mut shell);
    assert!(rest.contains(&Wish::Fetch(SUM.to_owned())), "{rest:?}");
    shell
}

/// Gives an agent of `size` bytes to the conversation.
fn give(shell: &mut Shell, size: usize) {
    let parcel = Parcel {
        plain: Bytes::from(vec![7; size]),
        packed: Bytes::from(vec![8; size / 2]),
    };
    let outcome = shell.handle_parcel(NOW, SUM, Ok(Arc::new(parcel)));
    assert_eq!(outcome, Outcome::Open);
}

/// A conversation with a shell that has these tools and was told to take an agent of `size` bytes.
fn sending(tools: &str, size: usize) -> Shell {
    let mut shell = fetching(tools);
    give(&mut shell, size);
    let (sent, _) = wishes(&mut shell);
    assert!(matches!(&sent[..], [take] if take.contains("say have")));
    shell
}

/// A conversation with a shell that has these tools and no part of an agent. It was given an agent of `size` bytes.
/// Returns also what was sent to it since then.
fn sending_at_once(tools: &str, size: usize) -> (Shell, Vec<String>) {
    let mut shell = shell();
    let said = format!("nr-n1 has {tools} at /x\nnr-n1 lacks parts\nnr-n1 system Linux x86_64\n");
    says(&mut shell, said.as_bytes());
    says(&mut shell, b"nr-n1 end\n");
    wishes(&mut shell);
    give(&mut shell, size);
    let (sent, _) = wishes(&mut shell);
    (shell, sent)
}

#[test]
fn an_agent_that_is_there_is_run_and_gets_the_rest_of_the_pipe() {
    let mut shell = shell();
    let (sent, _) = wishes(&mut shell);
    assert!(sent[0].contains(SUM) && sent[0].ends_with('\n'), "{sent:?}");
    let mut buffer = BytesMut::from(&b"Welcome!\nnr-n1 run 5f0c /run/x\n\x42frame"[..]);
    assert_eq!(shell.handle_bytes(NOW, &mut buffer), Outcome::Runs);
    assert_eq!(buffer, &b"\x42frame"[..]);
    assert_eq!(shell.noise(), b"Welcome!\n");
    let (sent, _) = wishes(&mut shell);
    assert_eq!(sent, ["go n1\n"], "the shell waits for that line");
}

#[test]
fn what_the_shell_says_may_arrive_byte_by_byte() {
    let mut shell = shell();
    let mut buffer = BytesMut::new();
    for byte in b"nr-n0 nr-n1 run 5f0c /run/x" {
        buffer.extend_from_slice(&[*byte]);
        assert_eq!(shell.handle_bytes(NOW, &mut buffer), Outcome::Open);
    }
    buffer.extend_from_slice(b"\n\x42");
    assert_eq!(shell.handle_bytes(NOW, &mut buffer), Outcome::Runs);
    assert_eq!((&buffer[..], shell.noise()), (&b"\x42"[..], &b"nr-n0 "[..]));
}

#[test]
fn chunks_follow_each_other_without_a_pause_only_where_nothing_is_swallowed() {
    for (tools, chunks) in [("dd", 16), ("exact", 16), ("head", 1), ("printf", 32)] {
        let mut shell = sending(tools, 10 << 20);
        says(&mut shell, b"nr-n1 have 0\n");
        let (sent, _) = wishes(&mut shell);
        let lines = sent.iter().filter(|line| line.ends_with(";\n")).count();
        assert_eq!(lines, chunks, "{tools}");
        says(&mut shell, b"nr-n1 kept\n");
        let (sent, _) = wishes(&mut shell);
        assert_eq!(sent.iter().filter(|line| line.ends_with(";\n")).count(), 1);
    }
}

#[test]
fn a_shell_that_has_no_part_is_sent_one_without_being_waited_for() {
    for (tools, lines, begins) in [
        ("dd", 33, "if false;"),
        ("exact", 33, "if false;"),
        ("head", 1, "if true;"),
        ("printf", 1, "if true;"),
    ] {
        let (mut shell, sent) = sending_at_once(tools, 10 << 20);
        assert!(sent[0].contains(begins), "{tools}: {}", sent[0]);
        assert_eq!(sent.len(), lines, "{tools}");
        assert_eq!(
            shell.step(),
            Step::Upload {
                kept: 0,
                size: 10 << 20
            }
        );
        assert_eq!(says(&mut shell, b"nr-n1 have 0\n"), Outcome::Open);
        let next = wishes(&mut shell).0.len();
        assert_eq!(next > 0, lines == 1, "{tools}: nothing is sent twice");
    }
}

#[test]
fn the_line_that_runs_the_agent_follows_the_last_chunk_where_nothing_is_swallowed() {
    let runs = |sent: &[String]| sent.iter().any(|line| line.contains("sha256sum"));
    let (mut shell, sent) = sending_at_once("dd", 9);
    assert!(runs(&sent) && sent[1] == "take 9;\n", "{sent:?}");
    says(&mut shell, b"nr-n1 have 0\n");
    assert_eq!(shell.step(), Step::Upload { kept: 0, size: 9 });
    says(&mut shell, b"nr-n1 kept\n");
    let (sent, rest) = wishes(&mut shell);
    assert_eq!(sent, [""; 0], "the line is sent once");
    assert!(matches!(
        rest[..],
        [Wish::Tell(Done {
            step: Step::Upload { kept: 9, .. },
            ..
        })]
    ));
    assert_eq!(shell.step(), Step::Verify);
    for tools in ["head", "printf"] {
        let mut shell = sending(tools, 9);
        says(&mut shell, b"nr-n1 have 0\n");
        assert!(!runs(&wishes(&mut shell).0), "{tools}");
        says(&mut shell, b"nr-n1 kept\n");
        assert!(runs(&wishes(&mut shell).0), "{tools}");
    }
}

#[test]
fn a_shell_that_was_sent_an_agent_at_once_has_to_begin_at_its_first_byte() {
    for said in [
        "have 1",
        "kept",
        "have 0\nnr-n1 have 0",
        "have 0\nnr-n1 sum",
    ] {
        let (mut shell, _) = sending_at_once("dd", 9);
        let outcome = says(&mut shell, format!("nr-n1 {said}\n").as_bytes());
        assert_eq!(outcome, Outcome::Failed(Unfit::Strange), "{said}");
    }
    for said in ["full", "have 0\nnr-n1 full"] {
        let (mut shell, _) = sending_at_once("dd", 9);
        let outcome = says(&mut shell, format!("nr-n1 {said}\n").as_bytes());
        assert_eq!(outcome, Outcome::Failed(Unfit::Full("/x".to_owned())));
    }
}

#[test]
fn an_agent_is_sent_from_where_the_last_try_was_cut() {
    let mut shell = sending("dd gzip", 100);
    says(&mut shell, b"nr-n1 have 48\n");
    let (sent, _) = wishes(&mut shell);
    assert_eq!(sent[..2], ["take 2;\n", "\u{8}\u{8}"]);
    assert_eq!(shell.step(), Step::Upload { kept: 48, size: 50 });
    says(&mut shell, b"nr-n1 kept\n");
    let (_, rest) = wishes(&mut shell);
    let size = 50;
    let upload = Step::Upload { kept: size, size };
    assert!(
        matches!(rest[..], [Wish::Tell(Done { step, .. })] if step == upload),
        "{rest:?}"
    );
    assert_eq!(says(&mut shell, b"nr-n1 run 5f0c /x\n"), Outcome::Runs);
}

#[test]
fn a_failure_says_what_failed() {
    let end = |shell: &mut Shell| says(shell, b"nr-n1 end\n");
    let mut arm = shell();
    says(&mut arm, b"nr-n1 has dd at /x\nnr-n1 system Linux armv7l\n");
    let target = Target::new("linux", "arm");
    assert_eq!(end(&mut arm), Outcome::Failed(Unfit::NoAgent(Some(target))));

    assert_eq!(end(&mut shell()), Outcome::Failed(Unfit::NoAgent(None)));

    let mut nowhere = shell();
    says(
        &mut nowhere,
        b"nr-n1 has dd at \nnr-n1 tried /a cannot be made\nnr-n1 system Linux x86_64\n",
    );
    let tried = "/a cannot be made".to_owned();
    assert_eq!(end(&mut nowhere), Outcome::Failed(Unfit::NoFolder(tried)));

    let mut bare = shell();
    says(&mut bare, b"nr-n1 has   at /x\nnr-n1 system Linux x86_64\n");
    assert_eq!(end(&mut bare), Outcome::Failed(Unfit::NoReader));

    let mut full = sending("dd", 9);
    says(&mut full, b"nr-n1 have 0\n");
    let folder = "/run/x".to_owned();
    assert_eq!(
        says(&mut full, b"nr-n1 full\n"),
        Outcome::Failed(Unfit::Full(folder))
    );

    for (said, why) in [
        (&b"nr-n1 sum\n"[..], Unfit::Changed),
        (
            b"nr-n1 unfit 137\n",
            Unfit::NotRun(Target::new("linux", "x86_64"), Some(137)),
        ),
    ] {
        let mut shell = sending("dd", 9);
        says(&mut shell, b"nr-n1 have 0\nnr-n1 kept\n");
        assert_eq!(says(&mut shell, said), Outcome::Failed(why));
    }

    let mut unreadable = fetching("dd");
    let gone = || Err("gone".to_owned());
    assert_eq!(
        unreadable.handle_parcel(NOW, "77", gone()),
        Outcome::Open,
        "of an earlier conversation"
    );
    let why = unreadable.handle_parcel(NOW, SUM, gone());
    assert_eq!(why, Outcome::Failed(Unfit::Unreadable("gone".to_owned())));
    assert_eq!(shell().handle_parcel(NOW, SUM, gone()), Outcome::Open);
}

#[test]
fn a_shell_that_answers_what_no_shell_does_is_left() {
    for said in ["have 0", "kept", "full", "sum", "x", ""] {
        let said = format!("nr-n1 {said}\n");
        let outcome = says(&mut shell(), said.as_bytes());
        assert_eq!(outcome, Outcome::Failed(Unfit::Strange), "{said}");
    }
    for said in [
        "have 10",
        "have -1",
        "have",
        "have 0\nnr-n1 kept\nnr-n1 kept",
        "have 0\nnr-n1 have 0",
    ] {
        let said = format!("nr-n1 {said}\n");
        let outcome = says(&mut sending("dd", 9), said.as_bytes());
        assert_eq!(outcome, Outcome::Failed(Unfit::Strange), "{said}");
    }
}

#[test]
fn a_host_that_prints_without_end_is_left() {
    let mut shell = shell();
    let noise = vec![b'x'; 64 << 10];
    let failed = (0..32).find_map(|_| match says(&mut shell, &noise) {
        Outcome::Failed(why) => Some(why),
        Outcome::Open | Outcome::Runs => None,
    });
    assert!(matches!(failed, Some(Unfit::Noise(text)) if text.len() == NOISE_MAX));
    let endless = [b"nr-n1 ", &noise[..]].concat();
    let outcome = says(&mut self::shell(), &endless);
    assert!(matches!(outcome, Outcome::Failed(Unfit::Noise(_))));
}

#[test]
fn a_shell_that_does_not_answer_is_asked_again_and_a_person_is_told_if_that_was_needed() {
    let mut shell = shell();
    let first = wishes(&mut shell).0.remove(0);
    let (mut now, mut looks) = (NOW, 1);
    while let Some(at) = shell.poll_timeout() {
        assert_eq!(at - now, AGAIN);
        shell.handle_timeout(now);
        assert!(wishes(&mut shell).0.is_empty(), "it is not time yet");
        now = at;
        shell.handle_timeout(now);
        let (sent, _) = wishes(&mut shell);
        assert_ne!(sent, [first.as_str()], "its answer tells which one came");
        looks += 1;
    }
    assert_eq!(looks, LOOKS_MAX);

    let mut shell = self::shell();
    assert_eq!(says(&mut shell, b"\nnr-n1 again\n"), Outcome::Open);
    let (_, rest) = wishes(&mut shell);
    assert_eq!(rest, [Wish::TellTaken]);
    assert_eq!(shell.poll_timeout(), None, "it has heard the line");
    let mut shell = self::shell();
    wishes(&mut shell);
    assert_eq!(says(&mut shell, b"nr-n1 bare\n"), Outcome::Open);
    let (sent, rest) = wishes(&mut shell);
    assert_eq!((sent, rest), (vec![first], vec![Wish::TellTaken]));
    assert_eq!(says(&mut shell, b"nr-n1 run /x\n"), Outcome::Runs);
}

#[test]
fn an_echo_is_recognized_behind_everything_else_that_a_host_prints() {
    let mut shell = shell();
    let (sent, _) = wishes(&mut shell);
    let noise = vec![b'x'; 100 << 10];
    assert_eq!(says(&mut shell, &noise), Outcome::Open);
    let mut buffer = BytesMut::new();
    let mut parts = sent[0].as_bytes().chunks(3);
    let echo = parts.find(|part| {
        buffer.extend_from_slice(part);
        shell.handle_bytes(NOW, &mut buffer) == Outcome::Failed(Unfit::Echo)
    });
    assert!(echo.is_some());
    assert_eq!(shell.noise().len(), NOISE_MAX);
}

#[test]
fn a_terminal_that_sends_everything_back_is_recognized() {
    let mut shell = shell();
    let (sent, _) = wishes(&mut shell);
    let outcome = says(&mut shell, sent[0].as_bytes());
    assert_eq!(outcome, Outcome::Failed(Unfit::Echo));
}
