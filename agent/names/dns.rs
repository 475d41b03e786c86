//! Answers DNS questions about the network's own names, and makes all other replies for which no resolver is asked.
//! This file never asks another server.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    message::{DnsName, Edns, HEADER_SIZE, Header, Message, class, flag, kind, put_record},
    zone::{SUFFIX, TTL, Zone},
};

/// This name, and all names below it, mean the machine itself (RFC 6761 section 6.3).
const LOCALHOST: &str = "localhost";

/// The maximum size of UDP messages that we accept, in bytes. Our replies announce it. A message of this size fits into
/// one packet nearly everywhere.
const UDP_SIZE: u16 = 1_232;
/// The UDP message size, in bytes, that every client accepts (RFC 1035 section 2.3.4).
const UDP_LEAST: usize = 512;
/// The longest UDP message, in bytes, that we send, even if a client accepts longer ones.
const UDP_MOST: usize = 4_096;

/// Response codes (RFC 1035 section 4.1.1, RFC 6891 section 9).
mod rcode {
    pub(super) const OK: u16 = 0;
    pub(super) const FORMAT: u16 = 1;
    pub(super) const SERVER_FAILURE: u16 = 2;
    pub(super) const NO_NAME: u16 = 3;
    pub(super) const NOT_IMPLEMENTED: u16 = 4;
    pub(super) const REFUSED: u16 = 5;
    pub(super) const BAD_VERSION: u16 = 16;
}

/// The way to handle a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Send this reply to the client. Over UDP, pass it through [`fit_udp`] first.
    Reply(Vec<u8>),
    /// The name is not one of the network's: ask the host's own resolvers.
    Forward,
    /// Send no answer: the message is not a query.
    Drop,
}

/// Answers a query from the zone alone.
///
/// If the zone knows the name, the reply is authoritative. It contains the address (A) or the name of an address (PTR),
/// or says that there is no record of the requested type (RFC 2308 section 2.2). If the zone does not know a name below
/// [`SUFFIX`], the reply says that the name does not exist. `localhost` and the names below it have the loopback
/// addresses. No resolver is asked for them, because many resolvers do not know them, and an answer could lead to
/// another machine.
pub fn answer(zone: &Zone, query: &[u8]) -> Answer {
    let Some(header) = Header::read(query) else {
        return Answer::Drop;
    };
    if header.has(flag::RESPONSE) {
        return Answer::Drop;
    }
    if header.has(flag::OPCODE) {
        return Answer::Reply(bare(header, rcode::NOT_IMPLEMENTED));
    }
    let Some(query) = Message::read(query) else {
        return Answer::Reply(bare(header, rcode::FORMAT));
    };
    let draft = Draft::new(&query);
    if query.edns.is_some_and(|edns| edns.version != 0) {
        return Answer::Reply(draft.finish(rcode::BAD_VERSION));
    }
    if ![class::IN, class::ANY].contains(&query.question.class) {
        return Answer::Reply(draft.finish(rcode::REFUSED));
    }
    let asks = |of| [of, kind::ANY].contains(&query.question.kind);
    match look_up(zone, &query.question.name) {
        Known::Address(address) if asks(kind::A) => {
            Answer::Reply(draft.with(kind::A, &address.octets()))
        }
        Known::Name(name) if asks(kind::PTR) => Answer::Reply(draft.with(kind::PTR, name.bytes())),
        Known::Loopback if asks(kind::A) => {
            Answer::Reply(draft.with(kind::A, &Ipv4Addr::LOCALHOST.octets()))
        }
        Known::Loopback if asks(kind::AAAA) => {
            Answer::Reply(draft.with(kind::AAAA, &Ipv6Addr::LOCALHOST.octets()))
        }
        Known::Address(_) | Known::Name(_) | Known::Loopback | Known::Nothing => {
            Answer::Reply(draft.without(rcode::OK))
        }
        Known::Absent => Answer::Reply(draft.without(rcode::NO_NAME)),
        Known::Foreign => Answer::Forward,
    }
}

/// The result of a search for a name in the zone.
enum Known {
    /// The name belongs to a host with this address.
    Address(Ipv4Addr),
    /// The name is a reverse name below `in-addr.arpa`. The host with its address has this name.
    Name(DnsName),
    /// The name means the machine itself.
    Loopback,
    /// The name belongs to the zone, and has no records.
    Nothing,
    /// The name lies below the domain of the network, but does not exist.
    Absent,
    /// The name does not belong to the zone.
    Foreign,
}

