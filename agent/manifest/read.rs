//! Text to a [`Manifest`] and everything that is wrong with its form. It reads what is good even where the rest is
//! not, so that all problems can be shown at once.

use super::{
    Cmd, Dns, Host, Listen, Loopback, Manifest, Route, SIZE_MAX_BYTES, Settings, StateDir,
    check::check_map,
    problem::{Problem, Span, Spanned},
    schema,
    yaml::{self, Kind, Node},
};

/// The manifest in `text`, as far as it can be read, and its problems. With an error among them the manifest is
/// incomplete.
pub fn read(text: &str) -> (Manifest, Vec<Problem>) {
    if text.len() > SIZE_MAX_BYTES {
        let message = "the manifest is larger than 1 MiB";
        let problem = Problem::error(Span::default(), message);
        return (
            Manifest::default(),
            vec![problem.hint("is this the right file?")],
        );
    }
    let (root, mut problems) = yaml::parse(text);
    let Some(root) = root.filter(|root| !root.is_null()) else {
        if problems.is_empty() {
            problems.push(
                Problem::error(Span::default(), "the manifest is empty")
                    .hint("\"norouter show-example\" prints one to begin with"),
            );
        }
        return (Manifest::default(), problems);
    };
    check_map(&root, &schema::MANIFEST, &mut problems);
    (manifest(&root), problems)
}

fn manifest(root: &Node) -> Manifest {
    let hosts = root.get("hosts").map_or(&[][..], Node::entries);
    Manifest {
        network: root.get("network").and_then(text),
        template: root.get("hostTemplate").map(settings).unwrap_or_default(),
        hosts: hosts
            .iter()
            .filter(|entry| !entry.key.starts_with("x-"))
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
    }
}

fn host(name: Spanned<String>, node: &Node) -> Host {
    Host {
        name,
        vip: node.get("vip").and_then(text),
        cmd: node.get("cmd").and_then(cmd),
        aliases: texts(node.get("aliases")),
        settings: settings(node),
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
        // An empty text means no proxy, as it always did.
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

fn texts(node: Option<&Node>) -> Vec<Spanned<String>> {
    let items = node.map_or(&[][..], Node::items);
    items.iter().filter_map(|item| text(item)).collect()
}

fn text(node: &Node) -> Option<Spanned<String>> {
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
