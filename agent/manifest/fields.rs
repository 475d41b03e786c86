//! The fields of manifests as editors need them: their names for each part of a manifest, and the form of their values.

use super::{
    forms::{PORT, regex},
    schema::{Field, GROUPS, HOST, Level, MANIFEST, POLICY, ROUTE, RULE, Shape, TEMPLATE, TEST},
};

/// The form of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A text, or a list of texts.
    TextOrTexts,
    /// A map with keys of its own.
    Map,
}

/// A table of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The manifest itself.
    Manifest,
    /// A host.
    Host,
    /// `hostTemplate`.
    Template,
    /// A route.
    Route,
    /// A rule of the policy.
    Rule,
    /// A test of the policy.
    Test,
    /// The groups of the policy. The name of a group is its field.
    Groups,
}

impl Of {
    fn level(self) -> &'static Level {
        match self {
            Self::Manifest => &MANIFEST,
            Self::Host => &HOST,
            Self::Template => &TEMPLATE,
            Self::Route => &ROUTE,
            Self::Rule => &RULE,
            Self::Test => &TEST,
            Self::Groups => &GROUPS,
        }
    }
}

/// The description of a field in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The form of the value.
    pub form: Form,
    /// Whether the field has to be set.
    pub required: bool,
    /// The meaning of the field.
    pub doc: &'static str,
    /// An example of the value, as JSON.
    pub example: &'static str,
    /// The form of the text, or of each text in a list, as a regular expression.
    pub pattern: Option<String>,
}

/// The description of the field at this path; `None` if the field does not exist.
pub fn described<T: AsRef<str>>(of: Of, path: &[T]) -> Option<Described> {
    let (field, form) = found(of, path)?;
    let of_ports = matches!(field.shape, Shape::Port).then_some(PORT);
    Some(Described {
        form,
        required: field.required && path.len() == 1,
        doc: field.doc,
        example: field.example,
        pattern: field.pattern.or(of_ports).map(regex),
    })
}

/// The form of the field at this path, as in `["http", "listen"]`; `None` if there is no such field.
pub fn form<T: AsRef<str>>(of: Of, path: &[T]) -> Option<Form> {
    match (of, path) {
        (Of::Groups, [_]) => Some(Form::Texts),
        (Of::Groups, _) => None,
        _ => found(of, path).map(|(_, form)| form),
    }
}

fn found<T: AsRef<str>>(of: Of, path: &[T]) -> Option<(&'static Field, Form)> {
    let mut level = of.level();
    let mut found = None;
    for (depth, key) in path.iter().enumerate() {
        let mut fields = level.fields.iter();
        let field = fields.find(|field| field.name == key.as_ref())?;
        let form = match field.shape {
            Shape::Text | Shape::Port => Form::Text,
            Shape::Word(words) => Form::Word(words),
            Shape::Flag => Form::Flag,
            Shape::Texts | Shape::Ports => Form::Texts,
            Shape::TextOrTexts => Form::TextOrTexts,
            Shape::TextOrMap(_) if depth + 1 == path.len() => Form::Text,
            Shape::Map(inner) | Shape::TextOrMap(inner) => {
                level = inner;
                Form::Map
            }
            Shape::Named(_) | Shape::List(_) | Shape::NamedTexts => return None,
        };
        if form != Form::Map && depth + 1 < path.len() {
            return None;
        }
        found = Some((field, form));
    }
    found
}

/// The names of all fields of this table, those inside a map with a dot: `http.listen`.
pub fn names(of: Of) -> Vec<String> {
    let mut all = Vec::new();
    for field in of.level().fields {
        if let Shape::TextOrMap(_) = field.shape {
            all.push(field.name.to_owned());
        }
        match field.shape {
            Shape::Map(inner) | Shape::TextOrMap(inner) => {
                let names = inner.fields.iter();
                all.extend(names.map(|inner| format!("{}.{}", field.name, inner.name)));
            }
            Shape::Text
            | Shape::Word(_)
            | Shape::Port
            | Shape::Flag
            | Shape::Texts
            | Shape::Ports
            | Shape::TextOrTexts => all.push(field.name.to_owned()),
            Shape::Named(_) | Shape::List(_) | Shape::NamedTexts => {}
        }
    }
    all
}

/// Sorts the entries of a map into the order in which they are written: that of the table that has most of the keys. Other
/// keys come last.
pub fn sort<K: AsRef<str>, V>(entries: &mut [(K, V)]) {
    let inner = HOST.fields.iter().filter_map(|field| match field.shape {
        Shape::Map(level) | Shape::TextOrMap(level) => Some(level),
        Shape::Text
        | Shape::Word(_)
        | Shape::Port
        | Shape::Flag
        | Shape::Texts
        | Shape::Ports
        | Shape::NamedTexts
        | Shape::TextOrTexts
        | Shape::Named(_)
        | Shape::List(_) => None,
    });
    let tables = [&HOST, &ROUTE, &RULE, &TEST, &POLICY];
    let place = |table: &Level, key: &K| {
        let mut fields = table.fields.iter();
        fields.position(|field| field.name == key.as_ref())
    };
    let known = |table: &&Level| {
        let keys = entries.iter().map(|(key, _)| key);
        keys.filter(|key| place(table, key).is_some()).count()
    };
    // Of tables that have equally many of the keys, the first one counts.
    let tables: Vec<&Level> = tables.into_iter().chain(inner).collect();
    if let Some(table) = tables.into_iter().rev().max_by_key(known) {
        entries.sort_by_key(|(key, _)| place(table, key).unwrap_or(usize::MAX));
    }
}