fn look_up(zone: &Zone, name: &DnsName) -> Known {
    if is_below(name, LOCALHOST) {
        return Known::Loopback;
    }
    let Some(text) = name.text() else {
        return if is_below(name, SUFFIX) {
            Known::Absent
        } else {
            Known::Foreign
        };
    };
    if let Some(address) = zone.address(&text) {
        return Known::Address(address);
    }
    if is_below(name, SUFFIX) {
        // If a name exists, all names above it exist, too (RFC 8020).
        let inside = text.strip_suffix(SUFFIX).unwrap_or_default();
        let exists = inside.is_empty() || zone.has_below(inside.trim_end_matches('.'));
        return if exists {
            Known::Nothing
        } else {
            Known::Absent
        };
    }
    let called = asked_address(&text)
        .and_then(|address| zone.name(address))
        .and_then(|name| DnsName::new(&format!("{name}.{SUFFIX}")));
    called.map_or(Known::Foreign, Known::Name)
}

/// Whether a name is `domain`, which has only one label, or lies below it.
fn is_below(name: &DnsName, domain: &str) -> bool {
    name.labels()
        .last()
        .is_some_and(|label| label.eq_ignore_ascii_case(domain.as_bytes()))
}

/// The address that a reverse name asks about: `101.42.0.127.in-addr.arpa` (RFC 1035 section 3.5).
fn asked_address(text: &str) -> Option<Ipv4Addr> {
    let octets: Vec<u8> = text
        .strip_suffix(".in-addr.arpa")?
        .rsplit('.')
        .map(|octet| octet.parse().ok())
        .collect::<Option<_>>()?;
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(octets.into())
}

/// A reply in preparation, to a query that was parsed.
struct Draft<'a> {
    query: &'a Message<'a>,
    flags: u16,
    answers: Vec<u8>,
    authority: Vec<u8>,
}

impl<'a> Draft<'a> {
    fn new(query: &'a Message<'a>) -> Self {
        Self {
            query,
            flags: 0,
            answers: Vec::new(),
            authority: Vec::new(),
        }
    }

    /// Makes a reply with one record.
    fn with(mut self, kind: u16, data: &[u8]) -> Vec<u8> {
        self.flags |= flag::AUTHORITATIVE;
        let owner = self.query.question.name.bytes();
        put_record(&mut self.answers, owner, kind, class::IN, TTL, data);
        self.finish(rcode::OK)
    }

    /// Makes a reply without an answer. Its SOA record says how long the reply may be cached (RFC 2308 section 5). If
    /// the question was about the SOA record itself, that record becomes the answer.
    fn without(mut self, rcode: u16) -> Vec<u8> {
        const SERIAL: u32 = 1;
        const EXPIRE: u32 = 86_400;
        self.flags |= flag::AUTHORITATIVE;
        let asked = &self.query.question.name;
        // A name outside our own domain is treated as a zone of its own. In this way, the reply says nothing about the
        // domains above the name.
        let zone = if is_below(asked, SUFFIX) {
            DnsName::new(SUFFIX)
        } else {
            Some(asked.clone())
        };
        if let Some(zone) = zone {
            // The record names the zone itself as its server, and the root as its mailbox, because the zone has no
            // mailbox (RFC 1035 section 3.3.13).
            let mut data = [zone.bytes(), &[0]].concat();
            for number in [SERIAL, TTL, TTL, EXPIRE, TTL] {
                data.extend_from_slice(&number.to_be_bytes());
            }
            let asked_for_it = self.query.question.kind == kind::SOA && zone.is(asked);
            let section = if asked_for_it {
                &mut self.answers
            } else {
                &mut self.authority
            };
            put_record(section, zone.bytes(), kind::SOA, class::IN, TTL, &data);
        }
        self.finish(rcode)
    }

