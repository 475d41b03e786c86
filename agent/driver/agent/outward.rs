//! The person's own proxies, as the environment of this process names them.

use crate::{driver::system::environment, limits::Limits, proxy::Outward};

/// The proxies through which an agent with these limits reaches destinations outside the network. An agent with any
/// limits does not use the person's proxies: limits apply to what the agent itself dials, but not to what a proxy dials
/// for it.
pub(in crate::driver) fn outward(limits: &Result<Limits, String>) -> Outward {
    if !limits.as_ref().is_ok_and(Limits::are_none) {
        return Outward::default();
    }
    let (outward, ignored) = Outward::read(|name| environment::variable(name)?.into_string().ok());
    for ignored in ignored {
        tracing::debug!("{ignored}");
    }
    outward
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn every_variable_that_is_read_is_taken_over_from_the_login_shell() {
        let asked = RefCell::new(Vec::new());
        let _ = Outward::read(|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        let asked = asked.into_inner();
        assert!(asked.len() >= 8, "{asked:?}");
        for name in &asked {
            assert!(environment::NOT_WRITTEN.contains(&name.as_str()), "{name}");
        }
    }
}
