//! Finds what could become a host on this machine: asks ssh, docker, podman, kubectl and the others, all at the same
//! time.

mod look;
mod pattern;
mod place;
mod ssh_config;

pub use self::{
    look::{Found, contexts, home, is_there, look, named},
    place::{Taken, free_network, free_proxy},
    ssh_config::files,
};
