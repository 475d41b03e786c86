//! Finds the jump hosts between this machine and the hosts of the shown network, as OpenSSH itself sees them. `ssh -G`
//! prints the settings that follow from the words of a command and the person's configuration. It connects to nothing,
//! but it runs the commands of `Match exec`. Therefore it is only asked about commands that run anyway, because the
//! person has approved them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    pin::Pin,
    time::{Duration, SystemTime},
};

use norouter::{
    driver::{import, system::programs::run},
    import::settings,
    view::{HostState, HostView, PlanView},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use crate::{desk::Desk, login_shell::environment_is_known};

/// The maximum number of hosts about which `ssh` is asked.
const HOSTS_MAX: usize = 200;

/// How long `ssh` may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How many questions to `ssh` are open at the same time, and how long all of them may take together.
const QUESTIONS_MAX: usize = 2;
const ANSWERS_MAX: Duration = Duration::from_mins(1);

/// The maximum number of jump hosts in a row. A configuration may lead in a circle, which has no end.
const DEPTH_MAX: usize = 8;

/// How many answers are kept.
const KEPT_MAX: usize = 2_000;

/// The shortest time between two looks at the hosts.
const PACE: Duration = Duration::from_secs(1);

/// The options of `ssh` that have a value.
const VALUED: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// The words of a command.
type Words = Vec<String>;

/// The files of a configuration, and the time of the last change of each.
type Stamp = Vec<(PathBuf, Option<SystemTime>)>;

/// The jump hosts to a destination, the one nearest to this machine first; `None` if `ssh` does not tell.
type Way = Option<Vec<String>>;

/// Finds the jump hosts of the shown network, as long as the app runs.
pub(crate) async fn find(desk: Desk) {
    environment_is_known().await;
    let mut wakes = desk.wakes();
    let mut kept = BTreeMap::new();
    let mut seen = None;
    loop {
        wakes.mark_unchanged();
        if let Some((session, client, hosts)) = desk.shown_hosts() {
            let marks: Vec<_> = hosts
                .iter()
                .filter(|host| has_run(host))
                .map(mark)
                .collect();
            if seen != Some((session, marks.clone()))
                && let Ok(plan) = client.plan().await
            {
                let names = marks.iter().map(|(name, _)| name.as_str()).collect();
                let jumps = jumps(&mut kept, commands(&plan, &names)).await;
                desk.set_jumps(session, jumps);
                seen = Some((session, marks));
            }
        }
        sleep(PACE).await;
        if wakes.changed().await.is_err() {
            return;
        }
    }
}

/// Whether the command of a host runs or has run. In that case, the person must have approved it. If the host has
/// another command that waits for approval, it is not certain which of the two the plan has.
fn has_run(host: &HostView) -> bool {
    let state = host.state;
    host.held.is_none() && !state.is_over() && state != HostState::Starting
}

/// The name of a host, and whether it is up. If this changes, the command of the host may have been started again, and
/// may have read another configuration.
fn mark(host: &HostView) -> (String, bool) {
    (host.name.clone(), host.state.is_up())
}

/// The commands of these hosts that start the client of OpenSSH.
fn commands(plan: &PlanView, names: &BTreeSet<&str>) -> Vec<(String, Words)> {
    let hosts = plan.hosts.iter();
    let hosts = hosts.filter(|host| names.contains(host.name.as_str()) && is_ssh(&host.command));
    let hosts = hosts.map(|host| (host.name.clone(), host.command.clone()));
    hosts.take(HOSTS_MAX).collect()
}

fn is_ssh(words: &[String]) -> bool {
    let program = words.first().map(Path::new);
    let name = program.and_then(Path::file_name);
    name.is_some_and(|name| name == "ssh" || name == "ssh.exe")
}

/// The jump hosts of each host for which they are known. `ssh` is asked only about words that it was not asked about
/// since the last change of the configuration.
async fn jumps(
    kept: &mut BTreeMap<(Words, Stamp), Way>,
    commands: Vec<(String, Words)>,
) -> BTreeMap<String, Vec<String>> {
    let deadline = Instant::now() + ANSWERS_MAX;
    let named: BTreeSet<_> = commands.iter().map(|(_, words)| own_file(words)).collect();
    let stamps = tokio::task::spawn_blocking(move || {
        let stamped = named.into_iter().map(|own| {
            let stamp = stamp(own.as_deref());
            (own, stamp)
        });
        stamped.collect::<BTreeMap<_, _>>()
    });
    let stamps = stamps.await.unwrap_or_default();
    let keyed = commands.into_iter().map(|(host, words)| {
        let stamp = stamps.get(&own_file(&words)).cloned().unwrap_or_default();
        (host, (words, stamp))
    });
    let keyed: Vec<_> = keyed.collect();
    if kept.len() > KEPT_MAX {
        kept.clear();
    }
    let mut open: BTreeSet<_> = keyed.iter().map(|(_, key)| key.clone()).collect();
    open.retain(|key| !kept.contains_key(key));
    let (mut open, mut asked) = (open.into_iter(), JoinSet::new());
    loop {
        while asked.len() < QUESTIONS_MAX
            && let Some(key) = open.next()
        {
            asked.spawn(async move {
                let found = path(key.0.clone(), 0).await;
                (key, found)
            });
        }
        match timeout_at(deadline, asked.join_next()).await {
            Ok(Some(Ok((key, found)))) => {
                kept.insert(key, found);
            }
            Ok(Some(Err(_))) => {}
            Ok(None) | Err(_) => break,
        }
    }
    let found = keyed.into_iter();
    let found = found.filter_map(|(host, key)| Some((host, kept.get(&key)?.clone()?)));
    found.collect()
}

/// The file that the words of `ssh` name as its configuration.
fn own_file(words: &[String]) -> Option<PathBuf> {
    option(words, 'F').map(PathBuf::from)
}

fn stamp(own: Option<&Path>) -> Stamp {
    let files = import::home().map(|home| import::files(&home, own));
    let files = files.into_iter().flatten();
    let stamped = files.map(|file| {
        let changed = file.metadata().and_then(|it| it.modified()).ok();
        (file, changed)
    });
    stamped.collect()
}

/// The jump hosts to the destination in the words of `ssh`.
fn path(words: Words, depth: usize) -> Pin<Box<dyn Future<Output = Way> + Send>> {
    Box::pin(async move {
        if depth == DEPTH_MAX {
            return None;
        }
        let (program, rest) = words.split_first()?;
        let asked: Vec<_> = ["-G"]
            .into_iter()
            .chain(rest.iter().map(String::as_str))
            .collect();
        let says = settings(&run(ANSWER_MAX, program, &asked).await.ok()?.out);
        let Some(before) = before(&words, &says) else {
            return Some(Vec::new());
        };
        let mut found = path(before.words, depth + 1).await?;
        found.push(before.name);
        Some(found)
    })
}

/// The last jump host before a destination.
#[derive(Debug, PartialEq, Eq)]
struct Before {
    /// The jump host, as the person has named it.
    name: String,
    /// The words with which `ssh` starts itself to reach the jump host.
    words: Words,
}

/// The last jump host before the destination in these words; `None` if there is none. `says` is what `ssh -G` has
/// printed for the words.
fn before(words: &[String], says: &BTreeMap<String, String>) -> Option<Before> {
    if let Some(jumps) = says.get("proxyjump").filter(|jumps| *jumps != "none") {
        // OpenSSH reaches the last jump host through the others, with the same configuration file.
        let (others, name) = match jumps.rsplit_once(',') {
            Some((others, name)) => (Some(others), name),
            None => (None, jumps.as_str()),
        };
        let (user, host, port) = parts(name);
        let own = option(words, 'F');
        let options = [
            ('l', user),
            ('p', port),
            ('J', others),
            ('F', own.as_deref()),
        ];
        let options = options
            .into_iter()
            .filter_map(|(letter, value)| Some([format!("-{letter}"), value?.to_owned()]));
        let program = words.first()?.clone();
        let inner = [program].into_iter().chain(options.flatten());
        return Some(Before {
            name: name.to_owned(),
            words: inner.chain(["--".to_owned(), host.to_owned()]).collect(),
        });
    }
    let command = says.get("proxycommand")?;
    // A shell would interpret these characters.
    if command.contains([
        '"', '\'', '\\', '$', '`', '|', '&', ';', '<', '>', '(', ')', '*', '?',
    ]) {
        return None;
    }
    let inner = command.split_whitespace().map(|word| filled(word, says));
    let inner: Words = inner.skip_while(|word| word == "exec").collect();
    let name = is_ssh(&inner).then(|| destination(&inner)).flatten()?;
    Some(Before { name, words: inner })
}

/// A word of a `ProxyCommand`, in which tokens like `%h` are replaced by the values that OpenSSH has for them.
fn filled(word: &str, says: &BTreeMap<String, String>) -> String {
    let tokens = [
        ("%h", "hostname"),
        ("%n", "host"),
        ("%p", "port"),
        ("%r", "user"),
    ];
    let mut word = word.to_owned();
    for (token, key) in tokens {
        if let Some(value) = says.get(key) {
            word = word.replace(token, value);
        }
    }
    word
}

/// The user, the host and the port of a jump host: `ann@gate:2222`, `[fe80::1]:22`.
fn parts(name: &str) -> (Option<&str>, &str, Option<&str>) {
    let (user, place) = match name.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, name),
    };
    if let Some((host, rest)) = place.strip_prefix('[').and_then(|it| it.split_once(']')) {
        return (user, host, rest.strip_prefix(':'));
    }
    match place.split_once(':') {
        Some((host, port)) if !port.contains(':') => (user, host, Some(port)),
        _ => (user, place, None),
    }
}

