//! Asks the programs of this machine which hosts they know.

use std::{collections::BTreeMap, env, path::PathBuf, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::ssh_config;
use crate::{
    driver::system::programs::{find, run, safe},
    import::{
        Answer, CANDIDATES_MAX, Candidate, Cluster, Namespace, Source, SshHost, containers_in,
        destination, distributions_in, instances_in, pod_named, pods_in, settings, ssh_candidates,
    },
};

/// How many `ssh -G` processes run at the same time. If ssh does not answer about a host in time, the host is offered
/// with the values from the files.
const QUESTIONS_MAX: usize = 4;

/// The result of searching one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The source.
    pub source: Source,
    /// The candidates, also those that cannot be chosen.
    pub candidates: Vec<Candidate>,
    /// Why the list may be incomplete: a program has not answered, or has failed.
    pub note: Option<String>,
}

/// Searches these sources at the same time, each for at most `limit`. Sources whose program is not installed are left
/// out.
pub async fn look(sources: &[Source], cluster: &Cluster, limit: Duration) -> Vec<Found> {
    let mut looking = JoinSet::new();
    for &source in sources.iter().filter(|source| is_there(**source)) {
        let cluster = cluster.clone();
        looking.spawn(async move {
            let found = candidates(source, cluster, limit).await;
            let (candidates, note) = found.unwrap_or_else(|reason| (Vec::new(), Some(reason)));
            let note = note.as_deref().map(safe);
            Found {
                source,
                candidates,
                note,
            }
        });
    }
    let mut found = looking.join_all().await;
    found.sort_by_key(|it| it.source);
    found
}

/// The candidate for a name that a person has given: `web1` for ssh, `app` for docker, `shop/deployment/api` for
/// Kubernetes.
pub async fn named(
    source: Source,
    name: &str,
    cluster: &Cluster,
    limit: Duration,
) -> Result<Candidate, String> {
    match source {
        Source::Ssh => {
            // The answer shows which ssh settings the candidate's line has to undo. If ssh cannot be asked, the line
            // has only the name.
            let answer = if is_there(source) {
                ask_about(name, limit).await
            } else {
                Ok(BTreeMap::new())
            };
            destination(name, &answer)
        }
        Source::Kubernetes => {
            let cluster = at_present(cluster.clone(), limit).await;
            pod_named(name, &cluster)
        }
        Source::Docker | Source::Podman | Source::Lxc | Source::Incus | Source::Wsl => {
            Candidate::named(source, name)
        }
    }
}

/// Whether the program of a source is installed.
pub fn is_there(source: Source) -> bool {
    find(program(source)).is_some()
}

const fn program(source: Source) -> &'static str {
    match source {
        Source::Kubernetes => "kubectl",
        // Windows adds the extension by itself. Inside a distribution, the program is found only with it.
        Source::Wsl if cfg!(windows) => "wsl",
        Source::Wsl => "wsl.exe",
        Source::Ssh | Source::Docker | Source::Podman | Source::Lxc | Source::Incus => {
            source.word()
        }
    }
}

/// The candidates of a source, and why they may not be all.
type Listed = (Vec<Candidate>, Option<String>);

async fn candidates(source: Source, cluster: Cluster, limit: Duration) -> Result<Listed, String> {
    let say = async |words: &[&str]| {
        let output = run(limit, program(source), words).await;
        output.map(|output| output.out)
    };
    let all = match source {
        Source::Kubernetes => return pods(cluster, limit).await,
        Source::Ssh => Ok(ssh(limit).await),
        // docker before version 23 takes "json" for a template, and prints that word for each container.
        Source::Docker | Source::Podman => say(&["ps", "--format", "{{json .}}"])
            .await
            .map(|text| containers_in(source, &text)),
        Source::Lxc | Source::Incus => {
            let text = say(&["list", "--format=json"]).await?;
            instances_in(source, &text)
        }
        Source::Wsl => say(&["--list", "--quiet"])
            .await
            .map(|text| distributions_in(&text)),
    };
    all.map(|all| (all, None))
}

/// The contexts of the person's kubectl, and the present one. Only files are read, and no cluster is asked.
pub async fn contexts(limit: Duration) -> (Vec<String>, Option<String>) {
    let list = ["config", "get-contexts", "--output=name"];
    let (list, present) = tokio::join!(
        run(limit, "kubectl", &list),
        at_present(Cluster::default(), limit)
    );
    let all = list.map(|output| output.out).unwrap_or_default();
    let names = all.lines().filter(|name| !name.is_empty());
    // A name that cannot be shown as it is cannot be chosen.
    let names = names.filter(|name| safe(name) == **name);
    (names.map(str::to_owned).collect(), present.context)
}

