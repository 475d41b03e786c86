//! Compares the answers of running managers with `docs/control.openapi.json`. The answers must have exactly the fields
//! that the document describes.

use std::{collections::BTreeMap, io::Write as _, os::unix::net::UnixStream, sync::OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    control_document::description,
    home::{Home, body, status},
};

/// A validator for each type. It refuses fields that are not described, although real clients have to accept such
/// fields.
fn validators() -> &'static BTreeMap<String, Validator> {
    static VALIDATORS: OnceLock<BTreeMap<String, Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let mut schemas = description()["components"]["schemas"].clone();
        let schemas = schemas.as_object_mut().unwrap();
        for schema in schemas.values_mut() {
            if schema.get("properties").is_some() {
                schema["unevaluatedProperties"] = false.into();
            }
        }
        let validator = |name: &String| {
            let schema = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": format!("#/components/schemas/{name}"),
                "components": {"schemas": schemas},
            });
            (name.clone(), jsonschema::validator_for(&schema).unwrap())
        };
        schemas.keys().map(validator).collect()
    })
}

/// Panics unless the value is valid for the type of this name.
#[track_caller]
pub(crate) fn check(name: &str, value: &Value) {
    let validator = &validators()[name];
    let errors = validator.iter_errors(value);
    let errors: Vec<_> = errors
        .map(|error| format!("{error}, at {:?}", error.instance_path().to_string()))
        .collect();
    assert!(
        errors.is_empty(),
        "docs/control.openapi.json describes {name} in another way: {errors:#?}\n{value:#}"
    );
}

/// Checks the JSON output of a command that prints an answer of the socket. Panics if the output is not as described.
#[track_caller]
pub(crate) fn check_output(arguments: &[&str], data: &str) {
    let name = match arguments.first() {
        Some(&"flows") if arguments.contains(&"--ended") => "EndedFlowsView",
        Some(&"flows") if !arguments.contains(&"--kill") => "FlowsView",
        Some(&"logs") => "LogLine",
        Some(&"reload") => "Reload",
        Some(&"port") if arguments.get(1) == Some(&"ls") => "OpenPortsView",
        Some(&"status") => "NetworkView",
        // Without a port, several connections are explained.
        Some(&"why") if arguments.iter().any(|it| it.contains(':')) => "WhyView",
        _ => return,
    };
    if arguments.contains(&"--json") {
        for value in serde_json::Deserializer::from_str(data).into_iter() {
            check(name, &value.unwrap());
        }
    }
}

/// Panics unless the answer to a request is as described.
#[track_caller]
pub(crate) fn check_answer(request: &str, answer: &str) {
    if !answer.contains("\r\ncontent-type: application/json\r\n") {
        return;
    }
    let value: Value = serde_json::from_str(body(answer)).unwrap();
    let mut words = request.split(' ');
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let description = description();
    match (described(&description, method, path), status(answer)) {
        (Some(request), "200") => {
            let content = &request["responses"]["200"]["content"]["application/json"];
            let name = content["schema"]["$ref"].as_str().unwrap();
            check(name.rsplit('/').next().unwrap(), &value);
        }
        (Some(request), code) => {
            let known = request["responses"].get(code);
            assert!(
                known.is_some(),
                "docs/control.openapi.json does not say that {method} {path} can be answered with {code}"
            );
            check("Error", &value);
        }
        (None, code) => {
            assert!(
                ["403", "404", "405"].contains(&code),
                "{method} {path}: {answer}"
            );
            check("Error", &value);
        }
    }
}

/// The description of a request.
fn described<'d>(description: &'d Value, method: &str, path: &str) -> Option<&'d Value> {
    let path = path.split('?').next()?;
    let fits = |template: &str| {
        let (words, wanted) = (path.split('/'), template.split('/'));
        words.clone().count() == wanted.clone().count()
            && words
                .zip(wanted)
                .all(|(word, wanted)| word == wanted || wanted.starts_with('{'))
    };
    let mut paths = description["paths"].as_object()?.iter();
    let (_, methods) = paths.find(|(template, _)| fits(template))?;
    methods.get(method.to_lowercase())
}

