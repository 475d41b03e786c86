//! The JSON messages between manager and agent, as upstream writes them, with our additions. The word "Addition" marks
//! each part that upstream's protocol does not have.
//!
//! Upstream writes `null` for an empty list, and zero values for absent fields; both are read as empty. Unknown fields
//! are ignored, so that each side can be extended.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{null::null_is_empty, probe::Probe};

pub mod feature;
mod features;
mod problem;
mod raw;

pub use self::{
    features::Features,
    problem::{ProblemCode, ProblemReport},
    raw::Raw,
};

/// The operation that gives an agent its configuration.
pub const CONFIGURE: &str = "configure";

/// Addition: an operation that does nothing; its answer shows that the agent is alive. It is requested only of agents
/// that announced [`feature::HEARTBEAT`].
pub const PING: &str = "ping";

/// Addition: the operation that tells an agent which hosts cannot be reached at the moment. It is requested only of
/// agents that announced [`feature::LOST`].
pub const LOST: &str = "lost";

/// Addition: the operation that makes an agent perform the check in a [`Probe`]. It is requested only of agents that
/// announced [`feature::PROBE`].
pub const PROBE: &str = "probe";

/// Addition: the operation that makes an agent list the [`OpenPorts`](super::open_ports::OpenPorts) of its host. It is
/// requested only of agents that announced [`feature::OPEN_PORTS`].
pub const OPEN_PORTS: &str = "openPorts";

/// Addition: the operation that tells an agent that everything before one of its [marks](Event::Mark) has arrived. It has
/// no result, and its id is 0.
pub const MARKED: &str = "marked";

/// A control message, in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A request, from manager to agent.
    Request(Request),
    /// The answer to a request, from agent to manager.
    Result(Outcome),
    /// A message without a request, from agent to manager.
    Event(RawEvent),
}

/// A message as it is encoded: its type, then its content.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    body: &'a RawValue,
}

const REQUEST: &str = "request";
const RESULT: &str = "result";
const EVENT: &str = "event";

/// A request of a manager.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The number that the manager has chosen; the result repeats it.
    pub id: u64,
    /// [`CONFIGURE`], [`PING`], [`LOST`], [`PROBE`], [`OPEN_PORTS`] or [`MARKED`].
    pub op: String,
    /// The arguments of the operation: a [`Configure`], a [`Lost`], a [`Probe`] or a [`Mark`], or nothing.
    #[serde(default)]
    pub args: Raw,
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The request's id.
    pub request_id: u64,
    /// The request's operation.
    pub op: String,
    /// The reason why the request failed; absent or null on success. Upstream's agents may write any JSON value here.
    #[serde(default, skip_serializing_if = "Raw::is_null")]
    pub error: Raw,
    /// The data of a successful request: a [`Greeting`] for [`CONFIGURE`], a [`Found`](super::probe::Found) for
    /// [`PROBE`], [`OpenPorts`](super::open_ports::OpenPorts) for [`OPEN_PORTS`].
    #[serde(default)]
    pub data: Raw,
}

impl Outcome {
    /// The reason why the request failed; `None` if it succeeded.
    pub fn failure(&self) -> Option<String> {
        if self.error.is_null() {
            return None;
        }
        let text = self.error.read::<String>();
        Some(text.unwrap_or_else(|_| self.error.text().to_owned()))
    }
}

/// The agent's answer to its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// The features of the agent; see [`feature`].
    #[serde(default)]
    pub features: Features,
    /// The version of the agent's program.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub version: String,
    /// Addition: the [sum](super::sum::of_control) of the configure request as it arrived; 0 from an agent without
    /// [`feature::SUMS`].
    #[serde(default, deserialize_with = "null_is_empty")]
    pub sum: u16,
}

impl Greeting {
    /// Whether the agent has a feature.
    pub fn has(&self, feature: &str) -> bool {
        self.features.has(feature)
    }
}