    fn finish(self, rcode: u16) -> Vec<u8> {
        let [rcode_high, rcode_low] = (rcode << 4).to_be_bytes();
        let edns = self.query.edns.map(|asked| Edns {
            udp_size: UDP_SIZE,
            rcode_high,
            version: 0,
            // The reply repeats the DNSSEC OK bit of the query (RFC 3225 section 3).
            flags: asked.flags & 0x8000,
        });
        let some = |records: &[u8]| u16::from(!records.is_empty());
        let header = Header {
            counts: [
                1,
                some(&self.answers),
                some(&self.authority),
                u16::from(edns.is_some()),
            ],
            ..reply_header(self.query.header, self.flags | u16::from(rcode_low >> 4))
        };
        let mut bytes = header.write();
        self.query.question.write(&mut bytes);
        bytes.extend_from_slice(&self.answers);
        bytes.extend_from_slice(&self.authority);
        if let Some(edns) = edns {
            edns.write(&mut bytes);
        }
        bytes
    }
}

/// The header of a reply with all record counts at 0.
fn reply_header(query: Header, flags: u16) -> Header {
    let kept = flag::OPCODE | flag::RECURSION_DESIRED | flag::CHECKING_DISABLED;
    Header {
        id: query.id,
        flags: query.flags & kept | flag::RESPONSE | flag::RECURSION_AVAILABLE | flags,
        counts: [0; 4],
    }
}

/// A reply of only a header, because the rest of the query could not be read.
fn bare(query: Header, rcode: u16) -> Vec<u8> {
    reply_header(query, rcode).write()
}

/// The SERVFAIL reply, for a query that could not be sent to any resolver, or that no resolver has answered. Empty if
/// the query does not even have a header.
pub fn servfail(query: &[u8]) -> Vec<u8> {
    failure(query, rcode::SERVER_FAILURE)
}

/// The REFUSED reply, for a query from a client that may not ask. Empty if the query does not even have a header.
pub fn refused(query: &[u8]) -> Vec<u8> {
    failure(query, rcode::REFUSED)
}

fn failure(query: &[u8], rcode: u16) -> Vec<u8> {
    match (Message::read(query), Header::read(query)) {
        (Some(query), _) => Draft::new(&query).finish(rcode),
        (None, Some(header)) => bare(header, rcode),
        (None, None) => Vec::new(),
    }
}

/// The reply in the form in which it may be sent over UDP. If it is too long, it is cut off after the question, and
/// gets the TC flag. This flag makes the client ask again over TCP (RFC 2181 section 9).
pub fn fit_udp(query: &[u8], reply: Vec<u8>) -> Vec<u8> {
    let edns = Message::read(query).and_then(|query| query.edns);
    let size = edns.map_or(0, |edns| usize::from(edns.udp_size));
    if reply.len() <= size.clamp(UDP_LEAST, UDP_MOST) {
        return reply;
    }
    let Some(whole) = Message::read(&reply) else {
        return servfail(query);
    };
    let header = Header {
        id: whole.header.id,
        flags: whole.header.flags | flag::TRUNCATED,
        counts: [1, 0, 0, u16::from(whole.edns.is_some())],
    };
    let mut bytes = header.write();
    whole.question.write(&mut bytes);
    if let Some(edns) = whole.edns {
        edns.write(&mut bytes);
    }
    bytes
}

/// Copies a message, and gives the copy another id. This is done with queries that are forwarded to a resolver of the
/// host, and with the replies to them.
pub fn with_id(message: &[u8], id: u16) -> Vec<u8> {
    let mut bytes = message.to_vec();
    if let Some(old) = bytes.get_mut(..2) {
        old.copy_from_slice(&id.to_be_bytes());
    }
    bytes
}

/// The meaning of a resolver's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The name exists and has records of the requested type.
    Found,
    /// The name exists, but has no records of the requested type.
    Empty,
    /// The name does not exist.
    Absent,
    /// The reply was truncated; ask again over TCP.
    Truncated,
    /// The server cannot answer; another server may be able to.
    Useless,
}

