//! `norouter complete`: prints the words that can stand at the cursor of a command line. The scripts that
//! `norouter completions` prints run it.

use std::{
    ffi::{OsStr, OsString},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, ValueCompleter, complete};

use super::{
    error::{Error, Exit},
    input::Source,
    output,
    reach::{WhichNetwork, wait_for},
};
use crate::{
    driver::{
        control::Client,
        import::look,
        manager::{NetworkName, origin},
    },
    import::{self, Cluster},
    manifest::fields,
};

/// How long the whole answer may take. The shell waits for it while the person types.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// How long a manager may take to list its hosts. After that, the manifest is read instead, unless the command line
/// names the network.
const MANAGER_MAX: Duration = Duration::from_millis(120);

/// How long a program may take to list what could become a host.
const SOURCE_MAX: Duration = Duration::from_millis(180);

/// How many values are printed at most.
const VALUES_MAX: usize = 2_000;

/// A line that asks the shell to complete files by itself, because the shell knows how to quote them.
const FILES: &str = ":files";

/// A line that asks the shell to complete commands by itself.
const COMMANDS: &str = ":commands";

/// Print what can stand at the end of a command line; started by shells, not by people
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Args {
    /// The last word is empty, which some shells cannot pass on
    #[arg(long)]
    empty: bool,
    /// The words of the command line up to the cursor
    #[arg(last = true, value_name = "WORD")]
    words: Vec<OsString>,
}

/// Prints a line for each value: the value, a tab and its description. Prints nothing if that takes too long. Failures
/// are not reported, because the person is typing.
pub(super) fn run(args: &Args, all: &Command) -> Result<Exit, Error> {
    let mut words = args.words.clone();
    if args.empty {
        words.push(OsString::new());
    }
    let command = shown(all);
    let (answer, answered) = mpsc::sync_channel(1);
    // If a manager or the file system hangs, only this thread hangs. It ends with the process.
    thread::spawn(move || answer.send(lines(command, words)));
    if let Ok(lines) = answered.recv_timeout(ANSWER_MAX) {
        output::data(&lines)?;
    }
    Ok(Exit::Ok)
}

fn lines(command: Command, words: Vec<OsString>) -> String {
    let Some(last) = words.len().checked_sub(1) else {
        return String::new();
    };
    let is_empty = words.last().is_some_and(|word| word.is_empty());
    let mut command = with_values(command, &Arc::from(words.as_slice()));
    let found = complete(&mut command, words, last, None).unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for candidate in found.iter().filter(|it| !it.is_hide_set()).take(VALUES_MAX) {
        let Some(value) = candidate.get_value().to_str() else {
            continue;
        };
        let help = candidate.get_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let help = help.lines().next().unwrap_or_default();
        let line = match [FILES, COMMANDS].into_iter().find(|it| value.ends_with(it)) {
            Some(request) => request.to_owned(),
            None => format!("{value}\t{help}"),
        };
        // A value that contains a line break would be read as several values.
        if !line.contains('\n') && !lines.contains(&line) {
            lines.push(line);
        }
    }
    // While the word at the cursor is still empty, options are offered only if nothing else can be offered, and files
    // only if there are no other values.
    if is_empty {
        let is_option = |line: &String| line.starts_with('-');
        if !lines.iter().all(is_option) {
            lines.retain(|line| !is_option(line));
        }
        if lines.iter().any(|line| line != FILES) {
            lines.retain(|line| line != FILES);
        }
    }
    lines.join("\n") + if lines.is_empty() { "" } else { "\n" }
}

/// The command line without the commands that people do not type.
fn shown(all: &Command) -> Command {
    let commands = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    Command::new("norouter")
        .args(all.get_arguments().cloned())
        .subcommands(commands.cloned())
}

/// Adds to each argument the values that it can have. The placeholder of the argument in the help (`HOST`, `NAME:PORT`)
/// tells the kind of the values.
fn with_values(command: Command, words: &Arc<[OsString]>) -> Command {
    let words = words.clone();
    let command = command.mut_args(|arg| {
        let is_network = arg.get_id() == "network";
        let source = import::Source::of(arg.get_id().as_str());
        let name = arg.get_value_names().and_then(<[_]>::first);
        let values = match (name.map(clap::builder::Str::as_str), source) {
            (_, Some(source)) => Values::Candidates(source),
            (Some("NAME"), None) if is_network => Values::Networks,
            (Some("HOST"), None) => Values::Hosts,
            (Some("TARGET" | "NAME[:PORT]"), None) => Values::Services,
            (Some("NAME:PORT"), None) => Values::Ports,
            (Some("FILE" | "FOLDER" | "PATH"), None) => Values::Shell(FILES),
            (Some("COMMAND"), None) => Values::Shell(COMMANDS),
            (Some("FIELD"), None) => Values::Fields,
            _ => return arg,
        };
        let words = words.clone();
        arg.add(ArgValueCompleter::new(Completer { values, words }))
    });
    command.mut_subcommands(|command| with_values(command, &words))
}

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    Networks,
    /// The candidates of a source: the things on this machine that could become hosts.
    Candidates(import::Source),
    /// Hosts, by names and aliases, or by VIPs.
    Hosts,
    /// Hosts, perhaps with a port.
    Services,
    /// Hosts with a port.
    Ports,
    /// Fields of a host.
    Fields,
    /// Values that the shell completes by itself: [`FILES`] or [`COMMANDS`].
    Shell(&'static str),
}

