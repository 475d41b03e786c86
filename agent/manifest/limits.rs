//! Reads a file with limits for agents: its keys and their values, with their places. The module `limits` decides what
//! these values permit.

use super::{
    check::check_map,
    problem::{Problem, Problems, Span, Spanned},
    read::texts,
    schema::{Field, Level, Shape, field},
    tree::SIZE_MAX_BYTES,
    yaml::{self, Kind, Node},
};
use crate::text::{meant, quote};

/// One key with its values, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The kind of action.
    pub key: Spanned<String>,
    /// The permitted values for this kind of action, as written.
    pub values: Vec<Spanned<String>>,
}

static LIMITS: Level = Level {
    place: "a file with limits",
    fields: &[
        one(
            "listen",
            "Loopback addresses to listen on for programs of this machine.",
            r#"["127.0.42.0/24:8000-9000"]"#,
        ),
        one(
            "dial",
            "What to connect to, for published ports, for others as a gateway, and from proxies.",
            r#"["127.0.0.1:80", "*.internal:443"]"#,
        ),
        one(
            "gateway",
            "Whether to connect to other machines for other hosts.",
            r#""yes""#,
        ),
        one(
            "resolve",
            "Which DNS questions of other hosts to answer.",
            r#""network""#,
        ),
        one(
            "proxy",
            "Addresses to serve proxies on.",
            r#"["127.0.0.1:18080"]"#,
        ),
        one(
            "write",
            "What to write: folders, and \"hosts-file\" for /etc/hosts.",
            r#"["~/.norouter/agent"]"#,
        ),
    ],
    refused: &[],
};

const fn one(name: &'static str, doc: &'static str, example: &'static str) -> Field {
    field(name, Shape::TextOrTexts, doc, example)
}

/// The rules in `text`, and everything that is wrong with the text. A file with a problem permits nothing. If only the
/// valid part of a file applied, somebody could rely on the part that was left out.
pub fn read(text: &str) -> (Vec<Rule>, Vec<Problem>) {
    if text.len() > SIZE_MAX_BYTES {
        let message = "a file with limits is larger than 1 MiB";
        return (vec![], vec![Problem::error(Span::default(), message)]);
    }
    let (root, mut problems) = yaml::parse(text);
    // An empty file has the same meaning as an empty map: it permits nothing.
    let Some(root) = root.filter(|root| !root.is_null()) else {
        return (vec![], problems.into_vec());
    };
    let mut misfits = Problems::default();
    check_map(&root, &LIMITS, &mut misfits);
    let entries = root.entries();
    let known = |key: &str| LIMITS.fields.iter().any(|field| field.name == key);
    // In a manifest, an unknown key is only a warning. Here it is always an error.
    let unknown = |problem: &Problem| {
        let mut keys = entries.iter();
        keys.any(|entry| entry.key_span == problem.span && !known(&entry.key))
    };
    let misfits = misfits.into_vec().into_iter();
    problems.extend(misfits.filter(|problem| !unknown(problem)));
    for entry in entries.iter().filter(|entry| !known(&entry.key)) {
        let keys: Vec<_> = LIMITS.fields.iter().map(|field| field.name).collect();
        let hint = match meant(&entry.key, keys.iter().copied()) {
            Some(meant) => format!("did you mean {}?", quote(meant)),
            None => format!("its keys are: {}", keys.join(", ")),
        };
        let message = format!("unknown key {} in {}", quote(&entry.key), LIMITS.place);
        problems.push(Problem::error(entry.key_span, message).hint(hint));
    }
    let rules = entries.iter().map(|entry| Rule {
        key: Spanned {
            value: entry.key.to_string(),
            span: entry.key_span,
        },
        values: values(&entry.value),
    });
    (rules.collect(), problems.into_vec())
}

fn values(node: &Node) -> Vec<Spanned<String>> {
    match &node.kind {
        Kind::Scalar { .. } => super::read::text(node).into_iter().collect(),
        Kind::List(_) | Kind::Map(_) => texts(Some(node)),
    }
}