/// An event before its type is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawEvent {
    /// The type of the event.
    #[serde(rename = "type")]
    pub kind: String,
    /// The data of the event.
    #[serde(default)]
    pub data: Raw,
}

/// A message that an agent sends without a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Addition, sent only to managers that announced [`feature::PROBLEMS`]: everything that does not work on the
    /// agent's host at the moment. An empty list means that all is well again.
    Problems(Vec<ProblemReport>),
    /// Addition, sent only to managers that announced [`feature::NOTICES`]: a single occurrence that people should know
    /// about.
    Notice(String),
    /// Addresses that a gateway has returned for a name. The agent asks that its packets to these addresses are sent to
    /// that gateway.
    RouteSuggestion(RouteSuggestion),
    /// Addition, sent only to managers that announced [`feature::POLICY`]: requests of hosts that this gateway has
    /// refused because of the policy since its last event of this type.
    Refused(Vec<RefusedAsk>),
    /// Addition, sent only to managers that announced [`feature::MARKS`]: a place in the agent's stream. The manager says
    /// when it has come to that place.
    Mark(Mark),
    /// An event of a type that is not known here.
    Unknown(String),
}

/// A connection that a host has requested from a gateway, and that the policy refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedAsk {
    /// The host's VIP.
    pub from: Ipv4Addr,
    /// A name or an address, and the port; empty for several destinations that are counted together.
    pub to: String,
    /// The number of the rule that refuses the connection; absent if the policy's default refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u16>,
    /// How many times the connection was requested.
    pub times: u64,
}

/// Addresses that a proxy has learned from a gateway, and that are reached through this gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteSuggestion {
    /// The addresses. Upstream may include IPv6 addresses, which no packet of the network can have.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub ip: Vec<IpAddr>,
    /// The gateway's VIP.
    pub route: Ipv4Addr,
}

/// A place in an agent's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The number that the agent has chosen. It is higher than that of the mark before.
    pub number: u64,
}

const MARK_EVENT: &str = "mark";

const ROUTE_SUGGESTION_EVENT: &str = "routeSuggestion";

const PROBLEMS_EVENT: &str = "problems";

const REFUSED_EVENT: &str = "refused";

#[derive(Serialize, Deserialize)]
struct RefusedData {
    #[serde(default, deserialize_with = "null_is_empty")]
    refused: Vec<RefusedAsk>,
}

const NOTICE_EVENT: &str = "notice";

#[derive(Serialize, Deserialize)]
struct NoticeData {
    text: String,
}

#[derive(Serialize, Deserialize)]
struct ProblemsData {
    #[serde(default, deserialize_with = "null_is_empty")]
    problems: Vec<ProblemReport>,
}

impl Event {
    /// The event in the form in which it is encoded.
    pub fn into_raw(self) -> RawEvent {
        match self {
            Self::Problems(problems) => RawEvent {
                kind: PROBLEMS_EVENT.to_owned(),
                data: Raw::of(&ProblemsData { problems }),
            },
            Self::Notice(text) => RawEvent {
                kind: NOTICE_EVENT.to_owned(),
                data: Raw::of(&NoticeData { text }),
            },
            Self::RouteSuggestion(suggestion) => RawEvent {
                kind: ROUTE_SUGGESTION_EVENT.to_owned(),
                data: Raw::of(&suggestion),
            },
            Self::Refused(refused) => RawEvent {
                kind: REFUSED_EVENT.to_owned(),
                data: Raw::of(&RefusedData { refused }),
            },
            Self::Mark(mark) => RawEvent {
                kind: MARK_EVENT.to_owned(),
                data: Raw::of(&mark),
            },
            Self::Unknown(kind) => RawEvent {
                kind,
                data: Raw::default(),
            },
        }
    }
}

impl TryFrom<RawEvent> for Event {
    type Error = serde_json::Error;

