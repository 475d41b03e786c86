//! Finds the places in one sequence at which two changes differ from it.

use std::ops::Range;

use super::hunks::{Hunk, hunks};

/// A part of the base that one or both sides have changed, and the items of the two sides there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) base: Range<usize>,
    pub(super) mine: Range<usize>,
    pub(super) theirs: Range<usize>,
    pub(super) is_mine: bool,
    pub(super) is_theirs: bool,
}

impl Place {
    /// Whether both sides have changed this place, each in its own way.
    pub(super) fn is_both(&self) -> bool {
        self.is_mine && self.is_theirs
    }
}

/// All places where one or both sides have changed something. Places that overlap are joined. A change that both sides
/// have made in the same way counts as theirs.
pub(super) fn places<T: PartialEq>(base: &[T], mine: &[T], theirs: &[T]) -> Vec<Place> {
    let of_mine = hunks(base, mine).into_iter().map(|hunk| (hunk, true));
    let of_theirs = hunks(base, theirs).into_iter().map(|hunk| (hunk, false));
    let mut all: Vec<(Hunk, bool)> = of_theirs.chain(of_mine).collect();
    all.sort_by_key(|(hunk, _)| (hunk.old.start, hunk.old.end));
    let mut places: Vec<Place> = Vec::new();
    // The numbers of items that each side has added and removed up to here.
    let (mut mine_at, mut theirs_at) = ((0, 0), (0, 0));
    for (hunk, is_mine) in all {
        let Range { start, end } = hunk.old.clone();
        let touches = places.last().is_some_and(|last| {
            let is_same_point = last.base.is_empty() && last.base == hunk.old;
            start < last.base.end || is_same_point
        });
        if !touches {
            places.push(Place {
                base: start..start,
                mine: start + mine_at.0 - mine_at.1..start,
                theirs: start + theirs_at.0 - theirs_at.1..start,
                is_mine: false,
                is_theirs: false,
            });
        }
        let Some(place) = places.last_mut() else {
            continue;
        };
        place.base.end = place.base.end.max(end);
        let (at, is_changed) = if is_mine {
            (&mut mine_at, &mut place.is_mine)
        } else {
            (&mut theirs_at, &mut place.is_theirs)
        };
        *is_changed = true;
        at.0 += hunk.new.len();
        at.1 += hunk.old.len();
        place.mine.end = place.base.end + mine_at.0 - mine_at.1;
        place.theirs.end = place.base.end + theirs_at.0 - theirs_at.1;
    }
    for place in &mut places {
        if place.is_both() && mine[place.mine.clone()] == theirs[place.theirs.clone()] {
            place.is_mine = false;
        }
    }
    places
}
