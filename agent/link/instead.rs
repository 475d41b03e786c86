//! The choice between the command of a host and its shell: if the command does not start a usable agent, and the plan
//! knows the way to the shell, the next start is through the shell.

use super::loss::Loss;

/// How an agent is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// By the command of the plan.
    #[default]
    Command,
    /// By the command of the plan. If that fails, the shell is tried.
    CommandFirst,
    /// Through the shell, because the command has failed for this reason.
    Shell(Loss),
}

impl Way {
    /// The way of the next start after this loss. The shell is next if the command has failed because the host has no
    /// usable agent. If an agent has served through the shell, the shell is next again. If a person restarts the host,
    /// the command is tried first.
    pub(super) fn next(&self, why: &Loss, served: bool) -> Self {
        match self {
            Self::CommandFirst if why.is_for_want_of_an_agent() => Self::Shell(why.clone()),
            Self::Shell(_) if served && *why != Loss::Restarted => self.clone(),
            Self::Command | Self::CommandFirst | Self::Shell(_) => Self::Command,
        }
    }

    /// The loss that people are told about. If the shell was tried because the host's agent cannot be used, and no
    /// other agent could be put there, people are told about the first loss.
    pub(super) fn told(&self, why: Loss) -> Loss {
        match self {
            Self::Shell(first @ (Loss::Lacks { .. } | Loss::Refused { .. }))
                if matches!(why, Loss::Unfit { .. }) || why.is_for_want_of_an_agent() =>
            {
                first.clone()
            }
            Self::Command | Self::CommandFirst | Self::Shell(_) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Ending, LastWords, Unfit};

    fn not_found() -> Loss {
        Loss::Exited {
            ending: Ending::Status(127),
            last: LastWords::default(),
        }
    }

    fn too_old() -> Loss {
        Loss::Lacks {
            feature: "notTo",
            version: "0.7.0".to_owned(),
        }
    }

    #[test]
    fn a_command_without_an_agent_leads_to_the_shell_and_one_that_serves_there_keeps_it() {
        let shell = Way::Shell(not_found());
        for (way, why, served, next) in [
            (Way::CommandFirst, not_found(), false, shell.clone()),
            (Way::CommandFirst, Loss::Silent, true, Way::Command),
            (Way::CommandFirst, too_old(), false, Way::Shell(too_old())),
            (Way::Command, not_found(), false, Way::Command),
            (shell.clone(), Loss::Silent, true, shell.clone()),
            (shell.clone(), Loss::Silent, false, Way::Command),
            (shell.clone(), Loss::Restarted, true, Way::Command),
            (shell.clone(), not_found(), false, Way::Command),
        ] {
            assert_eq!(way.next(&why, served), next, "{way:?} {why:?}");
        }
    }

    #[test]
    fn people_read_about_an_unusable_agent_if_no_other_can_be_put_there() {
        let unfit = || Loss::Unfit {
            why: Unfit::NoReader,
            last: Box::default(),
        };
        let old = Way::Shell(too_old());
        assert_eq!(old.told(unfit()), too_old());
        assert_eq!(old.told(Loss::Silent), Loss::Silent);
        assert_eq!(Way::Shell(not_found()).told(unfit()), unfit());
    }
}
