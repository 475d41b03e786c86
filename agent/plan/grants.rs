//! The set of everything that a plan grants. A person agrees to this set, and a change of the manifest is compared with
//! it.

use std::collections::BTreeSet;

use super::{
    build::DEFAULT_STATE_DIR,
    network::{Allow, HostPlan, Plan, ProxyPlan, Start},
};
use crate::{
    route::{
        Route, Target,
        policy::{Action, Beyond, Hosts, Rule},
    },
    view::Grant,
};

/// The maximum size of all grants of routes together. The size of one grant is 1, plus 1 for each exception (`notTo`).
/// If they would be larger, each route becomes a single grant.
const ROUTES_MAX: usize = 10_000;

/// Each field of a plan is named in this file, even if the field grants nothing. A developer who adds a field therefore
/// has to decide what it grants.
pub fn grants(plan: &Plan) -> BTreeSet<Grant> {
    let Plan {
        hosts,
        routes: _,
        policy,
    } = plan;
    let mut all: BTreeSet<_> = hosts.iter().flat_map(of_host).collect();
    all.extend(of_routes(plan));
    // An added rule can allow less, and a removed rule can allow more, so rules are not compared one by one. The whole
    // policy is one grant, and any change makes it a new grant.
    all.insert(Grant::Reach {
        allows_rest: policy.default_action() == Action::Allow,
        rules: policy
            .rules()
            .iter()
            .map(|rule| words(plan, rule))
            .collect(),
    });
    all
}

/// A rule of the policy in one line.
fn words(plan: &Plan, rule: &Rule) -> String {
    let Rule {
        number: _,
        line: _,
        from,
        to,
        beyond,
        via,
        ports,
        action,
    } = rule;
    let hosts = |hosts: &Hosts| match hosts {
        Hosts::Everybody => "all hosts".to_owned(),
        Hosts::Only(vips) => {
            let names: Vec<_> = vips.iter().map(|vip| plan.name_of(*vip)).collect();
            names.join(" or ")
        }
    };
    let beyond: Vec<_> = match beyond {
        Beyond::Everything => vec!["every route".to_owned()],
        Beyond::Only(targets) => targets.iter().map(ToString::to_string).collect(),
    };
    let beyond = match via {
        Hosts::Only(_) if !beyond.is_empty() => {
            format!("{} through {}", beyond.join(" or "), hosts(via))
        }
        Hosts::Only(_) | Hosts::Everybody => beyond.join(" or "),
    };
    let ports: Vec<_> = ports
        .iter()
        .map(|ports| match (ports.start(), ports.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} to {last}"),
        })
        .collect();
    let word = match action {
        Action::Allow => "allow",
        Action::Deny => "deny",
    };
    let to = [hosts(to), beyond];
    let to: Vec<_> = to.into_iter().filter(|part| !part.is_empty()).collect();
    let ports = if ports.is_empty() {
        String::new()
    } else {
        format!(" at port {}", ports.join(" or "))
    };
    format!("{word} {} to {}{ports}", hosts(from), to.join(" and "))
}

/// Returns the grants of `new` that `old` does not have.
pub fn new_grants(old: &Plan, new: &Plan) -> BTreeSet<Grant> {
    &grants(new) - &grants(old)
}

fn of_host(plan: &HostPlan) -> Vec<Grant> {
    let HostPlan {
        name,
        aliases,
        // The host's loopback address does not change what can be reached.
        vip: _,
        start,
        forwards,
        // The agent of this host also listens for the published ports of other hosts. The grants of those hosts include
        // that.
        loopback,
        allow,
        http,
        socks,
        dns,
        // Only gateways have a relay, and the grants of routes cover gateways.
        relay: _,
        state_dir,
        write_etc_hosts,
    } = plan;
    let host = || name.to_string();
    let here = *start == Start::InProcess;
    let mut all = Vec::new();
    if start.words().is_some() {
        all.push(Grant::Command {
            host: host(),
            command: start.shown(),
        });
    }
    all.extend(start.lookups().into_iter().map(|command| Grant::Lookup {
        host: host(),
        command,
    }));
    all.extend(start.takes_an_agent().then(|| Grant::Install {
        host: host(),
        command: start.shown_instead(),
    }));
    all.extend(forwards.iter().map(|forward| Grant::Publish {
        host: host(),
        port: forward.listen_port.get(),
        protocol: forward.protocol.to_string(),
        target: forward.target.to_string(),
        here,
    }));
    all.extend((dns.is_some() && here).then(|| Grant::Resolver { host: host() }));
    for (proxy, protocol) in [(http, "HTTP"), (socks, "SOCKS")] {
        let Some(ProxyPlan {
            listen,
            allow,
            credentials,
        }) = proxy
        else {
            continue;
        };
        all.push(Grant::Proxy {
            host: host(),
            protocol: protocol.to_owned(),
            listen: listen.to_string(),
            remote: !listen.ip().is_loopback(),
        });
        let is_open = *allow == Allow::Any && credentials.is_none();
        all.extend((here && is_open).then(|| Grant::OtherUsers {
            host: host(),
            place: format!("its proxy ({protocol})"),
        }));
        all.extend(credentials.as_ref().map(|file| Grant::Credentials {
            host: host(),
            file: file.clone(),
        }));
    }
    // This is a grant only on this machine. For hosts with a command, `allow: any` is the default, because programs in
    // containers need it.
    let is_open = here && *loopback && *allow == Allow::Any;
    all.extend(is_open.then(|| Grant::OtherUsers {
        host: host(),
        place: "the published ports of all hosts".to_owned(),
    }));
    all.extend(write_etc_hosts.then(|| Grant::HostsFile { host: host() }));
    // The default folder contains only files of this program.
    let folder = state_dir.as_ref().filter(|it| *it != DEFAULT_STATE_DIR);
    all.extend(folder.map(|folder| Grant::StateDir {
        host: host(),
        folder: folder.clone(),
    }));
    // A name without a dot cannot belong to anybody on the internet.
    let names = std::iter::once(name).chain(aliases);
    let public = names.filter(|name| name.as_str().contains('.'));
    all.extend(public.map(|name| Grant::Name {
        host: host(),
        name: name.to_string(),
    }));
    all
}

