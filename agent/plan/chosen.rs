//! The commands for a host that can be in any of several pods or containers, which come and go. One of these is chosen
//! at each start. The commands that list them are part of the plan, so that a person agrees to these commands as well.

use super::{
    instances::{Chosen, Kind, SELECTOR},
    words::{Flaw, check_name, flaw},
};
use crate::{
    manifest::{Pod, Service, Spanned},
    text::quote,
};

/// The option that prints the labels by which a deployment selects its pods. If the deployment also selects them by
/// other conditions, a word that is not a label follows the labels.
const DEPLOYMENT: &str = "--output=go-template={{range $key, $value := .spec.selector.matchLabels}}{{$key}}={{$value}},\
                          {{end}}{{if .spec.selector.matchExpressions}}matchExpressions{{end}}";

/// The option that prints a line for each pod, and another one whenever the pod changes.
const PODS: &str = "--output=jsonpath={.type}|{.object.metadata.uid}|{.object.metadata.name}|\
                    {.object.status.conditions[?(@.type==\"Ready\")].status}|\
                    {.object.metadata.creationTimestamp}|{.object.metadata.deletionTimestamp}{\"\\n\"}";

/// The format that prints a line for each container.
const CONTAINERS: &str = "{{.ID}}|{{.CreatedAt}}|{{.Status}}";

/// The commands for the pods of a deployment, or for the pods with some labels. If the manifest names a pod, there is
/// no choice.
pub(super) fn pods(pod: &Pod) -> Result<Chosen, Flaw> {
    let kubectl = context(pod)?;
    let with = |words: &[&str]| -> Vec<String> {
        let words = words.iter().map(|&word| word.to_owned());
        kubectl.iter().cloned().chain(words).collect()
    };
    let (of, selector, labels) = match (&pod.deployment, &pod.selector) {
        (Some(deployment), _) => {
            let name = format!("deployment/{}", deployment.value);
            check_name("kubernetes", &name)?;
            let selector = with(&["get", &name, DEPLOYMENT]);
            (name, Some(selector), SELECTOR.to_owned())
        }
        (None, selector) => {
            let labels = selector.as_ref().map_or("", |labels| &labels.value);
            check_labels(labels)?;
            (
                format!("selector {labels}"),
                None,
                format!("--selector={labels}"),
            )
        }
    };
    let list = with(&[
        "get",
        "pods",
        &labels,
        "--watch",
        "--output-watch-events",
        PODS,
    ]);
    let mut way = with(&["exec", "-i", Kind::Pod.place()]);
    if let Some(container) = &pod.container {
        check_name("kubernetes", &container.value)?;
        way.push(format!("--container={}", container.value));
    }
    way.push("--".to_owned());
    Ok(Chosen::new(of, selector, list, Kind::Pod, way))
}

/// `kubectl`, and the words that say which cluster and namespace it is to use.
pub(super) fn context(pod: &Pod) -> Result<Vec<String>, Flaw> {
    let mut words = vec!["kubectl".to_owned()];
    for (option, value) in [("--context", &pod.context), ("--namespace", &pod.namespace)] {
        if let Some(value) = value {
            check_name("kubernetes", &value.value)?;
            words.push(format!("{option}={}", value.value));
        }
    }
    Ok(words)
}

/// Refuses a text that cannot be a selector of labels. Kubernetes itself explains finer mistakes.
fn check_labels(labels: &str) -> Result<(), Flaw> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_./=!,() ".contains(c);
    if labels.trim().is_empty() || !labels.chars().all(is_part) {
        return Err(flaw(
            format!("{} is not a selector of labels", quote(labels)),
            "for example: kubernetes: {selector: \"app=api,tier=web\"}",
        ));
    }
    Ok(())
}

/// The commands for the containers of a Compose service.
pub(super) fn containers(engine: &str, service: &Service) -> Result<Chosen, Flaw> {
    let part = |key: &str, part: &Option<Spanned<String>>| {
        let Some(name) = part else {
            return Err(flaw(
                format!("{engine} has a service without {key}"),
                format!(
                    "for example: {engine}: {{service: web, project: shop}}; \"{engine} compose ls\" lists the projects"
                ),
            ));
        };
        check_name(engine, &name.value)?;
        Ok(name.value.clone())
    };
    let (service, project) = (
        part("service", &service.service)?,
        part("project", &service.project)?,
    );
    let mut list: Vec<String> = [engine, "ps", "--no-trunc"].map(str::to_owned).into();
    let mut filter = |label: &str, value: &str| {
        let label = format!("label=com.docker.compose.{label}={value}");
        list.extend(["--filter".to_owned(), label]);
    };
    filter("project", &project);
    filter("service", &service);
    if engine == "docker" {
        // Containers of "docker compose run" have the other labels as well, so this label excludes them. Containers of
        // Compose for podman do not have this label.
        filter("oneoff", "False");
    }
    list.extend(["--format".to_owned(), CONTAINERS.to_owned()]);
    let way = [engine, "exec", "-i", Kind::Container.place()].map(str::to_owned);
    let of = format!("service {service} of the project {project}");
    Ok(Chosen::new(of, None, list, Kind::Container, way.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_a_deployment_become_its_selector_and_nothing_else_does() {
        let name = |value: &str| {
            Some(Spanned {
                value: value.to_owned(),
                span: crate::manifest::Span::default(),
            })
        };
        let pod = Pod {
            deployment: name("api"),
            ..Pod::default()
        };
        let chosen = pods(&pod).unwrap();
        let list = chosen
            .list("app=api,app.kubernetes.io/part-of=shop,\n")
            .unwrap();
        assert_eq!(list[3], "--selector=app=api,app.kubernetes.io/part-of=shop");
        for printed in [
            "",
            "app=api,matchExpressions",
            "app=api --all-namespaces",
            "=x",
            "app=\u{e9}",
        ] {
            let error = chosen.list(printed).unwrap_err();
            assert!(error.contains("deployment/api"), "{printed}: {error}");
        }
    }
}
