//! The program with which a host's shell is started if the host has no agent yet.

/// Runs the lines that come through the pipe, until one of them replaces the shell by an agent. It is the same for all
/// hosts and versions, so that a person agrees to it once, and has no character that means something inside the single
/// quotes of any login shell.
pub const SHELL_LOOP: &str = "while IFS= read -r c; do eval \"$c\"; done";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_means_the_same_to_every_login_shell() {
        assert!(!SHELL_LOOP.contains(['\'', '!', '\\', '\n', '`']));
    }
}
