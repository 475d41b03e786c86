//! The agents that can be sent to hosts: those in a folder beside the program, and the program itself if it needs no
//! other files.

use std::{
    cmp::Reverse,
    env, fs, io,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use crate::{
    VERSION,
    driver::system::{describe, digest},
    link::{Offer, Parcel, Target},
};

/// The variable that names a folder with agents. If it is set, the folders beside the program are not searched.
const FOLDER: &str = "NOROUTER_AGENTS";

/// The folders with agents in packages, relative to the folder of the program.
const FOLDERS: [&str; 2] = ["agents", "../lib/norouter/agents"];

/// The extension of an agent's file. The whole name is `SYSTEM-PROCESSOR-VERSION-SHA256.gz`.
const PACKED: &str = ".gz";

/// How many bytes an unpacked agent may have.
const SIZE_MAX: u64 = 256 << 20;

/// An agent, and where it is.
struct Found {
    offer: Offer,
    /// The version in its name. A file of the same version was built together with this program.
    version: String,
    place: Place,
}

enum Place {
    /// A file that is compressed by gzip.
    Packed(PathBuf),
    /// This program.
    Own(PathBuf),
}

/// The result of the first search. Agents that an update adds are found only when the program is started again.
static FOUND: OnceLock<Vec<Found>> = OnceLock::new();

/// The agent that was read last. It is kept in memory only while it is being sent.
static LAST: Mutex<Option<(String, Weak<Parcel>)>> = Mutex::new(None);

/// The agents that can be sent. If there are several for one kind of machine, only the first is sent.
pub(super) async fn offers() -> Arc<[Offer]> {
    let found = tokio::task::spawn_blocking(|| FOUND.get_or_init(look));
    let found = found.await.map_or(&[][..], Vec::as_slice);
    found.iter().map(|found| found.offer.clone()).collect()
}

/// Reads the agent with this sum. The error says why that was not possible.
pub(super) async fn read(sum: String) -> Result<Arc<Parcel>, String> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut found = FOUND.get_or_init(look).iter();
        let found = found.find(|found| found.offer.sum == sum);
        let found = found.ok_or("it is not there any more")?;
        // Many hosts may need the same agent at the same time. It is read once, and its memory is freed when all of
        // them have it.
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, parcel)) = &*last
            && *known == sum
            && let Some(parcel) = parcel.upgrade()
        {
            return Ok(parcel);
        }
        let parcel = Arc::new(open(found)?);
        *last = Some((sum, Arc::downgrade(&parcel)));
        Ok(parcel)
    });
    reading.await.unwrap_or_else(|error| Err(error.to_string()))
}

fn look() -> Vec<Found> {
    let program = env::current_exe().and_then(fs::canonicalize);
    let beside = program.as_ref().ok().and_then(|program| program.parent());
    let folders = match env::var_os(FOLDER) {
        Some(folder) => vec![PathBuf::from(folder)],
        None => beside.map_or_else(Vec::new, |beside| {
            FOLDERS.iter().map(|folder| beside.join(folder)).collect()
        }),
    };
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let mut files: Vec<PathBuf> = files
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let written = |file: &PathBuf| fs::metadata(file).and_then(|about| about.modified()).ok();
    files.sort_by_key(|file| Reverse(written(file)));
    let own = program.ok().as_deref().and_then(own);
    sorted(own, files.iter().filter_map(|file| named(file)))
}

/// The agents in the order in which they are preferred: files of this version, because they are small; this program,
/// which is certainly of this version; and files of other versions, which are better than none. Of equals, the file
/// that was written last is preferred.
fn sorted(own: Option<Found>, files: impl Iterator<Item = Found>) -> Vec<Found> {
    let (mut found, others): (Vec<_>, Vec<_>) = files.partition(|file| file.version == VERSION);
    found.extend(own);
    found.extend(others);
    found
}

/// The agent in a file. Its kind and sum are taken from the file's name.
fn named(path: &Path) -> Option<Found> {
    let name = path.file_name()?.to_str()?.strip_suffix(PACKED)?;
    // The version may contain a hyphen, as that of a preview does, so the sum is split off first.
    let (rest, sum) = name.rsplit_once('-')?;
    let mut parts = rest.splitn(3, '-');
    let (system, processor, version) = (parts.next()?, parts.next()?, parts.next()?);
    let is_sum = sum.len() == 64 && sum.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    is_sum.then(|| Found {
        offer: Offer {
            target: Target::new(system, processor),
            sum: sum.to_owned(),
        },
        version: version.to_owned(),
        place: Place::Packed(path.to_owned()),
    })
}

