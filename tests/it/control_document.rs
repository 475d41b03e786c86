//! Compares `docs/CONTROL.md` with `docs/control.openapi.json`, which is generated from the types of `agent/view`.
//! Every name in one of the two files must be in the other one, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use norouter::view::HostAction;
use serde_json::{Map, Value};

use crate::golden::{files, root};

/// Types of `agent/view` that have no schema of their own, each with the reason.
const NOT_SENT: &[(&str, &str)] = &[
    (
        "ByHand",
        "a program reads its lines in the remedy of Trouble",
    ),
    (
        "Cure",
        "a program sees it in the state and the retry of the host",
    ),
    ("Conflict", "it is a part of Merged"),
    ("EditReach", "it is a part of EditRequest"),
    ("EditRequest", "only the page of the app edits in this form"),
    ("Edited", "only the page of the app edits in this form"),
    ("Event", "its fields are those of LogLine"),
    ("FieldForm", "it is a part of FieldSpec"),
    ("FieldOf", "it is a part of FieldSpec"),
    ("FieldOutline", "it is a part of Outline"),
    (
        "FieldPlace",
        "the problems that the socket tells have lines and columns",
    ),
    ("FieldSpec", "programs have the JSON schema of the manifest"),
    ("FieldValue", "it is a part of Outline"),
    ("Grant", "the socket tells grants in sentences"),
    (
        "Hint",
        "it is what a remedy of Trouble repeats of the words of a command",
    ),
    ("HostAction", "it is a word of the paths"),
    ("HostOutline", "it is a part of Outline"),
    ("Merged", "only the page of the app merges"),
    ("NoHostAction", "the socket tells errors in sentences"),
    ("Origin", "it is a part of Outline"),
    ("ItemOutline", "it is a part of Outline"),
    ("ListRef", "it is a part of EditRequest"),
    ("Outline", "only the page of the app edits in this form"),
    ("OwnerRef", "it is a part of EditRequest"),
    ("PolicyOutline", "it is a part of Outline"),
    ("RefusalCode", "it is a part of Edited"),
    ("Sentence", "the socket tells it as one text"),
    ("Snapshot", "its fields are those of NetworkView"),
    (
        "Symptom",
        "a program reads its cause and its remedy in Trouble",
    ),
    ("TrialNews", "the program that tries a host tells it itself"),
    ("TrialOutcome", "it is a part of TrialNews"),
    ("TrialStep", "it is a part of TrialNews"),
    ("Way", "it is a part of Outline"),
];

/// Types of answers that `agent/view` does not have.
const ANSWERS: &[&str] = &["Done", "Error", "Missed", "Reload"];

const DESCRIPTION: &str = "docs/control.openapi.json";
const DOCUMENT: &str = "docs/CONTROL.md";

/// A table of the document, with the heading above it.
struct Table {
    heading: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The description for programs.
pub(crate) fn description() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(DESCRIPTION)).unwrap()).unwrap()
}

fn document() -> String {
    let text = fs::read_to_string(root().join(DOCUMENT)).unwrap();
    text.replace("\r\n", "\n")
}

fn tables(document: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let (mut heading, mut inside) = (String::new(), false);
    for line in document.lines() {
        if let Some(title) = line.strip_prefix('#') {
            title
                .trim_start_matches('#')
                .trim()
                .clone_into(&mut heading);
        }
        let row = line.strip_prefix('|').and_then(|row| row.strip_suffix('|'));
        let Some(row) = row else {
            inside = false;
            continue;
        };
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
        match tables.last_mut().filter(|_| inside) {
            Some(table) if cells.iter().all(|cell| cell == "---") => {
                assert_eq!(cells.len(), table.head.len(), "{heading}");
            }
            Some(table) => {
                assert_eq!(cells.len(), table.head.len(), "{heading}: {line}");
                table.rows.push(cells);
            }
            None => tables.push(Table {
                heading: heading.clone(),
                head: cells,
                rows: Vec::new(),
            }),
        }
        inside = true;
    }
    assert!(tables.len() > 30, "only {} tables found", tables.len());
    tables
}

/// The table that stands below this heading and has this head row.
fn table<'t>(tables: &'t [Table], heading: &str, head: &[&str]) -> Option<&'t Table> {
    let mut fitting = tables
        .iter()
        .filter(|table| table.heading == heading && table.head == head);
    fitting.next()
}

