//! Tests with shells that print arbitrary output. Whatever such a shell prints, the manager sends at most one agent,
//! keeps only a little of the output, and ends the conversation in time.

use super::{cuts::next, *};

/// The default number of shells that are tried.
const SEEDS: u64 = 300;

/// The number of pieces of output of each shell.
const PIECES: usize = 60;

/// The size of the agent.
const SIZE: usize = 3 * CHUNK;

/// One piece of a shell's output.
fn piece(seed: &mut u64) -> Vec<u8> {
    let number = match next(seed) % 5 {
        0 => "0".to_owned(),
        1 => SIZE.to_string(),
        2 => "99999999999999999999999999".to_owned(),
        3 => "-1".to_owned(),
        _ => (next(seed) % (2 * SIZE)).to_string(),
    };
    let line = match next(seed) % 21 {
        0 => "has dd gzip sha256sum at /x".to_owned(),
        1 => "has head at ".to_owned(),
        2 => format!("has printf at /{}", "x".repeat(next(seed) % 8_000)),
        3 | 4 => "system Linux x86_64".to_owned(),
        5 => "elf \x7fELF\u{2}\u{1}".to_owned(),
        6..8 => "end".to_owned(),
        8..10 => format!("have {number}"),
        10..14 => "kept".to_owned(),
        14 => "full".to_owned(),
        15 => "sum".to_owned(),
        16 => format!("unfit {number}"),
        17 => ["again", "bare"][next(seed) % 2].to_owned(),
        18 => format!(
            "tried \u{1b}]0;owned\u{7}\u{1b}[2J{}",
            "y".repeat(next(seed) % 300)
        ),
        19 => "lacks parts".to_owned(),
        _ => format!("run {number}"),
    };
    match next(seed) % 12 {
        0 => vec![b'x'; next(seed) % (8 << 10)],
        1 => (0..next(seed) % 300)
            .map(|_| next(seed).to_le_bytes()[0])
            .collect(),
        2 => format!("nr-n{} {line}\n", next(seed) % 9 + 2).into_bytes(),
        3 => format!("nr-n1 {line}").into_bytes(),
        4 => b"nr-n1nr-n1 \nnr-n\n\n\n".to_vec(),
        _ => format!("\nnr-n1 {line}\n").into_bytes(),
    }
}

#[test]
fn a_hostile_shell_gets_one_agent_at_most_and_no_memory() {
    let (mut ran, mut failed, mut open) = (0, 0, 0);
    for first in seeds(SEEDS) {
        let mut seed = first;
        let mut shell = shell();
        let (mut buffer, mut sent, mut fetched, mut told) = (BytesMut::new(), 0, 0, 0);
        let mut last = Outcome::Open;
        let mut before = (0, 0);
        for _ in 0..PIECES {
            buffer.extend_from_slice(&piece(&mut seed));
            last = shell.handle_bytes(NOW, &mut buffer);
            assert!(shell.progress() >= before, "seed {first}: it went back");
            before = shell.progress();
            assert!(buffer.len() <= LINE_MAX || last != Outcome::Open);
            assert!(shell.noise().len() <= NOISE_MAX && shell.tail.len() < script::ECHO.len());
            while let Some(wish) = shell.poll_wish() {
                match wish {
                    Wish::Send(bytes) => sent += bytes.len(),
                    Wish::Fetch(sum) => {
                        fetched += 1;
                        let parcel = Parcel {
                            plain: Bytes::from(vec![7; SIZE]),
                            packed: Bytes::from(vec![8; SIZE]),
                        };
                        shell.handle_parcel(NOW, &sum, Ok(Arc::new(parcel)));
                    }
                    Wish::Tell(_) | Wish::TellTaken => told += 1,
                }
            }
            if last != Outcome::Open {
                break;
            }
        }
        // To a shell that prints the bytes itself, each byte of the agent is sent as four bytes.
        assert!(sent <= 5 * SIZE + 30_000, "seed {first}: {sent}");
        assert!(fetched <= 1 && told <= PIECES, "seed {first}");
        match last {
            Outcome::Open => open += 1,
            Outcome::Runs => ran += 1,
            Outcome::Failed(_) => failed += 1,
        }
    }
    assert!(
        ran > 0 && failed > 0,
        "{ran} ran, {failed} failed, {open} are open"
    );
}

#[test]
fn a_shell_that_only_says_that_something_took_the_line_is_believed_once() {
    let mut shell = shell();
    let said = b"\nnr-n1 again\n".repeat(1_000);
    assert_eq!(says(&mut shell, &said), Outcome::Failed(Unfit::Strange));
    let (_, rest) = wishes(&mut shell);
    assert_eq!(rest, [Wish::TellTaken]);
}

#[test]
fn whatever_a_shell_says_of_its_folders_is_safe_to_show() {
    let mut shell = shell();
    let said = b"nr-n1 has dd at \nnr-n1 tried \x1b]0;owned\x07 \x1b[2J\nnr-n1 system Linux x86_64\nnr-n1 end\n";
    let Outcome::Failed(why) = says(&mut shell, said) else {
        panic!("there is no folder");
    };
    assert!(!why.to_string().chars().any(char::is_control), "{why}");
    for why in [
        Unfit::NoAgent(Some(Target::new("\x1b[2J", "\u{202e}x"))),
        Unfit::Full("\x1b[2J\r\n".to_owned()),
        Unfit::NotRun(Target::new("\x07", "x"), Some(i32::MAX)),
        Unfit::Noise("\x1b[2J\u{202e}".to_owned()),
    ] {
        let text = why.to_string();
        let is_safe = |c: char| !c.is_control() && c != '\u{202e}';
        assert!(text.chars().all(is_safe), "{text:?}");
    }
}
