//! A Markdown table with the medians of all rounds, and their ratios to the medians of one way.

use std::fmt::Write as _;

use crate::ways::Way;

/// Samples by row and column.
pub(crate) struct Table {
    columns: Vec<&'static str>,
    rows: Vec<(String, Vec<Vec<f64>>)>,
}

impl Table {
    /// A table with a column for each way.
    pub(crate) fn new(ways: &[Way]) -> Self {
        Self {
            columns: ways.iter().map(|way| way.name).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a sample; rows appear in the order of their first sample.
    pub(crate) fn add(&mut self, row: &str, column: usize, sample: f64) {
        let index = self
            .rows
            .iter()
            .position(|(name, _)| name == row)
            .unwrap_or_else(|| {
                self.rows
                    .push((row.to_owned(), vec![Vec::new(); self.columns.len()]));
                self.rows.len() - 1
            });
        self.rows[index].1[column].push(sample);
    }

    /// The medians, each with its ratio to the column of `reference`.
    pub(crate) fn markdown(&self, reference: &str) -> String {
        let reference = self
            .columns
            .iter()
            .position(|name| *name == reference)
            .unwrap();
        let mut text = format!("| | {} |\n|---|", self.columns.join(" | "));
        text.push_str(&"---:|".repeat(self.columns.len()));
        for (name, cells) in &self.rows {
            let beside = quantile(&cells[reference], 0.5);
            write!(text, "\n| {name} |").unwrap();
            for (column, samples) in cells.iter().enumerate() {
                let value = quantile(samples, 0.5);
                if samples.is_empty() {
                    text.push_str(" |");
                } else if column == reference || beside == 0.0 || beside.is_nan() {
                    write!(text, " {} |", short(value)).unwrap();
                } else {
                    write!(text, " {} ({:.2} x) |", short(value), value / beside).unwrap();
                }
            }
        }
        text
    }
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
