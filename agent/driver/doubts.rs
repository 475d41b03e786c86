//! Who else decides what is in a file: whoever owns or may write it, or the folder in which another one could be put into its
//! place. What nobody has named is read, and what somebody has agreed to is believed, only where that is this user or root.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::describe;
use crate::{
    addr::HostName,
    plan::{Plan, Start},
    text::quote_whole,
};

/// A reason why a command may become another one although its words stay the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The host whose command it is.
    pub host: HostName,
    /// Which file of it, and who could change it.
    pub text: String,
}

/// What could be changed behind the back of somebody who has agreed to the commands of a plan: files that they name, and that
/// other users of this machine may write. What is found on the `PATH` is not looked at.
pub fn doubts(plan: &Plan) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for host in &plan.hosts {
        let Start::Command(words) = &host.start else {
            continue;
        };
        // What is named twice is told of once.
        let texts = words.iter().enumerate().filter_map(|(place, word)| {
            let path = Path::new(word);
            let is_path = word.chars().any(std::path::is_separator) && !word.starts_with('-');
            if !is_path {
                return None;
            }
            let name = quote_whole(word);
            if place == 0 && !path.is_absolute() {
                return Some(format!(
                    "the program {name} is another one in each folder in which norouter is started"
                ));
            }
            // Other words may be paths of another machine.
            let reason = path.is_file().then(|| check(path).err())??;
            Some(format!("{name} can be changed by others: {reason}"))
        });
        let texts: BTreeSet<_> = texts.collect();
        doubts.extend(texts.into_iter().map(|text| Doubt {
            host: host.name.clone(),
            text,
        }));
    }
    doubts
}

/// Whether nobody but this user and root decides what is in a file, by whichever name it is reached: it and its folder belong
/// to one of them and nobody else may write there, and nobody else can put another folder into the place of one above. If
/// not, why.
pub fn check(file: &Path) -> Result<(), String> {
    let shown = |error: std::io::Error| {
        let path = file.display();
        format!("cannot look at {path}: {}", describe(&error))
    };
    let named = std::path::absolute(file).map_err(shown)?;
    let real = std::fs::canonicalize(file).map_err(shown)?;
    let mut paths: Vec<PathBuf> = vec![named];
    if !paths.contains(&real) {
        paths.push(real);
    }
    paths.iter().try_for_each(|path| check_path(path))
}

#[cfg(unix)]
fn check_path(path: &Path) -> Result<(), String> {
    use std::{fs, os::unix::fs::MetadataExt as _};

    const STICKY: u32 = 0o1000;
    let mine = rustix::process::geteuid().as_raw();
    for (above, place) in path.ancestors().zip(0_usize..) {
        let shown = above.display();
        let look = if place == 0 {
            fs::symlink_metadata(above)
        } else {
            fs::metadata(above)
        };
        let it = look.map_err(|error| format!("cannot look at {shown}: {}", describe(&error)))?;
        if it.uid() != mine && it.uid() != 0 {
            return Err(format!("{shown} belongs to another user ({})", it.uid()));
        }
        // The permissions of a link say nothing. In a sticky folder nobody can move what belongs to others, but anybody can
        // put a file.
        let is_safe = it.is_symlink() || (place > 1 && it.mode() & STICKY != 0);
        if !is_safe && others_may_write(above, &it) {
            return Err(format!("other users may write {shown}"));
        }
    }
    Ok(())
}

/// Without unsafe code Windows does not say who owns a file or may write it. What is in a person's own folders there, only that
/// person and administrators can change; nothing else is looked at.
#[cfg(not(unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere there are reasons to refuse"
)]
fn check_path(_path: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(unix)]
fn others_may_write(path: &Path, it: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const GROUP: u32 = 0o020;
    const OTHERS: u32 = 0o002;
    let mode = it.mode();
    if mode & OTHERS != 0 {
        return true;
    }
    if mode & GROUP == 0 {
        return false;
    }
    // With a list of users these bits are what the list grants at most.
    if has_list(path) {
        return true;
    }
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    !is_private_group(
        it.gid(),
        it.uid(),
        &read("/etc/group"),
        &read("/etc/passwd"),
    )
}

/// Whether a file has a list of users and groups besides its permissions (acl(5)).
#[cfg(target_os = "linux")]
fn has_list(path: &Path) -> bool {
    let mut nothing: [u8; 0] = [];
    let found = rustix::fs::getxattr(path, "system.posix_acl_access", &mut nothing);
    found.is_ok_and(|size| size > 0)
}

/// Elsewhere such lists are not kept in the permissions of the group, which stay as they are.
#[cfg(all(unix, not(target_os = "linux")))]
fn has_list(_path: &Path) -> bool {
    false
}

