//! A sketch of the hosts of a manifest that may have errors: the addresses that they would get, and the commands that
//! would run.

use super::{build::Builder, network::Start};
use crate::{addr::Vip, manifest::Manifest};

/// The hosts of a manifest that may have errors.
#[derive(Debug)]
pub struct Sketch {
    /// The hosts, in the order of the manifest.
    pub hosts: Vec<HostSketch>,
    /// The address that a further host at the end would get.
    pub next_vip: Option<Vip>,
}

/// A host of a manifest that may have errors.
#[derive(Debug)]
pub struct HostSketch {
    /// The name, as written.
    pub name: String,
    /// The address; `None` if what is written is not a free address, or no address is left.
    pub vip: Option<Vip>,
    /// How the agent would be started; `None` if the manifest has an error there.
    pub start: Option<Start>,
}

/// Makes the sketch of a manifest. If the manifest has a plan, the sketch agrees with the plan.
pub fn sketch(manifest: &Manifest) -> Sketch {
    let mut builder = Builder::default();
    let (vips, next_vip) = builder.addresses(manifest);
    let hosts = manifest.hosts.iter().zip(vips);
    let hosts = hosts.map(|(host, vip)| HostSketch {
        name: host.name.value.clone(),
        vip,
        start: builder.start(host),
    });
    Sketch {
        hosts: hosts.collect(),
        next_vip,
    }
}
