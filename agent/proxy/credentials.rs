//! The users of a proxy and their passwords, read from the text of a file. Neither the reply nor the time that the
//! reply takes shows a client whether its user or its password was wrong.

use std::fmt;

use data_encoding::BASE64;

use crate::secret::Secret;

/// The longest user name and the longest password, in bytes (RFC 1929 section 2: one byte holds the length).
const SECRET_MAX: usize = 255;

/// A secret with its length in front, and padded, so that every comparison takes the same time.
type Padded = [u8; SECRET_MAX + 1];

/// The users of a proxy, at least one.
#[derive(Clone)]
pub struct Credentials {
    entries: Vec<(Padded, Padded)>,
}

/// An error in a file of users and passwords. It never quotes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// A line has no colon, or no text before or after it.
    #[error("line {line}: write user:password")]
    Form {
        /// The line's number, beginning with 1.
        line: usize,
    },
    /// A user name or password is too long for SOCKS.
    #[error("line {line}: a user name and a password may have 255 bytes each")]
    TooLong {
        /// The line's number, beginning with 1.
        line: usize,
    },
    /// Two lines have the same user name, so one of them would have no effect.
    #[error("line {line}: this user is named before")]
    Twice {
        /// The line's number, beginning with 1.
        line: usize,
    },
    /// The file has no users, so nobody could use the proxy.
    #[error("it names no user: write lines of the form user:password")]
    Nobody,
}

impl Credentials {
    /// Reads lines of the form `user:password`. Blank lines and lines that begin with `#` are skipped; a password may
    /// contain colons and spaces.
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        let mut entries: Vec<(Padded, Padded)> = Vec::new();
        for (index, content) in text.lines().enumerate() {
            let line = index + 1;
            if content.trim().is_empty() || content.starts_with('#') {
                continue;
            }
            let (user, password) = content
                .split_once(':')
                .filter(|(user, password)| !user.is_empty() && !password.is_empty())
                .ok_or(CredentialsError::Form { line })?;
            let (Some(user), Some(password)) = (pad(user.as_bytes()), pad(password.as_bytes()))
            else {
                return Err(CredentialsError::TooLong { line });
            };
            if entries.iter().any(|(before, _)| *before == user) {
                return Err(CredentialsError::Twice { line });
            }
            entries.push((user, password));
        }
        if entries.is_empty() {
            return Err(CredentialsError::Nobody);
        }
        Ok(Self { entries })
    }

    /// A single user whose name and password a program has chosen.
    pub fn of(user: &str, password: &Secret) -> Result<Self, CredentialsError> {
        let too_long = CredentialsError::TooLong { line: 1 };
        let user = pad(user.as_bytes()).ok_or(too_long)?;
        let password = pad(password.reveal().as_bytes()).ok_or(too_long)?;
        Ok(Self {
            entries: vec![(user, password)],
        })
    }

    /// Adds the users of `others`.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.entries.extend_from_slice(&others.entries);
        self
    }

    /// Whether the user and password are right. The time for this check depends only on the number of users.
    pub fn allow(&self, user: &[u8], password: &[u8]) -> bool {
        let (Some(user), Some(password)) = (pad(user), pad(password)) else {
            return false;
        };
        self.entries.iter().fold(false, |found, entry| {
            found | (same_secret(&entry.0, &user) & same_secret(&entry.1, &password))
        })
    }

    /// Whether the value of an `Authorization` or `Proxy-Authorization` field has the right credentials (RFC 7617
    /// section 2).
    pub fn allow_basic(&self, value: &[u8]) -> bool {
        let Some((scheme, token)) = value.split_at_checked("Basic".len()) else {
            return false;
        };
        let token = token.trim_ascii();
        let Ok(pair) = BASE64.decode(token) else {
            return false;
        };
        let mut halves = pair.splitn(2, |byte| *byte == b':');
        match (halves.next(), halves.next()) {
            (Some(user), Some(password)) if scheme.eq_ignore_ascii_case(b"Basic") => {
                self.allow(user, password)
            }
            _ => false,
        }
    }
}

/// Shows how many users there are, but no secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} users)", self.entries.len())
    }
}

/// Whether two texts are equal. The time for this comparison depends only on their lengths.
pub(crate) fn same_secret(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(difference) == 0 && a.len() == b.len()
}

fn pad(secret: &[u8]) -> Option<Padded> {
    let mut padded = [0; SECRET_MAX + 1];
    let (length, room) = padded.split_first_mut()?;
    *length = u8::try_from(secret.len()).ok()?;
    room.get_mut(..secret.len())?.copy_from_slice(secret);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_comes_in_with_the_right_password_only() {
        let users = Credentials::parse("# ours\n\nann:s3:cret\r\nbob: x \n").unwrap();
        assert!(users.allow(b"ann", b"s3:cret"));
        assert!(users.allow(b"bob", b" x "));
        for (user, password) in [
            ("ann", "x"),
            ("ann", ""),
            ("", ""),
            ("bob", "s3:cret"),
            ("ann\0", "s3:cret"),
        ] {
            assert!(!users.allow(user.as_bytes(), password.as_bytes()));
        }
        assert!(!users.allow(&[b'a'; 256], b"x"));
    }

    #[test]
    fn a_browser_comes_in_with_basic_authorization() {
        let users = Credentials::parse("ann:s3:cret").unwrap();
        assert!(users.allow_basic(b"Basic YW5uOnMzOmNyZXQ="));
        assert!(users.allow_basic(b"basic  YW5uOnMzOmNyZXQ="));
        for value in [
            "",
            "Basic",
            "Basic YW5uOnMz",
            "Basic ?",
            "Bearer YW5uOnMzOmNyZXQ=",
            "Basic YW5u",
        ] {
            assert!(!users.allow_basic(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn a_user_that_a_program_has_made_up_is_one_beside_the_others() {
        let pass = Secret::new("0123".to_owned());
        let made_up = Credentials::of("norouter", &pass).unwrap();
        assert!(made_up.allow(b"norouter", b"0123") && !made_up.allow(b"norouter", b"0124"));
        let all = Credentials::parse("ann:x").unwrap().and(&made_up);
        assert!(all.allow(b"ann", b"x") && all.allow(b"norouter", b"0123"));
        assert!(!all.allow(b"ann", b"0123"));
        let long = Secret::new("x".repeat(256));
        assert!(Credentials::of("norouter", &long).is_err());
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        let error = |text: &str| Credentials::parse(text).unwrap_err();
        assert_eq!(error("a:b\nnobody\n"), CredentialsError::Form { line: 2 });
        assert_eq!(error(":b"), CredentialsError::Form { line: 1 });
        assert_eq!(error("a:"), CredentialsError::Form { line: 1 });
        assert_eq!(error("a:b\na:c"), CredentialsError::Twice { line: 2 });
        assert_eq!(error("# a:b\n"), CredentialsError::Nobody);
        let long = format!("{}:x", "a".repeat(256));
        assert_eq!(error(&long), CredentialsError::TooLong { line: 1 });
    }

    #[test]
    fn secrets_are_the_same_only_if_every_byte_is() {
        assert!(same_secret(b"abc", b"abc"));
        assert!(!same_secret(b"abc", b"abd"));
        assert!(!same_secret(b"abc", b"ab"));
        assert!(!same_secret(b"", b"a"));
    }

    #[test]
    fn no_secret_is_printed() {
        let users = Credentials::parse("ann:s3cret").unwrap();
        assert_eq!(format!("{users:?}"), "Credentials(1 users)");
    }
}
