//! Edits of a manifest that leave the rest of the file as it is: its comments, order, quotes, blank lines and line breaks.
//!
//! An edit is a value. It becomes small changes of a tree (`steps.rs`, `op.rs`), and each of these changes becomes
//! changes of the text (`splice.rs`, `write.rs`). The text is then read again by the reader of manifests. If it does
//! not mean exactly what the changed tree means, the edit is refused, and there is no new text.

mod apply;
mod both;
mod format;
mod hunks;
mod lines;
mod merge;
mod op;
mod owner;
mod places;
mod references;
mod refusal;
mod splice;
mod steps;
mod write;

pub use apply::{Applied, Reading, apply, apply_all};
pub use format::formatted;
pub use lines::{between, unified};
pub use merge::merge;
pub use owner::{List, Owner, group_name};
pub use refusal::Refusal;
pub use splice::{Splice, spliced};
pub use steps::{Change, Edit, Reach, suits};
