//! Running instances of LXD and Incus, and distributions of the Windows subsystem for Linux.

use serde_json::Value;

use super::candidate::{Candidate, Source, limited, plain, value};

/// Distributions that belong to other programs, and in which people do not work.
const FOREIGN: [&str; 4] = [
    "docker-desktop",
    "docker-desktop-data",
    "rancher-desktop",
    "rancher-desktop-data",
];

/// The running instances in the output of `list --format=json`. The error says why the output cannot be read.
pub fn instances_in(source: Source, text: &str) -> Result<Vec<Candidate>, String> {
    let word = source.word();
    let answer: Value = serde_json::from_str(text)
        .map_err(|error| format!("the output of {word} is not a list of instances: {error}"))?;
    let all = answer.as_array().into_iter().flatten();
    let running = all.filter(|instance| instance["status"] == "Running");
    let candidates = running.filter_map(|instance| {
        let name = plain(instance["name"].as_str()?)?;
        let kind = match instance["type"].as_str() {
            Some("virtual-machine") => "virtual machine",
            _ => "container",
        };
        let system = instance["config"]["image.description"].as_str();
        let detail = system.map_or_else(|| kind.to_owned(), |system| format!("{kind}, {system}"));
        Some(Candidate::new(source, name, &value(source, name), &detail))
    });
    Ok(limited(candidates.collect(), source))
}

/// The distributions in the output of `wsl --list --quiet`, which older versions write as UTF-16.
pub fn distributions_in(text: &str) -> Vec<Candidate> {
    let text = text.replace(['\0', '\u{feff}', '\u{fffd}'], "");
    let names = text.lines().filter_map(|line| plain(line.trim()));
    let candidates = names.map(|name| {
        if FOREIGN.contains(&name) {
            return Candidate::unusable(Source::Wsl, name, "it belongs to another program");
        }
        Candidate::new(Source::Wsl, name, &value(Source::Wsl, name), "")
    });
    limited(candidates.collect(), Source::Wsl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_instances_that_run_are_offered() {
        let text = serde_json::json!([
            {"name": "c1", "status": "Running", "type": "container", "config": {"image.description": "Debian 12"}},
            {"name": "v1", "status": "Running", "type": "virtual-machine"},
            {"name": "off", "status": "Stopped", "type": "container"},
            {"name": "-x", "status": "Running"},
        ]);
        let lines = |source| {
            let candidates = instances_in(source, &text.to_string()).unwrap();
            let lines = candidates.into_iter().map(|it| (it.line, it.detail));
            lines.collect::<Vec<_>>()
        };
        let pair = |line: &str, detail: &str| (line.to_owned(), detail.to_owned());
        let expected = [
            pair("lxc: c1", "container, Debian 12"),
            pair("lxc: v1", "virtual machine"),
        ];
        assert_eq!(lines(Source::Lxc), expected);
        assert_eq!(lines(Source::Incus)[0].0, "shell: [incus, exec, c1, --]");
        assert!(instances_in(Source::Lxc, "Error: not found").is_err());
    }

    #[test]
    fn distributions_are_read_in_both_encodings() {
        let units = "\u{feff}Debian\r\ndocker-desktop\r\n".encode_utf16();
        let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        for text in [
            String::from_utf8_lossy(&bytes).as_ref(),
            "Debian\ndocker-desktop\n",
        ] {
            let candidates = distributions_in(text);
            assert_eq!(candidates.len(), 2, "{text:?}");
            assert_eq!(candidates[0].line, "wsl: Debian");
            assert!(candidates[1].unusable.is_some());
        }
    }
}
