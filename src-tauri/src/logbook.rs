//! The log files. The app's own log has errors, and never what people type. Each network that the app runs has a log,
//! too. When a log file has become large, it is renamed, and a new one is begun.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Mutex,
    time::SystemTime,
};

use jiff::{Timestamp, tz::TimeZone};
use norouter::{
    driver::{control::client::StreamItem, manager::NetworkName},
    text::figures::counted,
    view::LogLine,
};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{format::Writer, time::FormatTime},
};

/// The size in bytes at which the app's own log is renamed.
const APP_MAX: u64 = 1 << 20;

/// The size in bytes at which the log of a network is renamed. The longest log that a manager keeps is about as large.
const NETWORK_MAX: u64 = 8 << 20;

/// How many log files of networks are kept. The oldest ones are removed.
const FILES_MAX: usize = 40;

/// How much of the end of the app's log is returned, in bytes.
const TAIL: u64 = 32 << 10;

/// The path of the app's own log in the folder for data.
pub(crate) fn place(folder: &Path) -> PathBuf {
    folder.join("app.log")
}

/// The path of a network's log in the folder for data.
pub(crate) fn place_of(folder: &Path, network: &NetworkName) -> PathBuf {
    folder.join("logs").join(format!("{network}.log"))
}

/// A log file that stays below a certain size. When it has become large, it is renamed so that it ends with `.old` and
/// replaces its predecessor, and a new file is begun.
struct Book {
    place: PathBuf,
    file: File,
    size: u64,
    max: u64,
}

impl Book {
    fn open(place: PathBuf, max: u64) -> io::Result<Self> {
        let file = open(&place)?;
        let size = file.metadata()?.len();
        let mut book = Self {
            place,
            file,
            size,
            max,
        };
        if book.size >= max {
            book.turn()?;
        }
        Ok(book)
    }

    fn turn(&mut self) -> io::Result<()> {
        let mut old = self.place.clone().into_os_string();
        old.push(".old");
        if fs::rename(&self.place, old).is_ok() {
            self.file = open(&self.place)?;
        } else {
            self.file.set_len(0)?;
        }
        self.size = 0;
        Ok(())
    }
}

impl Write for Book {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size >= self.max {
            self.turn()?;
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a log for appending. Only this user may read it.
fn open(file: &Path) -> io::Result<File> {
    if let Some(folder) = file.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Begins to log into a file in the folder. If that is not possible, the app runs without a log.
pub(crate) fn begin(folder: &Path) {
    if let Ok(book) = Book::open(place(folder), APP_MAX) {
        let log = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::WARN)
            .with_ansi(false)
            .with_timer(Moment)
            .with_writer(Mutex::new(book))
            .finish();
        // This fails if another subscriber is already set. That one stays.
        let _ = tracing::subscriber::set_global_default(log);
    }
}

/// The end of the app's own log.
pub(crate) fn tail(folder: &Path) -> String {
    let read = || {
        let mut file = File::open(place(folder))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

/// The log file of a network. A file that cannot be written is reported once, and the network runs without it.
pub(crate) struct NetworkLog {
    place: PathBuf,
    book: Option<Book>,
    /// The number of the last line of the network's log that was written.
    last: u64,
}

impl NetworkLog {
    /// Continues the log of the network after the lines that earlier runs have left.
    pub(crate) fn begin(place: PathBuf) -> Self {
        let book = Book::open(place.clone(), NETWORK_MAX);
        let mut log = Self {
            place,
            book: None,
            last: 0,
        };
        match book {
            Ok(book) => log.book = Some(book),
            Err(error) => log.give_up(&error),
        }
        if let Some(folder) = log.place.parent() {
            prune(folder);
        }
        log
    }

    /// The number of the last line of the network's log that was written; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Writes a line of the network's log.
    pub(crate) fn note(&mut self, line: &LogLine) {
        if line.seq <= self.last {
            return;
        }
        self.last = line.seq;
        self.write(&format!("{} {}\n", moment(line.time_ms), line.event.line()));
    }

    /// Writes what an item of the manager's stream adds to the log.
    pub(crate) fn hear(&mut self, item: &StreamItem) {
        match item {
            StreamItem::Event(line) => self.note(line),
            StreamItem::Missed(count) => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                self.write(&format!("({} missing)\n", counted(count, "line")));
            }
            StreamItem::Snapshot(_) | StreamItem::Host(_) => {}
        }
    }

    fn write(&mut self, text: &str) {
        if let Some(book) = &mut self.book
            && let Err(error) = book.write_all(text.as_bytes())
        {
            self.give_up(&error);
        }
    }

    fn give_up(&mut self, error: &io::Error) {
        self.book = None;
        tracing::warn!("{} cannot be written: {error}", self.place.display());
    }
}

/// If there are too many log files, removes those that were not written for the longest time.
fn prune(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, PathBuf)> = files
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .collect();
    files.sort_unstable();
    let many = files.len().saturating_sub(FILES_MAX);
    for (_, file) in files.iter().take(many) {
        // It does no harm if a file cannot be removed.
        let _ = fs::remove_file(file);
    }
}

/// A time in milliseconds since 1970 in the zone of this machine, with its offset: `2026-11-23 17:59:39.120 +01:00`.
pub(crate) fn moment(time_ms: u64) -> String {
    in_zone(time_ms, TimeZone::system()).unwrap_or_else(|| time_ms.to_string())
}

fn in_zone(time_ms: u64, zone: TimeZone) -> Option<String> {
    let time = Timestamp::from_millisecond(time_ms.try_into().ok()?).ok()?;
    let time = time.to_zoned_datetime(zone);
    Some(time.strftime("%Y-%m-%d %H:%M:%S%.3f %:z").to_string())
}

/// The present time, as [`moment`] shows it.
struct Moment;

impl FormatTime for Moment {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let time_ms = since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        to.write_str(&moment(time_ms))
    }
}

#[cfg(test)]
mod tests {
    use norouter::view::Event;

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn the_tail_is_the_end_of_the_file() {
        let folder = Folder::new("log");
        assert_eq!(tail(&folder.path("")), "");
        let text = format!("{}end", "x".repeat(40 << 10));
        folder.file("app.log", &text);
        let tail = tail(&folder.path(""));
        assert!(tail.ends_with("end") && tail.len() == 32 << 10);
    }

