//! Rates of transfers.

use std::time::Duration;

use crate::{load::Direction, table::Table, ways::Way};

/// Measures these ways in both directions with each of these numbers of flows at a time. `prefix` begins the rows' names.
pub(super) fn measure(
    table: &mut Table,
    ways: &[Way],
    prefix: &str,
    flows: &[usize],
    span: Duration,
) {
    for (column, way) in ways.iter().enumerate() {
        for &count in flows {
            for direction in Direction::BOTH {
                let Some(transfer) = way.transfer(direction, count, span) else {
                    continue;
                };
                table.add(
                    &row(prefix, count, direction),
                    column,
                    transfer.rate() * 8.0 / 1e9,
                );
            }
        }
    }
}

/// The name of the row for this many flows in one direction.
pub(super) fn row(prefix: &str, flows: usize, direction: Direction) -> String {
    let what = if flows == 1 {
        "one flow".to_owned()
    } else {
        format!("{flows} flows")
    };
    format!("{prefix}{what} {}, Gbit/s", direction.word())
}
