//! Tests of the resolver against small servers over UDP and TCP.

use std::sync::{Arc, Mutex};

use tokio::{net::TcpListener, task::JoinHandle};

use super::*;
use crate::names::Zone;

const TARGET: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);
const IPV4: u8 = 1;
const IPV6: u8 = 28;

/// A DNS server that answers each query with given messages. It records the queries.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Server {
    async fn new(answer: impl Fn(&[u8], bool) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer = {
            let asked = Arc::clone(&asked);
            Arc::new(move |query: &[u8], is_tcp: bool| {
                let way = if is_tcp { "tcp" } else { "udp" };
                asked.lock().unwrap().push(format!("{way} {}", name(query)));
                answer(query, is_tcp)
            })
        };
        let over_udp = Arc::clone(&answer);
        let udp = tokio::spawn(async move {
            let mut bytes = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut bytes).await {
                for reply in over_udp(&bytes[..length], false) {
                    udp.send_to(&reply, from).await.unwrap();
                }
            }
        });
        let tcp = tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let mut query = vec![0; stream.read_u16().await.unwrap().into()];
                stream.read_exact(&mut query).await.unwrap();
                for reply in answer(&query, true) {
                    let length = u16::try_from(reply.len()).unwrap();
                    stream.write_u16(length).await.unwrap();
                    stream.write_all(&reply).await.unwrap();
                }
            }
        });
        Self {
            address,
            asked,
            tasks: [udp, tcp],
        }
    }

    /// A server that knows only one name.
    async fn of(known: &'static str) -> Self {
        Self::new(move |query, _| vec![knowing(known, query)]).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The reply of a server that knows only one name.
fn knowing(known: &str, query: &[u8]) -> Vec<u8> {
    match dns::answer(&Zone::new([(known, TARGET)]), query) {
        dns::Answer::Reply(reply) => reply,
        dns::Answer::Forward => with_code(query, 3),
        dns::Answer::Drop => panic!("no query"),
    }
}

fn with_code(query: &[u8], code: u8) -> Vec<u8> {
    let mut reply = dns::servfail(query);
    reply[3] = reply[3] & 0xf0 | code;
    reply
}

fn query(name: &str, of: u8) -> Vec<u8> {
    let mut bytes = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.extend_from_slice(&[0, 0, of, 0, 1]);
    bytes
}

/// The name in a question.
fn name(query: &[u8]) -> String {
    let packet = simple_dns::Packet::parse(query).unwrap();
    packet.questions[0].qname.to_string()
}

/// A resolver with short timeouts for these servers.
fn resolver<'a>(servers: impl IntoIterator<Item = &'a Server>) -> Resolver {
    with_search(servers, &[])
}

fn with_search<'a>(servers: impl IntoIterator<Item = &'a Server>, search: &[&str]) -> Resolver {
    let resolvers = Resolvers {
        servers: servers.into_iter().map(|server| server.address).collect(),
        search: search.iter().map(|&domain| domain.to_owned()).collect(),
        timeout: Duration::from_millis(300),
        ..Resolvers::default()
    };
    Resolver::new(Source::Fixed(resolvers), [])
}

/// The code of a reply and its records.
fn seen(reply: &[u8]) -> String {
    let packet = simple_dns::Packet::parse(reply).unwrap();
    assert_eq!(packet.id(), 0xabcd);
    let records: Vec<String> = packet
        .answers
        .iter()
        .map(|record| format!("{} {:?}", record.name, record.rdata.type_code()))
        .collect();
    format!("{:?} {}", packet.rcode(), records.join(", "))
}

#[tokio::test]
async fn a_name_is_asked_of_the_hosts_own_server() {
    let server = Server::of("www.example.org").await;
    let resolver = resolver([&server]);
    let asked = query("wWw.example.org", IPV4);
    let reply = resolver.ask(&asked).await;
    assert_eq!(seen(&reply), "NoError wWw.example.org A");
    assert_eq!(reply[12..asked.len()], asked[12..]);
    let reply = resolver.ask(&query("a.example.org", IPV4)).await;
    assert_eq!(seen(&reply), "NameError ");
    assert_eq!(server.asked(), ["udp wWw.example.org", "udp a.example.org"]);
}

