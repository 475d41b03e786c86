//! Offers of hosts for a new manifest: names that ssh knows, running containers, running pods. All of their texts come
//! from outside. The page chooses offers by their ids; their commands never leave this program.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use norouter::addr::HostName;
use serde_json::Value;

use crate::{
    programs::{run, safe},
    ssh_config,
    view::{ImportKind, ImportOffer},
};

/// Limit on the number of offers of one kind.
const OFFERS_MAX: usize = 200;

/// Limit on the length of an offered name, in bytes.
const NAME_MAX: usize = 253;

/// The offers of the last search.
#[derive(Default)]
pub(crate) struct Found(Mutex<Vec<ImportOffer>>);

impl Found {
    /// Searches all sources in parallel. A program that does not answer contributes no offers.
    pub(crate) async fn look(&self) -> Vec<ImportOffer> {
        let ssh = tokio::task::spawn_blocking(|| home().map(|home| ssh(&ssh_config::hosts(&home))));
        let (ssh, docker, podman, pods) =
            tokio::join!(ssh, containers("docker"), containers("podman"), pods());
        let ssh = ssh.ok().flatten().unwrap_or_default();
        let offers = [ssh, docker, podman, pods].concat();
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone_from(&offers);
        drop(found);
        offers
    }

    /// A manifest of this machine and the offers with these ids.
    pub(crate) fn manifest(&self, ids: &[String]) -> Result<String, String> {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = offers.iter().filter(|offer| ids.contains(&offer.id));
        let chosen: Vec<&ImportOffer> = chosen.collect();
        if chosen.is_empty() || chosen.len() < ids.iter().collect::<BTreeSet<_>>().len() {
            return Err("what was chosen is not there any more; look again".to_owned());
        }
        Ok(manifest(&chosen))
    }
}

fn manifest(chosen: &[&ImportOffer]) -> String {
    let mut text = "# This machine, and the hosts that were chosen. Each needs the norouter program in its PATH.\n\
                    # Publish a port of a host by adding, for example:  ports: [\"8080:127.0.0.1:80\"]\n\
                    hosts:\n  laptop: {}\n"
        .to_owned();
    let mut names = BTreeSet::from(["laptop".to_owned()]);
    for offer in chosen {
        let name = host_name(&offer.name, &mut names);
        // A JSON string is also a YAML string with the same value.
        let words = offer
            .command
            .iter()
            .map(|word| Value::String(word.clone()).to_string());
        let words: Vec<String> = words.collect();
        let _ = write!(text, "  {name}:\n    cmd: [{}]\n", words.join(", "));
    }
    text
}

/// Makes a valid host name that is not taken yet.
fn host_name(from: &str, taken: &mut BTreeSet<String>) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let plain: String = from
        .to_ascii_lowercase()
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let plain = plain
        .trim_matches('-')
        .get(..plain.trim_matches('-').len().min(40));
    let plain = plain.unwrap_or_default().trim_matches('-').to_owned();
    let good = plain.parse::<HostName>().is_ok() && plain != "localhost";
    let plain = if good { plain } else { "host".to_owned() };
    let mut name = plain.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{plain}-{number}");
        number += 1;
    }
    name
}

fn home() -> Option<PathBuf> {
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?;
    Some(PathBuf::from(home)).filter(|home| home.is_absolute())
}

fn ssh(hosts: &[ssh_config::SshHost]) -> Vec<ImportOffer> {
    let hosts = hosts.iter().take(OFFERS_MAX);
    hosts
        .filter_map(|host| {
            let words = ["ssh", &host.name, "--", "norouter"];
            let detail = host.address.as_deref().unwrap_or(&host.name);
            offer(ImportKind::Ssh, "ssh", &host.name, &words, detail)
        })
        .collect()
}

async fn containers(program: &'static str) -> Vec<ImportOffer> {
    match run(program, &["ps", "--format", "json"]).await {
        Ok(output) => containers_in(program, &output.out),
        Err(_) => Vec::new(),
    }
}

