//! Finds the ports and addresses in the text of a manifest: the values of the fields whose table says so.

use super::{
    forms::{BLOCK, FORWARD, LISTEN_ADDRESS, TARGET, VIP},
    schema::{Field, Level, MANIFEST, Shape},
    source::{Id, Kind, Source},
};

/// The nodes of all single values that are written in a field for ports or addresses. Values that come through an
/// alias or a merge key are left out, and so are keys that the tables do not have.
pub fn addresses(source: &Source) -> Vec<Id> {
    let mut found = Vec::new();
    in_map(source, source.root, &MANIFEST, &mut found);
    found
}

fn in_map(source: &Source, map: Id, level: &Level, found: &mut Vec<Id>) {
    for entry in source.entries(map) {
        if source.is_merge(*entry) {
            continue;
        }
        let mut fields = level.fields.iter();
        if let Some(field) = fields.find(|field| field.name == source.key(*entry)) {
            in_value(source, entry.value, field, found);
        }
    }
}

fn in_value(source: &Source, value: Id, field: &Field, found: &mut Vec<Id>) {
    match field.shape {
        Shape::Port | Shape::Ports | Shape::Text | Shape::Texts | Shape::TextOrTexts => {
            if is_of_addresses(field) {
                scalars(source, value, found);
            }
        }
        Shape::Map(level) | Shape::TextOrMap(level) => in_map(source, value, level, found),
        Shape::Named(level) => {
            for entry in source.entries(value) {
                if !source.is_merge(*entry) && !source.key(*entry).starts_with("x-") {
                    in_map(source, entry.value, level, found);
                }
            }
        }
        Shape::List(level) => {
            for item in source.items(value) {
                in_map(source, *item, level, found);
            }
        }
        Shape::Word(_) | Shape::Flag | Shape::NamedTexts => {}
    }
}

fn is_of_addresses(field: &Field) -> bool {
    let forms = [BLOCK, FORWARD, LISTEN_ADDRESS, TARGET, VIP];
    matches!(field.shape, Shape::Port | Shape::Ports)
        || field.pattern.is_some_and(|form| forms.contains(&form))
}

/// The value itself, or the items of its list.
fn scalars(source: &Source, value: Id, found: &mut Vec<Id>) {
    let is_scalar = |id: Id| matches!(source.node(id).kind, Kind::Scalar { .. });
    let items = source.items(value).iter().copied();
    found.extend(items.chain([value]).filter(|id| is_scalar(*id)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_addresses_are_found_where_they_are_written() {
        let text = "\
network: n
x-all: &all {vip: no}
hostTemplate: {dns: {listen: d}, http: {listen: h, credentials: no}, aliases: [no]}
hosts:
  x-more: {vip: no}
  a: {vip: v, ports: [p, q], cmd: no, docker: {service: no}, colour: no}
  b: {<<: *all, ports: x}
  c: *all
routes: [{via: no, to: [t], notTo: [u]}, 7]
policy: {default: no, groups: {vip: [no]}, rules: [{from: no, ports: [r], action: no}]}
";
        let source = Source::read(text).unwrap();
        let found = addresses(&source).into_iter().map(|id| {
            let node = source.node(id);
            &text[node.span.clone()]
        });
        let found: String = found.collect();
        assert_eq!(found, "ndhvpqxtur");
    }
}
