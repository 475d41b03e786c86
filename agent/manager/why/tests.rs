//! Tests of the words for a connection: a test gives a plan, the states of hosts and the replies of agents.

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{
    destination::Destination,
    link::{AgentQuestion, AgentReply},
    plan::{self, HostPlan, Plan},
    view::{HostState, HostView, Snapshot, Trouble, TryOutcome, WhyOutcome, WhyView},
    wire::{
        Cause,
        probe::{Found, Probe},
    },
};

const MANIFEST: &str = "
hosts:
  laptop:
    vip: 127.0.42.100
    http: {listen: '127.0.0.1:18080'}
  web1:
    vip: 127.0.42.101
    cmd: ssh web1 norouter
    aliases: [www]
    ports: ['8080:127.0.0.1:80', '8443:shop.internal:443']
  office:
    vip: 127.0.42.102
    cmd: ssh office norouter
    loopback: {disable: true}
    dns: {disable: true}
    stateDir: {disable: true}
  spare:
    vip: 127.0.42.103
    cmd: ssh spare norouter
routes:
- {via: [office, spare], to: ['10.0.0.0/8', '*.internal'], notTo: ['10.9.0.0/16', 'old.internal']}
";

const POLICY: &str = "
policy:
  default: deny
  rules:
  - {from: laptop, to: web1, ports: [8080], action: allow}
  - {from: web1, to: '10.1.0.0/16', action: deny}
  - {from: web1, to: ['10.0.0.0/8', '*.internal'], via: spare, action: allow}
";

/// A plan, the states of its hosts, and the replies that their agents give.
struct World {
    plan: Plan,
    snapshot: Snapshot,
    replies: BTreeMap<Part, AgentReply>,
}

impl World {
    fn new(states: &[(&str, HostState)]) -> Self {
        Self::of(MANIFEST, states)
    }

    fn of(manifest: &str, states: &[(&str, HostState)]) -> Self {
        let plan = plan::load("test.yaml", manifest).plan.unwrap();
        let core = crate::manager::Core::new(&plan, 1);
        let mut snapshot = core.snapshot(crate::time::Instant::ZERO + Duration::from_secs(90));
        for host in &mut snapshot.hosts {
            let state = states.iter().find(|(name, _)| *name == host.name);
            host.state = state.map_or(HostState::Ready, |(_, state)| *state);
            host.version = Some("0.7.0".to_owned());
        }
        let ok = || AgentReply::Found(Found::default(), Duration::from_millis(2));
        let parts = [Part::Source, Part::Destination, Part::Listener, Part::Dial];
        Self {
            plan,
            snapshot,
            replies: parts.into_iter().map(|part| (part, ok())).collect(),
        }
    }

    fn with(mut self, part: Part, reply: AgentReply) -> Self {
        self.replies.insert(part, reply);
        self
    }

    fn finds(self, part: Part, cause: Cause, reason: &str) -> Self {
        let found = Found {
            cause: Some(cause),
            reason: reason.to_owned(),
            instead: None,
        };
        self.with(part, AgentReply::Found(found, Duration::from_millis(3)))
    }

    fn inquiry(&self, target: &str, from: Option<&str>) -> Inquiry {
        let target = Destination::parse(target, None).unwrap();
        let from = from.map(|from| {
            let mut hosts = self.plan.hosts.iter();
            hosts.find(|host| host.name.as_str() == from).unwrap().vip
        });
        Inquiry::new(&self.plan, self.snapshot.clone(), target, from).unwrap()
    }

    /// The explanation of a connection, with the reply of each agent that is asked.
    fn why(&self, target: &str, from: Option<&str>) -> WhyView {
        let inquiry = self.inquiry(target, from);
        let asked = inquiry.questions();
        let replies = asked
            .iter()
            .map(|(part, ..)| (*part, self.replies[part].clone()));
        inquiry.explain(&replies.collect())
    }
}

/// The names of the steps in one line. A sign before each name stands for the step's outcome.
fn outcomes(why: &WhyView) -> String {
    let steps = why.steps.iter().map(|step| match step.outcome {
        WhyOutcome::Ok => step.step.clone(),
        WhyOutcome::Failed => format!("{}!", step.step),
        WhyOutcome::Unknown => format!("{}?", step.step),
        WhyOutcome::Skipped => format!("({})", step.step),
    });
    steps.collect::<Vec<_>>().join(" ")
}

