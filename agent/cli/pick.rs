//! A numbered list of candidates, and the line with which a person picks from it.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    import::{Candidate, Source},
    text::{meant, quote},
};

/// One thing that a person has picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// The candidate with this index.
    Listed(usize),
    /// A name of a source that is not in the list.
    Named(Source, String),
}

/// The candidates as lines. Those that can be picked have numbers. The others have the reason why they cannot be
/// picked.
pub(super) fn list(candidates: &[Candidate]) -> String {
    let mut text = String::new();
    let width = candidates.iter().map(|it| it.name.chars().count()).max();
    let width = width.unwrap_or_default().min(40);
    let mut source = None;
    for (number, candidate) in numbered(candidates) {
        if source.replace(candidate.source) != Some(candidate.source) {
            let _ = writeln!(text, "  {}", candidate.source.word());
        }
        let number = number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let detail = match &candidate.unusable {
            Some(reason) => format!("not available: {reason}"),
            None => candidate.detail.clone(),
        };
        let line = format!("  {number:>4}  {:width$}  {detail}", candidate.name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The candidates with their numbers; those that cannot be picked have none.
fn numbered(candidates: &[Candidate]) -> impl Iterator<Item = (Option<usize>, &Candidate)> {
    let mut last = 0;
    candidates.iter().map(move |candidate| {
        let number = candidate.unusable.is_none().then(|| {
            last += 1;
            last
        });
        (number, candidate)
    })
}

/// Reads the line with which a person picks: numbers of the list, ranges of numbers, names, `SOURCE:NAME` or `all`. The
/// error says which word is none of these.
pub(super) fn picked(line: &str, candidates: &[Candidate]) -> Result<Vec<Pick>, String> {
    let indexes: BTreeMap<usize, usize> = (0..)
        .zip(numbered(candidates))
        .filter_map(|(index, (number, _))| Some((number?, index)))
        .collect();
    let mut picks = Vec::new();
    for word in line.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        if word == "all" && !indexes.is_empty() {
            picks.extend(indexes.values().copied().map(Pick::Listed));
        } else if let Some((first, last)) = range(word) {
            if first > last || !indexes.contains_key(&first) || !indexes.contains_key(&last) {
                let most = indexes.len();
                return Err(format!("{word} is not in the list, which has 1 to {most}"));
            }
            picks.extend(indexes.range(first..=last).map(|(_, at)| Pick::Listed(*at)));
        } else {
            picks.push(by_name(word, candidates)?);
        }
    }
    let mut unique = Vec::new();
    for pick in picks {
        if !unique.contains(&pick) {
            unique.push(pick);
        }
    }
    Ok(unique)
}

/// Parses a number or a range of numbers: `3` or `2-5`.
fn range(word: &str) -> Option<(usize, usize)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn by_name(word: &str, candidates: &[Candidate]) -> Result<Pick, String> {
    let fits = |it: &Candidate| it.name == word || it.host == word || it.id() == word;
    let found = candidates.iter().enumerate().filter(|(_, it)| fits(it));
    let found: Vec<_> = found.collect();
    match found.as_slice() {
        [(at, _)] => return Ok(Pick::Listed(*at)),
        [] => {}
        several => {
            let ids: Vec<_> = several.iter().map(|(_, it)| it.id()).collect();
            return Err(format!("{word} is one of {}; write which", ids.join(", ")));
        }
    }
    if let Some((source, name)) = word.split_once(':')
        && let Some(source) = Source::of(source)
    {
        return Ok(Pick::Named(source, name.to_owned()));
    }
    let knows_ssh = candidates
        .iter()
        .any(|it| it.source == Source::Ssh && it.unusable.is_none());
    if word.contains('@') || !knows_ssh && word != "all" {
        return Ok(Pick::Named(Source::Ssh, word.to_owned()));
    }
    let tip = match meant(word, candidates.iter().map(|it| it.name.as_str())) {
        Some(other) => format!("did you mean {other}?"),
        None => format!("a machine that ssh reaches by this name is ssh:{word}"),
    };
    Err(format!("{} is not in the list; {tip}", quote(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Vec<Candidate> {
        let candidate = |source, name| Candidate::named(source, name).unwrap();
        let mut git = candidate(Source::Lxc, "git");
        git.source = Source::Ssh;
        git.unusable = Some("no shell".to_owned());
        let mut web = candidate(Source::Lxc, "web1");
        web.source = Source::Ssh;
        web.detail = "10.0.0.1".to_owned();
        vec![
            git,
            web,
            candidate(Source::Docker, "app"),
            candidate(Source::Podman, "app"),
        ]
    }

    #[test]
    fn a_list_has_numbers_for_what_can_be_picked() {
        assert_eq!(
            list(&candidates()),
            "  ssh\n     -  git   not available: no shell\n     1  web1  10.0.0.1\n  docker\n     2  app\n  podman\n     3  app\n"
        );
    }

    #[test]
    fn a_line_picks_by_number_range_name_source_or_all() {
        use Pick::{Listed, Named};
        let candidates = candidates();
        for (line, expected) in [
            ("1", vec![Listed(1)]),
            ("1-2, 3 2", vec![Listed(1), Listed(2), Listed(3)]),
            ("all", vec![Listed(1), Listed(2), Listed(3)]),
            ("web1 podman:app", vec![Listed(1), Listed(3)]),
            ("me@far", vec![Named(Source::Ssh, "me@far".to_owned())]),
            ("lxc:c1", vec![Named(Source::Lxc, "c1".to_owned())]),
            ("git", vec![Listed(0)]),
            (" ", vec![]),
        ] {
            assert_eq!(picked(line, &candidates), Ok(expected), "{line}");
        }
        let far = vec![Named(Source::Ssh, "far".to_owned())];
        assert_eq!(picked("far", &[]), Ok(far));
        for (line, message) in [
            ("4", "4 is not in the list, which has 1 to 3"),
            ("3-2", "3-2 is not in the list, which has 1 to 3"),
            ("app", "app is one of docker:app, podman:app; write which"),
            ("wbe1", "\"wbe1\" is not in the list; did you mean web1?"),
            (
                "elsewhere",
                "\"elsewhere\" is not in the list; a machine that ssh reaches by this name is ssh:elsewhere",
            ),
        ] {
            assert_eq!(picked(line, &candidates).unwrap_err(), message);
        }
    }
}