/// Compares the rows of a table with the expected ones, and adds each difference to `problems`. A row is compared with
/// the expected row that has the same first cell.
fn differences(
    place: &str,
    expected: &BTreeMap<String, String>,
    found: &[(String, String)],
    problems: &mut Vec<String>,
) {
    let mut seen = BTreeSet::new();
    for (name, says) in found {
        match expected.get(name) {
            None => problems.push(format!(
                "{DOCUMENT}, {place}: it has a row for {name}, which {DESCRIPTION} does not have; remove the row, or correct the name"
            )),
            Some(right) if right != says => problems.push(format!(
                "{DOCUMENT}, {place}: the row of {name} says \"{says}\"; it should say \"{right}\""
            )),
            Some(_) => {}
        }
        if !seen.insert(name) {
            problems.push(format!(
                "{DOCUMENT}, {place}: {name} has two rows; remove one"
            ));
        }
    }
    for (name, says) in expected {
        if !seen.contains(name) {
            let with = match says.as_str() {
                "" => String::new(),
                says => format!(", with \"{says}\""),
            };
            problems.push(format!(
                "{DOCUMENT}, {place}: {name} is missing; add a row for it{with}, and say what it means"
            ));
        }
    }
}

/// Reports the rows that have no explanation.
fn with_meaning(place: &str, table: &Table, problems: &mut Vec<String>) {
    for row in &table.rows {
        if row.last().is_none_or(String::is_empty) {
            problems.push(format!(
                "{DOCUMENT}, {place}: {row:?} does not say what it means"
            ));
        }
    }
}

fn schemas(description: &Value) -> &Map<String, Value> {
    description["components"]["schemas"].as_object().unwrap()
}

/// The name of the type to which a reference leads.
fn named(reference: &Value) -> &str {
    reference["$ref"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

/// The document's term for a field's type.
fn type_of(name: &str, schema: &Value, required: bool) -> String {
    let optional = if required { "" } else { ", optional" };
    let (kind, null) = match (&schema["type"], schema["anyOf"].as_array()) {
        (_, Some(kinds)) => (kind(name, &kinds[0]), " or null"),
        (Value::Array(kinds), None) => {
            let mut alone = schema.clone();
            alone["type"] = kinds[0].clone();
            (kind(name, &alone), " or null")
        }
        (_, None) => (kind(name, schema), ""),
    };
    format!("{kind}{null}{optional}")
}

fn kind(name: &str, schema: &Value) -> String {
    match schema["type"].as_str() {
        None => link(named(schema)),
        Some("array") => format!("list of {}", kind("", &schema["items"])),
        Some("integer") => match unit(name) {
            None => "integer".to_owned(),
            Some(unit) => format!("integer ({unit})"),
        },
        Some(kind) => kind.to_owned(),
    }
}

/// The unit of a number, which follows from its name.
fn unit(name: &str) -> Option<&'static str> {
    if name.starts_with("bytes") {
        return Some("bytes");
    }
    if name.starts_with("rate") {
        return Some("bytes/s");
    }
    let ends = [("Ms", "ms"), ("Us", "µs")];
    let fitting = ends.iter().find(|(end, _)| name.ends_with(end));
    fitting.map(|(_, unit)| *unit)
}

/// The fields of an object with their types, except for the field that distinguishes variants.
fn fields(schema: &Value) -> BTreeMap<String, String> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields = properties.filter(|(_, field)| field.get("const").is_none());
    fields
        .map(|(name, field)| {
            let required = required.contains(&Value::String(name.clone()));
            (format!("`{name}`"), type_of(name, field, required))
        })
        .collect()
}

/// The field that distinguishes a variant, with its value.
fn tag(variant: &Value) -> Option<(&str, &str)> {
    let mut properties = variant["properties"].as_object()?.iter();
    properties.find_map(|(name, field)| Some((name.as_str(), field["const"].as_str()?)))
}

/// The first two cells of each row.
fn pairs(table: &Table) -> Vec<(String, String)> {
    let pairs = table
        .rows
        .iter()
        .map(|row| (row[0].clone(), row[1].clone()));
    pairs.collect()
}

