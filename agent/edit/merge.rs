//! Merges two changes of one text: by lines, and within a line by words. If the result does not have the meaning of
//! both changes, the changes conflict, and a person decides.

use super::{
    apply::errors,
    both::Both,
    lines::lines,
    places::{Place, places},
};
use crate::{
    manifest::value::content,
    view::{Conflict, Merged},
};

/// Both changes of `base` in one text. Where they conflict, the text has `theirs`.
pub fn merge(base: &str, mine: &str, theirs: &str) -> Merged {
    if mine == theirs || mine == base {
        return clean(theirs.to_owned());
    }
    if theirs == base {
        return clean(mine.to_owned());
    }
    let (base_lines, mine_lines, theirs_lines) = (lines(base), lines(mine), lines(theirs));
    let places = places(&base_lines, &mine_lines, &theirs_lines);
    let sides = Sides {
        base: &base_lines,
        mine: &mine_lines,
        theirs: &theirs_lines,
    };
    // One side may have made all changes of the other one, and more.
    if !places.iter().any(|place| place.is_mine) {
        return clean(theirs.to_owned());
    }
    let is_theirs_alone = |place: &Place| {
        place.is_theirs && mine_lines[place.mine.clone()] != theirs_lines[place.theirs.clone()]
    };
    if !places.iter().any(is_theirs_alone) {
        return clean(mine.to_owned());
    }
    let goal = Goal::of(base, mine, theirs);
    // Lines can be compared in several equally good ways, so the result may depend on which side comes first. That
    // order means nothing to a person. Therefore, the changes conflict only if they conflict in both orders.
    let either = sides.merged(&places, &goal);
    if let Some(text) = either.or_else(|| merged(base, theirs, mine)) {
        return clean(text);
    }
    let apart = sides.apart(&places, Place::is_both);
    if !apart.conflicts.is_empty() && goal.is_possible(&apart.text) {
        return apart;
    }
    sides.apart(&places, |place| place.is_mine)
}

/// The text with both changes; `None` if they conflict.
fn merged(base: &str, mine: &str, theirs: &str) -> Option<String> {
    let (base_lines, mine_lines, theirs_lines) = (lines(base), lines(mine), lines(theirs));
    let sides = Sides {
        base: &base_lines,
        mine: &mine_lines,
        theirs: &theirs_lines,
    };
    let places = places(&base_lines, &mine_lines, &theirs_lines);
    sides.merged(&places, &Goal::of(base, mine, theirs))
}

fn clean(text: String) -> Merged {
    Merged {
        text,
        conflicts: Vec::new(),
    }
}

/// The meaning that the merged text has to have.
struct Goal {
    /// The meaning of both changes; `None` if they contradict each other, or if one of the texts cannot be read.
    both: Option<Both>,
    /// Whether all three texts can be read.
    is_read: bool,
    /// The errors that the merged text may have, because one side has them.
    errors: Vec<String>,
}

impl Goal {
    fn of(base: &str, mine: &str, theirs: &str) -> Self {
        let read = (content(base), content(mine), content(theirs));
        let mut all = errors(mine);
        all.extend(errors(theirs));
        match &read {
            (Some(base), Some(mine), Some(theirs)) => Self {
                both: Both::of(base, mine, theirs),
                is_read: true,
                errors: all,
            },
            _ => Self {
                both: None,
                is_read: false,
                errors: all,
            },
        }
    }

    /// Whether the merged text has the changes of both sides, and no error that neither side had. Also true if one of
    /// the three texts cannot be read.
    fn is(&self, text: &str) -> bool {
        if !self.is_read {
            // A text that breaks the rules of YAML has no known meaning. The person who edits it sees the mistake.
            return true;
        }
        let is_both = |both: &Both| content(text).is_some_and(|content| both.is(&content));
        self.both.as_ref().is_some_and(is_both) && self.has_no_new_errors(text)
    }

    /// Whether the text can be shown to a person who decides about the conflicts.
    fn is_possible(&self, text: &str) -> bool {
        !self.is_read || content(text).is_some() && self.has_no_new_errors(text)
    }

    fn has_no_new_errors(&self, text: &str) -> bool {
        errors(text).iter().all(|error| self.errors.contains(error))
    }
}

/// The three texts in pieces.
struct Sides<'t> {
    base: &'t [&'t str],
    mine: &'t [&'t str],
    theirs: &'t [&'t str],
}

/// The parts of the three texts at one place.
struct Versions<'t> {
    base: Vec<&'t str>,
    mine: Vec<&'t str>,
    theirs: Vec<&'t str>,
}

