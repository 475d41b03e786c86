//! The HTTP proxy: the requests of clients, what origins receive of them, and how invalid input is handled.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::Shutdown,
};

use crate::{
    network::{Host, Network},
    office::{HTTP, Office},
    sandbox::{Running, Sandbox, client::noise, command, output, wait_for},
};

#[test]
fn curl_reaches_hosts_names_and_routes_in_every_mode() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    for (url, name) in [
        ("http://web:8080/", "web"),
        ("http://www.example.com:8080/", "web"),
        ("http://WEB.norouter:8080/", "web"),
        ("http://127.0.42.12:8080/", "web"),
        ("http://10.99.0.5:8000/", "db"),
        ("http://db.corp.test:8000/", "db"),
        ("http://six.corp.test:8000/", "six"),
        ("http://[fd99::5]:8000/", "six"),
    ] {
        for mode in [
            &[][..],
            &["--proxytunnel"],
            &["--http1.0"],
            &["--proxytunnel", "--http1.0", "--proxy1.0", HTTP],
        ] {
            let page = office.page(&[mode, &[url]].concat());
            assert_eq!(page, format!("{name}\n"), "{url} {mode:?}");
        }
    }
    // Another host that has a proxy can reach hosts and routed names just as the laptop can.
    let proxy = format!("http://{HTTP}");
    let from_web = office.network.host("web");
    for (url, name) in [
        ("http://gate:8080/", "gate"),
        ("http://six.corp.test:8000/", "six"),
    ] {
        assert_eq!(
            from_web.curl(&["--proxy", &proxy, url]).out,
            format!("{name}\n")
        );
    }
    // The proxy dials addresses without a route from its own host. This port is closed, and the reply says so.
    let direct = office.curl(&["http://127.0.0.1:1/"]);
    assert_eq!(
        direct.out,
        "127.0.0.1:1 cannot be reached: connection refused.\n"
    );
}

#[test]
fn bodies_of_every_framing_arrive_whole() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let bytes = noise(3, 5 << 20);
    let file = sandbox.write("upload", &bytes);
    let expected = output(command(&["sha256sum"]).arg(&file));
    let (upload, echoed) = (format!("@{}", file.display()), sandbox.path("echoed"));
    let echoed = echoed.to_str().unwrap();
    for (mode, head) in [
        (&["--header", "Expect:"][..], "content-length: 5242880"),
        (
            &[
                "--header",
                "Expect:",
                "--header",
                "Transfer-Encoding: chunked",
            ],
            "transfer-encoding: chunked",
        ),
        // The server's "100 Continue" has to come back through the proxy. Without it, curl would wait for 100 s before
        // it sends the body.
        (
            &[
                "--header",
                "Expect: 100-continue",
                "--expect100-timeout",
                "100",
            ],
            "expect: 100-continue",
        ),
        (
            &["--http1.0", "--header", "Expect:"],
            "content-length: 5242880",
        ),
    ] {
        let words = [
            "--data-binary",
            &upload,
            "--output",
            echoed,
            "http://web:8080/echo",
        ];
        office.page(&[mode, &words].concat());
        let got = output(&mut command(&["sha256sum", echoed]));
        assert_eq!(
            got.split(' ').next(),
            expected.split(' ').next(),
            "{mode:?}"
        );
        let seen = office.web.heads().pop().unwrap().to_lowercase();
        assert!(seen.contains(&format!("\r\n{head}\r\n")), "{seen}");
    }
    assert_eq!(office.page(&["http://web:8080/chunks"]), "first second");
    let head = office.page(&["--head", "http://web:8080/"]);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
}

#[test]
fn one_connection_of_a_client_carries_several_requests_to_several_hosts() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let report = office.page(&[
        "--write-out",
        "connections: %{num_connects}\n",
        "http://web:8080/",
        "http://db.corp.test:8000/",
        "http://web:8080/chunks",
        "http://gate:8080/",
    ]);
    assert_eq!(
        report,
        "web\nconnections: 1\ndb\nconnections: 0\nfirst secondconnections: 0\ngate\nconnections: 0\n"
    );
}

