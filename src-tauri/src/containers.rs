//! Offers of running containers and pods, from the output of docker, podman and kubectl.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    offers::{limited, offer, plain, unusable},
    programs::run,
    view::{ImportKind, ImportOffer},
};

/// The running containers of docker or podman. A program that is not there or does not answer contributes no offers.
pub(crate) async fn running(program: &'static str) -> Vec<ImportOffer> {
    // docker before version 23 takes "json" for a template, and prints that word for each container.
    match run(program, &["ps", "--format", "{{json .}}"]).await {
        Ok(output) => containers_in(program, &output.out),
        Err(_) => Vec::new(),
    }
}

/// The containers in the output of a program, which has one object in each line.
fn containers_in(program: &str, text: &str) -> Vec<ImportOffer> {
    let mut offers = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Ok(container) = serde_json::from_str::<Value>(line) else {
            let reason =
                format!("{program} said something that is not a list of containers: {line}");
            offers.push(unusable(ImportKind::Container, program, program, &reason));
            break;
        };
        let names = &container["Names"];
        let name = names.as_str().or_else(|| names[0].as_str());
        let name = name.and_then(|name| name.split(',').next()).and_then(plain);
        let Some(name) = name else { continue };
        let words = [program, "exec", "-i", name, "norouter"];
        let image = container["Image"].as_str().unwrap_or_default();
        let detail = format!("{program}, {image}");
        offers.push(offer(ImportKind::Container, program, name, &words, &detail));
    }
    limited(offers, ImportKind::Container, program)
}

/// The running pods of the cluster that kubectl uses at the moment. Their commands name this cluster, so that they go on
/// to lead there when another one is chosen.
pub(crate) async fn pods() -> Vec<ImportOffer> {
    let context = run("kubectl", &["config", "current-context"]).await;
    let context = context.map(|output| output.out.trim().to_owned()).ok();
    let context = context.filter(|context| !context.is_empty());
    let there = context
        .as_ref()
        .map(|context| format!("--context={context}"));
    let running = "--field-selector=status.phase=Running";
    let get = [
        "get",
        "pods",
        running,
        "--request-timeout=4s",
        "--output=json",
    ];
    let words: Vec<&str> = there.as_deref().into_iter().chain(get).collect();
    match run("kubectl", &words).await {
        Ok(output) => pods_in(&output.out, context.as_deref()),
        Err(_) => Vec::new(),
    }
}

fn pods_in(text: &str, context: Option<&str>) -> Vec<ImportOffer> {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let pods = answer["items"].as_array().into_iter().flatten();
    let mut seen = BTreeSet::new();
    let offers = pods.filter_map(|pod| pod_offer(pod, context));
    let offers: Vec<_> = offers
        .filter(|offer| seen.insert(offer.id.clone()))
        .collect();
    limited(offers, ImportKind::Pod, "pod")
}

fn pod_offer(pod: &Value, context: Option<&str>) -> Option<ImportOffer> {
    let name = lasting_name(pod)?;
    let name = plain(&name)?;
    let namespace = plain(pod["metadata"]["namespace"].as_str()?)?;
    // A context is a text of the person's own file; as a part of one word it cannot be an option.
    let context_word = context.map(|context| format!("--context={context}"));
    let namespace_word = format!("--namespace={namespace}");
    let mut words = vec!["kubectl"];
    words.extend(context_word.as_deref());
    words.extend([namespace_word.as_str(), "exec", "-i", name]);
    let container = main_container(pod);
    if let Some(container) = container.and_then(plain) {
        words.extend(["-c", container]);
    }
    words.extend(["--", "norouter"]);
    let detail = match context {
        Some(context) => format!("{context}, namespace {namespace}"),
        None => format!("namespace {namespace}"),
    };
    let mut offer = offer(ImportKind::Pod, "pod", name, &words, &detail);
    offer.id = format!("pod:{namespace}/{name}");
    Some(offer)
}

