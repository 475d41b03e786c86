//! Tables of all fields that a manifest may have. The reader checks manifests against these tables, and the JSON schema
//! for editors is made from them.

use serde_json::{Map, Value, json};

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
    /// The form of a text, or of each text in a list, as a regular expression, which accepts everything that `plan`
    /// accepts. It is only for editors, because `plan` checks these texts and says more about them.
    pattern: Option<&'static str>,
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

// The forms of texts. `regex` puts the regular expressions of `WORDS` in place of the words in "<>".
const VIP: &str = r"^(?!127\.(0\.0\.[01]|255\.255\.255)$)127(\.<octet>){3}$";
const BLOCK: &str = r"^127(\.<octet>){3}/0*([89]|[12][0-9]|3[0-2])$";
const PORT: &str = "^<port>$";
const PORT_RANGE: &str = r"^\s*<port>\s*(-\s*<port>\s*)?$";
/// If CONNECTHOST is a name, its last part is not a number.
const FORWARD: &str = r"^<port>:(\[<v6>\]|<v4>|([A-Za-z0-9_-]+\.)*[0-9]*[A-Za-z_-][A-Za-z0-9_-]*\.?):<port>(/tcp|/udp)?$";
const LISTEN_ADDRESS: &str = r"^((|<localhost>|<v4>|\[<v6>\]):<port>)?$";
const NAME: &str = r"^<name>$";
const NAME_OR_OWN_KEY: &str = r"^x-|^<name>$";
/// A block or a glob, but not an address without a number of bits.
const TARGET: &str = r"^(?!<v4>$)([A-Za-z0-9_.*-]{1,253}|<v4>/0*([12]?[0-9]|3[0-2])|<v6>/0*([1-9]?[0-9]|1[01][0-9]|12[0-8]))$";
const FOLDER: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// The words in "<>" that forms may contain, and the regular expressions that replace them. They are replaced from top
/// to bottom, so an expression may contain only words that come later in this table.
const WORDS: [(&str, &str); 8] = [
    // Programs would take a name of numbers for an address, and localhost for the machine itself.
    (
        "<name>",
        r"(?!<number>(\.<number>)*$)(?!(.*\.)?<localhost>$)<label>(\.<label>)*",
    ),
    ("<number>", "([0-9]+|0[Xx][0-9A-Fa-f]*)"),
    ("<label>", "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"),
    ("<localhost>", "[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]"),
    (
        "<port>",
        "0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])",
    ),
    ("<v4>", r"<octet>(\.<octet>){3}"),
    ("<octet>", "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"),
    ("<v6>", "[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*"),
];

/// The values of `allow`, which says which users of a host may connect: only the user that the agent runs as, or all
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
            "What every host has unless it says otherwise. Its ports are added to those of each host.",
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

static HOST: Level = Level {
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
            Shape::Text,
            "A container of docker, in place of cmd; nothing but a shell needs to be in it.",
            r#""app""#,
        ),
        field(
            "podman",
            Shape::Text,
            "A container of podman, in place of cmd; nothing but a shell needs to be in it.",
            r#""app""#,
        ),
        field(
            "kubernetes",
            Shape::Map(&KUBERNETES),
            "A container in a pod, in place of cmd; nothing but a shell needs to be in it.",
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
            "The pod. Either this or deployment is needed.",
            r#""api-0""#,
        ),
        field(
            "deployment",
            Shape::Text,
            "The deployment, of which one pod is taken at each start.",
            r#""api""#,
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

static TEMPLATE: Level = Level {
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
                "The address and port to listen on. Left out: no proxy.",
                r#""127.0.0.1:18080""#,
            ),
        ),
        field(
            "allowRemote",
            Shape::Flag,
            "Whether other machines may use it. Needed to listen on an address that is not a loopback address; so are credentials.",
            "true",
        ),
        field(
            "credentials",
            Shape::Text,
            "A file on the host with a line USER:PASSWORD for each user; \"~\" and ${VARIABLES} are those of the host. Who is not in it may not use the proxy.",
            r#""~/.norouter/users""#,
        ),
        field(
            "allow",
            Shape::Word(ALLOWED),
            "Which users of the host may use it without credentials: the one whom the agent runs as (and root), or any. Default: same-user on the host without cmd, any elsewhere.",
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
        field("disable", Shape::Flag, "Answer no such questions.", "true"),
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
            "Which users of the host may connect there: the one whom the agent runs as (and root), or any. Default: same-user on the host without cmd, any elsewhere.",
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
        field("disable", Shape::Flag, "Write no such files.", "true"),
    ],
    refused: &[],
};

