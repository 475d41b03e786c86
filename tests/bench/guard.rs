//! Bounds for ratios, so that a change that makes the network much slower is noticed. They are generous, because the
//! machines of a CI are small and busy: they find a mistake, not a loss of a few percent.

use std::process::ExitCode;

use crate::table::{Table, quantile};

/// A bound for the ratio of two columns.
struct Bound {
    group: &'static str,
    row: &'static str,
    /// The column with which `norouter` is compared.
    beside: &'static str,
    limit: Limit,
}

/// The ratio that is still good.
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

const BOUNDS: &[Bound] = &[
    Bound {
        group: "pipes",
        row: "one flow up, Gbit/s",
        beside: "socat x 2",
        limit: Limit::AtLeast(0.05),
    },
    Bound {
        group: "pipes",
        row: "one flow down, Gbit/s",
        beside: "socat x 2",
        limit: Limit::AtLeast(0.05),
    },
    Bound {
        group: "pipes",
        row: "one flow up, Gbit/s",
        beside: "ssh -L",
        limit: Limit::AtLeast(0.3),
    },
    Bound {
        group: "pipes",
        row: "one flow down, Gbit/s",
        beside: "ssh -L",
        limit: Limit::AtLeast(0.3),
    },
    Bound {
        group: "pipes",
        row: "processor time for 1 GB up, s",
        beside: "ssh -L",
        limit: Limit::AtMost(1.2),
    },
    Bound {
        group: "pipes",
        row: "processor time for 1 GB down, s",
        beside: "ssh -L",
        limit: Limit::AtMost(1.2),
    },
    Bound {
        group: "pipes",
        row: "round trip of one byte, at rest, median, us",
        beside: "ssh -L",
        limit: Limit::AtMost(5.0),
    },
    Bound {
        group: "pipes",
        row: "new connections one after another, 1/s",
        beside: "ssh -L",
        limit: Limit::AtLeast(0.2),
    },
    Bound {
        group: "slow",
        row: "keystroke during a transfer up, median, ms",
        beside: "ssh -L",
        limit: Limit::AtMost(0.4),
    },
    Bound {
        group: "slow",
        row: "the transfer up, Mbit/s",
        beside: "ssh -L",
        limit: Limit::AtLeast(0.7),
    },
    Bound {
        group: "slow",
        row: "keystroke during a transfer down, median, ms",
        beside: "ssh -L",
        limit: Limit::AtMost(0.4),
    },
    Bound {
        group: "slow",
        row: "the transfer down, Mbit/s",
        beside: "ssh -L",
        limit: Limit::AtLeast(0.7),
    },
];

/// Compares the tables with the bounds of their groups, and prints each bound. Fails if one is not kept, or if none was
/// measured.
pub(crate) fn check(tables: &[(&str, Table)]) -> ExitCode {
    let mut compared = 0;
    let mut is_kept = true;
    for bound in BOUNDS {
        let Some((_, table)) = tables.iter().find(|(name, _)| *name == bound.group) else {
            continue;
        };
        // A ratio that was not measured is NaN, which no bound keeps.
        let ratio = quantile(&table.ratios(bound.row, "norouter", bound.beside), 0.5);
        let (holds, limit) = match bound.limit {
            Limit::AtLeast(least) => (ratio >= least, format!("at least {least}")),
            Limit::AtMost(most) => (ratio <= most, format!("at most {most}")),
        };
        let verdict = if holds { "kept" } else { "NOT KEPT" };
        let (row, beside) = (bound.row, bound.beside);
        println!("{verdict}: {row}: {ratio:.2} of {beside}, {limit}");
        compared += 1;
        is_kept &= holds;
    }
    if compared == 0 {
        println!("NOT KEPT: no group with a bound was measured");
    }
    if is_kept && compared > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
