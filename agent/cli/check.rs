//! `norouter check`: shows all problems of manifests.

use std::path::PathBuf;

use serde_json::json;

use super::{
    error::{Error, Exit},
    input::{Commands, Source},
    matrix, output,
};
use crate::{
    driver::agent::state_dir,
    manifest::{Problem, Severity},
    plan::{Loaded, Plan, Start},
    text::{escape, figures::counted},
};

/// Show everything that is wrong with a manifest
///
/// Shows all problems at once, each with its place and a remedy, and does not start anything. Exits with 4 if a
/// manifest cannot be run, and with 0 if all manifests can be run, even if they have warnings. With --strict, a
/// warning counts as an error.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Manifests to check; "-" is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show the table of who may reach what, by the policy of each manifest
    #[arg(long)]
    matrix: bool,
    /// Exit with 4 if a manifest has a warning, such as an unknown key
    #[arg(long)]
    strict: bool,
    /// Write the problems as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let sources = if args.files.is_empty() {
        vec![Source::of(None)?]
    } else {
        args.files
            .iter()
            .map(|file| Source::of(Some(file)))
            .collect::<Result<_, _>>()?
    };
    let mut exit = Exit::Ok;
    let mut reports = Vec::new();
    for source in sources {
        let mut loaded = match source.load(commands) {
            Ok(loaded) => loaded,
            Err(error) => {
                // If one file cannot be read, the other files are checked nevertheless.
                exit = error.report();
                continue;
            }
        };
        loaded.problems.extend(folders(&loaded));
        loaded.problems.sort_by_key(|problem| problem.span.start);
        let warned = loaded
            .problems
            .iter()
            .any(|it| it.severity >= Severity::Warning);
        let refused = loaded.plan.is_none() || (args.strict && warned);
        if refused && exit == Exit::Ok {
            exit = Exit::InvalidManifest;
        }
        if args.json {
            let mut report = json!({
                "file": loaded.file_name,
                "valid": loaded.plan.is_some(),
                "problems": loaded.problems,
            });
            if args.matrix {
                report["matrix"] = json!(loaded.plan.as_ref().map(Plan::matrix));
            }
            reports.push(report);
        } else {
            output::data(&paragraphs(&loaded))?;
            if let Some(plan) = loaded.plan.as_ref().filter(|_| args.matrix) {
                output::data(&matrix::table(&plan.matrix()))?;
            }
        }
    }
    if args.json {
        output::json(&json!(reports))?;
    }
    Ok(exit)
}

/// Problems with the state folders on this machine. Folders on other machines cannot be checked from here.
fn folders(loaded: &Loaded) -> Vec<Problem> {
    let hosts = loaded.plan.iter().flat_map(|plan| &plan.hosts);
    let here = hosts.zip(&loaded.manifest.hosts);
    let here = here.filter(|(host, _)| host.start == Start::InProcess);
    let warning = |(host, written): (&crate::plan::HostPlan, &crate::manifest::Host)| {
        let reason = state_dir::look(host.state_dir.as_ref()?).err()?;
        let settings = [&written.settings, &loaded.manifest.template];
        let state_dir = settings.iter().find_map(|from| from.state_dir.as_ref());
        let span = state_dir.map_or(written.name.span, |state_dir| state_dir.span);
        let (reason, hint) = reason.split_once("; ").unwrap_or((&reason, ""));
        let message = format!("nothing will be written into the state folder: {reason}");
        Some(Problem::warning(span, message).hint(hint))
    };
    here.filter_map(warning).collect()
}

fn paragraphs(loaded: &Loaded) -> String {
    let report = loaded.report(true);
    let gap = if report.is_empty() { "" } else { "\n" };
    format!("{report}{gap}{}\n", summary(loaded))
}

/// A summary, like "norouter.yaml: can be run (3 hosts, 1 warning)".
fn summary(loaded: &Loaded) -> String {
    let count = |severity| {
        loaded
            .problems
            .iter()
            .filter(|problem| problem.severity == severity)
            .count()
    };
    let hosts = loaded.plan.as_ref().map(|plan| plan.hosts.len());
    let parts: Vec<String> = [
        (hosts.unwrap_or(0), "host"),
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
        (count(Severity::Note), "note"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, noun)| counted(count, noun))
    .collect();
    let verdict = if hosts.is_some() {
        "can be run"
    } else {
        "cannot be run"
    };
    format!(
        "{}: {verdict} ({})",
        escape(&loaded.file_name),
        parts.join(", ")
    )
}
