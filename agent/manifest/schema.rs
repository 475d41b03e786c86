//! Tables of all fields that a manifest may have. The reader checks manifests against these tables, and the JSON schema
//! for editors is made from them.

use super::forms::{BLOCK, FOLDER, FORWARD, LISTEN_ADDRESS, NAME, TARGET, VIP};

/// The form of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Any single value, taken as text.
    Text,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A port, with or without quotes.
    Port,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of ports and of ranges of ports, with or without quotes.
    Ports,
    /// A map from names to lists of texts.
    NamedTexts,
    /// A text, or a list of texts.
    TextOrTexts,
    /// A text, or a map with fixed keys.
    TextOrMap(&'static Level),
    /// A map with fixed keys.
    Map(&'static Level),
    /// A map from names to maps with fixed keys.
    Named(&'static Level),
    /// A list of maps with fixed keys.
    List(&'static Level),
}

/// One key of a map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// The form of a text, or of each text in a list, as a regular expression. It accepts everything that `plan`
    /// accepts. It is only for editors: `plan` itself checks these texts, and says more about what is wrong.
    pub(super) pattern: Option<&'static str>,
    /// The meaning of the key, for a person who points at it in an editor.
    pub(super) doc: &'static str,
    /// An example of a value, as JSON.
    pub(super) example: &'static str,
}

/// The keys of one map.
#[derive(Debug)]
pub(super) struct Level {
    /// The name of the map in messages: "a host".
    pub(super) place: &'static str,
    pub(super) fields: &'static [Field],
    /// Keys that belong in another map. Such a key is an error in this map, whereas an unknown key is only a warning.
    pub(super) refused: &'static [&'static str],
}

pub(super) const fn field(
    name: &'static str,
    shape: Shape,
    doc: &'static str,
    example: &'static str,
) -> Field {
    Field {
        name,
        shape,
        required: false,
        pattern: None,
        doc,
        example,
    }
}

const fn required(field: Field) -> Field {
    Field {
        required: true,
        ..field
    }
}

const fn formed(pattern: &'static str, field: Field) -> Field {
    Field {
        pattern: Some(pattern),
        ..field
    }
}

/// The values of `allow`. It says which users of a host may connect: only the user that the agent runs as, or all
/// users.
pub const ALLOWED: &[&str] = &["same-user", "any"];

/// The keys at the top level of a manifest.
pub(super) static MANIFEST: Level = Level {
    place: "the manifest",
    fields: &[
        formed(
            BLOCK,
            field(
                "network",
                Shape::Text,
                "The block inside 127.0.0.0/8 from which hosts without a vip get their address. Default: 127.0.42.0/24.",
                r#""127.0.42.0/24""#,
            ),
        ),
        field(
            "hostTemplate",
            Shape::Map(&TEMPLATE),
            "Values for every host that does not set them itself. Ports of the template are added to the host's own ports.",
            r#"{"ports": ["8080:127.0.0.1:80"]}"#,
        ),
        required(field(
            "hosts",
            Shape::Named(&HOST),
            "The hosts of the network, by name.",
            r#"{"laptop": {"vip": "127.0.42.100"}}"#,
        )),
        field(
            "routes",
            Shape::List(&ROUTE),
            "Destinations outside the network that are reached through a host. Later routes win over earlier ones.",
            r#"[{"via": "bastion", "to": ["192.168.95.0/24", "*.compute.internal"]}]"#,
        ),
        field(
            "policy",
            Shape::Map(&POLICY),
            "Who may reach what, of all that is published and that routes lead to. Left out: everybody everything.",
            r#"{"default": "deny", "rules": [{"from": "*", "to": "db", "ports": [5432], "action": "allow"}]}"#,
        ),
    ],
    refused: &[],
};

const PORTS: Field = formed(
    FORWARD,
    field(
        "ports",
        Shape::Texts,
        "Ports to publish: LISTENPORT:CONNECTHOST:CONNECTPORT[/tcp|/udp]. The host listens on its VIP and connects from where it is.",
        r#"["8080:127.0.0.1:80", "8443:web.internal:443/tcp", "9000:[::1]:9000"]"#,
    ),
);
const HTTP: Field = field(
    "http",
    Shape::Map(&LISTEN),
    "An HTTP proxy on this host.",
    r#"{"listen": "127.0.0.1:18080"}"#,
);
const SOCKS: Field = field(
    "socks",
    Shape::Map(&LISTEN),
    "A SOCKS 4, 4a and 5 proxy on this host.",
    r#"{"listen": "127.0.0.1:18081"}"#,
);
const DNS: Field = field(
    "dns",
    Shape::Map(&DNS_LEVEL),
    "The DNS server of this host, on its VIP.",
    r#"{"listen": 10053}"#,
);
const LOOPBACK: Field = field(
    "loopback",
    Shape::Map(&LOOPBACK_LEVEL),
    "How this host uses its own loopback addresses.",
    r#"{"disable": true}"#,
);
const STATE_DIR: Field = field(
    "stateDir",
    Shape::Map(&STATE_DIR_LEVEL),
    "The folder on this host for its hosts and hostaliases files.",
    r#"{"pathOnAgent": "~/.norouter/agent"}"#,
);
const WRITE_ETC_HOSTS: Field = field(
    "writeEtcHosts",
    Shape::Flag,
    "Whether the names of the network are written to /etc/hosts on this host (its agent must be allowed to).",
    "true",
);

pub(super) static HOST: Level = Level {
    place: "a host",
    fields: &[
        formed(
            VIP,
            field(
                "vip",
                Shape::Text,
                "The host's address inside 127.0.0.0/8. Left out: assigned from network, by the order of the hosts.",
                r#""127.0.42.101""#,
            ),
        ),
        field(
            "cmd",
            Shape::TextOrTexts,
            "The command that gives a pipe to norouter on the host. Left out: the host is this machine.",
            r#""ssh -o ControlMaster=no -o ClearAllForwardings=yes web1 -- norouter""#,
        ),
        field(
            "ssh",
            Shape::TextOrTexts,
            "A machine that ssh reaches, in place of cmd; nothing needs to be installed there. The destination, or the words of ssh with the destination last.",
            r#""web1""#,
        ),
        field(
            "docker",
            Shape::TextOrMap(&SERVICE),
            "A container of docker, in place of cmd: its name, or a service of compose. It needs nothing but a shell.",
            r#""app""#,
        ),
        field(
            "podman",
            Shape::TextOrMap(&SERVICE),
            "A container of podman, in place of cmd: its name, or a service of compose. It needs nothing but a shell.",
            r#""app""#,
        ),
        field(
            "kubernetes",
            Shape::Map(&KUBERNETES),
            "A container in a pod, in place of cmd. It needs nothing but a shell.",
            r#"{"context": "staging", "deployment": "api"}"#,
        ),
        field(
            "lxc",
            Shape::Text,
            "An instance of LXD or Incus, in place of cmd; nothing needs to be installed there.",
            r#""c1""#,
        ),
        field(
            "wsl",
            Shape::Text,
            "A distribution of WSL on this machine, in place of cmd; nothing needs to be installed there.",
            r#""Debian""#,
        ),
        field(
            "shell",
            Shape::Texts,
            "The words of a command that runs a shell on the host, in place of cmd: \"sh -c SCRIPT\" is appended to them.",
            r#"["ip", "netns", "exec", "h1"]"#,
        ),
        formed(
            NAME,
            field(
                "aliases",
                Shape::Texts,
                "Further names of the host, unique in the network.",
                r#"["nginx", "nginx.example.com"]"#,
            ),
        ),
        PORTS,
        HTTP,
        SOCKS,
        DNS,
        LOOPBACK,
        STATE_DIR,
        WRITE_ETC_HOSTS,
    ],
    refused: &[],
};

static KUBERNETES: Level = Level {
    place: "kubernetes",
    fields: &[
        field(
            "context",
            Shape::Text,
            "The context of the kubeconfig. Without it, the host is in another cluster as soon as you switch to one.",
            r#""staging""#,
        ),
        field(
            "namespace",
            Shape::Text,
            "The namespace. Left out: that of the context.",
            r#""shop""#,
        ),
        field(
            "pod",
            Shape::Text,
            "The pod. Either this, deployment or selector is needed.",
            r#""api-0""#,
        ),
        field(
            "deployment",
            Shape::Text,
            "The deployment. One of its ready pods is chosen at each start, and another one when that pod goes away.",
            r#""api""#,
        ),
        field(
            "selector",
            Shape::Text,
            "The labels of the pods. One that is ready is chosen, as for a deployment.",
            r#""app=api""#,
        ),
        field(
            "container",
            Shape::Text,
            "The container of the pod. Left out: its default one.",
            r#""app""#,
        ),
    ],
    refused: &[],
};

static SERVICE: Level = Level {
    place: "a service of compose",
    fields: &[
        field(
            "service",
            Shape::Text,
            "The service. One of its containers that runs and is not unhealthy is chosen at each start.",
            r#""web""#,
        ),
        field(
            "project",
            Shape::Text,
            "The project of compose that the service belongs to.",
            r#""shop""#,
        ),
    ],
    refused: &[],
};

pub(super) static TEMPLATE: Level = Level {
    place: "hostTemplate",
    fields: &[
        PORTS,
        HTTP,
        SOCKS,
        DNS,
        LOOPBACK,
        STATE_DIR,
        WRITE_ETC_HOSTS,
    ],
    refused: &[
        "vip",
        "cmd",
        "ssh",
        "docker",
        "podman",
        "kubernetes",
        "lxc",
        "wsl",
        "shell",
        "aliases",
    ],
};

static LISTEN: Level = Level {
    place: "a proxy",
    fields: &[
        formed(
            LISTEN_ADDRESS,
            field(
                "listen",
                Shape::Text,
                "The address and port to listen on. If this is left out, there is no proxy.",
                r#""127.0.0.1:18080""#,
            ),
        ),
        field(
            "allowRemote",
            Shape::Flag,
            "Whether other machines may use the proxy. To listen on an address that is not a loopback address, set this and credentials.",
            "true",
        ),
        field(
            "credentials",
            Shape::Text,
            "A file on the host with a line USER:PASSWORD for each user; \"~\" and ${VARIABLES} are those of the host. Users who are not in the file may not use the proxy.",
            r#""~/.norouter/users""#,
        ),
        field(
            "allow",
            Shape::Word(ALLOWED),
            "Which users of the host may use the proxy without credentials: only the user as whom the agent runs (and root), or any. Default: same-user on the host without cmd, any elsewhere.",
            r#""any""#,
        ),
    ],
    refused: &[],
};

static DNS_LEVEL: Level = Level {
    place: "dns",
    fields: &[
        field(
            "listen",
            Shape::Port,
            "The port on the VIP, TCP and UDP. Default: 10053.",
            "10053",
        ),
        field(
            "disable",
            Shape::Flag,
            "Run no DNS server on this host.",
            "true",
        ),
    ],
    refused: &[],
};

static LOOPBACK_LEVEL: Level = Level {
    place: "loopback",
    fields: &[
        field(
            "disable",
            Shape::Flag,
            "Do not listen on the loopback addresses of the network on this host.",
            "true",
        ),
        field(
            "allow",
            Shape::Word(ALLOWED),
            "Which users of the host may connect to these addresses: only the user as whom the agent runs (and root), or any. Default: same-user on the host without cmd, any elsewhere.",
            r#""any""#,
        ),
    ],
    refused: &[],
};

static STATE_DIR_LEVEL: Level = Level {
    place: "stateDir",
    fields: &[
        formed(
            FOLDER,
            field(
                "pathOnAgent",
                Shape::Text,
                "The folder; \"~\" and ${VARIABLES} are those of the host. Default: ~/.norouter/agent.",
                r#""~/.norouter/agent""#,
            ),
        ),
        field(
            "disable",
            Shape::Flag,
            "Write none of these files on this host.",
            "true",
        ),
    ],
    refused: &[],
};

pub(super) static ROUTE: Level = Level {
    place: "a route",
    fields: &[
        required(field(
            "via",
            Shape::TextOrTexts,
            "The host that connects to the destinations: its name, an alias or its VIP. If several hosts are listed, the first one that is up is used.",
            r#"["bastion", "bastion2"]"#,
        )),
        required(formed(
            TARGET,
            field(
                "to",
                Shape::Texts,
                "Destinations: CIDR blocks and host name globs.",
                r#"["192.168.95.0/24", "*.compute.internal"]"#,
            ),
        )),
        formed(
            TARGET,
            field(
                "notTo",
                Shape::Texts,
                "Exceptions from \"to\". Earlier routes may still lead there.",
                r#"["192.168.95.7/32"]"#,
            ),
        ),
    ],
    refused: &[],
};

pub(super) static POLICY: Level = Level {
    place: "policy",
    fields: &[
        formed(
            "^(published|deny)$",
            field(
                "default",
                Shape::Text,
                "What becomes of connections that no rule fits: \"published\", all that is published and routed may be reached, or \"deny\". Default: published.",
                r#""deny""#,
            ),
        ),
        field(
            "groups",
            Shape::NamedTexts,
            "Names for several hosts, to be used in rules and tests.",
            r#"{"web": ["web1", "web2"]}"#,
        ),
        field(
            "rules",
            Shape::List(&RULE),
            "Who may reach what, and who may not. The first rule that fits a connection decides.",
            r#"[{"from": "web", "to": "db", "ports": [5432], "action": "allow"}]"#,
        ),
        field(
            "tests",
            Shape::List(&TEST),
            "What has to be true of the policy. A manifest with a test that fails is not run.",
            r#"[{"from": "web", "to": "db:5432", "expect": "allow"}]"#,
        ),
    ],
    refused: &[],
};

/// The groups of the policy have no fixed fields: a person chooses their names.
pub(super) static GROUPS: Level = Level {
    place: "groups",
    fields: &[],
    refused: &[],
};

pub(super) static RULE: Level = Level {
    place: "a rule",
    fields: &[
        required(field(
            "from",
            Shape::TextOrTexts,
            "Where connections begin: names, aliases or VIPs of hosts, groups, or \"*\" for everybody.",
            r#"["web", "laptop"]"#,
        )),
        field(
            "to",
            Shape::TextOrTexts,
            "Where they go: hosts and groups, CIDR blocks and host name globs that routes lead to, or \"*\" for everything.",
            r#"["db", "10.0.0.0/8", "*.internal"]"#,
        ),
        field(
            "via",
            Shape::TextOrTexts,
            "Only what is reached through these gateways; without \"to\", all of it.",
            r#""bastion""#,
        ),
        field(
            "ports",
            Shape::Ports,
            "The ports that are meant, and ranges of them. Left out: all.",
            r#"[5432, "8000-8010"]"#,
        ),
        required(formed(
            "^(allow|deny)$",
            field(
                "action",
                Shape::Text,
                "What becomes of them: \"allow\" or \"deny\". What is not published or routed stays out of reach.",
                r#""allow""#,
            ),
        )),
    ],
    refused: &[],
};

pub(super) static TEST: Level = Level {
    place: "a test",
    fields: &[
        required(field(
            "from",
            Shape::TextOrTexts,
            "Where the connection begins: hosts, groups, or \"*\". All of them are tried.",
            r#""web""#,
        )),
        required(field(
            "to",
            Shape::TextOrTexts,
            "Where it goes: HOST:PORT, with a host, a group, or a name or an address outside the network.",
            r#""db:5432""#,
        )),
        required(formed(
            "^(allow|deny)$",
            field(
                "expect",
                Shape::Text,
                "\"allow\" if it has to be possible, \"deny\" if it must not be.",
                r#""allow""#,
            ),
        )),
    ],
    refused: &[],
};

impl Level {
    /// Whether the map may have this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|field| field.name == key)
    }
}

