//! Samples by row and column, as a Markdown table of medians and their ratios to one column, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The samples of one group.
pub(crate) struct Table {
    columns: Vec<String>,
    /// The number of the column to which the ratios refer.
    reference: usize,
    rows: Vec<Row>,
}

/// One row: its name with the unit, and the samples of each column.
struct Row {
    name: String,
    cells: Vec<Vec<f64>>,
}

impl Table {
    /// A table with these columns. The ratios refer to the column with the name `reference`.
    pub(crate) fn new(columns: Vec<String>, reference: &str) -> Self {
        let named = columns.iter().position(|name| name == reference);
        Self {
            reference: named.unwrap(),
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a sample. The rows appear in the order of their first samples.
    pub(crate) fn add(&mut self, row: &str, column: usize, sample: f64) {
        let known = self.rows.iter().position(|known| known.name == row);
        let index = known.unwrap_or_else(|| {
            self.rows.push(Row {
                name: row.to_owned(),
                cells: vec![Vec::new(); self.columns.len()],
            });
            self.rows.len() - 1
        });
        self.rows[index].cells[column].push(sample);
    }

    /// The median of one cell; NaN if it was not measured.
    pub(crate) fn median(&self, row: &str, column: &str) -> f64 {
        let column = self.columns.iter().position(|name| name == column);
        let row = self.rows.iter().find(|known| known.name == row);
        let samples = row.zip(column).map(|(row, column)| &row.cells[column]);
        samples.map_or(f64::NAN, |samples| quantile(samples, 0.5))
    }

    /// The medians, each with its spread and its ratio to the column of reference. The spread is half the distance between
    /// the least and the greatest sample.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("| | {} |\n|---|", self.columns.join(" | "));
        text.push_str(&"---:|".repeat(self.columns.len()));
        for row in &self.rows {
            let beside = quantile(&row.cells[self.reference], 0.5);
            write!(text, "\n| {} |", row.name).unwrap();
            for (column, samples) in row.cells.iter().enumerate() {
                let value = quantile(samples, 0.5);
                if samples.is_empty() {
                    text.push_str(" |");
                    continue;
                }
                write!(text, " {}", short(value)).unwrap();
                let spread = (quantile(samples, 1.0) - quantile(samples, 0.0)) / 2.0;
                if spread > 0.0 {
                    write!(text, " ± {}", short(spread)).unwrap();
                }
                if column != self.reference && beside > 0.0 {
                    write!(text, " ({:.2} x)", value / beside).unwrap();
                }
                text.push_str(" |");
            }
        }
        text
    }

    fn json(&self, group: &str) -> Value {
        let rows = self.rows.iter().map(|row| {
            let cells = self.columns.iter().zip(&row.cells);
            let samples: serde_json::Map<_, _> = cells
                .map(|(column, samples)| (column.clone(), json!(samples)))
                .collect();
            json!({"row": row.name, "samples": samples})
        });
        json!({"group": group, "reference": self.columns[self.reference], "rows": rows.collect::<Vec<_>>()})
    }
}

/// All samples of these groups as JSON.
pub(crate) fn json(tables: &[(&str, Table)]) -> String {
    let tables: Vec<Value> = tables.iter().map(|(name, it)| it.json(name)).collect();
    serde_json::to_string_pretty(&tables).unwrap()
}

/// The value below which this share of the samples lies; NaN if there are no samples.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index of a few thousand samples"
)]
pub(crate) fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// Formats a number with about three significant digits.
fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.2}"),
    }
}
