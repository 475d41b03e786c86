//! Turns text into a [`Manifest`], and collects everything that is wrong with its form. Valid parts are read even if
//! other parts are invalid, so that all problems can be shown at once.

use std::rc::Rc;

use super::{
    check::{self, check_map},
    problem::{Problem, Problems, Span, Spanned},
    schema,
    tree::{
        Cmd, Dns, HOSTS_MAX, Host, Listen, Loopback, Manifest, Pod, Policy, Route, Rule,
        SIZE_MAX_BYTES, Service, Settings, Shell, StateDir, Test,
    },
    value::Content,
    yaml::{self, Entry, Kind, Node},
};

/// Reads the manifest in `text`, and collects its problems. If one of the problems is an error, the manifest may be
/// incomplete.
pub fn read(text: &str) -> (Manifest, Problems) {
    let (root, problems) = parse(text);
    manifest_of(root.as_deref(), problems)
}

/// Does the same as [`read`], and also returns the content of the text, which is missing if the text is not YAML. The
/// text is parsed only once.
pub fn read_with_content(text: &str) -> (Manifest, Problems, Option<Content>) {
    let (root, problems) = parse(text);
    let content = root.as_deref().map(Content::of);
    let (manifest, problems) = manifest_of(root.as_deref(), problems);
    (manifest, problems, content)
}

fn parse(text: &str) -> (Option<Rc<Node>>, Problems) {
    if text.len() <= SIZE_MAX_BYTES {
        return yaml::parse(text);
    }
    let mut problems = Problems::default();
    let message = "the manifest is larger than 1 MiB";
    let problem = Problem::error(Span::default(), message);
    problems.push(problem.hint("is this the right file?"));
    (None, problems)
}

fn manifest_of(root: Option<&Node>, mut problems: Problems) -> (Manifest, Problems) {
    let Some(root) = root.filter(|root| !root.is_null()) else {
        if problems.is_empty() {
            problems.push(
                Problem::error(Span::default(), "the manifest is empty")
                    .hint("\"norouter show-example\" prints one to begin with"),
            );
        }
        return (Manifest::default(), problems);
    };
    check_map(root, &schema::MANIFEST, &mut problems);
    if let Some(entry) = hosts(root).nth(HOSTS_MAX) {
        let message = format!("this is host {} of the network", HOSTS_MAX + 1);
        let hint = format!("a network has at most {HOSTS_MAX} hosts: make several networks of it");
        problems.push(Problem::error(entry.key_span, message).hint(hint));
    }
    (manifest(root), problems)
}

/// The entries of `hosts` that are hosts.
fn hosts(root: &Node) -> impl Iterator<Item = &Entry> {
    let entries = root.get("hosts").map_or(&[][..], Node::entries);
    entries.iter().filter(|entry| !entry.key.starts_with("x-"))
}

fn manifest(root: &Node) -> Manifest {
    Manifest {
        network: root.get("network").and_then(text),
        template: root.get("hostTemplate").map(settings).unwrap_or_default(),
        hosts: hosts(root)
            .take(HOSTS_MAX)
            .map(|entry| {
                let name = Spanned {
                    value: entry.key.to_string(),
                    span: entry.key_span,
                };
                host(name, &entry.value)
            })
            .collect(),
        routes: root
            .get("routes")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|item| route(item))
            .collect(),
        policy: root
            .get("policy")
            .filter(|node| !node.is_null())
            .map(policy),
    }
}

fn host(name: Spanned<String>, node: &Node) -> Host {
    Host {
        name,
        vip: node.get("vip").and_then(text),
        cmd: node.get("cmd").and_then(cmd),
        shells: shells(node),
        aliases: texts(node.get("aliases")),
        settings: settings(node),
        has_misspelt_cmd: check::has_misspelt_cmd(node),
    }
}

fn settings(node: &Node) -> Settings {
    Settings {
        ports: texts(node.get("ports")),
        http: node.get("http").map(listen),
        socks: node.get("socks").map(listen),
        dns: node.get("dns").map(|dns| Dns {
            listen: dns.get("listen").and_then(text),
            disable: dns.get("disable").and_then(flag),
        }),
        loopback: node.get("loopback").map(|loopback| Loopback {
            disable: loopback.get("disable").and_then(flag),
            allow: loopback.get("allow").and_then(text),
        }),
        state_dir: node.get("stateDir").map(|dir| StateDir {
            span: dir.span,
            path_on_agent: dir.get("pathOnAgent").and_then(text),
            disable: dir.get("disable").and_then(flag),
        }),
        write_etc_hosts: node.get("writeEtcHosts").and_then(flag),
    }
}

