//! Answers of the proxy itself: short plain texts for people, with the status for programs.

use crate::wire::{Cause, Failure};

/// The answer to `CONNECT` once the tunnel is established (RFC 9110 section 9.3.6).
pub const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Limit on the length of a reason phrase.
const PHRASE_MAX: usize = 200;

/// The field that tells a client how to authenticate (RFC 7617).
const AUTHENTICATE: (&str, &str) = (
    "Proxy-Authenticate",
    "Basic realm=\"norouter\", charset=\"UTF-8\"",
);

/// An answer of the proxy itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub(super) status: u16,
    /// The reason phrase after the status. `None` for the usual phrase.
    pub(super) reason: Option<String>,
    pub(super) body: String,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

impl Reply {
    /// An answer with a sentence for people. Control characters in it are escaped.
    pub fn new(status: u16, sentence: impl AsRef<str>) -> Self {
        let body = crate::text::escape(sentence.as_ref());
        Self::page(status, "text/plain; charset=utf-8", body + "\n")
    }

    /// The answer that asks for a user name and password (RFC 7617).
    pub fn password_needed() -> Self {
        Self::new(407, "This proxy asks for a user name and a password.")
            .with(AUTHENTICATE.0, AUTHENTICATE.1)
    }

    /// The answer that asks for the token, for a program of another user or of an unknown user.
    pub fn token_needed() -> Self {
        Self::new(
            407,
            "This proxy is for programs of the user who runs it, and for those that \"norouter exec\" or \"norouter env\" have \
             given its token.",
        )
        .with(AUTHENTICATE.0, AUTHENTICATE.1)
    }

    /// An answer with a body of this type.
    pub(crate) fn page(status: u16, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            reason: None,
            body,
            content_type,
            headers: Vec::new(),
        }
    }

    /// The answer with one more header field.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The text.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl From<&Failure> for Reply {
    fn from(failure: &Failure) -> Self {
        let status = match failure.cause {
            Cause::NotAllowed | Cause::Limited => 403,
            Cause::HostDown => 503,
            Cause::TimedOut => 504,
            Cause::NameNotFound
            | Cause::Unreachable
            | Cause::Refused
            | Cause::InUse
            | Cause::NotPermitted
            | Cause::NoAddress
            | Cause::Other => 502,
        };
        Self {
            reason: Some(phrase(&failure.reason)),
            ..Self::new(status, &failure.reason)
        }
    }
}

/// Makes the reason phrase of a status line from a sentence. If `CONNECT` fails, many clients show only this phrase to
/// people.
fn phrase(sentence: &str) -> String {
    let visible = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
    let text: String = sentence.chars().take(PHRASE_MAX).map(visible).collect();
    text.trim_matches([' ', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_a_status_for_programs_and_a_sentence_for_people() {
        for (cause, status) in [
            (Cause::NotAllowed, 403),
            (Cause::NameNotFound, 502),
            (Cause::HostDown, 503),
            (Cause::Unreachable, 502),
            (Cause::Refused, 502),
            (Cause::TimedOut, 504),
            (Cause::Other, 502),
        ] {
            let reason = "web:80 (10.0.0.1:80) refused.".to_owned();
            let reply = Reply::from(&Failure { cause, reason });
            assert_eq!(reply.status(), status);
            assert_eq!(reply.body(), "web:80 (10.0.0.1:80) refused.\n");
            assert_eq!(
                reply.reason.as_deref(),
                Some("web:80 (10.0.0.1:80) refused")
            );
        }
    }

    #[test]
    fn a_reason_phrase_stays_on_its_line_and_is_short() {
        assert_eq!(phrase("a\r\nB: c\u{1b}[31m\u{fc} d."), "a  B: c [31m  d");
        assert_eq!(phrase(&"x".repeat(10_000)).len(), 200);
    }

    #[test]
    fn a_sentence_cannot_add_a_line() {
        assert_eq!(Reply::new(502, "a\r\nb").body(), "a\\r\\nb\n");
    }
}
