//! Variables for the environment of hosts' commands. A program that was not started from a shell lacks the variables of
//! the person's shell, above all its `PATH`.

use std::{ffi::OsString, sync::OnceLock};

/// The variables that commands of hosts need from the person's shell: where commands are found, and where they find
/// their settings, keys and servers. A service keeps them, and the desktop app takes them over from the login shell.
/// None of them has a secret in it. The variables of proxies often have one, so they are not here.
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

/// The additional variables.
static ADOPTED: OnceLock<Vec<(String, OsString)>> = OnceLock::new();

/// Adds these variables to the environment of all commands that are started from now on. Only the first call has an
/// effect.
pub fn adopt(variables: Vec<(String, OsString)>) {
    // If a second call had an effect, some commands would have other variables than the rest.
    let _ = ADOPTED.set(variables);
}

/// The adopted variables. On Unix the program of a command is also searched for in an adopted `PATH`.
pub fn adopted() -> &'static [(String, OsString)] {
    ADOPTED.get().map_or(&[], Vec::as_slice)
}