struct Completer {
    values: Values,
    /// The whole command line.
    words: Arc<[OsString]>,
}

impl ValueCompleter for Completer {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(current) = current.to_str() else {
            return Vec::new();
        };
        let found = match self.values {
            // The arguments that the command of `exec` takes are not known here. Most of them are files.
            Values::Shell(COMMANDS) if is_behind_command(&self.words) => {
                vec![(FILES.to_owned(), String::new())]
            }
            Values::Shell(request) => vec![(request.to_owned(), String::new())],
            Values::Networks => starting(current, networks()),
            Values::Candidates(source) => starting(current, candidates(source)),
            Values::Fields => {
                let names = fields::names(fields::Of::Host).into_iter();
                starting(current, names.map(|name| (name, String::new())))
            }
            Values::Hosts | Values::Services | Values::Ports => {
                let network = named_network(&self.words);
                named(current, self.values, &hosts(network))
            }
        };
        let candidates = found.into_iter().map(|(value, help)| {
            let help = (!help.is_empty()).then(|| help.into());
            CompletionCandidate::new(value).help(help)
        });
        candidates.collect()
    }
}

/// A value, and its description.
type Described = (String, String);

/// A host as far as completion knows it.
#[derive(Clone, Debug, Default)]
struct Known {
    names: Vec<String>,
    vip: String,
    ports: Vec<u16>,
}

/// The values that begin with what was typed. Upper and lower case are not distinguished in names of the network.
fn starting(current: &str, values: impl IntoIterator<Item = Described>) -> Vec<Described> {
    let is_meant = |value: &str| {
        let begin = value.get(..current.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(current))
    };
    values
        .into_iter()
        .filter(|(value, _)| is_meant(value))
        .collect()
}

/// The hosts whose names begin with what was typed, without or with their ports.
fn named(current: &str, values: Values, hosts: &[Known]) -> Vec<Described> {
    let (prefix, typed) = match current.rfind("://") {
        Some(end) if values != Values::Hosts => current.split_at(end + "://".len()),
        _ => ("", current),
    };
    // Addresses are offered only to a person who has begun to type one.
    let by_address = typed.starts_with(|c: char| c.is_ascii_digit());
    let mut plain = Vec::new();
    let mut with_port = Vec::new();
    for host in hosts {
        let vips = std::iter::once(&host.vip).filter(|_| by_address);
        for name in host.names.iter().chain(vips) {
            let what = if *name == host.vip {
                host.names.first().unwrap_or(&host.vip)
            } else {
                &host.vip
            };
            plain.push((format!("{prefix}{name}"), what.clone()));
            let ports = host.ports.iter();
            with_port.extend(ports.map(|port| (format!("{prefix}{name}:{port}"), what.clone())));
        }
    }
    let plain = starting(current, plain);
    let wants_port = match values {
        Values::Ports => true,
        // While several hosts match what was typed, their ports are not listed, because they would hide the hosts.
        Values::Services => typed.contains(':') || plain.len() == 1,
        Values::Hosts
        | Values::Networks
        | Values::Fields
        | Values::Candidates(_)
        | Values::Shell(_) => false,
    };
    let mut found = if values == Values::Ports {
        Vec::new()
    } else {
        plain
    };
    if wants_port {
        found.extend(starting(current, with_port));
    }
    found
}

/// Whether the last word is an argument of the command that `exec` runs.
fn is_behind_command(words: &[OsString]) -> bool {
    let before = words.split_last().map_or(words, |(_, before)| before);
    let mut before = before.iter().skip_while(|word| *word != "exec").skip(1);
    let mut ended = false;
    while let Some(word) = before.next() {
        if !ended && word == "--" {
            ended = true;
        } else if !ended && (word == "--network" || word == "--state-dir") {
            before.next();
        } else if ended || !word.to_string_lossy().starts_with('-') {
            return true;
        }
    }
    false
}

/// The network that the command line or `$NOROUTER_NETWORK` names.
fn named_network(words: &[OsString]) -> Option<NetworkName> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    let mut named = std::env::var("NOROUTER_NETWORK").ok();
    while let Some(word) = words.next() {
        if word == "--network" {
            named = words.next().map(str::to_owned);
        } else if let Some(name) = word.strip_prefix("--network=") {
            named = Some(name.to_owned());
        }
    }
    named?.parse().ok()
}

