//! Draws the progress of an agent on its way to a host.

use crate::view::InstallView;

/// The width of a bar, in columns, if there is room for it.
const BAR: usize = 20;

/// The least width at which a bar shows anything, in columns.
const BAR_MIN: usize = 5;

/// The words about an installation. While the agent is being sent, a bar stands before them if `room` columns are
/// enough for both.
pub(super) fn line(install: &InstallView, room: usize) -> String {
    let words = install.to_string();
    // The brackets and the blank behind them.
    let left = room.saturating_sub(words.chars().count() + 3).min(BAR);
    match install.percent() {
        Some(percent) if left >= BAR_MIN => format!("{} {words}", bar(percent, left)),
        Some(_) | None => words,
    }
}

/// A bar of ASCII characters, since not every terminal has others.
fn bar(percent: u64, width: usize) -> String {
    let full = usize::try_from(percent.min(100)).unwrap_or(100) * width / 100;
    format!("[{}{}]", "#".repeat(full), "-".repeat(width - full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::InstallStep;

    #[test]
    fn the_bar_takes_the_room_that_the_words_leave() {
        let sent = |kept| InstallView {
            step: InstallStep::Upload,
            kept,
            size: 3_000_000,
            per_second: Some(750_000),
        };
        let half = "the agent is sent: 1.5 MB of 3.0 MB, 50 %, 750 kB/s, 2 s left";
        for (room, told) in [
            (100, format!("[##########----------] {half}")),
            (69, format!("[##---] {half}")),
            (68, half.to_owned()),
            (0, half.to_owned()),
        ] {
            assert_eq!(line(&sent(1_500_000), room), told, "{room}");
        }
        assert!(line(&sent(0), 100).starts_with("[--------------------] "));
        assert!(line(&sent(2_999_999), 100).starts_with("[###################-] "));
        assert!(line(&sent(3_000_000), 100).starts_with("[####################] "));
    }

    #[test]
    fn a_step_without_an_amount_has_no_bar() {
        let step = InstallStep::Verify;
        let (kept, size, per_second) = (0, 0, None);
        let install = InstallView {
            step,
            kept,
            size,
            per_second,
        };
        assert_eq!(line(&install, 100), "the agent is checked");
    }
}
