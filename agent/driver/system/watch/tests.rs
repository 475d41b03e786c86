//! Tests of the watch with real files. Some use notifications in real time. The others use none, and choose the times
//! of the checks.

use std::fs;

use notify::event::{CreateKind, RemoveKind};

use super::{
    settling::{EARLY, SETTLED},
    *,
};
use crate::driver::system::files::tests::Folder;

/// The longest time that a test waits for a change that was made.
const PATIENCE: Duration = Duration::from_secs(30);

async fn hears(watch: &mut Watch, what: &str, wanted: Wholeness) {
    let heard = async { while watch.changed().await != wanted {} };
    let heard = tokio::time::timeout(PATIENCE, heard).await;
    assert!(heard.is_ok(), "{what} was missed");
}

#[tokio::test]
async fn a_change_is_seen_in_place_and_by_replacement_and_other_files_are_not() {
    let folder = Folder::new();
    let file = folder.file("n.yaml", b"1");
    let mut watch = Watch::start(&file).unwrap();
    fs::write(&file, "2").unwrap();
    hears(&mut watch, "a change in place", Wholeness::Perhaps).await;
    hears(&mut watch, "its end", Wholeness::Surely).await;
    for text in ["3", "4"] {
        let new = folder.file("n.yaml.new", text.as_bytes());
        fs::rename(new, &file).unwrap();
        let first = tokio::time::timeout(PATIENCE, watch.changed()).await;
        #[cfg(target_os = "linux")]
        assert_eq!(first, Ok(Wholeness::Surely), "a replaced file is whole");
        #[cfg(not(target_os = "linux"))]
        if first == Ok(Wholeness::Perhaps) {
            hears(&mut watch, "a replacement", Wholeness::Surely).await;
        }
    }
    fs::write(&file, "5").unwrap();
    // A task that waits for several things drops this future again and again.
    while tokio::time::timeout(EARLY / 4, watch.changed())
        .await
        .is_err()
    {}
    hears(&mut watch, "the end of the last change", Wholeness::Surely).await;
    folder.file("other", b"5");
    let _ = fs::read(&file).unwrap();
    // Some programs open a file in this way only to find out whether they may write to it.
    let _ = fs::OpenOptions::new().append(true).open(&file).unwrap();
    let more = tokio::time::timeout(2 * EARLY, watch.changed()).await;
    assert!(more.is_err(), "nothing has happened to the file");
}

#[cfg(unix)]
#[tokio::test]
async fn a_swapped_link_is_followed_each_time() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let root = folder.path();
    let release = |version: usize| {
        let name = format!("v{version}");
        fs::create_dir(root.join(&name)).unwrap();
        fs::write(root.join(&name).join("n.yaml"), format!("{version}\n")).unwrap();
        symlink(&name, root.join("new")).unwrap();
        fs::rename(root.join("new"), root.join("..data")).unwrap();
    };
    release(0);
    symlink("..data/n.yaml", root.join("n.yaml")).unwrap();
    for path in ["n.yaml", "..data/n.yaml"] {
        let path = root.join(path);
        let mut watch = Watch::start(&path).unwrap();
        let versions = fs::read_dir(root).unwrap().count();
        for version in versions..versions + 3 {
            release(version);
            hears(&mut watch, &format!("swap {version}"), Wholeness::Surely).await;
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{version}\n"));
        }
        // The watch is now in the newest folder.
        fs::write(&path, "edited\n").unwrap();
        hears(&mut watch, "an edit after the swaps", Wholeness::Perhaps).await;
    }
}

#[tokio::test]
async fn a_folder_that_is_removed_and_made_again_is_watched_again() {
    let folder = Folder::new();
    let (conf, old) = (folder.path().join("conf"), folder.path().join("old"));
    let file = conf.join("n.yaml");
    fs::create_dir(&conf).unwrap();
    fs::write(&file, "0\n").unwrap();
    let mut watch = Watch::start(&file).unwrap();
    for round in 0..2 {
        fs::remove_dir_all(&conf).unwrap();
        hears(&mut watch, "the end of the folder", Wholeness::Surely).await;
        fs::create_dir(&conf).unwrap();
        fs::write(&file, format!("{round}\n")).unwrap();
        hears(&mut watch, "the new folder", Wholeness::Surely).await;
        fs::write(&file, format!("{round}, edited\n")).unwrap();
        hears(&mut watch, "an edit in it", Wholeness::Perhaps).await;
    }
    fs::rename(&conf, &old).unwrap();
    fs::create_dir(&conf).unwrap();
    fs::write(&file, "moved\n").unwrap();
    hears(&mut watch, "an exchanged folder", Wholeness::Surely).await;
    fs::write(&file, "moved, edited\n").unwrap();
    hears(&mut watch, "an edit in it", Wholeness::Perhaps).await;
}

