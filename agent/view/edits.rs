//! Edits of a manifest as the page requests them, and their results.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outline::{FieldValue, Outline};

/// An edit of the text of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum EditRequest {
    /// Adds a host at the end.
    AddHost {
        /// The name of the host.
        name: String,
        /// The fields of the host. The name of a field inside a map has a dot: `http.listen`.
        fields: BTreeMap<String, FieldValue>,
    },
    /// Removes a host, and the routes, rules and tests that would be incomplete without it.
    RemoveHost {
        /// The name of the host.
        name: String,
    },
    /// Gives a host another name, also where routes and the policy name it.
    RenameHost {
        /// The present name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Adds a copy of a host at the end, without the address and the aliases.
    DuplicateHost {
        /// The name of the host that is copied.
        from: String,
        /// The name of the copy.
        to: String,
    },
    /// Sets the whole value of a field; null removes the field.
    Set {
        /// The part of the manifest that has the field.
        owner: OwnerRef,
        /// The name of the field. The name of a field inside a map has a dot: `http.listen`.
        field: String,
        /// The new value.
        value: FieldValue,
        /// How far the change reaches. This is needed if other parts of the manifest take the value from the same
        /// place.
        reach: Option<EditReach>,
    },
    /// Removes a field.
    Clear {
        /// The part of the manifest that has the field.
        owner: OwnerRef,
        /// The name of the field.
        field: String,
        /// How far the change reaches. This is needed if other parts of the manifest take the value from the same
        /// place.
        reach: Option<EditReach>,
    },
    /// Adds an item to a list.
    AddItem {
        /// The part of the manifest that has the list.
        owner: OwnerRef,
        /// The name of the field.
        field: String,
        /// The number of the item in front of which the new item is written, from 0; null for the end of the list.
        at: Option<usize>,
        /// The new item.
        item: String,
        /// How far the change reaches. This is needed if other parts of the manifest take the list from the same place.
        reach: Option<EditReach>,
    },
    /// Replaces an item of a list.
    ReplaceItem {
        /// The part of the manifest that has the list.
        owner: OwnerRef,
        /// The name of the field.
        field: String,
        /// The number of the item in the list as it is written, from 0.
        at: usize,
        /// The new item.
        item: String,
        /// How far the change reaches. This is needed if other parts of the manifest take the list from the same place.
        reach: Option<EditReach>,
    },
    /// Removes an item of a list.
    TakeItem {
        /// The part of the manifest that has the list.
        owner: OwnerRef,
        /// The name of the field.
        field: String,
        /// The number of the item in the list as it is written, from 0.
        at: usize,
        /// How far the change reaches. This is needed if other parts of the manifest take the list from the same place.
        reach: Option<EditReach>,
    },
    /// Adds a route, or a rule or test of the policy.
    Insert {
        /// The list.
        list: ListRef,
        /// The number of the item in front of which the new item is written, from 0; null for the end of the list.
        at: Option<usize>,
        /// The fields of the new item.
        fields: BTreeMap<String, FieldValue>,
    },
    /// Removes an item of such a list.
    Remove {
        /// The list.
        list: ListRef,
        /// The number of the item, from 0.
        at: usize,
    },
    /// Moves an item of such a list.
    Move {
        /// The list.
        list: ListRef,
        /// The present number of the item, from 0.
        from: usize,
        /// The number of the item afterwards.
        to: usize,
    },
}

/// A list of the manifest whose items have fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ListRef {
    /// The routes.
    Routes,
    /// The rules of the policy.
    Rules,
    /// The tests of the policy.
    Tests,
}

/// A part of the manifest that has fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum OwnerRef {
    /// The manifest itself.
    Manifest,
    /// `hostTemplate`.
    Template,
    /// A host.
    Host {
        /// The name of the host.
        name: String,
    },
    /// A route, or a rule or test of the policy.
    Item {
        /// The list.
        list: ListRef,
        /// The number of the item, from 0.
        at: usize,
    },
    /// The groups of the policy. The name of the field is that of the group, also if it has a dot.
    Groups,
}

/// The part of the manifest that a place in the text belongs to, and its field there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FieldPlace {
    /// The part.
    pub owner: OwnerRef,
    /// The name of the field, or `policy` for what is in no other part of the policy; `None` for the part itself and for
    /// fields that are not known.
    pub field: Option<String>,
}

/// How far a change of a shared value reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum EditReach {
    /// The value is changed where it is written, for all parts of the manifest that take it from there.
    Everywhere,
    /// One part of the manifest gets a changed copy of the value.
    Here,
}

/// The result of edits. Either all of them were made, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Edited {
    /// All edits were made.
    Done {
        /// The new text.
        text: String,
        /// The parts whose content has changed: names of hosts, `hostTemplate`, `route 1`, `rule 1`, `the group web` and
        /// other keys.
        changed: Vec<String>,
        /// A sentence for each further change that was necessary.
        also: Vec<String>,
        /// The outline of the new text.
        outline: Box<Outline>,
    },
    /// An edit was refused, so none was made.
    Refused {
        /// The number of the refused edit, from 0.
        at: usize,
        /// The kind of the reason.
        code: RefusalCode,
        /// The reason, for people.
        message: String,
        /// The next step for a person.
        hint: String,
        /// The other parts of the manifest that take the value from the same place.
        with: Vec<String>,
    },
}

/// The kind of the reason why an edit was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum RefusalCode {
    /// Other parts of the manifest take the value from the same place, by an anchor or a merge key. The edit can be
    /// requested again with a reach.
    Shared,
    /// The value comes from `hostTemplate`. The edit can be requested again with a reach.
    FromTemplate,
    /// The value comes from `hostTemplate`, and cannot be removed from one host.
    Inherited,
    /// Other parts of the manifest take the value from this one, so it cannot be changed for this one alone.
    Entangled,
    /// The name is taken.
    Taken,
    /// The part that the edit is about does not exist.
    Missing,
    /// The field does not exist, or cannot have such a value.
    Field,
    /// The text has errors, so it cannot be edited.
    Unreadable,
    /// The place is written in a way that cannot be edited safely.
    Style,
    /// The text would have an error that it did not have before.
    Invalid,
    /// The text would be longer than a manifest can be.
    TooLong,
}

/// The result of merging two changes of one text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Merged {
    /// The merged text. Where the changes conflict, it has the lines of the other side.
    pub text: String,
    /// The conflicts, in the order of the text; empty if the text has both changes.
    pub conflicts: Vec<Conflict>,
}

/// Lines that both sides have changed, each in its own way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The first of these lines in the merged text, from 1.
    pub line: usize,
    /// The lines before both changes.
    pub base: String,
    /// The lines of one side.
    pub mine: String,
    /// The lines of the other side, which the merged text has.
    pub theirs: String,
}