/// The containers in the output of a program: podman writes a list, docker one object per line.
fn containers_in(program: &str, text: &str) -> Vec<ImportOffer> {
    let containers = match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list,
        _ => text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
    };
    let containers = containers.iter().take(OFFERS_MAX);
    containers
        .filter_map(|container: &Value| {
            let names = &container["Names"];
            let name = names.as_str().or_else(|| names[0].as_str())?;
            let name = name.split(',').next()?;
            let words = [program, "exec", "-i", name, "norouter"];
            let image = container["Image"].as_str().unwrap_or_default();
            offer(
                ImportKind::Container,
                program,
                name,
                &words,
                &format!("{program}, {image}"),
            )
        })
        .collect()
}

async fn pods() -> Vec<ImportOffer> {
    let running = "--field-selector=status.phase=Running";
    let words = [
        "get",
        "pods",
        running,
        "--request-timeout=4s",
        "--output=json",
    ];
    match run("kubectl", &words).await {
        Ok(output) => pods_in(&output.out),
        Err(_) => Vec::new(),
    }
}

fn pods_in(text: &str) -> Vec<ImportOffer> {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let pods = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .take(OFFERS_MAX);
    pods.filter_map(|pod| {
        let name = pod["metadata"]["name"].as_str()?;
        let namespace = pod["metadata"]["namespace"].as_str()?;
        let there = format!("--namespace={}", plain(namespace)?);
        let words = ["kubectl", &there, "exec", "-i", name, "--", "norouter"];
        offer(
            ImportKind::Pod,
            "pod",
            name,
            &words,
            &format!("namespace {namespace}"),
        )
    })
    .collect()
}

/// The name, if no program can mistake it for an option or anything else; otherwise `None`.
fn plain(name: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@:".contains(c);
    let good = !name.is_empty() && name.len() <= NAME_MAX && !name.starts_with('-');
    (good && name.chars().all(fits)).then_some(name)
}

fn offer(
    kind: ImportKind,
    source: &str,
    name: &str,
    words: &[&str],
    detail: &str,
) -> Option<ImportOffer> {
    let name = plain(name)?;
    Some(ImportOffer {
        id: format!("{source}:{name}"),
        kind,
        name: name.to_owned(),
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        detail: safe(detail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = "{\"Names\":\"db\",\"Image\":\"postgres:16\"}\n{\"Names\":\"-v\",\"Image\":\"x\"}\nrubbish\n";
    const PODMAN: &str =
        r#"[{"Names":["web"],"Image":"ngin\u001bx"},{"Names":[]},{"Names":["a b"]}]"#;
    const PODS: &str = r#"{"items":[{"metadata":{"name":"api-1","namespace":"shop"}},{"metadata":{"name":"x","namespace":"-n"}},{}]}"#;

    #[test]
    fn what_is_found_is_offered_and_what_would_be_an_option_is_not() {
        let docker = containers_in("docker", DOCKER);
        let podman = containers_in("podman", PODMAN);
        let pods = pods_in(PODS);
        let names = |offers: &[ImportOffer]| {
            let ids = offers.iter().map(|offer| offer.id.clone());
            ids.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&docker), "docker:db");
        assert_eq!(names(&podman), "podman:web");
        assert_eq!(podman[0].detail, "podman, ngin\\u{1b}x");
        assert_eq!(names(&pods), "pod:api-1");
        assert!(pods[0].command.contains(&"--namespace=shop".to_owned()));
        assert_eq!(containers_in("docker", "Cannot connect"), []);
        assert_eq!(pods_in("[]"), []);
    }

    #[test]
    fn a_manifest_of_offers_can_be_run_and_names_do_not_collide() {
        let hosts =
            ["laptop", "web_1", "web.1", "0", "localhost"].map(|name| ssh_config::SshHost {
                name: name.to_owned(),
                address: None,
            });
        let found = Found(Mutex::new(ssh(&hosts)));
        let ids: Vec<String> = hosts
            .iter()
            .map(|host| format!("ssh:{}", host.name))
            .collect();
        let text = found.manifest(&ids).unwrap();
        let loaded = norouter::plan::load("n.yaml", &text);
        let plan = loaded
            .plan
            .as_ref()
            .unwrap_or_else(|| panic!("{}", loaded.report(false)));
        assert_eq!(plan.hosts.len(), 6);
        assert_eq!(plan.hosts[2].name.as_str(), "web-1");
        assert!(found.manifest(&["ssh:stranger".to_owned()]).is_err());
        assert!(found.manifest(&[]).is_err());
    }
}
