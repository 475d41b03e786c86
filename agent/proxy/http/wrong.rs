//! A reason why a head is refused.

/// What is wrong with a head: a sentence, and the status for it if a client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Wrong {
    pub(super) fn new(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }
}
