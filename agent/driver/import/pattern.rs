//! Patterns of file names, as in `Include` of ssh: `*`, `?` and `[...]`, in every part of a path.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

/// How many stars a part of a pattern may have. Each star can multiply the time of the search by the length of a name.
const STARS_MAX: usize = 4;

/// How many paths are followed at a time.
const PATHS_MAX: usize = 1_000;

/// Whether a text is a pattern, not the name of a single file.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths that match a pattern, sorted.
pub(super) fn paths(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_str();
        let text = name.filter(|name| matches!(part, Component::Normal(_)) && is_pattern(name));
        found = match text {
            None => found.into_iter().map(|path| path.join(part)).collect(),
            Some(text) => found
                .iter()
                .flat_map(|folder| inside(folder, text))
                .take(PATHS_MAX)
                .collect(),
        };
    }
    found.sort();
    found
}

/// The entries of a folder that match a pattern.
fn inside(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let fitting = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| fits(pattern, name))
    });
    fitting.map(|entry| entry.path()).collect()
}

/// Whether a name matches a pattern. Hidden files match only patterns that begin with a dot.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    fn fits(pattern: &[char], name: &[char]) -> bool {
        match pattern {
            [] => name.is_empty(),
            ['*', rest @ ..] => (0..=name.len()).any(|skipped| fits(rest, &name[skipped..])),
            ['?', rest @ ..] => !name.is_empty() && fits(rest, &name[1..]),
            ['[', rest @ ..] if rest.contains(&']') => {
                let end = rest
                    .iter()
                    .skip(1)
                    .position(|c| *c == ']')
                    .map_or(0, |at| at + 1);
                let (set, rest) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
                name.first().is_some_and(|c| is_in(set, *c)) && fits(rest, &name[1..])
            }
            [first, rest @ ..] => name.first() == Some(first) && fits(rest, &name[1..]),
        }
    }
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    let hidden = name.starts_with('.') && !pattern.starts_with('.');
    let stars = pattern.matches('*').count();
    stars <= STARS_MAX && !hidden && fits(&chars(pattern), &chars(name))
}

/// Whether a set like `a-z0` contains a character. After `!` or `^` at the beginning, the set means all other
/// characters.
fn is_in(set: &[char], c: char) -> bool {
    let (negated, set) = match set {
        ['!' | '^', rest @ ..] => (true, rest),
        set => (false, set),
    };
    let mut rest = set;
    let mut found = false;
    loop {
        rest = match rest {
            [] => return found != negated,
            [first, '-', last, after @ ..] => {
                found |= (*first..=*last).contains(&c);
                after
            }
            [first, after @ ..] => {
                found |= *first == c;
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_as_a_shell_would_say() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("?.conf", "ab.conf", false),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("a*b*c", "axxbxxc", true),
            ("[0-9]*.conf", "10-a.conf", true),
            ("[0-9]*.conf", "a.conf", false),
            ("[!0-9]*", "a", true),
            ("[]a]", "]", true),
            ("[", "[", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