/// One grant for each combination of a route's destination and gateway. Each of these grants repeats the exceptions of
/// the route. If all of them together would be larger than [`ROUTES_MAX`], each route is a single grant, and any change
/// makes it a new grant.
fn of_routes(plan: &Plan) -> Vec<Grant> {
    let texts = |targets: &[Target]| -> Vec<String> {
        let texts = targets.iter().map(ToString::to_string);
        texts.collect()
    };
    let sizes = plan.routes.iter().map(|route| {
        let Route { via, to, not_to } = route;
        via.len()
            .saturating_mul(to.len())
            .saturating_mul(1 + not_to.len())
    });
    let is_small = sizes.fold(0, usize::saturating_add) <= ROUTES_MAX;
    let mut all = Vec::new();
    for Route { via, to, not_to } in plan.routes.iter() {
        let (to, not_to) = (texts(to), texts(not_to));
        let via: Vec<_> = via.iter().map(|via| plan.name_of(*via)).collect();
        if is_small {
            let pairs = via
                .iter()
                .flat_map(|via| to.iter().map(move |to| (via, to)));
            all.extend(pairs.map(|(via, to)| Grant::Route {
                to: to.clone(),
                not_to: not_to.clone(),
                via: via.clone(),
            }));
        } else {
            all.push(Grant::Route {
                to: to.join(", "),
                not_to,
                via: via.join(", else "),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{text::shell_line, wire::SHELL_LOOP};

    fn plan(text: &str) -> Plan {
        crate::plan::load("test.yaml", text).plan.unwrap()
    }

    /// The grants of `new` that `old` does not have, in words.
    fn told(old: &str, new: &str) -> Vec<String> {
        let new = new_grants(&plan(old), &plan(new));
        new.iter().map(ToString::to_string).collect()
    }

    const OLD: &str = "
hosts:
  laptop: {dns: {disable: true}}
  web: {cmd: ssh web norouter}
";

    #[test]
    fn everything_that_a_plan_lets_happen_is_said_in_one_sentence() {
        let new = "
hosts:
  laptop:
    ports: ['2222:127.0.0.1:22', '80:10.0.0.1:80']
    aliases: [www.example.com, short]
    stateDir: {pathOnAgent: ~/work}
    writeEtcHosts: true
    http: {listen: '0.0.0.0:8080', allowRemote: true, credentials: ~/users}
    socks: {listen: '127.0.0.1:1080'}
  web: {cmd: ssh web norouter -x, ports: ['5432:localhost:5432', '5433:app.localhost:1']}
routes: [{via: web, to: [10.0.0.0/8, '*.internal'], notTo: [10.1.0.0/16]}]
";
        assert_eq!(
            told(OLD, new),
            [
                "this machine runs, for web: ssh web norouter -x agent --automated",
                "all hosts can connect to 10.0.0.1:80 through this machine, as laptop:80",
                "all hosts can connect to 127.0.0.1:22 of this machine, as laptop:2222",
                "all hosts can connect to localhost:5432 of web, as web:5432",
                "all hosts can connect to app.localhost:1 of web, as web:5433",
                "all hosts can have names looked up by this machine, with the DNS server of laptop",
                "laptop has a proxy (HTTP) at 0.0.0.0:8080, which other machines can use",
                "laptop has a proxy (SOCKS) at 127.0.0.1:1080, for programs on its own machine",
                "laptop reads the users of its proxy from the file \"~/users\"",
                "laptop writes the names of the network into the hosts file of its machine",
                "laptop writes files into the folder \"~/work\"",
                "in the network the name www.example.com leads to laptop, whatever it means elsewhere",
                "connections to *.internal go through web, except those to 10.1.0.0/16",
                "connections to 10.0.0.0/8 go through web, except those to 10.1.0.0/16",
            ]
        );
        assert!(told(new, new).is_empty());
        assert!(
            told(new, "hosts: {laptop: {dns: {disable: true}}}").is_empty(),
            "less is no news"
        );
    }

    #[test]
    fn a_host_that_has_only_a_shell_is_given_an_agent() {
        let sentences = told(OLD, "hosts: {laptop: {}, app: {docker: app}}");
        let told = sentences.iter().map(String::as_str);
        let told: Vec<_> = told.filter(|told| told.contains("app")).collect();
        assert!(told[0].starts_with("this machine runs, for app: docker exec -i app sh -c"));
        assert_eq!(
            told[1],
            "an agent is put on app if there is none, into a folder of the user there, and is run"
        );
    }

    #[test]
    fn a_command_that_may_find_no_norouter_grants_the_way_through_the_shell() {
        let new = "hosts: {laptop: {}, web: {cmd: ssh web norouter}, app: {cmd: docker exec -i app norouter}}";
        let sentences = told("hosts: {laptop: {}}", new);
        for (host, before, script) in [
            ("web", "ssh web", format!("'{SHELL_LOOP}'")),
            ("app", "docker exec -i app", SHELL_LOOP.to_owned()),
        ] {
            let words = before.split(' ').chain(["sh", "-c", &script]);
            let line = shell_line(&words.map(str::to_owned).collect::<Vec<_>>());
            let told = format!(
                "if the command of {host} finds no norouter there, or one that cannot work with this one, this machine runs: {line}; \
                 an agent is put on {host}, into a folder of the user there, and is run"
            );
            assert!(sentences.contains(&told), "{told}\n{sentences:#?}");
        }
    }

    #[test]
    fn what_grants_nothing_is_no_news() {
        let same = "
hosts:
  laptop: {dns: {disable: true}, vip: 127.0.42.9, aliases: [here], loopback: {disable: true}}
  web: {cmd: ssh web norouter, stateDir: {disable: true}}
";
        assert!(told(OLD, same).is_empty());
    }

    #[test]
    fn each_small_change_that_opens_something_is_news() {
        for (old, new) in [
            // A host that publishes a port is on this machine now.
            (
                "hosts: {a: {cmd: x, ports: ['1:127.0.0.1:1']}}",
                "hosts: {a: {dns: {disable: true}, ports: ['1:127.0.0.1:1']}}",
            ),
            // A published port now leads to another service.
            (
                "hosts: {a: {cmd: x, ports: ['1:127.0.0.1:1']}}",
                "hosts: {a: {cmd: x, ports: ['1:127.0.0.1:2']}}",
            ),
            // A route loses one of its exceptions (`notTo`).
            (
                "hosts: {a: {cmd: x}}\nroutes: [{via: a, to: ['*'], notTo: [b.c]}]",
                "hosts: {a: {cmd: x}}\nroutes: [{via: a, to: ['*']}]",
            ),
            // The words of a command are the same, but are grouped differently.
            (
                "hosts: {a: {cmd: [sh, -c, 'x y']}}",
                "hosts: {a: {cmd: [sh, -c, x, y]}}",
            ),
            // A proxy takes its users from a different file.
            (
                "hosts: {a: {cmd: x, http: {listen: ':1', allowRemote: true, credentials: /a}}}",
                "hosts: {a: {cmd: x, http: {listen: ':1', allowRemote: true, credentials: /b}}}",
            ),
            // A new host has a public name.
            (
                "hosts: {a: {cmd: x}}",
                "hosts: {a: {cmd: x}, a.example: {cmd: x, stateDir: {disable: true}}}",
            ),
        ] {
            assert!(!told(old, new).is_empty(), "{new}");
        }
    }

    #[test]
    fn many_gateways_and_exceptions_do_not_multiply() {
        let names: Vec<_> = (0..60).map(|number| format!("h{number}")).collect();
        let hosts: String = names.iter().fold(String::new(), |all, name| {
            all + &format!("{name}: {{cmd: x}}, ")
        });
        let text = |names: &[String]| {
            let list = names.join(", ");
            format!(
                "hosts: {{{hosts}}}\nroutes: [{{via: [{list}], to: [{list}], notTo: [{list}]}}]"
            )
        };
        let (all, fewer) = (plan(&text(&names)), plan(&text(&names[..59])));
        assert_eq!(grants(&all).len(), 60 + 1 + 1);
        assert_eq!(
            new_grants(&all, &fewer).len(),
            1,
            "in doubt it is asked for"
        );
        assert_eq!(grants(&plan(&text(&names[..3]))).len(), 60 + 9 + 1);
    }

    #[test]
    fn no_sentence_obeys_or_hides_what_stands_in_a_manifest() {
        let text = told(OLD, "hosts: {w: {cmd: [sh, \"\\u202ex\"]}}").concat();
        assert!(text.contains("\\u{202e}x"), "{text}");
    }
}
