//! The program that runs in a host's shell until the host has an agent.

/// Runs the lines that come through the pipe, until one of them replaces the shell by an agent. The program is the same
/// for all hosts and versions, so a person has to agree to it only once. It contains no character that has a meaning
/// inside the single quotes of any login shell.
pub const SHELL_LOOP: &str = "while IFS= read -r c; do eval \"$c\"; done";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_means_the_same_to_every_login_shell() {
        assert!(!SHELL_LOOP.contains(['\'', '!', '\\', '\n', '`']));
    }
}
