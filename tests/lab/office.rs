//! The network that most tests of names, proxies and routes use. It has a laptop with both proxies, a host behind ssh,
//! and a gateway with additional addresses, and with names that no other host knows.

use std::{any::Any, net::TcpListener, path::PathBuf};

use crate::{
    network::{Host, Network},
    sandbox::{Ended, Origin, Sandbox, Sshd},
};

/// The addresses of the laptop's proxies.
pub(crate) const HTTP: &str = "127.0.0.1:18080";
pub(crate) const SOCKS: &str = "127.0.0.1:18081";

/// The names that only the gateway can resolve.
const CORP_HOSTS: &str = "127.0.0.1 localhost\n\
    10.99.0.5 db.corp.test\n\
    10.99.0.6 slow.corp.test\n\
    10.99.0.7 files.corp.test\n\
    fd99::5 six.corp.test\n\
    127.0.0.1 sly.corp.test\n";

/// The running network.
pub(crate) struct Office {
    pub(crate) network: Network,
    /// The server of the host `web`, which publishes it as port 8080.
    pub(crate) web: Origin,
    /// The server at 10.99.0.5:8000 behind the gateway.
    pub(crate) db: Origin,
    /// The server on the gateway's own loopback, port 8000.
    pub(crate) gate: Origin,
    /// The ssh server of `web`. It is published, too.
    pub(crate) ssh: Sshd,
    /// The state folder of the laptop.
    pub(crate) state: PathBuf,
    _kept: Vec<Box<dyn Any>>,
}

impl Office {
    /// Starts the network, and waits until all working hosts are ready.
    pub(crate) fn open(sandbox: &Sandbox) -> Self {
        let proxies = [
            format!("http: {{listen: {HTTP:?}}}"),
            format!("socks: {{listen: {SOCKS:?}}}"),
        ];
        let state = sandbox.path("state");
        let laptop = Host::laptop()
            .line(&proxies[0])
            .line(&proxies[1])
            .line(&format!(
                "stateDir: {{pathOnAgent: \"{}\"}}",
                state.display()
            ));
        let (web, server) = Host::ssh("web", sandbox, "");
        let web = web
            .ports(&["8080:127.0.0.1:8000", "22:127.0.0.1:22", "9:127.0.0.1:9"])
            .line("aliases: [\"www\", \"www.example.com\"]")
            .line(&proxies[0]);
        let gate = gateway("gate", sandbox).ports(&["8080:127.0.0.1:8000"]);
        let netns = gate.namespace();
        let silent = netns.inside(silent_server);
        let (db, six, own) = (
            Origin::start(netns, "10.99.0.5:8000", "db"),
            Origin::start(netns, "[fd99::5]:8000", "six"),
            gate.serve_origin(),
        );
        let page = web.serve_origin();
        let gone = Host::with_command("gone", &["false"]);
        let routes = [
            "{via: gate, to: [10.99.0.0/24, \"fd99::/64\", \"*.corp.test\"]}",
            "{via: gone, to: [10.77.0.0/16, \"*.gone.test\"]}",
        ];
        let mut network = Network::with_routes(sandbox, vec![laptop, web, gate, gone], &routes);
        for of in ["web", "gate"] {
            network.wait_for_page("laptop", of);
        }
        network.wait_for_page("web", "gate");
        Self {
            network,
            web: page,
            db,
            gate: own,
            ssh: server,
            state,
            _kept: vec![Box::new(silent), Box::new(six)],
        }
    }

    /// Runs curl on the laptop, through its HTTP proxy.
    pub(crate) fn curl(&self, words: &[&str]) -> Ended {
        let proxy = format!("http://{HTTP}");
        let mut all = vec!["--proxy", &proxy];
        all.extend_from_slice(words);
        self.network.laptop().curl(&all)
    }

    /// Runs [`Office::curl`], which must succeed. Returns the body.
    #[track_caller]
    pub(crate) fn page(&self, words: &[&str]) -> String {
        let ended = self.curl(&[words, &["--fail"]].concat());
        assert_eq!(ended.code, 0, "{words:?}: {ended:?}");
        ended.out
    }
}

/// A host in a namespace with addresses and names of its own.
pub(crate) fn gateway(name: &str, sandbox: &Sandbox) -> Host {
    let gate = Host::netns(name, sandbox);
    let netns = gate.namespace();
    netns.etc("hosts", CORP_HOSTS);
    netns.etc("resolv.conf", "nameserver 127.0.0.1\n");
    for address in [
        "10.99.0.5/32",
        "10.99.0.6/32",
        "10.99.0.7/32",
        "fd99::5/128",
    ] {
        netns.add_address(address);
    }
    gate
}

/// A port that neither accepts nor refuses connections: its listener does not accept any, and the queue of the listener
/// is full. The kernel gives up after two attempts, which take three seconds.
fn silent_server() -> Vec<Box<dyn Any + Send>> {
    std::fs::write("/proc/sys/net/ipv4/tcp_syn_retries", "1").unwrap();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let address: std::net::SocketAddr = "10.99.0.6:8000".parse().unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(0).unwrap();
    let mut kept: Vec<Box<dyn Any + Send>> = vec![Box::new(TcpListener::from(socket))];
    let patience = std::time::Duration::from_millis(200);
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, patience) {
        kept.push(Box::new(stream));
    }
    kept
}
