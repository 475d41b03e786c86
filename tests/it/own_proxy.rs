//! A person's own proxy in the environment of the manager. Through it, the proxies of the network reach everything that
//! is not in the network.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
    time::Instant,
};

use crate::{
    back_to_back::free_port,
    home::{Home, Manager, PATIENCE},
};

/// A laptop with an HTTP proxy. The environment of its manager names the person's own proxy, which is `own`.
struct Network {
    home: Home,
    http: String,
    own: TcpListener,
    _manager: Manager,
}

impl Network {
    /// `variables` are the names and values of variables. In a value, `OWN` stands for the address of the person's own
    /// proxy, and `HTTP` for that of the laptop's proxy.
    fn start(name: &str, vip: &str, variables: &[(&str, &str)]) -> Self {
        let home = Home::new(name);
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = own.local_addr().unwrap().to_string();
        // Only this test uses the address, so nobody else takes the port.
        let http = format!("{vip}:{}", free_port(vip.parse().unwrap()));
        let manifest = format!(
            "hosts:\n  laptop: {{vip: {vip}, http: {{listen: '{http}'}}, dns: {{disable: true}}, stateDir: {{disable: true}}}}\n"
        );
        let manifest = home.write("own.yaml", &manifest);
        let mut command = home.command(&["--debug", &manifest]);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name);
            command.env_remove(name.to_uppercase());
        }
        for (name, value) in variables {
            let value = value.replace("OWN", &at).replace("HTTP", &http);
            command.env(name, value);
        }
        let log = std::fs::File::create(home.path().join("stderr")).unwrap();
        let manager = Manager::from(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        home.wait(&["laptop"]);
        // The proxy begins to listen a moment after its host is ready.
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&http).is_err() {
            assert!(Instant::now() < deadline, "the proxy never listens");
        }
        Self {
            home,
            http,
            own,
            _manager: manager,
        }
    }

    fn ask(&self, head: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        BufReader::new(stream)
    }

    /// The next request to the person's own proxy, and that proxy's end of the connection.
    fn asked(&self) -> (Vec<String>, TcpStream) {
        let stream = self.own.accept().unwrap().0;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head = lines
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty());
        (head.collect(), stream)
    }
}

fn line(from: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn everything_else_goes_through_the_persons_own_proxy_and_its_password_is_not_shown() {
    let network = Network::start(
        "own-proxy",
        "127.0.66.10",
        &[
            ("http_proxy", "http://ann:s3cret@OWN"),
            ("HTTPS_PROXY", "OWN"),
            ("no_proxy", "localhost,127.0.0.0/8"),
        ],
    );
    let mut client =
        network.ask("CONNECT git.example.org:22 HTTP/1.1\r\nHost: git.example.org:22\r\n\r\n");
    let (head, mut own) = network.asked();
    assert_eq!(
        head,
        [
            "CONNECT git.example.org:22 HTTP/1.1",
            "Host: git.example.org:22"
        ]
    );
    own.write_all(b"HTTP/1.1 200 ok\r\n\r\nSSH-2.0-x\r\n")
        .unwrap();
    assert!(line(&mut client).contains(" 200 "));
    assert_eq!(
        (line(&mut client), line(&mut client)),
        (String::new(), "SSH-2.0-x".to_owned())
    );

    let get = "GET http://example.org/a HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let mut client = network.ask(get);
    let (head, mut own) = network.asked();
    assert_eq!(head[0], "GET http://example.org/a HTTP/1.1");
    assert!(
        head.contains(&"Proxy-Authorization: Basic YW5uOnMzY3JldA==".to_owned()),
        "{head:?}"
    );
    own.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    assert_eq!(line(&mut client), "HTTP/1.1 204 No Content");

    let mut client = network
        .ask("CONNECT closed.example.org:443 HTTP/1.1\r\nHost: closed.example.org:443\r\n\r\n");
    let (_, mut own) = network.asked();
    own.write_all(b"HTTP/1.1 403 Not today\r\n\r\n").unwrap();
    let refused = line(&mut client);
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    assert!(
        refused.contains("your own proxy") && refused.contains("403 Not today"),
        "{refused}"
    );

    // Two kinds of destinations are dialled by the agent itself: those that the person exempts, and everything on this
    // machine.
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = service.local_addr().unwrap();
    let mut client = network.ask(&format!("CONNECT {here} HTTP/1.1\r\nHost: {here}\r\n\r\n"));
    service.accept().unwrap();
    assert!(line(&mut client).contains(" 200 "));

    let own = network.own.local_addr().unwrap();
    let why = network.home.run(&["why", "example.org:443"]);
    assert!(
        why.data.contains(&format!("through your own proxy {own}")),
        "{}",
        why.data
    );
    let log = std::fs::read_to_string(network.home.path().join("stderr")).unwrap();
    for secret in ["s3cret", "YW5uOnMzY3JldA"] {
        assert!(!log.contains(secret) && !why.data.contains(secret), "{log}");
    }
}

#[test]
fn a_variable_that_leads_to_the_proxies_of_networks_is_not_followed() {
    let network = Network::start(
        "own-loop",
        "127.0.66.20",
        &[
            ("http_proxy", "http://HTTP"),
            ("https_proxy", "http://norouter:x@OWN"),
        ],
    );
    for port in [80, 443] {
        let head = format!(
            "CONNECT nowhere.invalid:{port} HTTP/1.1\r\nHost: nowhere.invalid:{port}\r\n\r\n"
        );
        let answer = line(&mut network.ask(&head));
        assert!(
            answer.contains("nowhere.invalid is not a host of this network"),
            "{answer}"
        );
    }
    let why = network.home.run(&["why", "nowhere.example.org:80"]);
    assert!(
        why.data.contains("connections go out directly"),
        "{}",
        why.data
    );
    network.own.set_nonblocking(true).unwrap();
    assert!(network.own.accept().is_err(), "nobody was asked");
    let log = std::fs::read_to_string(network.home.path().join("stderr")).unwrap();
    assert!(
        log.contains("https_proxy leads to a proxy of NoRouter"),
        "{log}"
    );
}

/// Like the test above, for a proxy that speaks SOCKS.
#[test]
fn a_socks_proxy_is_told_the_name() {
    use std::io::Read as _;
    let network = Network::start(
        "own-socks",
        "127.0.66.30",
        &[("ALL_PROXY", "socks5h://OWN")],
    );
    let mut client = network.ask("CONNECT example.org:80 HTTP/1.1\r\nHost: example.org:80\r\n\r\n");
    let mut own = network.own.accept().unwrap().0;
    let mut greeting = [0; 3];
    own.read_exact(&mut greeting).unwrap();
    assert_eq!(greeting, [5, 1, 0]);
    own.write_all(&[5, 0]).unwrap();
    let mut request = [0; 18];
    own.read_exact(&mut request).unwrap();
    assert_eq!(&request, b"\x05\x01\x00\x03\x0bexample.org\x00\x50");
    own.write_all(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50hello\n")
        .unwrap();
    assert!(line(&mut client).contains(" 200 "));
    assert_eq!(
        (line(&mut client), line(&mut client)),
        (String::new(), "hello".to_owned())
    );
}
