//! Removes from a host the agents that were put there.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::child::{Asks, Child};
use crate::{
    driver::system::{clock::seed, describe},
    link::{Cleaning, Ending},
    plan::{Chosen, InstanceState},
};

/// How long the command may take, if it does not ask a person.
const CLEAN_MAX: Duration = Duration::from_mins(1);

/// How many bytes of output are read.
const OUTPUT_MAX: u64 = 1 << 20;

/// A command that keeps running and reports changes has listed all instances when it is silent for this time.
const SETTLE: Duration = Duration::from_secs(1);

/// How long such a command may take to print its first line.
const FIRST_MAX: Duration = Duration::from_secs(10);

/// The commands that lead to the shells of all ready instances. The error says why they could not be listed.
pub async fn ways(chosen: &Chosen) -> Result<Vec<Vec<String>>, String> {
    let selector = match &chosen.selector {
        Some(words) => printed(words, false).await?,
        None => String::new(),
    };
    let list = printed(&chosen.list(&selector)?, chosen.kind.is_followed()).await?;
    let instances = list.lines().filter_map(|line| chosen.kind.read(line));
    let ready = instances.filter(|instance| instance.state == InstanceState::Ready);
    Ok(ready.map(|instance| chosen.enter(&instance.name)).collect())
}

/// The output of a command until it ends or, if it does not end by itself, until it is silent for a while.
async fn printed(words: &[String], is_followed: bool) -> Result<String, String> {
    let (mut child, mut pipes) =
        Child::spawn(words, Asks::Nobody).map_err(|error| error.to_string())?;
    drop(pipes.input);
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let talk = async {
        let mut most = (&mut pipes.output).take(OUTPUT_MAX);
        loop {
            let pause = match (is_followed, output.is_empty()) {
                (true, true) => FIRST_MAX,
                (true, false) => SETTLE,
                (false, _) => CLEAN_MAX,
            };
            match tokio::time::timeout(pause, most.read_buf(&mut output)).await {
                Ok(Ok(1..)) => {}
                Ok(Ok(0) | Err(_)) => return true,
                Err(_) => return false,
            }
        }
    };
    let has_ended = talk.await;
    if !has_ended {
        child.kill();
    }
    let ending = child.wait().await;
    let mut most = (&mut pipes.errors).take(OUTPUT_MAX);
    let _ = tokio::time::timeout(SETTLE, most.read_to_end(&mut errors)).await;
    child.kill();
    if ending == Ending::Status(0) || (is_followed && !has_ended) {
        return Ok(String::from_utf8_lossy(&output).into_owned());
    }
    let said = String::from_utf8_lossy(&errors);
    Err(match said.trim() {
        "" => format!("{} {ending}", words.first().map_or("", String::as_str)),
        said => said.to_owned(),
    })
}

/// Removes the agents from a host. The command `argv` has to start a shell on that host. Returns the paths of the
/// removed files. The error says why the host could not be reached, and includes what the command has written. If
/// `has_terminal`, the command may ask a person at the terminal of this program, and takes as long as the person does.
pub async fn clean(argv: &[String], has_terminal: bool) -> Result<Vec<String>, String> {
    let (asks, most) = if has_terminal {
        (Asks::Terminal, Duration::MAX)
    } else {
        (Asks::Nobody, CLEAN_MAX)
    };
    let (mut child, mut pipes) = Child::spawn(argv, asks).map_err(|error| error.to_string())?;
    let cleaning = Cleaning::new(&format!("{:016x}", seed()));
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let talk = async {
        // If the command has ended already, its output says why, so an error here is ignored.
        let _ = pipes.input.write_all(cleaning.line().as_bytes()).await;
        let _ = pipes.input.shutdown().await;
        let output = async {
            let mut most = pipes.output.take(OUTPUT_MAX);
            most.read_to_end(&mut output).await
        };
        let errors = async {
            let mut most = pipes.errors.take(OUTPUT_MAX);
            most.read_to_end(&mut errors).await
        };
        tokio::try_join!(output, errors)
    };
    let talked = tokio::time::timeout(most, talk).await;
    child.kill();
    child.wait().await;
    match talked {
        // The work is done, but a process that the command has left behind keeps the streams open.
        Err(_) if cleaning.removed(&output).is_some() => {}
        Err(_) => return Err(format!("no answer within {} s", CLEAN_MAX.as_secs())),
        Ok(Err(error)) => return Err(describe(&error)),
        Ok(Ok(_)) => {}
    }
    cleaning.removed(&output).ok_or_else(|| {
        let said = String::from_utf8_lossy(&errors);
        let said = said.trim();
        if said.is_empty() {
            "its shell has not answered".to_owned()
        } else {
            said.to_owned()
        }
    })
}