    #[test]
    fn a_log_turns_its_page_while_it_is_written() {
        let folder = Folder::new("book");
        let place = folder.path("deep/n.log");
        let mut book = Book::open(place.clone(), 100).unwrap();
        for number in 0..100 {
            book.write_all(format!("line {number:02}\n").as_bytes())
                .unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
        let (old, new) = (read("deep/n.log.old"), read("deep/n.log"));
        assert!(old.len() < 108 && new.len() < 108, "{old}{new}");
        assert!(old.starts_with("line ") && new.ends_with("line 99\n"));
        drop(book);
        // A log that was already full is renamed at the next start.
        fs::write(&place, "x".repeat(100)).unwrap();
        drop(Book::open(place, 100).unwrap());
        assert_eq!(read("deep/n.log"), "");
        assert_eq!(fs::read_dir(folder.path("deep")).unwrap().count(), 2);
    }

    fn line(seq: u64) -> LogLine {
        LogLine::new(seq, 1_795_453_179_120, Event::Hopeless { hosts: 1 })
    }

    #[test]
    fn the_log_of_a_network_has_dates_and_each_line_once() {
        let folder = Folder::new("network-log");
        let place = place_of(&folder.path(""), &"office".parse().unwrap());
        let mut log = NetworkLog::begin(place.clone());
        for item in [1, 2, 2, 1, 3].map(|seq| StreamItem::Event(line(seq))) {
            log.hear(&item);
        }
        log.hear(&StreamItem::Missed(2));
        assert_eq!(log.last(), 3);
        drop(log);
        // The next run of the network begins with number 1 again.
        NetworkLog::begin(place.clone()).note(&line(1));
        let text = fs::read_to_string(&place).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert_eq!(lines[3], "(2 lines missing)");
        let expected = format!("{} {}", moment(1_795_453_179_120), line(1).event.line());
        assert!(lines[0] == expected && lines[4] == expected, "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(
                (mode(&place), mode(place.parent().unwrap())),
                (0o600, 0o700)
            );
        }
    }

    #[test]
    fn the_oldest_logs_are_removed() {
        let folder = Folder::new("prune");
        let logs = folder.path("logs");
        fs::create_dir(&logs).unwrap();
        for number in 0..FILES_MAX + 3 {
            let file = File::create(logs.join(format!("{number}.log"))).unwrap();
            let age = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(number as u64);
            file.set_modified(age).unwrap();
        }
        prune(&logs);
        assert_eq!(fs::read_dir(&logs).unwrap().count(), FILES_MAX);
        assert!(!logs.join("2.log").exists() && logs.join("3.log").exists());
    }

    #[test]
    fn a_time_says_its_zone() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let time = in_zone(1_795_453_179_120, zone);
        assert_eq!(time.as_deref(), Some("2026-11-23 17:59:39.120 +01:00"));
    }
}
