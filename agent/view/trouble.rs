//! The troubles of a host: a code and values for programs, and a sentence for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::with_remedy;

/// The first words of a trouble with the code [`TroubleCode::Asks`]. The question follows them.
pub const ASKS: &str = "its command asks: ";

/// Something that is wrong with a host, or that the host waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// The kind of the trouble.
    pub code: TroubleCode,
    /// The problem, in words for people.
    pub what: String,
    /// The remedy for a person, if one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The address and port that the agent cannot listen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The status with which the host's command exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// A line that the host's command has written, which says what is wrong or what the command waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The cause, if it is a known one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<TroubleCause>,
}

/// A known cause of the loss of a host. It is recognized by what the host's command has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum TroubleCause {
    /// The user, the password or the key is not accepted.
    Login,
    /// The host's key has changed, or nobody has accepted it yet.
    HostKey,
    /// The name of the host does not exist.
    UnknownName,
    /// The host does not answer, refuses the connection, or closes it before the login.
    Unreachable,
    /// The container does not exist or does not run.
    NoContainer,
    /// The program that runs the containers does not run.
    NoEngine,
    /// The command that should be run on the host is not found there.
    NotInstalled,
    /// The command on the host is built for another processor or system.
    OtherMachine,
    /// The user lacks a permission on the host, or sudo would have to ask for a password.
    NotPermitted,
    /// A file or an option of the command is wrong.
    Setup,
    /// The command allocates a terminal, which changes the bytes of the agent.
    Terminal,
    /// The command does not pass on its input.
    NoInput,
}

/// How the known cause of a loss goes away. This decides when the host is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// The cause can go away by itself at any moment, so the host is tried again soon.
    Moments,
    /// Somebody has to do something. Retries before that do no harm, so the host is tried again after a longer pause.
    Patience,
    /// A person has to decide something before the host is tried again, because every try can do harm: some servers ban
    /// or lock users whose login fails.
    Person,
}

impl TroubleCause {
    /// How this cause of a loss goes away.
    pub fn cure(self) -> Cure {
        match self {
            Self::Unreachable => Cure::Moments,
            Self::UnknownName
            | Self::NoContainer
            | Self::NoEngine
            | Self::NotInstalled
            | Self::OtherMachine
            | Self::NotPermitted
            | Self::Setup
            | Self::Terminal
            | Self::NoInput => Cure::Patience,
            Self::Login | Self::HostKey => Cure::Person,
        }
    }
}

/// The kind of a trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum TroubleCode {
    /// The agent has reported a trouble without a code, or with a code that this manager does not know.
    #[default]
    Reported,
    /// The agent cannot listen on an address of the network.
    Listen,
    /// The agent cannot answer DNS questions over UDP at an address of the network.
    Dns,
    /// The agent cannot serve a proxy at its address.
    Proxy,
    /// The agent cannot write or remove a file of its own.
    Files,
    /// The administrator of the machine does not permit something.
    Limited,
    /// Another host wants more than its share of this host's resources.
    Crowded,
    /// When the host's agent is started again, the new agent will have to wait until the present one frees its ports.
    Succession,
    /// The agent has further troubles, which it does not report one by one.
    More,
    /// The agent has not answered for too long.
    Silent,
    /// The agent has read nothing for too long.
    Stalled,
    /// The host's command could not be started.
    NotStarted,
    /// The host's command has ended.
    Exited,
    /// The host's command was ended because a person has refused its question, or has answered "no".
    Unanswered,
    /// The host's command has closed its output, but has not ended.
    Closed,
    /// The host's command runs, but no agent has answered.
    NoAnswer,
    /// The output of the host's command contains something that the agent did not send, or the output was changed in
    /// transit.
    OutOfStep,
    /// The agent has sent a message that is too long.
    TooLong,
    /// The agent repeatedly does what a correct agent never does.
    Misbehaved,
    /// The agent keeps sending more than its share.
    Greedy,
    /// The agent pretends to be other hosts.
    Impostor,
    /// The agent has refused its configuration.
    Refused,
    /// The agent lacks a feature that the manifest depends on.
    Lacks,
    /// The host has only a shell, and no agent could be put on it.
    Unfit,
    /// None of the pods or containers that the host can be in is ready.
    Unready,
    /// The host is being restarted, or moves to another pod or container.
    Restarted,
    /// The host was stopped.
    Stopped,
    /// The host's command asks for something that only a person can give.
    Asks,
    /// The host's command shows a text that needs no answer, or it takes long, and this is its last line.
    Says,
    /// The host's command is new and waits for a person's approval.
    Approval,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_remedy(&self.what, self.remedy.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_one_sentence_with_its_remedy_if_it_has_one() {
        let mut trouble = Trouble {
            code: TroubleCode::NotStarted,
            what: "its command could not be started: \"podman\" is not in $PATH".to_owned(),
            ..Trouble::default()
        };
        assert_eq!(trouble.to_string(), trouble.what);
        trouble.remedy = Some("install it".to_owned());
        assert_eq!(
            trouble.to_string(),
            "its command could not be started: \"podman\" is not in $PATH; install it"
        );
    }

    #[test]
    fn programs_read_a_word_and_only_the_values_that_there_are() {
        let trouble = Trouble {
            code: TroubleCode::Listen,
            what: "cannot listen on 127.0.42.101:80: in use".to_owned(),
            address: Some("127.0.42.101:80".to_owned()),
            ..Trouble::default()
        };
        let json = serde_json::json!({
            "code": "listen", "what": "cannot listen on 127.0.42.101:80: in use",
            "address": "127.0.42.101:80",
        });
        assert_eq!(serde_json::to_value(&trouble).unwrap(), json);
        assert_eq!(serde_json::from_value::<Trouble>(json).unwrap(), trouble);
    }
}
