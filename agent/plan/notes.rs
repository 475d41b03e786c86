//! Features that a manifest may ask for, but that this version does not have yet. When such a feature is added, its
//! entry is removed from the table. With the last entry, this file is removed.

use super::{network::Protocol, words};
use crate::manifest::{Manifest, Problem, Problems, Settings, Severity, Span};

struct NotServed {
    severity: Severity,
    what: &'static str,
    hint: &'static str,
    /// Finds every place in a manifest that asks for the feature.
    find: fn(&Manifest) -> Vec<Span>,
}

const NOT_SERVED: &[NotServed] = &[NotServed {
    severity: Severity::Warning,
    what: "UDP is not carried yet: this version does not publish this port",
    hint: "write /tcp if the service answers there as well, or remove the port",
    find: |manifest| {
        in_settings(manifest, |settings| {
            let udp = |text: &str| words::forward(text).is_ok_and(|f| f.protocol == Protocol::Udp);
            (settings.ports.iter())
                .filter(|port| udp(&port.value))
                .map(|port| port.span)
                .collect()
        })
    },
}];

/// Adds one problem for each place that asks for a missing feature.
pub(super) fn not_served(manifest: &Manifest, problems: &mut Problems) {
    for entry in NOT_SERVED {
        for span in (entry.find)(manifest) {
            problems
                .push_remark(|| Problem::new(entry.severity, span, entry.what).hint(entry.hint));
        }
    }
}

fn in_settings(manifest: &Manifest, find: fn(&Settings) -> Vec<Span>) -> Vec<Span> {
    std::iter::once(&manifest.template)
        .chain(manifest.hosts.iter().map(|host| &host.settings))
        .flat_map(find)
        .collect()
}
