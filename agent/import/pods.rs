//! Running pods, from the output of kubectl.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    candidate::{Candidate, Reached, Source, limited, plain},
    containers::with_ports,
};
use crate::text::quote;

/// The kinds of pods that a manifest names, and what kubectl calls them.
const KINDS: [(&str, &[&str]); 2] = [
    ("deployment", &["deployment", "deployments", "deploy"]),
    ("pod", &["pod", "pods", "po"]),
];

/// A part of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The context of the person's configuration; `None` for the present one.
    pub context: Option<String>,
    /// The namespaces.
    pub namespace: Namespace,
}

/// The namespaces of a cluster that are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Namespace {
    /// The namespace of the context.
    #[default]
    OfContext,
    /// The namespace with this name.
    Named(String),
    /// Every namespace, or only that of the context if kubectl cannot list the pods of all of them.
    Every,
}

impl Namespace {
    /// The name of the namespace; `None` if it has to be found out.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::OfContext | Self::Every => None,
        }
    }
}

/// The pods in the output of `kubectl get pods --output=json`. The line of each candidate names the cluster, so that it
/// still leads to that cluster after the person has switched kubectl to another one. The error says why the output
/// cannot be read.
pub fn pods_in(text: &str, context: Option<&str>) -> Result<Vec<Candidate>, String> {
    let answer: Value = serde_json::from_str(text)
        .map_err(|error| format!("the output of kubectl is not a list of pods: {error}"))?;
    let pods = answer["items"].as_array().into_iter().flatten();
    let mut seen = BTreeSet::new();
    let candidates = pods.filter_map(|pod| pod_candidate(pod, context));
    let candidates = candidates.filter(|candidate| seen.insert(candidate.id()));
    Ok(limited(candidates.collect(), Source::Kubernetes))
}

/// The candidate for a pod that a person has named: `KIND/NAME`, `NAMESPACE/KIND/NAME` or
/// `CONTEXT/NAMESPACE/KIND/NAME`. `inside` has the context and the namespace for a name without them.
pub fn pod_named(text: &str, inside: &Cluster) -> Result<Candidate, String> {
    let wrong = || {
        let shown = quote(text);
        format!(
            "{shown} is not a pod; write deployment/NAME or pod/NAME, and in front of it a namespace, or CONTEXT/NAMESPACE"
        )
    };
    let mut parts = text.rsplitn(4, '/');
    let (name, kind) = (parts.next(), parts.next());
    let (name, kind) = name.zip(kind).ok_or_else(wrong)?;
    let (namespace, context) = (parts.next(), parts.next());
    let known = KINDS.iter().find(|(_, words)| words.contains(&kind));
    let kind = known.map(|(kind, _)| *kind).ok_or_else(wrong)?;
    let good = [Some(name), namespace].into_iter().flatten();
    if !good.into_iter().all(|word| plain(word).is_some()) {
        return Err(wrong());
    }
    let place = Place {
        context: context.or(inside.context.as_deref()),
        namespace: namespace.or(inside.namespace.name()),
        kind,
        name,
        container: None,
    };
    Ok(place.candidate())
}

/// The place of a pod in a cluster.
struct Place<'a> {
    context: Option<&'a str>,
    namespace: Option<&'a str>,
    kind: &'static str,
    name: &'a str,
    container: Option<&'a str>,
}

impl Place<'_> {
    fn candidate(&self) -> Candidate {
        let Self {
            context,
            namespace,
            kind,
            name,
            ..
        } = *self;
        let fields = [
            ("context", context),
            ("namespace", namespace),
            (kind, Some(name)),
            ("container", self.container),
        ];
        let fields = fields.into_iter();
        let fields = fields.filter_map(|(key, text)| Some((key, text?.to_owned())));
        let value = Reached::Parts(fields.collect());
        let named = [context, namespace, Some(kind), Some(name)];
        let named: Vec<_> = named.into_iter().flatten().collect();
        Candidate::new(Source::Kubernetes, &named.join("/"), &value, "")
    }
}

fn pod_candidate(pod: &Value, context: Option<&str>) -> Option<Candidate> {
    let (kind, name) = lasting_name(pod)?;
    let container = main_container(pod);
    let several = pod["spec"]["containers"]
        .as_array()
        .is_some_and(|all| all.len() > 1);
    let named = container.and_then(|it| it["name"].as_str()).and_then(plain);
    let place = Place {
        context,
        namespace: Some(plain(pod["metadata"]["namespace"].as_str()?)?),
        kind,
        name: plain(&name)?,
        container: named.filter(|_| several),
    };
    let mut candidate = place.candidate();
    candidate.ports = container.map(ports).unwrap_or_default();
    let image = container.and_then(|it| it["image"].as_str());
    candidate.detail = with_ports(
        &super::candidate::safe(image.unwrap_or_default()),
        &candidate.ports,
    );
    Some(candidate)
}

