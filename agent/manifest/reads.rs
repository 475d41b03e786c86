//! Counts how often texts are parsed, for tests that want to know whether somebody reads a text too often.

use std::cell::Cell;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Notes that a text is parsed.
pub(super) fn note() {
    COUNT.set(COUNT.get() + 1);
}

/// The number of texts that this thread has parsed.
pub(crate) fn count() -> usize {
    COUNT.get()
}
