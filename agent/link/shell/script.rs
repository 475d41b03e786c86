//! The scripts for a host's shell. Each becomes one line, because the shell reads one line at a time.

use std::fmt::Write as _;

use crate::wire::SHELL_LOOP;

const LOOK: &str = include_str!("look.sh");
const TAKE: &str = include_str!("take.sh");
const RUN: &str = include_str!("run.sh");
const CLEAN: &str = include_str!("clean.sh");

/// A part of the first line that no shell prints by itself. A host that prints it echoes its input.
pub(super) const ECHO: &str = "n=nr-$l;";

/// The text before the nonce in every line of the shell.
pub(super) const MARK: &str = "nr-";

/// Runs the first agent with one of these sums that the host has. If the host has none of them, the shell reports the
/// machine's processor and tools, and whether a part of such an agent was kept for `key`. `is_again` means that the
/// shell may have been sent the same line before.
pub(super) fn look<'a>(
    nonce: &str,
    key: &str,
    sums: impl Iterator<Item = &'a str>,
    is_again: bool,
) -> String {
    let sums: Vec<&str> = sums.collect();
    let again = if is_again { "say again;" } else { "" };
    let words = [
        ("@NONCE@", nonce),
        ("@SUMS@", &sums.join(" ")),
        ("@KEY@", key),
        ("@AGAIN@", again),
        ("@LOOP@", SHELL_LOOP),
    ];
    line(LOOK, &words)
}

/// Gives the rest of the pipe to the agent that the shell has chosen.
pub(super) fn go(nonce: &str) -> String {
    format!("go {nonce}\n")
}

/// Prepares the shell to take `size` bytes. If the connection is cut, the received part stays in a file. The name of
/// the file contains the agent's sum and `key`, so that two managers do not write the same file. `resumes` means that
/// the manager waits for the shell's answer, and then continues that file. Otherwise the shell begins a new file.
pub(super) fn take(sum: &str, key: &str, size: usize, packed: bool, resumes: bool) -> String {
    let size = size.to_string();
    let words = [
        ("@SUM@", sum),
        ("@KEY@", key),
        ("@SIZE@", &size),
        ("@FORM@", form(packed)),
        ("@RESUMES@", if resumes { "true" } else { "false" }),
    ];
    line(TAKE, &words)
}

/// Takes the next bytes from the pipe.
pub(super) fn next(bytes: usize) -> String {
    format!("take {bytes};\n")
}

/// Makes the shell itself write these bytes.
pub(super) fn print(bytes: &[u8]) -> String {
    let mut line = String::with_capacity(bytes.len() * 4 + 32);
    line.push_str("printf '");
    for byte in bytes {
        let _ = write!(line, "\\{byte:03o}");
    }
    line.push_str("' >>\"$p\"; kept $?;\n");
    line
}

/// Unpacks the received agent, compares its sum, and runs it.
pub(super) fn run(sum: &str, packed: bool) -> String {
    line(RUN, &[("@SUM@", sum), ("@FORM@", form(packed))])
}

/// The name of the form in which an agent is sent. Parts of different forms are kept apart.
fn form(packed: bool) -> &'static str {
    if packed { "gzip" } else { "plain" }
}

/// Removes all agents, and ends the shell.
pub(super) fn clean(nonce: &str) -> String {
    line(CLEAN, &[("@NONCE@", nonce)])
}

/// A script as one line, without its comments and with its words filled in.
fn line(script: &str, words: &[(&str, &str)]) -> String {
    let lines = script.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
    let mut line = lines.join(" ");
    for (name, word) in words {
        line = line.replace(name, word);
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_one_line_without_places_left_to_fill() {
        let sum = "5".repeat(64);
        for script in [
            look("n0", "key", [sum.as_str(), "b"].into_iter(), false),
            look("n0", "key", [sum.as_str(), "b"].into_iter(), true),
            take(&sum, "key", 7, false, false),
            take(&sum, "key", 7, false, true),
            run(&sum, true),
            clean("n0"),
        ] {
            assert_eq!(script.matches('\n').count(), 1);
            assert!(!script.replace("\"$@\"", "").contains('@'), "{script}");
            for name in [
                "@NONCE@",
                "@SUM@",
                "@SUMS@",
                "@KEY@",
                "@SIZE@",
                "@FORM@",
                "@RESUMES@",
                "@AGAIN@",
                "@LOOP@",
            ] {
                assert!(!script.contains(name), "{script}");
            }
        }
    }

    #[test]
    fn every_byte_can_be_printed() {
        assert_eq!(
            print(&[0, b'\'', b'%', 255]),
            "printf '\\000\\047\\045\\377' >>\"$p\"; kept $?;\n"
        );
    }
}
