//! The explanation of a connection, in words for people who did not write the manifest.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::{
    inquiry::{AtPort, Entrance, Inquiry, OutsideReason, Part, Way},
    remedies,
};
use crate::{
    addr::Vip,
    destination::Host,
    link::AgentReply,
    text::{escape, figures::span},
    view::{HostView, WhyOutcome, WhyStep, WhyView},
    wire::probe::Found,
};

/// The maximum number of ports or names that are listed in a sentence.
const LISTED_MAX: usize = 12;

/// The outcome and the texts of one step, without the step's name.
struct Said {
    outcome: WhyOutcome,
    text: String,
    took: Option<Duration>,
    remedy: Option<String>,
}

impl Said {
    fn new(outcome: WhyOutcome, text: impl Into<String>) -> Self {
        Self {
            outcome,
            text: text.into(),
            took: None,
            remedy: None,
        }
    }

    fn ok(text: impl Into<String>) -> Self {
        Self::new(WhyOutcome::Ok, text)
    }

    fn unknown(text: impl Into<String>) -> Self {
        Self::new(WhyOutcome::Unknown, text)
    }

    fn skipped(text: impl Into<String>) -> Self {
        Self::new(WhyOutcome::Skipped, text)
    }

    fn failed(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..Self::new(WhyOutcome::Failed, text)
        }
    }

    fn took(mut self, took: Duration) -> Self {
        self.took = Some(took);
        self
    }
}

fn explain(inquiry: &Inquiry, replies: &BTreeMap<Part, AgentReply>) -> WhyView {
    let mut steps = Vec::new();
    let mut tell = |step: &str, said: Said| {
        steps.push(WhyStep {
            step: step.to_owned(),
            outcome: said.outcome,
            text: escape(&said.text),
            took_us: said
                .took
                .map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
            remedy: said.remedy.map(|remedy| escape(&remedy)),
        });
    };
    tell("name", inquiry.name());
    tell("rule", inquiry.rule());
    let (source, far) = (inquiry.from, inquiry.far());
    if matches!(inquiry.way, Way::Port(..) | Way::Gateway(..)) {
        tell("source", inquiry.host(source, replies.get(&Part::Source)));
    }
    if let Some(far) = far.filter(|far| *far != source) {
        let step = match inquiry.way {
            Way::Gateway(..) => "gateway",
            Way::Port(..) | Way::Outside(_) | Way::Nowhere(_) => "destination",
        };
        tell(step, inquiry.host(far, replies.get(&Part::Destination)));
    }
    tell("listener", inquiry.listener(replies.get(&Part::Listener)));
    tell("dial", inquiry.dial(far, replies.get(&Part::Dial)));
    WhyView {
        target: inquiry.target.to_string(),
        from: inquiry.called(source),
        steps,
    }
}

impl Inquiry {
    /// Explains the way of the connection in words, with the replies of the agents.
    pub fn explain(&self, replies: &BTreeMap<Part, AgentReply>) -> WhyView {
        explain(self, replies)
    }

    fn name(&self) -> Said {
        let target = &self.target.host;
        match (&self.way, target) {
            (Way::Port(vip, _), Host::Ip(address)) => {
                Said::ok(format!("{address} is the address of {}", self.called(*vip)))
            }
            (Way::Port(vip, _), Host::Name(name)) => {
                let called = self.called(*vip);
                let what = if *name == called {
                    format!("{name} is a host of this network, at {vip}")
                } else {
                    format!("{name} is another name of {called}, at {vip}")
                };
                self.resolution(&what, *vip)
            }
            (Way::Gateway(..), Host::Name(name)) => Said::ok(format!(
                "{name} is a name outside of the network; the gateway resolves it"
            )),
            (Way::Outside(OutsideReason::Special), _) => Said::ok(format!(
                "{target} means the machine itself on every machine"
            )),
            (Way::Outside(_), Host::Name(name)) => {
                Said::ok(format!("{name} is a name outside of the network"))
            }
            (Way::Gateway(..) | Way::Outside(_), Host::Ip(address)) => {
                Said::ok(format!("{address} is an address outside of the network"))
            }
            (Way::Nowhere(meant), _) => self.nowhere(meant.as_deref()),
        }
    }

