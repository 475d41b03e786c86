//! Search lists (resolv.conf(5)). Makes the full names under which a short name is looked up. Turns the reply for a
//! full name into one for the name in the client's query. This file sends no queries.

use super::{
    message::{
        DnsName, HEADER_SIZE, Header, MESSAGE_MAX, Message, Record, class, flag, kind, put_record,
    },
    resolv_conf::Resolvers,
    zone::TTL,
};

/// A name under which a query is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// The name exactly as it is in the client's query.
    AsAsked,
    /// The name followed by this domain.
    Below(String),
}

/// The names under which a query is looked up, in this order, until one of them is found.
///
/// If the name has fewer dots than `ndots`, it comes after the names of the search list, and otherwise before them. The
/// search list is not used for the root, for names below `arpa`, and for queries that cannot be read.
pub fn candidates(query: &[u8], resolvers: &Resolvers) -> Vec<Candidate> {
    let name = Message::read(query).map(|query| query.question.name);
    let labels: Vec<&[u8]> = name.iter().flat_map(DnsName::labels).collect();
    let Some(last) = labels.last() else {
        return vec![Candidate::AsAsked];
    };
    if last.eq_ignore_ascii_case(b"arpa") {
        return vec![Candidate::AsAsked];
    }
    let search = resolvers.search.iter().cloned().map(Candidate::Below);
    if labels.len() - 1 < resolvers.ndots {
        search.chain([Candidate::AsAsked]).collect()
    } else {
        [Candidate::AsAsked].into_iter().chain(search).collect()
    }
}

/// The query with a domain appended to its name. `None` if the result is too long, or is not a valid name.
pub fn with_suffix(query: &[u8], suffix: &str) -> Option<Vec<u8>> {
    let message = Message::read(query)?;
    let name = message.question.name.join(&DnsName::new(suffix)?)?;
    let rest = query.get(HEADER_SIZE + message.question.name.bytes().len()..)?;
    // Records after the question may contain pointers into the message. A longer name would move the targets of these
    // pointers. OPT is the only kind of record that contains no pointers.
    let plain = message
        .records
        .iter()
        .all(|record| record.kind == kind::OPT);
    plain.then(|| {
        [
            query.get(..HEADER_SIZE).unwrap_or_default(),
            name.bytes(),
            rest,
        ]
        .concat()
    })
}

/// Turns the reply to a query with an appended domain into the reply that the client expects. The question becomes the
/// client's own. The first answer is an alias from the client's name to the full name. The answers of the original
/// reply follow. `None` if a message cannot be read, or if the new reply would be too long.
pub fn as_asked(reply: &[u8], query: &[u8]) -> Option<Vec<u8>> {
    let (reply, query) = (Message::read(reply)?, Message::read(query)?);
    let [_, answers, authority, additional] = reply.header.counts;
    // These flags do not apply to the changed reply: it is not signed, and no server has authority over it.
    let flags = reply.header.flags & !(flag::AUTHORITATIVE | flag::AUTHENTIC);
    let header = Header {
        id: query.header.id,
        flags,
        counts: [1, answers.checked_add(1)?, authority, additional],
    };
    let mut out = header.write();
    query.question.write(&mut out);
    let full = &reply.question.name;
    let ttls = reply.records.iter().map(|record| record.ttl);
    let ttl = ttls.take(usize::from(answers)).min().unwrap_or(TTL);
    let asked = query.question.name.bytes();
    put_record(&mut out, asked, kind::CNAME, class::IN, ttl, full.bytes());
    let full_at = u16::try_from(out.len() - full.bytes().len()).ok()?;
    for record in &reply.records {
        let pointer = (0xc000 | full_at).to_be_bytes();
        // Most records belong to the full name. Their owner is written as a pointer to that name.
        let owner = if record.owner.is(full) {
            pointer.as_slice()
        } else {
            record.owner.bytes()
        };
        let data = unpacked(&reply, record)?;
        put_record(
            &mut out,
            owner,
            record.kind,
            record.class,
            record.ttl,
            &data,
        );
    }
    (out.len() <= MESSAGE_MAX).then_some(out)
}

/// The data of a record without compression pointers. Names in the data may be compressed only in the record types of
/// RFC 1035 and in the few that RFC 3597 section 4 adds.
fn unpacked(message: &Message<'_>, record: &Record) -> Option<Vec<u8>> {
    let data = message.data(record);
    let (before, names) = match record.kind {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR; DNAME.
        2..=5 | 7..=9 | 12 | 39 => (0, 1),
        // SOA, MINFO, RP.
        kind::SOA | 14 | 17 => (0, 2),
        // MX, AFSDB, RT.
        15 | 18 | 21 => (2, 1),
        // PX.
        26 => (2, 2),
        // SRV.
        33 => (6, 1),
        // NAPTR: two numbers and three texts before the name.
        35 => (naptr_texts_end(data)?, 1),
        _ => return Some(data.to_vec()),
    };
    let mut out = data.get(..before)?.to_vec();
    let mut at = record.data.start + before;
    for _ in 0..names {
        let (name, end) = DnsName::read(message.bytes, at)?;
        out.extend_from_slice(name.bytes());
        at = end;
    }
    out.extend_from_slice(message.bytes.get(at..record.data.end)?);
    Some(out)
}

