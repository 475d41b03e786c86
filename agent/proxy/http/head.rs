//! The head of a message: where it ends, what it may contain, and which header fields concern only one connection.

use std::fmt;

use bytes::{BufMut, BytesMut};

use super::{
    body::Framing,
    token::{is_control, token},
    version::Version,
    wrong::Wrong,
};

/// Limit on the size of a head, in bytes.
pub const HEAD_MAX: usize = 64 << 10;

/// Limit on the number of header fields.
pub const HEADERS_MAX: usize = 128;

/// The name of this proxy in the `Via` field (RFC 9110 section 7.6.3).
const PSEUDONYM: &str = "norouter";

/// Fields that concern one connection and not the message (RFC 9110 section 7.6.1), in addition to those that
/// `Connection` names and those that begin with `Proxy-`.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields whose value is a secret: anybody who knows it could act as the user.
const SECRET: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
];

/// Header fields in their order. No name is empty, and no value contains a line break or another control character.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// The values of all fields with this name, which must be in lower case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The value of the first field with this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The elements of the comma-separated lists in all fields with this name (RFC 9110 section 5.6.1).
    fn list(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// Whether one of the lists in the fields with this name contains a word, ignoring case.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        self.list(name)
            .any(|element| element.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Whether `Connection`, or the `Proxy-Connection` of old clients, contains a word.
    pub(super) fn connection(&self, word: &str) -> bool {
        self.lists("connection", word) || self.lists("proxy-connection", word)
    }

    /// The value of a field that may occur only once: `None` if it is absent, and an error if it occurs several times.
    pub(super) fn single(&self, name: &str) -> Result<Option<&[u8]>, Wrong> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Wrong::new(
                400,
                format!("The field {name} stands there more than once."),
            )),
        }
    }

    /// The length of the body according to these fields; `None` if they do not give one (RFC 9112 section 6). Ambiguous
    /// fields are refused, even if they only repeat the same value.
    pub(super) fn framing(&self, version: Version) -> Result<Option<Framing>, Wrong> {
        let wrong = |text| Err(Wrong::new(400, text));
        let length = self.single("content-length")?;
        let Some(coding) = self.single("transfer-encoding")? else {
            let Some(length) = length else {
                return Ok(None);
            };
            return match number(length) {
                Some(length) => Ok(Some(Framing::Length(length))),
                None => wrong("The value of Content-Length is not a number."),
            };
        };
        if length.is_some() {
            return wrong("Content-Length and Transfer-Encoding exclude each other.");
        }
        if version == Version::Http10 {
            return wrong("HTTP/1.0 knows no Transfer-Encoding.");
        }
        if coding.eq_ignore_ascii_case(b"chunked") {
            return Ok(Some(Framing::Chunked));
        }
        if self
            .list("transfer-encoding")
            .all(|coding| coding.eq_ignore_ascii_case(b"chunked"))
        {
            return wrong("Transfer-Encoding names no coding, or one twice.");
        }
        Err(Wrong::new(
            501,
            "This proxy knows no other Transfer-Encoding than chunked.",
        ))
    }

    /// Writes the fields that are forwarded to the other side, the upgrade if there is one, and `Via`.
    pub(super) fn forward(
        &self,
        out: &mut BytesMut,
        leave_out: &[&str],
        upgrade: bool,
        version: Version,
    ) {
        for (name, value) in &self.0 {
            let is = |other: &&str| name.eq_ignore_ascii_case(other);
            let hop = HOP_BY_HOP.iter().any(is)
                || leave_out.iter().any(is)
                || name
                    .get(..6)
                    .is_some_and(|start| start.eq_ignore_ascii_case("proxy-"))
                || self.connection(name);
            if !hop || (upgrade && is(&"upgrade")) {
                field(out, name, value);
            }
        }
        field(
            out,
            "Via",
            format!("{} {PSEUDONYM}", version.number()).as_bytes(),
        );
    }
}

/// Shows every field, but hides secrets, because the output may end up in a log.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.0.iter().map(|(name, value)| {
            let is_secret = SECRET
                .iter()
                .any(|secret| name.eq_ignore_ascii_case(secret));
            let shown: &[u8] = if is_secret { b"..." } else { value };
            (name, shown.escape_ascii().to_string())
        });
        f.debug_map().entries(fields).finish()
    }
}

/// Writes one header field.
pub(super) fn field(out: &mut BytesMut, name: &str, value: &[u8]) {
    out.put_slice(name.as_bytes());
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// A head that was split into lines, which are not parsed yet.
pub(super) struct Lines<'a> {
    pub(super) first: &'a [u8],
    pub(super) headers: Headers,
    /// The length of the whole head in bytes, including the empty line at its end.
    pub(super) length: usize,
}

/// Splits a head into lines; `None` if more bytes are needed.
pub(super) fn split(bytes: &[u8]) -> Result<Option<Lines<'_>>, Wrong> {
    let Some(length) = end(bytes)? else {
        return Ok(None);
    };
    let head = bytes.get(..length).unwrap_or_default();
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| {
        line.strip_suffix(b"\r")
            .filter(|line| !line.contains(&b'\r'))
            .ok_or_else(|| Wrong::new(400, "A line does not end with CR LF, or contains a CR."))
    });
    let first = lines.next().unwrap_or(Ok(b""))?;
    if first.iter().copied().any(is_control) {
        return Err(Wrong::new(
            400,
            "The first line contains a control character.",
        ));
    }
    let mut headers = Headers::default();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if headers.0.len() == HEADERS_MAX {
            let text = format!("There are more than {HEADERS_MAX} header fields.");
            return Err(Wrong::new(431, text));
        }
        headers.0.push(parse_field(line)?);
    }
    Ok(Some(Lines {
        first,
        headers,
        length,
    }))
}

/// The length of the head, including the first empty line. An empty line without CR ends the head, too, so that its
/// sender gets an error at once instead of waiting for more.
fn end(bytes: &[u8]) -> Result<Option<usize>, Wrong> {
    let lines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let mut found = None;
    for (at, _) in lines {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let empty = match rest {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => continue,
        };
        found = Some(at + 1 + empty);
        break;
    }
    if found.unwrap_or(bytes.len()) > HEAD_MAX {
        let text = format!("The header section is longer than {} KiB.", HEAD_MAX >> 10);
        return Err(Wrong::new(431, text));
    }
    Ok(found)
}

/// Parses one header field (RFC 9112 section 5).
fn parse_field(line: &[u8]) -> Result<(String, Vec<u8>), Wrong> {
    let wrong = |text| Err(Wrong::new(400, text));
    if line
        .first()
        .is_some_and(|first| matches!(first, b' ' | b'\t'))
    {
        return wrong("A header field is continued on a second line.");
    }
    let mut halves = line.splitn(2, |byte| *byte == b':');
    let (Some(name), Some(value)) = (halves.next(), halves.next()) else {
        return wrong("A header field has no colon.");
    };
    if name.last().is_some_and(u8::is_ascii_whitespace) {
        return wrong("There is a space before the colon of a header field.");
    }
    let Some(name) = token(name) else {
        return wrong("The name of a header field contains a character that has no place there.");
    };
    if value.iter().any(|byte| *byte != b'\t' && is_control(*byte)) {
        return wrong("The value of a header field contains a control character.");
    }
    Ok((name.to_owned(), value.trim_ascii().to_vec()))
}

/// Parses a decimal number; `None` if it has a sign or a space, or does not fit into 64 bits.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = digits.iter().all(u8::is_ascii_digit);
    text.parse().ok().filter(|_| plain)
}
