//! Generates `docs/control.openapi.json`, which describes the control socket for programs, from the types of `view` and
//! the table of requests below. `UPDATE=1 cargo test` rewrites the file. `tests/it` compares the file with
//! `docs/CONTROL.md`, which is for people.
//!
//! This file is compiled only for tests, so that the released program does not contain the schemas.

use std::{env, fs, path::Path};

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::view;

/// One request of the control socket.
struct Request {
    method: &'static str,
    path: &'static str,
    /// The operation id, from which generators make function names.
    name: &'static str,
    about: &'static str,
    parameters: &'static [Parameter],
    /// The type of the body; `None` if the request has none.
    body: Option<&'static str>,
    answer: Answer,
    /// The status codes of errors that this request can return, besides `FORBIDDEN`, which every request can return.
    errors: &'static [u16],
}

/// A parameter of a request, in its path or query.
struct Parameter {
    name: &'static str,
    place: &'static str,
    kind: &'static str,
    required: bool,
    about: &'static str,
}

/// The content of a response.
enum Answer {
    /// JSON: the type with this name.
    Json(&'static str),
    /// Server-Sent Events: the name of each event, and the type of its data.
    Events(&'static [(&'static str, &'static str)]),
    /// Metrics in the format of Prometheus.
    Metrics,
}

const HOST: Parameter = Parameter {
    name: "host",
    place: "path",
    kind: "string",
    required: true,
    about: "The host: its name, an alias or its VIP.",
};

const LIMIT: Parameter = Parameter {
    name: "limit",
    place: "query",
    kind: "integer",
    required: false,
    about: "",
};

const NUMBER: Parameter = Parameter {
    name: "number",
    place: "query",
    kind: "integer",
    required: true,
    about: "The `number` with which it was shown as `held`.",
};

const REQUESTS: &[Request] = &[
    Request {
        method: "get",
        path: "/v1/snapshot",
        name: "snapshot",
        about: "The network and its hosts as they are now.",
        parameters: &[],
        body: None,
        answer: Answer::Json("NetworkView"),
        errors: &[],
    },
    Request {
        method: "get",
        path: "/v1/flows",
        name: "flows",
        about: "The connections inside the network.",
        parameters: &[Parameter {
            about: "The greatest number of flows in the answer. If there are more, the most recently used ones are chosen. 1000 if it is missing.",
            ..LIMIT
        }],
        body: None,
        answer: Answer::Json("FlowsView"),
        errors: &[400],
    },
    Request {
        method: "get",
        path: "/v1/flows/ended",
        name: "endedFlows",
        about: "The connections that have ended last, with their outcomes.",
        parameters: &[Parameter {
            about: "The greatest number of flows in the answer; the newest ones. 1000 if it is missing, and never more than that.",
            ..LIMIT
        }],
        body: None,
        answer: Answer::Json("EndedFlowsView"),
        errors: &[400],
    },
    Request {
        method: "delete",
        path: "/v1/flows/{id}",
        name: "endFlow",
        about: "Ends a flow with a reset to both of its ends.",
        parameters: &[Parameter {
            name: "id",
            place: "path",
            kind: "string",
            required: true,
            about: "The `id` of the flow.",
        }],
        body: None,
        answer: Answer::Json("Done"),
        errors: &[404],
    },
    Request {
        method: "get",
        path: "/v1/plan",
        name: "plan",
        about: "The plan of the network.",
        parameters: &[],
        body: None,
        answer: Answer::Json("PlanView"),
        errors: &[],
    },
    Request {
        method: "get",
        path: "/v1/why",
        name: "why",
        about: "Explains why a connection works or does not: every agent on its way tries its part.",
        parameters: &[
            Parameter {
                name: "target",
                place: "query",
                kind: "string",
                required: true,
                about: "The destination of the connection: a name or an address, and a port.",
            },
            Parameter {
                name: "from",
                place: "query",
                kind: "string",
                required: false,
                about: "The host where it begins: its name, an alias or its VIP. The manager's own if it is missing, or else the first that is up.",
            },
        ],
        body: None,
        answer: Answer::Json("WhyView"),
        errors: &[400, 404, 503],
    },
    Request {
        method: "get",
        path: "/v1/hosts/{host}/ports",
        name: "openPorts",
        about: "The ports of a host on which programs listen, as its agent sees them.",
        parameters: &[HOST],
        body: None,
        answer: Answer::Json("OpenPortsView"),
        errors: &[404, 409, 503],
    },
    Request {
        method: "get",
        path: "/v1/logs",
        name: "logs",
        about: "The newest lines of the log.",
        parameters: &[
            Parameter {
                about: "The greatest number of lines in the answer. 100 if it is missing.",
                ..LIMIT
            },
            Parameter {
                name: "host",
                place: "query",
                kind: "string",
                required: false,
                about: "Only lines about the host of this name.",
            },
        ],
        body: None,
        answer: Answer::Json("LogView"),
        errors: &[400],
    },
    Request {
        method: "get",
        path: "/v1/events",
        name: "events",
        about: "A stream of events, until the network ends.",
        parameters: &[
            Parameter {
                name: "after",
                place: "query",
                kind: "integer",
                required: false,
                about: "The stream begins with the lines of the log after the one with this `seq`.",
            },
            Parameter {
                name: "Last-Event-ID",
                place: "header",
                kind: "integer",
                required: false,
                about: "The same as `after`, if that is missing.",
            },
        ],
        body: None,
        answer: Answer::Events(&[
            ("snapshot", "NetworkView"),
            ("host", "HostView"),
            ("event", "LogLine"),
            ("missed", "Missed"),
        ]),
        errors: &[400, 503],
    },
    Request {
        method: "post",
        path: "/v1/hosts/{host}/start",
        name: "startHost",
        about: "Starts a host that was stopped or refused, or that waits.",
        parameters: &[HOST],
        body: None,
        answer: Answer::Json("Done"),
        errors: &[404, 409],
    },
    Request {
        method: "post",
        path: "/v1/hosts/{host}/stop",
        name: "stopHost",
        about: "Stops a host until it is started again.",
        parameters: &[HOST],
        body: None,
        answer: Answer::Json("Done"),
        errors: &[404],
    },
    Request {
        method: "post",
        path: "/v1/hosts/{host}/restart",
        name: "restartHost",
        about: "Ends a host's agent and starts it again.",
        parameters: &[HOST],
        body: None,
        answer: Answer::Json("Done"),
        errors: &[404, 409],
    },
    Request {
        method: "post",
        path: "/v1/hosts/{host}/approve",
        name: "approveCommand",
        about: "Starts the host's command that waits for approval, if it is still the one that was shown.",
        parameters: &[HOST, NUMBER],
        body: None,
        answer: Answer::Json("Done"),
        errors: &[400, 404, 409],
    },
    Request {
        method: "post",
        path: "/v1/hosts/{host}/answer",
        name: "answerPrompt",
        about: "Answers a question of the host's command, or refuses to.",
        parameters: &[HOST],
        body: Some("Answer"),
        answer: Answer::Json("Done"),
        errors: &[400, 404],
    },
    Request {
        method: "post",
        path: "/v1/hosts/{host}/ask",
        name: "askPerson",
        about: "Asks a person a question, for the host's command only. The response comes when the person has answered.",
        parameters: &[HOST],
        body: Some("Question"),
        answer: Answer::Json("Reply"),
        errors: &[400, 404, 503],
    },
    Request {
        method: "post",
        path: "/v1/approve",
        name: "approveChange",
        about: "Applies the change of the manifest that waits for approval, if it is still the one that was shown.",
        parameters: &[NUMBER],
        body: None,
        answer: Answer::Json("Done"),
        errors: &[400, 409],
    },
    Request {
        method: "post",
        path: "/v1/reload",
        name: "reload",
        about: "Reloads the manifest.",
        parameters: &[],
        body: None,
        answer: Answer::Json("Reload"),
        errors: &[409, 422, 503],
    },
    Request {
        method: "post",
        path: "/v1/down",
        name: "down",
        about: "Ends the network. The answer comes at once, the end a little later.",
        parameters: &[],
        body: None,
        answer: Answer::Json("Done"),
        errors: &[],
    },
    Request {
        method: "get",
        path: "/metrics",
        name: "metrics",
        about: "Figures in the text format of Prometheus, version 0.0.4.",
        parameters: &[],
        body: None,
        answer: Answer::Metrics,
        errors: &[],
    },
];

/// The status code for requests from web pages, and for questions of commands without a valid token.
const FORBIDDEN: u16 = 403;

/// The meaning of each status code of an error.
const ERRORS: &[(u16, &str)] = &[
    (400, "A parameter or the body cannot be understood."),
    (
        FORBIDDEN,
        "Requests of web pages are refused, and so are questions of commands without a valid token.",
    ),
    (
        404,
        "The path names something that does not exist, or that has ended.",
    ),
    (409, "The request is not possible in the present state."),
    (422, "The manifest has errors, and nothing has changed."),
    (
        503,
        "Too many programs read events, or too many requests wait for an answer.",
    ),
];

/// The request was carried out, or will be.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Done {
    /// Always true.
    ok: bool,
}

/// The body of a refusal.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Error {
    /// The reason, for people. If the manifest has errors, it is the whole report.
    error: String,
    /// The kind of the error.
    code: view::ErrorCode,
}