#[test]
fn the_document_has_every_type_with_its_fields_and_values() {
    let (description, document) = (description(), document());
    let tables = tables(&document);
    let mut problems = Vec::new();
    for (name, schema) in schemas(&description) {
        let variants = schema["oneOf"].as_array();
        let values = variants.into_iter().flatten().map(|kind| &kind["const"]);
        let values: Vec<&str> = values.filter_map(Value::as_str).collect();
        if !values.is_empty() {
            let Some(table) = table(&tables, name, &["value", "meaning"]) else {
                problems.push(format!(
                    "{DOCUMENT}: the values of {name} are missing; add a section \"### {name}\" with a table of them"
                ));
                continue;
            };
            let expected = values
                .iter()
                .map(|value| (format!("`{value}`"), String::new()));
            let found: Vec<_> = (table.rows.iter())
                .map(|row| (row[0].clone(), String::new()))
                .collect();
            differences(name, &expected.collect(), &found, &mut problems);
            with_meaning(name, table, &mut problems);
            continue;
        }
        let Some(table) = table(&tables, name, &["field", "type", "meaning"]) else {
            problems.push(format!(
                "{DOCUMENT}: the fields of {name} are missing; add a section \"### {name}\" with a table of them"
            ));
            continue;
        };
        let mut expected = fields(schema);
        if let Some((tag, _)) = variants.and_then(|variants| tag(variants.first()?)) {
            expected.insert(format!("`{tag}`"), "string".to_owned());
            check_variants(name, tag, variants.unwrap(), &tables, &mut problems);
        }
        differences(name, &expected, &pairs(table), &mut problems);
        with_meaning(name, table, &mut problems);
    }
    let known = schemas(&description);
    for line in document.lines() {
        let name = line.strip_prefix("### ");
        if let Some(name) = name.filter(|name| !known.contains_key(*name)) {
            problems.push(format!(
                "{DOCUMENT}: it describes {name}, which {DESCRIPTION} does not have; remove the section, or correct its name"
            ));
        }
    }
    assert!(known.len() > 25, "only {} types found", known.len());
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// Checks a table of fields that an object has only in some variants. Each variant has a row, followed by the rows of
/// its fields.
fn check_variants(
    name: &str,
    tag_name: &str,
    variants: &[Value],
    tables: &[Table],
    problems: &mut Vec<String>,
) {
    let head = [&format!("`{tag_name}`"), "field", "type", "meaning"];
    let Some(table) = table(tables, name, &head) else {
        problems.push(format!(
            "{DOCUMENT}, {name}: the fields that depend on `{tag_name}` are missing; add a table of them"
        ));
        return;
    };
    with_meaning(name, table, problems);
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut variant = String::new();
    for row in &table.rows {
        if row[0].is_empty() {
            let fields = found.entry(variant.clone()).or_default();
            fields.push((row[1].clone(), row[2].clone()));
        } else {
            variant.clone_from(&row[0]);
            found.entry(variant.clone()).or_default();
        }
    }
    let expected: BTreeMap<String, &Value> = (variants.iter())
        .map(|variant| (format!("`{}`", tag(variant).unwrap().1), variant))
        .collect();
    let names = |name: &String| (name.clone(), String::new());
    differences(
        name,
        &expected.keys().map(names).collect(),
        &found.keys().map(names).collect::<Vec<_>>(),
        problems,
    );
    for (value, variant) in expected {
        let found = found.get(&value).map(Vec::as_slice);
        let place = format!("{name} with `{tag_name}` {value}");
        differences(
            &place,
            &fields(variant),
            found.unwrap_or_default(),
            problems,
        );
    }
}

#[test]
fn the_document_has_every_request_and_what_it_is_given() {
    let (description, document) = (description(), document());
    let tables = tables(&document);
    let mut problems = Vec::new();
    let (mut requests, mut parameters) = (BTreeMap::new(), BTreeMap::new());
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, request) in methods.as_object().unwrap() {
            let name = format!("`{} {path}`", method.to_uppercase());
            let body = &request["requestBody"]["content"]["application/json"]["schema"];
            let body = body.get("$ref").map(|_| link(named(body)));
            let content = &request["responses"]["200"]["content"];
            let answer = match content["application/json"].get("schema") {
                Some(schema) => link(named(schema)),
                None if content.get("text/event-stream").is_some() => {
                    "[events](#events)".to_owned()
                }
                None => "text".to_owned(),
            };
            // A status code that every request can have is documented only once.
            let codes = request["responses"].as_object().unwrap().keys();
            let codes: Vec<_> = codes
                .filter(|code| !["200", "403"].contains(&code.as_str()))
                .map(String::as_str)
                .collect();
            let says = [body.unwrap_or_default(), answer, codes.join(", ")];
            for parameter in request["parameters"].as_array().into_iter().flatten() {
                if parameter["in"] != "path" {
                    let called = parameter["name"].as_str().unwrap();
                    let required = parameter["required"] == true;
                    let kind = type_of(called, &parameter["schema"], required);
                    parameters.insert(format!("{name} `{called}`"), kind);
                }
            }
            requests.insert(name, says.join(" | "));
        }
    }
    let head = ["request", "does", "body", "answer", "errors"];
    let table_of_requests = table(&tables, "Requests", &head).expect("a table of requests");
    let found: Vec<_> = (table_of_requests.rows.iter())
        .map(|row| (row[0].clone(), row[2..].join(" | ")))
        .collect();
    differences("Requests", &requests, &found, &mut problems);
    let head = ["request", "parameter", "type", "meaning"];
    let table_of_parameters = table(&tables, "Requests", &head).expect("a table of parameters");
    let found: Vec<_> = (table_of_parameters.rows.iter())
        .map(|row| (format!("{} {}", row[0], row[1]), row[2].clone()))
        .collect();
    differences("Requests", &parameters, &found, &mut problems);
    with_meaning("Requests", table_of_parameters, &mut problems);

    let events = &description["paths"]["/v1/events"]["get"]["responses"]["200"]["content"];
    let events = events["text/event-stream"]["x-events"].as_object().unwrap();
    let expected = events
        .iter()
        .map(|(event, data)| (format!("`{event}`"), link(named(data))));
    let table = table(&tables, "Events", &["event", "data", "meaning"]).expect("a table of events");
    differences("Events", &expected.collect(), &pairs(table), &mut problems);
    assert!(
        requests.len() > 15,
        "only {} requests found",
        requests.len()
    );
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_type_that_people_and_programs_see_has_a_schema() {
    let description = description();
    let mut there: BTreeSet<String> = schemas(&description).keys().cloned().collect();
    let mut types = BTreeSet::new();
    for file in files("agent/view", ".rs") {
        let text = fs::read_to_string(file).unwrap();
        for line in text.lines() {
            let rest = line
                .strip_prefix("pub struct ")
                .or(line.strip_prefix("pub enum "));
            let name = rest.and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            types.extend(name.map(str::to_owned));
        }
    }
    assert!(types.len() > 25, "only {} types found", types.len());
    for (name, why) in NOT_SENT {
        assert!(types.remove(*name), "agent/view has no {name} any more");
        assert!(
            !there.contains(*name),
            "{name} has a schema, although {why}"
        );
    }
    for name in ANSWERS {
        assert!(there.remove(*name), "{DESCRIPTION} has no {name}");
    }
    let missing: Vec<_> = types.difference(&there).collect();
    assert!(
        missing.is_empty(),
        "no request of agent/cli/openapi.rs leads to these types of agent/view: {missing:?}; add the request, or say in \
         NOT_SENT of tests/it/control_document.rs why there is none"
    );
    let gone: Vec<_> = there.difference(&types).collect();
    assert!(
        gone.is_empty(),
        "{DESCRIPTION}: {gone:?} are not in agent/view"
    );
}

