//! Tests of responses.

use super::{super::Arrival, *};

fn request(head: &str) -> Request {
    Request::parse(head.as_bytes()).unwrap().unwrap().0
}

fn get() -> Request {
    request("GET http://web/ HTTP/1.1\r\nHost: web\r\n\r\n")
}

fn old() -> Request {
    request("GET http://web/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
}

fn parse(head: &str, to: &Request) -> Response {
    let (response, length) = Response::parse(head.as_bytes(), to)
        .unwrap()
        .expect("complete");
    assert_eq!(length, head.len());
    response
}

fn text(response: &Response, close: bool) -> String {
    String::from_utf8(response.for_client(close).to_vec()).unwrap()
}

#[test]
fn a_response_is_rewritten_for_the_client() {
    let response = parse(
        "HTTP/1.1 200 Very good\r\nContent-Type: text/plain\r\nConnection: close, x-mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n\
         Proxy-Authenticate: Basic\r\nContent-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
        &get(),
    );
    assert!(!response.keep_alive);
    assert!(response.keeps_client());
    assert_eq!(
        text(&response, false),
        "HTTP/1.1 200 Very good\r\nContent-Type: text/plain\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
         Content-Length: 5\r\n\r\n"
    );
    assert!(text(&response, true).ends_with("\r\nConnection: close\r\n\r\n"));
}

#[test]
fn the_length_of_a_body_is_known_from_the_head() {
    let framing = |head: &str| parse(head, &get()).framing;
    assert_eq!(
        framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        Framing::Length(5)
    );
    assert_eq!(
        framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Framing::Chunked
    );
    assert_eq!(framing("HTTP/1.1 200 OK\r\n\r\n"), Framing::UntilClose);
    assert_eq!(framing("HTTP/1.0 200\r\n\r\n"), Framing::UntilClose);
    for status in [100, 103, 199, 204, 304] {
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n");
        assert_eq!(framing(&head), Framing::None, "{status}");
    }
    let head = request("HEAD http://web/ HTTP/1.1\r\nHost: web\r\n\r\n");
    let response = parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &head);
    assert_eq!(response.framing, Framing::None);
    assert!(text(&response, false).contains("\r\nContent-Length: 5\r\n"));
    let response = parse(
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        &get(),
    );
    assert!(!text(&response, false).contains("Content-Length"));
    assert!(!response.keep_alive, "the five bytes may come all the same");
    let response = parse("HTTP/1.1 204 No Content\r\n\r\n", &get());
    assert!(response.keep_alive);
}

#[test]
fn a_body_until_the_end_ends_the_clients_connection_too() {
    let response = parse("HTTP/1.1 200 OK\r\n\r\n", &get());
    assert!(!response.keeps_client());
    assert!(!response.keep_alive);
    assert!(text(&response, false).contains("\r\nConnection: close\r\n"));
}

#[test]
fn a_client_of_http_1_0_is_answered_in_its_version() {
    let response = parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &old());
    assert_eq!(
        text(&response, false),
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
    );
    let interim = parse("HTTP/1.1 100 Continue\r\n\r\n", &old());
    assert!(interim.is_interim() && interim.for_client(false).is_empty());
    // The client does not know chunks, so it gets only their content.
    let chunks = parse(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        &old(),
    );
    assert!(!chunks.keeps_client());
    assert_eq!(
        text(&chunks, false),
        "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n"
    );
    let mut buffer = BytesMut::from(&b"2\r\nab\r\n0\r\n\r\n"[..]);
    assert_eq!(chunks.body().take(&mut buffer).unwrap(), "ab");
}

