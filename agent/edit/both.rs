//! Combines the meanings of two changes of a manifest.

use std::collections::BTreeMap;

use super::places::{Place, places};
use crate::manifest::value::{Content, Value};

/// Lists in which the order of the items does not matter, so both sides can add to them.
const SETS: [&str; 4] = ["ports", "aliases", "to", "notTo"];

/// The meaning of both changes together.
pub(super) struct Both {
    root: Value,
    /// The two orders that the hosts may have. If both sides add hosts at the same place, either side can come first.
    orders: [Vec<String>; 2],
}

impl Both {
    /// Combines two changes; `None` if they contradict each other, or if their order matters and cannot be known.
    pub(super) fn of(base: &Content, mine: &Content, theirs: &Content) -> Option<Self> {
        let root = value("", Some(&base.root), Some(&mine.root), Some(&theirs.root))??;
        let order = |one: &Content, other: &Content| {
            list(
                &base.order,
                &one.order,
                &other.order,
                |last, first, base| {
                    let all = first.iter().chain(last).cloned();
                    base.is_empty().then(|| all.collect())
                },
            )
        };
        let orders = [order(mine, theirs)?, order(theirs, mine)?];
        Some(Self { root, orders })
    }

    /// Whether this content has both changes.
    pub(super) fn is(&self, content: &Content) -> bool {
        self.orders.contains(&content.order) && is_same("", &self.root, &content.root)
    }
}

/// Whether two values mean the same. In some lists the order does not matter.
fn is_same(key: &str, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Map(one), Value::Map(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len()
                && pairs.all(|((a, one), (b, other))| a == b && is_same(a, one, other))
        }
        (Value::List(one), Value::List(other)) if SETS.contains(&key) => {
            let sorted = |items: &[Value]| {
                let mut texts: Vec<_> = items.iter().map(|item| format!("{item:?}")).collect();
                texts.sort_unstable();
                texts
            };
            sorted(one) == sorted(other)
        }
        (Value::List(one), Value::List(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same(key, one, other))
        }
        _ => one == other,
    }
}

/// The value with both changes. The outer `Option` is `None` if the changes contradict each other, and the inner one if
/// the value was removed.
#[expect(
    clippy::option_option,
    reason = "a value that is gone is an answer as well"
)]
fn value(
    key: &str,
    base: Option<&Value>,
    mine: Option<&Value>,
    theirs: Option<&Value>,
) -> Option<Option<Value>> {
    if mine == theirs || base == mine {
        return Some(theirs.cloned());
    }
    if base == theirs {
        return Some(mine.cloned());
    }
    match (base, mine?, theirs?) {
        (_, Value::Map(mine), Value::Map(theirs)) => {
            let empty = BTreeMap::new();
            let base = match base {
                Some(Value::Map(base)) => base,
                None | Some(Value::Null) => &empty,
                Some(Value::Flag(_) | Value::Text(_) | Value::List(_)) => return None,
            };
            let mut all = BTreeMap::new();
            for key in mine.keys().chain(theirs.keys()).chain(base.keys()) {
                let merged = value(key, base.get(key), mine.get(key), theirs.get(key))?;
                if let Some(merged) = merged {
                    all.insert(key.clone(), merged);
                }
            }
            Some(Some(Value::Map(all)))
        }
        (Some(Value::List(base)), Value::List(mine), Value::List(theirs)) => {
            if !SETS.contains(&key) && has_rivals(&places(base, mine, theirs)) {
                return None;
            }
            let items = list(base, mine, theirs, |theirs, mine, base| {
                if base.is_empty() && SETS.contains(&key) {
                    return Some(theirs.iter().chain(mine).cloned().collect());
                }
                if theirs.len() != base.len() || mine.len() != base.len() {
                    return None;
                }
                let items = base.iter().zip(mine).zip(theirs);
                let items = items.map(|((base, mine), theirs)| {
                    value(key, Some(base), Some(mine), Some(theirs))?
                });
                items.collect()
            })?;
            Some(Some(Value::List(items)))
        }
        _ => None,
    }
}

/// Whether the two sides add items at the same point, so that the order of these items is not known.
fn has_rivals(places: &[Place]) -> bool {
    let grows = |place: &Place| {
        let new = if place.is_mine {
            &place.mine
        } else {
            &place.theirs
        };
        new.len() > place.base.len()
    };
    let mut pairs = places.iter().zip(places.iter().skip(1));
    pairs.any(|(one, next)| {
        one.base.end == next.base.start && one.is_mine != next.is_mine && grows(one) && grows(next)
    })
}

/// The list with both changes. If both sides have changed items at one place, `decide` gets the items of `theirs`,
/// `mine` and `base` there, and returns the items to take.
fn list<T: PartialEq + Clone>(
    base: &[T],
    mine: &[T],
    theirs: &[T],
    decide: impl Fn(&[T], &[T], &[T]) -> Option<Vec<T>>,
) -> Option<Vec<T>> {
    let mut all = Vec::new();
    let mut at = 0;
    for place in places(base, mine, theirs) {
        let Place {
            base: old,
            mine: of_mine,
            theirs: of_theirs,
            ..
        } = place.clone();
        all.extend_from_slice(&base[at..old.start]);
        at = old.end;
        let (of_mine, of_theirs) = (&mine[of_mine], &theirs[of_theirs]);
        if place.is_both() {
            all.extend(decide(of_theirs, of_mine, &base[old])?);
        } else if place.is_mine {
            all.extend_from_slice(of_mine);
        } else {
            all.extend_from_slice(of_theirs);
        }
    }
    all.extend_from_slice(&base[at..]);
    Some(all)
}