/// The text and the remedy of the first step that fails, which must be `step`.
#[track_caller]
fn broken<'a>(why: &'a WhyView, step: &str) -> (&'a str, &'a str) {
    let failed = why.first_failed().unwrap();
    assert_eq!(failed.step, step, "{why:#?}");
    (&failed.text, failed.remedy.as_deref().unwrap())
}

fn text<'a>(why: &'a WhyView, step: &str) -> &'a str {
    &why.steps.iter().find(|it| it.step == step).unwrap().text
}

#[test]
fn a_connection_that_works_is_told_step_by_step() {
    let why = World::new(&[]).why("www:8080", None);
    assert_eq!((&why.target[..], &why.from[..]), ("www:8080", "laptop"));
    assert_eq!(outcomes(&why), "name rule source destination listener dial");
    assert!(text(&why, "name").starts_with("www is another name of web1, at 127.0.42.101; "));
    assert_eq!(
        text(&why, "rule"),
        "web1 publishes 8080 and connects to 127.0.0.1:80 for it"
    );
    assert_eq!(text(&why, "destination"), "web1 has been ready for 1 min");
    assert_eq!(
        text(&why, "listener"),
        "laptop listens on 127.0.42.101:8080"
    );
    let took: Vec<_> = why.steps.iter().map(|step| step.took_us).collect();
    let probed = Some(2_000);
    assert_eq!(took, [None, None, probed, probed, probed, probed]);
    assert!(why.steps.iter().all(|step| step.remedy.is_none()));
}

#[test]
fn the_agents_on_the_way_are_asked_and_no_others() {
    let world = World::new(&[("office", HostState::Stopped)]);
    let asked = |target: &str, from| -> Vec<String> {
        let questions = world.inquiry(target, from).questions();
        let questions = questions.into_iter();
        questions
            .map(|(part, vip, question)| match question {
                AgentQuestion::Alive => format!("{part:?} {}", world.plan.name_of(vip)),
                AgentQuestion::OpenPorts => format!("{part:?} ports"),
                AgentQuestion::Probe(Probe::Listener { address }) => {
                    format!("{part:?} {} {address}", world.plan.name_of(vip))
                }
                AgentQuestion::Probe(Probe::Dial { host, port }) => {
                    format!("{part:?} {} {host} {port}", world.plan.name_of(vip))
                }
            })
            .collect()
    };
    assert_eq!(
        asked("127.0.42.101:8443", Some("spare")),
        [
            "Source spare",
            "Listener spare 127.0.42.101:8443",
            "Destination web1",
            "Dial web1 127.0.42.101 8443",
        ]
    );
    assert_eq!(
        asked("db.internal:5432", None),
        [
            "Source laptop",
            "Listener laptop 127.0.0.1:18080",
            "Destination spare",
            "Dial spare db.internal 5432",
        ],
        "the first gateway is down"
    );
    assert_eq!(
        asked("10.1.1.1:22", Some("spare")),
        ["Source spare", "Dial spare 10.1.1.1 22"]
    );
    assert_eq!(asked("web1:1", None), ["Source laptop", "Destination web1"]);
    for outside in [
        "example.com:443",
        "10.9.1.1:80",
        "nobody:80",
        "127.0.42.7:80",
    ] {
        assert_eq!(asked(outside, None), [""; 0], "{outside}");
    }
}

#[test]
fn a_name_that_nobody_has_is_guessed() {
    let world = World::new(&[]);
    let why = world.why("wbe1:8080", None);
    assert_eq!(outcomes(&why), "name! (rule) (listener) (dial)");
    let (text, remedy) = broken(&why, "name");
    assert!(
        text.starts_with("wbe1 is no host of this network"),
        "{text}"
    );
    assert!(remedy.starts_with("did you mean web1:8080? "), "{remedy}");
    assert!(
        remedy.ends_with("are: laptop, office, spare, web1, www"),
        "{remedy}"
    );
    let why = world.why("printer.norouter:80", None);
    assert!(!broken(&why, "name").1.contains("did you mean"));
    broken(&world.why("127.0.42.7:80", None), "name");
}

