//! The version and the features that an agent announces to its manager.

use crate::{
    VERSION,
    wire::control::{Greeting, Raw, feature},
};

/// The answer to a configuration. `sum` is the sum of the message that had the configuration.
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
        feature::SUMS,
    ];
    // Only on Linux can an agent find out which user owns a connection.
    let same_user = cfg!(target_os = "linux").then_some(feature::SAME_USER);
    let served = served.into_iter().chain(same_user);
    let greeting = Greeting {
        features: served.collect(),
        version: VERSION.to_owned(),
        sum,
    };
    Raw::of(&greeting)
}
