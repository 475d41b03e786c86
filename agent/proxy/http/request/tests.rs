//! Tests of requests.

use proptest::prelude::*;

use super::*;

fn parse(head: &str) -> Request {
    let (request, length) = Request::parse(head.as_bytes()).unwrap().expect("complete");
    assert_eq!(length, head.len());
    request
}

fn status(head: &str) -> u16 {
    match Request::parse(head.as_bytes()) {
        Err(reply) => {
            assert!(reply.body().len() > 20, "{}", reply.body());
            reply.status()
        }
        Ok(found) => panic!("{head:?}: {found:?}"),
    }
}

/// A request for `http://web/` with these fields besides `Host`.
fn with(fields: &str) -> String {
    format!("POST http://web/ HTTP/1.1\r\nHost: web\r\n{fields}\r\n")
}

fn rewritten(head: &str) -> String {
    let bytes = parse(head).for_origin(true).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_request_for_an_origin_is_rewritten_for_it() {
    assert_eq!(
        rewritten(
            "GET http://Web.Example:8080/a?b=http://c HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\
             Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nKeep-Alive: 5\r\nTE: trailers\r\n\
             Connection: x-mine, close\r\nX-Mine: 1\r\nUpgrade: h9\r\nVia: 1.0 other\r\n\r\n"
        ),
        "GET /a?b=http://c HTTP/1.1\r\nHost: web.example:8080\r\nAccept: */*\r\nVia: 1.0 other\r\n\r\n"
    );
}

#[test]
fn the_address_is_read_in_each_of_its_forms() {
    let target = |line: &str| parse(&format!("{line} HTTP/1.0\r\n\r\n")).target;
    let absolute = |host: &str, path: &str| RequestTarget::Absolute {
        destination: Destination::parse(host, None).unwrap(),
        path: path.into(),
    };
    assert_eq!(target("GET http://web"), absolute("web:80", "/"));
    assert_eq!(target("GET HTTP://web?q"), absolute("web:80", "/?q"));
    assert_eq!(target("GET ws://[::1]:9/x"), absolute("[::1]:9", "/x"));
    assert_eq!(
        target("GET http://me:p%40ss@web/x"),
        absolute("web:80", "/x")
    );
    assert_eq!(
        target("GET http://me:p%40ss@web/x#part"),
        absolute("web:80", "/x")
    );
    assert_eq!(target("OPTIONS http://web"), absolute("web:80", "*"));
    assert_eq!(
        target("CONNECT web:443"),
        RequestTarget::Connect(Destination::parse("web:443", None).unwrap())
    );
    assert_eq!(
        target("CONNECT fd95::7:443"),
        RequestTarget::Connect(Destination::parse("[fd95::7]:443", None).unwrap())
    );
    assert_eq!(
        target("GET /proxy.pac"),
        RequestTarget::Own {
            path: "/proxy.pac".into()
        }
    );
    assert_eq!(target("OPTIONS *"), RequestTarget::Own { path: "*".into() });
    assert_eq!(target("GET http://web/ü"), absolute("web:80", "/%C3%BC"));
}

#[test]
fn an_ipv6_address_without_brackets_is_read_as_the_host_field_confirms_it() {
    let head = |at: &str, host: &str| format!("GET http://{at}/a HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for (at, host, meant) in [
        ("fd95::7:8099", "[fd95::7]:8099", "[fd95::7]:8099"),
        ("fd95::7:8099", "[fd95::7:8099]", "[fd95::7:8099]:80"),
        ("fd95::7", "[fd95::7]", "[fd95::7]:80"),
        ("FD95:0:0::7:8099", "[fd95::7]:8099", "[fd95::7]:8099"),
        (
            "1:2:3:4:5:6:7:8:9",
            "[1:2:3:4:5:6:7:8]:9",
            "[1:2:3:4:5:6:7:8]:9",
        ),
        ("u@::1", "[::1]:80", "[::1]:80"),
    ] {
        let request = parse(&head(at, host));
        let RequestTarget::Absolute { destination, path } = request.target else {
            panic!("{at}");
        };
        assert_eq!(
            (destination.to_string().as_str(), path.as_str()),
            (meant, "/a")
        );
    }
    // The last group may be the port or a part of the address. The request is refused if the field `Host` confirms
    // neither of the two readings.
    for (at, host) in [
        ("fd95::7:8099", "fd95::7:8099"),
        ("fd95::7:8099", "[fd95::8]:8099"),
        ("fd95::7:8099", "[fd95::7]"),
        ("fd95::7:8099", "web"),
        ("fd95::7", "fd95::7"),
        ("web:80:80", "web:80"),
        ("::1:0", "[::1]:0"),
    ] {
        let head = head(at, host);
        assert_eq!(status(&head), 400, "{at} {host}");
        let reply = Request::parse(head.as_bytes()).unwrap_err();
        assert!(reply.body().contains("brackets"), "{}", reply.body());
    }
    assert_eq!(status("GET http://fd95::7:8099/ HTTP/1.0\r\n\r\n"), 400);
}

#[test]
fn an_address_that_is_not_for_this_proxy_is_refused_with_the_reason() {
    for target in [
        "web:80",
        "*",
        "https://web/",
        "wss://web/",
        "ftp://web/",
        "http:///",
        "http://u@",
        "http://u@v@web/",
        "http://127.1/",
        "http://web:0/",
        "//web/:",
        "a",
    ] {
        let head = format!("GET {target} HTTP/1.0\r\n\r\n");
        if target.starts_with("//") {
            assert_eq!(
                parse(&head).target,
                RequestTarget::Own {
                    path: target.into()
                }
            );
        } else {
            assert_eq!(status(&head), 400, "{target}");
        }
    }
    for target in [
        "web",
        "http://web/",
        "/",
        "web:0",
        "u@web:443",
        "web:443/",
        "*",
    ] {
        assert_eq!(
            status(&format!("CONNECT {target} HTTP/1.0\r\n\r\n")),
            400,
            "{target}"
        );
    }
    let reply = Request::parse(b"GET https://web/ HTTP/1.0\r\n\r\n").unwrap_err();
    assert!(reply.body().contains("CONNECT"));
}

#[test]
fn lines_that_could_be_read_in_two_ways_are_refused() {
    for fields in [
        "A: b\n",
        "A: b\rc\r\n",
        "A: b\r\n c\r\n",
        "A : b\r\n",
        "A\t: b\r\n",
        ": b\r\n",
        "A b\r\n",
        "A: b\0\r\n",
        "A: b\u{1b}\r\n",
        "A: b\u{7f}\r\n",
        "Ä: b\r\n",
        "A(: b\r\n",
    ] {
        assert_eq!(status(&with(fields)), 400, "{fields:?}");
    }
    assert_eq!(status("GET http://web/ HTTP/1.1\nHost: web\n\n"), 400);
    assert_eq!(
        status("GET  http://web/ HTTP/1.1\r\nHost: web\r\n\r\n"),
        400
    );
    assert_eq!(
        status("GET\thttp://web/ HTTP/1.1\r\nHost: web\r\n\r\n"),
        400
    );
    assert_eq!(status("GET http://web/\r\n\r\n"), 400);
    assert_eq!(status("GET http://web/ http/1.1\r\nHost: web\r\n\r\n"), 400);
    assert_eq!(status("G(T http://web/ HTTP/1.1\r\nHost: web\r\n\r\n"), 400);
    assert_eq!(
        status("\r\n\r\nGET http://web/ HTTP/1.1\r\nHost: web\r\n\r\n"),
        400
    );
    parse("\r\nGET http://web/ HTTP/1.1\r\nHost: web\r\n\r\n");
    parse(&with("A: ü\tb\r\nB:\r\nC:  x  \r\n"));
}

#[test]
fn a_body_has_one_length() {
    assert_eq!(parse(&with("")).framing, Framing::None);
    assert_eq!(
        parse(&with("Content-Length: 5\r\n")).framing,
        Framing::Length(5)
    );
    assert_eq!(
        parse(&with("Transfer-Encoding: Chunked\r\n")).framing,
        Framing::Chunked
    );
    for fields in [
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding:\r\n",
    ] {
        assert_eq!(status(&with(fields)), 400, "{fields:?}");
    }
    for coding in [
        "gzip",
        "gzip, chunked",
        "identity",
        "xchunked",
        "chunked;a",
        "\u{b}chunked",
    ] {
        let expected = if coding.starts_with('\u{b}') {
            400
        } else {
            501
        };
        assert_eq!(
            status(&with(&format!("Transfer-Encoding: {coding}\r\n"))),
            expected,
            "{coding}"
        );
    }
    assert_eq!(
        status("POST http://web/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        400
    );
    assert_eq!(
        status("CONNECT web:1 HTTP/1.0\r\nContent-Length: 1\r\n\r\n"),
        400
    );
    parse("CONNECT web:1 HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn host_stands_there_once_and_reaches_the_origin_as_the_address_has_it() {
    let get = |host: &str| format!("GET http://web:81/ HTTP/1.1\r\n{host}\r\n");
    for host in [
        "web:81",
        "WEB",
        "",
        "shop.example",
        "127.0.0.1:18080",
        "u@web, web/",
    ] {
        let head = rewritten(&get(&format!("Host: {host}\r\n")));
        assert_eq!(head, "GET / HTTP/1.1\r\nHost: web:81\r\n\r\n");
    }
    for host in ["", "Host: web:81\r\nHost: web:81\r\n"] {
        assert_eq!(status(&get(host)), 400, "{host:?}");
    }
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), 400);
    parse("GET / HTTP/1.0\r\n\r\n");
}

#[test]
fn other_versions_are_named_as_the_reason() {
    assert_eq!(status("GET http://web/ HTTP/1.2\r\n\r\n"), 505);
    assert_eq!(status("PRI * HTTP/2.0\r\n\r\n"), 505);
    assert_eq!(status("GET http://web/ HTTP/11\r\n\r\n"), 400);
}

#[test]
fn too_much_is_431() {
    assert_eq!(status(&with(&"A: b\r\n".repeat(1_000))), 431);
    parse(&with(&"A: b\r\n".repeat(127)));
    assert_eq!(status(&with(&format!("A: {}\r\n", "b".repeat(HEAD)))), 431);
    assert_eq!(status(&"A".repeat(HEAD + 1)), 431);
    assert_eq!(Request::parse("A".repeat(HEAD).as_bytes()), Ok(None));
}

const HEAD: usize = head::HEAD_MAX;

#[test]
fn another_protocol_is_recognized_by_its_first_byte() {
    for (byte, word) in [(0x16, "TLS"), (5, "SOCKS"), (4, "SOCKS"), (0, "method")] {
        let reply = Request::parse(&[byte]).unwrap_err();
        assert_eq!(reply.status(), 400);
        assert!(reply.body().contains(word), "{}", reply.body());
    }
}

#[test]
fn a_connection_is_kept_as_client_and_version_want() {
    let keeps = |version: &str, field: &str| {
        parse(&format!(
            "GET http://web/ HTTP/{version}\r\nHost: web\r\n{field}\r\n"
        ))
        .keep_alive
    };
    assert!(keeps("1.1", ""));
    assert!(!keeps("1.1", "Connection: a, Close\r\n"));
    assert!(!keeps("1.1", "Proxy-Connection: close\r\n"));
    assert!(!keeps("1.0", ""));
    assert!(keeps("1.0", "Connection: Keep-Alive\r\n"));
    assert!(keeps("1.0", "Proxy-Connection: Keep-Alive\r\n"));
}

#[test]
fn an_upgrade_and_an_expectation_reach_the_origin() {
    let head = with(
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n",
    );
    let request = parse(&head);
    assert_eq!(request.upgrade.as_deref(), Some(&b"websocket"[..]));
    assert!(request.expects_continue);
    assert_eq!(
        rewritten(&head),
        "POST / HTTP/1.1\r\nHost: web\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    );
    assert_eq!(parse(&with("Upgrade: websocket\r\n")).upgrade, None);
}

#[test]
fn an_offer_of_http_2_is_taken_away_as_a_whole() {
    let offer = |protocols: &str| {
        rewritten(&format!(
            "GET http://web/ HTTP/1.1\r\nHost: web\r\nUpgrade: {protocols}\r\nHTTP2-Settings: AAMA\r\n\
             Connection: Upgrade, HTTP2-Settings\r\n\r\n"
        ))
    };
    let plain = "GET / HTTP/1.1\r\nHost: web\r\n";
    assert_eq!(offer("h2c"), format!("{plain}\r\n"));
    assert_eq!(offer("H2C, h2"), format!("{plain}\r\n"));
    assert_eq!(
        offer("websocket, h2c"),
        format!("{plain}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    );
}

#[test]
fn only_a_request_that_changes_nothing_may_be_sent_twice() {
    let of = |method: &str, fields: &str| {
        parse(&format!(
            "{method} http://web/ HTTP/1.1\r\nHost: web\r\n{fields}\r\n"
        ))
        .is_repeatable()
    };
    assert!(of("GET", "") && of("HEAD", "") && of("OPTIONS", ""));
    assert!(!of("POST", "") && !of("DELETE", "") && !of("get", ""));
    assert!(!of("GET", "Content-Length: 1\r\n"));
    assert!(!of("GET", "Upgrade: websocket\r\nConnection: upgrade\r\n"));
}

#[test]
fn an_old_client_gets_an_old_answer() {
    let request = parse("GET http://web/ HTTP/1.0\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n");
    assert_eq!(request.upgrade, None);
    let bytes = request.for_origin(false).unwrap();
    assert_eq!(
        bytes,
        &b"GET / HTTP/1.0\r\nHost: web\r\nConnection: close\r\n\r\n"[..]
    );
}

#[test]
fn only_requests_for_origins_go_there() {
    assert_eq!(parse("GET / HTTP/1.0\r\n\r\n").for_origin(true), None);
    assert_eq!(
        parse("CONNECT web:1 HTTP/1.0\r\n\r\n").for_origin(true),
        None
    );
}

#[test]
fn who_may_come_in_is_decided_by_the_users() {
    let users = Credentials::parse("ann:s3:cret").unwrap();
    let head = |value: &str| with(&format!("Proxy-Authorization: {value}\r\n"));
    assert!(parse(&head("Basic YW5uOnMzOmNyZXQ=")).is_allowed(Some(&users)));
    assert!(!parse(&head("Basic YW5uOng=")).is_allowed(Some(&users)));
    assert!(!parse(&with("")).is_allowed(Some(&users)));
    assert!(parse(&with("")).is_allowed(None));
    assert_eq!(
        status(&with(
            "Proxy-Authorization: a\r\nProxy-Authorization: b\r\n"
        )),
        400
    );
}

#[test]
fn no_secret_is_printed() {
    let shown = format!(
        "{:?}",
        parse(&with(
            "Proxy-Authorization: Basic s3cret\r\nCOOKIE: s3cret\r\nA: b\r\n"
        ))
    );
    assert!(
        shown.contains(r#""A": "b""#) && !shown.contains("s3cret"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_prefix_is_incomplete_or_gives_the_same(
        fields in prop::collection::vec(
            prop::sample::select(vec![
                "Host: web\r\n", "Content-Length: 4\r\n", "Connection: close\r\n", "A: b\n", "Transfer-Encoding: chunked\r\n",
                "A : b\r\n", "\r\n",
            ]),
            0..5,
        ),
        change in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut bytes = format!("GET http://web/ HTTP/1.1\r\n{}\r\nbody", fields.concat()).into_bytes();
        if let Some((at, byte)) = change {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let whole = Request::parse(&bytes);
        let first = (0..=bytes.len())
            .map(|length| Request::parse(&bytes[..length]))
            .find(|found| *found != Ok(None));
        prop_assert_eq!(first.unwrap_or(Ok(None)), whole);
    }

    #[test]
    fn whatever_is_understood_is_rewritten_into_something_harmless(
        method in "(GET|POST|OPTIONS|HEAD|X-Y)",
        host in "[a-zA-Z][a-z0-9_-]{0,9}(\\.[a-z][a-z0-9]{0,5})?\\.?",
        port in prop::option::of(1_u16..),
        path in prop_oneof![Just(String::new()), "[/?][!-~&&[^#]]{0,20}"],
        fields in prop::collection::vec(
            (
                prop_oneof![
                    "(Connection|Proxy-Connection|Keep-Alive|TE|Trailer|Upgrade|Proxy-X|Via|Content-Length|Transfer-Encoding)",
                    "[a-zA-Z-]{1,9}",
                ],
                prop_oneof!["(close|keep-alive|upgrade|host|via|chunked|4|, ){0,4}", "[ -~]{0,20}"],
            ),
            0..6,
        ),
        old in any::<bool>(),
        reuse in any::<bool>(),
    ) {
        let authority = port.map_or(host.clone(), |port| format!("{host}:{port}"));
        let version = if old { "1.0" } else { "1.1" };
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let lines = lines.concat();
        let head = format!("{method} http://{authority}{path} HTTP/{version}\r\nHost: {authority}\r\n{lines}\r\n");
        if let Ok(Some((request, length))) = Request::parse(head.as_bytes()) {
            prop_assert_eq!(length, head.len());
            let bytes = request.for_origin(reuse).unwrap();
            let (again, length) = Request::parse(&bytes).unwrap().unwrap();
            prop_assert_eq!(length, bytes.len());
            let is_own = matches!(again.target, RequestTarget::Own { .. });
            prop_assert!(is_own);
            prop_assert_eq!(again.framing, request.framing);
            prop_assert_eq!(again.version, request.version);
            prop_assert_eq!(&again.upgrade, &request.upgrade);
            let RequestTarget::Absolute { destination, .. } = &request.target else { panic!() };
            let host = std::str::from_utf8(again.headers.get("host").unwrap()).unwrap();
            prop_assert_eq!(&Destination::parse(host, Some(80)).unwrap(), destination);
            for name in ["keep-alive", "te", "trailer", "proxy-connection", "proxy-x", "proxy-authorization"] {
                prop_assert_eq!(again.headers.get(name), None);
            }
            let connection: Vec<&[u8]> = again.headers.all("connection").collect();
            prop_assert!(connection.len() <= 1);
        }
    }
}

#[test]
fn another_proxy_gets_the_whole_url_and_its_own_credentials_instead_of_the_clients() {
    let head = "GET http://web:8080/a?b HTTP/1.1\r\nHost: web:8080\r\nProxy-Authorization: Basic bWluZQ==\r\n\r\n";
    let sent = |head: &str, proxy: &str| {
        let bytes = parse(head).for_proxy(true, &proxy.parse().unwrap());
        String::from_utf8(bytes.unwrap().to_vec()).unwrap()
    };
    assert_eq!(
        sent(head, "http://ann:pw@proxy:3128"),
        "GET http://web:8080/a?b HTTP/1.1\r\nHost: web:8080\r\nProxy-Authorization: Basic YW5uOnB3\r\n\r\n"
    );
    assert_eq!(
        sent(head, "proxy:3128"),
        "GET http://web:8080/a?b HTTP/1.1\r\nHost: web:8080\r\n\r\n"
    );
}
