//! A secret that is never shown, such as a token, or a password that a person has typed because a command has asked for
//! it.

use std::fmt;

use zeroize::Zeroizing;

/// A text that is never shown. Its memory is wiped when it is dropped. The buffers of the terminal and of the
/// connections through which the text came cannot be wiped by this program.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Makes a secret from a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the program that has asked for it.
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
