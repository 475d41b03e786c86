//! `ssh` and similar programs. A shell on the other machine reads the command that they run.

use super::{
    advice::{Code, Inner, Level, Mistake, mistake},
    options::{self, Part, Spec, parse},
    programs::name_of,
};
use crate::text::quote;

/// The options of OpenSSH. `ssh` looks for options after the host, too.
const SSH: Spec = Spec {
    letters: "BbcDEeFIiJLlmOoPpQRSWw",
    long: &[],
    words: 1,
    options_follow: true,
};

/// The options of Dropbear's client.
const DBCLIENT: Spec = Spec {
    letters: "pilLRbcmBJWKIo",
    long: &[],
    words: 1,
    options_follow: true,
};

/// The options of `plink` that have a value. Each of them is a word of its own.
const PLINK: [&str; 17] = [
    "-P",
    "-l",
    "-pw",
    "-pwfile",
    "-i",
    "-hostkey",
    "-load",
    "-proxycmd",
    "-L",
    "-R",
    "-D",
    "-m",
    "-nc",
    "-sercfg",
    "-sshlog",
    "-sshrawlog",
    "-cert",
];

/// Settings of `-o` that keep an agent from running, unless they have one of the values that are listed with them. The
/// text says what the setting does with any other value.
const SETTINGS: [(&str, &[&str], Code, &str); 4] = [
    (
        "requesttty",
        &["no", "auto"],
        Code::Terminal,
        "puts a terminal between the manager and the agent, which changes the bytes",
    ),
    (
        "stdinnull",
        &["no"],
        Code::NoInput,
        "gives the agent no standard input",
    ),
    (
        "forkafterauthentication",
        &["no"],
        Code::Background,
        "goes into the background, where the agent gets no standard input",
    ),
    (
        "sessiontype",
        &["default"],
        Code::NoCommand,
        "runs no command, so no agent is started",
    ),
];

/// Whether the words of `ssh` end with the destination, so that a command may follow.
pub(in crate::plan) fn ends_at_its_destination(words: &[String]) -> bool {
    let (parts, after) = parse(words.get(1..).unwrap_or_default(), SSH);
    let is_word = |part: &&Part| matches!(part, Part::Word(_));
    after.is_empty()
        && matches!(parts.last(), Some(Part::Word(_)))
        && parts.iter().filter(is_word).count() == 1
}

/// Adds the option with which OpenSSH reports each step of its connection on standard error. Words that do not start
/// OpenSSH stay as they are. The option comes first, so that a `-q` of the person wins.
pub(in crate::plan) fn talkative(mut words: Vec<String>) -> Vec<String> {
    if is_openssh(&words) {
        words.insert(1, "-v".to_owned());
    }
    words
}

/// Whether the words start OpenSSH.
pub(in crate::plan) fn is_openssh(words: &[String]) -> bool {
    words.first().is_some_and(|word| name_of(word) == "ssh")
}

/// Judges the words of `ssh`.
pub(super) fn ssh(words: &[String]) -> Level {
    judge(words, SSH, true)
}

/// Judges the words of Dropbear's `dbclient`, which has no settings for shared connections.
pub(super) fn dbclient(words: &[String]) -> Level {
    judge(words, DBCLIENT, false)
}

