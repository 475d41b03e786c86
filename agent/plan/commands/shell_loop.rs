//! The words that start the loop in a host's shell.

use crate::wire::SHELL_LOOP;

/// The words that start the loop. They follow the words that lead to the shell. `is_line` says whether a login shell
/// reads them as a line. In a line, the script needs quotes around it. The script itself contains none.
pub(in crate::plan) fn shell_loop(is_line: bool) -> [String; 3] {
    let script = if is_line {
        format!("'{SHELL_LOOP}'")
    } else {
        SHELL_LOOP.to_owned()
    };
    ["sh".to_owned(), "-c".to_owned(), script]
}

/// The words of a command without those that start the loop.
pub(in crate::plan) fn without_loop(words: &[String]) -> &[String] {
    let mut forms = [false, true].map(shell_loop).into_iter();
    let rest = forms.find_map(|form| words.strip_suffix(&form));
    rest.unwrap_or(words)
}
