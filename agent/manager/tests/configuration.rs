//! Tests of what each agent is told about proxies, names and routes, and of the features that the agent needs for them.

use super::*;
use crate::{
    link::Demands,
    plan::ProxyPlan,
    route::Route,
    wire::control::{self, Endpoint, feature},
};

const GW: &str = "127.0.42.110";

fn proxy(listen: &str, credentials: Option<&str>) -> ProxyPlan {
    ProxyPlan {
        listen: listen.parse().unwrap(),
        credentials: credentials.map(str::to_owned),
        allow: Allow::Any,
    }
}

fn route(via: &[&str], to: &[&str], not_to: &[&str]) -> Route {
    let targets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Route {
        via: via.iter().map(|via| vip(via)).collect(),
        to: targets(to),
        not_to: targets(not_to),
    }
}

fn plan() -> Plan {
    let mut alpha = host("alpha", A, true);
    alpha.aliases = vec!["aardvark".parse().unwrap()];
    alpha.http = Some(proxy("127.0.0.1:18080", None));
    alpha.socks = Some(proxy("0.0.0.0:18081", Some("~/users")));
    alpha.dns = Some(port(10_053));
    alpha.state_dir = Some("~/.norouter/agent".to_owned());
    alpha.write_etc_hosts = true;
    let mut gate = host("gate", GW, true);
    gate.dns = Some(port(5_353));
    gate.relay = Some(port(10_054));
    Plan {
        hosts: vec![alpha, host("beta", B, true), gate],
        routes: Routes::new(vec![
            route(&[GW], &["10.1.2.3/8", "*.internal", "fd00::/8"], &[]),
            route(&[B, GW, A], &["*"], &["10.9.0.0/16", "*.local"]),
        ]),
        policy: crate::route::policy::Policy::default(),
    }
}

fn told(plan: &Plan, host: usize) -> Configure {
    configure::configure(plan, &configure::Names::of(plan), &plan.hosts[host], "word")
}

fn demands(plan: &Plan, host: usize) -> Demands {
    configure::demands(plan, &plan.hosts[host])
}

fn endpoint(ip: &str, port: u16) -> Endpoint {
    Endpoint {
        ip: ip.parse().unwrap(),
        port,
        proto: "tcp".to_owned(),
    }
}

#[test]
fn every_agent_is_told_all_names_servers_relays_and_routes() {
    let plan = plan();
    for host in 0..3 {
        let args = told(&plan, host);
        assert_eq!(
            args.name_servers,
            [endpoint(A, 10_053), endpoint(GW, 5_353)]
        );
        assert_eq!(args.relays, [endpoint(GW, 10_054)]);
        assert_eq!(*args.main_names, ["alpha", "beta", "gate"]);
        assert_eq!(args.hostname_map["aardvark"].to_string(), A);
        let expected = [
            control::Route {
                to_cidr: vec!["10.1.2.3/8".to_owned(), "fd00::/8".to_owned()],
                to_hostname_glob: vec!["*.internal".to_owned()],
                via: GW.parse().unwrap(),
                or_via: vec![],
                not_to: vec![],
            },
            control::Route {
                to_cidr: vec![],
                to_hostname_glob: vec!["*".to_owned()],
                via: B.parse().unwrap(),
                or_via: vec![GW.parse().unwrap(), A.parse().unwrap()],
                not_to: vec!["10.9.0.0/16".to_owned(), "*.local".to_owned()],
            },
        ];
        assert_eq!(args.routes, expected);
    }
}

#[test]
fn an_agent_is_told_its_own_proxies_and_files_only() {
    let plan = plan();
    let args = told(&plan, 0);
    assert_eq!(args.http.listen, "127.0.0.1:18080");
    assert_eq!(args.http.credentials, "");
    assert_eq!(args.socks.listen, "0.0.0.0:18081");
    assert_eq!(args.socks.credentials, "~/users");
    assert_eq!(args.state_dir.path, "~/.norouter/agent");
    assert!(args.write_etc_hosts && !args.state_dir.disable);
    let other = told(&plan, 1);
    assert_eq!(
        (other.http.listen, other.socks.listen),
        (String::new(), String::new())
    );
    assert!(other.state_dir.disable && !other.write_etc_hosts);
}

#[test]
fn an_agent_understands_what_it_is_told() {
    let plan = plan();
    let mut json = serde_json::to_value(told(&plan, 0)).unwrap();
    assert_eq!(json["routes"][1]["orVia"], serde_json::json!([GW, A]));
    assert_eq!(
        json["routes"][1]["notTo"],
        serde_json::json!(["10.9.0.0/16", "*.local"])
    );
    assert_eq!(json["mainNames"][0], "alpha");
    assert_eq!(json["socks"]["credentials"], "~/users");
    let back: Configure = serde_json::from_value(json.take()).unwrap();
    assert_eq!(back, told(&plan, 0));
}

#[test]
fn what_protects_is_required_and_what_serves_is_wanted() {
    let mut plan = plan();
    let through_all = demands(&plan, 0).required;
    assert_eq!(
        through_all,
        [feature::TCP, feature::CREDENTIALS, feature::NOT_TO]
    );
    plan.routes = Routes::new(vec![route(&[GW], &["*"], &["*.local"])]);
    let Demands { required, wanted } = demands(&plan, 0);
    assert_eq!(required, [feature::TCP, feature::CREDENTIALS]);
    for feature in [
        feature::HTTP,
        feature::SOCKS,
        feature::ROUTES,
        feature::NOT_TO,
        feature::DNS,
        feature::HOST_ALIASES,
        feature::ETC_HOSTS,
        feature::LOOPBACK,
    ] {
        assert!(wanted.contains(&feature), "{feature}");
    }
    // A gateway needs the feature for routes even if it has no proxy.
    let gateway = demands(&plan, 2);
    assert_eq!(gateway.required, [feature::TCP, feature::NOT_TO]);
    assert!(gateway.wanted.contains(&feature::ROUTES));
    assert!(!gateway.wanted.contains(&feature::HTTP));
    assert!(!gateway.wanted.contains(&feature::NOT_TO));
}

