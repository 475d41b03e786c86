//! `norouter up --detach`: starts a network in the background, and waits until its hosts are ready.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use directories::BaseDirs;
use tokio::time::{Instant, sleep};

use super::{
    error::{Error, Exit},
    output,
    reach::wait_for,
};
use crate::{
    driver::{
        control::Client,
        manager::NetworkName,
        system::{background, describe},
    },
    text::{escape, escape_line},
    view::{HostState, HostView, NetworkView},
};

/// How long the command waits for the hosts to become ready. After that, it returns, and the hosts go on starting.
const READY_MAX: Duration = Duration::from_mins(1);

/// The command tells the person which hosts it still waits for after this time.
const NAMED_AFTER: Duration = Duration::from_secs(2);

/// The interval at which the command checks the network.
const LOOK: Duration = Duration::from_millis(100);

/// The maximum size of the error message that is read from a failed process, in bytes.
const TOLD_MAX: u64 = 64 << 10;

/// How many lines of the log are shown if the network ends while the command waits for it.
const LINES_MAX: usize = 20;

/// The process of a network in the background.
struct Background {
    process: Child,
    log: PathBuf,
    /// When to stop waiting.
    until: Instant,
    /// The failed or waiting hosts that the person was told about.
    failed: BTreeSet<String>,
}

/// Starts this program with `arguments`, which make it run a network. The name of the network is probably `name`.
/// Returns when each host can be reached, has failed or waits for a person, but not later than after [`READY_MAX`].
pub(super) fn run(name: &NetworkName, arguments: &[OsString]) -> Result<Exit, Error> {
    let failed = |what: &str, error: &std::io::Error| {
        Error::new(Exit::Failure, format!("{what}: {}", describe(error)))
    };
    let folder = log_folder()?;
    let (path, log) = background::log(&folder, &name.to_string()).map_err(|error| {
        let what = format!("cannot make a log in {}", folder.display());
        failed(&what, &error).hint(
            "set XDG_STATE_HOME to a folder that you may write, or run the network in the foreground, without --detach",
        )
    })?;
    let start = || {
        Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
    };
    let process = start().map_err(|error| failed("cannot start this program again", &error))?;
    wait_for(async {
        let mut background = Background {
            process,
            log: path,
            until: Instant::now() + READY_MAX,
            failed: BTreeSet::new(),
        };
        let client = background.client().await?;
        background.ready(&client).await?;
        // A moment after its agent is ready, a host reports the files that it could not write.
        sleep(LOOK).await;
        let network = client.network().await?;
        Ok(background.tell(&network))
    })
}

/// The folder of the logs. It is in the system's folder for the state of programs, or, if there is none, in its folder
/// for local data.
fn log_folder() -> Result<PathBuf, Error> {
    let folders = BaseDirs::new().ok_or_else(|| {
        Error::new(Exit::Failure, "this user has no home folder for the log").hint("set HOME")
    })?;
    let folder = folders.state_dir().unwrap_or(folders.data_local_dir());
    Ok(folder.join("norouter"))
}

