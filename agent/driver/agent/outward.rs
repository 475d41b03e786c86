//! The person's own proxies, as the environment of this process names them.

use std::env;

use crate::{driver::system::environment, limits::Limits, proxy::Outward};

/// The proxies through which an agent with these limits reaches what is not in the network. An agent with any limits
/// does not use the person's proxies: limits apply to what the agent dials itself, and not to what a proxy dials for
/// it.
pub(in crate::driver) fn outward(limits: &Result<Limits, String>) -> Outward {
    if !limits.as_ref().is_ok_and(Limits::are_none) {
        return Outward::default();
    }
    let (outward, ignored) = Outward::read(|name| {
        let mut adopted = environment::adopted().iter();
        let adopted = adopted.find(|(own, _)| own == name);
        match adopted {
            Some((_, value)) => value.to_str().map(str::to_owned),
            None => env::var(name).ok(),
        }
    });
    for ignored in ignored {
        tracing::debug!("{ignored}");
    }
    outward
}
