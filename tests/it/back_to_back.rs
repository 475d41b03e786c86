//! Two agents that are connected through their pipes, without a manager.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use rustix::process::{Pid, Signal};
use socket2::SockRef;

/// How long a test waits before it counts as stuck. Everything takes much less on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// An agent whose standard input and output are pipes of the test.
fn agent(configuration: &serde_json::Value) -> Child {
    Command::new(env!("CARGO_BIN_EXE_norouter"))
        .args(["agent", "--debug-init-config", &configuration.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Copies one agent's output to the other's input until the output ends.
fn join(from: &mut Child, to: &mut Child) {
    let (mut from, mut to) = (from.stdout.take().unwrap(), to.stdin.take().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
}

/// A pair of agents. The second one publishes `service` on the address `listen`. The first one listens on the same
/// address.
struct Pair {
    agents: [Child; 2],
    address: SocketAddr,
}

impl Pair {
    fn start(last: u8, service: SocketAddr) -> Self {
        let vip = Ipv4Addr::new(127, 0, 77, last);
        let listen = free_port(vip);
        let mut near = agent(&serde_json::json!({
            "me": "127.0.77.1",
            "others": [{"ip": vip, "port": listen, "proto": "tcp"}],
        }));
        let mut far = agent(&serde_json::json!({
            "me": vip,
            "forwards": [{"listen_port": listen, "connect_ip": service.ip(), "connect_port": service.port()}],
            "loopback": {"disable": true},
        }));
        join(&mut near, &mut far);
        join(&mut far, &mut near);
        Self {
            agents: [near, far],
            address: (vip, listen).into(),
        }
    }

    /// Waits until the first agent listens, and returns a connection through both agents.
    fn connect(&self) -> TcpStream {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            if let Ok(stream) = TcpStream::connect(self.address) {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            assert!(std::time::Instant::now() < deadline, "nobody listens");
            std::thread::yield_now();
        }
    }

    /// A connection on which the greeting of the service has already arrived. After that, no packets are on their way.
    fn greeted(&self) -> TcpStream {
        let mut client = self.connect();
        client.read_exact(&mut [0; GREETING.len()]).unwrap();
        client
    }
}

const GREETING: &[u8] = b"welcome";

/// A service that greets its client, and returns how the connection ended.
fn greet_and_wait(mut stream: TcpStream) -> Result<usize, std::io::ErrorKind> {
    stream.write_all(GREETING).unwrap();
    stream.read(&mut [0; 8]).map_err(|error| error.kind())
}

impl Drop for Pair {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}

pub(crate) fn free_port(address: Ipv4Addr) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a service that handles one connection.
fn service<R: Send + 'static>(
    deal: impl FnOnce(TcpStream) -> R + Send + 'static,
) -> (SocketAddr, mpsc::Receiver<R>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = sender.send(deal(stream));
    });
    (address, receiver)
}

#[test]
fn bytes_cross_both_ways_and_each_direction_ends_on_its_own() {
    let (address, received) = service(|mut stream| {
        let mut question = Vec::new();
        stream.read_to_end(&mut question).unwrap();
        // The client has finished sending, and still receives the answer.
        stream.write_all(&question.repeat(3)).unwrap();
        question.len()
    });
    let pair = Pair::start(11, address);
    let mut client = pair.connect();
    let question: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_be_bytes).collect();
    client.write_all(&question).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(received.recv_timeout(PATIENCE).unwrap(), question.len());
    assert!(answer == question.repeat(3), "the answer differs");
}

