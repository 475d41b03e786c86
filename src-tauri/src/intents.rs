//! The requests of the page to the shown network. Each request is checked, and then sent to the network's manager.

use norouter::{
    destination::Destination,
    secret::Secret,
    view::{
        Answer, EndedFlowsView, FlowsView, HostAction, LogView, OpenPortsView, PlanView, WhyView,
        parse_flow_id,
    },
};
use serde_json::Value;

use crate::{desk::Desk, view::Refused};

/// Limit on the length of a host's name, in bytes (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 253;

/// Limit on the length of a destination, in bytes. A URL is accepted, too.
const TARGET_MAX: usize = 2_048;

/// How many flows or lines the page may ask for.
const ROWS_MAX: usize = 20_000;

/// How long an answer to a prompt may be, in bytes.
const ANSWER_MAX: usize = 4_096;

impl Desk {
    /// The most recently used flows.
    pub(crate) async fn flows(&self, limit: usize) -> Result<FlowsView, Refused> {
        let limit = limit.min(ROWS_MAX);
        let client = self.client()?;
        Ok(client.get(&format!("/v1/flows?limit={limit}")).await?)
    }

    /// The flows that have ended last.
    pub(crate) async fn ended_flows(&self, limit: usize) -> Result<EndedFlowsView, Refused> {
        let limit = limit.min(ROWS_MAX);
        let client = self.client()?;
        let path = format!("/v1/flows/ended?limit={limit}");
        Ok(client.get(&path).await?)
    }

    /// The end of the log, for one host or for all.
    pub(crate) async fn logs(&self, host: Option<&str>, limit: usize) -> Result<LogView, Refused> {
        let limit = limit.min(ROWS_MAX);
        let host = match host {
            Some(host) => format!("&host={}", name(host)?),
            None => String::new(),
        };
        let client = self.client()?;
        let path = format!("/v1/logs?limit={limit}{host}");
        Ok(client.get(&path).await?)
    }

    /// The plan of the network.
    pub(crate) async fn plan(&self) -> Result<PlanView, Refused> {
        Ok(self.client()?.plan().await?)
    }

    /// Explains step by step whether a connection works.
    pub(crate) async fn why(&self, target: &str, from: Option<&str>) -> Result<WhyView, Refused> {
        let wrong = || Refused::from("this is not a destination; write NAME:PORT");
        if target.len() > TARGET_MAX {
            return Err(wrong());
        }
        let target = Destination::parse(target, None).map_err(|_| wrong())?;
        let from = from.map(name).transpose()?;
        Ok(self.client()?.why(&target, from).await?)
    }

    /// Asks the agent of a host for the ports on which programs listen there.
    pub(crate) async fn open_ports(&self, host: &str) -> Result<OpenPortsView, Refused> {
        let host = name(host)?;
        Ok(self.client()?.open_ports(host).await?)
    }

    /// Starts, stops or restarts a host.
    pub(crate) async fn host_action(&self, host: &str, action: HostAction) -> Result<(), Refused> {
        let host = name(host)?;
        Ok(self.client()?.host(host, action).await?)
    }

    /// Approves the waiting command of a host, if its number shows that it is still the command that was shown.
    pub(crate) async fn approve(&self, host: &str, number: u64) -> Result<(), Refused> {
        let host = name(host)?;
        let held = self.network().and_then(|network| {
            let mut hosts = network.snapshot.hosts.into_iter();
            hosts.find(|it| it.name == host)?.held
        });
        if held.is_none_or(|held| held.number != number) {
            return Err("this command does not wait any more; look again".into());
        }
        let path = format!("/v1/hosts/{host}/approve?number={number}");
        Ok(self.client()?.post(&path).await?)
    }

    /// Reloads the manifest.
    pub(crate) async fn reload(&self) -> Result<(), Refused> {
        let client = self.client()?;
        client.call::<Value>("/v1/reload").await?;
        Ok(())
    }

    /// Ends a flow with a reset.
    pub(crate) async fn kill_flow(&self, id: &str) -> Result<(), Refused> {
        if parse_flow_id(id).is_none() {
            return Err("this is not a flow".into());
        }
        let path = format!("/v1/flows/{id}");
        Ok(self.client()?.delete(&path).await?)
    }

    /// Sends the answer to a host's prompt, or the refusal to answer.
    pub(crate) async fn answer(
        &self,
        host: &str,
        prompt: u64,
        text: Option<Secret>,
        remember: bool,
    ) -> Result<(), Refused> {
        let host = name(host)?;
        let unfit = |text: &Secret| {
            let text = text.reveal();
            text.len() > ANSWER_MAX || text.contains(['\0', '\n', '\r'])
        };
        if text.as_ref().is_some_and(unfit) {
            return Err("the answer is too long, or has more than one line".into());
        }
        let answer = Answer {
            prompt,
            text,
            remember,
        };
        Ok(self.client()?.answer(host, &answer).await?)
    }
}

/// Checks that a text can be the name of a host, and so be a part of a path.
fn name(host: &str) -> Result<&str, String> {
    plain(host, "this cannot be the name of a host")
}

/// Checks that a text can be part of a path without escapes.
fn plain<'a>(text: &'a str, otherwise: &str) -> Result<&'a str, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let good = !text.is_empty() && text.len() <= NAME_MAX && text.chars().all(fits);
    // A path segment of only dots, like `..`, would lead to another path.
    if good && text.chars().any(|c| c != '.') {
        Ok(text)
    } else {
        Err(otherwise.to_owned())
    }
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
