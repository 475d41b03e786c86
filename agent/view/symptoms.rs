//! The known causes of a lost host, each with its remedy. A cause is recognized by a text in what the host's command
//! has written.
//!
//! The texts are those of other programs. If a program translates a text, it is listed in several languages. If no text
//! is known, the exit status of the command decides.

use super::trouble::TroubleCause::{
    self, HostKey, Login, NoContainer, NoEngine, NoInput, NotInstalled, NotPermitted, OtherMachine,
    Setup, Terminal, UnknownName, Unreachable,
};

/// How many bytes at the beginning of a line are compared with the texts. A message names its cause there.
const LINE_MAX: usize = 1 << 10;

/// One known cause of a loss.
#[derive(Debug, PartialEq, Eq)]
pub struct Symptom {
    /// Texts of other programs, each of which is a part of a line. `*` stands for any text.
    texts: &'static [&'static str],
    /// The kind of the cause.
    pub cause: TroubleCause,
    /// The problem in words, for a cause that no line of the command describes.
    pub what: Option<&'static str>,
    /// The remedy for a person. [`super::ByHand::fill`] replaces each name in braces.
    pub remedy: &'static str,
}

const fn known(
    cause: TroubleCause,
    texts: &'static [&'static str],
    remedy: &'static str,
) -> Symptom {
    Symptom {
        texts,
        cause,
        what: None,
        remedy,
    }
}

/// The command's output repeats what was sent to its input.
pub static ECHO: Symptom = Symptom {
    texts: &[],
    cause: Terminal,
    what: Some("its command sends back what it is sent, as a terminal does"),
    remedy: "remove the option that makes a terminal, such as -t or RequestTTY, and check that the command starts \
             norouter",
};

/// The command has exited with status 0, and has not written anything.
pub static NO_INPUT: Symptom = Symptom {
    texts: &[],
    cause: NoInput,
    what: Some("its command ended before it was told anything, as if its input were closed"),
    remedy: "add the option that passes the input on, such as -i in \"docker exec -i\"; if it is there, run it by hand: \
             {trial}",
};

/// The remedy if a shell has not found norouter.
pub const INSTALL: &str = "{install}";

/// The remedy for a command that does not start norouter, and does not say why.
pub const RUN_BY_HAND: &str = "run it by hand: {trial}";