/// A guard that does not get any notifications.
fn deaf(file: &Path) -> Guard {
    let (sender, _) = sync_channel(0);
    Guard::new(file.to_owned(), sender)
}

#[test]
fn a_change_that_nothing_tells_of_is_seen_by_a_look() {
    let folder = Folder::new();
    let file = folder.file("n.yaml", b"1\n");
    let mut guard = deaf(&file);
    let mut now = Instant::ZERO;
    let mut look = |after: Duration| {
        now = now + after;
        guard.look(now, Heard::default())
    };
    assert_eq!(look(LOOK), None);
    let longer = || fs::write(&file, "1 and more\n").unwrap();
    // This change keeps the length and the modification time.
    let other_file = || {
        let new = folder.file("new", b"2 and more\n");
        let old = fs::metadata(&file).unwrap().modified().unwrap();
        let times = fs::FileTimes::new().set_modified(old);
        let opened = File::options().write(true).open(&new).unwrap();
        opened.set_times(times).unwrap();
        drop(opened);
        fs::rename(new, &file).unwrap();
    };
    let gone = || fs::remove_file(&file).unwrap();
    let back = || fs::write(&file, "1\n").unwrap();
    for change in [&longer as &dyn Fn(), &other_file, &gone, &back] {
        change();
        assert_eq!(look(LOOK), None, "the file has to rest first");
        assert_eq!(look(EARLY), Some(Wholeness::Perhaps));
        assert_eq!(look(SETTLED.saturating_sub(EARLY)), Some(Wholeness::Surely));
        assert_eq!(look(LOOK), None, "it is told of once");
    }
}

#[test]
fn a_file_that_is_written_with_pauses_is_whole_after_its_last_line() {
    let folder = Folder::new();
    let file = folder.file("n.yaml", b"");
    let mut guard = deaf(&file);
    let mut now = Instant::ZERO;
    let pause = SETTLED.saturating_sub(Duration::from_millis(1));
    for text in ["a: 1\n", "a: 1\nb: 2\n", "a: 1\nb: 2\nc"] {
        fs::write(&file, text).unwrap();
        now = now + pause;
        assert_eq!(guard.look(now, Heard::default()), None, "{text}");
    }
    assert_eq!(
        guard.look(now + EARLY, Heard::default()),
        Some(Wholeness::Perhaps)
    );
    now = now + 2 * SETTLED;
    assert_eq!(guard.look(now, Heard::default()), None, "a line has no end");
    fs::write(&file, "a: 1\nb: 2\nc: 3\n").unwrap();
    guard.look(now, Heard::default());
    guard.look(now + EARLY, Heard::default());
    assert_eq!(
        guard.look(now + SETTLED, Heard::default()),
        Some(Wholeness::Surely)
    );
}

fn heard(kind: EventKind, paths: &[&str]) -> Option<Heard> {
    let mut event = notify::Event::new(kind);
    for path in paths {
        event = event.add_path(path.into());
    }
    Heard::of(&event, |path| path.ends_with("n.yaml"))
}

#[test]
fn a_notification_says_who_writes_and_whether_the_path_has_turned() {
    let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
    let of = |writer, turned| {
        Some(Heard {
            writer,
            changed: writer == Some(Writer::Replaced),
            turned,
        })
    };
    let replaced = of(Some(Writer::Replaced), true);
    assert_eq!(heard(name(RenameMode::To), &["/d/n.yaml"]), replaced);
    let both = name(RenameMode::Both);
    assert_eq!(heard(both, &["/d/n.new", "/d/n.yaml"]), replaced);
    assert_eq!(
        heard(both, &["/d/n.yaml", "/d/n.old"]),
        of(None, true),
        "a file that is renamed has not come"
    );
    let removed = EventKind::Remove(RemoveKind::File);
    assert_eq!(heard(removed, &["/d/n.yaml"]), of(None, true));
    let made = EventKind::Create(CreateKind::File);
    assert_eq!(heard(made, &["/d/n.yaml"]), of(None, true));
    assert_eq!(heard(made, &["/d/other"]), None);
    let closed = |mode| EventKind::Access(AccessKind::Close(mode));
    let written = heard(closed(AccessMode::Write), &["/d/n.yaml"]);
    assert_eq!(written, of(Some(Writer::Closed), false));
    assert_eq!(heard(closed(AccessMode::Read), &["/d/n.yaml"]), None);
    let both = replaced.unwrap().and(of(None, false).unwrap());
    assert_eq!(
        Some(both),
        replaced,
        "the end of the old file takes nothing back"
    );
}
