//! Makes a shell remove the agents that the manager has put on its host, and reads the shell's answer.

use super::script;

/// One conversation with a shell that removes agents.
pub struct Cleaning {
    mark: String,
    line: String,
}

impl Cleaning {
    /// Begins a conversation. `nonce` must be different each time.
    pub fn new(nonce: &str) -> Self {
        Self {
            mark: format!("{}{nonce} ", script::MARK),
            line: script::clean(nonce),
        }
    }

    /// The line for the shell.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The paths of the files that the shell has removed; `None` if it has not finished.
    pub fn removed(&self, output: &[u8]) -> Option<Vec<String>> {
        let output = String::from_utf8_lossy(output);
        let mut removed = Vec::new();
        for said in output
            .lines()
            .filter_map(|line| line.strip_prefix(&self.mark))
        {
            match said.split_once(' ') {
                Some(("removed", path)) => removed.push(path.to_owned()),
                None if said == "end" => return Some(removed),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_removed_only_if_the_shell_has_said_so_to_the_end() {
        let cleaning = Cleaning::new("n1");
        let said = b"hi\n\nnr-n1 removed /a b\n\nnr-n2 removed /c\n";
        assert_eq!(cleaning.removed(said), None);
        let said = [&said[..], b"\nnr-n1 end\n"].concat();
        assert_eq!(cleaning.removed(&said), Some(vec!["/a b".to_owned()]));
    }
}
