//! Splits the words of a program into options and other words, and puts them together again after a correction.

/// The options of a program that take a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    /// The letters of short options with a value.
    pub(super) letters: &'static str,
    /// The names of long options with a value, which may be the next word.
    pub(super) long: &'static [&'static str],
    /// The number of words that belong to the program and are not options. The word after them begins the command that
    /// the program runs.
    pub(super) words: usize,
    /// Whether options may follow the last of these words.
    pub(super) options_follow: bool,
}

/// One option or word of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Short options without values, all in one word.
    Flags(String),
    /// A short option with its value. Flags may stand before it in the same word.
    Valued(char, String),
    /// A long option, with the value that is written with it or after it.
    Long(String, Option<String>),
    /// A word that is not an option.
    Word(String),
    /// `--`, which ends the options.
    End,
}

/// The parts of a program's own words, and the words after them.
pub(super) fn parse(words: &[String], spec: Spec) -> (Vec<Part>, Vec<String>) {
    let mut parts = Vec::new();
    let (mut place, mut found, mut ended) = (0, 0, false);
    while let Some(word) = words.get(place) {
        let is_option = !ended && word.len() > 1 && word.starts_with('-');
        if !is_option {
            if found == spec.words {
                break;
            }
            parts.push(Part::Word(word.clone()));
            place += 1;
            found += 1;
            if found == spec.words && !spec.options_follow {
                break;
            }
            continue;
        }
        place += 1;
        if word == "--" {
            parts.push(Part::End);
            ended = true;
            continue;
        }
        let mut next = || {
            place += 1;
            words.get(place - 1).cloned().unwrap_or_default()
        };
        if let Some(long) = word.strip_prefix("--") {
            parts.push(match long.split_once('=') {
                Some((name, value)) => Part::Long(name.to_owned(), Some(value.to_owned())),
                None if spec.long.contains(&long) => Part::Long(long.to_owned(), Some(next())),
                None => Part::Long(long.to_owned(), None),
            });
            continue;
        }
        let letters = &word[1..];
        match letters.find(|letter| spec.letters.contains(letter)) {
            None => parts.push(Part::Flags(letters.to_owned())),
            Some(at) => {
                let (flags, valued) = letters.split_at(at);
                if !flags.is_empty() {
                    parts.push(Part::Flags(flags.to_owned()));
                }
                let mut rest = valued.chars();
                let letter = rest.next().unwrap_or_default();
                let value = rest.as_str();
                let value = if value.is_empty() {
                    next()
                } else {
                    value.to_owned()
                };
                parts.push(Part::Valued(letter, value));
            }
        }
    }
    (parts, words.get(place..).unwrap_or_default().to_vec())
}

/// The words of these parts.
pub(super) fn words(parts: &[Part]) -> Vec<String> {
    let mut words = Vec::new();
    for part in parts {
        match part {
            Part::Flags(letters) => words.push(format!("-{letters}")),
            Part::Valued(letter, value) => words.extend([format!("-{letter}"), value.clone()]),
            Part::Long(name, Some(value)) => words.push(format!("--{name}={value}")),
            Part::Long(name, None) => words.push(format!("--{name}")),
            Part::Word(word) => words.push(word.clone()),
            Part::End => words.push("--".to_owned()),
        }
    }
    words
}

/// Whether one of the parts is this flag, in its short or long form. A long flag with `=false` does not count.
pub(super) fn has(parts: &[Part], letter: char, name: &str) -> bool {
    parts.iter().any(|part| match part {
        Part::Flags(letters) => letters.contains(letter),
        Part::Long(long, value) => long == name && value.as_deref() != Some("false"),
        Part::Valued(..) | Part::Word(_) | Part::End => false,
    })
}

/// Whether one of the parts is an option with a value, and has this letter or this long name.
pub(super) fn has_value(parts: &[Part], letter: char, name: &str) -> bool {
    parts.iter().any(|part| match part {
        Part::Valued(short, _) => *short == letter,
        Part::Long(long, _) => long == name,
        Part::Flags(_) | Part::Word(_) | Part::End => false,
    })
}

/// Removes a short or long flag.
pub(super) fn remove(parts: &mut Vec<Part>, letter: char, name: &str) {
    parts.retain_mut(|part| match part {
        Part::Flags(letters) => {
            letters.retain(|it| it != letter);
            !letters.is_empty()
        }
        Part::Long(long, _) => long != name,
        Part::Valued(..) | Part::Word(_) | Part::End => true,
    });
}

/// Whether at least `count` of the parts are words, not options. These words name the machine or container that a
/// program enters.
pub(super) fn names(parts: &[Part], count: usize) -> bool {
    let words = parts.iter().filter(|part| matches!(part, Part::Word(_)));
    words.count() >= count
}