#[test]
fn what_is_outside_goes_out_directly_and_breaks_nothing() {
    let world = World::new(&[]);
    for (target, rule) in [
        ("example.com:443", "no route leads there: "),
        ("192.0.2.1:443", "no route leads there: "),
        ("localhost:80", "no route leads there: "),
        ("169.254.169.254:80", "no route leads there: "),
        (
            "10.9.1.1:80",
            "the route to 10.0.0.0/8, *.internal makes an exception of it (notTo): ",
        ),
        (
            "old.internal:80",
            "the route to 10.0.0.0/8, *.internal makes an exception of it (notTo): ",
        ),
    ] {
        let why = world.why(target, None);
        assert_eq!(outcomes(&why), "name rule (listener) (dial)", "{target}");
        let rest = text(&why, "rule").strip_prefix(rule).unwrap_or_default();
        assert_eq!(
            rest,
            "it is not part of the network, and connections go out directly on laptop"
        );
    }
}

#[test]
fn a_port_that_is_not_published_comes_with_those_that_are() {
    let why = World::new(&[]).why("web1:8081", None);
    assert_eq!(
        outcomes(&why),
        "name rule! source destination (listener) (dial)"
    );
    let (text, remedy) = broken(&why, "rule");
    assert_eq!(text, "web1 does not publish 8081; it publishes 8080, 8443");
    assert!(
        remedy.contains("add \"8081:127.0.0.1:8081\" to the ports of web1"),
        "{remedy}"
    );
    let nothing = World::new(&[]).why("spare:80", None);
    assert_eq!(
        broken(&nothing, "rule").0,
        "spare does not publish 80; it publishes no port"
    );
}

#[test]
fn a_host_that_is_not_up_says_what_it_needs() {
    for (state, does) in [
        (HostState::Stopped, "run: norouter start web1"),
        (HostState::Refused, "correct what the reason says, "),
        (
            HostState::Waiting,
            "it is tried again by itself; norouter start web1 tries at once",
        ),
        (
            HostState::NeedsYou,
            "give it what it asks for: norouter answer web1",
        ),
        (
            HostState::Greeting,
            "it is being started; run: norouter wait web1",
        ),
    ] {
        let world = World::new(&[("web1", state)]).with(Part::Destination, AgentReply::NotUp);
        let world = world.with(Part::Dial, AgentReply::NotUp);
        let why = world.why("web1:8080", None);
        assert_eq!(
            outcomes(&why),
            "name rule source destination! (listener) (dial)"
        );
        let (text, remedy) = broken(&why, "destination");
        assert!(text.contains(state.word()), "{text}");
        assert!(remedy.starts_with(does), "{remedy}");
    }
    let silent = World::new(&[]).with(Part::Source, AgentReply::Silent);
    let why = silent.why("web1:8080", None);
    assert_eq!(broken(&why, "source").1, "run: norouter restart laptop");
}

#[test]
fn a_host_that_says_what_to_do_is_not_waited_for_and_logs_are_named_if_there_are_any() {
    let view = |state, remedy: Option<&str>, stderr: &[&str]| HostView {
        name: "web1".to_owned(),
        state,
        troubles: vec![Trouble {
            remedy: remedy.map(str::to_owned),
            ..Trouble::default()
        }],
        stderr: stderr.iter().map(|&line| line.to_owned()).collect(),
        ..HostView::default()
    };
    for (view, told) in [
        (
            view(HostState::Greeting, Some("run it by hand"), &[]),
            "do what the reason says; norouter stop web1 ends the command",
        ),
        (
            view(HostState::Greeting, None, &[]),
            "it is being started; run: norouter wait web1",
        ),
        (
            view(HostState::Waiting, Some("run it by hand"), &[]),
            "do what the reason says; the manifest is read again by itself, and norouter start web1 tries at once",
        ),
        (
            view(HostState::Waiting, None, &["moon"]),
            "it is tried again by itself; norouter logs web1 shows what its command said, norouter start web1 tries at once",
        ),
    ] {
        assert_eq!(remedies::host(&view), told);
    }
}