/// The known causes. If several are recognized, the first one in this table counts. Therefore a cause that explains
/// others comes before them.
static SYMPTOMS: &[Symptom] = &[
    // Messages of OpenSSH, which are English on every system.
    known(
        HostKey,
        &[
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
            "Host key mismatch for",
        ],
        "somebody may be in between: ask who runs that host. Only if its key was changed on purpose: 1. {forget}  \
         2. compare and accept the new one: {accept}  3. norouter start {name}",
    ),
    known(
        HostKey,
        &[
            "No * host key is known for ",
            "Host key verification failed",
        ],
        "accept its key once by hand: {accept} - compare the fingerprint that this shows with that of the host (there: \
         ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), type yes, and then: norouter start {name}",
    ),
    known(
        Login,
        &[
            "UNPROTECTED PRIVATE KEY FILE",
            "bad permissions: ignore key:",
        ],
        "let only you read that key (chmod 600), and then: norouter start {name}",
    ),
    known(
        Login,
        &["Too many authentication failures"],
        "name the right key in ~/.ssh/config (IdentityFile, and IdentitiesOnly yes), and then: norouter start {name}",
    ),
    known(
        Login,
        &["signing failed for * agent refused operation"],
        "unlock the key in your ssh-agent, and then: norouter start {name}",
    ),
    known(
        Login,
        &[
            "Permission denied (publickey",
            "Permission denied (password",
            "Permission denied (keyboard-interactive",
            "Permission denied (gssapi",
            "Permission denied (hostbased",
        ],
        "give that user your key (ssh-copy-id), or correct the user in cmd, until this works: {connect} - and then: norouter \
         start {name}; if it asks again: norouter answer {name}",
    ),
    known(
        Login,
        &["lease login as the user "],
        "that machine lets in only another user with this key: {user}",
    ),
    known(
        Login,
        &[
            "This account is currently not available",
            "Your account has expired",
        ],
        "use an account that may log in there, and then: norouter start {name}",
    ),
    known(
        Login,
        &["assword change required but no TTY available"],
        "log in to that machine in a terminal, and change the password that has expired; then: norouter start {name}",
    ),
    known(
        Unreachable,
        &["Could not resolve hostname *: Temporary failure in name resolution"],
        "check the network of this machine",
    ),
    known(
        UnknownName,
        &["Could not resolve hostname ", "Could not resolve host: "],
        "correct the name in cmd or in ~/.ssh/config, or connect to the network that knows it",
    ),
    known(
        Unreachable,
        &["connect to host * port *: Connection refused"],
        "check that sshd runs there and listens on that port",
    ),
    known(
        Unreachable,
        &["connect to host * port *: "],
        "check that the host is up, and that this machine has a way to it",
    ),
    known(
        Setup,
        &[
            "Bad configuration option: ",
            "Bad owner or permissions on ",
            "no argument after keyword ",
        ],
        "correct that file",
    ),
    known(
        Setup,
        &["Cannot execute command-line and remote command"],
        "add -o RemoteCommand=none in front of the host's name in cmd",
    ),
    known(
        Setup,
        &["Unable to negotiate with *: no matching "],
        "allow what that server offers, in ~/.ssh/config, or update the server",
    ),
    known(
        Unreachable,
        &[
            "stdio forwarding failed",
            "open failed: administratively prohibited",
        ],
        "check that the jump host may connect to that host",
    ),
    known(
        Unreachable,
        &[
            "kex_exchange_identification: ",
            "Connection closed by * port ",
            "Connection reset by * port ",
        ],
        "check the log of that server: it may be overloaded, or refuse the address of this machine for a while",
    ),
    // Messages of PuTTY's plink, and of dbclient of Dropbear.
    known(
        HostKey,
        &["POTENTIAL SECURITY BREACH"],
        "somebody may be in between: ask who runs that host. If its key was changed on purpose, accept the new one by \
         hand, and then: norouter start {name}",
    ),
    known(
        HostKey,
        &[
            "host key is not cached",
            "Host key is not in the trusted hosts file",
            "Didn't validate host key",
        ],
        "compare and accept its key by hand: {connect} - and then: norouter start {name}",
    ),
    known(
        Login,
        &[
            "No supported authentication methods available",
            "Configured password was not accepted",
            "No auth methods could be used",
        ],
        "this has to work without a question: {connect} - and then: norouter start {name}",
    ),
    known(
        UnknownName,
        &["Host does not exist", "Name or service not known"],
        "correct the name in cmd, or connect to the network that knows it",
    ),
    known(
        Unreachable,
        &["FATAL ERROR: Network error: "],
        "check that the host is up, and that this machine has a way to it",
    ),
    // Messages of the container runtime or the operating system, if it cannot start the program on the host.
    known(
        OtherMachine,
        &[
            "xec format error",
            "Fehler im Format der Programmdatei",
            "Erreur de format pour exec()",
            "Formato de ejecutable incorrecto",
            "ошибка формата выполняемого файла",
            "可执行文件格式错误",
            "実行形式エラー",
        ],
        "install the norouter that is built for the processor of that host (uname -m)",
    ),
    known(
        NotInstalled,
        &[
            "exec: \"sh\": executable file not found",
            "executable file `sh` not found",
        ],
        "that container has no shell to put an agent through: put norouter into its image, and write the command that starts \
         it in cmd",
    ),
    known(
        NotInstalled,
        &[
            "executable file * not found in ",
            "executable file not found in ",
            "OCI runtime attempted to invoke a command that was not found",
        ],
        "install norouter in that container, or write its path in cmd",
    ),
    known(
        NotPermitted,
        &[
            "norouter: Permission denied",
            "norouter: permission denied",
            "permission denied: *norouter",
            "norouter\": permission denied",
            "norouter': Permission denied",
            "norouter: Keine Berechtigung",
            "norouter: Permission non accord",
            "norouter: Permiso denegado",
            "norouter: Permesso negato",
            "norouter: Отказано в доступе",
            "norouter: 权限不够",
            "norouter: 許可がありません",
        ],
        "norouter is there, but that user may not run it: {executable}; if that does not help, its disk is mounted noexec: \
         put it elsewhere, and write that path in cmd",
    ),
    known(
        NotInstalled,
        &[
            "unrecognized subcommand 'agent'",
            "unexpected argument '--automated'",
            "Usage: *norouter",
            "usage: *norouter",
        ],
        "what is called norouter there is another program, or another version: write the path of the right one in cmd. This \
         has to print its version: {version}",
    ),
    known(
        Setup,
        &["\"agent --automated\" was lost on the way"],
        "let cmd pass these words on: sh -c 'exec norouter \"$0\" \"$@\"' (for su, with -- behind it)",
    ),
    known(
        NotInstalled,
        &["exec *norouter*: no such file or directory"],
        "install the static build of norouter there: this one needs a library that is missing",
    ),
    known(
        Terminal,
        &[
            "the input device is not a TTY",
            "an agent speaks frames, and standard output is a terminal",
            "cannot enable tty mode on non tty input",
            "cannot attach stdin to a TTY-enabled container",
        ],
        "remove -t from the options, and keep -i",
    ),
    known(
        Terminal,
        &[
            "open terminal failed: not a terminal",
            "Must be connected to a terminal",
        ],
        "a start-up file there starts tmux or screen: let it do so only in a terminal: if [ -t 0 ]",
    ),
    // Messages of docker and podman.
    known(
        NoContainer,
        &["o such container", "no container with name or ID"],
        "start the container, or correct its name in cmd",
    ),
    known(
        NoContainer,
        &[
            "ontainer * is not running",
            "exec sessions on running containers",
            "service \"*\" is not running",
            "unpause the container",
        ],
        "start the container",
    ),
    known(
        NotPermitted,
        &[
            "permission denied while trying to connect to the",
            "dial unix *: connect: permission denied",
        ],
        "let your user use that socket (for Docker: the group docker)",
    ),
    known(
        NoEngine,
        &[
            "Cannot connect to the Docker daemon",
            "failed to connect to the docker API",
            "error during connect: ",
        ],
        "start Docker",
    ),
    known(
        NoEngine,
        &["unable to connect to Podman", "Cannot connect to Podman"],
        "start Podman (podman machine start)",
    ),
    // Messages of kubectl, some of which are translated.
    known(
        NotPermitted,
        &["getting credentials: exec: "],
        "log in with the tool that the message names",
    ),
    known(
        Login,
        &[
            "(Unauthorized)",
            "the server has asked for the client to provide credentials",
        ],
        "log in to the cluster again, and then: norouter start {name}",
    ),
    known(
        NotPermitted,
        &["Error from server (Forbidden)"],
        "ask the administrator of the cluster for the right to create pods/exec",
    ),
    known(
        NoContainer,
        &[
            "Error from server (NotFound)",
            "container not found (\"",
            "container * is not valid for pod",
            "container * not found in pod",
            "cannot exec into a container in a completed pod",
        ],
        "correct the pod, container or namespace in cmd, or wait until the pod runs",
    ),
    known(
        Setup,
        &[
            "error: context \"*\" does not exist",
            "no configuration has been provided",
        ],
        "correct --context, or KUBECONFIG",
    ),
    known(
        Unreachable,
        &[
            "The connection to the server * was refused",
            "Unable to connect to the server: ",
        ],
        "check that the cluster runs, and that this machine has a way to it",
    ),
    // Messages of lxc, incus, systemd-run and machinectl.
    known(
        NoContainer,
        &[
            "Instance not found",
            "nstance is not running",
            "No machine '*' known",
        ],
        "start the container, or correct its name in cmd",
    ),
    known(
        NoEngine,
        &["dial unix *: connect: ", "LXD unix socket not found"],
        "start the daemon of that command",
    ),
    known(
        NotPermitted,
        &[
            "Interactive authentication required",
            "Interaktive Authentifizierung erforderlich",
            "Une authentification interactive est requise",
            "Authentication is required to",
        ],
        "run the command as a user who needs no password for it, or allow it in polkit",
    ),
    // Messages of sudo and su.
    known(
        NotPermitted,
        &[
            "sudo: a password is required",
            "sudo: a terminal is required to read the password",
            "sudo: no tty present and no askpass program specified",
            "Ein Passwort ist notwendig",
            "Passwort ist erforderlich",
            "il est nécessaire de saisir un mot de passe",
            "se requiere una contraseña",
            "è necessaria una password",
            "uma senha é necessária",
            "требуется пароль",
            "需要密码",
            "パスワードが必要です",
        ],
        "allow it without a password (NOPASSWD in sudoers), because sudo cannot ask here",
    ),
    known(
        NotPermitted,
        &[
            " is not in the sudoers file",
            " ist nicht in der sudoers-Datei",
            "apparaît pas dans le fichier sudoers",
            " no está en el archivo sudoers",
            " is not allowed to execute ",
            " is not allowed to run sudo on ",
        ],
        "let that user run norouter with sudo, or leave out sudo",
    ),
    known(
        Login,
        &[
            "su: Authentication failure",
            "su: Fehler bei Authentifizierung",
            "su: Authentifizierungsfehler",
            "chec de l'authentification",
            "su: Fallo de autenticación",
        ],
        "use sudo without a password instead of su, and then: norouter start {name}",
    ),
    // Messages of shells, and of programs that start other programs.
    known(
        Setup,
        &["restricted: cannot specify"],
        "write only the name norouter in cmd: the shell of that user allows no paths",
    ),
    known(
        Setup,
        &["rbash: *sh: command not found"],
        "the shell of that user is restricted, and finds no sh: link sh into a folder of its PATH, or put norouter there and \
         write the command that starts it in cmd",
    ),
    known(
        NotInstalled,
        &[
            "ommand not found",
            "norouter: not found",
            "Unknown command: norouter",
            "`norouter` not found",
            "ommando nicht gefunden",
            "Befehl nicht gefunden",
            "ommande introuvable",
            "rden no encontrada",
            "no se encontró la orden",
            "omando non trovato",
            "omando não encontrado",
            "ie znaleziono polecenia",
            "pdracht niet gevonden",
            "оманда не найдена",
            "未找到命令",
            "找不到命令",
            "コマンドが見つかりません",
        ],
        INSTALL,
    ),
    known(
        NotInstalled,
        &[
            "execvp *norouter*: ",
            "failed to execute *norouter*: ",
            "failed to run command *norouter*: ",
            "env: *norouter*: ",
        ],
        "install norouter there, or write its path in cmd",
    ),
];

