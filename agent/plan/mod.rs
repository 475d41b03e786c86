//! From manifest to plan. A [`Plan`] is valid, complete and ordered: if there is one, it can be run.

use crate::manifest::{self, Manifest, Problem, Severity, problem::KEPT_MAX};

mod alone;
mod build;
mod chosen;
mod circles;
mod commands;
mod diff;
mod matrix;
mod grants;
mod here;
mod instances;
mod network;
mod notes;
mod policy;
mod shells;
mod sketch;
mod view;
mod words;

pub use alone::trial_grants;
pub use build::build;
pub use diff::{Change, Kind, diff, loses};
pub use grants::{grants, new_grants};
pub use instances::{Chosen, Instance, InstanceState, Kind as InstanceKind};
pub use network::{
    Allow, DialTarget, Forward, HostPlan, Plan, Protocol, ProxyPlan, Start, TargetHost,
};
pub use policy::Reach;
pub use sketch::{HostSketch, Sketch, sketch};

/// The maximum number of problems that are shown. Further problems are only counted.
const PROBLEMS_MAX: usize = 100;

/// A manifest in all its forms: as text, as parsed, and as a plan, with all problems that were found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The name of the file, for people.
    pub file_name: String,
    /// The text that was read.
    pub text: String,
    /// The manifest as it is written, as far as it could be parsed.
    pub manifest: Manifest,
    /// The plan; `None` if a problem is an error.
    pub plan: Option<Plan>,
    /// Everything that is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Parses a manifest and builds its plan. This is the only way from a text to a plan. It reads no file.
pub fn load(file_name: &str, text: &str) -> Loaded {
    let (manifest, mut problems) = manifest::read(text);
    let broken = problems.any_error();
    let (plan, more) = build(&manifest);
    let plan = plan.filter(|_| !broken);
    problems.extend(more.into_vec());
    let mut problems = problems.into_vec();
    if plan.is_none() {
        // Notes would distract from the errors, which have to be corrected first.
        problems.retain(|problem| problem.severity > Severity::Note);
    }
    problems.sort_by_key(|problem| problem.span.start);
    limit(&mut problems);
    Loaded {
        file_name: file_name.to_owned(),
        text: text.to_owned(),
        manifest,
        plan,
        problems,
    }
}

/// Replaces the problems beyond [`PROBLEMS_MAX`] by a single last problem, which says how many they are.
fn limit(problems: &mut Vec<Problem>) {
    let Some(rest) = problems.get(PROBLEMS_MAX..) else {
        return;
    };
    if let (Some(first), Some(severity)) = (
        rest.first().map(|problem| problem.span),
        rest.iter().map(|problem| problem.severity).max(),
    ) {
        let at_least = if problems.len() < KEPT_MAX {
            ""
        } else {
            "at least "
        };
        let message = format!("{at_least}{} more problems from here on", rest.len());
        let last = Problem::new(severity, first, &message).hint("correct those above first");
        problems.truncate(PROBLEMS_MAX);
        problems.push(last);
    }
}

impl Loaded {
    /// The problems as paragraphs for people, with ANSI colours if `styled`.
    pub fn report(&self, styled: bool) -> String {
        manifest::render::render(&self.file_name, &self.text, &self.problems, styled)
    }
}

#[cfg(test)]
mod tests;