#[test]
fn a_listener_that_is_refused_comes_with_a_command_to_look() {
    let taken = World::new(&[]).finds(Part::Listener, Cause::InUse, "address already in use");
    let why = taken.why("web1:8080", None);
    let (text, remedy) = broken(&why, "listener");
    assert_eq!(
        text,
        "laptop cannot listen on 127.0.42.101:8080: address already in use"
    );
    assert!(
        remedy.starts_with("port 8080 of 127.0.42.101 is taken on laptop"),
        "{remedy}"
    );
    assert!(remedy.contains("ss -ltnp \"sport = :8080\""), "{remedy}");
    assert!(
        remedy.ends_with("let web1 publish another port than 8080"),
        "{remedy}"
    );
    let proxy = taken.why("db.internal:5432", None);
    let (text, remedy) = broken(&proxy, "listener");
    assert!(
        text.starts_with("laptop cannot listen on 127.0.0.1:18080: "),
        "{text}"
    );
    assert!(remedy.ends_with("let the proxy of laptop listen on another port than 18080"));

    let denied = World::new(&[]).finds(Part::Listener, Cause::NotPermitted, "no");
    assert!(
        broken(&denied.why("web1:8080", None), "listener")
            .1
            .contains("1024 or more")
    );
}

#[test]
fn the_notes_of_a_host_on_the_way_are_told() {
    let mut world = World::new(&[]);
    world.snapshot.hosts[0].notes = vec!["cannot write the files".to_owned()];
    let why = world.why("web1:8080", None);
    assert!(why.first_failed().is_none());
    assert!(text(&why, "source").ends_with("; it cannot write the files"));
    assert!(!text(&why, "destination").contains("cannot write"));
}

#[test]
fn a_host_without_loopback_or_proxy_has_no_way_into_the_network() {
    let world = World::new(&[]);
    let why = world.why("web1:8080", Some("office"));
    assert_eq!(
        text(&why, "name"),
        "web1 is a host of this network, at 127.0.42.101; office has no proxy, and programs there reach it as \
         127.0.42.101:8080, and do not find the name"
    );
    assert!(
        broken(&why, "listener")
            .1
            .contains("remove \"loopback: {disable: true}\"")
    );
    let why = world.why("db.internal:5432", Some("web1"));
    let (text, remedy) = broken(&why, "listener");
    assert!(
        text.ends_with("only through a proxy, and it has none"),
        "{text}"
    );
    assert!(
        remedy.contains("add \"http: {listen: 127.0.0.1:18080}\" to web1"),
        "{remedy}"
    );
}

#[test]
fn a_dial_that_fails_comes_with_what_to_do_at_the_far_end() {
    for (cause, does) in [
        (
            Cause::Refused,
            "nothing listens on 127.0.0.1:80 as seen from web1: start the server there",
        ),
        (
            Cause::TimedOut,
            "see whether the machine of 127.0.0.1:80 runs, and whether a firewall",
        ),
        (
            Cause::NameNotFound,
            "the resolver of web1 does not know that name: correct it, or run on web1: getent hosts 127.0.0.1 - if that finds",
        ),
        (Cause::Unreachable, "web1 has no way to 127.0.0.1:80"),
        (Cause::NotAllowed, "its agent has another configuration"),
        (Cause::Other, "try it on web1 itself"),
    ] {
        let reason = "127.0.0.1:80 cannot be reached: so it is.";
        let why = World::new(&[])
            .finds(Part::Dial, cause, reason)
            .why("web1:8080", None);
        assert_eq!(
            outcomes(&why),
            "name rule source destination listener dial!"
        );
        let (text, remedy) = broken(&why, "dial");
        assert_eq!(
            text,
            "web1 cannot connect to 127.0.0.1:80; its agent says: 127.0.0.1:80 cannot be reached: so it is"
        );
        assert!(remedy.starts_with(does), "{remedy}");
    }
    let refused = World::new(&[]).finds(Part::Dial, Cause::NotAllowed, "never dialled for others");
    let why = refused.why("db.internal:80", None);
    let (text, remedy) = broken(&why, "dial");
    assert_eq!(
        text,
        "office cannot connect to db.internal:80; its agent says: never dialled for others"
    );
    assert!(remedy.starts_with("see \"to\" and \"notTo\" of the route through office"));
}