#[test]
fn what_a_client_says_too_early_is_not_lost() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let laptop = office.network.laptop();
    let early =
        b"CONNECT web:8080 HTTP/1.1\r\nHost: web:8080\r\n\r\nGET / HTTP/1.1\r\nHost: web\r\n\r\n";
    let answer = String::from_utf8(laptop.ask(HTTP, early)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\n"));
    assert!(answer.ends_with("\r\n\r\nweb\n"), "{answer}");
    let two = b"GET http://web:8080/ HTTP/1.1\r\nHost: web:8080\r\n\r\nGET http://gate:8080/ HTTP/1.1\r\nHost: gate:8080\r\n\r\n";
    let answer = String::from_utf8(laptop.ask(HTTP, two)).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert!(answer.contains("\r\n\r\nweb\nHTTP/1.1"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ngate\n"), "{answer}");
}

#[test]
fn a_connection_that_changes_its_protocol_carries_bytes_both_ways() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let mut client = office.network.laptop().connect(HTTP);
    client
        .write_all(
            b"GET http://web:8080/upgrade HTTP/1.1\r\nHost: web:8080\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n\
              early ",
        )
        .unwrap();
    let mut answer = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(answer.read_line(&mut head).unwrap(), 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.to_lowercase().contains("\r\nupgrade: echo\r\n"),
        "{head}"
    );
    let mut hello = [0; 12];
    answer.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello early ");
    let bytes = noise(7, 1 << 20);
    let sender = bytes.clone();
    let sending = std::thread::spawn(move || {
        client.write_all(&sender).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    answer.read_to_end(&mut back).unwrap();
    sending.join().unwrap();
    assert!(
        back == bytes,
        "{} bytes came back of {}",
        back.len(),
        bytes.len()
    );
}

#[test]
fn an_origin_that_breaks_off_is_an_error_and_never_a_short_success() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    for path in [
        "length-then-reset",
        "chunks-then-reset",
        "close-then-reset",
        "length-then-end",
    ] {
        for (url, origin) in [
            ("http://web:8080", &office.web),
            ("http://db.corp.test:8000", &office.db),
        ] {
            for mode in ["--no-proxytunnel", "--proxytunnel"] {
                let url = format!("{url}/{path}");
                let words = ["curl", "-qsSN", "--proxy", HTTP, mode, &url];
                let mut curl =
                    Running::start("curl", &mut office.network.laptop().bare_command(&words));
                curl.wait_for_text("part\n");
                origin.break_off();
                // The exit code says that the transfer is incomplete, or that the connection was reset.
                let code = curl.wait().code().unwrap();
                assert!([18, 56].contains(&code), "{url} {mode}: {code}");
            }
        }
    }
    for (path, reason) in [
        ("reset", "web:8080"),
        (
            "no-http",
            "web:8080 answered with something that is not HTTP. ",
        ),
    ] {
        let words = [
            "--write-out",
            "%{http_code}",
            &format!("http://web:8080/{path}"),
        ];
        let none = office.curl(&words);
        assert!(none.out.contains(reason), "{none:?}");
        assert!(none.out.ends_with("502"), "{none:?}");
    }
}

#[test]
fn bad_requests_are_told_so_and_disturb_nobody() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let laptop = office.network.laptop();
    // A client in the middle of a request. It must not be disturbed.
    let mut other = laptop.connect(HTTP);
    other
        .write_all(b"CONNECT web:8080 HTTP/1.1\r\nHost: web:8080\r\n\r\nGET / HT")
        .unwrap();
    let before = office.web.heads().len();
    let start = "POST http://web:8080/ HTTP/1.1\r\nHost: web:8080\r\n";
    let many = "X: y\r\n".repeat(1_001);
    let long = "x".repeat(70 << 10);
    for (head, status) in [
        (
            format!("{start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            format!("{start}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
            400,
        ),
        (
            format!("{start}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
            400,
        ),
        (format!("{start}Content-Length: +5\r\n\r\nhello"), 400),
        (format!("{start}Content-Length: 5, 5\r\n\r\nhello"), 400),
        (
            format!("{start}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            format!("{start}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            501,
        ),
        (format!("{start}X: a\r\n b\r\n\r\n"), 400),
        (format!("{start}X : a\r\n\r\n"), 400),
        (format!("{start}X: a\0b\r\n\r\n"), 400),
        (format!("{start}no colon\r\n\r\n"), 400),
        (start.replace("\r\n", "\n") + "\n", 400),
        (format!("{start}X: a\n\r\n"), 400),
        (format!("{start}X: a\rb\r\n\r\n"), 400),
        (format!("{start}Host: web:8080\r\n\r\n"), 400),
        (start.replace("Host: web:8080\r\n", "") + "\r\n", 400),
        (start.replace("http://", "https://") + "\r\n", 400),
        (start.replace("http://", "http://a@b@") + "\r\n", 400),
        (start.replace("http://web", "http://0x7f.1") + "\r\n", 400),
        (start.replace("POST ", "POST  ") + "\r\n", 400),
        (start.replace("HTTP/1.1", "HTTP/2.0") + "\r\n", 505),
        (format!("{start}{many}\r\n"), 431),
        (format!("{start}X: {long}\r\n\r\n"), 431),
        ("CONNECT web HTTP/1.1\r\nHost: web\r\n\r\n".into(), 400),
        ("CONNECT web:0 HTTP/1.1\r\nHost: web\r\n\r\n".into(), 400),
        ("\x05\x01\x00".into(), 400),
        ("\x16\x03\x01\x02\x00\x01\x00".into(), 400),
        ("GET http://web:8080/ HTTP/1.1\r\nHost: w".into(), 400),
    ] {
        let shown = &head[..head.len().min(200)];
        let answer = String::from_utf8(laptop.ask(HTTP, head.as_bytes())).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown:?}: {answer}"
        );
        let (told, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            told.contains("\r\nConnection: close"),
            "{shown:?}: {answer}"
        );
        assert!(
            body.ends_with(".\n") && body.len() > 20,
            "{shown:?}: {body}"
        );
        assert_eq!(
            office.page(&["http://gate:8080/"]),
            "gate\n",
            "after {shown:?}"
        );
    }
    assert_eq!(
        office.web.heads().len(),
        before,
        "none of them reached an origin"
    );
    other.write_all(b"TP/1.1\r\nHost: web\r\n\r\n").unwrap();
    let mut page = String::new();
    other.read_to_string(&mut page).unwrap();
    assert!(page.ends_with("\r\n\r\nweb\n"), "{page}");
}

#[test]
fn what_concerns_the_proxy_alone_does_not_reach_the_origin() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let words = [
        "Proxy-Authorization: Basic c2VjcmV0OnNlY3JldA==",
        "Proxy-Connection: keep-alive",
        "Proxy-Anything: x",
        "Keep-Alive: 300",
        "TE: trailers",
        "Trailer: X-End",
        "Connection: keep-alive, X-Only-Here",
        "X-Only-Here: x",
        "X-Mine: kept",
        "Cookie: a=b",
    ];
    let mut all: Vec<&str> = words.iter().flat_map(|word| ["--header", *word]).collect();
    all.push("http://web:8080/path?a=b%20c");
    office.page(&all);
    let head = office.web.heads().pop().unwrap();
    assert!(
        head.starts_with("GET /path?a=b%20c HTTP/1.1\r\nHost: web:8080\r\n"),
        "{head}"
    );
    let head = head.to_lowercase();
    for gone in [
        "\r\nproxy-",
        "\r\nkeep-alive",
        "\r\nte:",
        "\r\ntrailer",
        "\r\nvia:",
        "x-only-here",
        "secret",
    ] {
        assert!(!head.contains(gone), "{gone:?} in {head}");
    }
    for kept in ["\r\nx-mine: kept\r\n", "\r\ncookie: a=b\r\n"] {
        assert!(head.contains(kept), "{kept:?} not in {head}");
    }
}

#[test]
fn an_error_names_host_address_and_reason() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    for (url, status, words) in [
        (
            "http://web:81/",
            502,
            &["web:81", "127.0.42.12:81", "does not publish"][..],
        ),
        (
            "http://web:9/",
            502,
            &["web:9", "127.0.42.12:9", "does not accept connections"],
        ),
        (
            "http://nobody.norouter/",
            502,
            &["nobody.norouter", "No host of the network"],
        ),
        (
            "http://db.corp.test:9/",
            502,
            &["gate", "db.corp.test:9", "10.99.0.5", "refused"],
        ),
        (
            "http://[fd99::5]:9/",
            502,
            &["gate", "[fd99::5]:9", "refused"],
        ),
        (
            "http://nobody.corp.test/",
            502,
            &["gate", "nobody.corp.test", "cannot be resolved"],
        ),
        (
            "http://sly.corp.test:8000/",
            403,
            &["gate", "sly.corp.test:8000", "127.0.0.1", "never dialled"],
        ),
        (
            "http://a.gone.test/",
            503,
            &["a.gone.test:80", "gone", "not up"],
        ),
        (
            "http://10.77.0.1/",
            503,
            &["10.77.0.1:80", "gone", "not up"],
        ),
        (
            "http://slow.corp.test:8000/",
            504,
            &["gate", "slow.corp.test:8000", "10.99.0.6", "timed out"],
        ),
    ] {
        let answer = office.curl(&["--write-out", "%{http_code} %{content_type}", url]);
        assert_eq!(answer.code, 0, "{url}: {answer:?}");
        let (body, told) = answer.out.rsplit_once('\n').unwrap();
        assert_eq!(
            told,
            format!("{status} text/plain; charset=utf-8"),
            "{url}: {body}"
        );
        for word in words {
            assert!(body.contains(word), "{url}: {word:?} is not in {body:?}");
        }
        // Now CONNECT requests the same destination. The status of the reply is the same.
        let tunnel = office.curl(&["--proxytunnel", "--write-out", "%{http_connect}", url]);
        assert_eq!(tunnel.out, status.to_string(), "{url}: {tunnel:?}");
        assert_eq!(tunnel.code, 56, "{url}: {tunnel:?}");
    }
    assert!(
        office
            .gate
            .heads()
            .iter()
            .all(|head| head.contains("gate") || head.contains("127.0.42.")),
        "the gateway's own loopback was reached"
    );
}