/// The outcome of a reload.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Reload {
    /// The changes, for people.
    changes: Vec<String>,
    /// The grants that the change adds or, if it waits for approval, would add, as sentences.
    grants: Vec<String>,
    /// The number of the change, if it waits for approval and was not applied.
    held: Option<u64>,
}

/// Lines of the log that the stream skips, because they are not kept any more.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Missed {
    /// The number of these lines.
    count: u64,
}

#[test]
fn the_description_of_the_control_socket_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/control.openapi.json");
    let text = format!("{:#}\n", document());
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(&file, &text).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    let there = there.replace("\r\n", "\n");
    let differ = |(ours, theirs): &(&str, &str)| ours != theirs;
    let lines = text.lines().zip(there.lines().chain(std::iter::repeat("")));
    let first = lines.enumerate().find(|(_, pair)| differ(pair));
    let first = first.map(|(line, (ours, theirs))| (line + 1, ours.trim(), theirs.trim()));
    assert!(
        there == text,
        "docs/control.openapi.json is not current: run `UPDATE=1 cargo test`, and tell people in docs/CONTROL.md. The \
         first line that differs, what it should be, and what it is: {first:?}"
    );
}

/// The whole description of the control socket.
fn document() -> Value {
    let schemas = schemas();
    let mut paths = Map::new();
    for request in REQUESTS {
        let path = paths
            .entry(request.path)
            .or_insert_with(|| Value::Object(Map::new()));
        path[request.method] = request.describe(&schemas);
    }
    let errors = ERRORS.iter().map(|(code, about)| {
        let content = json!({"application/json": {"schema": reference(&schemas, "Error")}});
        let response = json!({"description": about, "content": content});
        (code.to_string(), response)
    });
    let errors: Map<_, _> = errors.collect();
    let mut document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "The control socket of NoRouter",
            "version": "1",
            "description": "The requests that a running manager answers to other programs of the same user, over a Unix socket or, \
                on Windows, a named pipe. docs/CONTROL.md says where it is, and describes the same for people. Fields, values \
                and paths may be added, so a client has to ignore those that it does not know.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://localhost", "description": "Over the socket. There is no TCP port."}],
        "security": [],
        "paths": paths,
        "components": {"schemas": schemas, "responses": errors},
    });
    // The keys are sorted here, because another crate of the workspace may enable the feature of `serde_json` that
    // keeps maps in insertion order.
    document.sort_all_objects();
    document
}

