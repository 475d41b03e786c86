//! Clients of a proxy that has few places, and clients that speak HTTP to a SOCKS proxy.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Semaphore,
};

use super::*;
use crate::{
    driver::agent::shared::{May, Shared},
    edge::Listener,
    flow::Capacity,
    limits::Limits,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A proxy that serves two clients at a time. Returns its address.
async fn proxy(purpose: Purpose, users: Option<&str>) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let shared = Shared::new(May {
        limits: Ok(Limits::default()),
        capacity: Capacity::default(),
    });
    let users = users.map(|users| Credentials::parse(users).unwrap());
    let listener = Listener { purpose, address };
    let mut server = Server::new(Arc::new(shared), listener, users).unwrap();
    server.places = Arc::new(Semaphore::new(2));
    tokio::spawn(async move { Arc::new(server).run(&socket).await });
    address.to_string()
}

/// A client of a proxy.
struct Program(TcpStream);

impl Program {
    async fn connect(proxy: &str) -> Self {
        Self(TcpStream::connect(proxy).await.unwrap())
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads up to a full stop and a line feed, which end every answer, or up to the end of the connection.
    async fn hear(&mut self) -> String {
        let mut heard = Vec::new();
        let read = async {
            while !heard.ends_with(b".\n") && self.0.read_buf(&mut heard).await.unwrap() > 0 {}
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap();
        String::from_utf8(heard).unwrap()
    }

    /// Asks for the front page of the proxy, and returns whether it came.
    async fn ask(&mut self, proxy: &str) -> bool {
        self.send(format!("GET / HTTP/1.1\r\nHost: {proxy}\r\n\r\n"))
            .await;
        self.hear().await.starts_with("HTTP/1.1 200 ")
    }
}

#[tokio::test]
async fn a_newcomer_gets_the_place_of_the_client_that_has_been_idle_for_the_longest_time() {
    let proxy = proxy(Purpose::Http, None).await;
    let mut first = Program::connect(&proxy).await;
    assert!(first.ask(&proxy).await);
    let mut second = Program::connect(&proxy).await;
    assert!(second.ask(&proxy).await);
    assert!(first.ask(&proxy).await, "it is no longer idle the longest");
    let mut third = Program::connect(&proxy).await;
    assert!(third.ask(&proxy).await);
    assert_eq!(second.hear().await, "");
    assert!(first.ask(&proxy).await && third.ask(&proxy).await);
}

#[tokio::test]
async fn a_client_in_the_middle_of_a_request_keeps_its_place_until_it_is_idle() {
    let proxy = proxy(Purpose::Http, None).await;
    let mut busy = [
        Program::connect(&proxy).await,
        Program::connect(&proxy).await,
    ];
    for client in &mut busy {
        client.send("GET / HTTP/1.1\r\n").await;
    }
    let mut newcomer = Program::connect(&proxy).await;
    newcomer
        .send(format!("GET / HTTP/1.1\r\nHost: {proxy}\r\n\r\n"))
        .await;
    let [one, other] = &mut busy;
    one.send(format!("Host: {proxy}\r\n\r\n")).await;
    assert!(one.hear().await.starts_with("HTTP/1.1 200 "));
    assert!(newcomer.hear().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(one.hear().await, "");
    other.send(format!("Host: {proxy}\r\n\r\n")).await;
    assert!(other.hear().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_socks_proxy_serves_http_under_the_same_rules() {
    let open = proxy(Purpose::Socks, None).await;
    assert!(Program::connect(&open).await.ask(&open).await);
    let mut slow = Program::connect(&open).await;
    slow.send("G").await;
    slow.send(format!("ET / HTTP/1.1\r\nHost: {open}\r\n\r\n"))
        .await;
    assert!(slow.hear().await.starts_with("HTTP/1.1 200 "));

    let closed = proxy(Purpose::Socks, Some("ann:pw")).await;
    let ask = |field: &'static str| {
        let closed = closed.clone();
        async move {
            let mut client = Program::connect(&closed).await;
            client
                .send(format!(
                    "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n{field}\r\n"
                ))
                .await;
            client.hear().await
        }
    };
    let refused = ask("").await;
    assert!(refused.starts_with("HTTP/1.1 407 "), "{refused}");
    let tried = ask("Proxy-Authorization: Basic YW5uOnB3\r\n").await;
    assert!(tried.starts_with("HTTP/1.1 502 "), "{tried}");

    // The proxy still speaks SOCKS, too. It refuses this client, which offers no password.
    let mut socks = Program::connect(&closed).await;
    socks.send(b"\x05\x01\x00").await;
    let mut answer = [0; 2];
    socks.0.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [5, 0xff]);
}
