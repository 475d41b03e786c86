//! Tests of how the real program, with real agents, explains connections that do not work. Every kind of step fails
//! once.

use std::{
    io::Read as _,
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::home::{Home, Manager, body, get, status};

/// How long a test waits before it counts as stuck. Everything takes much less on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A network that uses the addresses `127.0.62.N` to `127.0.62.N+4`, so that tests do not disturb each other.
struct Network {
    home: Home,
    first: u8,
    _manager: Manager,
}

/// The explanation of one connection, with the exit code.
struct Why {
    code: i32,
    view: Value,
}

impl Network {
    /// Creates a network with a laptop that has a proxy, `web` with these `ports`, a gateway, and a host that never
    /// starts.
    fn new(name: &str, first: u8, ports: &str) -> Self {
        let home = Home::new(name);
        let vip = |number: u8| format!("127.0.62.{}", first + number);
        let program = serde_json::json!([env!("CARGO_BIN_EXE_norouter")]);
        let rest = "loopback: {disable: true}, stateDir: {disable: true}, dns: {disable: true}";
        let proxy = free(&vip(4));
        let manifest = format!(
            "hosts:\n\
             \x20 laptop: {{vip: {}, stateDir: {{disable: true}}, dns: {{disable: true}}, http: {{listen: '{proxy}'}}}}\n\
             \x20 web: {{vip: {}, cmd: {program}, aliases: [www], ports: [{ports}], {rest}}}\n\
             \x20 gate: {{vip: {}, cmd: {program}, {rest}}}\n\
             \x20 lost: {{vip: {}, cmd: [\"false\"], ports: ['9:127.0.0.1:9'], {rest}}}\n\
             routes:\n\
             - {{via: gate, to: ['127.0.62.{}/32', '10.0.0.0/8', '*.invalid'], notTo: ['10.9.0.0/16']}}\n",
            vip(0),
            vip(1),
            vip(2),
            vip(3),
            first + 4,
        );
        let manifest = home.write(&format!("{name}.yaml"), &manifest);
        let manager = home.up(&[&manifest]);
        home.wait(&["laptop", "web", "gate"]);
        Self {
            home,
            first,
            _manager: manager,
        }
    }

    fn vip(&self, number: u8) -> String {
        format!("127.0.62.{}", self.first + number)
    }

    fn why(&self, arguments: &[&str]) -> Why {
        let run = self.home.run(&[&["why", "--json"], arguments].concat());
        assert!([0, 5].contains(&run.code), "{arguments:?}: {}", run.talk);
        Why {
            code: run.code,
            view: serde_json::from_str(&run.data).unwrap(),
        }
    }
}

impl Why {
    fn step(&self, name: &str) -> &Value {
        let mut steps = self.view["steps"].as_array().unwrap().iter();
        steps.find(|step| step["step"] == name).unwrap()
    }

    /// The text and the remedy of the first step that does not work. Panics unless that step has this name.
    #[track_caller]
    fn broken(&self, name: &str) -> (&str, &str) {
        let mut steps = self.view["steps"].as_array().unwrap().iter();
        let failed = steps.find(|step| step["outcome"] == "failed");
        let failed = failed.unwrap_or_else(|| panic!("{:#}", self.view));
        assert_eq!(failed["step"], name, "{:#}", self.view);
        assert_eq!(self.code, 5);
        (
            failed["text"].as_str().unwrap(),
            failed["remedy"].as_str().unwrap(),
        )
    }

    #[track_caller]
    fn works(&self) {
        assert_eq!(self.code, 0, "{:#}", self.view);
        for step in self.view["steps"].as_array().unwrap() {
            let outcome = step["outcome"].as_str().unwrap();
            assert!(["ok", "skipped"].contains(&outcome), "{:#}", self.view);
        }
    }
}

/// An address on which no program listens.
fn free(ip: &str) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn a_connection_that_works_is_really_tried_and_closed_at_once() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = service.local_addr().unwrap();
    let network = Network::new("why-works", 10, &format!("'7001:{target}'"));
    let why = network.why(&["www:7001"]);
    why.works();
    assert_eq!(
        (&why.view["target"], &why.view["from"]),
        (&"www:7001".into(), &"laptop".into())
    );
    for step in ["source", "destination", "listener", "dial"] {
        assert!(why.step(step)["tookUs"].as_u64().unwrap() > 0, "{step}");
    }
    let (mut seen, _) = service.accept().unwrap();
    seen.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(
        seen.read(&mut [0]).unwrap(),
        0,
        "a clean end without a byte"
    );

    let text = network.home.run(&["why", "web:7001"]);
    assert_eq!(text.code, 0, "{}", text.talk);
    assert_eq!(text.data.matches("\n  ok ").count(), 6, "{}", text.data);
    assert!(
        text.data
            .ends_with("Nothing was found that does not work.\n")
    );
    let outside = network.why(&["example.com:443"]);
    outside.works();
    let rule = outside.step("rule")["text"].as_str().unwrap();
    assert!(rule.contains("not part of the network"), "{rule}");
    let excepted = network.why(&["10.9.0.1:80", "--from", "web"]);
    excepted.works();
    let rule = excepted.step("rule")["text"].as_str().unwrap();
    assert!(rule.contains("makes an exception"), "{rule}");
    assert!(rule.ends_with("directly on web"), "{rule}");

    // The socket gives the same explanation, and refuses invalid requests.
    let ask = |query: &str| {
        network
            .home
            .ask("why-works", &get(&format!("/v1/why{query}"), ""))
    };
    let answer = ask("?from=127.0.62.12&target=web%3A7001");
    assert_eq!(status(&answer), "200", "{answer}");
    let view: Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(view["from"], "gate");
    for (query, code) in [
        ("", "400"),
        ("?target=web", "400"),
        ("?target=web:0", "400"),
        ("?target=web:80&from=nobody", "404"),
    ] {
        assert_eq!(status(&ask(query)), code, "{query}");
    }
    assert_eq!(
        network
            .home
            .run(&["why", "web:7001", "--from", "nobody"])
            .code,
        1
    );
    assert_eq!(network.home.run(&["why", "web"]).code, 0);
}

