//! Tests of the known causes with original lines of the programs.

use std::collections::BTreeSet;

use super::*;

/// Lines as the programs have written them, the cause, and a part of the remedy.
const SEEN: &[(&str, TroubleCause, &str)] = &[
    (
        "error: nothing is named, and standard input and output are pipes: if the cmd of a manifest has started this, \
         \"agent --automated\" was lost on the way",
        Setup,
        "exec norouter \"$0\"",
    ),
    (
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
        HostKey,
        "{forget}",
    ),
    (
        "No ED25519 host key is known for web1 and you have requested strict checking.",
        HostKey,
        "{accept}",
    ),
    ("Host key verification failed.", HostKey, "{accept}"),
    (
        "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @",
        Login,
        "chmod 600",
    ),
    (
        "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures",
        Login,
        "IdentitiesOnly",
    ),
    (
        "sign_and_send_pubkey: signing failed for ED25519 \"/k\" from agent: agent refused operation",
        Login,
        "unlock",
    ),
    (
        "ann@web1: Permission denied (publickey,password).",
        Login,
        "{connect}",
    ),
    (
        "Please login as the user \"ubuntu\" rather than the user \"root\".",
        Login,
        "{user}",
    ),
    (
        "This account is currently not available.",
        Login,
        "may log in",
    ),
    (
        "ssh: Could not resolve hostname web1: Temporary failure in name resolution",
        Unreachable,
        "the network",
    ),
    (
        "ssh: Could not resolve hostname wbe1: Name or service not known",
        UnknownName,
        "~/.ssh/config",
    ),
    (
        "ssh: Could not resolve hostname wbe1: nodename nor servname provided, or not known",
        UnknownName,
        "name",
    ),
    (
        "ssh: connect to host 10.0.0.1 port 22: Connection refused",
        Unreachable,
        "sshd runs",
    ),
    (
        "ssh: connect to host web1 port 22: No route to host",
        Unreachable,
        "a way to it",
    ),
    (
        "/home/ann/.ssh/config: line 3: Bad configuration option: portt",
        Setup,
        "correct",
    ),
    (
        "Cannot execute command-line and remote command.",
        Setup,
        "RemoteCommand=none",
    ),
    (
        "Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa",
        Setup,
        "allow",
    ),
    (
        "channel 0: open failed: administratively prohibited: open failed",
        Unreachable,
        "jump host",
    ),
    (
        "kex_exchange_identification: Connection closed by remote host",
        Unreachable,
        "the log of that server",
    ),
    (
        "WARNING - POTENTIAL SECURITY BREACH!",
        HostKey,
        "in between",
    ),
    (
        "The host key is not cached for this server:",
        HostKey,
        "by hand",
    ),
    (
        "FATAL ERROR: No supported authentication methods available (server sent: publickey)",
        Login,
        "without a question",
    ),
    (
        "dbclient: Connection to ann@web1:22 exited: No auth methods could be used.",
        Login,
        "without a question",
    ),
    (
        "Unable to open connection:\\nHost does not exist",
        UnknownName,
        "correct the name",
    ),
    (
        "FATAL ERROR: Network error: Connection refused",
        Unreachable,
        "is up",
    ),
    (
        "bash: line 1: bin/norouter: Permission denied",
        NotPermitted,
        "{executable}",
    ),
    (
        "zsh:1: permission denied: bin/norouter",
        NotPermitted,
        "noexec",
    ),
    (
        "OCI runtime exec failed: exec: \"/srv/norouter\": permission denied: unknown",
        NotPermitted,
        "noexec",
    ),
    (
        "Usage: norouter <router-ip> [options]",
        NotInstalled,
        "another program",
    ),
    (
        "error: unrecognized subcommand 'agent'",
        NotInstalled,
        "{version}",
    ),
    (
        "exec /usr/bin/norouter: exec format error",
        OtherMachine,
        "uname -m",
    ),
    (
        "bash: line 1: /bin/norouter: cannot execute binary file: Exec format error",
        OtherMachine,
        "uname -m",
    ),
    (
        "bash: /bin/norouter: Kann die Binärdatei nicht ausführen: Fehler im Format der Programmdatei",
        OtherMachine,
        "uname",
    ),
    (
        "OCI runtime exec failed: exec failed: unable to start container process: exec: \"norouter\": executable file not found in $PATH: unknown",
        NotInstalled,
        "in that container",
    ),
    (
        "Error: crun: executable file `norouter` not found in $PATH: No such file or directory",
        NotInstalled,
        "in that container",
    ),
    (
        "exec /bin/norouter: no such file or directory",
        NotInstalled,
        "static build",
    ),
    ("the input device is not a TTY", Terminal, "remove -t"),
    (
        "Error response from daemon: No such container: web1",
        NoContainer,
        "correct its name",
    ),
    (
        "Error: no container with name or ID \"db1\" found: no such container",
        NoContainer,
        "correct its name",
    ),
    (
        "Error response from daemon: container 5f3a is not running",
        NoContainer,
        "start",
    ),
    (
        "Error: can only create exec sessions on running containers: container state improper",
        NoContainer,
        "start",
    ),
    (
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        NotPermitted,
        "group docker",
    ),
    (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        NoEngine,
        "start Docker",
    ),
    (
        "Cannot connect to Podman. Please verify your connection to the Linux system",
        NoEngine,
        "podman machine",
    ),
    (
        "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255",
        NotPermitted,
        "log in with",
    ),
    (
        "error: You must be logged in to the server (Unauthorized)",
        Login,
        "the cluster again",
    ),
    (
        "error: 您必须登录到服务器 (Unauthorized)",
        Login,
        "the cluster again",
    ),
    (
        "Error from server (Forbidden): pods \"web\" is forbidden: User \"ann\" cannot create resource",
        NotPermitted,
        "pods/exec",
    ),
    (
        "Error from server (NotFound): pods \"web\" not found",
        NoContainer,
        "namespace",
    ),
    ("error: context \"prod\" does not exist", Setup, "--context"),
    (
        "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
        Unreachable,
        "cluster runs",
    ),
    (
        "Error: Failed to fetch instance \"web\" in project \"default\": Instance not found",
        NoContainer,
        "correct its name",
    ),
    (
        "Error: Get \"http://unix.socket/1.0\": dial unix /var/lib/lxd/unix.socket: connect: no such file or directory",
        NoEngine,
        "start the daemon",
    ),
    (
        "Error: Get \"http://unix.socket/1.0\": dial unix /var/lib/lxd/unix.socket: connect: permission denied",
        NotPermitted,
        "that socket",
    ),
    (
        "Failed to start transient service unit: Interactive authentication required.",
        NotPermitted,
        "polkit",
    ),
    (
        "Password change required but no TTY available.",
        Login,
        "change the password",
    ),
    (
        "OCI runtime exec failed: exec failed: unable to start container process: exec: \"sh\": executable file not found in \
         $PATH: unknown",
        NotInstalled,
        "no shell to put an agent through",
    ),
    (
        "open terminal failed: not a terminal",
        Terminal,
        "only in a terminal",
    ),
    (
        "rbash: line 1: sh: command not found",
        Setup,
        "restricted, and finds no sh",
    ),
    ("sudo: a password is required", NotPermitted, "NOPASSWD"),
    ("sudo: Ein Passwort ist notwendig", NotPermitted, "NOPASSWD"),
    (
        "sudo: il est nécessaire de saisir un mot de passe",
        NotPermitted,
        "NOPASSWD",
    ),
    (
        "ann is not in the sudoers file.",
        NotPermitted,
        "leave out sudo",
    ),
    ("su: Authentication failure", Login, "instead of su"),
    (
        "rbash: line 1: /usr/bin/norouter: restricted: cannot specify `/' in command names",
        Setup,
        "only the name",
    ),
    (
        "bash: line 1: norouter: command not found",
        NotInstalled,
        "{install}",
    ),
    (
        "bash: Zeile 1: norouter: Kommando nicht gefunden.",
        NotInstalled,
        "{install}",
    ),
    (
        "sudo: norouter: commande introuvable",
        NotInstalled,
        "{install}",
    ),
    (
        "zsh:1: command not found: norouter",
        NotInstalled,
        "{install}",
    ),
    ("sh: 1: norouter: not found", NotInstalled, "{install}"),
    ("fish: Unknown command: norouter", NotInstalled, "{install}"),
    ("norouter: Command not found.", NotInstalled, "{install}"),
    (
        "bwrap: execvp norouter: No such file or directory",
        NotInstalled,
        "write its path",
    ),
    (
        "nsenter: failed to execute norouter: No such file or directory",
        NotInstalled,
        "write its path",
    ),
    (
        "env: ‘norouter’: No such file or directory",
        NotInstalled,
        "write its path",
    ),
];

