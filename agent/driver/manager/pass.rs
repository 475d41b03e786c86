//! What lets the command of a host ask a person.

use std::{ffi::OsString, path::PathBuf, sync::OnceLock};

use super::name::Name;
use crate::{
    addr::Vip,
    driver::system::{clock::seed, environment},
    proxy::same_secret,
    secret::Secret,
};

/// The variable that names the program which `ssh` starts to ask something (`ssh(1)`, ENVIRONMENT).
pub(in crate::driver) const HELPER: &str = "SSH_ASKPASS";

/// The variable that says whether `ssh` does so without a window system and a terminal.
const REQUIRE: &str = "SSH_ASKPASS_REQUIRE";

/// The variable that tells our helper for whom it asks: the network, the host and the token.
pub(in crate::driver) const PASS: &str = "NOROUTER_ASKPASS";

/// Where this program is, once it has shown that it can be the helper.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// From now on the commands of hosts are told that this program can ask for them.
pub fn adopt_program(program: PathBuf) {
    // The first call has said the same.
    let _ = PROGRAM.set(program);
}

/// What allows the command of a host to ask, for one life of it.
#[derive(Clone)]
pub(super) struct Pass {
    program: PathBuf,
    network: Name,
    vip: Vip,
    token: Secret,
}

impl Pass {
    /// A new pass; `None` if this program cannot be the helper, or if the user has told ssh never to use one.
    pub(super) fn new(network: &Name, vip: Vip) -> Option<Self> {
        let adopted = environment::adopted().iter().rev();
        let adopted = adopted
            .filter(|(name, _)| name == REQUIRE)
            .map(|(_, value)| value.clone());
        let require = adopted.chain(std::env::var_os(REQUIRE)).next();
        if require.is_some_and(|require| require == "never") {
            return None;
        }
        Some(Self {
            program: PROGRAM.get()?.clone(),
            network: network.clone(),
            vip,
            token: Secret::new(format!("{:016x}{:016x}", seed(), seed())),
        })
    }

    /// The variables in the environment of the command. Arguments would be seen by every user of the machine.
    pub(super) fn variables(&self) -> [(&'static str, OsString); 3] {
        let pass = format!("{}/{}/{}", self.network, self.vip, self.token.reveal());
        [
            (HELPER, self.program.clone().into_os_string()),
            (REQUIRE, "force".into()),
            (PASS, pass.into()),
        ]
    }

    /// Whether a token is the one of this pass.
    pub(super) fn opens(&self, token: &Secret) -> bool {
        let (own, other) = (self.token.reveal(), token.reveal());
        same_secret(own.as_bytes(), other.as_bytes())
    }
}