/// The same part of a cluster, with the context that kubectl would use if it names none.
async fn at_present(cluster: Cluster, limit: Duration) -> Cluster {
    if cluster.context.is_some() {
        return cluster;
    }
    let context = run(limit, "kubectl", &["config", "current-context"]).await;
    let context = context.map(|output| output.out.trim().to_owned()).ok();
    Cluster {
        context: context.filter(|context| !context.is_empty()),
        ..cluster
    }
}

/// The running pods of a cluster. Without a context, kubectl is asked only inside a cluster.
async fn pods(cluster: Cluster, limit: Duration) -> Result<Listed, String> {
    let cluster = at_present(cluster, limit).await;
    if cluster.context.is_none() && env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return Ok((Vec::new(), None));
    }
    let begin = Instant::now();
    let context = cluster.context.as_deref();
    match &cluster.namespace {
        Namespace::OfContext => Ok((pods_of(context, None, limit).await?, None)),
        Namespace::Named(name) => {
            let namespace = format!("--namespace={name}");
            Ok((pods_of(context, Some(&namespace), limit).await?, None))
        }
        Namespace::Every => {
            let reason = match pods_of(context, Some("--all-namespaces"), limit / 2).await {
                Ok(pods) => return Ok((pods, None)),
                Err(reason) => reason,
            };
            // The person may not be allowed to list the pods of all namespaces, or they may be too many.
            let spent = begin.elapsed();
            if spent < limit / 2 && !reason.contains("Forbidden") {
                return Err(reason);
            }
            match pods_of(context, None, limit.saturating_sub(spent)).await {
                Ok(pods) => Ok((
                    pods,
                    Some(format!(
                        "only the pods of the context's namespace: {reason}"
                    )),
                )),
                Err(_) => Err(reason),
            }
        }
    }
}

async fn pods_of(
    context: Option<&str>,
    namespace: Option<&str>,
    limit: Duration,
) -> Result<Vec<Candidate>, String> {
    let option = context.map(|context| format!("--context={context}"));
    let get = [
        "get",
        "pods",
        "--field-selector=status.phase=Running",
        "--output=json",
    ];
    let words = option.iter().map(String::as_str).chain(namespace);
    let words: Vec<&str> = words.chain(get).collect();
    let output = run(limit, "kubectl", &words).await?;
    pods_in(&output.out, context)
}

/// The hosts of the person's configuration. ssh is not asked if it would run commands from the files to answer.
async fn ssh(limit: Duration) -> Vec<Candidate> {
    let config = tokio::task::spawn_blocking(|| home().map(|home| ssh_config::read(&home)));
    let config = config.await.ok().flatten().unwrap_or_default();
    let answers = if config.runs_commands {
        BTreeMap::new()
    } else {
        ask(&config.hosts, limit).await
    };
    ssh_candidates(&config, &answers)
}

/// The home folder of the person.
pub fn home() -> Option<PathBuf> {
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?;
    Some(PathBuf::from(home)).filter(|home| home.is_absolute())
}

/// Asks ssh about the hosts, until the time limit.
async fn ask(hosts: &[SshHost], limit: Duration) -> BTreeMap<String, Answer> {
    let deadline = Instant::now() + limit;
    let mut hosts = hosts
        .iter()
        .take(CANDIDATES_MAX)
        .map(|host| host.name.clone());
    let (mut asked, mut answers) = (JoinSet::new(), BTreeMap::new());
    loop {
        while asked.len() < QUESTIONS_MAX
            && let Some(name) = hosts.next()
        {
            asked.spawn(async move {
                // This call may take twice the time limit, so the deadline below ends it first. Otherwise, a host
                // without an answer in time would count as refused by ssh.
                let answer = ask_about(&name, limit * 2).await;
                (name, answer)
            });
        }
        match timeout_at(deadline, asked.join_next()).await {
            Ok(Some(Ok((name, answer)))) => {
                answers.insert(name, answer);
            }
            Ok(Some(Err(_))) => {}
            Ok(None) | Err(_) => return answers,
        }
    }
}

async fn ask_about(name: &str, limit: Duration) -> Answer {
    let answer = run(limit, "ssh", &["-G", "--", name]).await;
    answer.map(|output| settings(&output.out))
}
