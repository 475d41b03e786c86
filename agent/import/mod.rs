//! Finds candidates for hosts in the output of other programs: names that ssh knows, running containers, pods and
//! distributions. Makes a manifest of the chosen ones. `driver/import` runs the programs.

mod containers;
mod instances;
mod draft;
mod candidate;
mod pods;
mod ports;
mod ssh;

pub use self::{
    candidate::{CANDIDATES_MAX, Candidate, Source},
    containers::containers_in,
    draft::{Draft, HOSTS_MAX, NETWORK},
    instances::{distributions_in, instances_in},
    pods::{Cluster, Namespace, pod_named, pods_in},
    ports::{port_entry, published},
    ssh::{
        Answer, SshConfig, SshHost, candidates as ssh_candidates, destination, is_usable, settings,
    },
};