/// Judges a message that came from a server's address. `None` if the message does not reply to this query: it has
/// another id or another question, or is not a reply at all. Such a message may be forged (RFC 5452 section 9.1).
pub fn judge(query: &[u8], reply: &[u8]) -> Option<Verdict> {
    let asked = Message::read(query)?;
    let header = Header::read(reply)?;
    if header.id != asked.header.id || !header.has(flag::RESPONSE) {
        return None;
    }
    let code = header.flags & flag::RCODE;
    let answered = [rcode::OK, rcode::NO_NAME].contains(&code);
    if header.has(flag::TRUNCATED) && answered {
        // A truncated reply may end anywhere, but it must at least repeat the question.
        let (name, _) = DnsName::read(reply, HEADER_SIZE)?;
        return name.is(&asked.question.name).then_some(Verdict::Truncated);
    }
    let Some(message) = Message::read(reply) else {
        // Servers that cannot parse a question do not repeat it.
        return (header.counts == [0; 4] && !answered).then_some(Verdict::Useless);
    };
    if !message.question.is(&asked.question) {
        return None;
    }
    let [_, answers, ..] = header.counts;
    Some(match code {
        rcode::OK if answers > 0 => Verdict::Found,
        rcode::OK => Verdict::Empty,
        rcode::NO_NAME => Verdict::Absent,
        _ => Verdict::Useless,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use simple_dns::{Packet, PacketFlag, rdata::RData};

    use super::*;
    use crate::names::message::put_u16;

    const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 101);

    fn zone() -> Zone {
        Zone::new([("web", WEB), ("nginx.example.com", WEB)])
    }

    /// A query with recursion desired.
    fn query(name: &str, of: u16) -> Vec<u8> {
        let mut bytes = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
        bytes.extend_from_slice(DnsName::new(name).unwrap().bytes());
        put_u16(&mut bytes, of);
        put_u16(&mut bytes, class::IN);
        bytes
    }

    fn with_edns(mut query: Vec<u8>, udp_size: u16, version: u8) -> Vec<u8> {
        query[11] = 1;
        let edns = Edns {
            udp_size,
            rcode_high: 0,
            version,
            flags: 0x8000,
        };
        edns.write(&mut query);
        query
    }

    fn reply(query: &[u8]) -> Vec<u8> {
        match answer(&zone(), query) {
            Answer::Reply(bytes) => bytes,
            other @ (Answer::Forward | Answer::Drop) => panic!("{other:?}"),
        }
    }

    /// The reply as another DNS library, `simple_dns`, reads it: the response code, the answers, and the owner of the
    /// SOA record.
    fn seen(bytes: &[u8]) -> String {
        let packet = Packet::parse(bytes).unwrap();
        assert!(packet.has_flags(PacketFlag::RESPONSE | PacketFlag::RECURSION_AVAILABLE));
        assert_eq!(packet.id(), 0xabcd);
        let aa = packet.has_flags(PacketFlag::AUTHORITATIVE_ANSWER);
        let mut text = format!("{:?}{}", packet.rcode(), if aa { " aa" } else { "" });
        for record in packet.answers.iter().chain(&packet.name_servers) {
            let data = if let RData::A(a) = &record.rdata {
                Ipv4Addr::from(a.address).to_string()
            } else if let RData::AAAA(aaaa) = &record.rdata {
                Ipv6Addr::from(aaaa.address).to_string()
            } else if let RData::PTR(name) = &record.rdata {
                name.to_string()
            } else if let RData::SOA(soa) = &record.rdata {
                format!("soa {}", soa.minimum)
            } else {
                format!("{:?}", record.rdata)
            };
            let _ = write!(text, "; {} {} {data}", record.name, record.ttl);
        }
        text
    }

    #[test]
    fn a_name_of_the_network_has_an_address_and_nothing_else() {
        let found = "NoError aa; web 10 127.0.42.101";
        assert_eq!(seen(&reply(&query("web", kind::A))), found);
        assert_eq!(seen(&reply(&query("web", kind::ANY))), found);
        let empty = "NoError aa; web 10 soa 10";
        for of in [28, 15, 16, 65, 252, 0xff42] {
            // `simple_dns` does not know every type in a question, so the test replaces the type in the reply.
            let mut bytes = reply(&query("web", of));
            bytes[17..19].copy_from_slice(&28_u16.to_be_bytes());
            assert_eq!(seen(&bytes), empty, "type {of}");
        }
        assert_eq!(
            seen(&reply(&query("nginx.example.com.norouter", kind::A))),
            "NoError aa; nginx.example.com.norouter 10 127.0.42.101"
        );
    }

    #[test]
    fn below_our_own_domain_we_know_everything() {
        let asked = |name| seen(&reply(&query(name, kind::A)));
        assert_eq!(asked("db.norouter"), "NameError aa; norouter 10 soa 10");
        assert_eq!(asked("x.web.norouter"), "NameError aa; norouter 10 soa 10");
        assert_eq!(asked("norouter"), "NoError aa; norouter 10 soa 10");
        // This name exists, because a name below it exists.
        assert_eq!(
            asked("example.com.norouter"),
            "NoError aa; norouter 10 soa 10"
        );
        let start = reply(&query("norouter", kind::SOA));
        assert_eq!(seen(&start), "NoError aa; norouter 10 soa 10");
        assert_eq!(Message::read(&start).unwrap().header.counts, [1, 1, 0, 0]);
        let odd = query("web", kind::A);
        let odd = [&odd[..12], b"\x02\xff.\x08NoRouter\x00\x00\x01\x00\x01"].concat();
        assert_eq!(&reply(&odd)[2..4], b"\x85\x83");
    }

    #[test]
    fn an_address_of_the_network_has_a_name() {
        let asked = |name, of| answer(&zone(), &query(name, of));
        let Answer::Reply(bytes) = asked("101.42.0.127.in-addr.arpa", kind::PTR) else {
            panic!("not answered");
        };
        assert_eq!(
            seen(&bytes),
            "NoError aa; 101.42.0.127.in-addr.arpa 10 web.norouter"
        );
        assert!(matches!(
            asked("101.42.0.127.in-addr.arpa", 28),
            Answer::Reply(_)
        ));
        for other in [
            "1.0.0.127.in-addr.arpa",
            "0.127.in-addr.arpa",
            "0101.42.0.127.in-addr.arpa.x",
        ] {
            assert_eq!(asked(other, kind::PTR), Answer::Forward, "{other}");
        }
    }

    #[test]
    fn what_is_not_ours_is_asked_elsewhere() {
        for name in [
            "example.com",
            "web.example.com",
            "www.nginx.example.com",
            ".",
            "localhost.example.com",
            "mylocalhost",
        ] {
            assert_eq!(answer(&zone(), &query(name, kind::A)), Answer::Forward);
        }
    }

    #[test]
    fn localhost_and_what_is_below_it_are_never_asked_elsewhere() {
        for name in ["localhost", "LocalHost", "app.localhost", "a.b.localhost"] {
            let asked = |of| seen(&reply(&query(name, of)));
            let v4 = format!("NoError aa; {name} 10 127.0.0.1");
            assert_eq!(asked(kind::A), v4);
            assert_eq!(asked(kind::ANY), v4);
            assert_eq!(asked(kind::AAAA), format!("NoError aa; {name} 10 ::1"));
            let none = format!("NoError aa; {name} 10 soa 10");
            assert_eq!(asked(kind::PTR), none);
        }
        // A label that is not plain text does not change the result.
        let odd = query("web", kind::A);
        let odd = [&odd[..12], b"\x02\xff.\x09localhost\x00\x00\x01\x00\x01"].concat();
        assert_eq!(reply(&odd)[2..4], [0x85, 0x80]);
    }

    #[test]
    fn the_spelling_of_a_question_is_given_back() {
        let asked = query("wEb.NoRouTER", kind::A);
        let reply = reply(&asked);
        assert_eq!(reply[HEADER_SIZE..asked.len()], asked[HEADER_SIZE..]);
    }

    #[test]
    fn what_is_no_query_is_not_answered_and_what_is_no_good_query_is_told_so() {
        let good = query("web", kind::A);
        let changed = |at: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[at] = to;
            bytes
        };
        assert_eq!(answer(&zone(), &good[..11]), Answer::Drop);
        assert_eq!(answer(&zone(), &changed(2, 0x81)), Answer::Drop);
        // The reply has the response code NOTIMP (4), and repeats the opcode, which is IQUERY here.
        assert_eq!(
            reply(&changed(2, 0x09))[2..12],
            [0x89, 0x84, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        let no_sense = [
            good[..12].to_vec(),
            good[..good.len() - 1].to_vec(),
            changed(5, 0),
            changed(5, 2),
            changed(7, 1),
            changed(12, 0xc0),
            [&good[..], b"x"].concat(),
            {
                let twice = with_edns(with_edns(good.clone(), 512, 0), 512, 0);
                [&twice[..11], &[2], &twice[12..]].concat()
            },
        ];
        for bytes in no_sense {
            assert_eq!(
                seen(&reply(&bytes)),
                "FormatError",
                "{}",
                bytes.escape_ascii()
            );
        }
        let chaos = good.len() - 1;
        assert_eq!(seen(&reply(&changed(chaos, 3))), "Refused");
        assert_eq!(
            seen(&reply(&changed(chaos, 255))),
            "NoError aa; web 10 127.0.42.101"
        );
    }

    #[test]
    fn edns_is_answered_with_edns() {
        let bytes = reply(&with_edns(query("web", kind::A), 1_232, 0));
        let edns = Message::read(&bytes).unwrap().edns.unwrap();
        assert_eq!(
            (edns.udp_size, edns.version, edns.flags),
            (UDP_SIZE, 0, 0x8000)
        );
        let bytes = reply(&with_edns(query("web", kind::A), 1_232, 1));
        let message = Message::read(&bytes).unwrap();
        let edns = message.edns.unwrap();
        // BADVERS is 16, so it needs the upper eight bits of the 12-bit response code.
        assert_eq!(
            (edns.rcode_high, message.header.flags & flag::RCODE),
            (1, 0)
        );
        assert_eq!((edns.version, message.header.counts), (0, [1, 0, 0, 1]));
        assert!(
            Message::read(&reply(&query("web", kind::A)))
                .unwrap()
                .edns
                .is_none()
        );
    }

    #[test]
    fn a_reply_that_is_too_long_for_udp_says_that_tcp_has_it() {
        let asked = query("big.example.com", kind::A);
        let mut long = servfail(&asked);
        long[3] &= 0xf0;
        long[7] = 60;
        for octet in 0..60 {
            put_record(
                &mut long,
                &[0xc0, 12],
                kind::A,
                class::IN,
                60,
                &[10, 0, 0, octet],
            );
        }
        let short = fit_udp(&asked, long.clone());
        let packet = Packet::parse(&short).unwrap();
        assert!(packet.has_flags(PacketFlag::TRUNCATION) && packet.answers.is_empty());
        assert_eq!(short.len(), asked.len());
        assert_eq!(judge(&asked, &short), Some(Verdict::Truncated));
        let generous = with_edns(asked.clone(), 4_096, 0);
        assert_eq!(fit_udp(&generous, long.clone()), long);
        let stingy = with_edns(asked, 0, 0);
        assert!(fit_udp(&stingy, long).len() < UDP_LEAST);
    }

    #[test]
    fn only_the_reply_to_a_query_is_taken_for_it() {
        let asked = query("web", kind::A);
        let good = reply(&asked);
        assert_eq!(judge(&asked, &good), Some(Verdict::Found));
        assert_eq!(
            judge(&asked, &reply(&query("WEB", kind::A))),
            Some(Verdict::Found)
        );
        assert_eq!(judge(&asked, &servfail(&asked)), Some(Verdict::Useless));
        assert_eq!(
            judge(&asked, &servfail(&asked[..12])),
            Some(Verdict::Useless)
        );
        assert_eq!(judge(&asked, &refused(&asked)), Some(Verdict::Useless));
        assert_eq!(refused(&asked)[3] & 0xf, 5);
        assert_eq!(judge(&asked, &with_id(&good, 1)), None);
        assert_eq!(judge(&asked, &asked), None);
        assert_eq!(judge(&query("db", kind::A), &good), None);
        assert_eq!(judge(&query("web", 28), &good), None);
        assert_eq!(judge(&asked, &good[..good.len() - 1]), None);
        let absent = query("db.norouter", kind::A);
        assert_eq!(judge(&absent, &reply(&absent)), Some(Verdict::Absent));
        let empty = query("web", 28);
        assert_eq!(judge(&empty, &reply(&empty)), Some(Verdict::Empty));
    }

    proptest! {
        #[test]
        fn any_bytes_get_a_reply_that_can_be_read(
            start in prop::sample::select(vec![query("web", 1), query("x.norouter", 28)]),
            at in 0_usize..40,
            byte in any::<u8>(),
            cut in 0_usize..60,
        ) {
            let mut bytes = start;
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
            bytes.truncate(cut);
            match answer(&zone(), &bytes) {
                Answer::Drop => prop_assert!(bytes.len() < HEADER_SIZE || bytes[2] & 0x80 != 0),
                Answer::Forward => prop_assert!(Message::read(&bytes).is_some()),
                Answer::Reply(reply) => {
                    prop_assert_eq!(&reply[..2], &bytes[..2]);
                    prop_assert!(reply.len() == HEADER_SIZE || Message::read(&reply).is_some());
                }
            }
        }
    }
}
