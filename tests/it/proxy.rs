//! The HTTP proxy and the published ports of the real program, with servers and clients that are difficult to serve.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    back_to_back::free_port,
    home::{Home, Manager, PATIENCE},
};

/// How much a client uploads. This is more than all buffers on the way can hold.
const UPLOAD: usize = 64 << 20;

/// How many clients the proxy serves at a time.
const CLIENTS_MAX: usize = 1_024;

/// A laptop with a proxy, and a host `web` whose service is a listener of the test.
struct Network {
    proxy: String,
    /// The address at which `web` publishes the service.
    address: String,
    service: TcpListener,
    _manager: Manager,
    _home: Home,
}

impl Network {
    /// The hosts have the addresses `127.0.63.N` and `127.0.63.N+1`.
    fn start(name: &str, first: u8) -> Self {
        let home = Home::new(name);
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let program = serde_json::json!([env!("CARGO_BIN_EXE_norouter")]);
        let (laptop, web) = (
            format!("127.0.63.{first}"),
            format!("127.0.63.{}", first + 1),
        );
        // Only this test uses the address, so nobody else takes the port.
        let proxy = format!("{laptop}:{}", free_port(laptop.parse().unwrap()));
        let port = service.local_addr().unwrap().port();
        let rest = "stateDir: {disable: true}, dns: {disable: true}";
        let manifest = format!(
            "hosts:\n\
             \x20 laptop: {{vip: {laptop}, http: {{listen: '{proxy}'}}, {rest}}}\n\
             \x20 web: {{vip: {web}, cmd: {program}, ports: ['8080:127.0.0.1:{port}'], loopback: {{disable: true}}, {rest}}}\n"
        );
        let manifest = home.write(&format!("{name}.yaml"), &manifest);
        let manager = home.up(&[&manifest]);
        home.wait(&["laptop", "web"]);
        Self {
            proxy,
            address: format!("{web}:8080"),
            service,
            _manager: manager,
            _home: home,
        }
    }

    /// A service that handles each of its connections in the same way. It ends with the test.
    fn serve(&self, handle: fn(TcpStream)) {
        let service = self.service.try_clone().unwrap();
        thread::spawn(move || service.incoming().flatten().for_each(handle));
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads bytes until they end with `end`. Fails if the stream ends or breaks before that.
fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        let shown = String::from_utf8_lossy(&text).into_owned();
        let count = stream.read(&mut byte);
        assert_eq!(
            count.unwrap_or_else(|error| panic!("{error} after {shown:?}")),
            1,
            "{shown:?}"
        );
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// Sends a request with a long body, until the other side refuses more of it.
fn upload(stream: &TcpStream, target: &str) -> JoinHandle<()> {
    let mut stream = stream.try_clone().unwrap();
    let head =
        format!("PUT {target} HTTP/1.1\r\nHost: web:8080\r\nContent-Length: {UPLOAD}\r\n\r\n");
    thread::spawn(move || {
        let _ = stream.write_all(head.as_bytes());
        let block = vec![0; 1 << 16];
        for _ in 0..UPLOAD / block.len() {
            if stream.write_all(&block).is_err() {
                return;
            }
        }
    })
}

/// Refuses an upload as many servers do: it answers, and closes the connection before it has read everything. The
/// system therefore resets the connection.
fn refuse_upload(mut stream: TcpStream) {
    read_until(&mut stream, "\r\n\r\n");
    assert_eq!(stream.peek(&mut [0]).unwrap(), 1, "there is a body");
    stream
        .write_all(
            b"HTTP/1.1 413 Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo big\n",
        )
        .unwrap();
}

#[test]
fn an_answer_that_refuses_an_upload_arrives_before_the_reset() {
    let network = Network::start("early", 0);
    network.serve(refuse_upload);
    for (address, target) in [
        (&network.address, "/"),
        (&network.proxy, "http://web:8080/"),
    ] {
        let mut stream = connect(address);
        let sending = upload(&stream, target);
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while !answer.ends_with(b"too big\n") {
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => answer.extend_from_slice(&buffer[..count]),
                end => panic!(
                    "{end:?} after {:?} from {address}",
                    String::from_utf8_lossy(&answer)
                ),
            }
        }
        assert!(answer.starts_with(b"HTTP/1.1 413 "), "{address}");
        drop(stream);
        sending.join().unwrap();
    }
}

#[test]
fn a_client_that_sends_all_of_a_large_upload_before_it_reads_gets_the_early_answer() {
    let network = Network::start("large", 40);
    network.serve(refuse_upload);
    let mut stream = connect(&network.proxy);
    upload(&stream, "http://web:8080/").join().unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
}

/// Answers the first request of each connection, and ends the connection after it has read the second one.
fn hang_up_at_the_second_request(mut stream: TcpStream) {
    read_until(&mut stream, "\r\n\r\n");
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1\n")
        .unwrap();
    read_until(&mut stream, "\r\n\r\n");
}

#[test]
fn only_the_client_repeats_a_request_that_may_have_been_acted_on() {
    let network = Network::start("hangup", 50);
    network.serve(hang_up_at_the_second_request);
    let ask = |stream: &mut TcpStream, method: &str| {
        let request = format!("{method} http://web:8080/ HTTP/1.1\r\nHost: web:8080\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
    };
    let answer = |stream: &mut TcpStream| {
        read_until(stream, "\r\n\r\n");
        read_until(stream, "\n")
    };
    let mut stream = connect(&network.proxy);
    ask(&mut stream, "GET");
    assert_eq!(answer(&mut stream), "1\n");
    ask(&mut stream, "GET");
    assert_eq!(answer(&mut stream), "1\n", "the proxy has repeated it");
    ask(&mut stream, "POST");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(
        rest, b"",
        "the proxy does not answer in the place of the service"
    );
}

#[test]
fn a_client_that_comes_when_all_places_are_taken_gets_that_of_an_idle_one() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    let network = Network::start("places", 10);
    let ask = |stream: &mut TcpStream| {
        let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", network.proxy);
        stream.write_all(request.as_bytes()).unwrap();
    };
    let mut served: Vec<TcpStream> = (0..CLIENTS_MAX)
        .map(|_| {
            let mut stream = connect(&network.proxy);
            ask(&mut stream);
            read_until(&mut stream, "\r\n\r\n");
            stream
        })
        .collect();
    // None of these clients is in the middle of a request, so their places can be taken, and no newcomer has to wait.
    let newcomers: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = connect(&network.proxy);
            ask(&mut stream);
            let head = read_until(&mut stream, "\r\n\r\n");
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            stream
        })
        .collect();
    let (gone, stay) = served.split_at_mut(newcomers.len());
    for stream in gone {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
    for stream in stay {
        ask(stream);
        read_until(stream, "HTTP/1.1 200 OK\r\n");
    }
}

