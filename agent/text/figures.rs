//! Formats amounts, rates, latencies, spans of time and counts for people: on the terminal, in the log and in the tray.
//! `ui/src/lib/format.ts` does the same for the page. Tests compare both with `ui/src/lib/golden/words.json`.

/// The units of an amount of bytes, each a thousand times the one before.
const BYTES: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];

/// The units of a latency, each a thousand times the one before.
const TIMES: [&str; 3] = ["\u{b5}s", "ms", "s"];

/// An amount of bytes: `12 B`, `1.2 kB`, `340 MB`.
pub fn bytes(count: u64) -> String {
    scaled(count, &BYTES)
}

/// Bytes per second: `5 B/s`, `1.2 MB/s`.
pub fn rate(per_second: u64) -> String {
    format!("{}/s", bytes(per_second))
}

/// A short time in microseconds: `213 µs`, `1.2 ms`, `35 ms`, `1.5 s`.
pub fn latency(micros: u64) -> String {
    scaled(micros, &TIMES)
}

/// A span of time in milliseconds, in whole seconds or more: `0 s`, `59 s`, `3 min`, `2 h 5 min`, `4 d 3 h`.
pub fn span(millis: u64) -> String {
    let seconds = millis / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => with_rest((hours, "h"), (minutes % 60, "min")),
        _ => with_rest((days, "d"), (hours % 24, "h")),
    }
}

/// Formats the remaining time of a countdown, given in milliseconds. The time is rounded up to whole seconds, so that
/// the countdown ends with `1 s` and `0 s`.
pub fn countdown(millis: u64) -> String {
    span(millis.div_ceil(1_000).saturating_mul(1_000))
}

/// A number with its noun: `1 host`, `2 hosts`.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// An amount in the largest unit that is not larger than the amount. Numbers below 10 have one decimal place, except in
/// the smallest unit. The amount is rounded down, so the text never shows more than the real amount.
fn scaled(amount: u64, units: &[&str]) -> String {
    let mut tenths = u128::from(amount) * 10;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < units.len() {
        tenths /= 1_000;
        unit += 1;
    }
    let (whole, digit, name) = (tenths / 10, tenths % 10, units[unit]);
    if unit > 0 && whole < 10 {
        format!("{whole}.{digit} {name}")
    } else {
        format!("{whole} {name}")
    }
}

/// Joins the two largest units of a span of time, such as hours and minutes. The smaller unit is left out if its number
/// is zero.
fn with_rest((large, of_large): (u64, &str), (small, of_small): (u64, &str)) -> String {
    match small {
        0 => format!("{large} {of_large}"),
        _ => format!("{large} {of_large} {small} {of_small}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_a_unit() {
        let shown = [0, 999, 1_000, 1_234, 9_990, 340_000_000, u64::MAX].map(bytes);
        assert_eq!(
            shown,
            [
                "0 B", "999 B", "1.0 kB", "1.2 kB", "9.9 kB", "340 MB", "18446 PB"
            ]
        );
        assert_eq!([rate(0), rate(5)], ["0 B/s", "5 B/s"]);
        let latencies = [213, 1_250, 35_000, 1_200_000].map(latency);
        assert_eq!(latencies, ["213 \u{b5}s", "1.2 ms", "35 ms", "1.2 s"]);
        let spans = [450, 12_000, 180_000, 7_500_000, 18_000_000, 180_000_000].map(span);
        assert_eq!(
            spans,
            ["0 s", "12 s", "3 min", "2 h 5 min", "5 h", "2 d 2 h"]
        );
    }

    #[test]
    fn a_time_that_runs_out_shows_1_until_its_end() {
        let left = [1_001, 1_000, 1, 0].map(countdown);
        assert_eq!(left, ["2 s", "1 s", "1 s", "0 s"]);
        assert_eq!(countdown(u64::MAX), span(u64::MAX - u64::MAX % 1_000));
    }

    #[test]
    fn what_is_counted_has_its_number() {
        let hosts = [0, 1, 2].map(|count| counted(count, "host"));
        assert_eq!(hosts, ["0 hosts", "1 host", "2 hosts"]);
    }
}