#[test]
fn the_proxys_own_pages_are_for_people_who_ask_it_by_its_own_address() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("state");
    let laptop = Host::laptop()
        .line(&format!("http: {{listen: {HTTP:?}}}"))
        .line(&format!(
            "stateDir: {{pathOnAgent: \"{}\"}}",
            folder.display()
        ));
    let web = Host::netns("web", &sandbox).ports(&["8080:127.0.0.1:8000"]);
    let _page = web.serve_origin();
    let routes = ["{via: web, to: [\"*.corp.test\"]}"];
    let mut network = Network::with_routes(&sandbox, vec![laptop, web], &routes);
    network.wait_for_page("laptop", "web");
    let laptop = network.laptop();
    let env = wait_for("the variables", || {
        fs::read_to_string(folder.join("env")).ok()
    });
    let value = |name: &str| {
        let line = env.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.strip_prefix('='))
            .unwrap()
            .to_owned()
    };
    let (pac, status) = (value("NOROUTER_PAC"), value("NOROUTER_STATUS_PAGE"));
    let script = laptop.curl(&["--fail", &pac]).out;
    assert!(
        script.contains("FindProxyForURL") && script.contains("*.corp.test"),
        "{script}"
    );
    let page = laptop.curl(&["--fail", &status]).out;
    for word in ["web", "127.0.42.12", "8080", "*.corp.test"] {
        assert!(page.contains(word), "{word} is not in {page}");
    }
    let front = laptop.curl(&["--fail", &format!("http://{HTTP}/")]).out;
    assert!(
        !front.is_empty() && !front.contains("127.0.42.12"),
        "{front}"
    );
    // Requests that a malicious web page could make a browser send.
    for (header, code) in [
        ("Host: evil.example", "421"),
        ("Origin: http://evil.example", "403"),
        ("Referer: http://evil.example/", "403"),
        ("Sec-Fetch-Site: cross-site", "403"),
    ] {
        for url in [&pac, &status] {
            let words = ["--write-out", "%{http_code}", "--header", header, url];
            let answer = laptop.curl(&words);
            assert!(
                answer.out.ends_with(&format!("\n{code}")),
                "{header}: {answer:?}"
            );
        }
    }
    let guess = laptop.curl(&["--write-out", "%{http_code}", &format!("http://{HTTP}/0/")]);
    assert!(guess.out.ends_with("\n404"), "{guess:?}");
}
