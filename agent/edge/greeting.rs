//! The greeting: an agent's version and features, and the checksum of its configuration.

use crate::{
    VERSION,
    wire::control::{Greeting, Raw, feature},
};

/// The answer to a configuration. `sum` is the checksum of the configuration's message.
pub(super) fn greeting(sum: u16) -> Raw {
    let served = [
        feature::LOOPBACK,
        feature::TCP,
        feature::LOOPBACK_DISABLE,
        feature::HTTP,
        feature::SOCKS,
        feature::CREDENTIALS,
        feature::HOST_ALIASES,
        feature::HOST_ALIASES_NIP_IO,
        feature::ETC_HOSTS,
        feature::ROUTES,
        feature::NOT_TO,
        feature::POLICY,
        feature::DNS,
        feature::HEARTBEAT,
        feature::RECONFIGURE,
        feature::LOST,
        feature::PROBE,
        feature::OPEN_PORTS,
        feature::SUMS,
    ];
    // Only on Linux can an agent find out which user has opened a connection.
    let same_user = cfg!(target_os = "linux").then_some(feature::SAME_USER);
    let served = served.into_iter().chain(same_user);
    let greeting = Greeting {
        features: served.collect(),
        version: VERSION.to_owned(),
        sum,
    };
    Raw::of(&greeting)
}