fn naptr_texts_end(data: &[u8]) -> Option<usize> {
    (0..3).try_fold(4, |at, _| Some(at + 1 + usize::from(*data.get(at)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{dns, message::put_u16};

    fn query(name: &str, of: u16) -> Vec<u8> {
        let mut bytes = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
        bytes.extend_from_slice(DnsName::new(name).unwrap().bytes());
        put_u16(&mut bytes, of);
        put_u16(&mut bytes, class::IN);
        bytes
    }

    fn resolvers(ndots: usize) -> Resolvers {
        Resolvers {
            ndots,
            search: vec!["a.test".to_owned(), "b.test".to_owned()],
            ..Resolvers::default()
        }
    }

    #[test]
    fn only_a_name_with_few_dots_is_looked_for_in_the_list_first() {
        let below = |name: &str| Candidate::Below(name.to_owned());
        let (a, b) = (below("a.test"), below("b.test"));
        let list_first = [a.clone(), b.clone(), Candidate::AsAsked];
        let list_last = [Candidate::AsAsked, a, b];
        assert_eq!(candidates(&query("web", 1), &resolvers(1)), list_first);
        assert_eq!(candidates(&query("web.ns", 1), &resolvers(1)), list_last);
        assert_eq!(candidates(&query("web.ns", 1), &resolvers(5)), list_first);
        assert_eq!(candidates(&query("web", 1), &resolvers(0)), list_last);
        for lonely in [".", "1.0.0.10.in-addr.arpa"] {
            let found = candidates(&query(lonely, 12), &resolvers(9));
            assert_eq!(found, [Candidate::AsAsked], "{lonely}");
        }
    }

    #[test]
    fn a_query_is_widened_and_its_answer_given_back_under_the_asked_name() {
        let asked = query("Web", 1);
        let wide = with_suffix(&asked, "corp.test").unwrap();
        let parsed = simple_dns::Packet::parse(&wide).unwrap();
        assert_eq!(parsed.questions[0].qname.to_string(), "Web.corp.test");
        // The server answers with an alias whose data contain a pointer into the question.
        let mut reply = wide.clone();
        reply[2] |= 0x84;
        reply[7] = 2;
        reply[9] = 1;
        put_record(&mut reply, &[0xc0, 12], 5, 1, 60, b"\x02w1\xc0\x10");
        let at = u8::try_from(reply.len()).unwrap() - 5;
        put_record(&mut reply, &[0xc0, at], 1, 1, 30, &[10, 0, 0, 7]);
        put_record(&mut reply, &[0xc0, 0x10], 2, 1, 30, b"\x02ns\xc0\x10");
        let back = as_asked(&reply, &asked).unwrap();
        assert_eq!(back[HEADER_SIZE..asked.len()], asked[HEADER_SIZE..]);
        let back = simple_dns::Packet::parse(&back).unwrap();
        assert_eq!(back.id(), 0x1234);
        let shown: Vec<String> = back
            .answers
            .iter()
            .chain(&back.name_servers)
            .map(|record| format!("{} {} {:?}", record.name, record.ttl, record.rdata))
            .collect();
        assert!(
            shown[0].starts_with("Web 30 CNAME") && shown[0].contains("Web.corp.test"),
            "{shown:?}"
        );
        assert!(
            shown[1].starts_with("Web.corp.test 60 CNAME") && shown[1].contains("w1.corp.test"),
            "{shown:?}"
        );
        assert!(shown[2].starts_with("w1.corp.test 30 A"), "{shown:?}");
        assert!(
            shown[3].starts_with("corp.test 30 NS") && shown[3].contains("ns.corp.test"),
            "{shown:?}"
        );
        assert_eq!(shown.len(), 4);
    }

    #[test]
    fn a_name_that_would_be_too_long_is_not_asked_for() {
        let long = [&"x".repeat(63)[..]; 3].join(".");
        assert!(with_suffix(&query(&long, 1), &long).is_none());
        assert!(with_suffix(&query("web", 1), "a..b").is_none());
        assert!(with_suffix(b"garbage", "a.test").is_none());
    }

    #[test]
    fn a_reply_that_says_nothing_is_given_back_as_such() {
        let asked = query("web", 28);
        let wide = with_suffix(&asked, "corp.test").unwrap();
        let reply = dns::servfail(&wide);
        let back = as_asked(&reply, &asked).unwrap();
        let back = simple_dns::Packet::parse(&back).unwrap();
        assert_eq!(back.rcode(), simple_dns::RCODE::ServerFailure);
        assert_eq!(back.questions[0].qname.to_string(), "web");
    }
}
