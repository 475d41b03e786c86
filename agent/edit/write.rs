//! Writes new values. Texts that a reader of YAML 1.1 could take for a number, a time or a flag get double quotes, and
//! so do ports and addresses.

use std::fmt::Write as _;

use crate::manifest::{fields::sort, value::Value};

/// The maximum length of a line with a list in brackets. A longer list gets one line for each item.
const LINE_MAX: usize = 90;

/// Words that YAML 1.1 takes for flags or null.
const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// The text of a value in one line, with brackets around lists and maps.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => scalar(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(_) => {
            let entries: Vec<String> = sorted(value)
                .into_iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), flow(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A text between double quotes, or without quotes if it is a simple word.
pub(super) fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if is_word {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // YAML takes the last four characters for line breaks or marks.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{85}') => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The text of a value behind `key:` or `-`: behind a blank in the same line, or in the lines below. `indent` is the
/// column of the key or dash, and `step` the number of columns by which the lines below are indented further.
pub(super) fn behind(value: &Value, indent: usize, step: usize, newline: &str) -> String {
    let below = indent + step;
    let margin = " ".repeat(below);
    match value {
        Value::Map(entries) if !entries.is_empty() => {
            let lines = sorted(value).into_iter().map(|(key, value)| {
                let rest = behind(value, below, step, newline);
                format!("{newline}{margin}{}:{rest}", scalar(key))
            });
            lines.collect()
        }
        Value::List(items) => {
            if items.iter().any(|item| matches!(item, Value::Map(_))) {
                let lines = items
                    .iter()
                    .map(|it| format!("{newline}{margin}-{}", item(it, below, newline)));
                return lines.collect();
            }
            let line = flow(value);
            if line.len() + indent <= LINE_MAX || items.is_empty() {
                return format!(" {line}");
            }
            let lines = items
                .iter()
                .map(|item| format!("{newline}{margin}- {}", flow(item)));
            lines.collect()
        }
        Value::Map(_) | Value::Null | Value::Flag(_) | Value::Text(_) => {
            format!(" {}", flow(value))
        }
    }
}

/// The text of an item behind its dash. A map begins in the line of the dash.
pub(super) fn item(value: &Value, dash: usize, newline: &str) -> String {
    let Value::Map(entries) = value else {
        return format!(" {}", flow(value));
    };
    if entries.is_empty() {
        return " {}".to_owned();
    }
    let margin = " ".repeat(dash + 2);
    let lines: Vec<String> = sorted(value)
        .into_iter()
        .map(|(key, value)| format!("{}:{}", scalar(key), behind(value, dash + 2, 2, newline)))
        .collect();
    format!(" {}", lines.join(&format!("{newline}{margin}")))
}

/// The entries of a map in the order of the tables of fields.
fn sorted(value: &Value) -> Vec<(&String, &Value)> {
    let Value::Map(entries) = value else {
        return Vec::new();
    };
    let mut entries: Vec<_> = entries.iter().collect();
    sort(&mut entries);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_another_reader_could_misread_get_quotes() {
        for (text, written) in [
            ("web1", "web1"),
            ("8080:127.0.0.1:80", "\"8080:127.0.0.1:80\""),
            ("127.0.42.1", "\"127.0.42.1\""),
            ("*.internal", "\"*.internal\""),
            ("no", "\"no\""),
            ("1e3", "\"1e3\""),
            ("", "\"\""),
            ("a \"b\" \\ c\n", "\"a \\\"b\\\" \\\\ c\\n\""),
            ("\u{85}", "\"\\u0085\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }
}
