//! Signs of life from the other side of a link. The manager and the agent both check for them at regular intervals.

/// A sign of life, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Nothing has arrived.
    #[default]
    None,
    /// Bytes of an incomplete frame have arrived.
    Part,
    /// A complete frame has arrived.
    Whole,
}

/// Counts the checks without a sign of life.
///
/// On a slow line, a frame may take as long as many checks to arrive. But a frame whose length field was damaged is
/// never complete, even if the other side keeps sending. Therefore the bytes of an incomplete frame count as a sign of
/// life only for a limited number of checks.
#[derive(Debug, Default)]
pub struct Signs {
    heard: Sign,
    parts: u32,
    missed: u32,
}

impl Signs {
    /// Notes that something has arrived.
    pub fn hear(&mut self, sign: Sign) {
        self.heard = self.heard.max(sign);
    }

    /// Performs a check, and returns the number of checks in a row without a sign of life. Bytes of an incomplete frame
    /// count as a sign for at most `parts_max` checks.
    pub fn look(&mut self, parts_max: u32) -> u32 {
        match std::mem::take(&mut self.heard) {
            Sign::Whole => (self.parts, self.missed) = (0, 0),
            Sign::Part if self.parts < parts_max => {
                self.parts += 1;
                self.missed = 0;
            }
            Sign::Part | Sign::None => self.missed += 1,
        }
        self.missed
    }

    /// Discards what has arrived since the last check, and sets the number of checks in a row without a sign of life.
    pub(super) fn forget(&mut self, missed: u32) {
        (self.heard, self.missed) = (Sign::None, missed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_life_for_some_time_and_a_frame_is_for_ever() {
        let mut signs = Signs::default();
        let mut missed = |sign| {
            signs.hear(sign);
            signs.look(2)
        };
        let mut told = [Sign::Part; 4].map(&mut missed).to_vec();
        told.extend([Sign::Whole, Sign::None, Sign::Part, Sign::Part, Sign::Part].map(missed));
        assert_eq!(told, [0, 0, 1, 2, 0, 1, 0, 0, 1]);
    }
}
