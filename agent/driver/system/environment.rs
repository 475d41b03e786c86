//! Variables for the environment of hosts' commands. A program that was not started from a shell lacks the variables of
//! the person's shell, above all its `PATH`.

use std::{env, ffi::OsString, sync::OnceLock};

/// The variables that commands of hosts need from the person's shell. They say where commands are, and where the
/// commands find their settings, keys and servers. A service keeps these variables, and the desktop app takes them over
/// from the login shell. None of them contains a secret. The variables of proxies are not listed here, because they
/// often contain a password.
pub const KEPT: [&str; 18] = [
    "PATH",
    "SSH_AUTH_SOCK",
    "KUBECONFIG",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "CONTAINER_HOST",
    "CONTAINER_CONNECTION",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "AZURE_CONFIG_DIR",
    "GNUPGHOME",
];

/// Further variables that the desktop app takes over from the login shell: the person's own proxies, and whether `ssh`
/// may ask in a window. They are never written into a file, because the address of a proxy often contains a password.
pub const NOT_WRITTEN: [&str; 9] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSH_ASKPASS_REQUIRE",
];

/// The additional variables.
static ADOPTED: OnceLock<Vec<(String, OsString)>> = OnceLock::new();

/// Adds these variables to the environment of all commands that are started from now on. Only the first call has an
/// effect.
pub fn adopt(variables: Vec<(String, OsString)>) {
    // If a later call had an effect, commands would not all have the same variables.
    let _ = ADOPTED.set(variables);
}

/// The value that a variable has for the commands of hosts: the adopted value, or else that of this process.
pub fn variable(name: &str) -> Option<OsString> {
    let adopted = adopted().iter().find(|(known, _)| known == name);
    adopted.map_or_else(|| env::var_os(name), |(_, value)| Some(value.clone()))
}

/// The adopted variables. On Unix the program of a command is also searched for in an adopted `PATH`.
pub fn adopted() -> &'static [(String, OsString)] {
    ADOPTED.get().map_or(&[], Vec::as_slice)
}
