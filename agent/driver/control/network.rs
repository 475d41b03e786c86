//! The network that all requests are about.

use crate::{
    driver::manager::{Inside, NetworkName},
    view::NetworkView,
};

/// The network and its name.
pub(super) struct Network {
    pub(super) inside: Inside,
    pub(super) name: NetworkName,
    pub(super) manifest: Option<String>,
}

impl Network {
    pub(super) async fn view(&self) -> NetworkView {
        let (snapshot, uptime) = self.inside.snapshot().await;
        NetworkView {
            network: self.name.to_string(),
            manifest: self.manifest.clone(),
            version: crate::VERSION.to_owned(),
            pid: std::process::id(),
            uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
            snapshot,
        }
    }
}
