//! The editor of manifests, without a face. It reads a text, lists the fields that can be set, and applies edits. The
//! text is the only state.

mod fields;
mod outline;
mod place;
mod request;

pub use fields::fields;
pub use outline::outline;
pub use place::places;
pub use request::{EDITS_MAX, edited};