    /// The step in which programs on the source look up the name of the target. The target is a host of the network
    /// with this VIP.
    fn resolution(&self, what: &str, vip: Vip) -> Said {
        let Some(source) = self.source() else {
            return Said::ok(what);
        };
        let name = &source.name;
        let dns = source
            .dns
            .map(|dns| format!("the DNS server at {}", source.vip.socket(dns)));
        let proxy = || {
            let with_env = source.state_dir.is_some();
            let how = if with_env { " (norouter exec)" } else { "" };
            format!("a proxy{how}")
        };
        let mut ways: Vec<String> = source.has_proxy().then(proxy).into_iter().collect();
        if source.write_etc_hosts {
            ways.push("the hosts file".to_owned());
        }
        if ways.is_empty() {
            let port = self.target.port;
            let only = dns.map_or_else(String::new, |dns| format!(", unless they ask {dns}"));
            return Said {
                remedy: Some(format!(
                    "for names, add \"http: {{listen: 127.0.0.1:18080}}\" or \"writeEtcHosts: true\" to {name} in the manifest"
                )),
                ..Said::unknown(format!(
                    "{what}; {name} has no proxy, and programs there reach it as {vip}:{port}, and do not find the name{only}"
                ))
            };
        }
        ways.extend(dns);
        Said::ok(format!(
            "{what}; programs on {name} find it with {}",
            list(&ways)
        ))
    }

    fn nowhere(&self, meant: Option<&str>) -> Said {
        let target = &self.target.host;
        let mut remedy = String::new();
        if let Some(meant) = meant {
            let _ = write!(remedy, "did you mean {meant}:{}? ", self.target.port);
        }
        let names: Vec<_> = self
            .plan
            .names()
            .into_keys()
            .map(ToString::to_string)
            .collect();
        let _ = write!(remedy, "the names of this network are: {}", list(&names));
        Said::failed(
            format!("{target} is no host of this network, and no route leads there"),
            remedy,
        )
    }

    fn rule(&self) -> Said {
        let planned = self.plan_rule();
        if self.plan.policy.is_open() || !self.is_planned() {
            return planned;
        }
        let source = self.called(self.from);
        if let Some(by) = self.denied() {
            let by = self.plan.by_words(by);
            return Said::failed(
                format!("{}, but {by} refuses it to {source}", planned.text),
                format!(
                    "if {source} is to reach it, let a rule of the policy before that one allow it; \
                     norouter check --matrix shows who may reach what"
                ),
            );
        }
        let ruling = self.far().and_then(|far| self.ruling(far));
        let policy = match ruling.map(|ruling| (ruling.allows, ruling.denies)) {
            Some((Some(by), None)) => format!("; {} allows it", self.plan.by_words(by)),
            Some((Some(_), Some(by))) => format!(
                "; by the address of the name, {} may refuse it",
                self.plan.by_words(by)
            ),
            Some((None, _)) | None => String::new(),
        };
        Said {
            text: planned.text + &policy,
            ..planned
        }
    }

    fn plan_rule(&self) -> Said {
        match &self.way {
            Way::Port(vip, at) => self.port_rule(*vip, at),
            Way::Gateway(via, number) => {
                let what = self.route_words(*number);
                let names: Vec<_> = via.iter().map(|vip| self.called(*vip)).collect();
                let via = names.join(", else ");
                if self.entrance() == Entrance::OwnWay {
                    return Said::ok(format!(
                        "the route to {what} goes through {via}; {} connects by itself",
                        self.called(self.from)
                    ));
                }
                Said::ok(format!("the route to {what} goes through {via}"))
            }
            Way::Outside(outside) => {
                let why = match outside {
                    OutsideReason::NoRoute | OutsideReason::Special => {
                        "no route leads there".to_owned()
                    }
                    OutsideReason::Excepted(number) => {
                        let what = self.route_words(*number);
                        format!("the route to {what} makes an exception of it (notTo)")
                    }
                };
                let from = self.called(self.from);
                Said::ok(match self.outward() {
                    Some(proxy) => format!(
                        "{why}: it is not part of the network, and the proxies of {from} go out through your own proxy {proxy}"
                    ),
                    None => format!(
                        "{why}: it is not part of the network, and connections go out directly on {from}"
                    ),
                })
            }
            Way::Nowhere(_) => Said::skipped("nothing in the manifest has this name or address"),
        }
    }

