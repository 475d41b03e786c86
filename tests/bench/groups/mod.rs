//! The groups of rows. Each group opens its own ways, and closes them at its end.

mod connections;
mod distance;
mod hosts;
mod idle;
mod links;
mod pipes;
mod slow;
mod streams;
mod web;

use crate::{options::Options, table::Table};

/// Rows that are measured together.
pub(crate) struct Group {
    /// The word for the command line.
    pub(crate) name: &'static str,
    /// The title of the table.
    pub(crate) about: &'static str,
    pub(crate) measure: fn(&Options) -> Table,
}

/// All groups, in the order in which they are measured.
pub(crate) const ALL: &[Group] = &[
    Group {
        name: "pipes",
        about: "Two agents on this machine, over pipes",
        measure: pipes::measure,
    },
    Group {
        name: "ssh",
        about: "Over ssh, with its default cipher",
        measure: links::over_ssh,
    },
    Group {
        name: "aes",
        about: "Over ssh, with aes128-gcm",
        measure: links::over_ssh_with_aes,
    },
    Group {
        name: "podman",
        about: "Over podman exec",
        measure: links::over_podman,
    },
    Group {
        name: "distance",
        about: "One flow over ssh behind a long line",
        measure: distance::measure,
    },
    Group {
        name: "slow",
        about: "A keystroke beside a transfer over ssh at 20 Mbit/s",
        measure: slow::measure,
    },
    Group {
        name: "web",
        about: "HTTP requests to nginx",
        measure: web::measure,
    },
    Group {
        name: "idle",
        about: "Flows that are idle",
        measure: idle::measure,
    },
    Group {
        name: "hosts",
        about: "Many hosts in one manager",
        measure: hosts::measure,
    },
];

/// The names of these programs.
fn names(options: &Options) -> impl Iterator<Item = String> {
    options.programs.iter().map(|program| program.name.clone())
}