#[test]
fn every_symptom_is_recognized_in_what_the_programs_write() {
    let mut met = BTreeSet::new();
    for (line, cause, remedy) in SEEN {
        let symptom = Symptom::seen_in(line).unwrap_or_else(|| panic!("nothing is known: {line}"));
        assert_eq!(symptom.cause, *cause, "{line}: {symptom:?}");
        assert!(symptom.remedy.contains(remedy), "{line}: {symptom:?}");
        met.insert(SYMPTOMS.iter().position(|other| other == symptom));
    }
    let missed: Vec<_> = (0..SYMPTOMS.len())
        .filter(|index| !met.contains(&Some(*index)))
        .collect();
    let missed: Vec<_> = missed.iter().map(|index| &SYMPTOMS[*index]).collect();
    assert!(missed.is_empty(), "no line shows these: {missed:#?}");
    assert!(SYMPTOMS.len() >= 25);
}

#[test]
fn other_lines_are_no_symptoms() {
    for line in [
        "cannot write /etc/hosts: Permission denied (os error 13)",
        "Welcome to Ubuntu 24.04 LTS",
        "Last login: Mon Nov 24 10:00:00 2025 from 10.0.0.1",
        "client_loop: send disconnect: Broken pipe",
        "",
    ] {
        assert_eq!(Symptom::seen_in(line), None, "{line}");
    }
}