impl Symptom {
    /// The symptom in a line. If a line has several, this is the one that explains the others.
    pub fn seen_in(line: &str) -> Option<&'static Self> {
        let line = &line[..line.floor_char_boundary(LINE_MAX)];
        let fits = |symptom: &&Self| symptom.texts.iter().any(|text| holds(line, text));
        SYMPTOMS.iter().find(fits)
    }

    /// Whether this symptom comes before the other one in the table, and so explains the other one.
    pub fn explains(&self, other: &Self) -> bool {
        let rank = |wanted: &Self| SYMPTOMS.iter().position(|symptom| symptom == wanted);
        rank(self) < rank(other)
    }
}

/// Whether the line contains the parts of a text in their order.
fn holds(line: &str, text: &str) -> bool {
    let mut rest = Some(line);
    for part in text.split('*') {
        rest = rest
            .and_then(|rest| rest.split_once(part))
            .map(|(_, rest)| rest);
    }
    rest.is_some()
}

/// Texts of lines that do not tell the cause: what ssh notes while it connects, and what ssh and kubectl add to the
/// message of another program.
const ASIDES: &[&str] = &[
    "Warning: Permanently added ",
    "Pseudo-terminal will not be allocated ",
    "Connection to * closed.",
    "Shared connection to * closed.",
    "Killed by signal ",
    "Connection closed by UNKNOWN port ",
    "command terminated with exit code ",
    "debug1: ",
    "debug2: ",
    "debug3: ",
];

/// Whether a line of a command can say why the command has ended: it contains words, and is not an aside.
pub fn is_telling(line: &str) -> bool {
    let line = &line[..line.floor_char_boundary(LINE_MAX)];
    // This program and others write their advice below the message itself.
    let is_advice = line.trim_start().starts_with("help: ");
    let is_aside = is_advice || ASIDES.iter().any(|text| holds(line, text));
    line.chars().any(char::is_alphanumeric) && !is_aside
}

#[cfg(test)]
mod tests;
