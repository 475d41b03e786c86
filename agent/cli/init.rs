//! `norouter init`: makes a first manifest from what this machine knows.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    error::{Error, Exit},
    output,
    pick::{Pick, list, picked},
    reach::wait_for,
    search,
};
use crate::{
    driver::{
        import::{Found, free_network, free_proxy, is_there, look, named},
        system::describe,
    },
    import::{Candidate, Cluster, Draft, NETWORK, Namespace, Source, published},
    plan,
    text::{escape, figures::counted, quote},
};

/// How long each program may take to answer.
const LOOK_MAX: Duration = Duration::from_secs(3);

/// The word with which a person refuses the ports that are proposed.
const NONE: &str = "none";

/// The hosts that were chosen, each with its name in the manifest.
type Chosen = Vec<(String, Candidate)>;

/// Make a first manifest, from questions or from names
///
/// In a terminal, this lists what could become a host: names in the configuration of ssh, running
/// containers, pods, and others. It asks which of them become hosts and which of their ports are
/// published, and writes the manifest. A host needs nothing but a shell.
///
/// If hosts are named, there are no questions:
///
///   norouter init --ssh web1 --podman db --port web1=8080:80 --port db=5432
///
/// "norouter import" lists the names that this machine knows.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The manifest to write, which must not exist; "-" is standard output
    #[arg(value_name = "FILE", default_value = "norouter.yaml")]
    file: PathBuf,
    /// A host that ssh reaches: a name of its configuration, or USER@ADDRESS
    #[arg(long, value_name = "DESTINATION")]
    ssh: Vec<String>,
    /// A container of docker
    #[arg(long, value_name = "CONTAINER")]
    docker: Vec<String>,
    /// A container of podman
    #[arg(long, value_name = "CONTAINER")]
    podman: Vec<String>,
    /// A pod: deployment/NAME or pod/NAME, perhaps with NAMESPACE/ or CONTEXT/NAMESPACE/ in front
    #[arg(long, value_name = "POD")]
    kubernetes: Vec<String>,
    /// An instance of LXD
    #[arg(long, value_name = "INSTANCE")]
    lxc: Vec<String>,
    /// An instance of Incus
    #[arg(long, value_name = "INSTANCE")]
    incus: Vec<String>,
    /// A distribution of the Windows subsystem for Linux
    #[arg(long, value_name = "DISTRIBUTION")]
    wsl: Vec<String>,
    /// A port that a host publishes. A single number below 1024 is published 8000 higher, so 80 means 8080:80, which is
    /// short for 8080:127.0.0.1:80
    #[arg(long = "port", value_name = "HOST=PORT")]
    ports: Vec<String>,
    #[command(flatten)]
    cluster: Part,
}

/// The part of a Kubernetes cluster whose pods are meant.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Part {
    /// The context of kubectl in which the pods are; by default its present one
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,
    /// The namespace in which the pods are; by default that of the context
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// List the pods of all namespaces; only those of the context's namespace if not all of them can be listed
    #[arg(long, conflicts_with = "namespace")]
    all_namespaces: bool,
}