/// A network in which no part of an answer is empty. It has a policy, a route, a real agent, and a host without an
/// agent.
fn manifest() -> String {
    let program = json!([env!("CARGO_BIN_EXE_norouter")]);
    format!(
        r#"
hostTemplate: {{loopback: {{disable: true}}, stateDir: {{disable: true}}}}
hosts:
  laptop: {{vip: 127.0.61.30, ports: ["7001:127.0.0.1:9"]}}
  web: {{vip: 127.0.61.31, cmd: {program}, aliases: [www], ports: ["7002:127.0.0.1:9"]}}
  mute: {{vip: 127.0.61.32, cmd: ["sh", "-c", "echo hello >&2; cat > /dev/null; exit 1"]}}
routes:
- {{to: [10.0.0.0/8, "*.internal"], notTo: [10.9.0.0/16], via: [web, mute]}}
policy:
  default: published
  rules:
  - {{from: web, to: laptop, ports: [7001], action: deny}}
"#
    )
}

fn request(method: &str, path: &str, content: &str) -> String {
    let length = content.len();
    format!(
        "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{content}"
    )
}

#[test]
fn every_request_is_answered_as_it_is_described() {
    let home = Home::new("answers");
    let manifest = home.write("answers.yaml", &manifest());
    let _manager = home.up(&[&manifest, "--no-watch"]);
    home.wait(&["laptop", "web"]);
    // `Home::ask` checks each answer of the socket against the OpenAPI description.
    let ask = |method: &str, path: &str, content: &str, code: &str| {
        let answer = home.ask("answers", &request(method, path, content));
        assert_eq!(status(&answer), code, "{method} {path}: {answer}");
        answer
    };
    for (path, code) in [
        ("/v1/snapshot", "200"),
        ("/v1/flows", "200"),
        ("/v1/flows?limit=x", "400"),
        ("/v1/flows/ended", "200"),
        ("/v1/flows/ended?limit=x", "400"),
        ("/v1/plan", "200"),
        ("/v1/why?target=www:7002", "200"),
        ("/v1/why?target=10.1.2.3:80&from=mute", "200"),
        ("/v1/why", "400"),
        ("/v1/why?target=www:7002&from=nobody", "404"),
        ("/v1/hosts/www/ports", "200"),
        ("/v1/hosts/mute/ports", "409"),
        ("/v1/hosts/nobody/ports", "404"),
        ("/v1/logs?limit=1000", "200"),
        ("/v1/logs?limit=x", "400"),
        ("/v1/events?after=x", "400"),
        ("/v1/nothing", "404"),
    ] {
        ask("GET", path, "", code);
    }
    let plan: Value = serde_json::from_str(body(&ask("GET", "/v1/plan", "", "200"))).unwrap();
    assert!(
        plan["policy"]["rows"][1]["cells"][0]["reach"].is_string(),
        "{plan:#}"
    );
    let nobody = "/v1/flows/127.0.61.30:1-127.0.61.31:7002";
    ask("DELETE", nobody, "", "404");
    for (path, content, code) in [
        ("/v1/hosts/mute/stop", "", "200"),
        ("/v1/hosts/nobody/stop", "", "404"),
        ("/v1/hosts/www/restart", "", "200"),
        ("/v1/hosts/127.0.61.32/start", "", "200"),
        ("/v1/hosts/web/approve?number=1", "", "409"),
        ("/v1/hosts/web/approve", "", "400"),
        (
            "/v1/hosts/web/answer",
            "{\"prompt\": 1, \"text\": null}",
            "404",
        ),
        ("/v1/hosts/web/answer", "{}", "400"),
        (
            "/v1/hosts/web/ask",
            "{\"token\": \"x\", \"text\": \"x\"}",
            "403",
        ),
        ("/v1/approve?number=1", "", "409"),
        ("/v1/approve", "", "400"),
        ("/v1/reload", "", "200"),
    ] {
        ask("POST", path, content, code);
    }
    home.write("answers.yaml", "hosts: {}\n");
    ask("POST", "/v1/reload", "", "422");

    // Each path answers exactly the methods that are described.
    let description = description();
    for (template, methods) in description["paths"].as_object().unwrap() {
        let path = template
            .replace("{host}", "web")
            .replace("{id}", "127.0.61.30:1-127.0.61.31:7002");
        let answer = ask("PUT", &format!("{path}?number=1"), "", "405");
        let methods: Vec<_> = methods.as_object().unwrap().keys().collect();
        let allow = format!("\r\nallow: {}\r\n", methods[0].to_uppercase());
        assert_eq!(methods.len(), 1, "{template}");
        assert!(answer.contains(&allow), "{template}: {answer}");
    }
    metrics_are_described(&ask("GET", "/metrics", "", "200"));
}

