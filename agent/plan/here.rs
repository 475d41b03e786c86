//! Remarks about the hosts of this machine, which are those without a command.

use super::network::{HostPlan, Plan, Start};
use crate::{
    manifest::{Manifest, Problem, schema},
    text::quote,
};

/// A remark if several hosts are on this machine, or none.
pub(super) fn remarks(manifest: &Manifest, plan: &Plan) -> Option<Problem> {
    crowded(manifest, plan).or_else(|| nobody(manifest, plan))
}

/// Warns about two hosts without a command, because both would listen on the same addresses of this machine.
fn crowded(manifest: &Manifest, plan: &Plan) -> Option<Problem> {
    let hosts = manifest.hosts.iter().zip(&plan.hosts);
    // Two kinds of hosts are left out, because they were reported already: those whose name is probably a key of the
    // host above, and those with a misspelt `cmd`.
    let mut here = hosts
        .filter(|(_, host)| host.start == Start::InProcess && host.loopback)
        .filter(|(written, _)| !schema::is_key_of_a_host(&written.name.value))
        .filter(|(written, _)| !written.has_misspelt_cmd)
        .map(|(written, _)| &written.name);
    let (first, second) = (here.next()?, here.next()?);
    let message = format!(
        "{} and {} have no cmd: both run on this machine and listen on the same addresses, which only one of them can",
        quote(&first.value),
        quote(&second.value)
    );
    Some(
        Problem::warning(second.span, message)
            .hint("give one of them a cmd, or loopback: {disable: true}"),
    )
}

/// A note if this machine is not in the network, because every host has a command.
fn nobody(manifest: &Manifest, plan: &Plan) -> Option<Problem> {
    let here = |host: &HostPlan| host.start == Start::InProcess;
    if plan.hosts.iter().any(here) {
        return None;
    }
    let first = manifest.hosts.first()?;
    let message =
        "every host has a cmd: this machine is not in the network, and its programs cannot use it";
    let hint = "add a host without cmd if they should, like \"laptop: {}\"";
    Some(Problem::note(first.name.span, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use crate::{manifest::Severity, plan::load};

    #[test]
    fn a_network_without_this_machine_gets_a_note() {
        let loaded = load("test.yaml", "hosts: {a: {cmd: 'ssh a norouter'}}");
        assert!(loaded.plan.is_some());
        assert_eq!(loaded.problems.len(), 1);
        assert_eq!(loaded.problems[0].severity, Severity::Note);
        assert!(
            loaded.problems[0]
                .message
                .contains("this machine is not in the network")
        );
    }
}
