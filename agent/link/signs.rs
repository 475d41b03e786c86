//! Signs of life from the other side of a link. Both sides count how many checks in a row have found none.

/// The bytes that have arrived since the last check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Nothing has arrived.
    #[default]
    None,
    /// Bytes have arrived, of a frame that is not complete yet.
    Part,
    /// A whole frame has arrived.
    Whole,
}

/// Counts the checks without a sign of life from the other side.
///
/// A line may be so slow that a frame takes many checks. However, a frame whose length was changed on the way never
/// becomes complete, even if bytes go on arriving. Therefore bytes of an incomplete frame count as a sign of life for a
/// limited time only.
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

    /// Makes a check, and returns how many in a row have found no sign of life. Bytes of an incomplete frame count as
    /// one for `parts_max` checks.
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

    /// Starts again, as if this many checks had found no sign of life.
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