impl Request {
    fn describe(&self, schemas: &Map<String, Value>) -> Value {
        let content = match self.answer {
            Answer::Json(name) => json!({"application/json": {"schema": reference(schemas, name)}}),
            Answer::Events(events) => {
                let data = events
                    .iter()
                    .map(|(event, name)| ((*event).to_owned(), reference(schemas, name)));
                let data: Map<_, _> = data.collect();
                // OpenAPI cannot describe the events of a stream before version 3.2.
                json!({"text/event-stream": {"schema": {"type": "string"}, "x-events": data}})
            }
            Answer::Metrics => json!({"text/plain": {"schema": {"type": "string"}}}),
        };
        let mut responses = Map::new();
        responses.insert(
            "200".to_owned(),
            json!({"description": "The answer.", "content": content}),
        );
        for code in self.errors.iter().chain([&FORBIDDEN]) {
            assert!(ERRORS.iter().any(|(known, _)| known == code), "{code}");
            let response = json!({"$ref": format!("#/components/responses/{code}")});
            responses.insert(code.to_string(), response);
        }
        let mut described = json!({
            "operationId": self.name,
            "summary": self.about,
            "responses": responses,
        });
        if !self.parameters.is_empty() {
            described["parameters"] = self.parameters.iter().map(Parameter::describe).collect();
        }
        if let Some(name) = self.body {
            let schema = reference(schemas, name);
            described["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        described
    }
}

impl Parameter {
    fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.about,
            "schema": {"type": self.kind},
        })
    }
}