static ROUTE: Level = Level {
    place: "a route",
    fields: &[
        required(field(
            "via",
            Shape::TextOrTexts,
            "The host that connects to the destinations: its name, an alias or its VIP. Of several, the first that is there.",
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

static POLICY: Level = Level {
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

static RULE: Level = Level {
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

static TEST: Level = Level {
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

/// The maps of a manifest that may have this key, for the hint about a known key in the wrong map.
pub(super) fn places_of(key: &str) -> Vec<&'static str> {
    [
        &MANIFEST,
        &HOST,
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

/// The address of the newest schema, which is also its `$id`.
pub const SCHEMA_URL: &str =
    "https://raw.githubusercontent.com/norouter/norouter/master/docs/manifest.schema.json";

/// Whether a host may have this key.
pub fn is_key_of_a_host(key: &str) -> bool {
    HOST.has(key)
}

/// The JSON schema (draft 7, which editors read) of a manifest, as text.
pub fn json_schema() -> String {
    let mut schema = level_schema(&MANIFEST);
    schema.insert(
        "$schema".into(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    schema.insert("$id".into(), json!(SCHEMA_URL));
    schema.insert("title".into(), json!("NoRouter manifest"));
    schema.insert(
        "description".into(),
        json!("One network: its hosts, how they are reached, and what they publish."),
    );
    format!("{:#}\n", Value::Object(schema))
}

fn level_schema(level: &Level) -> Map<String, Value> {
    let properties: Map<String, Value> = level
        .fields
        .iter()
        .map(|field| (field.name.into(), field_schema(field)))
        .collect();
    let required: Vec<&str> = level
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!(["object", "null"]));
    schema.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("type".into(), json!("object"));
        schema.insert("required".into(), json!(required));
    }
    let mut patterns = own_keys();
    if !level.refused.is_empty() {
        let names = format!("^({})$", level.refused.join("|"));
        patterns[names] =
            json!({"type": "null", "description": "It belongs to one host: move it there."});
    }
    schema.insert("patternProperties".into(), patterns);
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

/// The keys that belong to the person, with any value.
fn own_keys() -> Value {
    json!({"^x-": {"description": "Yours: NoRouter does not read it."}})
}

fn field_schema(field: &Field) -> Value {
    // Where a text is wanted, numbers, `true` and `false` are taken as they are written. They can fit the forms of
    // names, targets and folders, but no other form.
    let mut single = json!({"type": ["string", "number", "boolean"]});
    if let Some(form) = field.pattern {
        if ![NAME, TARGET, FOLDER].contains(&form) {
            single = json!({"type": "string"});
        }
        single["pattern"] = json!(regex(form));
    }
    let list = json!({"type": "array", "items": single});
    let mut schema = match field.shape {
        Shape::Text => object(single),
        Shape::Word(words) => object(json!({"enum": words})),
        Shape::Port => object(port(PORT)),
        Shape::Flag => object(json!({"type": "boolean"})),
        Shape::Texts => object(list),
        Shape::Ports => {
            let mut ports = object(port(PORT_RANGE));
            ports.insert("items".into(), json!(ports));
            ports.insert("type".into(), json!(["integer", "string", "array"]));
            ports
        }
        Shape::NamedTexts => object(json!({
            "type": "object",
            "patternProperties": own_keys(),
            "additionalProperties": list,
        })),
        Shape::TextOrTexts => {
            let types = ["string", "number", "boolean", "array"];
            object(json!({"type": types, "items": single, "minItems": 1, "minLength": 1}))
        }
        Shape::Map(level) => level_schema(level),
        Shape::Named(level) => object(json!({
            "type": "object",
            // At least one key is not the person's own.
            "not": {"propertyNames": {"pattern": "^x-"}},
            "propertyNames": {"pattern": regex(NAME_OR_OWN_KEY), "maxLength": 253},
            "patternProperties": own_keys(),
            "additionalProperties": level_schema(level),
        })),
        Shape::List(level) => object(json!({"type": "array", "items": level_schema(level)})),
    };
    if !field.required {
        allow_null(&mut schema);
    }
    schema.insert("description".into(), json!(field.doc));
    if let Ok(example) = serde_json::from_str::<Value>(field.example) {
        schema.insert("examples".into(), json!([example]));
    }
    Value::Object(schema)
}

/// The regular expression of a form.
fn regex(form: &str) -> String {
    let words = WORDS.iter();
    words.fold(form.to_owned(), |form, (word, regex)| {
        form.replace(word, regex)
    })
}

/// A port as a number, or as a text of this form.
fn port(form: &str) -> Value {
    json!({
        "type": ["integer", "string"],
        "minimum": 1,
        "maximum": u16::MAX,
        "pattern": regex(form),
    })
}

/// Lets a key be written without a value, which is the same as no key.
fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) if types.contains(&json!("null")) => {}
        Some(Value::Array(types)) => types.push(json!("null")),
        Some(one) => *one = json!([one, "null"]),
        None => {}
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
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
                    serde_json::from_str::<Value>(field.example).is_ok(),
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
