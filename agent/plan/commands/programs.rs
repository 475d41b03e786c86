//! The programs that start other programs, and how they are recognized.

use super::advice::{Inner, Level};

/// Programs whose last words are another command. They start that command with their own standard streams.
pub(super) const WRAPPERS: [&str; 25] = [
    "sudo",
    "doas",
    "env",
    "nice",
    "ionice",
    "nohup",
    "setsid",
    "timeout",
    "stdbuf",
    "unshare",
    "nsenter",
    "chroot",
    "runuser",
    "setpriv",
    "bwrap",
    "systemd-run",
    "flatpak-spawn",
    "distrobox-host-exec",
    "sshpass",
    "torsocks",
    "proxychains",
    "proxychains4",
    "command",
    "exec",
    "time",
];

/// Shells. They take the words after a script as the arguments of the script.
pub(super) const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"];

/// The wrapper's own words, and the command that it starts; `None` if no word names a known program.
pub(super) fn wrapped(words: &[String]) -> Option<Level> {
    let starts = |word: &String| {
        let name = name_of(word);
        let programs = [
            "ssh",
            "dbclient",
            "plink",
            "docker",
            "podman",
            "nerdctl",
            "docker-compose",
            "kubectl",
            "oc",
            "lxc",
            "incus",
            "norouter",
            "su",
        ];
        programs.contains(&name) || SHELLS.contains(&name)
    };
    let place = words.iter().skip(1).position(starts)? + 1;
    Some(Level {
        own: words[..place].to_vec(),
        inner: Inner::Words(words[place..].to_vec()),
        mistakes: Vec::new(),
    })
}

/// The name of a program without its folder and the ending that Windows adds. A name that begins with norouter counts
/// as norouter.
pub(super) fn name_of(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    if name.starts_with("norouter") {
        "norouter"
    } else {
        name
    }
}
