//! The configuration of an agent, which is made when it is needed.

use crate::wire::control::Configure;

/// Makes the configuration of an agent. It is not kept as a whole: each agent is told the ports of all other hosts, so
/// in a network of a thousand hosts a thousand such lists would take most of the manager's memory, for messages that are
/// sent once.
pub struct Configuration(Box<dyn Fn() -> Configure + Send>);

impl Configuration {
    /// `make` has to return the same each time.
    pub fn new(make: impl Fn() -> Configure + Send + 'static) -> Self {
        Self(Box::new(make))
    }

    pub(super) fn make(&self) -> Configure {
        (self.0)()
    }
}

impl From<Configure> for Configuration {
    fn from(configure: Configure) -> Self {
        Self::new(move || configure.clone())
    }
}
