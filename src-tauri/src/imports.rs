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

use crate::{containers, ssh_config, ssh_hosts, view::ImportOffer};

/// The offers of the last search.
#[derive(Default)]
pub(crate) struct Found(Mutex<Vec<ImportOffer>>);

impl Found {
    /// Searches all sources in parallel. A program that does not answer contributes no offers.
    pub(crate) async fn look(&self) -> Vec<ImportOffer> {
        let (ssh, docker, podman, pods) = tokio::join!(
            ssh(),
            containers::running("docker"),
            containers::running("podman"),
            containers::pods()
        );
        let offers = [ssh, docker, podman, pods].concat();
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone_from(&offers);
        drop(found);
        offers
    }

    /// A manifest of this machine and the offers with these ids.
    pub(crate) fn manifest(&self, ids: &[String]) -> Result<String, String> {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = offers.iter().filter(|offer| offer.unusable.is_none());
        let chosen = usable.filter(|offer| ids.contains(&offer.id));
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

pub(crate) fn home() -> Option<PathBuf> {
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?;
    Some(PathBuf::from(home)).filter(|home| home.is_absolute())
}

async fn ssh() -> Vec<ImportOffer> {
    let config = tokio::task::spawn_blocking(|| home().map(|home| ssh_config::read(&home)));
    let config = config.await.ok().flatten().unwrap_or_default();
    ssh_hosts::offers(&config).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh_config::SshHost;

    #[test]
    fn a_manifest_of_offers_can_be_run_and_names_do_not_collide() {
        let hosts = ["laptop", "web_1", "web.1", "0", "localhost"].map(|name| SshHost {
            name: name.to_owned(),
            address: None,
        });
        let mut offers: Vec<_> = hosts
            .iter()
            .filter_map(|host| ssh_hosts::offer_of(host, None))
            .collect();
        let mut stranger = offers[0].clone();
        (stranger.id, stranger.unusable) = ("ssh:stranger".to_owned(), Some("no".to_owned()));
        offers.push(stranger);
        let ids: Vec<String> = hosts
            .iter()
            .map(|host| format!("ssh:{}", host.name))
            .collect();
        let found = Found(Mutex::new(offers));
        let text = found.manifest(&ids).unwrap();
        let loaded = norouter::plan::load("n.yaml", &text);
        let plan = loaded.plan.as_ref();
        let plan = plan.unwrap_or_else(|| panic!("{}", loaded.report(false)));
        assert_eq!(loaded.report(false), "");
        assert_eq!(plan.hosts.len(), 6);
        assert_eq!(plan.hosts[2].name.as_str(), "web-1");
        assert!(found.manifest(&["ssh:stranger".to_owned()]).is_err());
        assert!(found.manifest(&[]).is_err());
    }
}