fn metrics_are_described(answer: &str) {
    let document = include_str!("../../docs/CONTROL.md");
    let rows = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `norouter_"));
    let rows: Vec<String> = rows
        .filter_map(|row| row.split_once("` | "))
        .map(|(name, rest)| format!("norouter_{name} {}", rest.split(' ').next().unwrap()))
        .collect();
    let told = body(answer).lines();
    let told: Vec<&str> = told
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    assert_eq!(
        told, rows,
        "the metrics and their table in docs/CONTROL.md differ"
    );
}

#[test]
fn every_event_is_what_it_is_described_to_be() {
    let home = Home::new("told");
    let manifest = home.write("told.yaml", &manifest());
    let _manager = home.up(&[&manifest, "--no-watch"]);
    home.wait(&["laptop", "web"]);
    let mut stream = UnixStream::connect(home.socket("told")).unwrap();
    stream
        .set_read_timeout(Some(crate::home::PATIENCE))
        .unwrap();
    let begin = request("GET", "/v1/events?after=0", "");
    stream.write_all(begin.as_bytes()).unwrap();
    home.write("told.yaml", &self::manifest().replace("7002", "7003"));
    assert_eq!(home.run(&["reload"]).code, 0);
    assert_eq!(home.run(&["down"]).code, 0);
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();

    let description = description();
    let events = &description["paths"]["/v1/events"]["get"]["responses"]["200"]["content"];
    let events = events["text/event-stream"]["x-events"].as_object().unwrap();
    let mut seen = BTreeMap::new();
    for frame in answer.split("event: ").skip(1) {
        let kind = frame.lines().next().unwrap();
        let data = frame.lines().find_map(|line| line.strip_prefix("data: "));
        let data: Value = serde_json::from_str(data.unwrap()).unwrap();
        let reference = events.get(kind).and_then(|data| data["$ref"].as_str());
        let reference = reference
            .unwrap_or_else(|| panic!("docs/control.openapi.json does not know the event {kind}"));
        check(reference.rsplit('/').next().unwrap(), &data);
        *seen.entry(kind.to_owned()).or_insert(0) += 1;
    }
    for kind in ["snapshot", "host", "event"] {
        assert!(seen.contains_key(kind), "{seen:?}: {answer}");
    }
}

#[test]
fn a_value_that_is_not_described_is_found() {
    let good = json!({"total": 0, "flows": []});
    check("FlowsView", &good);
    let bad = [
        json!({"flows": []}),
        json!({"total": 0, "flows": [], "more": 1}),
        json!({"total": 0, "flows": [{"id": "x"}]}),
        json!({"total": "0", "flows": []}),
    ];
    for bad in bad {
        assert!(!validators()["FlowsView"].is_valid(&bad), "{bad}");
    }
    let line = json!({"seq": 1, "timeMs": 2, "sentence": "x", "type": "hopeless", "hosts": 3});
    check("LogLine", &line);
    let mut more = line.clone();
    more["more"] = 1.into();
    assert!(!validators()["LogLine"].is_valid(&more));
}