/// The value of the option of `ssh` with this letter. If it is given several times, the first one counts.
fn option(words: &[String], letter: char) -> Option<String> {
    let mut found = None;
    scan(words, |option, value| {
        if option == letter && found.is_none() {
            found = Some(value.to_owned());
        }
    });
    found
}

/// The destination in the words of `ssh`.
fn destination(words: &[String]) -> Option<String> {
    scan(words, |_, _| {})
}

/// Calls `see` with each option that has a value and stands before the destination. Returns the destination.
fn scan(words: &[String], mut see: impl FnMut(char, &str)) -> Option<String> {
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            return Some(word.clone());
        };
        if letters == "-" {
            return words.next().cloned();
        }
        if let Some(at) = letters.find(|letter| VALUED.contains(letter)) {
            let mut rest = letters[at..].chars();
            let letter = rest.next().unwrap_or_default();
            let value = match rest.as_str() {
                "" => words.next().map_or("", String::as_str),
                value => value,
            };
            see(letter, value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, host};

    fn words(line: &str) -> Words {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_way_to_a_jump_host_is_the_one_that_ssh_takes() {
        let of = |line: &str, says: &str| {
            before(&words(line), &settings(says))
                .map(|before| (before.name, before.words.join(" ")))
        };
        let some = |name: &str, line: &str| Some((name.to_owned(), line.to_owned()));
        for (line, says, expected) in [
            (
                "ssh web -- norouter",
                "proxyjump gate",
                some("gate", "ssh -- gate"),
            ),
            (
                "/usr/bin/ssh -F c -l ann web norouter",
                "proxyjump one,bob@two:2222",
                some(
                    "bob@two:2222",
                    "/usr/bin/ssh -l bob -p 2222 -J one -F c -- two",
                ),
            ),
            (
                "ssh web",
                "proxyjump [fe80::1]:22",
                some("[fe80::1]:22", "ssh -p 22 -- fe80::1"),
            ),
            ("ssh web", "proxyjump none", None),
            (
                "ssh web",
                "hostname 10.0.0.1\nport 22\nuser ann\nproxycommand exec ssh -W %h:%p %r@gate",
                some("ann@gate", "ssh -W 10.0.0.1:22 ann@gate"),
            ),
            ("ssh web", "proxycommand nc -x proxy:1080 %h %p", None),
            ("ssh web", "proxycommand ssh gate $(touch x)", None),
            ("ssh web", "hostname web", None),
        ] {
            assert_eq!(of(line, says), expected, "{says}");
        }
    }

    #[test]
    fn options_are_read_up_to_the_destination() {
        let line = words("ssh -TFconf -o ProxyJump=x -p 22 web -F no");
        assert_eq!(option(&line, 'F').as_deref(), Some("conf"));
        assert_eq!(destination(&line).as_deref(), Some("web"));
        assert_eq!(destination(&words("ssh -T -- web")).as_deref(), Some("web"));
        assert_eq!(destination(&words("ssh -p")), None);
    }

    #[test]
    fn only_commands_that_run_are_asked_about() {
        use HostState::{Greeting, NeedsYou, Ready, Refused, Starting, Stopped, Waiting};
        for (state, expected) in [
            (Starting, false),
            (Greeting, true),
            (Ready, true),
            (Waiting, true),
            (NeedsYou, true),
            (Refused, false),
            (Stopped, false),
        ] {
            let mut host = host("a", state);
            assert_eq!(has_run(&host), expected, "{state:?}");
            host.held =
                serde_json::from_value(serde_json::json!({"number": 1, "command": []})).unwrap();
            assert!(!has_run(&host), "another command waits");
        }
        let text = "hosts: {a: {cmd: ssh a}, b: {cmd: ssh b}, c: {cmd: docker exec -i c norouter}}";
        let plan = norouter::plan::load("n.yaml", text).plan.unwrap().view();
        let asked = commands(&plan, &["b", "c"].into());
        let asked: Vec<_> = asked.iter().map(|(host, _)| host.as_str()).collect();
        assert_eq!(asked, ["b"]);
    }

    /// The answers of OpenSSH itself for a configuration in which a jump host is reached through another one.
    #[cfg(unix)]
    #[tokio::test]
    async fn ssh_is_asked_again_only_when_its_configuration_has_changed() {
        let folder = Folder::new("jumps");
        let ran = folder.path("ran");
        let text = |gate: &str| {
            format!(
                "Match host web exec \"echo x >> {}\"\n ProxyJump one,ann@two:2222\nHost one\n ProxyJump {gate}\n\
                 Host old\n ProxyCommand ssh -F {} -W %h:%p gate\nHost circle\n ProxyJump circle\n",
                ran.display(),
                folder.path("config").display(),
            )
        };
        let file = folder.file("config", &text("gate"));
        let command = |host: &str| {
            let line = format!("ssh -F {} -T {host} -- norouter", file.display());
            (host.to_owned(), words(&line))
        };
        let mut kept = BTreeMap::new();
        let commands = ["web", "old", "plain", "circle"].map(command);
        let found = jumps(&mut kept, commands.to_vec()).await;
        let of = |found: &BTreeMap<String, Vec<String>>, host: &str| {
            found.get(host).map(|jumps| jumps.join(","))
        };
        assert_eq!(of(&found, "web").as_deref(), Some("gate,one,ann@two:2222"));
        assert_eq!(of(&found, "old").as_deref(), Some("gate"));
        assert_eq!(of(&found, "plain").as_deref(), Some(""));
        assert_eq!(of(&found, "circle"), None);
        let times = || std::fs::read_to_string(&ran).unwrap().lines().count();
        let before = times();
        assert_eq!(jumps(&mut kept, commands.to_vec()).await, found);
        assert_eq!(times(), before, "it was asked again");
        folder.file("config", &text("other"));
        let later = SystemTime::now() + Duration::from_secs(5);
        std::fs::File::options()
            .append(true)
            .open(&file)
            .unwrap()
            .set_modified(later)
            .unwrap();
        let found = jumps(&mut kept, commands.to_vec()).await;
        assert_eq!(of(&found, "web").as_deref(), Some("other,one,ann@two:2222"));
    }
}
