//! Makes the questions that this program sends to another host's DNS server, and reads the answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::message::{DnsName, HEADER_SIZE, Header, Message, Question, class, flag, kind};

/// The longest chain of aliases (CNAME) that is followed in one reply.
const ALIASES_MAX: usize = 16;

/// The kind of addresses that a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 addresses.
    V4,
    /// IPv6 addresses.
    V6,
}

/// A query for the addresses of a name. `None` if the text is not a valid name.
pub fn addresses_of(name: &str, family: Family, id: u16) -> Option<Vec<u8>> {
    let header = Header {
        id,
        flags: flag::RECURSION_DESIRED,
        counts: [1, 0, 0, 0],
    };
    let question = Question {
        name: DnsName::new(name)?,
        kind: match family {
            Family::V4 => kind::A,
            Family::V6 => kind::AAAA,
        },
        class: class::IN,
    };
    let mut bytes = header.write();
    question.write(&mut bytes);
    Some(bytes)
}

/// The name in a query, in lower case and without a dot at its end. `None` if the query cannot be read.
pub fn name_of(query: &[u8]) -> Option<String> {
    let (name, _) = DnsName::read(query, HEADER_SIZE)?;
    let text = name.text()?.to_ascii_lowercase();
    Some(text.trim_end_matches('.').to_owned())
}

/// The addresses that a reply gives for the name that was asked for. Aliases are followed.
pub fn addresses(reply: &[u8]) -> Vec<IpAddr> {
    let Some(message) = Message::read(reply) else {
        return Vec::new();
    };
    let [_, answers, ..] = message.header.counts;
    let answers = message.records.get(..usize::from(answers));
    let answers = answers.unwrap_or_default();
    let mut owner = message.question.name.clone();
    for _ in 0..ALIASES_MAX {
        let of_owner = answers.iter().filter(|record| record.owner.is(&owner));
        let found: Vec<IpAddr> = of_owner
            .clone()
            .filter_map(|record| {
                let data = message.bytes.get(record.data.clone())?;
                match record.kind {
                    kind::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
                    kind::AAAA => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
                    _ => None,
                }
            })
            .collect();
        let alias = of_owner
            .clone()
            .find(|record| record.kind == kind::CNAME)
            .and_then(|record| DnsName::read(reply, record.data.start));
        match alias {
            Some((alias, _)) if found.is_empty() => owner = alias,
            _ => return found,
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use simple_dns::{CLASS, Name, Packet, ResourceRecord, rdata::RData};

    use super::*;

    #[test]
    fn a_question_of_ours_is_one_that_others_can_read() {
        let query = addresses_of("db.internal", Family::V4, 7).unwrap();
        let packet = Packet::parse(&query).unwrap();
        assert_eq!(packet.id(), 7);
        assert_eq!(packet.questions[0].qname.to_string(), "db.internal");
        assert_eq!(name_of(&query).as_deref(), Some("db.internal"));
    }

    #[test]
    fn addresses_are_found_behind_aliases_and_only_for_the_name_that_was_asked() {
        let query = addresses_of("db.internal", Family::V4, 7).unwrap();
        let mut packet = Packet::parse(&query).unwrap().into_reply();
        let record = |name: &'static str, data: RData<'static>| {
            ResourceRecord::new(Name::new_unchecked(name), CLASS::IN, 1, data)
        };
        let alias = RData::CNAME(Name::new_unchecked("db1.internal").into());
        packet.answers = vec![
            record("db.internal", alias),
            record("db1.internal", RData::A(Ipv4Addr::new(10, 0, 0, 5).into())),
            record(
                "other.internal",
                RData::A(Ipv4Addr::new(10, 0, 0, 6).into()),
            ),
        ];
        let reply = packet.build_bytes_vec_compressed().unwrap();
        assert_eq!(addresses(&reply), [IpAddr::from([10, 0, 0, 5])]);
        assert!(addresses(&query).is_empty());
    }
}
