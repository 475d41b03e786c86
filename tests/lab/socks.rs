//! The SOCKS proxy: all versions of the protocol, with common programs and with hand-written bytes.

use std::io::{Read as _, Write as _};

use crate::{
    network::{Host, Network},
    office::{HTTP, Office, SOCKS},
    sandbox::{Sandbox, ended},
};

#[test]
fn curl_reaches_hosts_names_and_routes_by_every_version() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let laptop = office.network.laptop();
    for (version, url, name) in [
        ("socks4", "http://127.0.42.12:8080/", "web"),
        ("socks4", "http://10.99.0.5:8000/", "db"),
        ("socks4a", "http://web:8080/", "web"),
        ("socks4a", "http://db.corp.test:8000/", "db"),
        ("socks4a", "http://six.corp.test:8000/", "six"),
        ("socks5", "http://127.0.42.12:8080/", "web"),
        ("socks5", "http://10.99.0.5:8000/", "db"),
        ("socks5", "http://[fd99::5]:8000/", "six"),
        ("socks5h", "http://web:8080/", "web"),
        ("socks5h", "http://www.example.com:8080/", "web"),
        ("socks5h", "http://db.corp.test:8000/", "db"),
        ("socks5h", "http://six.corp.test:8000/", "six"),
    ] {
        let answer = laptop.curl(&["--proxy", &format!("{version}://{SOCKS}"), url]);
        assert_eq!(
            answer.out,
            format!("{name}\n"),
            "{version} {url}: {answer:?}"
        );
    }
}

/// The greeting of a client without authentication, and its request for a name and a port.
fn socks5(command: u8, name: &str, port: u16) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let mut bytes = vec![5, 1, 0, 5, command, 0, 3, length];
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&port.to_be_bytes());
    bytes
}

#[test]
fn every_reply_says_exactly_what_happened() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let laptop = office.network.laptop();
    for (command, name, port, code) in [
        (1, "web", 9, 5),
        (1, "web", 81, 5),
        (1, "db.corp.test", 9, 5),
        (1, "127.0.0.1", 1, 5),
        (1, "nobody.norouter", 80, 4),
        (1, "nobody.corp.test", 80, 4),
        (1, "a.gone.test", 80, 4),
        (1, "sly.corp.test", 8000, 2),
        (1, "slow.corp.test", 8000, 6),
        (2, "web", 8080, 7),
        (3, "web", 8080, 7),
        (9, "web", 8080, 7),
    ] {
        let answer = laptop.ask(SOCKS, &socks5(command, name, port));
        assert_eq!(
            answer,
            [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0],
            "command {command} {name}:{port}"
        );
    }
    let unknown_address = [5, 1, 0, 5, 1, 0, 9, 1, 1];
    assert_eq!(laptop.ask(SOCKS, &unknown_address)[..4], [5, 0, 5, 8]);
    // The first client offers only unknown methods. The second client speaks HTTP, which this proxy serves as well.
    assert_eq!(laptop.ask(SOCKS, &[5, 1, 1]), [5, 0xff]);
    let http = laptop.ask(
        SOCKS,
        b"GET http://web:8080/ HTTP/1.1\r\nHost: web:8080\r\n\r\n",
    );
    let http = String::from_utf8(http).unwrap();
    assert!(
        http.starts_with("HTTP/1.1 200 ") && http.ends_with("web\n"),
        "{http}"
    );
    for (host, code) in [("127.0.42.12:8080", 90), ("127.0.42.12:9", 91)] {
        let (address, port) = host.split_once(':').unwrap();
        let octets = address.parse::<std::net::Ipv4Addr>().unwrap().octets();
        let port = port.parse::<u16>().unwrap().to_be_bytes();
        let asked = [&[4, 1], &port[..], &octets, b"me\0GET / HTTP/1.0\r\n\r\n"].concat();
        let answer = laptop.ask(SOCKS, &asked);
        assert_eq!(answer[..2], [0, code], "{host}");
        assert_eq!(answer.ends_with(b"web\n"), code == 90, "{host}");
    }
}

#[test]
fn a_handshake_may_come_byte_by_byte() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let mut client = office.network.laptop().connect(SOCKS);
    client.set_nodelay(true).unwrap();
    for byte in socks5(1, "web", 8080) {
        client.write_all(&[byte]).unwrap();
    }
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer[..4], [5, 0, 5, 0]);
    assert!(answer.ends_with(b"\r\n\r\nweb\n"));
}

