//! A problem on a host, as its agent reports it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// One thing that does not work on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemReport {
    /// What the agent cannot do, as the words after "cannot": "listen on 127.0.42.101:80".
    pub what: String,
    /// The reason, in the words of the host's operating system. An agent that sends no code may append advice to it.
    pub reason: String,
    /// The kind of the problem; absent from older agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ProblemCode>,
    /// The address on which the agent cannot listen; absent if the problem is about something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
    /// What a person can do about the problem, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The kind of a [`ProblemReport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProblemCode {
    /// The agent cannot listen on an address of the network.
    Listen,
    /// The agent cannot answer DNS questions over UDP at an address of the network.
    Dns,
    /// The agent cannot serve a proxy at its address.
    Proxy,
    /// The agent cannot write or remove a file of its own.
    Files,
    /// The agent cannot write files for other programs. Nobody has asked for these files, and the host does without
    /// them.
    NoFiles,
    /// The administrator of the machine does not permit an action.
    Limited,
    /// Another host wants more of this host's flows or memory than its share.
    Crowded,
    /// A later start of the agent will have to wait until this agent frees its ports.
    Succession,
    /// The agent has further problems, which it does not report individually.
    More,
    /// A kind that this version does not know.
    #[serde(other)]
    Other,
}

impl ProblemReport {
    /// What the agent cannot do and why, for people.
    pub fn sentence(&self) -> String {
        format!("cannot {}: {}", self.what, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_an_agent_of_another_version_is_read_as_its_words() {
        let older =
            serde_json::json!({"what": "listen on 127.0.42.101:80", "reason": "in use; end it"});
        let problem: ProblemReport = serde_json::from_value(older.clone()).unwrap();
        assert_eq!((problem.code, problem.address), (None, None));
        assert_eq!(
            problem.sentence(),
            "cannot listen on 127.0.42.101:80: in use; end it"
        );
        assert_eq!(serde_json::to_value(&problem).unwrap(), older);
        let newer = serde_json::json!({"what": "x", "reason": "y", "code": "inTheMood"});
        let problem: ProblemReport = serde_json::from_value(newer).unwrap();
        assert_eq!(problem.code, Some(ProblemCode::Other));
    }
}
