//! Formats the matrix, which says who may reach what, for people.

use std::fmt::Write as _;

use crate::{
    text::escape,
    view::{MatrixCell, MatrixReach, MatrixTarget, PlanPolicy},
};

/// The greatest width of a table, in characters. A wider one is written as lists.
const WIDE: usize = 110;

/// The greatest length of a cell, in characters. A longer text is cut.
const CELL_MAX: usize = 24;

/// The maximum number of names in one entry of a list.
const NAMES_MAX: usize = 8;

/// Formats the matrix, with a sentence that explains it.
pub(super) fn table(policy: &PlanPolicy) -> String {
    let mut text = match (policy.default.as_str(), policy.rules.len()) {
        ("deny", rules) => {
            format!(
                "\nWho may reach what, by {}; everything else is refused:\n\n",
                rules_words(rules)
            )
        }
        (_, 0) => "\nWho may reach what: everybody all that is published or routed.\n\n".to_owned(),
        (_, rules) => format!(
            "\nWho may reach what, by {}; everything else that is published or routed:\n\n",
            rules_words(rules)
        ),
    };
    let lines = grid(policy);
    let is_wide = |line: &String| line.chars().count() > WIDE;
    if lines.iter().any(is_wide) {
        lists(policy, &mut text);
    } else {
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

fn rules_words(rules: usize) -> String {
    match rules {
        1 => "1 rule".to_owned(),
        rules => format!("{rules} rules"),
    }
}

/// Formats a table with one row for each host and one column for each target.
fn grid(policy: &PlanPolicy) -> Vec<String> {
    let mut rows = vec![vec![String::new()], vec![String::new()]];
    for target in &policy.targets {
        rows[0].push(escape(&target.name));
        rows[1].push(below(target));
    }
    for row in &policy.rows {
        let cells = row.cells.iter().map(|cell| cut(&cell.words()));
        rows.push(std::iter::once(row.from.clone()).chain(cells).collect());
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..=policy.targets.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The text below the name of a column: the published ports, or the gateway.
fn below(target: &MatrixTarget) -> String {
    if let Some(via) = &target.via {
        return format!("via {via}");
    }
    let ports: Vec<_> = target.ports.iter().map(|port| format!(":{port}")).collect();
    cut(&ports.join(" "))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= CELL_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(CELL_MAX - 3).collect();
    format!("{start}...")
}

/// For each host, lists the targets by what the host may reach there. Targets with the same result share one entry.
fn lists(policy: &PlanPolicy, text: &mut String) {
    for row in &policy.rows {
        let _ = writeln!(text, "{}", row.from);
        let mut groups: Vec<(&MatrixCell, Vec<String>)> = Vec::new();
        for (cell, target) in row.cells.iter().zip(&policy.targets) {
            if matches!(cell.reach, MatrixReach::Own | MatrixReach::Nothing) {
                continue;
            }
            let via = target.via.as_ref().map(|via| format!(" via {via}"));
            let name = format!("{}{}", escape(&target.name), via.unwrap_or_default());
            match groups.iter_mut().find(|(it, _)| it.words() == cell.words()) {
                Some((_, names)) => names.push(name),
                None => groups.push((cell, vec![name])),
            }
        }
        for (cell, names) in groups {
            let shown: Vec<_> = names.iter().take(NAMES_MAX).cloned().collect();
            let more = match names.len() - shown.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let _ = writeln!(text, "  {:<8} {}{more}", cell.words(), shown.join(", "));
        }
    }
}
