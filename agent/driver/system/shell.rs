//! The syntax with which shells set variables. No shell is run.

/// A family of shells with the same syntax for variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh and similar shells.
    Posix,
    /// fish.
    Fish,
    /// `PowerShell`.
    Powershell,
    /// The command prompt of Windows.
    Cmd,
}

impl Shell {
    /// The line that sets a variable.
    pub fn set(self, name: &str, value: &str) -> String {
        match self {
            Self::Posix => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
            Self::Fish => {
                let value = value.replace('\\', r"\\").replace('\'', r"\'");
                format!("set -gx {name} '{value}'\n")
            }
            Self::Powershell => format!("$env:{name} = '{}'\n", value.replace('\'', "''")),
            Self::Cmd => format!("set \"{name}={value}\"\n"),
        }
    }

    /// The line that removes a variable.
    pub fn unset(self, name: &str) -> String {
        match self {
            Self::Posix => format!("unset {name}\n"),
            Self::Fish => format!("set -eg {name}\n"),
            Self::Powershell => format!("Remove-Item -ErrorAction Ignore Env:{name}\n"),
            Self::Cmd => format!("set \"{name}=\"\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_the_value_as_it_is() {
        let value = r"/it's a\folder";
        let set = |shell: Shell| shell.set("X", value);
        assert_eq!(set(Shell::Posix), "export X='/it'\\''s a\\folder'\n");
        assert_eq!(set(Shell::Fish), "set -gx X '/it\\'s a\\\\folder'\n");
        assert_eq!(set(Shell::Powershell), "$env:X = '/it''s a\\folder'\n");
        assert_eq!(set(Shell::Cmd), "set \"X=/it's a\\folder\"\n");
    }

    #[test]
    fn every_shell_is_told_in_its_own_words_to_forget_a_variable() {
        assert_eq!(Shell::Posix.unset("X"), "unset X\n");
        assert_eq!(Shell::Fish.unset("X"), "set -eg X\n");
        let powershell = "Remove-Item -ErrorAction Ignore Env:X\n";
        assert_eq!(Shell::Powershell.unset("X"), powershell);
        assert_eq!(Shell::Cmd.unset("X"), "set \"X=\"\n");
    }
}