impl Background {
    /// Waits until the network answers, and returns its client.
    async fn client(&mut self) -> Result<Client, Error> {
        loop {
            self.runs()?;
            let is_ours = |network: &NetworkView| network.pid == self.process.id();
            let around = Client::around().await.into_iter();
            let mut ours = around.filter(|(_, network)| network.as_ref().is_ok_and(is_ours));
            if let Some((client, _)) = ours.next() {
                return Ok(client);
            }
            if Instant::now() >= self.until {
                let (limit, process) = (READY_MAX.as_secs(), self.process.id());
                let message = format!("the network does not answer within {limit} s");
                return Err(Error::new(Exit::Failure, message).hint(format!(
                    "its log is {}; \"kill {process}\" ends it",
                    self.log.display()
                )));
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until each host can be reached, has failed or waits for a person, but not longer than `until`. Tells the
    /// person about each failure at once.
    async fn ready(&mut self, client: &Client) -> Result<(), Error> {
        let named = Instant::now() + NAMED_AFTER;
        let mut is_named = false;
        loop {
            match client.network().await {
                Ok(network) => {
                    self.tell_failures(&network);
                    let hosts = network.snapshot.hosts.iter();
                    let waited_for: Vec<&str> = hosts
                        .filter(|host| !host.state.is_up() && !self.failed.contains(&host.name))
                        .map(|host| host.name.as_str())
                        .collect();
                    if waited_for.is_empty() || Instant::now() >= self.until {
                        return Ok(());
                    }
                    if Instant::now() >= named && !std::mem::replace(&mut is_named, true) {
                        output::talk(&format!(
                            "waiting for {}; Ctrl-C stops the waiting, the network goes on",
                            waited_for.join(", ")
                        ));
                    }
                }
                Err(error) if error.passes() && Instant::now() < self.until => {}
                Err(error) => {
                    self.runs()?;
                    return Err(error.into());
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Tells the person about the first failure of each host, and about hosts that wait for something.
    fn tell_failures(&mut self, network: &NetworkView) {
        for host in &network.snapshot.hosts {
            if has_failed(host) && self.failed.insert(host.name.clone()) {
                missing(host, network);
            }
        }
    }

    /// If the process has ended, shows the last lines of its log and the reason why it has failed, and returns an
    /// error.
    fn runs(&mut self) -> Result<(), Error> {
        let Ok(Some(status)) = self.process.try_wait() else {
            return Ok(());
        };
        let log = fs::read(&self.log).unwrap_or_default();
        let mut told = Vec::new();
        if let Some(output) = self.process.stdout.take() {
            // If the message cannot be read to its end, the part that was read is shown together with the log.
            let _ = output.take(TOLD_MAX).read_to_end(&mut told);
        }
        let lines = last_words(&log, &told);
        for line in &lines {
            output::talk(&escape_line(line));
        }
        let exit = status.code().map_or(Exit::Failure, Exit::of);
        if lines.is_empty() {
            let message =
                format!("this command has started nothing: its process ended with {status}");
            return Err(Error::new(exit, message).hint(format!(
                "it has written nothing into its log, {}; run it in the foreground, without --detach",
                self.log.display()
            )));
        }
        Err(Error::new(
            exit,
            "this command has started nothing; the lines above say why",
        ))
    }

    /// Tells the person what runs, how to see and end it, and which hosts have trouble. Returns the exit code.
    fn tell(&self, network: &NetworkView) -> Exit {
        let (name, log) = (&network.network, escape(&shown(&self.log)));
        output::talk(&format!(
            "{name} runs in the background, process {}; its log: {log}\n\"norouter status --network {name}\" shows it, \"norouter down --network {name}\" ends it",
            network.pid
        ));
        let hosts = &network.snapshot.hosts;
        let mut is_all = true;
        for host in hosts {
            let has_failed = self.failed.contains(&host.name);
            let host_name = &host.name;
            if host.state == HostState::Degraded {
                let reason = host.reason.as_deref().map(escape).unwrap_or_default();
                output::talk(&format!("{host_name} is degraded: {reason}"));
            } else if host.state.is_up() && has_failed {
                output::talk(&format!("{host_name} is ready now"));
            } else if !host.state.is_up() && !has_failed {
                missing(host, network);
            }
            is_all &= host.state == HostState::Ready;
            for note in &host.notes {
                output::talk(&format!("{host_name}: {}", escape(note)));
            }
        }
        if is_all { Exit::Ok } else { Exit::PartlyUp }
    }
}

/// The last lines of the log, followed by the error message of its process. The message is left out if the log already
/// ends with it. On a full disk, the log lacks the message.
fn last_words<'a>(log: &'a [u8], told: &'a [u8]) -> Vec<&'a [u8]> {
    let lines = |text: &'a [u8]| {
        let lines = text.split(|byte| *byte == b'\n');
        lines.filter(|line| !line.is_empty())
    };
    let told = if log.ends_with(told) { &[] } else { told };
    let all: Vec<&[u8]> = lines(log).chain(lines(told)).collect();
    let shown = all.len().saturating_sub(LINES_MAX);
    all.into_iter().skip(shown).collect()
}

/// Whether the command of a host has failed, or the host waits for a person. A command that is still ending does not
/// count as failed, because the reason for its end is not complete yet.
fn has_failed(host: &HostView) -> bool {
    host.retry.is_some() || host.state.is_over() || host.state == HostState::NeedsYou
}

/// Tells the person why a host is not ready, and how to answer the question of its command.
fn missing(host: &HostView, network: &NetworkView) {
    let (name, state) = (&host.name, host.state.word());
    let reason = host.reason.as_deref().map(escape);
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    output::talk(&format!("{name} is not ready ({state}){reason}"));
    if !host.prompts.is_empty() {
        let network = &network.network;
        output::talk(&format!(
            "{name}: \"norouter answer {name} --network {network}\" answers that"
        ));
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_told_once_whether_or_not_the_log_has_it() {
        let told = b"error: it runs already\n  help: end it\n";
        let texts = |log: &[u8]| -> Vec<String> {
            let lines = last_words(log, told);
            let texts = lines.iter().map(|line| String::from_utf8(line.to_vec()));
            texts.map(Result::unwrap).collect()
        };
        let reason = ["error: it runs already", "  help: end it"];
        assert_eq!(texts(b""), reason);
        assert_eq!(texts(told), reason);
        let cut = texts(b"a warning\nerror: it ru");
        assert_eq!(cut[..2], ["a warning", "error: it ru"]);
        assert_eq!(cut[2..], reason);
        let long = [b"line\n".repeat(100).as_slice(), told].concat();
        assert_eq!(texts(&long).len(), LINES_MAX);
        assert!(last_words(b"", b"").is_empty());
    }
}