fn reference(schemas: &Map<String, Value>, name: &str) -> Value {
    assert!(schemas.contains_key(name), "{name} has no schema");
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The schemas of all types in requests and responses, by name.
fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    // Two kinds of schemas are made. A response has all fields except those that are omitted on purpose. The body of a
    // request may omit fields that have a default.
    let mut written = settings.clone().for_serialize().into_generator();
    let mut read = settings.for_deserialize().into_generator();
    let _ = read.subschema_for::<view::Answer>();
    let _ = read.subschema_for::<view::Question>();
    let add: &[fn(&mut SchemaGenerator) -> schemars::Schema] = &[
        SchemaGenerator::subschema_for::<Done>,
        SchemaGenerator::subschema_for::<Error>,
        SchemaGenerator::subschema_for::<Missed>,
        SchemaGenerator::subschema_for::<Reload>,
        SchemaGenerator::subschema_for::<view::EndedFlowsView>,
        SchemaGenerator::subschema_for::<view::FlowsView>,
        SchemaGenerator::subschema_for::<view::LogView>,
        SchemaGenerator::subschema_for::<view::NetworkView>,
        SchemaGenerator::subschema_for::<view::PlanView>,
        SchemaGenerator::subschema_for::<view::Reply>,
        SchemaGenerator::subschema_for::<view::WhyView>,
        SchemaGenerator::subschema_for::<view::OpenPortsView>,
    ];
    for add in add {
        let _ = add(&mut written);
    }
    let mut schemas = written.take_definitions(true);
    schemas.values_mut().for_each(without_null);
    schemas.extend(read.take_definitions(true));
    schemas.values_mut().for_each(plain);
    schemas
}

/// Removes null from the types of optional fields: a response omits such a field, and never writes it as null. Also
/// removes the defaults, because the fields that have them are always present.
fn without_null(schema: &mut Value) {
    let required: Vec<String> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if let Some(property) = property.as_object_mut() {
                property.remove("default");
            }
            if required.contains(name) {
                continue;
            }
            if let Some(kind) = property["type"].as_array().map(|kinds| kinds[0].clone()) {
                property["type"] = kind;
            }
            if let Some(kinds) = property.get("anyOf") {
                let (kind, about) = (kinds[0].clone(), property["description"].clone());
                *property = kind;
                property["description"] = about;
            }
        }
    }
    for kind in (schema.get_mut("oneOf").and_then(Value::as_array_mut))
        .into_iter()
        .flatten()
    {
        without_null(kind);
    }
}

/// Puts each description into one line, and replaces a number format that other programs do not know.
fn plain(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        for (name, field) in fields {
            if let Value::String(text) = field {
                if name == "description" {
                    *text = text.replace('\n', " ");
                } else if name == "format" && text == "uint" {
                    "uint64".clone_into(text);
                }
            }
            plain(field);
        }
    } else if let Value::Array(items) = schema {
        items.iter_mut().for_each(plain);
    }
}