/// The kind and name by which a pod can still be reached after the next rollout: those of its deployment, or its own. A
/// pod of a stateful set keeps its name.
fn lasting_name(pod: &Value) -> Option<(&'static str, String)> {
    let metadata = &pod["metadata"];
    let own = metadata["name"].as_str()?;
    let owner = &metadata["ownerReferences"][0];
    let hash = metadata["labels"]["pod-template-hash"]
        .as_str()
        .unwrap_or_default();
    let is_set = owner["kind"] == "ReplicaSet" && !hash.is_empty();
    let deployment = owner["name"].as_str().filter(|_| is_set);
    let deployment = deployment.and_then(|name| name.strip_suffix(hash)?.strip_suffix('-'));
    Some(match deployment {
        Some(name) => ("deployment", name.to_owned()),
        None => ("pod", own.to_owned()),
    })
}

/// The container that kubectl should enter.
fn main_container(pod: &Value) -> Option<&Value> {
    let containers = pod["spec"]["containers"].as_array()?;
    let default = &pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"];
    let chosen = containers.iter().find(|it| it["name"] == *default);
    chosen.or_else(|| containers.first())
}

/// The TCP ports that a container names.
fn ports(container: &Value) -> Vec<u16> {
    let all = container["ports"].as_array().into_iter().flatten();
    let tcp = all.filter(|port| port["protocol"].as_str().is_none_or(|kind| kind == "TCP"));
    let numbers = tcp.filter_map(|port| u16::try_from(port["containerPort"].as_u64()?).ok());
    numbers
        .filter(|port| *port > 0)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::FieldValue;

    #[test]
    fn a_pod_is_named_by_its_owner_its_cluster_and_its_container() {
        let api = |name: &str| {
            serde_json::json!({
                "metadata": {
                    "name": name, "namespace": "shop", "labels": {"pod-template-hash": "6f"},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "api-6f"}],
                },
                "spec": {"containers": [
                    {"name": "api", "image": "shop/api:3", "ports": [{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}]},
                    {"name": "proxy"},
                ]},
            })
        };
        let pods = serde_json::json!({"items": [
            api("api-6f-a"),
            api("api-6f-b"),
            {"metadata": {"name": "db-0", "namespace": "shop", "ownerReferences": [{"kind": "StatefulSet", "name": "db"}]}},
            {"metadata": {"name": "alone", "namespace": "shop"}, "spec": {"containers": [{"name": "x"}]}},
            {"metadata": {"name": "x", "namespace": "-n"}},
            {},
        ]});
        let candidates = pods_in(&pods.to_string(), Some("staging")).unwrap();
        for candidate in &candidates {
            let text = format!("hosts:\n  h:\n    {}\n", candidate.line);
            let content = crate::manifest::value::content(&text).unwrap();
            let host = content.root.get("hosts").and_then(|hosts| hosts.get("h"));
            let place = host.and_then(|host| host.get("kubernetes")).unwrap();
            for (field, value) in &candidate.fields {
                let written = place.get(&field["kubernetes.".len()..]);
                let written = written.and_then(crate::manifest::value::Value::text);
                let text = written.unwrap().to_owned();
                assert_eq!(*value, FieldValue::Text(text), "{field}");
            }
        }
        let lines: Vec<_> = candidates
            .iter()
            .map(|candidate| candidate.line.as_str())
            .collect();
        assert_eq!(
            lines,
            [
                "kubernetes: {context: staging, namespace: shop, deployment: api, container: api}",
                "kubernetes: {context: staging, namespace: shop, pod: db-0}",
                "kubernetes: {context: staging, namespace: shop, pod: alone}",
            ]
        );
        assert_eq!(candidates[0].id(), "kubernetes:staging/shop/deployment/api");
        assert_eq!(candidates[0].host, "api");
        assert_eq!(candidates[0].detail, "shop/api:3, port 8080");
        assert!(pods_in("No resources found", None).is_err());
    }

    #[test]
    fn a_person_names_a_pod_as_it_is_listed_or_in_short() {
        let line = |text: &str| {
            let inside = Cluster {
                context: Some("staging".to_owned()),
                namespace: Namespace::OfContext,
            };
            pod_named(text, &inside).map(|candidate| candidate.line)
        };
        for (text, fields) in [
            ("deploy/api", "context: staging, deployment: api"),
            (
                "shop/pod/db-0",
                "context: staging, namespace: shop, pod: db-0",
            ),
            (
                "arn:aws:eks:eu:1:cluster/x/shop/deployment/api",
                "context: \"arn:aws:eks:eu:1:cluster/x\", namespace: shop, deployment: api",
            ),
        ] {
            assert_eq!(
                line(text),
                Ok(format!("kubernetes: {{{fields}}}")),
                "{text}"
            );
        }
        for text in ["api", "service/api", "pod/", "-n/pod/x", "pod/a b"] {
            let problem = line(text).unwrap_err();
            assert!(
                problem.contains("is not a pod; write deployment/NAME"),
                "{problem}"
            );
        }
    }
}
