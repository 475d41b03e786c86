//! Times in the time zone of the person, for output and input. Programs get UTC instead.

use std::io::{self, IsTerminal as _};

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::figures::moment;

/// The present time in the time zone of the person: that of the variable `TZ`, or else that of the machine. If the
/// machine does not report its time zone, UTC is used.
pub(super) struct Clock {
    now: Timestamp,
    zone: TimeZone,
}

impl Clock {
    pub(super) fn now() -> Self {
        Self {
            now: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    /// The present time, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        millis(self.now)
    }

    /// A time, given in milliseconds since 1970, as a person reads it: `12:15:01`, or `2026-11-23 12:15:01` if it is
    /// not today.
    pub(super) fn shown(&self, time_ms: u64) -> String {
        let time = i64::try_from(time_ms).ok();
        let Some(time) = time.and_then(|time| Timestamp::from_millisecond(time).ok()) else {
            return moment(time_ms);
        };
        let time = self.zone.to_datetime(time);
        let (day, time) = (time.date(), time.time());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let time = format!("{hour:02}:{minute:02}:{second:02}");
        if day == self.today().date() {
            time
        } else {
            format!("{day} {time}")
        }
    }

    fn today(&self) -> DateTime {
        self.zone.to_datetime(self.now)
    }

    /// The time that a person means, in milliseconds since 1970. The text is `12:15` (which means the last such time
    /// that is over), `2026-11-23`, `2026-11-23 12:15`, or a time with its zone, as programs get it. `None` if it is
    /// none of these.
    pub(super) fn meant(&self, text: &str) -> Option<u64> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(millis(time));
        }
        let written = |text: &str| text.contains(':');
        let in_zone = |time: DateTime| self.zone.to_timestamp(time).ok();
        let time = match text.parse::<Time>() {
            Ok(time) if written(text) && !text.contains('-') => {
                let today = self.today().date();
                let time = in_zone(today.to_datetime(time))?;
                if time <= self.now {
                    time
                } else {
                    let before = today.yesterday().ok()?;
                    in_zone(before.to_datetime(text.parse().ok()?))?
                }
            }
            _ if !text.contains('-') => return None,
            _ => match text.parse::<DateTime>() {
                Ok(time) => in_zone(time)?,
                Err(_) => in_zone(text.parse::<Date>().ok()?.to_datetime(Time::midnight()))?,
            },
        };
        Some(millis(time))
    }
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

/// Formats a time in milliseconds since 1970 for standard output. If the output is a terminal, the time is in the zone
/// of the person. Otherwise it is in UTC, because a program may read it.
pub(super) fn stamp(time_ms: u64) -> String {
    if io::stdout().is_terminal() {
        Clock::now().shown(time_ms)
    } else {
        moment(time_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half past midnight of a day in November, in Berlin.
    fn clock() -> Clock {
        Clock {
            now: "2026-11-24T00:30:00+01:00".parse().unwrap(),
            zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
        }
    }

    fn at(text: &str) -> u64 {
        millis(text.parse().unwrap())
    }

    #[test]
    fn a_time_of_today_has_no_date() {
        let shown = |text| clock().shown(at(text));
        assert_eq!(shown("2026-11-23T23:15:01.120Z"), "00:15:01");
        assert_eq!(shown("2026-11-23T22:59:59Z"), "2026-11-23 23:59:59");
        assert_eq!(
            shown("2026-07-01T10:00:00Z"),
            "2026-07-01 12:00:00",
            "in summer"
        );
        assert_eq!(clock().shown(u64::MAX), moment(u64::MAX));
    }

    #[test]
    fn a_time_is_written_as_it_is_shown() {
        for (text, time) in [
            ("00:15", "2026-11-23T23:15:00Z"),
            ("00:15:01", "2026-11-23T23:15:01Z"),
            ("23:59", "2026-11-23T22:59:00Z"),
            ("2026-11-22 23:59:59", "2026-11-22T22:59:59Z"),
            ("2026-11-22 08:00", "2026-11-22T07:00:00Z"),
            ("2026-11-22", "2026-11-21T23:00:00Z"),
            ("2026-07-01T12:00", "2026-07-01T10:00:00Z"),
            ("2026-11-23T22:59:59.120Z", "2026-11-23T22:59:59.120Z"),
            ("2026-11-23T22:59:59+02:00", "2026-11-23T20:59:59Z"),
        ] {
            assert_eq!(clock().meant(text), Some(at(time)), "{text}");
        }
        for text in ["", "90", "5m", "noon", "25:00", "12:61", "2026", "11-23"] {
            assert_eq!(clock().meant(text), None, "{text}");
        }
    }
}