fn listen(node: &Node) -> Listen {
    Listen {
        // An empty text means no proxy, as in all earlier versions.
        listen: node
            .get("listen")
            .and_then(text)
            .filter(|listen| !listen.value.is_empty()),
        allow_remote: node.get("allowRemote").and_then(flag),
        credentials: node
            .get("credentials")
            .and_then(text)
            .filter(|file| !file.value.is_empty()),
        allow: node.get("allow").and_then(text),
    }
}

fn cmd(node: &Node) -> Option<Spanned<Cmd>> {
    let value = match &node.kind {
        Kind::Scalar { text, .. } => Cmd::Line(text.clone()),
        Kind::List(_) => Cmd::Words(texts(Some(node))),
        Kind::Map(_) => return None,
    };
    Some(Spanned {
        value,
        span: node.span,
    })
}

/// The programs whose name is a key of a host.
const PROGRAMS: [&str; 4] = ["docker", "podman", "lxc", "wsl"];

fn shells(node: &Node) -> Vec<Spanned<Shell>> {
    let spanned = |node: &Node, value| Spanned {
        value,
        span: node.span,
    };
    let ssh = node.get("ssh").and_then(|node| {
        let words = cmd(node)?;
        Some(spanned(node, Shell::Ssh(words.value)))
    });
    let named = PROGRAMS.into_iter().filter_map(|program| {
        let node = node.get(program)?;
        let value = match &node.kind {
            Kind::Map(_) => {
                let part = |name| node.get(name).and_then(text);
                let service = Service {
                    project: part("project"),
                    service: part("service"),
                };
                Shell::Service(program, Box::new(service))
            }
            Kind::Scalar { .. } | Kind::List(_) => Shell::Named(program, text(node)?.value),
        };
        Some(spanned(node, value))
    });
    let kubernetes = node.get("kubernetes").map(|node| {
        let part = |name| node.get(name).and_then(text);
        let pod = Pod {
            context: part("context"),
            namespace: part("namespace"),
            pod: part("pod"),
            deployment: part("deployment"),
            selector: part("selector"),
            container: part("container"),
        };
        spanned(node, Shell::Kubernetes(Box::new(pod)))
    });
    let words = node.get("shell");
    let words = words.map(|node| spanned(node, Shell::Words(texts(Some(node)))));
    ssh.into_iter()
        .chain(named)
        .chain(kubernetes)
        .chain(words)
        .collect()
}

fn route(node: &Node) -> Option<Route> {
    let via = node.get("via")?;
    Some(Route {
        span: node.span,
        via: match via.kind {
            Kind::List(_) => texts(Some(via)),
            Kind::Scalar { .. } => text(via).into_iter().collect(),
            Kind::Map(_) => return None,
        },
        to: texts(node.get("to")),
        not_to: texts(node.get("notTo")),
    })
}

fn policy(node: &Node) -> Policy {
    let items = |key| node.get(key).map_or(&[][..], Node::items).iter();
    let groups = node.get("groups").map_or(&[][..], Node::entries).iter();
    Policy {
        default: node.get("default").and_then(text),
        groups: groups
            .filter(|entry| !entry.key.starts_with("x-"))
            .map(|entry| {
                let name = Spanned {
                    value: entry.key.to_string(),
                    span: entry.key_span,
                };
                (name, texts(Some(&entry.value)))
            })
            .collect(),
        // An item that is not a map is left out here. `check_map` reports it as an error.
        rules: items("rules")
            .filter(|item| matches!(item.kind, Kind::Map(_)))
            .map(|item| Rule {
                span: item.span,
                from: words(item.get("from")),
                to: words(item.get("to")),
                via: words(item.get("via")),
                ports: words(item.get("ports")),
                action: item.get("action").and_then(text),
            })
            .collect(),
        tests: items("tests")
            .filter(|item| matches!(item.kind, Kind::Map(_)))
            .map(|item| Test {
                span: item.span,
                from: words(item.get("from")).unwrap_or_default(),
                to: words(item.get("to")).unwrap_or_default(),
                expect: item.get("expect").and_then(text),
            })
            .collect(),
    }
}

/// The texts of a list. A single text counts as a list of one text. `None` if nothing is written.
fn words(node: Option<&Node>) -> Option<Vec<Spanned<String>>> {
    let node = node.filter(|node| !node.is_null())?;
    Some(match node.kind {
        Kind::Scalar { .. } => text(node).into_iter().collect(),
        Kind::List(_) | Kind::Map(_) => texts(Some(node)),
    })
}

pub(super) fn texts(node: Option<&Node>) -> Vec<Spanned<String>> {
    let items = node.map_or(&[][..], Node::items);
    items.iter().filter_map(|item| text(item)).collect()
}

pub(super) fn text(node: &Node) -> Option<Spanned<String>> {
    Some(Spanned {
        value: node.text()?.to_owned(),
        span: node.span,
    })
}

fn flag(node: &Node) -> Option<Spanned<bool>> {
    Some(Spanned {
        value: node.flag()?,
        span: node.span,
    })
}
