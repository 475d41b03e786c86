//! Formats tables, times and numbers for the terminal.

use crate::text::figures;
pub(super) use crate::text::figures::{bytes, latency, span};

/// Formats bytes per second for a table. The text for 0 is empty, so that traffic stands out.
pub(super) fn rate(count: u64) -> String {
    match count {
        0 => String::new(),
        _ => figures::rate(count),
    }
}

/// Formats a time in milliseconds since 1970 as UTC (RFC 3339): `2026-11-23T16:59:39.120Z`.
pub(super) fn moment(millis: u64) -> String {
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let (year, month, day) = date(days);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The year, month and day that is `days` days after 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let divides = |by, year: u64| year.is_multiple_of(by);
    let leap = |year| divides(4, year) && (!divides(100, year) || divides(400, year));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

/// Formats a table with two spaces between its columns. A column whose title begins with `>` is right-aligned. Cells
/// may have colours.
pub(super) fn table(titles: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let plain: Vec<String> = titles
        .iter()
        .map(|title| title.trim_start_matches('>').to_owned())
        .collect();
    let widths: Vec<usize> = (0..titles.len())
        .map(|column| {
            let rows = rows.iter().chain([&plain]);
            let cells = rows.filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    [&plain]
        .into_iter()
        .chain(rows)
        .map(|row| {
            let cells = row.iter().zip(&widths).zip(titles);
            let cells = cells.map(|((cell, widest), title)| {
                let gap = " ".repeat(widest.saturating_sub(width(cell)));
                if title.starts_with('>') {
                    gap + cell
                } else {
                    cell.clone() + &gap
                }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// Formats a table, but omits those of the `optional` columns that are empty in all rows.
pub(super) fn table_of_used(
    titles: &[&str],
    optional: &[&str],
    mut rows: Vec<Vec<String>>,
) -> Vec<String> {
    let columns = titles.iter().enumerate();
    let keep: Vec<_> = columns
        .map(|(column, title)| {
            let has = |row: &Vec<String>| row.get(column).is_some_and(|cell| !cell.is_empty());
            !optional.contains(title) || rows.iter().any(has)
        })
        .collect();
    for row in &mut rows {
        let mut keep = keep.iter();
        row.retain(|_| keep.next().is_some_and(|keep| *keep));
    }
    let titles = titles.iter().zip(&keep).filter(|(_, keep)| **keep);
    table(&titles.map(|(title, _)| *title).collect::<Vec<_>>(), &rows)
}

/// The number of visible characters in a cell. Colour codes do not count.
fn width(cell: &str) -> usize {
    anstream::adapter::strip_str(cell)
        .map(|part| part.chars().count())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_stands_out_in_a_table() {
        assert_eq!([rate(0), rate(5)], ["", "5 B/s"]);
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (1_795_453_179_120, "2026-11-23T16:59:39.120Z"),
        ] {
            assert_eq!(moment(millis), text);
        }
    }

    #[test]
    fn a_table_has_straight_columns() {
        let rows = [
            vec!["a".to_owned(), "1 B".to_owned()],
            vec!["long".to_owned(), "12 B".to_owned()],
        ];
        let table = table(&["HOST", ">SENT"], &rows);
        assert_eq!(table, ["HOST  SENT", "a      1 B", "long  12 B"]);
    }

    #[test]
    fn colours_take_no_room_in_a_table() {
        let rows = [
            vec!["\u{1b}[32mup\u{1b}[0m".to_owned(), "1".to_owned()],
            vec!["waiting".to_owned(), "2".to_owned()],
        ];
        let table = super::table(&["STATE", "PORT"], &rows);
        assert_eq!(table[1], "\u{1b}[32mup\u{1b}[0m       1");
    }
}
