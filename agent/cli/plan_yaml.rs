//! The manifest that `norouter plan --yaml` writes: it means the same as the given one, and has everything resolved.

use serde_yaml::{Mapping, Value as Yaml};

use super::error::{Error, Exit};
use crate::{
    manifest::{
        fields::sort,
        value::{Value, content},
    },
    plan::{Loaded, Plan},
};

/// A manifest that has the same plan as this one.
pub(super) fn of(loaded: &Loaded, plan: &Plan) -> Result<String, Error> {
    let failed = |why: &str| Error::new(Exit::Failure, format!("cannot write the manifest: {why}"));
    let content = content(&loaded.text).ok_or_else(|| failed("it is not YAML"))?;
    let none = Value::Null;
    let template = content.root.get("hostTemplate").unwrap_or(&none);
    let written = content.root.get("hosts").unwrap_or(&none);
    let mut hosts = Mapping::new();
    for (host, planned) in loaded.manifest.hosts.iter().zip(&plan.hosts) {
        let name = host.name.value.as_str();
        let own = written.get(name).unwrap_or(&none);
        let vip = Value::Text(planned.vip.to_string());
        hosts.insert(name.into(), effective(own, template, vip));
    }
    let mut root = Mapping::new();
    root.insert("hosts".into(), Yaml::Mapping(hosts));
    for key in ["routes", "policy"] {
        if let Some(value) = content.root.get(key).filter(|it| **it != Value::Null) {
            root.insert(key.into(), yaml(value));
        }
    }
    serde_yaml::to_string(&root).map_err(|error| failed(&error.to_string()))
}

/// A host with its address, and with the fields that it takes from the template.
fn effective(own: &Value, template: &Value, vip: Value) -> Yaml {
    let mut fields = entries(template);
    for (key, value) in entries(own) {
        let inherited = fields.iter().position(|(known, _)| *known == key);
        let Some(at) = inherited else {
            fields.push((key, value));
            continue;
        };
        match (&mut fields[at].1, value) {
            (Value::List(ports), Value::List(more)) if key == "ports" => ports.extend(more),
            (old, new) => *old = new,
        }
    }
    fields.retain(|(key, _)| key != "vip");
    fields.push(("vip".to_owned(), vip));
    sort(&mut fields);
    let fields = fields.into_iter();
    let fields = fields.map(|(key, value)| (Yaml::String(key), yaml(&value)));
    Yaml::Mapping(fields.collect())
}

/// The entries of a map, except those that are null and those with keys of a person's own (`x-`).
fn entries(value: &Value) -> Vec<(String, Value)> {
    let Value::Map(map) = value else {
        return Vec::new();
    };
    let entries = map.iter();
    let entries = entries.filter(|(key, value)| **value != Value::Null && !key.starts_with("x-"));
    entries
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn yaml(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Flag(flag) => Yaml::Bool(*flag),
        Value::Text(text) => Yaml::String(text.clone()),
        Value::List(items) => Yaml::Sequence(items.iter().map(yaml).collect()),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            sort(&mut entries);
            let entries = entries.into_iter();
            Yaml::Mapping(
                entries
                    .map(|(key, value)| (key.as_str().into(), yaml(value)))
                    .collect(),
            )
        }
    }
}
