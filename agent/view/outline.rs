//! The outline of a manifest's text, for editors: every host, route, rule and test with its fields, and the place where
//! each field is written.

use serde::{Deserialize, Serialize};

/// The hosts, routes and fields of a text. The text may have errors, as long as it can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Outline {
    /// The hosts, in the order of the text.
    pub hosts: Vec<HostOutline>,
    /// The fields of `hostTemplate`.
    pub template: Vec<FieldOutline>,
    /// The fields of the manifest itself, such as `network`.
    pub network: Vec<FieldOutline>,
    /// The routes, in the order of the text.
    pub routes: Vec<ItemOutline>,
    /// The policy; `None` if the manifest has none.
    pub policy: Option<PolicyOutline>,
    /// The address that the next host without one would get; `None` if no address is free.
    pub next_vip: Option<String>,
    /// The lowest port from 8080 on that no host publishes.
    pub next_port: u16,
}

/// A host of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HostOutline {
    /// The name of the host.
    pub name: String,
    /// The address of the host, as it is written or would be assigned; empty if no address is free.
    pub vip: String,
    /// How the host is reached.
    pub way: Way,
    /// The command that would run, the program first; empty if the host is this machine, or if its way has an error. If
    /// the host has several pods or containers, the command contains `POD` or `CONTAINER` in place of the chosen one.
    pub argv: Vec<String>,
    /// All fields that the host has, its own and those from elsewhere, in the order of the table of fields.
    pub fields: Vec<FieldOutline>,
    /// The line of the host's name, from 1.
    pub line: usize,
}

/// How a host is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Way {
    /// The host is this machine.
    Local,
    /// A command of the person's own.
    Cmd,
    /// A machine that ssh reaches.
    Ssh,
    /// A container of docker.
    Docker,
    /// A container of podman.
    Podman,
    /// A container in a pod.
    Kubernetes,
    /// An instance of LXD or Incus.
    Lxc,
    /// A distribution of the Windows subsystem for Linux.
    Wsl,
    /// A command that runs a shell.
    Shell,
}

/// A route of a text, or a rule or test of its policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ItemOutline {
    /// The fields of the item, in the order of the table of fields.
    pub fields: Vec<FieldOutline>,
}

/// The policy of a text. The default is among the fields of the manifest itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PolicyOutline {
    /// The groups, in the order of the text. The name of the field is that of the group.
    pub groups: Vec<FieldOutline>,
    /// The rules, in the order of the text.
    pub rules: Vec<ItemOutline>,
    /// The tests, in the order of the text.
    pub tests: Vec<ItemOutline>,
    /// The line of the key `policy`, from 1.
    pub line: usize,
}

/// A field that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FieldOutline {
    /// The name of the field. The name of a field inside a map has a dot: `http.listen`.
    pub field: String,
    /// The value that is in force. The ports of a host are those of `hostTemplate` and its own.
    pub value: FieldValue,
    /// Where the value is written. A list with items from several places has the place of its last item.
    pub origin: Origin,
    /// Where each item of a list is written; `None` if the value is not a list.
    pub items: Option<Vec<Origin>>,
}

/// The value of a field. The null of YAML counts as no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum FieldValue {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

/// Where a value is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Origin {
    /// In the part of the manifest that has the field. No other part uses the value.
    Own {
        /// The number of the item in the list as it is written, from 0; `None` if the value is not an item.
        index: Option<usize>,
    },
    /// In `hostTemplate`.
    Template {
        /// The number of the item in the list of the template, from 0; `None` if the value is not an item.
        index: Option<usize>,
    },
    /// At a place from which other parts of the manifest take the value as well, by an anchor or a merge key.
    Shared {
        /// The other parts that take the value: names of hosts, `hostTemplate`, `route 1`, `rule 1`, `the group web` and
        /// other keys.
        with: Vec<String>,
        /// The number of the item in the list as it is written, from 0; `None` if the value is not an item.
        index: Option<usize>,
    },
}

/// A field that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FieldSpec {
    /// The part of the manifest that has the field.
    pub of: FieldOf,
    /// The name of the field. The name of a field inside a map has a dot: `http.listen`.
    pub field: String,
    /// The form of the value.
    pub form: FieldForm,
    /// The words of which the value must be one; empty if the value is not limited to some words.
    pub words: Vec<String>,
    /// Whether the field has to be set.
    pub required: bool,
    /// The meaning of the field.
    pub doc: String,
    /// An example of the value, as JSON.
    pub example: String,
    /// The form of the text, or of each item, as a regular expression of JavaScript.
    pub pattern: Option<String>,
}

/// A part of the manifest that has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum FieldOf {
    /// The manifest itself.
    Manifest,
    /// `hostTemplate`.
    Template,
    /// A host.
    Host,
    /// A route.
    Route,
    /// A rule of the policy.
    Rule,
    /// A test of the policy.
    Test,
}

/// The form of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum FieldForm {
    /// A text.
    Text,
    /// One of a few words.
    Word,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A text, or a list of texts.
    TextOrTexts,
}