#[test]
fn interim_answers_and_upgrades_pass() {
    let response = parse("HTTP/1.1 100 Continue\r\n\r\n", &get());
    assert!(response.is_interim());
    assert_eq!(text(&response, true), "HTTP/1.1 100 Continue\r\n\r\n");
    let switch =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let ask = request(
        "GET http://web/ HTTP/1.1\r\nHost: web\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    );
    let response = parse(switch, &ask);
    assert!(response.is_switch() && !response.is_interim());
    assert_eq!(
        text(&response, false),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    );
    assert!(Response::parse(switch.as_bytes(), &get()).is_err());
}

#[test]
fn a_small_fault_of_an_origin_that_has_one_meaning_is_repaired() {
    let of = |fields: &str| parse(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"), &get());
    for (fields, repaired) in [
        (
            "A: b\r\n c\r\n\t d\r\nContent-Length: 5\r\n",
            "A: b c d\r\nContent-Length: 5",
        ),
        (
            "A : b\r\nContent-Length\t: 5\r\n",
            "A: b\r\nContent-Length: 5",
        ),
        (
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5",
        ),
        ("Content-Length: 5, 5\r\n", "Content-Length: 5"),
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked",
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: Chunked\r\n",
            "Transfer-Encoding: chunked",
        ),
    ] {
        let expected = format!("HTTP/1.1 200 OK\r\n{repaired}\r\n\r\n");
        assert_eq!(text(&of(fields), false), expected, "{fields:?}");
    }
    // If the two ends could disagree about the end of the body, the connection is not used again.
    assert!(of("Content-Length: 5\r\n").keep_alive);
    assert!(!of("Content-Length: 5\r\nContent-Length: 5\r\n").keep_alive);
    assert!(!of("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n").keep_alive);

    for (fields, framing) in [
        ("Transfer-Encoding: Identity\r\n", Framing::UntilClose),
        (
            "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
            Framing::Length(5),
        ),
    ] {
        assert_eq!(of(fields).framing, framing, "{fields:?}");
        assert!(!of(fields).keep_alive);
        assert!(!text(&of(fields), false).contains("Transfer"));
    }
    let old = parse(
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        &get(),
    );
    assert_eq!(old.framing, Framing::Chunked);
    assert!(!old.keep_alive && old.keeps_client());

    let bare = parse("HTTP/1.0 200 OK\nA: b\n\n", &get());
    assert!(text(&bare, false).starts_with("HTTP/1.1 200 OK\r\nA: b\r\n"));
    assert_eq!(bare.framing, Framing::UntilClose);
}

#[test]
fn the_head_of_an_origin_may_be_as_long_as_a_browser_takes_it() {
    let head = |count: usize, size: usize| {
        let field = format!("A: {}\r\n", "b".repeat(size));
        format!("HTTP/1.1 200 OK\r\n{}\r\n", field.repeat(count))
    };
    for fit in [head(1_000, 10), head(2, 100_000)] {
        let response = parse(&fit, &get());
        assert!(text(&response, false).len() > fit.len() - 10);
    }
    for more in [head(1_001, 1), head(3, 100_000)] {
        assert!(Response::parse(more.as_bytes(), &get()).is_err());
    }
    // An endless line is refused as well.
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(256 << 10));
    assert!(Response::parse(endless.as_bytes(), &get()).is_err());
}

#[test]
fn a_head_that_comes_in_single_bytes_is_parsed_only_where_it_may_end() {
    for end in ["\r\n\r\n", "\n\n", "\n\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\n{}A: b{end}", "A: b\r\n".repeat(500));
        let mut arrival = Arrival::default();
        let parsed: Vec<usize> = (1..=head.len())
            .filter(|length| arrival.is_worth_parsing(&head.as_bytes()[..*length]))
            .collect();
        assert_eq!(parsed.last(), Some(&head.len()), "{end:?}");
        assert!(parsed.len() < 100, "{}", parsed.len());
        assert!(Arrival::default().is_worth_parsing(head.as_bytes()));
    }
    let mut arrival = Arrival::default();
    assert!(arrival.is_worth_parsing(&[b'x'; 64]));
    assert!(!arrival.is_worth_parsing(&vec![b'x'; 256 << 10]));
    assert!(arrival.is_worth_parsing(&vec![b'x'; (256 << 10) + 1]));
}

#[test]
fn an_answer_that_is_not_plainly_http_is_refused() {
    for head in [
        "SSH-2.0-OpenSSH",
        "\x15\x03\x01",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n",
        "HTTP/1.1 20 X\r\n\r\n",
        "HTTP/1.1  200 X\r\n\r\n",
        "HTTP/1.1 200X\r\n\r\n",
        "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n \r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 O\u{1b}K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
    ] {
        let error = Response::parse(head.as_bytes(), &get()).unwrap_err();
        let reply = error.reply("web:80");
        assert_eq!(reply.status(), 502);
        assert!(
            reply.body().starts_with("web:80 answered "),
            "{}",
            reply.body()
        );
    }
    assert_eq!(Response::parse(b"HTT", &get()), Ok(None));
    assert_eq!(Response::parse(b"", &get()), Ok(None));
}
