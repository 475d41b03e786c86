//! A reason why a head is refused.

/// The reason why a head is refused: a sentence, and the status of the reply if a client sent the head.
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
