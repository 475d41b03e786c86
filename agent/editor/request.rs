//! Edits as a page requests them, and their results.

use std::collections::BTreeMap;

use super::outline::outline_of;
use crate::{
    edit::{self, Change, Edit, List, Owner, Reach, Reading, Refusal},
    manifest::{fields::Of, value::Value},
    text::quote,
    view::{EditReach, EditRequest, Edited, FieldValue, ListRef, OwnerRef, RefusalCode},
};

/// The maximum number of edits in one request.
pub const EDITS_MAX: usize = 2_000;

/// Makes all of these edits in the text, or none of them.
pub fn edited(text: &str, requests: Vec<EditRequest>) -> Edited {
    let mut edits = Vec::new();
    for (at, request) in requests.into_iter().enumerate() {
        match edit_of(request) {
            Ok(edit) => edits.push(edit),
            Err(refusal) => return refused(at, &refusal),
        }
    }
    let before = match Reading::of(text) {
        Ok(reading) => reading,
        Err(refusal) => return refused(0, &refusal),
    };
    let (applied, after) = match before.edited(&edits) {
        Ok(done) => done,
        Err((at, refusal)) => return refused(at, &refusal),
    };
    Edited::Done {
        outline: Box::new(outline_of(after.as_ref().unwrap_or(&before))),
        text: applied.text,
        changed: applied.changed,
        also: applied.also,
    }
}

fn refused(at: usize, refusal: &Refusal) -> Edited {
    Edited::Refused {
        at,
        code: code(refusal),
        message: refusal.to_string(),
        hint: refusal.hint().to_owned(),
        with: refusal.with().to_vec(),
    }
}

fn code(refusal: &Refusal) -> RefusalCode {
    match refusal {
        Refusal::Unreadable => RefusalCode::Unreadable,
        Refusal::Unusual | Refusal::Style | Refusal::Differs => RefusalCode::Style,
        Refusal::Missing(_) => RefusalCode::Missing,
        Refusal::Taken(_) => RefusalCode::Taken,
        Refusal::Field(_) => RefusalCode::Field,
        Refusal::Shared { .. } => RefusalCode::Shared,
        Refusal::FromTemplate { .. } => RefusalCode::FromTemplate,
        Refusal::Inherited { .. } => RefusalCode::Inherited,
        Refusal::Entangled { .. } => RefusalCode::Entangled,
        Refusal::Invalid(_) => RefusalCode::Invalid,
        Refusal::TooLong => RefusalCode::TooLong,
    }
}

fn edit_of(request: EditRequest) -> Result<Edit, Refusal> {
    let change = |owner: OwnerRef, field: &str, change, reach: Option<EditReach>| Edit::Field {
        field: match owner {
            // A group may have a dot in its name.
            OwnerRef::Groups => vec![field.to_owned()],
            OwnerRef::Manifest
            | OwnerRef::Template
            | OwnerRef::Host { .. }
            | OwnerRef::Item { .. } => path(field),
        },
        owner: match owner {
            OwnerRef::Manifest => Owner::Manifest,
            OwnerRef::Template => Owner::Template,
            OwnerRef::Host { name } => Owner::Host(name),
            OwnerRef::Item { list, at } => Owner::Item(list_of(list), at),
            OwnerRef::Groups => Owner::Groups,
        },
        change,
        reach: reach.map(|reach| match reach {
            EditReach::Everywhere => Reach::Everywhere,
            EditReach::Here => Reach::Here,
        }),
    };
    Ok(match request {
        EditRequest::AddHost { name, fields } => Edit::AddHost {
            name,
            fields: map(Of::Host, "a host", fields)?,
        },
        EditRequest::RemoveHost { name } => Edit::RemoveHost { name },
        EditRequest::RenameHost { from, to } => Edit::RenameHost { from, to },
        EditRequest::DuplicateHost { from, to } => Edit::DuplicateHost { from, to },
        EditRequest::Set {
            owner,
            field,
            value,
            reach,
        } => {
            let what = if value == FieldValue::Null {
                Change::Clear
            } else {
                Change::Set(value_of(value))
            };
            change(owner, &field, what, reach)
        }
        EditRequest::Clear {
            owner,
            field,
            reach,
        } => change(owner, &field, Change::Clear, reach),
        EditRequest::AddItem {
            owner,
            field,
            at,
            item,
            reach,
        } => change(owner, &field, Change::Add { at, item }, reach),
        EditRequest::ReplaceItem {
            owner,
            field,
            at,
            item,
            reach,
        } => change(owner, &field, Change::Replace { at, item }, reach),
        EditRequest::TakeItem {
            owner,
            field,
            at,
            reach,
        } => change(owner, &field, Change::Take { at }, reach),
        EditRequest::Insert { list, at, fields } => {
            let list = list_of(list);
            let (of, owner) = match list {
                List::Routes => (Of::Route, "a route"),
                List::Rules => (Of::Rule, "a rule"),
                List::Tests => (Of::Test, "a test"),
            };
            let item = map(of, owner, fields)?;
            Edit::Insert { list, at, item }
        }
        EditRequest::Remove { list, at } => Edit::Remove {
            list: list_of(list),
            at,
        },
        EditRequest::Move { list, from, to } => Edit::Move {
            list: list_of(list),
            from,
            to,
        },
    })
}

fn path(field: &str) -> Vec<String> {
    field.split('.').map(str::to_owned).collect()
}

fn value_of(value: FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Flag(flag) => Value::Flag(flag),
        FieldValue::Text(text) => Value::Text(text),
        FieldValue::Texts(texts) => Value::List(texts.into_iter().map(Value::Text).collect()),
    }
}

fn list_of(list: ListRef) -> List {
    match list {
        ListRef::Routes => List::Routes,
        ListRef::Rules => List::Rules,
        ListRef::Tests => List::Tests,
    }
}

/// The fields of a new part of the manifest, as a map.
fn map(of: Of, owner: &str, fields: BTreeMap<String, FieldValue>) -> Result<Value, Refusal> {
    let mut all = BTreeMap::new();
    for (field, value) in fields {
        if value == FieldValue::Null {
            continue;
        }
        let path = path(&field);
        let change = Change::Set(value_of(value));
        edit::suits(of, owner, &path, &change)?;
        let Change::Set(value) = change else { continue };
        match &path[..] {
            [key] => {
                all.insert(key.clone(), value);
            }
            [outer, key] => {
                let inner = all
                    .entry(outer.clone())
                    .or_insert_with(|| Value::Map(BTreeMap::new()));
                let Value::Map(inner) = inner else {
                    let outer = quote(outer);
                    let why = format!("{outer} cannot be a text and have parts as well");
                    return Err(Refusal::Field(why));
                };
                inner.insert(key.clone(), value);
            }
            _ => return Err(Refusal::Field(format!("{} is too deep", quote(&field)))),
        }
    }
    Ok(Value::Map(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::reads;

    #[test]
    fn an_edit_and_its_outline_parse_the_old_and_the_new_text_twice_each() {
        let request = EditRequest::RenameHost {
            from: "a".to_owned(),
            to: "b".to_owned(),
        };
        let before = reads::count();
        let Edited::Done { text, outline, .. } = edited("hosts: {a: {}}\n", vec![request]) else {
            panic!("the edit is refused");
        };
        assert_eq!(reads::count() - before, 4);
        assert_eq!(text, "hosts: {b: {}}\n");
        assert_eq!(outline.hosts[0].name, "b");
    }
}
