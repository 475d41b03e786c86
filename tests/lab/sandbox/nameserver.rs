//! A DNS server with a few names, which records the questions that it receives.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Mutex},
    thread,
};

use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE, rdata::RData,
};

use super::{DEADLINE, Netns};

/// How many addresses the largest name has. They do not fit into a packet of 512 bytes.
pub(crate) const MANY: u8 = 60;

/// A server for UDP and TCP, which runs until the tests end. It has `outside.corp.test` (192.0.2.7), `big.corp.test`
/// (192.0.2.1 and following), and the names of the public domain nip.io, which contain their addresses.
pub(crate) struct Nameserver {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Nameserver {
    /// Starts a server on an address of a namespace.
    pub(crate) fn start(netns: &Netns, address: &str) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let (datagrams, streams) = netns.inside(|| {
            (
                UdpSocket::bind(address).unwrap(),
                TcpListener::bind(address).unwrap(),
            )
        });
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (of_datagrams, of_streams) = (asked.clone(), asked.clone());
        thread::spawn(move || {
            let mut query = [0; 4096];
            while let Ok((length, asker)) = datagrams.recv_from(&mut query) {
                let reply = answer(&query[..length], "udp", &of_datagrams);
                datagrams.send_to(&reply, asker).unwrap();
            }
        });
        thread::spawn(move || {
            for stream in streams.incoming().flatten() {
                // An error only means that the client has closed the connection.
                serve(&stream, &of_streams).unwrap_or_default();
            }
        });
        Self { asked }
    }

    /// All questions so far: transport, name and type.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Whether the server was asked for a name that contains this text.
    pub(crate) fn was_asked_for(&self, part: &str) -> bool {
        self.asked().iter().any(|question| question.contains(part))
    }
}

fn serve(mut stream: &TcpStream, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut query)?;
    let reply = answer(&query, "tcp", asked);
    let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, &reply[..]].concat())
}

fn answer(query: &[u8], transport: &str, asked: &Mutex<Vec<String>>) -> Vec<u8> {
    let mut packet = Packet::parse(query).unwrap().into_reply();
    packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
    let question = packet.questions[0].clone();
    let name = question.qname.to_string().to_lowercase();
    let kind = question.qtype;
    asked
        .lock()
        .unwrap()
        .push(format!("{transport} {name} {kind:?}"));
    let addresses: Vec<Ipv4Addr> = match name.as_str() {
        // For a name that has no IPv6 address, some servers say that the name does not exist, or refuse to answer.
        "denied.corp.test" | "refused.corp.test" if kind == TYPE::AAAA.into() => vec![],
        "denied.corp.test" | "refused.corp.test" => vec![Ipv4Addr::new(10, 99, 0, 5)],
        "outside.corp.test" => vec![Ipv4Addr::new(192, 0, 2, 7)],
        "big.corp.test" => (1..=MANY)
            .map(|last| Ipv4Addr::new(192, 0, 2, last))
            .collect(),
        name => {
            let address = name.strip_suffix(".nip.io").map(str::parse);
            address.into_iter().flatten().collect()
        }
    };
    if name.starts_with("refused.") && addresses.is_empty() {
        *packet.rcode_mut() = RCODE::Refused;
    } else if addresses.is_empty() {
        *packet.rcode_mut() = RCODE::NameError;
    } else if kind == QTYPE::TYPE(TYPE::A) {
        if addresses.len() > 30 && transport == "udp" {
            packet.set_flags(PacketFlag::TRUNCATION);
        } else {
            let records = addresses.into_iter().map(|address| {
                let owner = Name::new_unchecked(&name).into_owned();
                ResourceRecord::new(owner, CLASS::IN, 60, RData::A(address.into()))
            });
            packet.answers.extend(records);
        }
    }
    packet.build_bytes_vec_compressed().unwrap()
}
