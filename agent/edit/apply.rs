//! Applies an edit to a text, and reads the result again.

use std::collections::BTreeSet;

use super::{
    lines::between,
    op::Op,
    owner::changed,
    refusal::Refusal,
    splice::{Splice, spliced, splices},
    steps::{Edit, Reach, next},
};
use crate::manifest::{
    Manifest, Problems, SIZE_MAX_BYTES, Severity, read, read_with_content, source::Source,
    value::Content,
};

/// The maximum number of steps of an edit. Renaming or removing a host takes one step for each place that names it.
const STEPS_MAX: usize = 10_000;

/// A text after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The new text.
    pub text: String,
    /// The changes that make the new text from the old one.
    pub splices: Vec<Splice>,
    /// The parts of the manifest whose content has changed: names of hosts, `hostTemplate`, `route 1`, `rule 1`,
    /// `the group web` and other keys.
    pub changed: Vec<String>,
    /// A sentence for each change that was necessary, but that the edit does not name.
    pub also: Vec<String>,
}

/// Applies an edit to the text of a manifest.
pub fn apply(text: &str, edit: &Edit) -> Result<Applied, Refusal> {
    let edits = std::slice::from_ref(edit);
    apply_all(text, edits).map_err(|(_, refusal)| refusal)
}

/// Applies edits to the text of a manifest, one after the other: all of them, or none. A refusal comes with the number
/// of the edit that is refused. Only the last text has to be a manifest without new errors.
pub fn apply_all(text: &str, edits: &[Edit]) -> Result<Applied, (usize, Refusal)> {
    let reading = Reading::of(text).map_err(|refusal| (0, refusal))?;
    reading.edited(edits).map(|(applied, _)| applied)
}

/// A text with its tree and its meaning. Reading is most of the work of an edit, so what was read is kept for the next one.
pub struct Reading {
    /// The text and its tree.
    pub source: Source,
    /// The meaning of the text, without its plan.
    pub content: Content,
    pub(crate) manifest: Manifest,
    /// The errors that can be found without a plan.
    errors: Vec<String>,
}

impl Reading {
    /// Reads a text. Fails if it is not YAML, or is written in a way that the editor does not follow. The text may have
    /// any other error.
    pub fn of(text: &str) -> Result<Self, Refusal> {
        let (manifest, problems, content) = read_with_content(text);
        let content = content.ok_or(Refusal::Unreadable)?;
        let source = Source::read(text).ok_or(Refusal::Unusual)?;
        if source.content() != content {
            return Err(Refusal::Unusual);
        }
        Ok(Self {
            source,
            manifest,
            content,
            errors: messages(problems),
        })
    }

    /// Applies edits as [`apply_all`] does. Also returns what was read in the new text; `None` if no edit has
    /// changed anything.
    pub fn edited(&self, edits: &[Edit]) -> Result<(Applied, Option<Self>), (usize, Refusal)> {
        let mut also = Vec::new();
        let mut now = None;
        for (at, edit) in edits.iter().enumerate() {
            let before = now.as_ref().unwrap_or(self);
            let after = make(before, edit, &mut also).map_err(|refusal| (at, refusal))?;
            now = after.or(now);
        }
        let text = &self.source.text;
        let Some(last) = now else {
            let applied = Applied {
                text: text.clone(),
                splices: Vec::new(),
                changed: Vec::new(),
                also,
            };
            return Ok((applied, None));
        };
        let new_problem = last.errors.iter().find(|it| !self.errors.contains(it));
        if let Some(problem) = new_problem {
            let at = culprit(self, edits, problem);
            return Err((at, Refusal::Invalid(problem.clone())));
        }
        let applied = Applied {
            splices: between(text, &last.source.text),
            changed: changed(&self.content, &last.content).into_iter().collect(),
            also,
            text: last.source.text.clone(),
        };
        Ok((applied, Some(last)))
    }
}

/// Makes one edit; `None` if the text has the meaning that the edit asks for already, perhaps in another spelling.
fn make(first: &Reading, edit: &Edit, also: &mut Vec<String>) -> Result<Option<Reading>, Refusal> {
    let mut now = None;
    for done in 0..STEPS_MAX {
        let before = now.as_ref().unwrap_or(first);
        let Some(step) = next(&before.source, edit, done)? else {
            break;
        };
        let written = write(&before.source, &step.ops)?;
        if written.len() > SIZE_MAX_BYTES {
            return Err(Refusal::TooLong);
        }
        let after = Reading::of(&written).map_err(|refusal| {
            if refusal == Refusal::Unreadable {
                broken(&written)
            } else {
                refusal
            }
        })?;
        check(before, &step.ops, edit, &after.content)?;
        // A copy of a shared value has the same meaning for now, and is what was asked for.
        let is_copy = matches!(edit, Edit::Field { reach, .. } if *reach == Some(Reach::Here));
        if after.content == before.content && !is_copy {
            break;
        }
        also.extend(step.also);
        now = Some(after);
    }
    Ok(now)
}

