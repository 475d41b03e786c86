//! Reads and writes DNS messages in wire format (RFC 1035 section 4). Reading checks all bounds.
//!
//! No DNS library is used, because an agent has to pass on unchanged everything that it does not know: new record
//! types, reserved bits, and the upper and lower case of a question.

use std::ops::Range;

/// The length of the header in bytes.
pub(super) const HEADER_SIZE: usize = 12;
/// The longest message that fits over TCP (RFC 1035 section 4.2.2).
pub(super) const MESSAGE_MAX: usize = 65_535;
/// The longest name in bytes, including its length bytes (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 255;
/// The longest label in bytes.
const LABEL_MAX: u8 = 63;
/// The two top bits that mark a compression pointer instead of a length byte.
const POINTER: u8 = 0xc0;

/// The flags of the header (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).
pub(super) mod flag {
    pub(in crate::names) const RESPONSE: u16 = 0x8000;
    pub(in crate::names) const OPCODE: u16 = 0x7800;
    pub(in crate::names) const AUTHORITATIVE: u16 = 0x0400;
    pub(in crate::names) const TRUNCATED: u16 = 0x0200;
    pub(in crate::names) const RECURSION_DESIRED: u16 = 0x0100;
    pub(in crate::names) const RECURSION_AVAILABLE: u16 = 0x0080;
    pub(in crate::names) const AUTHENTIC: u16 = 0x0020;
    pub(in crate::names) const CHECKING_DISABLED: u16 = 0x0010;
    pub(in crate::names) const RCODE: u16 = 0x000f;
}

/// DNS record types.
pub(super) mod kind {
    pub(in crate::names) const A: u16 = 1;
    pub(in crate::names) const CNAME: u16 = 5;
    pub(in crate::names) const SOA: u16 = 6;
    pub(in crate::names) const PTR: u16 = 12;
    pub(in crate::names) const AAAA: u16 = 28;
    pub(in crate::names) const OPT: u16 = 41;
    pub(in crate::names) const ANY: u16 = 255;
}

/// DNS classes.
pub(super) mod class {
    pub(in crate::names) const IN: u16 = 1;
    pub(in crate::names) const ANY: u16 = 255;
}

/// The header of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    /// The numbers of questions, answers, authority records and additional records.
    pub(super) counts: [u16; 4],
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            id: u16_at(bytes, 0)?,
            flags: u16_at(bytes, 2)?,
            counts: [
                u16_at(bytes, 4)?,
                u16_at(bytes, 6)?,
                u16_at(bytes, 8)?,
                u16_at(bytes, 10)?,
            ],
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        for word in [self.id, self.flags].iter().chain(&self.counts) {
            put_u16(&mut bytes, *word);
        }
        bytes
    }

    pub(super) const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// A name without compression: labels with their length bytes, and the zero byte of the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DnsName(Vec<u8>);

impl DnsName {
    /// Makes a name from labels joined by dots, with or without a dot at the end. `None` if the text is not a valid
    /// name.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let mut bytes = Vec::with_capacity(text.len() + 2);
        for label in text.split('.').filter(|_| !text.is_empty()) {
            let length = u8::try_from(label.len()).ok()?;
            if !(1..=LABEL_MAX).contains(&length) {
                return None;
            }
            bytes.push(length);
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        (bytes.len() <= NAME_MAX).then_some(Self(bytes))
    }

    /// Reads a name, compressed or not, and returns it with the position after it.
    pub(super) fn read(bytes: &[u8], start: usize) -> Option<(Self, usize)> {
        let mut name = Vec::new();
        let mut end = None;
        // A pointer may only point backwards. Otherwise a chain of pointers could be endless.
        let (mut at, mut limit) = (start, start);
        loop {
            let length = *bytes.get(at)?;
            if length & POINTER == POINTER {
                let target = usize::from(u16_at(bytes, at)? & 0x3fff);
                end.get_or_insert(at + 2);
                if target >= limit {
                    return None;
                }
                (at, limit) = (target, target);
            } else if length > LABEL_MAX {
                return None;
            } else {
                let label = bytes.get(at..=at + usize::from(length))?;
                name.extend_from_slice(label);
                at += label.len();
                if name.len() > NAME_MAX {
                    return None;
                }
                if length == 0 {
                    return Some((Self(name), end.unwrap_or(at)));
                }
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The labels without their length bytes. The root is left out.
    pub(super) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (label, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            (!label.is_empty()).then_some(label)
        })
    }

    /// The name as text in lower case. `None` if a label contains a dot, or a character that is not visible ASCII.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = String::new();
        for label in self.labels() {
            if !text.is_empty() {
                text.push('.');
            }
            let plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'.';
            if !label.iter().all(plain) {
                return None;
            }
            text.push_str(&String::from_utf8_lossy(label));
        }
        Some(text.to_ascii_lowercase())
    }

    /// Whether two names are equal, regardless of case (RFC 4343). Length bytes are at most 63, so they are never taken
    /// for letters.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// This name followed by another one; `None` if the result is too long.
    pub(super) fn join(&self, suffix: &Self) -> Option<Self> {
        let (_, labels) = self.0.split_last()?;
        let joined = [labels, suffix.bytes()].concat();
        (joined.len() <= NAME_MAX).then_some(Self(joined))
    }
}

/// The question of a message.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: DnsName,
    pub(super) kind: u16,
    pub(super) class: u16,
}

impl Question {
    pub(super) fn is(&self, other: &Self) -> bool {
        self.kind == other.kind && self.class == other.class && self.name.is(&other.name)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name.bytes());
        put_u16(out, self.kind);
        put_u16(out, self.class);
    }
}

