//! The history of a manifest: each content that its file has had, the time and the origin of the change to it, and the
//! effect of that change. The app keeps it with its data, in one private file for each manifest.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use norouter::plan::{diff, load, new_grants};
use serde::{Deserialize, Serialize};

use crate::{
    consent::hash,
    store::Store,
    view::{ChangedBy, ManifestChange},
};

/// The maximum number of contents of a manifest that are kept.
const CHANGES_MAX: usize = 100;

/// The maximum size of all contents of a manifest together, as they are written into the file of its history.
const BYTES_MAX: usize = 2 << 20;

/// The maximum number of sentences about the effect of one change.
const SENTENCES_MAX: usize = 50;

/// The maximum number of manifests with a history. The history that has not changed for the longest time is removed
/// first.
const FILES_MAX: usize = 50;

/// The history of one manifest.
#[derive(Debug)]
pub(crate) struct History {
    path: PathBuf,
    store: Store<Kept>,
}

/// The content of the file of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// The path of the manifest, for people who look into the file.
    #[serde(default)]
    manifest: String,
    last_id: u64,
    changes: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: u64,
    at_ms: u64,
    by: ChangedBy,
    effect: Vec<String>,
    text: String,
}

impl History {
    /// Opens the history of a manifest. The second value reports that the file could not be parsed, and where it is
    /// now.
    pub(crate) fn open(data: &Path, path: &Path) -> (Self, Option<String>) {
        let folder = data.join("history");
        let name = hash(path.display().to_string().as_bytes());
        let file = folder.join(format!("{}.json", &name[..32]));
        forget_old(&folder, &file);
        let (store, told) = Store::open(file);
        let path = path.to_owned();
        (Self { path, store }, told)
    }

    /// Whether this is the history of this manifest.
    pub(crate) fn is_of(&self, path: &Path) -> bool {
        self.path == path
    }

    /// Adds the present content of the manifest, unless it was added last or is too long.
    pub(crate) fn note(&mut self, text: &str, by: ChangedBy) -> Result<(), String> {
        let last = self.store.get().changes.last();
        if last.is_some_and(|last| last.text == text) || weight(text) > BYTES_MAX {
            return Ok(());
        }
        let by = if last.is_none() { ChangedBy::First } else { by };
        let effect = last.map_or_else(Vec::new, |last| effect(&last.text, text));
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let at_ms = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let manifest = self.path.display().to_string();
        self.store.change(|kept| {
            kept.manifest = manifest;
            kept.last_id += 1;
            kept.changes.push(Entry {
                id: kept.last_id,
                at_ms,
                by,
                effect,
                text: text.to_owned(),
            });
            kept.shrink();
        })
    }

    /// All changes, the newest first.
    pub(crate) fn changes(&self) -> Vec<ManifestChange> {
        let changes = self.store.get().changes.iter().rev();
        let view = |entry: &Entry| ManifestChange {
            id: entry.id,
            at_ms: entry.at_ms,
            by: entry.by,
            effect: entry.effect.clone(),
        };
        changes.map(view).collect()
    }

    /// The content of the manifest after a change; `None` if the change is not kept any more.
    pub(crate) fn text(&self, id: u64) -> Option<String> {
        let mut changes = self.store.get().changes.iter();
        let found = changes.find(|entry| entry.id == id);
        found.map(|entry| entry.text.clone())
    }
}

impl Kept {
    /// Removes the oldest changes until the limits are kept. The last change always stays.
    fn shrink(&mut self) {
        let texts = |it: &Entry| {
            it.effect
                .iter()
                .chain([&it.text])
                .map(|it| weight(it))
                .sum::<usize>()
        };
        let size = |kept: &Self| kept.changes.iter().map(texts).sum::<usize>();
        while self.changes.len() > 1 && (self.changes.len() > CHANGES_MAX || size(self) > BYTES_MAX)
        {
            self.changes.remove(0);
        }
    }
}

/// The maximum size of a text in the file, where JSON writes some characters with up to six bytes.
fn weight(text: &str) -> usize {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    text.bytes()
        .map(|byte| if is_plain(byte) { 1 } else { 6 })
        .sum()
}

/// The effect of a change of the text on a network, in sentences. Empty if there is none.
fn effect(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (load("", before).plan, load("", after).plan);
    let Some(after) = after else {
        return vec!["the file has errors after this change, so it was not applied".to_owned()];
    };
    let Some(before) = before else {
        return vec!["the file has no errors any more".to_owned()];
    };
    let changes = diff(&before, &after);
    let changes = changes.iter().map(ToString::to_string);
    let (more, fewer) = (new_grants(&before, &after), new_grants(&after, &before));
    let more = more.iter().map(|grant| format!("new: {grant}"));
    let fewer = fewer.iter().map(|grant| format!("gone: {grant}"));
    let all: Vec<String> = changes
        .chain(more)
        .chain(fewer)
        .take(SENTENCES_MAX)
        .collect();
    if all.is_empty() && before != after {
        return vec!["routes or the policy have changed".to_owned()];
    }
    all
}

