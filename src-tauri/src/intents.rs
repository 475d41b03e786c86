//! What the page may want of the network that is shown: each is one request to its manager, checked before it is sent.

use norouter::{
    driver::control::client,
    view::{FlowsView, LogView, parse_flow_id},
};
use serde_json::Value;

use crate::desk::Desk;

/// How long the name of a host may be (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 253;

/// How many flows or lines the page may ask for.
const ROWS_MAX: usize = 20_000;

/// How long an answer to a prompt may be, in bytes.
const ANSWER_MAX: usize = 4_096;

/// What a person does to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostDeed {
    /// Start it.
    Start,
    /// Stop it until it is started.
    Stop,
    /// End its agent and start it again.
    Restart,
}

impl Desk {
    /// The flows that were in use last.
    pub(crate) async fn flows(&self, limit: usize) -> Result<FlowsView, String> {
        let limit = limit.min(ROWS_MAX);
        let asked = self.client()?;
        asked
            .get(&format!("/v1/flows?limit={limit}"))
            .await
            .map_err(told)
    }

    /// The end of the log, of one host or of all.
    pub(crate) async fn logs(&self, host: Option<&str>, limit: usize) -> Result<LogView, String> {
        let limit = limit.min(ROWS_MAX);
        let host = match host {
            Some(host) => format!("&host={}", name(host)?),
            None => String::new(),
        };
        let asked = self.client()?;
        asked
            .get(&format!("/v1/logs?limit={limit}{host}"))
            .await
            .map_err(told)
    }

    /// What the network was told to be.
    pub(crate) async fn plan(&self) -> Result<Value, String> {
        self.client()?.get("/v1/plan").await.map_err(told)
    }

    /// How far a connection would come, step by step.
    pub(crate) async fn why(&self, target: &str, from: Option<&str>) -> Result<Value, String> {
        let target = plain(target, "this is not a destination; write NAME:PORT")?;
        let from = match from {
            Some(from) => format!("&from={}", name(from)?),
            None => String::new(),
        };
        let path = format!("/v1/why?target={target}{from}");
        self.client()?.get(&path).await.map_err(told)
    }

    /// Does something to a host.
    pub(crate) async fn host_deed(&self, deed: HostDeed, host: &str) -> Result<(), String> {
        let host = name(host)?;
        let word = match deed {
            HostDeed::Start => "start",
            HostDeed::Stop => "stop",
            HostDeed::Restart => "restart",
        };
        let path = format!("/v1/hosts/{host}/{word}");
        self.client()?.post(&path).await.map_err(told)
    }

    /// Starts commands that wait for approval: those that were shown, which is what the digest says.
    pub(crate) async fn approve(&self, host: Option<&str>, digest: &str) -> Result<(), String> {
        let digest = plain(digest, "this is not the digest of a command")?;
        let host = host.map(name).transpose()?;
        let path = match host {
            Some(host) => format!("/v1/approve?digest={digest}&host={host}"),
            None => format!("/v1/approve?digest={digest}"),
        };
        self.client()?.post(&path).await.map_err(told)?;
        self.agree_to_what_runs(host)
    }

    /// Reads the manifest again.
    pub(crate) async fn reload(&self) -> Result<(), String> {
        let client = self.client()?;
        client
            .call::<Value>("/v1/reload")
            .await
            .map(drop)
            .map_err(told)
    }

    /// Ends a flow.
    pub(crate) async fn kill_flow(&self, id: &str) -> Result<(), String> {
        if parse_flow_id(id).is_none() {
            return Err("this is not a flow".to_owned());
        }
        let path = format!("/v1/flows/{id}");
        self.client()?.delete(&path).await.map_err(told)
    }

    /// Answers what a host asks, or says that nobody will.
    pub(crate) async fn answer(
        &self,
        host: &str,
        prompt: u64,
        text: Option<&str>,
        remember: bool,
    ) -> Result<(), String> {
        let host = name(host)?;
        if text.is_some_and(|text| text.len() > ANSWER_MAX || text.contains(['\0', '\n', '\r'])) {
            return Err("the answer is too long, or has more than one line".to_owned());
        }
        let _ = (host, prompt, remember);
        self.client()?;
        Err("this version cannot answer prompts yet".to_owned())
    }
}

/// The name of a host, as it can stand in a path.
fn name(host: &str) -> Result<&str, String> {
    plain(host, "this cannot be the name of a host")
}

/// A text that needs no escape in a path.
fn plain<'a>(text: &'a str, otherwise: &str) -> Result<&'a str, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let good = !text.is_empty() && text.len() <= NAME_MAX && text.chars().all(fits);
    // Two points would lead up in a path.
    if good && text.chars().any(|c| c != '.') {
        Ok(text)
    } else {
        Err(otherwise.to_owned())
    }
}

fn told(error: client::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_lead_elsewhere_is_no_name() {
        for good in ["a", "web-1.example", "127.0.42.101", "web1:80"] {
            assert_eq!(plain(good, ""), Ok(good));
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a?b",
            "a b",
            "a%2e",
            "\u{e4}",
            "a\n",
            &"x".repeat(254),
        ] {
            assert!(plain(bad, "").is_err(), "{bad:?}");
        }
    }
}