#[test]
fn what_explains_comes_before_what_follows_from_it() {
    let seen = |line| Symptom::seen_in(line).unwrap();
    let changed = seen("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!");
    let failed = seen("Host key verification failed.");
    let denied = seen("ann@jump: Permission denied (publickey).");
    let closed = seen("kex_exchange_identification: Connection closed by remote host");
    assert!(changed.explains(failed) && denied.explains(closed));
    assert!(!failed.explains(changed) && !denied.explains(denied));
}

#[test]
fn an_aside_and_a_decoration_do_not_tell_anything() {
    for line in [
        "@@@@@@@@@@@@@@@@",
        "   ",
        "Warning: Permanently added 'web1' (ED25519) to the list of known hosts.",
        "Connection to web1 closed.",
        "Connection closed by UNKNOWN port 65535",
        "command terminated with exit code 126",
        "  help: leave out -t in the command",
    ] {
        assert!(!is_telling(line), "{line}");
    }
    assert!(is_telling("Connection closed by 10.0.0.1 port 22"));
    assert!(is_telling("Connection to web1 closed by remote host."));
    assert!(is_telling("密码?"));
}

#[test]
fn a_long_line_is_searched_at_its_beginning_only() {
    let far = format!("{}Host key verification failed", "é".repeat(LINE_MAX));
    assert_eq!(Symptom::seen_in(&far), None);
    assert!(!holds("ab", "b*a") && holds("a1b2", "a*b"));
}