#[test]
fn a_host_with_nothing_of_it_demands_nothing_of_it() {
    let mut plan = plan();
    plan.routes = Routes::new(vec![route(&[GW], &["10.0.0.0/8"], &[])]);
    let Demands { required, wanted } = demands(&plan, 1);
    assert_eq!(required, [feature::TCP]);
    assert_eq!(wanted, [feature::LOOPBACK]);
    // An agent that is not a gateway may lack the feature for exceptions, because the gateway applies the exceptions.
    plan.routes = Routes::new(vec![route(&[GW], &["*"], &["*.local"])]);
    let Demands { required, wanted } = demands(&plan, 0);
    assert!(!required.contains(&feature::NOT_TO) && wanted.contains(&feature::NOT_TO));
    plan.routes = Routes::new(vec![route(&[GW], &["10.0.0.0/8"], &[])]);
    // Without exceptions, the feature for exceptions is not wanted. Without routes, the feature for routes is not
    // wanted.
    assert!(!demands(&plan, 0).wanted.contains(&feature::NOT_TO));
    plan.routes = Routes::default();
    assert!(!demands(&plan, 0).wanted.contains(&feature::ROUTES));
}

#[test]
fn credentials_of_either_proxy_are_required() {
    for both in [false, true] {
        let mut plan = plan();
        plan.hosts[0].socks = None;
        let http = proxy("0.0.0.0:1", both.then_some("users"));
        plan.hosts[0].http = Some(http);
        let required = demands(&plan, 0).required;
        assert_eq!(required.contains(&feature::CREDENTIALS), both);
    }
}

#[test]
fn a_gateway_that_knows_no_exceptions_is_refused() {
    let mut core = Core::new(&plan(), 1);
    core.start(NOW);
    core.handle_spawned(NOW, vip(GW), Ok(()));
    let mut hello = greeting(r#""tcp","loopback","http","socks","routes","dns""#);
    core.handle_bytes(NOW, vip(GW), &mut hello);
    assert_eq!(states(&core)[2], HostState::Refused);
    let reason = core.snapshot(NOW).hosts[2].reason.clone().unwrap();
    assert!(
        reason.contains("\"routes.notTo\"")
            && reason.ends_with("take \"notTo\" out of the routes through it"),
        "{reason}"
    );
}

#[test]
fn an_agent_that_does_not_look_who_connects_is_no_agent_for_a_host_that_is_for_one_user() {
    let required = |change: fn(&mut HostPlan)| {
        let mut plan = plan();
        change(&mut plan.hosts[0]);
        demands(&plan, 0).required.contains(&feature::SAME_USER)
    };
    assert!(!required(|_| {}), "any is what it is for by default");
    assert!(required(|host| host.allow = Allow::SameUser));
    let of_http = |host: &mut HostPlan| {
        if let Some(http) = &mut host.http {
            http.allow = Allow::SameUser;
        }
    };
    assert!(required(of_http));
    // An agent that listens on nothing has nobody to keep out.
    assert!(!required(|host| {
        host.allow = Allow::SameUser;
        host.loopback = false;
    }));
    let mut plan = plan();
    plan.hosts[0].allow = Allow::SameUser;
    let configured = configure::configure(&plan, &configure::Names::of(&plan), &plan.hosts[0], "");
    assert!(configured.loopback.same_user && !configured.http.same_user);
}

#[test]
fn an_agent_that_would_let_in_every_user_is_refused() {
    let mut plan = plan();
    plan.hosts[0].allow = Allow::SameUser;
    for (more, state) in [
        ("", HostState::Refused),
        (r#","sameUser""#, HostState::Ready),
    ] {
        let mut core = Core::new(&plan, 1);
        core.start(NOW);
        core.handle_spawned(NOW, vip(A), Ok(()));
        let features =
            r#""tcp","loopback","http","socks","routes","routes.notTo","dns","proxy.credentials""#;
        let mut hello = greeting(&format!("{features}{more}"));
        core.handle_bytes(NOW, vip(A), &mut hello);
        assert_eq!(states(&core)[0], state);
        let reason = core.snapshot(NOW).hosts[0].reason.clone();
        assert_eq!(
            reason.is_some_and(|why| why.contains("allow: any")),
            more.is_empty()
        );
    }
}

#[test]
fn an_agent_that_would_let_everybody_use_the_proxy_is_refused() {
    let mut core = Core::new(&plan(), 1);
    core.start(NOW);
    core.handle_spawned(NOW, vip(A), Ok(()));
    let mut hello = greeting(r#""tcp","loopback","http","socks","routes","routes.notTo","dns""#);
    core.handle_bytes(NOW, vip(A), &mut hello);
    assert_eq!(states(&core)[0], HostState::Refused);
    let reason = core.snapshot(NOW).hosts[0].reason.clone().unwrap();
    assert!(reason.contains("proxy.credentials"), "{reason}");
}
