//! The head of a message: where it ends, what it may contain, and which header fields concern only one connection.

use std::{collections::BTreeSet, fmt};

use bytes::{BufMut, BytesMut};

use super::{
    body::Framing,
    token::{is_control, token},
    version::Version,
    wrong::Wrong,
};

/// Limit on the size of a client's head, in bytes.
pub const HEAD_MAX: usize = 64 << 10;

/// Limit on the size of an origin's head, in bytes. Browsers accept heads of this size.
pub const ORIGIN_HEAD_MAX: usize = 256 << 10;

/// Limit on the number of header fields.
pub const HEADERS_MAX: usize = 1_000;

/// Fields that concern one connection and not the message (RFC 9110 section 7.6.1), in addition to those that
/// `Connection` names and those that begin with `Proxy-`.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields whose value is a secret. Anybody who knows the value could act as the user.
const SECRET: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
];

/// The sender of a head. In any case, a head is refused if two programs could read it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A client. It may try to make the origin see another request than this proxy sees. It has no reason to deviate
    /// from the standard.
    Client,
    /// An origin. Small faults of old servers are repaired if only one meaning is possible.
    Origin,
}

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

    /// The length of the body according to these fields. `None` if they do not give one (RFC 9112 section 6). If a
    /// field is repeated with the same value, a client's head is refused, and an origin's is accepted. If an origin's
    /// head has both chunks and a length, the chunks count (RFC 9112 section 6.3).
    pub(super) fn framing(
        &self,
        version: Version,
        sender: Sender,
    ) -> Result<Option<Framing>, Wrong> {
        let wrong = |text| Err(Wrong::new(400, text));
        let (length, coding) = match sender {
            Sender::Client => (
                self.single("content-length")?,
                self.single("transfer-encoding")?,
            ),
            Sender::Origin => (
                self.repeated("content-length")?,
                self.repeated("transfer-encoding")?,
            ),
        };
        // In the first version of HTTP/1.1, "identity" stood for no coding (RFC 2616 section 3.6).
        let is_absent =
            |coding: &&[u8]| sender == Sender::Origin && coding.eq_ignore_ascii_case(b"identity");
        let Some(coding) = coding.filter(|coding| !is_absent(coding)) else {
            let Some(length) = length else {
                return Ok(None);
            };
            return match number(length) {
                Some(length) => Ok(Some(Framing::Length(length))),
                None => wrong("The value of Content-Length is not a number."),
            };
        };
        if length.is_some() && sender == Sender::Client {
            return wrong("Content-Length and Transfer-Encoding exclude each other.");
        }
        if version == Version::Http10 && sender == Sender::Client {
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

    /// The value of a field that may be repeated with the same value, in several fields or in one list; `None` if the
    /// field is absent.
    fn repeated(&self, name: &str) -> Result<Option<&[u8]>, Wrong> {
        let mut values = self.list(name);
        let Some(first) = values.next() else {
            return self.single(name);
        };
        if values.all(|value| value.eq_ignore_ascii_case(first)) {
            return Ok(Some(first));
        }
        let text = format!("The field {name} stands there with different values.");
        Err(Wrong::new(400, text))
    }

    /// Whether at most one field states the length of the body. If so, the sender and this proxy certainly agree on the
    /// end of the body.
    pub(super) fn is_length_certain(&self) -> bool {
        self.all("content-length").count() + self.all("transfer-encoding").count() <= 1
    }

    /// The protocols in the field `Upgrade`, except HTTP/2. An offer of HTTP/2 is made for one connection, with
    /// settings in another field, and this proxy does not speak HTTP/2. `None` if no other protocol is offered.
    pub(super) fn upgrade(&self) -> Option<Vec<u8>> {
        let others = self.list("upgrade").filter(|protocol| {
            let is_h2 = |name: &[u8]| protocol.eq_ignore_ascii_case(name);
            !is_h2(b"h2c") && !is_h2(b"h2")
        });
        let others: Vec<&[u8]> = others.collect();
        (!others.is_empty()).then(|| others.join(&b", "[..]))
    }

    /// Writes the fields that are forwarded to the other side.
    pub(super) fn forward(&self, out: &mut BytesMut, leave_out: &[&str]) {
        // The words are collected once. If each field were compared with each word, many fields with many words would
        // take too long.
        let named: BTreeSet<Vec<u8>> = ["connection", "proxy-connection"]
            .iter()
            .flat_map(|list| self.list(list))
            .map(<[u8]>::to_ascii_lowercase)
            .collect();
        for (name, value) in &self.0 {
            let is = |other: &&str| name.eq_ignore_ascii_case(other);
            let hop = HOP_BY_HOP.iter().any(is)
                || leave_out.iter().any(is)
                || name
                    .get(..6)
                    .is_some_and(|start| start.eq_ignore_ascii_case("proxy-"))
                || named.contains(name.to_ascii_lowercase().as_bytes());
            if !hop {
                field(out, name, value);
            }
        }
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
pub(super) fn split(bytes: &[u8], sender: Sender) -> Result<Option<Lines<'_>>, Wrong> {
    let Some(length) = end(bytes, sender)? else {
        return Ok(None);
    };
    let head = bytes.get(..length).unwrap_or_default();
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| {
        let whole = match sender {
            Sender::Client => None,
            Sender::Origin => Some(line),
        };
        line.strip_suffix(b"\r")
            .or(whole)
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
        if sender == Sender::Origin
            && matches!(line.first(), Some(b' ' | b'\t'))
            && let Some((_, value)) = headers.0.last_mut()
        {
            continue_value(value, line)?;
            continue;
        }
        if headers.0.len() == HEADERS_MAX {
            let text = format!("There are more than {HEADERS_MAX} header fields.");
            return Err(Wrong::new(431, text));
        }
        headers.0.push(parse_field(line, sender)?);
    }
    Ok(Some(Lines {
        first,
        headers,
        length,
    }))
}

/// The length of the head, including the first empty line. An empty line without CR ends the head, too: its sender then
/// gets an error at once, instead of waiting for more of the reply.
fn end(bytes: &[u8], sender: Sender) -> Result<Option<usize>, Wrong> {
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
    let max = match sender {
        Sender::Client => HEAD_MAX,
        Sender::Origin => ORIGIN_HEAD_MAX,
    };
    if found.unwrap_or(bytes.len()) > max {
        let text = format!("The header section is longer than {} KiB.", max >> 10);
        return Err(Wrong::new(431, text));
    }
    Ok(found)
}

/// A head that arrives in pieces. It decides when parsing is worthwhile. If the head were parsed for each piece, the
/// work for a sender of single bytes would grow with the square of the length.
#[derive(Debug, Default)]
pub struct Arrival {
    /// The number of bytes that were already examined.
    seen: usize,
}

impl Arrival {
    /// Until this many bytes have arrived, the head is parsed at every piece, because the first bytes show whether this
    /// is HTTP at all.
    const FIRST: usize = 8;

    /// Whether the head in these bytes may be complete or too long. The bytes must begin with those of the previous
    /// call.
    pub fn is_worth_parsing(&mut self, bytes: &[u8]) -> bool {
        // The head ends with LF LF or LF CR LF, so up to two bytes of its end may have arrived before.
        let seen = std::mem::replace(&mut self.seen, bytes.len());
        let from = seen.saturating_sub(2);
        let new = bytes.get(from..).unwrap_or_default();
        let mut ends = new.windows(2).zip(from..);
        seen < Self::FIRST
            || bytes.len() > ORIGIN_HEAD_MAX
            || ends.any(|(pair, at)| {
                pair == b"\n\n" || (pair == b"\n\r" && bytes.get(at + 2) == Some(&b'\n'))
            })
    }
}

/// Appends the continuation line of a field, with one space in place of the fold (RFC 9112 section 5.2). A line that
/// has only spaces is refused, because some programs take it for the end of the head.
fn continue_value(value: &mut Vec<u8>, line: &[u8]) -> Result<(), Wrong> {
    let more = line.trim_ascii();
    if more.is_empty() {
        return Err(Wrong::new(400, "A line of the head has spaces only."));
    }
    check_value(more)?;
    value.push(b' ');
    value.extend_from_slice(more);
    Ok(())
}

fn check_value(value: &[u8]) -> Result<(), Wrong> {
    if value.iter().any(|byte| *byte != b'\t' && is_control(*byte)) {
        let text = "The value of a header field contains a control character.";
        return Err(Wrong::new(400, text));
    }
    Ok(())
}

/// Parses one header field (RFC 9112 section 5). Spaces before the colon are removed from an origin's field, as the
/// standard demands. A client's field with such spaces is refused.
fn parse_field(line: &[u8], sender: Sender) -> Result<(String, Vec<u8>), Wrong> {
    let wrong = |text| Err(Wrong::new(400, text));
    if line
        .first()
        .is_some_and(|first| matches!(first, b' ' | b'\t'))
    {
        return wrong("A header field is continued on a second line.");
    }
    let mut halves = line.splitn(2, |byte| *byte == b':');
    let (Some(mut name), Some(value)) = (halves.next(), halves.next()) else {
        return wrong("A header field has no colon.");
    };
    if sender == Sender::Origin {
        name = name.trim_ascii_end();
    }
    if name.last().is_some_and(u8::is_ascii_whitespace) {
        return wrong("There is a space before the colon of a header field.");
    }
    let Some(name) = token(name) else {
        return wrong("The name of a header field contains a character that has no place there.");
    };
    check_value(value)?;
    Ok((name.to_owned(), value.trim_ascii().to_vec()))
}

/// Parses a decimal number; `None` if it has a sign or a space, or does not fit into 64 bits.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = digits.iter().all(u8::is_ascii_digit);
    text.parse().ok().filter(|_| plain)
}
