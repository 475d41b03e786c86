//! The YAML file as a person wrote it. Every value has its place. Nothing is merged or resolved yet. This module
//! decides whether the file is well-formed; `plan` decides what it means.

pub mod addresses;
pub mod fields;
pub mod limits;
pub mod problem;
pub mod read;
pub mod render;
mod forms;
pub mod json_schema;
pub mod schema;
pub mod source;
pub mod value;

mod brackets;
mod check;
mod places;
#[cfg(test)]
pub(crate) mod reads;
mod tree;
mod yaml;

pub use problem::{Position, Problem, Problems, Related, Severity, Span, Spanned, any_error};
pub use read::{read, read_with_content};
pub use tree::{
    Cmd, Dns, HOSTS_MAX, Host, Listen, Loopback, Manifest, Pod, Policy, Route, Rule,
    SIZE_MAX_BYTES, Service, Settings, Shell, StateDir, Test,
};