    fn try_from(raw: RawEvent) -> Result<Self, serde_json::Error> {
        match raw.kind.as_str() {
            PROBLEMS_EVENT => {
                let data: ProblemsData = raw.data.read()?;
                Ok(Self::Problems(data.problems))
            }
            REFUSED_EVENT => {
                let data: RefusedData = raw.data.read()?;
                Ok(Self::Refused(data.refused))
            }
            ROUTE_SUGGESTION_EVENT => raw.data.read().map(Self::RouteSuggestion),
            MARK_EVENT => raw.data.read().map(Self::Mark),
            NOTICE_EVENT => {
                let data: NoticeData = raw.data.read()?;
                Ok(Self::Notice(data.text))
            }
            _ => Ok(Self::Unknown(raw.kind)),
        }
    }
}

/// The whole configuration of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configure {
    /// The agent's own VIP.
    pub me: Ipv4Addr,
    /// The ports that the agent publishes.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub forwards: Vec<Forward>,
    /// The published ports of every other host.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub others: Vec<Endpoint>,
    /// Every name and alias of the network. The configurations of all agents share them.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub hostname_map: Arc<BTreeMap<String, Ipv4Addr>>,
    /// The HTTP proxy.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub http: Listen,
    /// The SOCKS proxy.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub socks: Listen,
    /// Whether to listen on real loopback addresses.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub loopback: Loopback,
    /// Where hosts files are written.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub state_dir: StateDir,
    /// Whether `/etc/hosts` is maintained.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub write_etc_hosts: bool,
    /// Destinations outside the network, and the hosts that they are reached through.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub routes: Vec<Route>,
    /// The DNS servers inside the network.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub name_servers: Vec<Endpoint>,
    /// Addition: the VIP and port of each gateway's relay, which dials for the proxies of other hosts.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub relays: Vec<Endpoint>,
    /// Addition: the names in `hostname_map` that are host names and not aliases.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub main_names: Arc<Vec<String>>,
    /// Addition: the run id, which no other run of a manager has. If an agent with the same run id and the same address
    /// runs already, it is the predecessor of this one, and has to end.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "String::is_empty"
    )]
    pub manager: String,
    /// Addition: what the manager supports; see [`feature`].
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub features: Vec<String>,
    /// Addition: the rules about who may reach what, as far as they concern the agent; if absent, everybody may reach
    /// everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// The rules about who may reach what, as far as they concern an agent. All fields are required, so that a policy is
/// never applied in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The action for connections that no rule fits: `allow` or `deny`.
    pub default: String,
    /// The rules about connections from, to and through the agent, in the order in which they are tried.
    pub rules: Vec<PolicyRule>,
}

/// One rule of a [`Policy`]. Lists of hosts hold VIPs, or one `*` for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// The number of the rule in the manifest, from 1.
    pub number: u16,
    /// Hosts from which connections are made.
    pub from: Vec<String>,
    /// Hosts to which connections are made.
    pub to: Vec<String>,
    /// Destinations outside the network: CIDR blocks and host name globs, or one `*` for all of them.
    pub beyond: Vec<String>,
    /// Gateways through which the destinations in `beyond` are reached.
    pub via: Vec<String>,
    /// The first and the last port of each range; all ports if the list is empty.
    pub ports: Vec<[u16; 2]>,
    /// The action for these connections: `allow` or `deny`.
    pub action: String,
}

/// The hosts that cannot be reached at the moment, and those that are far away. Each list replaces the previous one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The VIPs of all lost hosts.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub hosts: Vec<Ipv4Addr>,
    /// The VIPs of all hosts whose links have long round trips. Flows from and to them need larger windows.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub far: Vec<Ipv4Addr>,
}

/// A published port of the agent itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// The published port on the agent's VIP.
    pub listen_port: u16,
    /// The dial target: an address, or a name that the agent's host resolves.
    pub connect_ip: String,
    /// The port of the dial target.
    pub connect_port: u16,
    /// The protocol: `tcp`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub proto: String,
}

