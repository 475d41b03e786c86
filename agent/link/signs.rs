//! Signs of life from the other side of a link. Both sides count them in looks.

/// What has come since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Nothing.
    #[default]
    None,
    /// Bytes of a frame that is not whole yet.
    Part,
    /// A whole frame.
    Whole,
}

/// The signs of life of the other side.
///
/// A line may be so slow that a frame takes many looks. But a frame whose length was damaged on the way never ends,
/// however lively the other side is. So the bytes of an unfinished frame are a sign of life for a limited time only.
#[derive(Debug, Default)]
pub struct Signs {
    heard: Sign,
    parts: u32,
    missed: u32,
}

impl Signs {
    /// Notes that something has come.
    pub fn hear(&mut self, sign: Sign) {
        self.heard = self.heard.max(sign);
    }

    /// Returns how many looks in a row have found no life. Parts of a frame alone are life for `parts_max` looks.
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

    /// Begins anew, as if this many looks had found no life.
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