/// This program as an agent, if it needs no other files to run.
fn own(program: &Path) -> Option<Found> {
    if !cfg!(target_os = "linux") || !is_static(program).ok()? {
        return None;
    }
    let sum = digest::of_file(program).ok()?;
    Some(Found {
        offer: Offer {
            target: Target::new(env::consts::OS, env::consts::ARCH),
            sum,
        },
        version: VERSION.to_owned(),
        place: Place::Own(program.to_owned()),
    })
}

fn open(found: &Found) -> Result<Parcel, String> {
    let (path, bytes) = match &found.place {
        Place::Packed(path) | Place::Own(path) => (path, fs::read(path)),
    };
    let failed = |error: &io::Error| format!("{}: {}", path.display(), describe(error));
    let bytes = bytes.map_err(|error| failed(&error))?;
    let (plain, packed) = match &found.place {
        Place::Packed(_) => {
            let mut plain = Vec::new();
            let mut unpacked = GzDecoder::new(&bytes[..]).take(SIZE_MAX);
            unpacked
                .read_to_end(&mut plain)
                .map_err(|error| failed(&error))?;
            (plain, bytes)
        }
        Place::Own(_) => {
            let packed = pack(&bytes).map_err(|error| failed(&error))?;
            (bytes, packed)
        }
    };
    if digest::of(&plain) != found.offer.sum {
        let path = path.display();
        return Err(format!(
            "{path} was changed since it was built or first read"
        ));
    }
    Ok(Parcel {
        plain: Bytes::from(plain),
        packed: Bytes::from(packed),
    })
}

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes)?;
    packer.finish()
}

/// Whether an executable needs no interpreter, and therefore no shared libraries (ELF-64 Object File Format, program
/// header `PT_INTERP`).
fn is_static(program: &Path) -> io::Result<bool> {
    const PT_INTERP: u32 = 3;
    let mut header = Vec::new();
    // Linkers put the program header table directly after the header of the file.
    fs::File::open(program)?
        .take(4 << 10)
        .read_to_end(&mut header)?;
    let number = |at: usize, length: usize| -> Option<usize> {
        let bytes = header.get(at..at + length)?.iter().rev();
        Some(bytes.fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
    };
    let entries = || {
        let (start, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        let types = (0..count).map(|entry| number(start + entry * size, 4));
        types.collect::<Option<Vec<_>>>()
    };
    let is_wide = header.starts_with(b"\x7fELF\x02\x01");
    Ok(is_wide && entries().is_some_and(|types| !types.contains(&(PT_INTERP as usize))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_named_by_its_machine_its_version_and_its_sum() {
        let sum = "0123456789abcdef".repeat(4);
        let at = |name: &str| named(Path::new(&format!("/x/{name}")));
        let found = at(&format!("linux-aarch64-1.2.3-rc.1-{sum}.gz")).unwrap();
        assert_eq!(found.offer.target, Target::new("linux", "aarch64"));
        assert_eq!(found.version, "1.2.3-rc.1");
        assert_eq!(found.offer.sum, sum);
        for name in [
            "linux-aarch64-1.2.3-12.gz",
            "README",
            &format!("linux-{sum}.gz"),
            &format!("linux-aarch64-{sum}.gz"),
            &format!("linux-aarch64-1.2.3-{sum}"),
        ] {
            assert!(at(name).is_none(), "{name}");
        }
    }

    #[test]
    fn an_agent_of_another_version_is_the_last_resort() {
        let file = |version: &str, digit: &str| {
            let name = format!("linux-x86_64-{version}-{}.gz", digit.repeat(64));
            named(Path::new(&name)).unwrap()
        };
        let own = Found {
            offer: Offer {
                target: Target::new("linux", "x86_64"),
                sum: "0".repeat(64),
            },
            version: VERSION.to_owned(),
            place: Place::Own(PathBuf::new()),
        };
        let files = [
            file("99.0.0", "1"),
            file(VERSION, "2"),
            file("0.0.1", "3"),
            file(VERSION, "4"),
        ];
        let sorted = sorted(Some(own), files.into_iter());
        let sums: Vec<&str> = sorted.iter().map(|it| &it.offer.sum[..1]).collect();
        assert_eq!(sums, ["2", "4", "0", "1", "3"]);
    }

    #[test]
    fn an_agent_that_was_changed_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let write = |bytes: &[u8]| {
            let name = format!("linux-x86_64-{VERSION}-{}.gz", digest::of(b"agent"));
            let path = folder.path().join(name);
            fs::write(&path, pack(bytes).unwrap()).unwrap();
            open(&named(&path).unwrap())
        };
        assert_eq!(write(b"agent").unwrap().plain, &b"agent"[..]);
        let error = write(b"another").unwrap_err();
        assert!(error.contains("was changed"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_with_an_interpreter_is_not_static() {
        assert!(!is_static(Path::new("/bin/ls")).unwrap());
        assert!(!is_static(Path::new("/proc/self/status")).unwrap());
    }
}
