//! The steps of putting an agent on a host that has only a shell.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::figures;

/// A step of putting an agent on a host that has only a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum InstallStep {
    /// The command connects, and the shell looks for an agent.
    Connect,
    /// The agent is sent.
    Upload,
    /// The host compares the agent's SHA-256, and tries to run the agent.
    Verify,
    /// The agent starts.
    Start,
}

/// The progress of putting an agent on a host that has only a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstallView {
    /// The present step.
    pub step: InstallStep,
    /// How many bytes of the agent the host has stored. 0 unless the agent is being sent.
    pub kept: u64,
    /// The size of the agent in bytes. 0 unless the agent is being sent.
    pub size: u64,
    /// How many bytes the host has stored per second, on average, since the first byte of this start arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<u64>,
}

impl InstallView {
    /// The part of the agent that the host has stored, in percent. `None` unless the agent is being sent.
    pub fn percent(&self) -> Option<u64> {
        let part = self
            .kept
            .min(self.size)
            .saturating_mul(100)
            .checked_div(self.size);
        part.filter(|_| self.step == InstallStep::Upload)
    }

    /// How long the rest takes at the present rate, in milliseconds; `None` if that is not known.
    fn left_ms(&self) -> Option<u64> {
        let rest = self.size.saturating_sub(self.kept).saturating_mul(1_000);
        rest.checked_div(self.per_second?)
    }
}

impl fmt::Display for InstallView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            InstallStep::Connect => f.write_str("its shell is asked for an agent"),
            InstallStep::Upload => {
                let (kept, size) = (figures::bytes(self.kept), figures::bytes(self.size));
                write!(f, "the agent is sent: {kept} of {size}")?;
                if let Some(percent) = self.percent() {
                    write!(f, ", {percent} %")?;
                }
                if let (Some(rate), Some(left)) = (self.per_second, self.left_ms()) {
                    write!(
                        f,
                        ", {}, {} left",
                        figures::rate(rate),
                        figures::countdown(left)
                    )?;
                }
                Ok(())
            }
            InstallStep::Verify => f.write_str("the agent is checked"),
            InstallStep::Start => f.write_str("the agent is started"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_says_how_much_is_there_and_how_long_the_rest_takes() {
        let sent = |kept, size, per_second| {
            let step = InstallStep::Upload;
            InstallView {
                step,
                kept,
                size,
                per_second,
            }
            .to_string()
        };
        for (text, told) in [
            (sent(0, 0, None), "the agent is sent: 0 B of 0 B"),
            (
                sent(0, 3_000_000, None),
                "the agent is sent: 0 B of 3.0 MB, 0 %",
            ),
            (
                sent(1_500_000, 3_000_000, Some(700_000)),
                "the agent is sent: 1.5 MB of 3.0 MB, 50 %, 700 kB/s, 3 s left",
            ),
            (
                sent(1_500_000, 3_000_000, Some(0)),
                "the agent is sent: 1.5 MB of 3.0 MB, 50 %",
            ),
            (
                sent(u64::MAX, 1, Some(1)),
                "the agent is sent: 18446 PB of 1 B, 100 %, 1 B/s, 0 s left",
            ),
        ] {
            assert_eq!(text, told);
        }
    }
}
