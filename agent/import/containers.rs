//! Running containers, from the output of docker and podman.

use std::collections::BTreeSet;

use serde_json::{Deserializer, Value};

use super::candidate::{Candidate, Source, limited, plain, safe, value};
use crate::text::figures::counted;

/// The maximum number of ports of a container that are proposed.
const PORTS_MAX: usize = 5;

/// The containers in the output of `ps --format '{{json .}}'`: docker writes an object in each line, and podman writes
/// one list of all objects.
pub fn containers_in(source: Source, text: &str) -> Vec<Candidate> {
    let word = source.word();
    let mut containers = Vec::new();
    let mut candidates = Vec::new();
    for value in Deserializer::from_str(text).into_iter::<Value>() {
        if let Ok(Value::Array(all)) = value {
            containers.extend(all);
        } else if let Ok(container @ Value::Object(_)) = value {
            containers.push(container);
        } else {
            let line = text.trim().lines().next().unwrap_or_default();
            let reason = format!("the output of {word} is not a list of containers: {line}");
            candidates.push(Candidate::unusable(source, word, &reason));
            break;
        }
    }
    for container in containers {
        let names = &container["Names"];
        let name = names.as_str().or_else(|| names[0].as_str());
        let name = name.and_then(|name| name.split(',').next()).and_then(plain);
        let Some(name) = name else { continue };
        let image = container["Image"].as_str().unwrap_or_default();
        let mut candidate = Candidate::new(source, name, &value(source, name), image);
        candidate.ports = ports(&container).into_iter().take(PORTS_MAX).collect();
        candidate.detail = with_ports(&candidate.detail, &candidate.ports);
        candidates.push(candidate);
    }
    limited(candidates, source)
}

/// The detail of a candidate, with its ports.
pub(super) fn with_ports(detail: &str, ports: &[u16]) -> String {
    if ports.is_empty() {
        return detail.to_owned();
    }
    let list: Vec<_> = ports.iter().map(u16::to_string).collect();
    let word = counted(ports.len(), "port");
    let word = word.split_whitespace().last().unwrap_or_default();
    safe(&format!("{detail}, {word} {}", list.join(", ")))
}

/// The TCP ports on which a container probably has servers: those that it publishes on this machine, and those that its
/// image names.
fn ports(container: &Value) -> BTreeSet<u16> {
    let mut ports = BTreeSet::new();
    // docker: "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp, 9000-9002/tcp"
    for part in container["Ports"].as_str().unwrap_or_default().split(',') {
        let inside = part.rsplit("->").next().unwrap_or_default().trim();
        let first = inside.strip_suffix("/tcp");
        let first = first.and_then(|range| range.split('-').next()?.parse::<u16>().ok());
        ports.extend(first);
    }
    // podman: [{"container_port": 80, "protocol": "tcp"}], and for the image {"443": ["tcp"]}
    for port in container["Ports"].as_array().into_iter().flatten() {
        let number = port["container_port"].as_u64();
        let number = number.filter(|_| port["protocol"] == "tcp");
        ports.extend(number.and_then(|number| u16::try_from(number).ok()));
    }
    for (port, kinds) in container["ExposedPorts"].as_object().into_iter().flatten() {
        let kinds = kinds.as_array().into_iter().flatten();
        let is_tcp = kinds.into_iter().any(|kind| kind == "tcp");
        ports.extend(port.parse::<u16>().ok().filter(|_| is_tcp));
    }
    ports.remove(&0);
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = "{\"Names\":\"db\",\"Image\":\"postgres:16\",\"Ports\":\"0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp, 53/udp, 9000-9002/tcp\"}\n{\"Names\":\"-v\",\"Image\":\"x\"}\n";
    const PODMAN: &str = "{\"Names\":[\"web\"],\"Image\":\"ngin\\u001bx\",\"Ports\":[{\"host_ip\":\"\",\"container_port\":80,\"host_port\":8080,\"range\":1,\"protocol\":\"tcp\"}],\"ExposedPorts\":{\"443\":[\"tcp\"],\"53\":[\"udp\"]}}\n{\"Names\":[]}\n{\"Names\":[\"a b\"]}\n{\"Names\":[\"bare\"],\"Image\":\"i\",\"Ports\":null,\"ExposedPorts\":null}\n";

    fn ids(candidates: &[Candidate]) -> String {
        let ids = candidates.iter().map(Candidate::id);
        ids.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn containers_are_offered_unless_their_name_could_be_an_option() {
        let docker = containers_in(Source::Docker, DOCKER);
        assert_eq!(ids(&docker), "docker:db");
        assert_eq!(docker[0].line, "docker: db");
        assert_eq!(docker[0].detail, "postgres:16, ports 80, 443, 9000");
        let podman = containers_in(Source::Podman, PODMAN);
        assert_eq!(ids(&podman), "podman:web podman:bare");
        assert_eq!(podman[0].detail, "ngin\\u{1b}x, ports 80, 443");
        assert_eq!(podman[1].detail, "i");
        let list = PODMAN.trim().replace('\n', ",\n");
        assert_eq!(containers_in(Source::Podman, &format!("[{list}]")), podman);
        assert_eq!(containers_in(Source::Podman, "[]\n"), []);
    }

    #[test]
    fn an_answer_that_is_not_understood_is_shown() {
        let candidates = containers_in(Source::Docker, "json\njson\n");
        assert_eq!(candidates.len(), 1);
        assert!(candidates[0].unusable.as_ref().unwrap().ends_with(": json"));
    }
}