impl Part {
    pub(super) fn cluster(&self) -> Cluster {
        Cluster {
            context: self.context.clone(),
            namespace: match &self.namespace {
                Some(name) => Namespace::Named(name.clone()),
                None if self.all_namespaces => Namespace::Every,
                None => Namespace::OfContext,
            },
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let to_stdout = args.file == Path::new("-");
    if !to_stdout {
        may_be_made(&args.file)?;
    }
    let named = args.named();
    let asks = named.is_empty();
    if asks && !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let message = "no hosts are named, and without a terminal the program cannot ask for them";
        return Err(Error::new(Exit::Usage, message).hint(
            "name them: norouter init --ssh web1 --port web1=8080:80; \"norouter import\" lists what this machine knows",
        ));
    }
    if asks && let Some(port) = args.ports.first() {
        let message = format!("--port {port} is about a host that is not named");
        return Err(Error::new(Exit::Usage, message)
            .hint("name the host as well, such as: --ssh web1 --port web1=8080:80"));
    }
    let (network, taken) = wait_for(async { Ok(free_network().await) })?;
    if let Some(name) = taken.get(&NETWORK) {
        output::talk(&format!(
            "the addresses are in 127.0.{network}.0/24, because the network {} runs in 127.0.{NETWORK}.0/24",
            quote(name)
        ));
    }
    let draft = Draft::new(network, free_proxy());
    let draft = if asks {
        args.by_questions(draft)?
    } else {
        args.by_names(draft, &named)?
    };
    let text = draft.text();
    let loaded = plan::load(&args.file.display().to_string(), &text);
    if !loaded.problems.is_empty() {
        output::talk(&loaded.report(true));
    }
    if loaded.plan.is_none() {
        let message = "a network of these hosts cannot be run, so nothing was written";
        return Err(Error::new(Exit::Failure, message).hint("choose other hosts or ports"));
    }
    if to_stdout {
        output::data(&text)?;
        return Ok(Exit::Ok);
    }
    if asks {
        output::talk(&format!("\n{}", text.trim_end()));
        let shown = escape(&args.file.display().to_string());
        let answer = ask(&format!("\nWrite this to {shown}? [Y/n] "))?;
        if !["", "y", "yes"].contains(&answer.to_lowercase().as_str()) {
            output::talk("nothing was written");
            return Ok(Exit::Failure);
        }
    }
    write(&args.file, &text)?;
    tell_next_step(&args.file, &draft);
    Ok(Exit::Ok)
}

impl Args {
    /// The hosts that the arguments name, with their sources.
    fn named(&self) -> Vec<(Source, &str)> {
        let of = |source| match source {
            Source::Ssh => &self.ssh,
            Source::Docker => &self.docker,
            Source::Podman => &self.podman,
            Source::Kubernetes => &self.kubernetes,
            Source::Lxc => &self.lxc,
            Source::Incus => &self.incus,
            Source::Wsl => &self.wsl,
        };
        let all = Source::ALL.into_iter();
        let all = all.flat_map(|source| of(source).iter().map(move |it| (source, it.as_str())));
        all.collect()
    }

    fn by_names(&self, mut draft: Draft, named: &[(Source, &str)]) -> Result<Draft, Error> {
        let usage = |message: String| Error::new(Exit::Usage, message);
        for (source, name) in named {
            let candidate = self.named_candidate(*source, name)?.map_err(usage)?;
            draft.add(&candidate).map_err(usage)?;
        }
        for text in &self.ports {
            let (host, port) = text.split_once('=').ok_or_else(|| {
                let message = format!("--port {text} has no host");
                usage(message).hint("write the host in front, such as: --port web1=8080:80")
            })?;
            draft
                .publish(host, port)
                .map_err(|message| usage(format!("--port {text}: {message}")))?;
        }
        Ok(draft)
    }

    fn named_candidate(
        &self,
        source: Source,
        name: &str,
    ) -> Result<Result<Candidate, String>, Error> {
        let cluster = self.cluster.cluster();
        wait_for(async { Ok(named(source, name, &cluster, LOOK_MAX).await) })
    }

    fn by_questions(&self, mut draft: Draft) -> Result<Draft, Error> {
        let sources: Vec<_> = Source::ALL.into_iter().filter(|it| is_there(*it)).collect();
        let words: Vec<_> = sources.iter().map(|it| it.word()).collect();
        output::talk(&format!("looking for hosts: {}", words.join(", ")));
        let cluster = self.cluster.cluster();
        let found = wait_for(async { Ok(look(&sources, &cluster, LOOK_MAX).await) })?;
        let candidates = candidates(found);
        let chosen = self.choose(&mut draft, &candidates)?;
        for (name, candidate) in chosen {
            draft = ask_for_ports(&draft, &name, &candidate)?;
        }
        Ok(draft)
    }

    /// Asks which hosts the network has, and adds them. Returns each with its name in the manifest.
    fn choose(&self, draft: &mut Draft, candidates: &[Candidate]) -> Result<Chosen, Error> {
        let usable = candidates.iter().filter(|it| it.unusable.is_none()).count();
        let question = if usable == 0 {
            output::talk("nothing was found that could become a host");
            "Which machines does ssh reach? Names or addresses (web1, me@10.0.0.5): "
        } else {
            output::talk(&format!(
                "\nThis machine knows {}:\n\n{}",
                counted(usable, "possible host"),
                list(candidates)
            ));
            output::talk(
                "Others can be named as well: me@10.0.0.5 for ssh, or docker:NAME, kubernetes:NAMESPACE/deployment/NAME.",
            );
            "Which become hosts? Numbers or names (1 3, 2-4, web1, all): "
        };
        loop {
            let line = ask(question)?;
            match self.taken(draft, &line, candidates)? {
                Ok((with, chosen)) if !chosen.is_empty() => {
                    *draft = with;
                    return Ok(chosen);
                }
                Ok(_) => output::talk("choose at least one, or end this with Ctrl-C"),
                Err(problem) => output::talk(&escape(&problem)),
            }
        }
    }

