//! The pass: the secret that allows the command of a host to ask people.

use std::{ffi::OsString, path::PathBuf, sync::OnceLock};

use super::name::NetworkName;
use crate::{
    addr::Vip,
    driver::system::{clock::seed, environment},
    proxy::credentials::same_secret,
    secret::Secret,
};

/// The variable that names the program with which `ssh` asks questions (`ssh(1)`, ENVIRONMENT).
pub(in crate::driver) const HELPER: &str = "SSH_ASKPASS";

/// The variable that makes `ssh` use the program in [`HELPER`] even without a window system or a terminal.
const REQUIRE: &str = "SSH_ASKPASS_REQUIRE";

/// The variable that tells the helper which network, host and token its question belongs to.
pub(in crate::driver) const PASS: &str = "NOROUTER_ASKPASS";

/// The path of this program, if it can be the helper.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Sets the program that the commands of hosts start for their questions.
pub fn adopt_program(program: PathBuf) {
    // A second call would set the same program.
    let _ = PROGRAM.set(program);
}

/// Permission for one run of a host's command to ask people.
#[derive(Clone)]
pub(super) struct Pass {
    program: PathBuf,
    network: NetworkName,
    vip: Vip,
    token: Secret,
}

impl Pass {
    /// Makes a new pass. `None` if this program cannot be the helper, or if the user has told ssh not to use one.
    pub(super) fn new(network: &NetworkName, vip: Vip) -> Option<Self> {
        if environment::variable(REQUIRE).is_some_and(|require| require == "never") {
            return None;
        }
        Some(Self {
            program: PROGRAM.get()?.clone(),
            network: network.clone(),
            vip,
            token: Secret::new(format!("{:016x}{:016x}", seed(), seed())),
        })
    }

    /// The variables for the environment of the command. Other users cannot see them, in contrast to arguments.
    pub(super) fn variables(&self) -> [(&'static str, OsString); 3] {
        let pass = format!("{}/{}/{}", self.network, self.vip, self.token.reveal());
        [
            (HELPER, self.program.clone().into_os_string()),
            (REQUIRE, "force".into()),
            (PASS, pass.into()),
        ]
    }

    /// Whether this token belongs to this pass.
    pub(super) fn opens(&self, token: &Secret) -> bool {
        let (own, other) = (self.token.reveal(), token.reveal());
        same_secret(own.as_bytes(), other.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_login_shell_says_about_questions_is_taken_over() {
        assert!(environment::NOT_WRITTEN.contains(&REQUIRE));
    }
}