/// The maps of a manifest that may have this key. They are named in the hint about a known key in the wrong map.
pub(super) fn places_of(key: &str) -> Vec<&'static str> {
    [
        &MANIFEST,
        &HOST,
        &KUBERNETES,
        &SERVICE,
        &TEMPLATE,
        &LISTEN,
        &DNS_LEVEL,
        &LOOPBACK_LEVEL,
        &STATE_DIR_LEVEL,
        &ROUTE,
        &POLICY,
        &RULE,
        &TEST,
    ]
    .into_iter()
    .filter(|level| level.has(key))
    .map(|level| level.place)
    .collect()
}

/// Whether a host may have this key.
pub fn is_key_of_a_host(key: &str) -> bool {
    HOST.has(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_json() {
        let mut count = 0;
        for level in [
            &MANIFEST,
            &HOST,
            &KUBERNETES,
            &SERVICE,
            &TEMPLATE,
            &LISTEN,
            &DNS_LEVEL,
            &STATE_DIR_LEVEL,
            &ROUTE,
            &POLICY,
            &RULE,
            &TEST,
        ] {
            for field in level.fields {
                assert!(
                    serde_json::from_str::<serde_json::Value>(field.example).is_ok(),
                    "{}",
                    field.name
                );
                count += 1;
            }
        }
        assert!(count > 20, "only {count} fields were looked at");
    }

    #[test]
    fn a_key_in_the_wrong_map_is_sent_home() {
        assert_eq!(places_of("listen"), ["a proxy", "dns"]);
        assert_eq!(places_of("ports"), ["a host", "hostTemplate", "a rule"]);
        assert!(places_of("prots").is_empty());
    }
}
