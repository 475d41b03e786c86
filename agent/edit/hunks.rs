//! Finds where two sequences differ, with as few removed and added items as possible (the algorithm of E. W. Myers,
//! 1986).

use std::ops::Range;

/// The maximum number of removed and added items. With more, everything from the first to the last difference counts as
/// one change.
const DIFFERENCES_MAX: usize = 2_000;

/// A run of items that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
}

/// The runs of items that differ, in order, chosen so that as many items as possible stay.
pub(super) fn hunks<T: PartialEq>(old: &[T], new: &[T]) -> Vec<Hunk> {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b);
    let front = same.count();
    let (rest_old, rest_new) = (&old[front..], &new[front..]);
    let same = rest_old.iter().rev().zip(rest_new.iter().rev());
    let back = same.take_while(|(a, b)| a == b).count();
    let a = &rest_old[..rest_old.len() - back];
    let b = &rest_new[..rest_new.len() - back];
    if a.is_empty() && b.is_empty() {
        return Vec::new();
    }
    let pairs = if a.is_empty() || b.is_empty() {
        Vec::new()
    } else {
        kept(a, b).unwrap_or_default()
    };
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (to_i, to_j) in pairs.into_iter().chain([(a.len(), b.len())]) {
        if (i, j) != (to_i, to_j) {
            found.push(Hunk {
                old: front + i..front + to_i,
                new: front + j..front + to_j,
            });
        }
        (i, j) = (to_i + 1, to_j + 1);
    }
    found
}

/// The items that stay, as pairs of their numbers; `None` if there are too many differences.
fn kept<T: PartialEq>(a: &[T], b: &[T]) -> Option<Vec<(usize, usize)>> {
    let most = DIFFERENCES_MAX.min(a.len() + b.len());
    // The number of a diagonal is a position in `a`, less the position in `b`, plus `zero`.
    let zero = most + 1;
    // The position in `a` that each diagonal has reached.
    let mut reach = vec![0_usize; 2 * zero + 1];
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for count in 0..=most {
        rounds.push(reach[zero - count - 1..=zero + count + 1].to_vec());
        for step in 0..=count {
            let diagonal = zero - count + 2 * step;
            let (before, after) = (reach[diagonal - 1], reach[diagonal + 1]);
            let mut i = if is_addition(before, after, step, count) {
                after
            } else {
                before + 1
            };
            let mut j = i + zero - diagonal;
            while i < a.len() && j < b.len() && a[i] == b[j] {
                (i, j) = (i + 1, j + 1);
            }
            reach[diagonal] = i;
            if i >= a.len() && j >= b.len() {
                return Some(pairs(a.len(), b.len(), &rounds));
            }
        }
    }
    None
}

/// Whether the best way to a diagonal adds an item of `b`. Otherwise, the best way removes an item of `a`.
fn is_addition(before: usize, after: usize, step: usize, count: usize) -> bool {
    step == 0 || step != count && before < after
}

/// Follows the rounds back from the end to the beginning, and returns the items that stay.
fn pairs(a: usize, b: usize, rounds: &[Vec<usize>]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut i, mut j) = (a, b);
    for (count, reach) in rounds.iter().enumerate().rev() {
        // The row begins with the diagonal before the first one of this round.
        let place = i + count + 1 - j;
        let (before, after) = (reach[place - 1], reach[place + 1]);
        let is_addition = is_addition(before, after, (place - 1) / 2, count);
        let begin = match (count, is_addition) {
            (0, _) => 0,
            (_, true) => after,
            (_, false) => before + 1,
        };
        while i > begin {
            (i, j) = (i - 1, j - 1);
            pairs.push((i, j));
        }
        if count > 0 {
            (i, j) = if is_addition { (i, j - 1) } else { (i - 1, j) };
        }
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_items_as_possible_stay() {
        for (old, new, changes) in [
            ("abcabba", "cbabac", 5),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("axbyc", "abc", 2),
            ("xabcy", "zabcw", 4),
        ] {
            let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
            let hunks = hunks(&old, &new);
            let mut rebuilt = Vec::new();
            let (mut at, mut count) = (0, 0);
            for hunk in &hunks {
                rebuilt.extend_from_slice(&old[at..hunk.old.start]);
                rebuilt.extend_from_slice(&new[hunk.new.clone()]);
                at = hunk.old.end;
                count += hunk.old.len() + hunk.new.len();
            }
            rebuilt.extend_from_slice(&old[at..]);
            assert_eq!(rebuilt, new);
            assert_eq!(count, changes, "{old:?} {new:?}: {hunks:?}");
        }
    }

    #[test]
    fn distant_changes_of_a_long_text_stay_apart() {
        let old: Vec<usize> = (0..30_000).collect();
        let mut new = old.clone();
        new[10] = 50_000;
        new[29_990] = 50_001;
        new.insert(15_000, 50_002);
        assert_eq!(hunks(&old, &new).len(), 3);
        // With too many differences, everything from the first to the last is one change.
        let other: Vec<usize> = (100_000..130_000).collect();
        assert_eq!(hunks(&old, &other).len(), 1);
    }
}