#[test]
fn every_word_of_the_paths_is_in_the_table_that_answers() {
    let file = "agent/driver/control/answer.rs";
    let source = fs::read_to_string(root().join(file)).unwrap();
    let table = source.split("\nfn ask").nth(1);
    let table = table.and_then(|table| table.split("\n}").next());
    let table = table.unwrap_or_else(|| panic!("{file} has no function `ask`"));
    let mut answered: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.split_once("=>"))
        .flat_map(|(pattern, _)| pattern.split('"').skip(1).step_by(2))
        .collect();
    answered.extend(HostAction::ALL.map(HostAction::word));
    let description = description();
    let paths = description["paths"].as_object().unwrap().keys();
    let described: BTreeSet<&str> = paths
        .flat_map(|path| path.split('/').skip(1))
        .filter(|word| !word.starts_with('{'))
        .collect();
    assert!(answered.len() > 10, "{file}: only {answered:?} found");
    assert_eq!(
        answered, described,
        "{file} (left) and {DESCRIPTION} (right) differ in the words of their paths: bring REQUESTS in agent/cli/openapi.rs up to \
         date, and run `UPDATE=1 cargo test`"
    );
}

#[test]
fn every_link_inside_the_document_leads_somewhere() {
    let document = document();
    let headings: BTreeSet<String> = document
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .replace(' ', "-")
        })
        .collect();
    let mut links = 0;
    for link in document.split("](#").skip(1) {
        let place = link.split(')').next().unwrap();
        assert!(
            headings.contains(place),
            "{DOCUMENT}: no heading for the link #{place}"
        );
        links += 1;
    }
    assert!(links > 30, "only {links} links found");
}