/// The running networks.
fn networks() -> Vec<Described> {
    let running = wait_for(async { Ok(Client::running().await) }).unwrap_or_default();
    let names = running
        .iter()
        .map(|it| (it.name().to_string(), String::new()));
    names.collect()
}

/// The names that a source can list within [`SOURCE_MAX`].
fn candidates(source: import::Source) -> Vec<Described> {
    let found = wait_for(async { Ok(look(&[source], &Cluster::default(), SOURCE_MAX).await) });
    let found = found.into_iter().flatten().flat_map(|it| it.candidates);
    let usable = found.filter(|it| it.unusable.is_none());
    usable.map(|it| (it.name, it.detail)).collect()
}

/// The hosts of the network that is meant, as its manager lists them. If no manager answers, these are the hosts of the
/// manifest that would be run here, or none if the command line names a network.
fn hosts(network: Option<NetworkName>) -> Vec<Known> {
    let is_named = network.is_some();
    let asked = wait_for(async {
        let asking = async {
            let client = WhichNetwork::from(network).quiet_client().await?;
            Ok::<_, Error>(client.network().await?.snapshot)
        };
        Ok(tokio::time::timeout(MANAGER_MAX, asking).await)
    });
    if let Ok(Ok(Ok(snapshot))) = asked {
        let hosts = snapshot.hosts.into_iter().map(|host| Known {
            names: std::iter::once(host.name).chain(host.aliases).collect(),
            vip: host.vip,
            ports: host.ports,
        });
        return hosts.collect();
    }
    if is_named { Vec::new() } else { planned() }
}

/// The hosts of the manifest that would be run in this folder.
fn planned() -> Vec<Known> {
    let source = Source::find().ok().flatten();
    let loaded = source.and_then(|it| origin::load(it.path()?).ok());
    let Some(plan) = loaded.and_then(|loaded| loaded.plan) else {
        return Vec::new();
    };
    let hosts = plan.view().hosts.into_iter().map(|host| Known {
        names: std::iter::once(host.name).chain(host.aliases).collect(),
        vip: host.vip,
        ports: host.publishes.iter().map(|port| port.port).collect(),
    });
    hosts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Vec<Known> {
        let host = |names: &[&str], vip: &str, ports: &[u16]| Known {
            names: names.iter().map(ToString::to_string).collect(),
            vip: vip.to_owned(),
            ports: ports.to_vec(),
        };
        vec![
            host(&["web1", "www"], "127.0.42.1", &[80, 8080]),
            host(&["web2"], "127.0.42.2", &[80]),
            host(&["laptop"], "127.0.42.3", &[]),
        ]
    }

    fn values(current: &str, values: Values) -> Vec<String> {
        let found = named(current, values, &super::tests::hosts());
        found.into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn hosts_are_offered_by_their_names_and_by_address_to_those_who_type_one() {
        assert_eq!(values("", Values::Hosts), ["web1", "www", "web2", "laptop"]);
        assert_eq!(values("We", Values::Hosts), ["web1", "web2"]);
        assert_eq!(values("127.0.42.1", Values::Hosts), ["127.0.42.1"]);
        assert_eq!(values("web1:", Values::Hosts), [""; 0]);
    }

    #[test]
    fn ports_are_offered_where_they_are_typed_and_as_soon_as_the_host_is_known() {
        assert_eq!(values("web", Values::Services), ["web1", "web2"]);
        assert_eq!(
            values("web1", Values::Services),
            ["web1", "web1:80", "web1:8080"]
        );
        assert_eq!(values("web1:8", Values::Services), ["web1:80", "web1:8080"]);
        assert_eq!(
            values("http://www:808", Values::Services),
            ["http://www:8080"]
        );
        assert_eq!(
            values("", Values::Ports),
            ["web1:80", "web1:8080", "www:80", "www:8080", "web2:80"]
        );
        assert_eq!(values("127.0.42.2:", Values::Ports), ["127.0.42.2:80"]);
    }

    #[test]
    fn the_command_that_is_run_comes_before_its_arguments() {
        let is_behind = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            is_behind_command(&words)
        };
        for line in ["n exec ", "n exec --network o cu", "n exec --java -- c"] {
            assert!(!is_behind(line), "{line}");
        }
        for line in ["n exec cat ", "n exec -- cat -", "n exec -- --x y"] {
            assert!(is_behind(line), "{line}");
        }
    }

    #[test]
    fn the_network_that_the_line_names_is_asked() {
        let named = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            named_network(&words).map(|name| name.to_string())
        };
        assert_eq!(named("n stop --network one w").as_deref(), Some("one"));
        assert_eq!(named("n --network=two stop w").as_deref(), Some("two"));
        assert_eq!(named("n stop --network ../x"), None);
    }
}