/// A resource record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) owner: DnsName,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    /// The position of the record's data in the message.
    pub(super) data: Range<usize>,
}

/// A message with one question, whose parts have all been checked.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) header: Header,
    pub(super) question: Question,
    /// Answers, authority records and additional records in one list. The header says how many there are of each.
    pub(super) records: Vec<Record>,
    /// The EDNS record; `None` if the sender does not support EDNS.
    pub(super) edns: Option<Edns>,
}

/// The contents of the OPT record (RFC 6891 section 6.1), without its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    /// The longest UDP message that the sender of the record accepts, in bytes.
    pub(super) udp_size: u16,
    /// The upper eight bits of the response code.
    pub(super) rcode_high: u8,
    pub(super) version: u8,
    pub(super) flags: u16,
}

impl Edns {
    fn of(record: &Record) -> Self {
        let [rcode_high, version, high, low] = record.ttl.to_be_bytes();
        Self {
            udp_size: record.class,
            rcode_high,
            version,
            flags: u16::from_be_bytes([high, low]),
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        let [high, low] = self.flags.to_be_bytes();
        let ttl = u32::from_be_bytes([self.rcode_high, self.version, high, low]);
        put_record(out, &[0], kind::OPT, self.udp_size, ttl, &[]);
    }
}

impl<'a> Message<'a> {
    /// Reads a message. `None` unless the message has exactly one question, all the records that its header counts, and
    /// no bytes after them.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::read(bytes)?;
        let [1, counts @ ..] = header.counts else {
            return None;
        };
        let (name, at) = DnsName::read(bytes, HEADER_SIZE)?;
        if at != HEADER_SIZE + name.bytes().len() {
            // The question has the first name in a message, so it must not contain a pointer: there is no earlier name
            // to point to.
            return None;
        }
        let question = Question {
            name,
            kind: u16_at(bytes, at)?,
            class: u16_at(bytes, at + 2)?,
        };
        let mut at = at + 4;
        let mut records = Vec::new();
        for _ in 0..counts.into_iter().map(u32::from).sum() {
            let (owner, after) = DnsName::read(bytes, at)?;
            let data = after + 10;
            let end = data + usize::from(u16_at(bytes, after + 8)?);
            bytes.get(data..end)?;
            records.push(Record {
                owner,
                kind: u16_at(bytes, after)?,
                class: u16_at(bytes, after + 2)?,
                ttl: u32::from(u16_at(bytes, after + 4)?) << 16
                    | u32::from(u16_at(bytes, after + 6)?),
                data: data..end,
            });
            at = end;
        }
        let mut opts = records.iter().filter(|record| record.kind == kind::OPT);
        let edns = opts.next().map(Edns::of);
        let one_opt = opts.next().is_none();
        (one_opt && at == bytes.len()).then_some(Self {
            bytes,
            header,
            question,
            records,
            edns,
        })
    }

    /// The data of one of the message's records.
    pub(super) fn data(&self, record: &Record) -> &'a [u8] {
        self.bytes.get(record.data.clone()).unwrap_or_default()
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

pub(super) fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Writes a record. Its data must not be longer than a message may be.
pub(super) fn put_record(
    out: &mut Vec<u8>,
    owner: &[u8],
    kind: u16,
    class: u16,
    ttl: u32,
    data: &[u8],
) {
    out.extend_from_slice(owner);
    put_u16(out, kind);
    put_u16(out, class);
    out.extend_from_slice(&ttl.to_be_bytes());
    put_u16(out, u16::try_from(data.len()).unwrap_or(u16::MAX));
    out.extend_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_name_is_read_to_its_end() {
        let bytes = b"\x03com\x00\x03www\x07example\xc0\x00rest";
        let (name, end) = DnsName::read(bytes, 5).unwrap();
        assert_eq!(name.text().unwrap(), "www.example.com");
        assert_eq!(&bytes[end..], b"rest");
    }

    #[test]
    fn a_pointer_that_leads_forward_or_to_itself_is_refused() {
        assert!(DnsName::read(b"\xc0\x00", 0).is_none());
        assert!(DnsName::read(b"\xc0\x02\x00", 0).is_none());
        assert!(DnsName::read(b"\x01a\xc0\x00", 0).is_none());
        assert!(DnsName::read(b"\x01a\xc0\x04\xc0\x02", 4).is_none());
        assert!(DnsName::read(b"\x40abc", 0).is_none());
        assert!(DnsName::read(b"\x05abc", 0).is_none());
    }

    #[test]
    fn a_name_has_255_bytes_at_most() {
        let label = |length: usize| "x".repeat(length);
        let most = [label(63), label(63), label(63), label(61)].join(".");
        let name = DnsName::new(&most).unwrap();
        assert_eq!(name.bytes().len(), NAME_MAX);
        assert_eq!(DnsName::read(name.bytes(), 0).unwrap().0, name);
        assert!(DnsName::new(&format!("{most}x")).is_none());
        let longer = [&[1, b'x'], name.bytes()].concat();
        assert!(DnsName::read(&longer, 0).is_none());
        assert!(DnsName::new("a..b").is_none() && DnsName::new(&label(64)).is_none());
        assert_eq!(DnsName::new(".").unwrap().bytes(), [0]);
    }

    #[test]
    fn a_label_with_a_dot_inside_has_no_text() {
        assert_eq!(DnsName::read(b"\x03a.b\x00", 0).unwrap().0.text(), None);
        assert_eq!(
            DnsName::read(b"\x02\xff\x00\x00", 0).unwrap().0.text(),
            None
        );
        assert_eq!(DnsName::new("A.b").unwrap().text().unwrap(), "a.b");
    }
}