/// Some servers wrongly deny a name that has only IPv4 addresses, when they are asked for its IPv6 addresses.
#[tokio::test]
async fn a_name_that_is_denied_for_one_family_has_the_addresses_of_the_other() {
    let server = Server::new(|query, _| {
        let asks_ipv6 = query[query.len() - 3] == IPV6;
        vec![if asks_ipv6 {
            with_code(query, 3)
        } else {
            knowing("db", query)
        }]
    })
    .await;
    let resolver = resolver([&server]);
    assert_eq!(
        resolver.addresses("db.norouter").await,
        [IpAddr::from(TARGET)]
    );
    assert_eq!(resolver.addresses("web.norouter").await, [] as [IpAddr; 0]);
    assert_eq!(resolver.addresses("not a name").await, [] as [IpAddr; 0]);
}

#[tokio::test]
async fn answers_that_somebody_else_may_have_sent_are_not_taken() {
    let server = Server::new(|asked, _| {
        let good = knowing("www.example.org", asked);
        let other_id = dns::with_id(&good, id(asked).wrapping_add(1));
        let other_name = dns::with_id(&knowing("evil", &query("evil", IPV4)), id(asked));
        vec![other_id, other_name, b"x".to_vec(), asked.to_vec(), good]
    });
    let server = server.await;
    let reply = resolver([&server])
        .ask(&query("www.example.org", IPV4))
        .await;
    assert_eq!(seen(&reply), "NoError www.example.org A");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_long_for_udp_is_fetched_over_tcp() {
    let server = Server::new(|asked, is_tcp| {
        let mut reply = knowing("www.example.org", asked);
        if !is_tcp {
            reply[2] |= 2;
            // The message is cut within a record.
            reply.truncate(reply.len() - 3);
        }
        vec![reply]
    });
    let server = server.await;
    let reply = resolver([&server])
        .ask(&query("www.example.org", IPV4))
        .await;
    assert_eq!(seen(&reply), "NoError www.example.org A");
    assert_eq!(
        server.asked(),
        ["udp www.example.org", "tcp www.example.org"]
    );
}

#[tokio::test]
async fn a_server_that_does_not_help_leaves_it_to_the_next() {
    let closed = Server::of("unused").await;
    let address = closed.address;
    drop(closed);
    let silent = Server::new(|_, _| Vec::new()).await;
    let refusing = Server::new(|asked, _| vec![with_code(asked, 5)]).await;
    let good = Server::of("www.example.org").await;
    let mut resolver = resolver([&silent, &refusing, &good]);
    let Source::Fixed(resolvers) = &mut resolver.source else {
        panic!("not fixed");
    };
    resolvers.servers.insert(0, address);
    let reply = resolver.ask(&query("www.example.org", IPV4)).await;
    assert_eq!(seen(&reply), "NoError www.example.org A");
    assert_eq!((silent.asked().len(), refusing.asked().len()), (1, 1));
}

#[tokio::test]
async fn when_nobody_helps_the_asker_is_told_so() {
    let silent = Server::new(|_, _| Vec::new()).await;
    let failing = Server::new(|asked, _| vec![with_code(asked, 2)]).await;
    let reply = resolver([&silent, &failing])
        .ask(&query("www.example.org", IPV4))
        .await;
    assert_eq!(seen(&reply), "ServerFailure ");
    // Only servers that have not answered are asked again. A server that has answered with an error is not.
    assert_eq!((silent.asked().len(), failing.asked().len()), (2, 1));
    assert_eq!(
        seen(&resolver([]).ask(&query("www.example.org", IPV4)).await),
        "ServerFailure "
    );
    assert!(resolver([]).ask(b"x").await.is_empty());
}

#[tokio::test]
async fn a_short_name_is_looked_for_in_the_search_list() {
    let server = Server::of("web.lab.test").await;
    let resolver = with_search([&server], &["corp.test", "lab.test"]);
    let reply = resolver.ask(&query("Web", IPV4)).await;
    assert_eq!(seen(&reply), "NoError Web CNAME, Web.lab.test A");
    assert_eq!(server.asked(), ["udp Web.corp.test", "udp Web.lab.test"]);
    // The name exists, but without an IPv6 address. The resolver tells this apart from a name that does not exist.
    let reply = resolver.ask(&query("web", IPV6)).await;
    assert_eq!(seen(&reply), "NoError web CNAME");
    assert_eq!(seen(&resolver.ask(&query("db", IPV4)).await), "NameError ");
}

#[tokio::test]
async fn two_kinds_of_addresses_never_come_from_two_names() {
    // The full name has only an IPv4 address, and every name below the search domain exists.
    let server = Server::new(|asked, _| {
        let full = name(asked);
        let known = if full.ends_with("corp.test") {
            full
        } else {
            "www.test".to_owned()
        };
        vec![knowing(&known, asked)]
    });
    let server = server.await;
    let resolver = with_search([&server], &["corp.test"]);
    assert_eq!(
        seen(&resolver.ask(&query("www.test", IPV4)).await),
        "NoError www.test A"
    );
    assert_eq!(
        seen(&resolver.ask(&query("www.test", IPV6)).await),
        "NoError "
    );
    assert_eq!(server.asked(), ["udp www.test", "udp www.test"]);
}

#[tokio::test]
async fn a_name_is_not_called_absent_while_somebody_has_not_answered() {
    let server = Server::new(|asked, _| {
        let is_broken = name(asked).ends_with("corp.test");
        vec![with_code(asked, if is_broken { 2 } else { 3 })]
    });
    let server = server.await;
    let resolver = with_search([&server], &["corp.test", "lab.test"]);
    assert_eq!(
        seen(&resolver.ask(&query("db", IPV4)).await),
        "ServerFailure "
    );
    assert_eq!(
        server.asked(),
        ["udp db.corp.test", "udp db.lab.test", "udp db"]
    );
}

#[tokio::test]
async fn a_full_name_that_nobody_can_tell_about_is_not_looked_for_elsewhere() {
    let server = Server::new(|asked, _| {
        let known = name(asked);
        let is_full = known == "www.test";
        vec![if is_full {
            with_code(asked, 2)
        } else {
            knowing(&known, asked)
        }]
    });
    let server = server.await;
    let resolver = with_search([&server], &["corp.test"]);
    assert_eq!(
        seen(&resolver.ask(&query("www.test", IPV4)).await),
        "ServerFailure "
    );
    assert_eq!(server.asked(), ["udp www.test"]);
}

#[tokio::test]
async fn our_own_listeners_are_not_asked() {
    let own = Server::of("www.example.org").await;
    let mut resolver = resolver([&own]);
    resolver.not_these.insert(own.address);
    let reply = resolver.ask(&query("www.example.org", IPV4)).await;
    assert_eq!(seen(&reply), "ServerFailure ");
    assert!(own.asked().is_empty());
}

#[tokio::test]
async fn more_queries_than_sockets_wait_for_their_turn() {
    let server = Server::of("www.example.org").await;
    let mut resolver = resolver([&server]);
    resolver.turns = Semaphore::new(2);
    let resolver = Arc::new(resolver);
    let asks: Vec<_> = (0..64)
        .map(|_| {
            let resolver = Arc::clone(&resolver);
            tokio::spawn(async move { resolver.ask(&query("www.example.org", IPV4)).await })
        })
        .collect();
    for ask in asks {
        assert_eq!(seen(&ask.await.unwrap()), "NoError www.example.org A");
    }
    assert_eq!(server.asked().len(), 64);
}

#[cfg(not(windows))]
#[test]
fn the_settings_of_the_host_are_read_again_when_they_change() {
    use std::fs;
    let folder = crate::driver::system::files::tests::Folder::new();
    let path = folder.path().join("resolv.conf");
    let resolver = Resolver::of_file(&path, []);
    assert_eq!(resolver.current(), Resolvers::default());
    fs::write(&path, "nameserver 10.0.0.1\n").unwrap();
    assert_eq!(resolver.current().servers[0].to_string(), "10.0.0.1:53");
    fs::write(&path, "nameserver 10.0.0.1\nsearch corp.test\n").unwrap();
    assert_eq!(resolver.current().search, ["corp.test"]);
    fs::remove_file(&path).unwrap();
    assert_eq!(resolver.current(), Resolvers::default());
}
