//! Finds the difference between two texts: the fewest changes that lead from one to the other, and a unified diff for
//! people.

use std::{fmt::Write as _, ops::Range};

use super::{
    hunks::{Hunk, hunks},
    splice::Splice,
};

/// The number of unchanged lines that a diff shows before and after a change.
const CONTEXT: usize = 3;
/// The changes that make `new` out of `old`. `between(new, old)` returns the changes that undo these.
pub fn between(old: &str, new: &str) -> Vec<Splice> {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let starts = starts(&old_lines);
    let hunks = hunks(&old_lines, &new_lines).into_iter();
    let mut splices = Vec::new();
    for hunk in hunks {
        // If the number of lines has not changed, each line was most likely changed on its own.
        let is_paired = hunk.old.len() == hunk.new.len();
        let pairs = if is_paired { hunk.old.len() } else { 1 };
        for pair in 0..pairs {
            let (old_lines, new_range) = if is_paired {
                let (at, to) = (hunk.old.start + pair, hunk.new.start + pair);
                (at..at + 1, to..to + 1)
            } else {
                (hunk.old.clone(), hunk.new.clone())
            };
            let range = starts[old_lines.start]..starts[old_lines.end];
            splices.push(shortest(old, range, &new_lines[new_range].concat()));
        }
    }
    splices
}

/// The smallest change with the same effect: characters with which both texts begin or end are left out.
fn shortest(old: &str, range: Range<usize>, new: &str) -> Splice {
    let before = &old[range.clone()];
    let same = before.chars().zip(new.chars()).take_while(|(a, b)| a == b);
    let front: usize = same.map(|(c, _)| c.len_utf8()).sum();
    let (before, new) = (&before[front..], &new[front..]);
    let same = before.chars().rev().zip(new.chars().rev());
    let back: usize = same
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .sum();
    Splice {
        range: range.start + front..range.end - back,
        text: new[..new.len() - back].to_owned(),
    }
}

/// The difference as a unified diff, without a head; empty if the texts are equal.
pub fn unified(old: &str, new: &str) -> String {
    let (old, new) = (lines(old), lines(new));
    let hunks = hunks(&old, &new);
    let mut groups: Vec<Vec<Hunk>> = Vec::new();
    for hunk in hunks {
        match groups.last_mut() {
            Some(group)
                if group
                    .last()
                    .is_some_and(|last| hunk.old.start <= last.old.end + 2 * CONTEXT) =>
            {
                group.push(hunk);
            }
            _ => groups.push(vec![hunk]),
        }
    }
    let mut text = String::new();
    for group in &groups {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let lead = first.old.start.min(CONTEXT);
        let tail = (old.len() - last.old.end).min(CONTEXT);
        let begin = first.old.start - lead;
        let end = last.old.end + tail;
        let new_begin = first.new.start - lead;
        let new_end = last.new.end + tail;
        let _ = writeln!(
            text,
            "@@ -{} +{} @@",
            place(begin..end),
            place(new_begin..new_end)
        );
        let mut at = begin;
        for hunk in group {
            write_lines(&mut text, ' ', &old[at..hunk.old.start]);
            write_lines(&mut text, '-', &old[hunk.old.clone()]);
            write_lines(&mut text, '+', &new[hunk.new.clone()]);
            at = hunk.old.end;
        }
        write_lines(&mut text, ' ', &old[at..end]);
    }
    text
}

fn place(lines: Range<usize>) -> String {
    let first = if lines.is_empty() {
        lines.start
    } else {
        lines.start + 1
    };
    format!("{first},{}", lines.len())
}

fn write_lines(text: &mut String, mark: char, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(text, "{mark}{}", line.trim_end_matches(['\r', '\n']));
        if !line.ends_with('\n') {
            text.push_str("\\ No newline at end of file\n");
        }
    }
}

pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The offset at which each line begins, and the one at which the last line ends.
fn starts(lines: &[&str]) -> Vec<usize> {
    let mut at = 0;
    let mut starts = vec![0];
    for line in lines {
        at += line.len();
        starts.push(at);
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::{super::splice::spliced, *};

    #[test]
    fn the_changes_between_two_texts_lead_from_one_to_the_other() {
        for (old, new, count) in [
            ("a\nb\nc\n", "a\nb\nc\n", 0),
            ("a\nb\nc\nd\n", "a\nx\nc\nd\ne\n", 2),
            ("", "a", 1),
            ("a", "", 1),
            ("a\r\nb", "a\nb", 1),
            ("é\nü\n", "è\nü\n", 1),
        ] {
            let splices = between(old, new);
            assert_eq!(splices.len(), count, "{old:?} {new:?}");
            assert_eq!(spliced(old, &splices), new);
            assert_eq!(spliced(new, &between(new, old)), old);
        }
        let splices = between("  vip: 1 # c\n", "  vip: 22 # c\n");
        assert_eq!(
            (splices[0].range.clone(), splices[0].text.as_str()),
            (7..8, "22")
        );
    }

    #[test]
    fn a_diff_shows_what_differs_with_the_lines_around() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        assert_eq!(
            unified(old, new),
            "@@ -2,8 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n-9\n\\ No newline at end of file\n+9\n"
        );
        assert_eq!(unified(old, old), "");
    }
}
