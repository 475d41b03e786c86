//! `norouter why`: explains why a connection works or does not.

use anstyle::{AnsiColor, Style};

use super::{
    error::{Error, Exit},
    figures::{latency, table},
    output,
    reach::{WhichNetwork, host_name, wait_for},
};
use crate::{
    destination::Destination,
    text::escape,
    view::{WhyOutcome, WhyStep, WhyView},
};

/// Explain why a connection works or does not, and what to do about it
///
/// Follows the connection from the destination's name to the service, and makes every host on the way test its own part
/// now. Shows the first
/// step that does not work, and its remedy. The test really connects to the service, and closes the connection at once.
///
/// Exits with 5 if a step does not work. A step about which no host could say anything is shown as unknown.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The destination: a name or an address, and a port; it can be a host of the network, or anything that a route
    /// leads to
    #[arg(value_name = "NAME:PORT", value_parser = target)]
    target: Destination,
    /// The host where the connection begins, by name, alias or VIP; by default the host of this machine, or else the
    /// first that is up
    #[arg(long, value_name = "HOST")]
    from: Option<String>,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write everything as JSON
    #[arg(long)]
    json: bool,
}

fn target(text: &str) -> Result<Destination, String> {
    Destination::parse(text, None).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let why = wait_for(async {
        let client = args.network.client().await?;
        let from = host_name(&client, args.from.as_deref()).await?;
        Ok(client.why(&args.target, from.as_deref()).await?)
    })?;
    if args.json {
        output::json(&serde_json::to_value(&why).unwrap_or_default())?;
    } else {
        output::data(&text(&why))?;
    }
    Ok(match why.first_failed() {
        None => Exit::Ok,
        Some(_) => Exit::PartlyUp,
    })
}

fn text(why: &WhyView) -> String {
    let rows: Vec<_> = why.steps.iter().map(row).collect();
    let title = format!("{} from {}", escape(&why.target), escape(&why.from));
    let mut lines = vec![title];
    let steps = table(&["", "", ">", ""], &rows).into_iter().skip(1);
    lines.extend(steps.zip(&why.steps).map(|(line, step)| {
        let (mark, style) = mark(step.outcome);
        let rest = line.strip_prefix(mark).unwrap_or(&line);
        format!("  {style}{mark}{style:#}{rest}")
    }));
    let is_unknown = |step: &WhyStep| step.outcome == WhyOutcome::Unknown;
    lines.push(match why.first_failed() {
        Some(failed) => {
            let remedy = failed.remedy.as_deref().unwrap_or_default();
            format!("What to do about the {}: {}", failed.step, escape(remedy))
        }
        None if why.steps.iter().any(is_unknown) => {
            "Nothing was found that does not work, but not everything could be looked at."
                .to_owned()
        }
        None => "Nothing was found that does not work.".to_owned(),
    });
    lines.join("\n") + "\n"
}

fn row(step: &WhyStep) -> Vec<String> {
    vec![
        mark(step.outcome).0.to_owned(),
        escape(&step.step),
        step.took_us.map(latency).unwrap_or_default(),
        escape(&step.text),
    ]
}

/// The word for an outcome, and its style.
fn mark(outcome: WhyOutcome) -> (&'static str, Style) {
    match outcome {
        WhyOutcome::Ok => ("ok", AnsiColor::Green.on_default()),
        WhyOutcome::Failed => ("broken", AnsiColor::Red.on_default().bold()),
        WhyOutcome::Unknown => ("unknown", AnsiColor::Yellow.on_default()),
        WhyOutcome::Skipped => ("-", Style::new()),
    }
}
