//! Makes offers of hosts from names that come from outside.

use crate::{
    output::safe,
    view::{ImportKind, ImportOffer},
};

/// Limit on the number of offers of one kind; a network has no more hosts.
pub(crate) const OFFERS_MAX: usize = 1_000;

/// Limit on the length of an offered name, in bytes.
const NAME_MAX: usize = 253;

/// The name, if no program can mistake it for an option or anything else; otherwise `None`.
pub(crate) fn plain(name: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@:/".contains(c);
    let good = !name.is_empty() && name.len() <= NAME_MAX && !name.starts_with('-');
    (good && name.chars().all(fits)).then_some(name)
}

/// An offer. The name and the words must have been checked.
pub(crate) fn offer(
    kind: ImportKind,
    source: &str,
    name: &str,
    words: &[&str],
    detail: &str,
) -> ImportOffer {
    ImportOffer {
        id: format!("{source}:{name}"),
        kind,
        name: safe(name),
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        detail: safe(detail),
        unusable: None,
    }
}

/// Something that was found and cannot be chosen, with the reason.
pub(crate) fn unusable(kind: ImportKind, source: &str, name: &str, reason: &str) -> ImportOffer {
    ImportOffer {
        unusable: Some(safe(reason)),
        ..offer(kind, source, name, &[], "")
    }
}

/// Keeps as many offers as may be shown, and says how many were left out.
pub(crate) fn limited(
    mut offers: Vec<ImportOffer>,
    kind: ImportKind,
    source: &str,
) -> Vec<ImportOffer> {
    let more = offers.len().saturating_sub(OFFERS_MAX);
    if more > 0 {
        offers.truncate(OFFERS_MAX);
        let reason = format!("{more} more are not listed: write them into the manifest by hand");
        offers.push(unusable(kind, source, "...", &reason));
    }
    offers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said() {
        let all = vec![offer(ImportKind::Ssh, "ssh", "a", &["ssh", "a"], ""); OFFERS_MAX + 20];
        let limited = limited(all, ImportKind::Ssh, "ssh");
        assert_eq!(limited.len(), OFFERS_MAX + 1);
        let last = limited.last().and_then(|offer| offer.unusable.as_deref());
        assert!(last.is_some_and(|reason| reason.starts_with("20 more are not listed")));
    }

    #[test]
    fn a_name_that_would_be_an_option_is_not_plain() {
        assert_eq!(plain("deploy/api"), Some("deploy/api"));
        for name in ["-v", "", "a b", "a\u{1b}b", "a$b"] {
            assert_eq!(plain(name), None, "{name:?}");
        }
    }
}
