//! Samples by row and column, as a Markdown table of medians and their ratios to one column, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The samples of one group.
pub(crate) struct Table {
    columns: Vec<String>,
    /// The number of the first column with a program that is measured. The columns before it are for comparison.
    subjects: usize,
    /// The columns with which the programs are compared.
    references: Vec<usize>,
    rows: Vec<Row>,
}

/// One row: its name with the unit, and the samples of each column.
struct Row {
    name: String,
    cells: Vec<Vec<f64>>,
}

impl Table {
    /// A table with columns of `others` and of `subjects`. The subjects are compared with the columns that `references`
    /// names.
    pub(crate) fn new(
        others: &[&str],
        subjects: impl Iterator<Item = String>,
        references: &[&str],
    ) -> Self {
        let place = |name: &&str| others.iter().position(|other| other == name).unwrap();
        Self {
            columns: others
                .iter()
                .map(|it| (*it).to_owned())
                .chain(subjects)
                .collect(),
            subjects: others.len(),
            references: references.iter().map(place).collect(),
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

    /// The ratios of one column to another one in each round; empty if one of them was not measured.
    pub(crate) fn ratios(&self, row: &str, column: &str, beside: &str) -> Vec<f64> {
        let place = |name: &str| self.columns.iter().position(|known| known == name);
        let row = self.rows.iter().find(|known| known.name == row);
        let cells = row.zip(place(column).zip(place(beside)));
        cells.map_or_else(Vec::new, |(row, (column, beside))| {
            row.ratios(column, beside)
        })
    }

    /// The medians, and after them the medians of the ratios of each round, each with its spread: half the distance
    /// between the least and the greatest sample.
    pub(crate) fn markdown(&self) -> String {
        let subjects = self.subjects..self.columns.len();
        let to_others = subjects
            .clone()
            .flat_map(|subject| self.references.iter().map(move |it| (subject, *it)));
        // The first program is the one under test, and the others are its peers.
        let to_peers = subjects.skip(1).map(|peer| (self.subjects, peer));
        let pairs: Vec<(usize, usize)> = to_others.chain(to_peers).collect();
        let ratios = pairs.iter().map(|(subject, beside)| {
            format!("{} : {}", self.columns[*subject], self.columns[*beside])
        });
        let heads: Vec<String> = self.columns.iter().cloned().chain(ratios).collect();
        let mut text = format!(
            "| | {} |\n|---|{}",
            heads.join(" | "),
            "---:|".repeat(heads.len())
        );
        for row in &self.rows {
            let ratios = pairs
                .iter()
                .map(|(subject, beside)| row.ratios(*subject, *beside));
            let cells = row.cells.iter().cloned().chain(ratios);
            write!(text, "\n| {} |", row.name).unwrap();
            for samples in cells {
                write!(text, " {} |", cell(&samples)).unwrap();
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
        json!({"group": group, "rows": rows.collect::<Vec<_>>()})
    }
}

impl Row {
    fn ratios(&self, column: usize, beside: usize) -> Vec<f64> {
        let pairs = self.cells[column].iter().zip(&self.cells[beside]);
        let ratios = pairs.map(|(own, other)| own / other);
        ratios.filter(|ratio| ratio.is_finite()).collect()
    }
}

/// The median of these samples with their spread; nothing if there are none.
fn cell(samples: &[f64]) -> String {
    if samples.is_empty() {
        return String::new();
    }
    let spread = (quantile(samples, 1.0) - quantile(samples, 0.0)) / 2.0;
    let median = short(quantile(samples, 0.5));
    if spread > 0.0 {
        format!("{median} ± {}", short(spread))
    } else {
        median
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