#[test]
fn the_first_step_that_is_broken_is_named_with_its_remedy() {
    let taken = TcpListener::bind("127.0.62.21:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let nobody = free("127.0.0.1");
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = format!(
        "'{port}:{}','7002:{nobody}','7003:nobody.invalid:80'",
        service.local_addr().unwrap()
    );
    let network = Network::new("why-broken", 20, &ports);

    let why = network.why(&["weeb:7002"]);
    let (text, remedy) = why.broken("name");
    assert!(
        text.starts_with("weeb is no host of this network"),
        "{text}"
    );
    assert!(remedy.starts_with("did you mean web:7002?"), "{remedy}");

    let why = network.why(&["web:7009"]);
    let (text, remedy) = why.broken("rule");
    assert!(
        text.starts_with("web does not publish 7009; it publishes "),
        "{text}"
    );
    assert!(remedy.contains("7009:127.0.0.1:7009"), "{remedy}");

    let why = network.why(&[&format!("web:{port}")]);
    let (text, remedy) = why.broken("listener");
    assert!(text.contains("already in use"), "{text}");
    // The kernel tells which user has a socket, and this program may look at the processes of its own user.
    let own = format!("(process {})", std::process::id());
    assert!(text.ends_with(&own) || !cfg!(target_os = "linux"), "{text}");
    assert!(remedy.contains(&format!("sport = :{port}")), "{remedy}");
    assert_eq!(
        why.step("dial")["outcome"],
        "ok",
        "the rest is looked at too"
    );

    let why = network.why(&["web:7002"]);
    let (text, remedy) = why.broken("dial");
    assert!(text.ends_with("connection refused"), "{text}");
    assert!(
        remedy.starts_with(&format!("nothing listens on {nobody} as seen from web")),
        "{remedy}"
    );
    let said = network.home.run(&["why", "web:7002"]);
    assert_eq!(said.code, 5);
    let last = said.data.lines().last().unwrap();
    assert_eq!(last, format!("  help: {remedy}"));
    let pasted = network.why(&["http://www:7002/index.html?a=b#c"]);
    assert!(pasted.broken("dial").1.starts_with("nothing listens on"));

    // If the target has no port, all ports of its host are explained. Without a target, everything that does not work
    // is explained.
    let all = network.home.run(&["why", "www"]);
    assert_eq!(all.code, 5);
    assert!(all.data.contains("web:7002 from laptop\n"), "{}", all.data);
    let gone = network.home.run(&["why", "lost"]);
    assert_eq!(gone.code, 5);
    for told in ["lost: ", "\n  help: "] {
        assert!(gone.data.contains(told), "{told}: {}", gone.data);
    }
    let unwell = network.home.run(&["why"]);
    assert_eq!(unwell.code, 5);
    for told in ["lost: ", "web:7002 from laptop\n"] {
        assert!(unwell.data.contains(told), "{told}: {}", unwell.data);
    }
    assert!(!unwell.data.contains("gate"), "it is well: {}", unwell.data);
    let json = network.home.run(&["why", "--json", "gate"]);
    assert_eq!(json.code, 0, "{}", json.talk);
    let json: Value = serde_json::from_str(&json.data).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"hosts": [], "notes": [], "connections": []})
    );
    let foreign = network.home.run(&["why", "example.org"]);
    assert_eq!(foreign.code, 2);
    assert!(
        foreign.talk.contains("a port is needed"),
        "{}",
        foreign.talk
    );

    let why = network.why(&["web:7003"]);
    assert!(why.broken("dial").1.contains("does not know that name"));

    // On a busy machine, the first attempt to start the host may still be running.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let why = network.why(&["lost:9"]);
        let (text, _) = why.broken("destination");
        if text.contains("status 1") {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
    assert_eq!(network.home.run(&["stop", "web"]).code, 0);
    let stopped = network.home.run(&["wait", "web", "--timeout", "60"]);
    assert_eq!(stopped.code, 5);
    let why = network.why(&["web:7002"]);
    assert_eq!(why.broken("destination").1, "run: norouter start web");
    assert_eq!(why.step("dial")["outcome"], "skipped");
}