fn judge(words: &[String], spec: Spec, is_openssh: bool) -> Level {
    let (mut parts, rest) = parse(words.get(1..).unwrap_or_default(), spec);
    let mut mistakes = Vec::new();
    let has = |parts: &[Part], letter| options::has(parts, letter, "");
    if has(&parts, 't') {
        let text =
            "ssh -t puts a terminal between the manager and the agent, which changes the bytes";
        mistakes.push(mistake(Code::Terminal, text));
        options::remove(&mut parts, 't', "");
    }
    if is_openssh && has(&parts, 'n') {
        let text = "ssh -n reads nothing, so the agent gets no standard input";
        mistakes.push(mistake(Code::NoInput, text));
        options::remove(&mut parts, 'n', "");
    }
    if has(&parts, 'f') {
        let text = "ssh -f goes into the background, where the agent gets no standard input";
        mistakes.push(mistake(Code::Background, text));
        options::remove(&mut parts, 'f', "");
    }
    let silent = |part: &Part| matches!(part, Part::Valued('W' | 'O', _)) && is_openssh;
    if has(&parts, 'N') || has(&parts, 's') || parts.iter().any(silent) {
        let text = "ssh runs no command with -N, -W, -O or -s, so no agent is started";
        mistakes.push(mistake(Code::NoCommand, text));
        for letter in ['N', 's'] {
            options::remove(&mut parts, letter, "");
        }
        parts.retain(|part| !silent(part));
    }
    if is_openssh {
        mistakes.extend(settings(&mut parts));
        mistakes.extend(master(&mut parts));
        keep_apart(&mut parts);
    }
    let runs_its_own = |part: &Part| setting(part).is_some_and(|(key, _)| key == "remotecommand");
    let inner = if !rest.is_empty() {
        Inner::Line(rest)
    } else if parts.iter().any(runs_its_own) || !options::names(&parts, 1) {
        Inner::Unknown
    } else {
        if !parts.contains(&Part::End) {
            parts.push(Part::End);
        }
        Inner::Missing
    };
    let own = words.iter().take(1).cloned();
    Level {
        own: own.chain(options::words(&parts)).collect(),
        inner,
        mistakes,
    }
}

/// The setting that is given with `-o`: its key in lower case, and its value.
fn setting(part: &Part) -> Option<(String, &str)> {
    let Part::Valued('o', text) = part else {
        return None;
    };
    let (key, value) = text.split_once(['=', ' '])?;
    let value = value.trim_start_matches(['=', ' ']).trim();
    Some((key.trim().to_ascii_lowercase(), value))
}

/// The words of `ssh` without the command that it runs, changed so that `ssh` asks about a host key that it does not
/// know. The first value of a setting is the one that `ssh` takes, and the command line comes before the configuration.
pub(super) fn asking(words: &[String]) -> Vec<String> {
    let (mut parts, _) = parse(words.get(1..).unwrap_or_default(), SSH);
    let decides = |part: &Part| {
        setting(part).is_some_and(|(key, _)| key == "stricthostkeychecking" || key == "batchmode")
    };
    parts.retain(|part| *part != Part::End && !decides(part));
    let ask = "StrictHostKeyChecking=ask".to_owned();
    parts.insert(0, Part::Valued('o', ask));
    let program = words.iter().take(1).cloned();
    program.chain(options::words(&parts)).collect()
}

/// Removes the settings that keep an agent from running, and returns a mistake for each of them.
fn settings(parts: &mut Vec<Part>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    parts.retain(|part| {
        let Some((key, value)) = setting(part) else {
            return true;
        };
        let known = SETTINGS.iter().find(|(name, ..)| *name == key);
        let Some((_, harmless, code, what)) = known else {
            return true;
        };
        let is_harmless = harmless.iter().any(|it| it.eq_ignore_ascii_case(value));
        if !is_harmless {
            let text = format!(
                "ssh with the setting {} {what}",
                quote(&format!("{key}={value}"))
            );
            mistakes.push(mistake(*code, text));
        }
        is_harmless
    });
    mistakes
}