/// The name under which a pod is reached after the next rollout as well: that of its deployment or stateful set, or its
/// own if it has none.
fn lasting_name(pod: &Value) -> Option<String> {
    let metadata = &pod["metadata"];
    let own = metadata["name"].as_str()?;
    let owner = &metadata["ownerReferences"][0];
    let owner_name = owner["name"].as_str().unwrap_or_default();
    Some(match owner["kind"].as_str() {
        Some("StatefulSet") => format!("statefulset/{owner_name}"),
        Some("ReplicaSet") => {
            let hash = metadata["labels"]["pod-template-hash"]
                .as_str()
                .unwrap_or_default();
            let deployment = owner_name
                .strip_suffix(hash)
                .and_then(|name| name.strip_suffix('-'));
            deployment
                .filter(|_| !hash.is_empty())
                .map_or_else(|| own.to_owned(), |name| format!("deploy/{name}"))
        }
        _ => own.to_owned(),
    })
}

/// The container that kubectl should enter; `None` if the pod has only one.
fn main_container(pod: &Value) -> Option<&str> {
    let containers = pod["spec"]["containers"].as_array()?;
    if containers.len() < 2 {
        return None;
    }
    let default = &pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"];
    default.as_str().or_else(|| containers[0]["name"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str =
        "{\"Names\":\"db\",\"Image\":\"postgres:16\"}\n{\"Names\":\"-v\",\"Image\":\"x\"}\n";
    const PODMAN: &str =
        "{\"Names\":[\"web\"],\"Image\":\"ngin\\u001bx\"}\n{\"Names\":[]}\n{\"Names\":[\"a b\"]}\n";

    fn names(offers: &[ImportOffer]) -> String {
        let ids = offers.iter().map(|offer| offer.id.clone());
        ids.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_found_is_offered_and_what_would_be_an_option_is_not() {
        assert_eq!(names(&containers_in("docker", DOCKER)), "docker:db");
        let podman = containers_in("podman", PODMAN);
        assert_eq!(names(&podman), "podman:web");
        assert_eq!(podman[0].detail, "podman, ngin\\u{1b}x");
        assert_eq!(pods_in("[]", None), []);
    }

    #[test]
    fn an_answer_that_is_not_understood_is_shown() {
        let offers = containers_in("docker", "json\njson\n");
        assert_eq!(offers.len(), 1);
        assert!(offers[0].unusable.as_ref().unwrap().ends_with(": json"));
    }

    #[test]
    fn a_pod_is_named_by_its_owner_its_cluster_and_its_container() {
        let pods = serde_json::json!({"items": [
            {
                "metadata": {
                    "name": "api-6f-a", "namespace": "shop", "labels": {"pod-template-hash": "6f"},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "api-6f"}],
                },
                "spec": {"containers": [{"name": "api"}, {"name": "proxy"}]},
            },
            {
                "metadata": {
                    "name": "api-6f-b", "namespace": "shop", "labels": {"pod-template-hash": "6f"},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "api-6f"}],
                },
                "spec": {"containers": [{"name": "api"}, {"name": "proxy"}]},
            },
            {"metadata": {"name": "db-0", "namespace": "shop", "ownerReferences": [{"kind": "StatefulSet", "name": "db"}]}},
            {"metadata": {"name": "alone", "namespace": "shop"}, "spec": {"containers": [{"name": "x"}]}},
            {"metadata": {"name": "x", "namespace": "-n"}},
            {},
        ]});
        let offers = pods_in(&pods.to_string(), Some("staging"));
        let commands: Vec<_> = offers.iter().map(|offer| offer.command.join(" ")).collect();
        assert_eq!(
            commands,
            [
                "kubectl --context=staging --namespace=shop exec -i deploy/api -c api -- norouter",
                "kubectl --context=staging --namespace=shop exec -i statefulset/db -- norouter",
                "kubectl --context=staging --namespace=shop exec -i alone -- norouter",
            ]
        );
        assert_eq!(offers[0].detail, "staging, namespace shop");
    }
}
