//! Finds the files through which other users could change what a plan's commands do after a person has agreed to them.

use std::{collections::BTreeSet, path::Path};

use crate::{addr::HostName, driver::system::trusted, plan::Plan, text::quote_whole};

/// A way in which another user could change what a command does without changing its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The host whose command it is.
    pub host: HostName,
    /// The file, and the reason why other users can change it.
    pub text: String,
}

/// Lists the files that the commands of a plan name and that other users of this machine may change. A program with a
/// relative path is always listed, because it depends on the present folder. Programs that are found through the `PATH`
/// are not checked.
pub fn doubts(plan: &Plan) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for host in &plan.hosts {
        // A file that is named twice is reported only once.
        let texts = host.start.read_here().iter().enumerate().filter_map(|(place, word)| {
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
            // A word with a slash that names no file may mean anything, so it is ignored.
            let reason = path.is_file().then(|| trusted::file(path).err())??;
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
    };

    use super::*;
    use crate::driver::system::files::tests::Folder;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_command_is_doubtful_where_others_may_write_what_it_names() {
        let folder = Folder::new();
        mode(folder.path(), 0o755);
        let script = folder.path().join("run.sh");
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
        let is_there = |way: &str| texts(&format!("{way} {shown}")).is_empty();
        for way in [
            "ssh b --",
            "sudo -u x ssh -J j b",
            "docker exec -i c",
            "sudo podman exec -i c",
            "docker compose exec -T c",
            "kubectl --context=k exec -i pod --",
            "ssh b docker exec -i c",
            "dbclient b",
            "plink -batch b",
        ] {
            assert!(is_there(way), "{way}");
        }
        for way in [
            "sh",
            "sudo",
            "nsenter -t 1 -m",
            "env A=b",
            "docker run -i -v /a:/b",
        ] {
            assert!(!is_there(way), "{way}");
        }
        let key = format!("ssh -i {shown} b -- /usr/bin/norouter");
        assert_eq!(texts(&key).len(), 1, "the key is a file of this machine");
    }
}