#[test]
fn a_gateway_tries_what_its_routes_lead_to_and_nothing_else() {
    let network = Network::new("why-gateway", 30, "");
    // The destination is in a special block of addresses, but may be reached because the route names it.
    let service = TcpListener::bind((network.vip(4), 0)).unwrap();
    let target = service.local_addr().unwrap().to_string();
    let why = network.why(&[&target]);
    why.works();
    assert!(
        why.step("gateway")["text"]
            .as_str()
            .unwrap()
            .starts_with("gate ")
    );
    let proxy = why.step("listener")["text"].as_str().unwrap();
    assert!(
        proxy.starts_with("laptop serves an HTTP proxy on "),
        "{proxy}"
    );
    service.accept().unwrap();
    let by_itself = network.why(&[&target, "--from", "gate"]);
    by_itself.works();
    assert_eq!(by_itself.step("listener")["outcome"], "skipped");
    service.accept().unwrap();

    let why = network.why(&["nobody.invalid:80"]);
    assert!(why.broken("dial").1.contains("the resolver of gate"));
    let why = network.why(&[&target, "--from", "web"]);
    assert!(why.broken("listener").1.contains("http: {listen:"));
}

#[test]
fn a_service_that_does_not_answer_is_given_up() {
    // The service accepts no connections and its queue is full, so new handshakes are not answered.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    full.listen(0).unwrap();
    let target = full.local_addr().unwrap().as_socket().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&target, Duration::from_millis(300)) {
        held.push(stream);
        assert!(held.len() < 100, "the queue has no end");
    }
    let network = Network::new("why-hangs", 40, &format!("'7004:{target}'"));
    let why = network.why(&["web:7004"]);
    let (_, remedy) = why.broken("dial");
    assert!(remedy.contains("firewall"), "{remedy}");
    assert!(why.step("dial")["tookUs"].as_u64().unwrap() >= 9_000_000);
    assert!(why.step("source")["tookUs"].as_u64().unwrap() < 9_000_000);
}