    fn port_rule(&self, vip: Vip, at: &AtPort) -> Said {
        let (host, port) = (self.called(vip), self.target.port);
        match at {
            AtPort::Published(target) => Said::ok(format!(
                "{host} publishes {port} and connects to {target} for it"
            )),
            AtPort::Dns => Said::ok(format!("{port} is the DNS server of {host}'s own agent")),
            AtPort::Relay => Said::ok(format!(
                "at {port} the agent of {host} connects for other agents"
            )),
            AtPort::Udp => Said::failed(
                format!("{host} publishes {port} for UDP, which is not carried yet"),
                format!(
                    "publish it for TCP: add \"{port}:127.0.0.1:{port}\" to the ports of {host}"
                ),
            ),
            AtPort::Nothing => {
                let view = self.view(vip);
                let ports: Vec<_> = view
                    .iter()
                    .flat_map(|view| view.ports.iter().map(u16::to_string))
                    .collect();
                let published = match list(&ports) {
                    none if none.is_empty() => "it publishes no port".to_owned(),
                    ports => format!("it publishes {ports}"),
                };
                Said::failed(
                    format!("{host} does not publish {port}; {published}"),
                    format!(
                        "use a port that it publishes, or add \"{port}:127.0.0.1:{port}\" to the ports of {host} in the \
                         manifest if its service listens on {port} there"
                    ),
                )
            }
        }
    }

    /// The destinations of the route with this number.
    fn route_words(&self, number: usize) -> String {
        let mut routes = self.plan.routes.iter().skip(number);
        let to = routes.next().map(|route| route.to.iter());
        let to: Vec<_> = to.into_iter().flatten().map(ToString::to_string).collect();
        list(&to)
    }

    /// The state of a host that the connection needs.
    fn host(&self, vip: Vip, reply: Option<&AgentReply>) -> Said {
        let name = self.called(vip);
        let Some(view) = self.view(vip) else {
            return Said::unknown(format!("nothing is known of {name}"));
        };
        if !view.state.is_up() {
            return self.down(view);
        }
        let since = span(self.snapshot.now_ms.saturating_sub(view.since_ms));
        let state = match &view.reason {
            Some(reason) => {
                format!("{name} has been up for {since}, but not all is well: {reason}")
            }
            None => format!("{name} has been ready for {since}"),
        };
        let notes = view
            .notes
            .iter()
            .fold(String::new(), |text, note| format!("{text}; it {note}"));
        let state = format!("{state}{notes}{}", self.stands_in(vip));
        match reply {
            Some(AgentReply::Found(_, took)) => Said::ok(state).took(*took),
            Some(AgentReply::Silent) => Said::failed(
                format!("{name} seemed ready, but its agent does not answer any more"),
                format!("run: norouter restart {name}"),
            ),
            Some(AgentReply::Lost | AgentReply::NotUp) => Said::failed(
                format!("{name} was lost a moment ago"),
                format!("it is started again by itself; run: norouter wait {name}"),
            ),
            Some(AgentReply::CannotBeAsked) => Said::ok(format!(
                "{state}; how fast it answers is not known of an agent of its version{}",
                version(view)
            )),
            Some(AgentReply::OpenPorts(_) | AgentReply::Unable(_) | AgentReply::Busy) | None => {
                Said::ok(state)
            }
        }
    }

    /// A remark that names the preferred gateway, if this host stands in for it; otherwise empty.
    fn stands_in(&self, vip: Vip) -> String {
        let Way::Gateway(via, _) = &self.way else {
            return String::new();
        };
        match via.first() {
            Some(first) if via.contains(&vip) && *first != vip && vip != self.from => {
                format!("; it takes the place of {}", self.called(*first))
            }
            _ => String::new(),
        }
    }

    fn down(&self, view: &HostView) -> Said {
        let name = &view.name;
        let mut text = format!("{name} is not up ({})", view.state.word());
        if let Some(reason) = &view.reason {
            let _ = write!(text, ": {reason}");
        }
        if let Some(retry) = &view.retry {
            let _ = write!(text, "; {}", retry.at(self.snapshot.now_ms));
        }
        let remedy = remedies::host(view);
        Said::failed(text, remedy)
    }

    fn listener(&self, reply: Option<&AgentReply>) -> Said {
        if !self.is_served() {
            return Said::skipped("not tried, because an earlier step does not work");
        }
        let source = self.called(self.from);
        let (what, address) = match self.entrance() {
            Entrance::Loopback(address) => (format!("listens on {address}"), address),
            Entrance::Proxy(kind, address) => (format!("serves {kind} on {address}"), address),
            Entrance::OwnWay => {
                return Said::skipped(format!("programs on {source} connect by themselves"));
            }
            Entrance::AgentsOnly => {
                return Said::skipped("it is for agents, and not for programs");
            }
            Entrance::None => return self.no_entrance(),
        };
        if matches!(self.entrance(), Entrance::Loopback(_))
            && let Some(far) = self.far()
            && !self.is_up(far)
        {
            let far = self.called(far);
            return Said::skipped(format!("{source} need not listen while {far} is down"));
        }
        let Some(reply) = reply else {
            return Said::skipped(format!("{source} was not asked"));
        };
        match self.found(reply, &source, self.from) {
            Ok((found, took)) => match found.cause {
                None => Said::ok(format!("{source} {what}")).took(took),
                Some(cause) => {
                    let remedy = self.listener_remedy(cause, address);
                    let text = format!("{source} cannot listen on {address}: {}", found.reason);
                    Said::failed(text, remedy).took(took)
                }
            },
            Err(said) => said,
        }
    }