    /// Adds the hosts that a person has chosen in one line to a copy of the draft. Returns that draft and these hosts.
    /// If the line cannot be used, the inner result says why; the person is told this, and is asked again.
    fn taken(
        &self,
        draft: &Draft,
        line: &str,
        candidates: &[Candidate],
    ) -> Result<Result<(Draft, Chosen), String>, Error> {
        let picks = match picked(line, candidates) {
            Ok(picks) => picks,
            Err(problem) => return Ok(Err(problem)),
        };
        let (mut draft, mut chosen) = (draft.clone(), Vec::new());
        for pick in picks {
            let candidate = match pick {
                Pick::Listed(at) => Ok(candidates[at].clone()),
                Pick::Named(source, name) => self.named_candidate(source, &name)?,
            };
            match candidate.and_then(|candidate| Ok((draft.add(&candidate)?, candidate))) {
                Ok(host) => chosen.push(host),
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Ok(Ok((draft, chosen)))
    }
}

/// All candidates. Tells the person first for which sources the list may be incomplete.
pub(super) fn candidates(found: Vec<Found>) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for Found {
        source,
        candidates: some,
        note,
    } in found
    {
        if let Some(note) = note {
            output::talk(&format!("{}: {note}", source.word()));
        }
        candidates.extend(some);
    }
    candidates
}

/// Asks for the ports of a host, and asks again if the answer cannot be used. Returns the draft with these ports.
fn ask_for_ports(draft: &Draft, name: &str, candidate: &Candidate) -> Result<Draft, Error> {
    let proposed: Vec<_> = candidate.ports.iter().copied().map(published).collect();
    let question = if proposed.is_empty() {
        format!("Ports of servers on {name}, such as 80 or 8080:80 [{NONE}]: ")
    } else {
        format!(
            "Ports of servers on {name}, or {NONE} [{}]: ",
            proposed.join(" ")
        )
    };
    loop {
        let line = ask(&question)?;
        let entries: Vec<String> = match line.as_str() {
            "" => proposed.clone(),
            NONE => Vec::new(),
            line => line
                .split([' ', '\t', ','])
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        let mut with = draft.clone();
        let published = entries
            .iter()
            .try_for_each(|entry| with.publish(name, entry));
        match published {
            Ok(()) => return Ok(with),
            Err(problem) => output::talk(&escape(&problem)),
        }
    }
}

/// Asks a question, and returns the line that the person types.
fn ask(question: &str) -> Result<String, Error> {
    {
        let mut out = anstream::stderr().lock();
        let _ = out.write_all(question.as_bytes());
        let _ = out.flush();
    }
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(0) => {
            output::talk("");
            let message = "the questions were not answered, so nothing was written";
            Err(Error::new(Exit::Failure, message))
        }
        Ok(_) => Ok(line.trim().to_owned()),
        Err(error) => {
            let message = format!("the answer cannot be read: {}", describe(&error));
            Err(Error::new(Exit::Failure, message))
        }
    }
}

/// Fails if the manifest exists already.
fn may_be_made(file: &Path) -> Result<(), Error> {
    let sibling = file.with_extension("yml");
    let is_usual = file.file_name().is_some_and(|name| name == "norouter.yaml");
    let exists = |file: &Path| fs::symlink_metadata(file).is_ok();
    let there = if exists(file) {
        file
    } else if is_usual && exists(&sibling) {
        &sibling
    } else {
        return Ok(());
    };
    let shown = there.display();
    let message = format!("{shown} exists already");
    Err(Error::new(Exit::Usage, message).hint(format!(
        "\"{}\" runs it; to make another manifest, name it: norouter init other.yaml",
        command_for(there)
    )))
}

/// The command with which a person in this folder runs the manifest.
fn command_for(file: &Path) -> String {
    let found = search::of_this_folder();
    if found.is_some() && found == file.canonicalize().ok() {
        return "norouter".to_owned();
    }
    format!("norouter {}", file.display())
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    let mut new = fs::OpenOptions::new();
    new.write(true).create_new(true);
    let written = new
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let message = format!("cannot write {}: {}", file.display(), describe(&error));
        Error::new(Exit::Failure, message).hint("name a file in a folder that you may write to")
    })
}

fn tell_next_step(file: &Path, draft: &Draft) {
    let shown = escape(&file.display().to_string());
    let command = escape(&command_for(file));
    let reach = match draft.first_port() {
        Some((name, port)) => format!(
            "; {name}:{port} is then at {}:{port}",
            draft.address_of(name)
        ),
        None => String::new(),
    };
    output::talk(&format!(
        "{shown} was written\nnext: \"{command}\" runs the network, until Ctrl-C{reach}"
    ));
}