/// Whether a group is the owner's alone, as many distributions give one to each user: it has the number of the user, nobody else
/// is a member, and nobody else has it as the first group. A group that the two files do not know is nobody's alone.
#[cfg(unix)]
fn is_private_group(group: u32, owner: u32, groups: &str, users: &str) -> bool {
    let number = group.to_string();
    let fields = |line: &str| -> Vec<String> { line.split(':').map(str::to_owned).collect() };
    let own = |line: &Vec<String>| line.get(2).is_some_and(|it| *it == number);
    let Some(entry) = groups.lines().map(fields).find(own) else {
        return false;
    };
    let members = entry.get(3).map_or("", String::as_str);
    let is_alone = members.is_empty() || entry.first().is_some_and(|name| name == members);
    let others_first = users.lines().map(fields).any(|user| {
        user.get(3).is_some_and(|it| *it == number) && user.get(2).is_none_or(|it| *it != number)
    });
    group == owner && is_alone && !others_first
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;
    use crate::driver::files::tests::Folder;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_is_ones_own_where_nobody_else_may_write() {
        let folder = Folder::new();
        let inner = folder.0.join("inner");
        fs::create_dir(&inner).unwrap();
        mode(&folder.0, 0o755);
        mode(&inner, 0o755);
        let file = inner.join("n.yaml");
        fs::write(&file, "").unwrap();
        mode(&file, 0o644);
        assert_eq!(check(&file), Ok(()));

        let refused = |word: &str| {
            let reason = check(&file).unwrap_err();
            assert!(reason.starts_with("other users may write "), "{reason}");
            assert!(reason.ends_with(word), "{reason}");
        };
        mode(&file, 0o666);
        refused("n.yaml");
        mode(&file, 0o644);
        for open in [0o777, 0o1777] {
            mode(&inner, open);
            refused("inner");
        }
        mode(&inner, 0o755);
        mode(&folder.0, 0o777);
        assert!(check(&file).is_err(), "the folder could be another one");
        mode(&folder.0, 0o1777);
        assert_eq!(check(&file), Ok(()), "the folder cannot be another one");
        assert!(check(&inner.join("absent")).is_err());
    }

    #[test]
    fn a_link_is_as_safe_as_both_of_its_ends() {
        let folder = Folder::new();
        mode(&folder.0, 0o755);
        let (open, own) = (folder.0.join("open"), folder.0.join("own"));
        for (path, permissions) in [(&open, 0o777), (&own, 0o755)] {
            fs::create_dir(path).unwrap();
            mode(path, permissions);
            fs::write(path.join("n.yaml"), "").unwrap();
        }
        symlink(open.join("n.yaml"), own.join("to-open")).unwrap();
        symlink(own.join("n.yaml"), open.join("to-own")).unwrap();
        symlink(own.join("n.yaml"), own.join("to-own")).unwrap();
        assert!(check(&own.join("to-open")).is_err());
        assert!(check(&open.join("to-own")).is_err());
        assert_eq!(check(&own.join("to-own")), Ok(()));
    }

    #[test]
    fn a_group_is_private_if_it_is_the_owners_alone() {
        let (groups, users) = (
            "root:x:0:\nann:x:1000:\nbob:x:1001:bob\ndev:x:1002:ann,bob\neve:x:1003:\n",
            "root:x:0:0\nann:x:1000:1000\nbob:x:1001:1001\neve:x:1003:1003\nmal:x:1004:1003\n",
        );
        for (group, owner, private) in [
            (1000, 1000, true),
            (1001, 1001, true),
            (0, 0, true),
            (1000, 1001, false),
            (1002, 1002, false),
            (1003, 1003, false),
            (1005, 1005, false),
        ] {
            assert_eq!(
                is_private_group(group, owner, groups, users),
                private,
                "{group} of {owner}"
            );
        }
    }

    #[test]
    fn a_command_is_doubtful_where_others_may_write_what_it_names() {
        let folder = Folder::new();
        mode(&folder.0, 0o755);
        let script = folder.0.join("run.sh");
        fs::write(&script, "").unwrap();
        mode(&script, 0o755);
        let shown = script.display();
        let texts = |cmd: &str| -> Vec<String> {
            let text = format!("hosts: {{a: {{}}, b: {{cmd: {cmd}}}}}");
            let plan = crate::plan::load("test.yaml", &text).plan.unwrap();
            let doubts = doubts(&plan);
            assert!(doubts.iter().all(|doubt| doubt.host.as_str() == "b"));
            doubts.into_iter().map(|doubt| doubt.text).collect()
        };
        let (program, argument) = (format!("[{shown}]"), format!("[sh, {shown}, {shown}]"));
        assert!(texts(&program).is_empty() && texts(&argument).is_empty());
        mode(&script, 0o757);
        for cmd in [&program, &argument] {
            let texts = texts(cmd);
            assert_eq!(texts.len(), 1, "{texts:?}");
            assert!(texts[0].contains("run.sh\" can be changed by others: other users may write"));
        }
        assert!(texts("./run.sh")[0].contains("another one in each folder"));
        assert!(texts("ssh b -- /nowhere/norouter").is_empty());
    }
}