#[test]
fn a_refused_service_is_a_reset_and_never_an_empty_success() {
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port(Ipv4Addr::LOCALHOST)));
    let pair = Pair::start(12, nobody);
    for _ in 0..20 {
        let error = pair.connect().read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_service_that_resets_resets_its_client() {
    let (address, _) = service(|mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        SockRef::from(&stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    });
    let pair = Pair::start(13, address);
    let mut client = pair.connect();
    client.write_all(b"hello").unwrap();
    let error = client.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_client_that_resets_resets_its_service() {
    let (address, ended) = service(greet_and_wait);
    let pair = Pair::start(14, address);
    let client = pair.greeted();
    SockRef::from(&client)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(client);
    let end = ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn a_client_that_resets_after_its_end_resets_its_service() {
    let (address, ended) = service(|mut stream| {
        stream.write_all(GREETING).unwrap();
        let mut question = Vec::new();
        stream.read_to_end(&mut question).unwrap();
        // The client has finished sending, and closes the connection before it has read the answer.
        let answer = vec![7; 65_536];
        loop {
            if let Err(error) = stream.write_all(&answer) {
                return error.kind();
            }
        }
    });
    let pair = Pair::start(17, address);
    let client = pair.greeted();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut first = [0; 1];
    (&client).read_exact(&mut first).unwrap();
    SockRef::from(&client)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(client);
    let end = ended.recv_timeout(PATIENCE).unwrap();
    let reset = [
        std::io::ErrorKind::ConnectionReset,
        std::io::ErrorKind::BrokenPipe,
    ];
    assert!(reset.contains(&end), "{end}");
}

#[test]
fn an_agent_that_is_killed_resets_what_it_carries() {
    let (address, ended) = service(greet_and_wait);
    let mut pair = Pair::start(18, address);
    let mut client = pair.greeted();
    for agent in &mut pair.agents {
        agent.kill().unwrap();
    }
    let error = client.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let end = ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn an_agent_whose_input_ends_resets_what_it_carries_and_goes() {
    let (address, ended) = service(greet_and_wait);
    let mut pair = Pair::start(15, address);
    let _client = pair.greeted();
    // The near agent is killed, so the far one reads the end of its input.
    pair.agents[0].kill().unwrap();
    let status = pair.agents[1].wait().unwrap();
    assert!(status.success(), "{status}");
    let end = ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn an_agent_that_is_told_to_stop_resets_what_it_carries_and_goes() {
    let (address, ended) = service(greet_and_wait);
    let mut pair = Pair::start(16, address);
    let mut client = pair.greeted();
    let pid = Pid::from_child(&pair.agents[0]);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert!(pair.agents[0].wait().unwrap().success());
    let error = client.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let end = ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn an_agent_takes_the_place_of_an_earlier_one_of_the_same_manager() {
    let vip = Ipv4Addr::new(127, 0, 77, 9);
    let listen = free_port(vip);
    let start = |manager: &str| {
        agent(&serde_json::json!({
            "me": "127.0.77.10",
            "others": [{"ip": vip, "port": listen, "proto": "tcp"}],
            "manager": manager,
        }))
    };
    let listened = || {
        let deadline = std::time::Instant::now() + PATIENCE;
        while TcpStream::connect((vip, listen)).is_err() {
            assert!(std::time::Instant::now() < deadline, "nobody listens");
            std::thread::yield_now();
        }
    };
    let word = format!("test{}", std::process::id());
    let mut first = start(&word);
    listened();
    // `other` is the agent of another manager. It does not end `first`, and listens on the ports that are still free.
    let mut other = start(&format!("{word}x"));
    let mut second = start(&word);
    let status = first.wait().unwrap();
    assert_eq!(status.code(), Some(0), "it was not needed any more");
    listened();
    for agent in [&mut other, &mut second] {
        assert_eq!(
            agent.try_wait().unwrap(),
            None,
            "it is the only one of its kind"
        );
        agent.kill().unwrap();
        agent.wait().unwrap();
    }
}

#[test]
fn people_are_told_not_to_start_agents() {
    let output = Command::new(env!("CARGO_BIN_EXE_norouter"))
        .arg("agent")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("started by the manager"), "{words}");
}

#[test]
fn a_configuration_that_cannot_be_used_is_told_as_such() {
    for (configuration, told) in [
        ("nonsense", "this is not JSON: expected ident"),
        (
            r#"{"me": "127.0.0.300"}"#,
            "this is not a configuration: invalid IPv4 address",
        ),
        (
            r#"{"me": "8.8.8.8"}"#,
            "this configuration cannot be used: me: 8.8.8.8: not inside 127.0.0.0/8",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_norouter"))
            .args(["agent", "--debug-init-config", configuration])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{talk}");
        let told = format!("error: --debug-init-config: {told}");
        assert!(talk.starts_with(&told), "{talk}");
        assert!(talk.contains("docs/PROTOCOL.md"), "{talk}");
    }
}
