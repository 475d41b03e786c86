//! How a command finds the network that runs.

use super::{
    error::{Error, Exit},
    output,
};
use crate::driver::{
    control::{Client, client},
    manager::Name,
};

/// The network that a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct Reach {
    /// Which network, if several run on this machine
    #[arg(long, value_name = "NAME", env = "NOROUTER_NETWORK")]
    network: Option<Name>,
}

impl Reach {
    /// The manager that is meant: the one that is named, or the only one that runs.
    pub(super) async fn client(&self) -> Result<Client, Error> {
        let mut running = Client::running().await;
        let names: Vec<String> = running.iter().map(|it| it.name().to_string()).collect();
        if let Some(name) = &self.network {
            return running
                .into_iter()
                .find(|it| it.name() == name)
                .ok_or_else(|| {
                    let error = Error::new(
                        Exit::NoManager,
                        client::Error::NoManager(name.clone()).to_string(),
                    );
                    match names.as_slice() {
                        [] => error.hint("no network runs at all"),
                        names => error.hint(format!("these run: {}", names.join(", "))),
                    }
                });
        }
        match running.len() {
            0 => {
                Err(Error::new(Exit::NoManager, "no network runs")
                    .hint("\"norouter FILE\" starts one"))
            }
            1 => Ok(running.remove(0)),
            _ => Err(Error::new(Exit::Usage, "several networks run")
                .hint(format!("say which with --network: {}", names.join(", ")))),
        }
    }
}

/// Runs what a command does, which is to wait for the manager's answers.
pub(super) fn wait_for<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        Error::new(
            Exit::Failure,
            format!("this command cannot be started: {error}"),
        )
    })?;
    runtime.block_on(work)
}

/// Writes one line of JSON.
pub(super) fn json_line(value: &impl serde::Serialize) -> Result<(), Error> {
    // Views have nothing that JSON cannot hold.
    let line = serde_json::to_string(value).unwrap_or_default();
    Ok(output::data(&format!("{line}\n"))?)
}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Self {
        let exit = match error {
            client::Error::NoManager(_) => Exit::NoManager,
            client::Error::Refused(_) | client::Error::Silent { .. } => Exit::Failure,
        };
        Self::new(exit, error.to_string())
    }
}