/// A port at an address of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The VIP.
    pub ip: Ipv4Addr,
    /// The port.
    pub port: u16,
    /// The protocol: `tcp`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub proto: String,
}

/// The address of a proxy; if it is empty, there is no proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listen {
    /// The address as `address:port`; empty if there is no proxy.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub listen: String,
    /// Addition: the path of the file that lists the users of the proxy. The agent expands `~` and `${VAR}` in it. If
    /// the path is empty, only [`Listen::same_user`] restricts who may use the proxy.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "String::is_empty"
    )]
    pub credentials: String,
    /// Addition: if true, programs of other users need the agent's token to use the proxy; see [`feature::SAME_USER`].
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub same_user: bool,
}

/// Whether an agent listens on real loopback addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loopback {
    /// If true, the agent does not listen on real loopback addresses.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub disable: bool,
    /// Addition: if true, only programs of the agent's own user may connect to these addresses; see
    /// [`feature::SAME_USER`].
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub same_user: bool,
}

/// Where an agent keeps its hosts files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateDir {
    /// The folder, with `~` and `${VAR}` for the agent to expand.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub path: String,
    /// If true, the agent keeps no hosts files.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub disable: bool,
}

/// Destinations that are reached through a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// CIDR blocks.
    #[serde(default, rename = "toCIDR", deserialize_with = "null_is_empty")]
    pub to_cidr: Vec<String>,
    /// Host name globs.
    #[serde(default, rename = "toHostnameGlob", deserialize_with = "null_is_empty")]
    pub to_hostname_glob: Vec<String>,
    /// The VIP of the host through which the destinations are reached.
    pub via: Ipv4Addr,
    /// Addition: further gateways, for the time when the host in `via` is down.
    #[serde(
        default,
        rename = "orVia",
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub or_via: Vec<Ipv4Addr>,
    /// Addition: exceptions from `toCIDR` and `toHostnameGlob`, each of them a CIDR block or a host name glob.
    #[serde(
        default,
        rename = "notTo",
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub not_to: Vec<String>,
}