#[test]
fn an_agent_that_cannot_be_asked_is_no_proof_of_anything() {
    let mut world = World::new(&[]);
    for part in [Part::Source, Part::Destination, Part::Listener, Part::Dial] {
        world = world.with(part, AgentReply::CannotBeAsked);
    }
    let why = world.why("web1:8080", None);
    assert_eq!(
        outcomes(&why),
        "name rule source destination listener? dial?"
    );
    assert!(text(&why, "dial").contains("web1 (0.7.0) cannot be asked"));
    // The explanation contains the problems that the agent has reported.
    let problem = "cannot listen on 127.0.42.101:8080: taken".to_owned();
    world.snapshot.hosts[0].reason = Some(problem.clone());
    let why = world.why("web1:8080", None);
    assert!(text(&why, "source").contains(&problem));
}

#[test]
fn an_agent_that_did_not_answer_leaves_its_step_open() {
    for reply in [
        AgentReply::Silent,
        AgentReply::Lost,
        AgentReply::Busy,
        AgentReply::Unable("no".to_owned()),
    ] {
        let why = World::new(&[])
            .with(Part::Dial, reply)
            .why("web1:8080", None);
        assert_eq!(
            outcomes(&why),
            "name rule source destination listener dial?"
        );
    }
}

#[test]
fn a_gateway_connects_by_itself_and_another_takes_its_place() {
    let why = World::new(&[]).why("10.1.1.1:22", Some("spare"));
    assert_eq!(outcomes(&why), "name rule source (listener) dial");
    assert!(text(&why, "rule").ends_with("; spare connects by itself"));
    let down = World::new(&[("office", HostState::Waiting)]);
    let why = down.why("10.1.1.1:22", None);
    assert_eq!(outcomes(&why), "name rule source gateway listener dial");
    assert!(text(&why, "gateway").ends_with("; it takes the place of office"));
}

#[test]
fn what_the_agents_serve_themselves_needs_no_dial() {
    let why = World::new(&[]).why("web1:10053", None);
    assert_eq!(outcomes(&why), "name rule source destination listener dial");
    assert_eq!(text(&why, "dial"), "the agent of web1 serves it by itself");
}

#[test]
fn a_connection_begins_on_the_managers_own_host_or_on_one_that_is_up() {
    let world = World::new(&[("web1", HostState::Stopped)]);
    assert_eq!(world.why("web1:8080", None).from, "laptop");
    let mut without = World::new(&[("web1", HostState::Stopped)]);
    without.plan.hosts.remove(0);
    let target = || Destination::parse("web1:8080", None).unwrap();
    let from = |plan: &Plan, snapshot: &Snapshot| {
        let inquiry = Inquiry::new(plan, snapshot.clone(), target(), None);
        inquiry.map(|inquiry| plan.name_of(inquiry.from))
    };
    assert_eq!(from(&without.plan, &without.snapshot).unwrap(), "office");
    without.plan.hosts.clear();
    assert_eq!(from(&without.plan, &without.snapshot), None);
}

#[test]
fn the_rule_of_the_policy_that_refuses_is_named_and_nobody_is_asked_to_try() {
    let world = World::of(&format!("{MANIFEST}{POLICY}"), &[]);
    let why = world.why("web1:8080", Some("laptop"));
    assert_eq!(why.first_failed(), None, "{why:#?}");
    let rule = why.steps.iter().find(|step| step.step == "rule").unwrap();
    assert!(
        rule.text
            .contains("rule 1 of the policy (line 26) allows it"),
        "{rule:?}"
    );

    let why = world.why("web1:8443", Some("laptop"));
    let (text, remedy) = broken(&why, "rule");
    assert!(text.contains("web1 publishes 8443"), "{text}");
    assert!(
        text.contains("the default of the policy refuses it to laptop"),
        "{text}"
    );
    assert!(remedy.contains("check --matrix"), "{remedy}");
    let inquiry = world.inquiry("web1:8443", Some("laptop"));
    let asked: Vec<_> = inquiry
        .questions()
        .into_iter()
        .map(|(part, ..)| part)
        .collect();
    assert_eq!(asked, [Part::Source, Part::Destination]);
}