/// Removes the histories that have not changed for the longest time, if there are too many.
fn forget_old(folder: &Path, wanted: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .filter(|(_, path)| path != wanted)
        .collect();
    files.sort();
    let more = (files.len() + 1).saturating_sub(FILES_MAX);
    for (_, path) in files.into_iter().take(more) {
        // If a file cannot be removed, removing it is tried again the next time.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    const ONE: &str = "hosts: {a: {dns: {disable: true}}}\n";

    fn opened(folder: &Folder) -> (History, Option<String>) {
        History::open(&folder.path("data"), &folder.path("n.yaml"))
    }

    fn file(folder: &Folder) -> PathBuf {
        let entries = fs::read_dir(folder.path("data/history")).unwrap();
        let mut files: Vec<_> = entries.map(|it| it.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|it| it == "json"));
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    #[test]
    fn each_change_has_its_effect_and_its_text_and_survives_the_app() {
        let folder = Folder::new("history");
        let (mut history, told) = opened(&folder);
        assert_eq!((told, history.changes().len()), (None, 0));
        history.note(ONE, ChangedBy::Other).unwrap();
        history.note(ONE, ChangedBy::Other).unwrap();
        let two = ONE.replace("a: {", "a: {aliases: [b], ");
        history.note(&two, ChangedBy::Form).unwrap();
        history.note(ONE, ChangedBy::Other).unwrap();
        drop(history);
        let (history, told) = opened(&folder);
        assert_eq!(told, None);
        let changes = history.changes();
        let by: Vec<_> = changes.iter().map(|it| it.by).collect();
        assert_eq!(by, [ChangedBy::Other, ChangedBy::Form, ChangedBy::First]);
        assert!(changes[2].effect.is_empty() && !changes[1].effect.is_empty());
        let effect = changes[1].effect.join("; ");
        assert!(effect.contains('b'), "{effect}");
        assert_eq!(history.text(changes[1].id), Some(two));
        assert_eq!(history.text(99), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(file(&folder)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "others cannot read it");
        }
    }

    #[test]
    fn errors_and_changes_without_effect_are_told_as_such() {
        assert_eq!(effect(ONE, &format!("# note\n{ONE}")), Vec::<String>::new());
        assert!(effect(ONE, "hosts: {").concat().contains("has errors"));
        assert!(
            effect("hosts: {", ONE)
                .concat()
                .contains("no errors any more")
        );
    }

    #[test]
    fn the_number_and_the_size_of_the_texts_have_a_bound() {
        let folder = Folder::new("history-many");
        let (mut history, _) = opened(&folder);
        for number in 0..CHANGES_MAX + 5 {
            let text = format!("# {number}\n{ONE}");
            history.note(&text, ChangedBy::Text).unwrap();
        }
        let changes = history.changes();
        assert_eq!(changes.len(), CHANGES_MAX);
        assert_eq!(history.text(1), None);
        let large = format!("# {}\n{ONE}", "x".repeat(BYTES_MAX - 200));
        history.note(&large, ChangedBy::Text).unwrap();
        let kept = history.changes();
        assert!(kept.len() < 6, "{}", kept.len());
        assert_eq!(history.text(kept[0].id), Some(large));
        let giant = "x".repeat(BYTES_MAX + 1);
        history.note(&giant, ChangedBy::Text).unwrap();
        assert_eq!(history.changes(), kept, "a giant is left out");
    }

    #[test]
    fn a_file_that_is_cut_off_is_told_of_and_set_aside() {
        let folder = Folder::new("history-broken");
        let (mut history, _) = opened(&folder);
        history.note(ONE, ChangedBy::Other).unwrap();
        let file = file(&folder);
        let whole = fs::read(&file).unwrap();
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        let (mut history, told) = opened(&folder);
        let told = told.unwrap();
        assert!(
            told.contains("cannot be understood") && told.contains(".broken-1"),
            "{told}"
        );
        assert!(history.changes().is_empty());
        history.note(ONE, ChangedBy::Other).unwrap();
        assert_eq!(opened(&folder).0.changes().len(), 1);
    }

    #[test]
    fn only_so_many_manifests_have_a_history() {
        let folder = Folder::new("history-files");
        let data = folder.path("data");
        for number in 0..FILES_MAX + 3 {
            let path = folder.path(&format!("{number}.yaml"));
            let (mut history, _) = History::open(&data, &path);
            history.note(ONE, ChangedBy::Other).unwrap();
        }
        let count = fs::read_dir(data.join("history")).unwrap().count();
        assert_eq!(count, FILES_MAX);
    }
}
