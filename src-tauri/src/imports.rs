//! Offers of hosts for a new manifest, as the library finds them. The page chooses offers by their ids.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use norouter::{
    driver::import::{free_network, free_proxy, look},
    import::{Candidate, Cluster, Draft, Source},
};

use crate::{login_shell::environment_is_known, view::ImportOffer};

/// How long each program may take to answer.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// The offers of the last search.
#[derive(Default)]
pub(crate) struct Found(Mutex<Vec<Candidate>>);

impl Found {
    /// Searches all sources in parallel. A program that does not answer contributes no offers.
    pub(crate) async fn look(&self) -> Vec<ImportOffer> {
        environment_is_known().await;
        let found = look(&Source::ALL, &Cluster::default(), LOOK_MAX).await;
        let offers: Vec<Candidate> = found.into_iter().flat_map(|it| it.candidates).collect();
        let shown = offers.iter().map(ImportOffer::from).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = offers;
        shown
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
        let chosen = offers
            .iter()
            .filter(|offer| offer.unusable.is_none() && ids.contains(&offer.id()));
        let chosen: Vec<Candidate> = chosen.cloned().collect();
        drop(offers);
        if chosen.is_empty() || chosen.len() < ids.iter().collect::<BTreeSet<_>>().len() {
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
        let found = Found(Mutex::new(offers));
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let text = found.manifest(&ids(&["docker:app", "podman:app"])).await;
        let loaded = norouter::plan::load("n.yaml", &text.unwrap());
        assert_eq!(loaded.report(false), "");
        let names: Vec<_> = loaded
            .plan
            .unwrap()
            .hosts
            .into_iter()
            .map(|host| host.name.to_string())
            .collect();
        assert_eq!(names, ["laptop", "app", "app-2"]);
        for ids in [ids(&["docker:stranger"]), ids(&["docker:gone"]), ids(&[])] {
            assert!(found.manifest(&ids).await.is_err(), "{ids:?}");
        }
    }
}
