//! The YAML file as a person wrote it: every value with its place, nothing merged, nothing resolved. This module
//! decides whether the file is well-formed; `plan` decides what it means.

pub mod limits;
pub mod problem;
pub mod read;
pub mod render;
pub mod schema;

mod brackets;
mod check;
mod places;
mod tree;
mod yaml;

pub use problem::{Position, Problem, Problems, Related, Severity, Span, Spanned, any_error};
pub use read::read;
pub use tree::{
    Cmd, Dns, HOSTS_MAX, Host, Listen, Loopback, Manifest, Pod, Policy, Route, Rule,
    SIZE_MAX_BYTES, Settings, Shell, StateDir, Test,
};
