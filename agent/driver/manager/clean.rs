//! Removes from a host the agents that were put there.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::child::Child;
use crate::{
    driver::system::{clock::seed, describe},
    link::Cleaning,
};

/// How long the command may take. It cannot ask a person anything.
const CLEAN_MAX: Duration = Duration::from_mins(1);

/// How many bytes of output are read.
const OUTPUT_MAX: u64 = 1 << 20;

/// Removes the agents from the host whose shell this command starts, and returns the paths of the files that it has
/// removed. The error says why the host could not be reached, with what the command has written.
pub async fn clean(argv: &[String]) -> Result<Vec<String>, String> {
    let (mut child, mut pipes) = Child::spawn(argv, None).map_err(|error| error.to_string())?;
    let cleaning = Cleaning::new(&format!("{:016x}", seed()));
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let talk = async {
        // A command that has ended already says why.
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
    let talked = tokio::time::timeout(CLEAN_MAX, talk).await;
    child.kill();
    child.wait().await;
    match talked {
        // A process that the command has left behind may keep the streams open.
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
