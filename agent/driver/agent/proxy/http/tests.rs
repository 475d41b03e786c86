//! Tests with slow clients of the HTTP proxy. The clock of these tests jumps ahead as soon as all tasks wait.

use std::sync::Arc;

use tokio::{io::AsyncReadExt as _, net::TcpListener, time::Instant};

use super::*;
use crate::{
    driver::agent::shared::{May, Shared},
    edge::{Listener, Purpose},
    flow::Capacity,
    limits::Limits,
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlate\n";

/// Runs a client that sends one request and finishes sending, and an origin that answers after `delay`. Returns what
/// the client has received, how the proxy has ended its work for the client, and how long that took.
async fn ask_and_finish(delay: Duration) -> (Vec<u8>, io::Result<()>, Duration) {
    let shared = Shared::new(May {
        limits: Ok(Limits::default()),
        capacity: Capacity::default(),
    });
    let (proxy, origin) = (listener().await, listener().await);
    let listener = Listener {
        purpose: Purpose::Http,
        address: proxy.local_addr().unwrap(),
    };
    let at = origin.local_addr().unwrap();
    let answered = tokio::spawn(async move {
        let (mut stream, _) = origin.accept().await.unwrap();
        let mut head = BytesMut::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(fill(&mut stream, &mut head).await.unwrap());
        }
        tokio::time::sleep(delay).await;
        // The proxy may have given up in the meantime.
        let _ = stream.write_all(ANSWER).await;
    });
    let mut client = TcpStream::connect(listener.address).await.unwrap();
    let accepted = Client {
        stream: proxy.accept().await.unwrap().0,
        stranger: None,
    };
    let server = Server::new(Arc::new(shared), listener, None).unwrap();
    let began = Instant::now();
    let request = format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let mut received = Vec::new();
    let (outcome, _) = tokio::join!(
        serve(&server, accepted, BytesMut::new()),
        client.read_to_end(&mut received)
    );
    answered.abort();
    (received, outcome, began.elapsed())
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_finished_sending_may_wait_for_a_slow_answer() {
    let delay = HALF_CLOSED_MAX / 2;
    let (received, outcome, waited) = ask_and_finish(delay).await;
    assert!(received.ends_with(b"\r\n\r\nlate\n"), "{received:?}");
    assert!(outcome.is_ok(), "{outcome:?}");
    assert!(waited >= delay, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_finished_sending_is_not_kept_for_ever() {
    let (received, outcome, waited) = ask_and_finish(HALF_CLOSED_MAX * 4).await;
    assert_eq!(received, b"");
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert!(waited < HALF_CLOSED_MAX * 3, "{waited:?}");
}