#[test]
fn the_reason_why_there_is_no_tunnel_stands_in_the_first_line() {
    let network = Network::start("reason", 20);
    let mut stream = connect(&network.proxy);
    stream
        .write_all(b"CONNECT web:9 HTTP/1.1\r\nHost: web:9\r\n\r\n")
        .unwrap();
    let line = read_until(&mut stream, "\r\n");
    assert!(line.starts_with("HTTP/1.1 502 web:9 "), "{line}");
}

/// Answers two requests on each connection. The answer is the number of the request on that connection.
fn number_requests(mut stream: TcpStream) {
    for number in 1..=2 {
        read_until(&mut stream, "\r\n\r\n");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{number}\n");
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

#[test]
fn a_client_keeps_its_connection_to_an_origin_and_shares_it_with_nobody() {
    let network = Network::start("kept", 30);
    network.serve(number_requests);
    let ask = |stream: &mut TcpStream| {
        let request = b"GET http://web:8080/ HTTP/1.1\r\nHost: web:8080\r\n\r\n";
        stream.write_all(request).unwrap();
        read_until(stream, "\r\n\r\n");
        read_until(stream, "\n")
    };
    let mut one = connect(&network.proxy);
    assert_eq!(ask(&mut one), "1\n");
    let mut other = connect(&network.proxy);
    // The service handles one connection after the other, so the first client has to finish before the other one asks.
    assert_eq!(ask(&mut one), "2\n");
    assert_eq!(ask(&mut other), "1\n");
    assert_eq!(ask(&mut other), "2\n");
    // The service closes a connection after two requests, so the proxy opens a new connection for the next request.
    assert_eq!(ask(&mut other), "1\n");
}

#[test]
fn a_name_below_localhost_is_the_machine_of_the_proxy() {
    let network = Network::start("localhost", 40);
    network.serve(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    let port = network.service.local_addr().unwrap().port();
    for name in ["localhost", "app.localhost"] {
        let mut stream = connect(&network.proxy);
        let request = format!("GET http://{name}:{port}/ HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let head = read_until(&mut stream, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 204 "), "{name}: {head}");
    }
}

/// The answer of an origin, a line of the head that the client then gets, and the end of what the client gets.
type Sloppy = (&'static str, &'static str, &'static str);

/// Answers of origins that deviate from the standard, but can only be understood in one way.
const SLOPPY: [Sloppy; 4] = [
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nok\n",
        "Content-Length: 3\r\n",
        "ok\n",
    ),
    (
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n",
        "3\r\nok\n\r\n0\r\n\r\n",
    ),
    (
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nok\n\n0\n\n",
        "Transfer-Encoding: chunked\r\n",
        "3\r\nok\n\r\n0\r\n\r\n",
    ),
    // This length does not begin with a digit, and can be understood in two ways, so it is still refused.
    (
        "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nok\n",
        "HTTP/1.1 502 Bad Gateway\r\n",
        "Content-Length is not a number.\n",
    ),
];

#[test]
fn an_origin_may_be_sloppy_where_that_has_one_meaning() {
    let network = Network::start("sloppy", 60);
    network.serve(|mut stream| {
        let head = read_until(&mut stream, "\r\n\r\n");
        let number = head.bytes().find(u8::is_ascii_digit).unwrap() - b'0';
        let answer = match SLOPPY.get(usize::from(number)) {
            Some((answer, ..)) => (*answer).to_owned(),
            None => format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n{}\r\nok\n",
                format!("X: {}\r\n", "x".repeat(200)).repeat(900)
            ),
        };
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let ask = |number: usize, version: &str, end: &str| {
        let mut stream = connect(&network.proxy);
        let request =
            format!("GET http://web:8080/{number} HTTP/{version}\r\nHost: web:8080\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        read_until(&mut stream, end)
    };
    for (number, (answer, head, body)) in SLOPPY.iter().enumerate() {
        let got = ask(number, "1.1", body);
        assert!(got.contains(head), "{answer:?} became {got:?}");
    }
    // A client of HTTP/1.0 does not understand chunks.
    for number in [1, 2] {
        let got = ask(number, "1.0", "\r\n\r\nok\n");
        assert!(!got.contains("hunked"), "{got}");
    }
    // The head has 180 KB in 901 fields.
    let mut stream = connect(&network.proxy);
    stream
        .write_all(b"GET http://web:8080/9 HTTP/1.0\r\nHost: web:8080\r\n\r\n")
        .unwrap();
    let mut long = String::new();
    stream.read_to_string(&mut long).unwrap();
    assert_eq!(long.matches("\r\nX: xxx").count(), 900);
}
