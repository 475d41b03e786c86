//! The actions that a person can request for one host of a running network.

use std::{fmt, str::FromStr};

/// An action for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAction {
    /// Start the host if it is stopped or refused, or if it waits to be started again.
    Start,
    /// Stop the host until somebody starts it.
    Stop,
    /// End the host's agent and start it again.
    Restart,
}

impl HostAction {
    /// All actions.
    pub const ALL: [Self; 3] = [Self::Start, Self::Stop, Self::Restart];

    /// The word for the action, on the command line and in the paths of the control socket.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

impl fmt::Display for HostAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The error for a word that does not name an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host can be told to start, stop or restart")]
pub struct NoHostAction;

impl FromStr for HostAction {
    type Err = NoHostAction;

    fn from_str(word: &str) -> Result<Self, NoHostAction> {
        let mut all = Self::ALL.into_iter();
        all.find(|action| action.word() == word).ok_or(NoHostAction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_known_by_its_word() {
        for action in HostAction::ALL {
            assert_eq!(action.to_string().parse(), Ok(action));
        }
        assert_eq!("approve".parse::<HostAction>(), Err(NoHostAction));
    }
}