#[test]
fn who_has_no_user_name_and_password_is_sent_away_where_they_are_asked_for() {
    let sandbox = Sandbox::new();
    let users = sandbox.write("users", "# who may\nann:se:cret\n");
    let users = users.display();
    let laptop = Host::laptop()
        .line(&format!(
            "socks: {{listen: {SOCKS:?}, credentials: \"{users}\"}}"
        ))
        .line(&format!(
            "http: {{listen: {HTTP:?}, credentials: \"{users}\"}}"
        ));
    let web = Host::netns("web", &sandbox).ports(&["8080:127.0.0.1:8000"]);
    let _page = web.serve_origin();
    let mut network = Network::start(&sandbox, vec![laptop, web]);
    network.wait_for_page("laptop", "web");
    let laptop = network.laptop();
    let get = |proxy: &str, user: &str, fail: &str| {
        laptop.curl(&[
            "--proxy",
            proxy,
            "--proxy-user",
            user,
            fail,
            "http://web:8080/",
        ])
    };
    for scheme in ["socks5h", "http"] {
        let place = if scheme == "http" { HTTP } else { SOCKS };
        let proxy = format!("{scheme}://{place}");
        assert_eq!(
            get(&proxy, "ann:se:cret", "--fail").out,
            "web\n",
            "{scheme}"
        );
        for wrong in ["ann:secret", "ann:", "bob:se:cret"] {
            let answer = get(&proxy, wrong, "--fail");
            assert_ne!(answer.code, 0, "{scheme} {wrong}");
            assert_eq!(answer.out, "", "{scheme} {wrong}");
        }
        let nobody = laptop.curl(&["--proxy", &proxy, "--fail", "http://web:8080/"]);
        assert_ne!(nobody.code, 0, "{scheme}");
    }
    assert_eq!(laptop.ask(SOCKS, &[5, 1, 0]), [5, 0xff]);
    assert_eq!(
        laptop.ask(SOCKS, b"\x05\x02\x00\x02\x01\x03ann\x03bad"),
        [5, 2, 1, 1]
    );
    // The old versions of the protocol have no passwords.
    let old = laptop.ask(SOCKS, b"\x04\x01\x1f\x90\0\0\0\x01\0web\0");
    assert_eq!(old[..2], [0, 91]);
    let told = get(&format!("http://{HTTP}"), "ann:wrong", "--include");
    assert!(told.out.starts_with("HTTP/1.1 407 "), "{told:?}");
    assert!(
        told.out.contains("\r\nProxy-Authenticate: Basic "),
        "{told:?}"
    );
}

/// A program that fetches a page through a SOCKS 5 proxy. The proxy resolves the name.
const PYSOCKS: &str = r#"
import socks, sys
host, port = sys.argv[1].split(":")
s = socks.socksocket()
s.set_proxy(socks.SOCKS5, host, int(port), rdns=True)
s.settimeout(50)
s.connect((sys.argv[2], int(sys.argv[3])))
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
answer = b""
while data := s.recv(65536):
    answer += data
print(answer.decode().split("\r\n\r\n", 1)[1], end="")
try:
    s = socks.socksocket()
    s.set_proxy(socks.SOCKS5, host, int(port), rdns=True)
    s.connect((sys.argv[2], 9))
except socks.ProxyConnectionError as error:
    sys.exit("no proxy: " + str(error))
except socks.ProxyError as error:
    print(error.socket_err)
"#;

#[test]
fn programs_with_socks_of_their_own_and_programs_without_reach_the_network() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let laptop = office.network.laptop();
    // Only Debian's own interpreter finds Debian's Python modules.
    let words = [
        "/usr/bin/python3",
        "-c",
        PYSOCKS,
        SOCKS,
        "six.corp.test",
        "8000",
    ];
    let answer = ended(&mut laptop.bare_command(&words));
    assert_eq!(answer.out, "six\n0x05: Connection refused\n", "{answer:?}");
    let config = format!(
        "strict_chain\nproxy_dns\n[ProxyList]\nsocks5 {}\n",
        SOCKS.replace(':', " ")
    );
    let config = sandbox.write("proxychains.conf", config);
    for (url, name) in [
        ("http://web:8080/", "web"),
        ("http://db.corp.test:8000/", "db"),
    ] {
        let words = [
            "proxychains4",
            "-q",
            "-f",
            config.to_str().unwrap(),
            "curl",
            "-qsS",
            url,
        ];
        let answer = ended(&mut laptop.bare_command(&words));
        assert_eq!(answer.out, format!("{name}\n"), "{answer:?}");
    }
}

#[test]
fn ssh_reaches_the_server_of_another_host_by_either_proxy() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let laptop = office.network.laptop();
    let config = office.ssh.client_config();
    for proxy in [
        format!("nc -X 5 -x {SOCKS} %h %p"),
        format!("nc -X connect -x {HTTP} %h %p"),
        format!("ncat --proxy-type socks5 --proxy-dns remote --proxy {SOCKS} %h %p"),
        format!("ncat --proxy-type http --proxy {HTTP} %h %p"),
    ] {
        let option = format!("ProxyCommand={proxy}");
        let words = [
            "ssh",
            "-F",
            config,
            "-o",
            &option,
            "-o",
            "HostName=web.norouter",
            "-p",
            "22",
            "host",
            "ip -brief address show dev lo; head -c 3000000 /dev/zero | sha256sum",
        ];
        let answer = ended(&mut laptop.bare_command(&words));
        assert!(answer.out.contains("127.0.0.1/8"), "{answer:?}");
        assert!(
            answer.out.contains("35bce4eae54ec8e6cc2868baa8d15791"),
            "{answer:?}"
        );
    }
}