impl Message {
    /// Parses the payload of a control frame. Unknown parts of a message are skipped without being stored, so that
    /// parsing takes one pass and no more memory than the result.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let Envelope { kind, body } = serde_json::from_slice(json)?;
        let body = body.get();
        match kind.as_ref() {
            REQUEST => serde_json::from_str(body).map(Self::Request),
            RESULT => serde_json::from_str(body).map(Self::Result),
            EVENT => serde_json::from_str(body).map(Self::Event),
            _ => Err(serde::de::Error::custom("a message of an unknown type")),
        }
    }

    /// A request that gives an agent its configuration.
    pub fn configure(id: u64, args: &Configure) -> Self {
        Self::Request(Request {
            id,
            op: CONFIGURE.to_owned(),
            args: Raw::of(args),
        })
    }

    /// A request whose answer shows that the agent is alive.
    pub fn ping(id: u64) -> Self {
        Self::Request(Request {
            id,
            op: PING.to_owned(),
            args: Raw::default(),
        })
    }

    /// A request to refuse connections to these lost hosts, and to accept connections to all others.
    pub fn lost(id: u64, lost: &Lost) -> Self {
        Self::Request(Request {
            id,
            op: LOST.to_owned(),
            args: Raw::of(lost),
        })
    }

    /// The news that everything before this mark has arrived.
    pub fn marked(mark: Mark) -> Self {
        Self::Request(Request {
            id: 0,
            op: MARKED.to_owned(),
            args: Raw::of(&mark),
        })
    }

    /// A request to perform the check in `probe`.
    pub fn probe(id: u64, probe: &Probe) -> Self {
        Self::Request(Request {
            id,
            op: PROBE.to_owned(),
            args: Raw::of(probe),
        })
    }

    /// A request to list the open ports of the agent's host.
    pub fn open_ports(id: u64) -> Self {
        Self::Request(Request {
            id,
            op: OPEN_PORTS.to_owned(),
            args: Raw::default(),
        })
    }

    /// The payload of a control frame.
    pub fn to_json(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Request(request) => (REQUEST, Raw::of(request)),
            Self::Result(outcome) => (RESULT, Raw::of(outcome)),
            Self::Event(event) => (EVENT, Raw::of(event)),
        };
        format!(r#"{{"type":"{kind}","body":{}}}"#, body.text()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configure request as an upstream manager writes it.
    const UPSTREAM: &str = r#"{"type":"request","body":{"id":1,"op":"configure","args":{
        "me":"127.0.42.101",
        "forwards":[{"listen_port":8080,"connect_ip":"127.0.0.1","connect_port":80,"proto":"tcp"}],
        "others":[{"ip":"127.0.42.100","port":8080,"proto":"tcp"}],
        "hostnameMap":{"laptop":"127.0.42.100","web":"127.0.42.101"},
        "http":{"listen":""},"socks":{},"loopback":{"disable":true},
        "stateDir":{"path":"~/.norouter/agent"},"writeEtcHosts":true,
        "routes":[{"toCIDR":["10.0.0.0/8"],"toHostnameGlob":null,"via":"127.0.42.101"}],
        "nameServers":null}}}"#;

    #[test]
    fn an_upstream_request_is_understood() {
        let Message::Request(request) = Message::parse(UPSTREAM.as_bytes()).unwrap() else {
            panic!("not a request");
        };
        assert_eq!((request.id, request.op.as_str()), (1, CONFIGURE));
        let args: Configure = request.args.read().unwrap();
        assert_eq!(args.me, Ipv4Addr::new(127, 0, 42, 101));
        assert_eq!(args.forwards[0].connect_port, 80);
        assert_eq!(args.routes[0].to_cidr, ["10.0.0.0/8"]);
        assert!(args.routes[0].to_hostname_glob.is_empty());
        assert!(args.loopback.disable && args.write_etc_hosts);
        assert!(args.name_servers.is_empty() && args.features.is_empty());
    }

    #[test]
    fn what_we_write_has_upstreams_names() {
        let args = Configure {
            me: Ipv4Addr::new(127, 0, 42, 101),
            forwards: Vec::new(),
            others: Vec::new(),
            hostname_map: Arc::default(),
            http: Listen::default(),
            socks: Listen::default(),
            loopback: Loopback::default(),
            state_dir: StateDir::default(),
            write_etc_hosts: false,
            routes: Vec::new(),
            name_servers: Vec::new(),
            relays: Vec::new(),
            main_names: Arc::default(),
            manager: String::new(),
            features: Vec::new(),
            policy: None,
        };
        let json = Message::configure(7, &args).to_json();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["type"], "request");
        assert_eq!(json["body"]["id"], 7);
        let mut names: Vec<_> = json["body"]["args"].as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(
            names,
            [
                "forwards",
                "hostnameMap",
                "http",
                "loopback",
                "me",
                "nameServers",
                "others",
                "routes",
                "socks",
                "stateDir",
                "writeEtcHosts",
            ]
        );
    }

    #[test]
    fn what_upstream_does_not_know_is_written_only_where_it_is_needed() {
        let plain: Route = serde_json::from_str(r#"{"via":"127.0.42.101"}"#).unwrap();
        let json = serde_json::to_value(&plain).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().collect();
        assert_eq!(names, ["toCIDR", "toHostnameGlob", "via"]);
        let json = serde_json::json!({
            "toCIDR": ["10.0.0.0/8"], "toHostnameGlob": [], "via": "127.0.42.101",
            "orVia": ["127.0.42.102"], "notTo": ["10.9.0.0/16"],
        });
        let route: Route = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(route.or_via, [Ipv4Addr::new(127, 0, 42, 102)]);
        assert_eq!(route.not_to, ["10.9.0.0/16"]);
        assert_eq!(serde_json::to_value(route).unwrap(), json);

        let listen = Listen {
            listen: "127.0.0.1:1".to_owned(),
            credentials: String::new(),
            same_user: false,
        };
        let json = serde_json::to_value(listen).unwrap();
        assert_eq!(json, serde_json::json!({"listen": "127.0.0.1:1"}));
        let loopback = Loopback {
            disable: false,
            same_user: true,
        };
        let json = serde_json::to_value(loopback).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"disable": false, "sameUser": true})
        );
        let json = serde_json::to_value(Loopback::default()).unwrap();
        assert_eq!(json, serde_json::json!({"disable": false}));
    }

    #[test]
    fn a_suggestion_is_read_as_upstream_writes_it() {
        let json = br#"{"type":"event","body":{"type":"routeSuggestion",
            "data":{"ip":["10.0.0.5","fd00::5"],"route":"127.0.42.101"}}}"#;
        let Message::Event(raw) = Message::parse(json).unwrap() else {
            panic!("not an event");
        };
        let event = Event::RouteSuggestion(RouteSuggestion {
            ip: vec![[10, 0, 0, 5].into(), "fd00::5".parse().unwrap()],
            route: Ipv4Addr::new(127, 0, 42, 101),
        });
        assert_eq!(Event::try_from(raw).unwrap(), event);
        assert_eq!(Event::try_from(event.clone().into_raw()).unwrap(), event);
    }

    #[test]
    fn an_upstream_result_is_understood() {
        let json = br#"{"type":"result","body":{"request_id":1,"op":"configure","error":null,
            "data":{"features":["loopback","tcp"],"version":"0.6.5"}}}"#;
        let Message::Result(outcome) = Message::parse(json).unwrap() else {
            panic!("not a result");
        };
        assert_eq!(outcome.failure(), None);
        let greeting: Greeting = outcome.data.read().unwrap();
        assert_eq!(greeting.version, "0.6.5");
        assert!(greeting.has(feature::LOOPBACK) && greeting.has(feature::TCP));
        assert!(!greeting.has(feature::HEARTBEAT));
    }

    #[test]
    fn an_error_of_any_shape_is_a_failure() {
        for (error, words) in [(r#""no""#, "no"), ("{}", "{}"), ("[1]", "[1]")] {
            let json = format!(
                r#"{{"type":"result","body":{{"request_id":1,"op":"configure","error":{error}}}}}"#
            );
            let Message::Result(outcome) = Message::parse(json.as_bytes()).unwrap() else {
                panic!("not a result");
            };
            assert_eq!(outcome.failure().as_deref(), Some(words));
        }
    }

    #[test]
    fn an_event_survives_the_wire_and_a_strange_one_is_named() {
        let event = Event::Problems(vec![ProblemReport {
            what: "listen on 127.0.42.101:80".to_owned(),
            reason: "permission denied".to_owned(),
            code: Some(ProblemCode::Listen),
            address: Some("127.0.42.101:80".parse().unwrap()),
            remedy: Some("publish a higher one".to_owned()),
        }]);
        let json = Message::Event(event.clone().into_raw()).to_json();
        let Message::Event(raw) = Message::parse(&json).unwrap() else {
            panic!("not an event");
        };
        assert_eq!(Event::try_from(raw).unwrap(), event);

        let event = Event::Notice("somebody knocked".to_owned());
        assert_eq!(Event::try_from(event.clone().into_raw()).unwrap(), event);

        let json = br#"{"type":"event","body":{"type":"news","data":{"ip":["10.0.0.5"]}}}"#;
        let Message::Event(raw) = Message::parse(json).unwrap() else {
            panic!("not an event");
        };
        let unknown = Event::Unknown("news".to_owned());
        assert_eq!(Event::try_from(raw).unwrap(), unknown);
    }
}