impl<'t> Sides<'t> {
    /// The first text that has the changes of both sides and the meaning of both; `None` if there is no such text.
    fn merged(&self, places: &[Place], goal: &Goal) -> Option<String> {
        let orders = [
            Order::ByDepth,
            Order::ByDepthMine,
            Order::Theirs,
            Order::Mine,
        ];
        orders.into_iter().find_map(|order| {
            let joined = self.joined(places, |place| {
                goal.is_read.then(|| by_words(&place, order))?
            });
            joined.filter(|text| goal.is(text))
        })
    }

    /// The text with the changes of both sides. If both sides have changed lines at one place, `decide` returns the
    /// text to take. Returns `None` if `decide` does.
    fn joined(
        &self,
        places: &[Place],
        decide: impl Fn(Versions<'t>) -> Option<String>,
    ) -> Option<String> {
        let mut text = String::new();
        let mut at = 0;
        for place in places {
            text.push_str(&self.base[at..place.base.start].concat());
            at = place.base.end;
            if place.is_both() {
                text.push_str(&decide(Versions {
                    base: self.base[place.base.clone()].to_vec(),
                    mine: self.mine[place.mine.clone()].to_vec(),
                    theirs: self.theirs[place.theirs.clone()].to_vec(),
                })?);
            } else if place.is_mine {
                text.push_str(&self.mine[place.mine.clone()].concat());
            } else {
                text.push_str(&self.theirs[place.theirs.clone()].concat());
            }
        }
        text.push_str(&self.base[at..].concat());
        Some(text)
    }

    /// The text with the changes of both sides, and theirs in each place that is a conflict.
    fn apart(&self, places: &[Place], is_conflict: impl Fn(&Place) -> bool) -> Merged {
        let mut text = String::new();
        let mut line = 1;
        let mut at = 0;
        let mut conflicts = Vec::new();
        for place in places {
            let same = &self.base[at..place.base.start];
            text.push_str(&same.concat());
            line += same.len();
            at = place.base.end;
            let theirs = &self.theirs[place.theirs.clone()];
            let mine = &self.mine[place.mine.clone()];
            let is_conflict = is_conflict(place);
            if is_conflict {
                conflicts.push(Conflict {
                    line,
                    base: self.base[place.base.clone()].concat(),
                    mine: mine.concat(),
                    theirs: theirs.concat(),
                });
            }
            let chosen = if place.is_mine && !is_conflict {
                mine
            } else {
                theirs
            };
            text.push_str(&chosen.concat());
            line += chosen.len();
        }
        text.push_str(&self.base[at..].concat());
        Merged { text, conflicts }
    }
}

/// The order of the two texts where both sides add something at the same point.
#[derive(Clone, Copy)]
enum Order {
    /// The text with the deeper indentation, because it belongs to the lines above. If both are equally deep, theirs.
    ByDepth,
    /// The text with the deeper indentation. If both are equally deep, mine.
    ByDepthMine,
    Theirs,
    Mine,
}

/// The lines with the changes of both sides; `None` if both sides have changed the same words. If both sides add words
/// at the same point, `order` says which of them come first.
fn by_words(lines: &Versions<'_>, order: Order) -> Option<String> {
    let [base, mine, theirs] = [&lines.base, &lines.mine, &lines.theirs].map(|it| it.concat());
    let [base, mine, theirs] = [words(&base), words(&mine), words(&theirs)];
    let places = places(&base, &mine, &theirs);
    let sides = Sides {
        base: &base,
        mine: &mine,
        theirs: &theirs,
    };
    sides.joined(&places, |place| {
        let (mine, theirs) = (place.mine.concat(), place.theirs.concat());
        let (depth, other) = (indentation(&mine), indentation(&theirs));
        let is_mine_first = match order {
            Order::ByDepth => depth > other,
            Order::ByDepthMine => depth >= other,
            Order::Theirs => false,
            Order::Mine => true,
        };
        let all = || {
            if is_mine_first {
                mine + &theirs
            } else {
                theirs + &mine
            }
        };
        place.base.is_empty().then(all)
    })
}

/// The indentation of the first line that is not blank.
fn indentation(text: &str) -> usize {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    first.len() - first.trim_start().len()
}

/// The words of a text. Each character between words is an item of its own.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || "-_.:/".contains(c);
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, behind) = rest.split_at(end);
        all.push(word);
        rest = behind;
    }
    all
}