#[test]
fn the_way_is_the_gateway_that_the_policy_allows() {
    let world = World::of(&format!("{MANIFEST}{POLICY}"), &[]);
    let why = world.why("10.1.2.3:443", Some("web1"));
    let (text, _) = broken(&why, "rule");
    assert!(
        text.contains("rule 2 of the policy (line 27) refuses it to web1"),
        "{text}"
    );
    let inquiry = world.inquiry("10.2.0.1:443", Some("web1"));
    let spare = world.plan.hosts[3].vip;
    assert_eq!(inquiry.far(), Some(spare));
    // Only the gateway knows the address of the name.
    let why = world.why("db.internal:443", Some("web1"));
    let rule = why.steps.iter().find(|step| step.step == "rule").unwrap();
    assert!(
        rule.text.contains("by the address of the name, rule 2"),
        "{rule:?}"
    );
}

#[test]
fn a_server_on_the_other_loopback_address_is_named_with_the_entry_that_finds_it() {
    let elsewhere = |instead: &str, cause| {
        let found = Found {
            cause: Some(cause),
            reason: "connection refused".to_owned(),
            instead: Some(instead.parse().unwrap()),
        };
        let reply = AgentReply::Found(found, Duration::from_millis(3));
        World::new(&[]).with(Part::Dial, reply)
    };
    let why = elsewhere("[::1]:80", Cause::Refused).why("web1:8080", None);
    assert_eq!(
        broken(&why, "dial").1,
        "on web1, something listens on [::1]:80, and not on 127.0.0.1:80: write \"8080:[::1]:80\" into the ports of web1 in the \
         manifest, or \"8080:localhost:80\", which tries 127.0.0.1 and [::1]"
    );
    let why = elsewhere("127.0.0.1:80", Cause::Refused).why("web1:8080", None);
    let (_, remedy) = broken(&why, "dial");
    assert!(
        remedy.contains(": write \"8080:127.0.0.1:80\" "),
        "{remedy}"
    );
    // An agent may suggest any address. The manager passes the suggestion on only if it is a loopback address and the
    // dial was refused.
    for (instead, cause) in [
        ("10.0.0.1:80", Cause::Refused),
        ("[::1]:80", Cause::TimedOut),
    ] {
        let why = elsewhere(instead, cause).why("web1:8080", None);
        let (_, remedy) = broken(&why, "dial");
        assert!(!remedy.contains("localhost"), "{remedy}");
    }
}

#[test]
fn a_probe_tells_whether_the_service_answers_unless_the_port_leads_elsewhere_by_now() {
    let world = World::new(&[]).finds(Part::Dial, Cause::TimedOut, "silence");
    let inquiry = world.inquiry("web1:8080", None);
    let web = world.plan.hosts[1].clone();
    let (vip, port) = (web.vip, crate::addr::Port::new(8080).unwrap());
    let tried = |world: &World, now: &HostPlan| inquiry.tried(now, &world.replies);
    assert_eq!(tried(&world, &web), Some((vip, port, TryOutcome::TimedOut)));
    let world = world.finds(Part::Dial, Cause::NameNotFound, "no name");
    assert_eq!(tried(&world, &web), Some((vip, port, TryOutcome::Refused)));
    let world = world.finds(Part::Dial, Cause::NotAllowed, "another configuration");
    assert_eq!(tried(&world, &web), None);
    let ok = AgentReply::Found(Found::default(), Duration::from_millis(1));
    let world = world.with(Part::Dial, ok);
    assert_eq!(tried(&world, &web), Some((vip, port, TryOutcome::Answered)));
    let mut other = web.clone();
    other.forwards[0].target = other.forwards[1].target.clone();
    assert_eq!(tried(&world, &other), None);
    let silent = world.with(Part::Dial, AgentReply::Silent);
    assert_eq!(tried(&silent, &web), None);
}
