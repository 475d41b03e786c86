//! Finds the operators, variables and scripts that a shell would see in words, and quotes words for a shell.

/// Programs that exist only inside a shell.
const BUILTINS: [&str; 14] = [
    "cd", "export", "source", ".", "exec", "eval", "set", "unset", "ulimit", "umask", "alias",
    "pushd", "if", "for",
];

/// Texts in a script that show that it passes its arguments on, perhaps without `$0`.
const PASSED_ON: [&str; 6] = ["$@", "$*", "${@", "$1", "${1", "$argv"];

/// Whether a word separates commands.
pub(super) fn separates(word: &str) -> bool {
    matches!(word, "&&" | "||" | "|" | "|&" | ";" | "&") || (word.len() > 1 && word.ends_with(';'))
}

/// Whether a word is an operator of a shell.
pub(super) fn is_operator(word: &str) -> bool {
    separates(word) || word.starts_with('>') || word.starts_with("2>") || word == "<"
}

/// Whether a word sets a variable.
pub(super) fn is_assignment(word: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    word.split_once('=').is_some_and(|(before, _)| name(before))
}

/// Whether only a shell knows this program.
pub(super) fn is_builtin(program: &str) -> bool {
    BUILTINS.contains(&program)
}

/// Whether a word uses a variable.
pub(super) fn has_variable(word: &str) -> bool {
    word.split('$')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c)))
}

/// Whether a word stands for arguments of the script.
pub(super) fn is_argument(word: &str) -> bool {
    ["$0", "$1", "$@", "$*", "$argv"].contains(&word)
}

/// Whether a shell would put the home folder into a word.
pub(super) fn has_home(word: &str) -> bool {
    word == "~" || word.starts_with("~/") || word.contains("=~/")
}

/// The words as one line for a shell, which expands variables and `~` in them.
pub(super) fn script(words: &[String]) -> String {
    let word = |word: &String| {
        let plain = |c: char| !c.is_whitespace() && !"'\"\\$`|&;<>()*?#!".contains(c);
        if is_operator(word) || (!word.is_empty() && word.chars().all(plain)) {
            return word.clone();
        }
        if word.contains('$') && !word.contains(['"', '\\', '`']) {
            return format!("\"{word}\"");
        }
        quoted(word)
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The words as one line for the field `cmd`. The program splits this line into words without a shell.
pub(super) fn line(words: &[String]) -> String {
    let word = |word: &String| {
        let plain = |c: char| !c.is_whitespace() && !"'\"\\#".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            quoted(word)
        }
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if !word.contains('\'') {
        return format!("'{word}'");
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        if "\"\\$`".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Whether a script passes the appended words on to the program that it starts. `named` means that a word follows the
/// script. The shell takes that word as `$0`, so the appended words begin at `$1`.
pub(super) fn passes_on(script: &str, named: bool) -> bool {
    let has = |word: &str| script.contains(word);
    let all = named || ["$0", "${0", "$argv"].into_iter().any(has);
    (all && PASSED_ON.into_iter().any(has)) || has("agent --automated")
}

/// The script, changed so that it passes the appended words on to norouter. If the script does not name norouter, it
/// passes them on to its last program.
pub(super) fn passing_on(script: &str, named: bool, is_fish: bool) -> String {
    let arguments = match (is_fish, named) {
        (true, _) => "$argv",
        (false, true) => "\"$@\"",
        (false, false) => "\"$0\" \"$@\"",
    };
    let mut script = script.trim().to_owned();
    for old in [" \"$@\"", " $@", " \"$*\"", " $*", " \"$1\"", " $1"] {
        script = script.replace(old, "");
    }
    let is_end = |c: char| c.is_whitespace() || "|&;)".contains(c);
    let end = script.rfind("norouter").map_or(script.len(), |at| {
        let after = &script[at..];
        at + after.find(is_end).unwrap_or(after.len())
    });
    script.insert_str(end, &format!(" {arguments}"));
    let is_one = !script.split_whitespace().any(separates);
    let begins_a_program = !script
        .split_whitespace()
        .next()
        .is_none_or(|first| is_builtin(first) || is_assignment(first));
    if is_one && begins_a_program {
        script.insert_str(0, "exec ");
    }
    script
}
