//! What a person has typed for a command that asked: a password, or as good as one. It is never shown.

use std::fmt;

use zeroize::Zeroizing;

/// A text that is never shown, and that is wiped where this program holds it. Buffers of the terminal and of
/// connections that it came through cannot be wiped by this program.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text that is a secret from now on.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for its recipient.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_by_what_shows_everything() {
        let secret = Secret::new("correct horse".to_owned());
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret))
                .matches("horse")
                .count(),
            0
        );
        assert_eq!(secret.reveal(), "correct horse");
    }
}