/// The number of the first edit after which the text has `problem`.
fn culprit(first: &Reading, edits: &[Edit], problem: &String) -> usize {
    let last = edits.len().saturating_sub(1);
    let mut now = None;
    for (at, edit) in edits[..last].iter().enumerate() {
        let before = now.as_ref().unwrap_or(first);
        if let Ok(Some(after)) = make(before, edit, &mut Vec::new()) {
            now = Some(after);
        }
        let after = now.as_ref().unwrap_or(first);
        if after.errors.contains(problem) {
            return at;
        }
    }
    last
}

fn write(source: &Source, ops: &[Op]) -> Result<String, Refusal> {
    let mut all = Vec::new();
    for op in ops {
        all.extend(splices(source, op).ok_or(Refusal::Style)?);
    }
    Ok(spliced(&source.text, &all))
}

fn broken(text: &str) -> Refusal {
    let (_, problems) = read(text);
    let errors = problems.into_vec();
    let first = errors.into_iter().map(|problem| problem.message).next();
    Refusal::Invalid(first.unwrap_or_default())
}

/// Fails if the new text means anything else than the steps of the edit, or if it changes other parts of the manifest
/// and the edit does not ask for that.
fn check(before: &Reading, ops: &[Op], edit: &Edit, after: &Content) -> Result<(), Refusal> {
    let mut model = before.source.clone();
    for op in ops {
        op.model(&mut model);
    }
    if model.content() != *after {
        return Err(Refusal::Differs);
    }
    let mut others = changed(&before.content, after);
    let (owner, field, reach) = match edit {
        Edit::Field {
            owner,
            field,
            reach,
            ..
        } => (owner, field, *reach),
        Edit::Insert { list, .. } | Edit::Remove { list, .. } | Edit::Move { list, .. } => {
            others.retain(|name| !list.has(name));
            return entangled(others);
        }
        // What these edits change in other parts is told.
        Edit::AddHost { .. }
        | Edit::RemoveHost { .. }
        | Edit::RenameHost { .. }
        | Edit::DuplicateHost { .. } => return Ok(()),
    };
    let own = owner.changed_names(field);
    others.retain(|name| !own.contains(name));
    match reach {
        Some(Reach::Everywhere) => Ok(()),
        Some(Reach::Here) => entangled(others),
        None if others.is_empty() => Ok(()),
        None => Err(Refusal::Shared {
            field: owner.field_name(field),
            with: others.into_iter().collect(),
        }),
    }
}

/// Refuses an edit that changes other parts of the manifest.
fn entangled(others: BTreeSet<String>) -> Result<(), Refusal> {
    if others.is_empty() {
        return Ok(());
    }
    let with = others.into_iter().collect();
    Err(Refusal::Entangled { with })
}

/// The errors of a text that can be found without its plan.
pub(super) fn errors(text: &str) -> Vec<String> {
    messages(read(text).1)
}

/// The messages of those problems that are errors.
fn messages(problems: Problems) -> Vec<String> {
    let errors = problems.into_vec().into_iter();
    let errors = errors.filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        edit::{owner::Owner, steps::Change},
        manifest::reads,
    };

    #[test]
    fn a_text_is_parsed_a_few_times_however_much_there_is_in_it() {
        let port = Edit::Field {
            owner: Owner::Host("a".to_owned()),
            field: vec!["ports".to_owned()],
            change: Change::Add {
                at: None,
                item: "80:127.0.0.1:80".to_owned(),
            },
            reach: None,
        };
        let rename = Edit::RenameHost {
            from: "a".to_owned(),
            to: "b".to_owned(),
        };
        for routes in [1, 200] {
            let mut text = "hosts: {a: {}}\nroutes:\n".to_owned();
            text.push_str(&"  - {via: a, to: [10.0.0.0/8]}\n".repeat(routes));
            for (edits, most) in [
                (vec![port.clone()], 4),
                (vec![rename.clone()], 4),
                (vec![port.clone(), rename.clone()], 6),
            ] {
                let before = reads::count();
                let applied = apply_all(&text, &edits).unwrap();
                assert!(applied.changed.contains(&"a".to_owned()));
                let count = reads::count() - before;
                assert!(count <= most, "{count} with {routes} routes: {edits:?}");
            }
        }
    }
}
