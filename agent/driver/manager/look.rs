//! Runs the commands that list the instances of a host.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    sync::oneshot,
};
use tracing::Instrument as _;

use super::{
    child::{Asks, Child, Pipes},
    shared::{Shared, State},
    stderr::{LINE_MAX, REST_MAX, read_errors},
};
use crate::{
    addr::Vip,
    driver::harness::World as _,
    link::{CannotStart, Ending},
};

/// Starts a command that lists the instances of a host.
pub(super) fn begin(
    shared: &Arc<Shared>,
    state: &mut State,
    vip: Vip,
    look: u64,
    words: Vec<String>,
) {
    let (end, ended) = oneshot::channel();
    state.looks.insert((vip, look), end);
    let shared = shared.clone();
    let span = tracing::debug_span!(target: "norouter::manager", "look", %vip);
    let task = async move {
        let outcome = run(&shared, vip, look, &words, ended).await;
        shared.lock().looks.remove(&(vip, look));
        shared.tell(|core, now| core.handle_look_end(now, vip, look, outcome));
    };
    tokio::spawn(task.instrument(span));
}

/// Runs the command until it ends, or until `ended` says that it has to end.
async fn run(
    shared: &Arc<Shared>,
    vip: Vip,
    look: u64,
    words: &[String],
    mut ended: oneshot::Receiver<()>,
) -> Result<Ending, CannotStart> {
    let (mut child, pipes) = Child::spawn(words, Asks::Nobody)?;
    let Pipes {
        input,
        output,
        errors,
    } = pipes;
    // The command gets no input.
    drop(input);
    let errors = read_errors(shared.clone(), vip, errors);
    let mut errors = tokio::spawn(errors.in_current_span());
    let lines = async {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // A line that is too long is read in pieces, which are not understood and do no harm.
        let most = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        while let Ok(1..) = (&mut output).take(most).read_until(b'\n', &mut line).await {
            let text = String::from_utf8_lossy(&line);
            shared.tell(|core, now| core.handle_look_line(now, vip, look, &text));
            line.clear();
        }
    };
    let whole = async {
        lines.await;
        child.wait().await
    };
    let ending = tokio::select! {
        ending = whole => ending,
        _ = &mut ended => {
            child.kill();
            child.wait().await
        }
    };
    // The last lines of standard error may say why the command has failed.
    let _ = tokio::time::timeout(REST_MAX, &mut errors).await;
    errors.abort();
    // Ends the processes that the command has started.
    child.kill();
    Ok(ending)
}
