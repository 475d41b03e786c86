//! The JSON schema of a manifest, for editors, made from the tables of fields.

use serde_json::{Map, Value, json};

use super::{
    forms::{FOLDER, NAME, NAME_OR_OWN_KEY, PORT, PORT_RANGE, TARGET, regex},
    schema::{Field, Level, MANIFEST, Shape},
};

/// The address of the newest schema, which is also its `$id`.
pub const SCHEMA_URL: &str =
    "https://raw.githubusercontent.com/norouter/norouter/master/docs/manifest.schema.json";

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

/// The keys that belong to the person. They may have any value.
fn own_keys() -> Value {
    json!({"^x-": {"description": "Yours: NoRouter does not read it."}})
}

fn field_schema(field: &Field) -> Value {
    // Where a text is expected, numbers, `true` and `false` are taken as they are written. They can have the form of a
    // name, a target or a folder, but no other form.
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
        Shape::TextOrMap(level) => {
            let mut either = level_schema(level);
            either.insert(
                "type".into(),
                json!(["string", "number", "boolean", "object"]),
            );
            either
        }
        Shape::Map(level) => level_schema(level),
        Shape::Named(level) => object(json!({
            "type": "object",
            // At least one key is not one of the person's own keys, which begin with `x-`.
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
