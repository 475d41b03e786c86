//! Offers of hosts for a new manifest, as the library finds them. The page chooses offers by their ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use norouter::{
    driver::import::{contexts, free_network, free_proxy, look},
    import::{Candidate, Cluster, Draft, Namespace, Source},
};

use crate::{
    login_shell::environment_is_known,
    view::{ImportOffer, Imports},
};

/// How long each program may take to answer.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// The offers of all searches, by their ids. A person may choose pods of several clusters, one after the other.
#[derive(Default)]
pub(crate) struct Found(Mutex<BTreeMap<String, Candidate>>);

impl Found {
    /// Searches all sources in parallel. A program that does not answer contributes no offers. Pods are those of a
    /// context of kubectl; without one, those of the present context.
    pub(crate) async fn look(&self, context: Option<String>) -> Imports {
        environment_is_known().await;
        let cluster = Cluster {
            context: context.clone(),
            namespace: Namespace::Every,
        };
        let (found, (contexts, present)) =
            tokio::join!(look(&Source::ALL, &cluster, LOOK_MAX), contexts(LOOK_MAX));
        let pods = found.iter().find(|it| it.source == Source::Kubernetes);
        let note = pods.and_then(|it| it.note.clone());
        let offers: Vec<Candidate> = found.into_iter().flat_map(|it| it.candidates).collect();
        let shown = offers.iter().map(ImportOffer::from).collect();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(offers.into_iter().map(|offer| (offer.id(), offer)));
        Imports {
            offers: shown,
            contexts,
            context: context.or(present),
            note,
        }
    }

    /// Makes a manifest of this machine and the offers with these ids.
    pub(crate) async fn manifest(&self, ids: &[String]) -> Result<String, String> {
        let chosen = self.chosen(ids)?;
        let (network, _) = free_network().await;
        let mut draft = Draft::new(network, free_proxy());
        for offer in &chosen {
            draft.add(offer)?;
        }
        Ok(draft.text())
    }

    fn chosen(&self, ids: &[String]) -> Result<Vec<Candidate>, String> {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = BTreeSet::new();
        let ids = ids.iter().filter(|id| seen.insert(*id));
        let chosen = ids.map(|id| offers.get(id).filter(|offer| offer.unusable.is_none()));
        let chosen: Option<Vec<Candidate>> = chosen.map(Option::<&Candidate>::cloned).collect();
        drop(offers);
        let chosen = chosen.unwrap_or_default();
        if chosen.is_empty() {
            return Err("the list does not have what was chosen any more; look again".to_owned());
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manifest_has_the_offers_that_were_chosen_by_their_ids() {
        let offer = |source, name| Candidate::named(source, name).unwrap();
        let mut offers = vec![offer(Source::Docker, "app"), offer(Source::Podman, "app")];
        let mut stranger = offer(Source::Docker, "stranger");
        stranger.unusable = Some("no".to_owned());
        offers.push(stranger);
        let offers = offers.into_iter().map(|offer| (offer.id(), offer));
        let found = Found(Mutex::new(offers.collect()));
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let text = found.manifest(&ids(&["podman:app", "docker:app"])).await;
        let text = text.unwrap();
        let loaded = norouter::plan::load("n.yaml", &text);
        assert_eq!(loaded.report(false), "");
        let names: Vec<_> = loaded
            .plan
            .unwrap()
            .hosts
            .into_iter()
            .map(|host| host.name.to_string())
            .collect();
        assert_eq!(names, ["laptop", "app", "app-2"]);
        let (first, second) = (text.find("podman: app"), text.find("docker: app"));
        assert!(first.is_some() && first < second, "{text}");
        for ids in [ids(&["docker:stranger"]), ids(&["docker:gone"]), ids(&[])] {
            assert!(found.manifest(&ids).await.is_err(), "{ids:?}");
        }
    }
}