#[test]
fn a_server_on_the_other_loopback_address_is_found_and_the_port_is_known_to_refuse() {
    let Ok(service) = TcpListener::bind("[::1]:0") else {
        return;
    };
    let port = service.local_addr().unwrap().port();
    let ports = format!("'7005:127.0.0.1:{port}','7006:[::1]:{port}'");
    let network = Network::new("why-beside", 50, &ports);
    let tried = || {
        // One host never starts, so the exit code is not 0 here.
        let status = network.home.run(&["status", "--json"]);
        let snapshot: Value = serde_json::from_str(&status.data).unwrap();
        let hosts = snapshot["hosts"].as_array().unwrap();
        let web = hosts.iter().find(|host| host["name"] == "web").unwrap();
        let tried = web["tried"].as_array().cloned().unwrap_or_default();
        tried
            .iter()
            .map(|it| format!("{} {}", it["port"], it["outcome"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(tried(), Vec::<String>::new());

    let why = network.why(&["web:7005"]);
    let (text, remedy) = why.broken("dial");
    assert!(
        text.ends_with(&format!("but something listens on [::1]:{port}")),
        "{text}"
    );
    assert!(
        remedy.contains(&format!("\"7005:[::1]:{port}\"")),
        "{remedy}"
    );
    network.why(&["web:7006"]).works();
    assert_eq!(tried(), ["7005 refused", "7006 answered"]);
    let status = network.home.run(&["status"]).data;
    assert!(
        status.contains("web:7005 refused the last connection, "),
        "{status}"
    );
    assert!(!status.contains("web:7006 "), "{status}");

    // Real connections have the same outcomes as probes. A flow is still listed after its end.
    let address = |port: u16| (network.vip(1), port);
    drop(TcpStream::connect(address(7006)).unwrap());
    let mut refused = TcpStream::connect(address(7005)).unwrap();
    refused.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(refused.read(&mut [0]).is_err(), "a reset");
    assert_eq!(tried(), ["7005 refused", "7006 answered"]);
    let ended = network.home.json(&["flows", "--ended", "--json"]);
    let flows = ended["ended"].as_array().unwrap();
    let last = flows.last().unwrap_or_else(|| panic!("{ended:#}"));
    assert_eq!(
        (&last["name"], &last["outcome"], &last["from"], &last["to"]),
        (
            &"web:7005".into(),
            &"refused".into(),
            &"laptop".into(),
            &"web".into()
        )
    );
    let table = network
        .home
        .run(&["flows", "--ended", "--host", "web"])
        .data;
    assert!(
        table.lines().nth(1).unwrap().contains(" refused "),
        "{table}"
    );
}

/// To the resolver, the text 0x7f003e33 is 127.0.62.51. A name in the hosts file would resolve in the same way.
#[cfg(target_os = "linux")]
#[test]
fn a_target_that_stands_for_the_network_itself_is_not_dialled() {
    let network = Network::new("why-circle", 50, "'7001:0x7f003e33:7001'");
    let why = network.why(&["web:7001"]);
    let (text, _) = why.broken("dial");
    assert!(text.contains("an address of this network"), "{text}");
    // The connection is refused. It does not come back to the port as a new connection.
    let client = TcpStream::connect((network.vip(1).as_str(), 7001));
    let read = client.and_then(|mut client| {
        client.set_read_timeout(Some(PATIENCE))?;
        client.read(&mut [0])
    });
    assert!(read.is_err(), "{read:?}");
}