    fn no_entrance(&self) -> Said {
        let source = self.called(self.from);
        let add = format!("add \"http: {{listen: 127.0.0.1:18080}}\" to {source} in the manifest");
        match self.way {
            Way::Gateway(..) => Said::failed(
                format!("programs on {source} follow routes only through a proxy, and it has none"),
                format!("{add}, and set the proxy in your programs (norouter env)"),
            ),
            Way::Port(..) | Way::Outside(_) | Way::Nowhere(_) => Said::failed(
                format!(
                    "{source} listens on no loopback address (loopback is disabled), and has no proxy"
                ),
                format!("remove \"loopback: {{disable: true}}\" of {source}, or {add}"),
            ),
        }
    }

    fn dial(&self, far: Option<Vip>, reply: Option<&AgentReply>) -> Said {
        let Some(far) = far.filter(|_| self.is_served()) else {
            return match self.way {
                Way::Outside(_) => {
                    Said::skipped("the network has no part in it, and does not connect to try it")
                }
                Way::Port(..) | Way::Gateway(..) | Way::Nowhere(_) => {
                    Said::skipped("not tried, because an earlier step does not work")
                }
            };
        };
        let host = self.called(far);
        if !self.is_up(far) {
            return Said::skipped(format!("{host} is not up"));
        }
        let target = match &self.way {
            Way::Port(_, AtPort::Published(target)) => target.clone(),
            Way::Port(..) => {
                let own = format!("the agent of {host} serves it by itself");
                return match reply {
                    Some(AgentReply::Found(Found { cause: None, .. }, took)) => {
                        Said::ok(own).took(*took)
                    }
                    _ => Said::unknown(own),
                };
            }
            Way::Gateway(..) | Way::Outside(_) | Way::Nowhere(_) => self.target.to_string(),
        };
        let Some(reply) = reply else {
            return Said::skipped(format!("{host} was not asked"));
        };
        match self.found(reply, &host, far) {
            Ok((Found { cause: None, .. }, took)) => Said::ok(format!(
                "{host} has connected to {target}, and closed that again"
            ))
            .took(took),
            Ok((found, took)) => {
                let reason = found.reason.trim_end_matches('.');
                Said::failed(
                    format!("{host} cannot connect to {target}; its agent says: {reason}"),
                    self.dial_remedy(found, &host, &target),
                )
                .took(took)
            }
            Err(said) => said,
        }
    }

    /// The findings of an agent, and how long its reply took. If the agent has no findings, the error says why, in
    /// words.
    fn found<'a>(
        &self,
        reply: &'a AgentReply,
        host: &str,
        vip: Vip,
    ) -> Result<(&'a Found, Duration), Said> {
        match reply {
            AgentReply::Found(found, took) => Ok((found, *took)),
            AgentReply::Unable(reason) => {
                Err(Said::unknown(format!("{host} cannot tell: {reason}")))
            }
            AgentReply::Silent => Err(Said::unknown(format!("{host} has not answered in time"))),
            AgentReply::Lost => Err(Said::unknown(format!("{host} was lost before it answered"))),
            AgentReply::NotUp => Err(Said::skipped(format!("{host} is not up"))),
            AgentReply::CannotBeAsked => Err(Said::unknown(format!(
                "the agent of {host}{} cannot be asked; a newer one can",
                self.view(vip).map(version).unwrap_or_default()
            ))),
            AgentReply::OpenPorts(_) => Err(Said::unknown(format!(
                "{host} has answered another question"
            ))),
            AgentReply::Busy => Err(Said::unknown(format!(
                "{host} is being asked too much at the moment"
            ))),
        }
    }
}

/// The version of a host's agent in parentheses; empty if it is not known.
fn version(view: &HostView) -> String {
    let version = view.version.as_ref();
    version
        .map(|version| format!(" ({version})"))
        .unwrap_or_default()
}

/// Words with commas between them; a long list is shortened.
fn list(words: &[String]) -> String {
    let Some(rest) = words.get(LISTED_MAX..).filter(|rest| !rest.is_empty()) else {
        return words.join(", ");
    };
    let shown: Vec<_> = words.iter().take(LISTED_MAX).cloned().collect();
    format!("{} and {} more", shown.join(", "), rest.len())
}