/// Corrects a command whose connection the person's own sessions would share, and returns the mistake. Later sessions
/// would use this connection, and would end when the manager ends or restarts the host.
fn master(parts: &mut Vec<Part>) -> Option<Mistake> {
    let word = |value: &str, words: &[&str]| words.iter().any(|it| it.eq_ignore_ascii_case(value));
    let says = |part: &Part, key: &str| setting(part).is_some_and(|(it, _)| it == key);
    let is_path = |part: &Part| {
        let is_switch = matches!(part, Part::Valued('S', path) if !word(path, &["none"]));
        let path = setting(part).filter(|(key, _)| key == "controlpath");
        is_switch || path.is_some_and(|(_, path)| !word(path, &["none"]))
    };
    let shares = |part: &Part| {
        let on = ["yes", "auto", "ask", "autoask", "true"];
        setting(part).is_some_and(|(key, value)| key == "controlmaster" && word(value, &on))
    };
    let never = parts.iter().any(|part| says(part, "controlmaster")) && !parts.iter().any(shares);
    let becomes = options::has(parts, 'M', "") || parts.iter().any(shares);
    if !becomes && (never || !parts.iter().any(is_path)) {
        return None;
    }
    options::remove(parts, 'M', "");
    parts.retain(|part| !says(part, "controlmaster"));
    parts.insert(0, Part::Valued('o', "ControlMaster=no".to_owned()));
    Some(mistake(
        Code::Master,
        "this ssh can become the shared connection of your own sessions to that machine, which then end with the host",
    ))
}

/// Adds the settings that keep `ssh` apart from the person's own sessions. All commands that we propose have these
/// settings. A command without them is not a mistake, because they matter only if the person's own configuration shares
/// connections or forwards ports for that host.
fn keep_apart(parts: &mut Vec<Part>) {
    let says =
        |part: &Part, keys: &[&str]| setting(part).is_some_and(|(it, _)| keys.contains(&&*it));
    let shared = ["controlmaster", "controlpath"];
    let is_shared = |part: &Part| says(part, &shared) || matches!(part, Part::Valued('S', _));
    if !parts.iter().any(is_shared) {
        parts.insert(0, Part::Valued('o', "ControlMaster=no".to_owned()));
    }
    let forwards = [
        "clearallforwardings",
        "localforward",
        "remoteforward",
        "dynamicforward",
    ];
    // With `ClearAllForwardings`, the ports that the command itself forwards would be cleared, too.
    let is_forward =
        |part: &Part| says(part, &forwards) || matches!(part, Part::Valued('L' | 'R' | 'D', _));
    if !parts.iter().any(is_forward) {
        let is_master = |part: &Part| says(part, &["controlmaster"]);
        let place = parts.iter().position(is_master).map_or(0, |at| at + 1);
        let clear = "ClearAllForwardings=yes".to_owned();
        parts.insert(place, Part::Valued('o', clear));
    }
}

/// Judges the words of `plink`, the `ssh` of Windows users.
pub(super) fn plink(words: &[String]) -> Level {
    let mut own: Vec<String> = words.iter().take(1).cloned().collect();
    let (mut place, mut is_host) = (1, true);
    let mut batch = false;
    while let Some(word) = words.get(place) {
        let is_option = word.starts_with('-');
        if !is_option && !is_host {
            break;
        }
        is_host &= is_option;
        batch |= word == "-batch";
        let length = if PLINK.contains(&word.as_str()) { 2 } else { 1 };
        own.extend(words.iter().skip(place).take(length).cloned());
        place += length;
        if word == "--" {
            break;
        }
    }
    let mut mistakes = Vec::new();
    if !batch {
        own.insert(1, "-batch".to_owned());
        mistakes.push(mistake(
            Code::Unanswered,
            "plink without -batch takes the manager's first bytes for the answer to its question about the host key, and \
             can connect to a machine that nobody has confirmed",
        ));
    }
    if own.iter().any(|word| word == "-t") {
        own.retain(|word| word != "-t");
        let text =
            "plink -t puts a terminal between the manager and the agent, which changes the bytes";
        mistakes.push(mistake(Code::Terminal, text));
    }
    let rest = words.get(place..).unwrap_or_default().to_vec();
    let reads_file = is_host || own.iter().any(|word| word == "-m" || word == "-load");
    let inner = match rest.is_empty() {
        false => Inner::Line(rest),
        true if reads_file => Inner::Unknown,
        true => Inner::Missing,
    };
    Level {
        own,
        inner,
        mistakes,
    }
}
