//! The ways to a host's shell that a manifest can name, as the commands that they mean.

use super::{
    commands,
    words::{self, Flaw, flaw},
};
use crate::{
    manifest::{Cmd, Pod, Shell},
    text::quote,
};

/// What every command with `ssh` has: there is no terminal, the connection is not shared with other programs, and it
/// opens no forwards of the person's own.
const SSH: [&str; 6] = [
    "ssh",
    "-T",
    "-o",
    "ControlMaster=no",
    "-o",
    "ClearAllForwardings=yes",
];

/// The command that leads to a shell and starts the loop in it.
pub(super) fn command(shell: &Shell) -> Result<Vec<String>, Flaw> {
    let mut words: Vec<String> = match shell {
        Shell::Ssh(words) => ssh(words)?,
        Shell::Named(program, name) => named(program, name)?,
        Shell::Kubernetes(pod) => kubernetes(pod)?,
        Shell::Words(words) => words.iter().map(|word| word.value.clone()).collect(),
    };
    if words.is_empty() {
        return Err(flaw(
            "shell is empty",
            "for example: shell: [\"ip\", \"netns\", \"exec\", \"h1\"]",
        ));
    }
    words::check_words(words.iter().map(String::as_str))?;
    let is_line = commands::is_read_by_a_shell(&words);
    words.extend(commands::shell_loop(is_line));
    Ok(words)
}

fn ssh(words: &Cmd) -> Result<Vec<String>, Flaw> {
    let own: Vec<String> = match words {
        Cmd::Line(destination) => {
            check_name("ssh", destination)?;
            vec![destination.clone()]
        }
        Cmd::Words(words) => words.iter().map(|word| word.value.clone()).collect(),
    };
    let all: Vec<String> = SSH.map(str::to_owned).into_iter().chain(own).collect();
    if !commands::ends_at_its_destination(&all) {
        return Err(flaw(
            "ssh must end with the destination",
            "options come first, and no command follows: ssh: [\"-p\", \"2222\", \"web1\"]",
        ));
    }
    let end = "--".to_owned();
    Ok(all.into_iter().chain([end]).collect())
}

fn named(program: &str, name: &str) -> Result<Vec<String>, Flaw> {
    check_name(program, name)?;
    let words: &[&str] = match program {
        "lxc" => &["lxc", "exec", name, "--"],
        "wsl" => &["wsl.exe", "--distribution", name, "--exec"],
        engine => &[engine, "exec", "-i", name],
    };
    Ok(words.iter().map(|&word| word.to_owned()).collect())
}

fn kubernetes(pod: &Pod) -> Result<Vec<String>, Flaw> {
    let target = match (&pod.pod, &pod.deployment) {
        (Some(pod), None) => format!("pod/{}", pod.value),
        (None, Some(deployment)) => format!("deployment/{}", deployment.value),
        (None, None) => {
            return Err(flaw(
                "kubernetes has neither a pod nor a deployment",
                "for example: kubernetes: {context: staging, deployment: api}",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(flaw(
                "kubernetes has a pod and a deployment",
                "take one of them out",
            ));
        }
    };
    let mut words = vec!["kubectl".to_owned()];
    for (option, value) in [("--context", &pod.context), ("--namespace", &pod.namespace)] {
        if let Some(value) = value {
            check_name("kubernetes", &value.value)?;
            words.push(format!("{option}={}", value.value));
        }
    }
    check_name("kubernetes", &target)?;
    words.extend(["exec".to_owned(), "-i".to_owned(), target]);
    if let Some(container) = &pod.container {
        check_name("kubernetes", &container.value)?;
        words.push(format!("--container={}", container.value));
    }
    words.push("--".to_owned());
    Ok(words)
}

/// Refuses a name that the program could take for something else.
fn check_name(key: &str, name: &str) -> Result<(), Flaw> {
    if name.is_empty() {
        return Err(flaw(
            format!("{key} is empty"),
            "write the name of the machine or container",
        ));
    }
    if name.starts_with('-') || name.chars().any(char::is_whitespace) {
        let message = format!("{key} needs one name, but this is {}", quote(name));
        return Err(flaw(
            message,
            match key {
                "ssh" => "write options as a list: ssh: [\"-p\", \"2222\", \"web1\"]",
                _ => "write a command with options as shell, or as cmd",
            },
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use crate::{plan::Start, text::shell_line, wire::SHELL_LOOP};

    fn start(host: &str) -> Result<String, String> {
        let loaded = load("m", &format!("hosts: {{a: {{}}, b: {{{host}}}}}"));
        let Some(plan) = loaded.plan else {
            let problems = loaded.problems.iter();
            let lines = problems.map(|problem| format!("{} | {:?}", problem.message, problem.hint));
            return Err(lines.collect::<Vec<_>>().join("\n"));
        };
        match &plan.hosts[1].start {
            Start::Shell(words) => {
                let words = words.iter().map(|word| word.replace(SHELL_LOOP, "LOOP"));
                Ok(shell_line(&words.collect::<Vec<_>>()))
            }
            other @ (Start::InProcess | Start::Command(_)) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn a_way_to_a_shell_becomes_the_command_that_starts_one() {
        for (host, command) in [
            (
                "ssh: web1",
                "ssh -T -o ControlMaster=no -o ClearAllForwardings=yes web1 -- sh -c \"'LOOP'\"",
            ),
            (
                "ssh: [-J, bastion, -p, '2222', me@web1]",
                "ssh -T -o ControlMaster=no -o ClearAllForwardings=yes -J bastion -p 2222 me@web1 -- sh -c \"'LOOP'\"",
            ),
            ("docker: app", "docker exec -i app sh -c 'LOOP'"),
            ("podman: app", "podman exec -i app sh -c 'LOOP'"),
            ("lxc: c1", "lxc exec c1 -- sh -c 'LOOP'"),
            (
                "wsl: Debian",
                "wsl.exe --distribution Debian --exec sh -c 'LOOP'",
            ),
            (
                "kubernetes: {context: staging, namespace: shop, deployment: api, container: app}",
                "kubectl --context=staging --namespace=shop exec -i deployment/api --container=app -- sh -c 'LOOP'",
            ),
            (
                "shell: [ip, netns, exec, h1]",
                "ip netns exec h1 sh -c 'LOOP'",
            ),
            ("shell: [ssh, web1, sudo]", "ssh web1 sudo sh -c \"'LOOP'\""),
            ("shell: [ssh, web1]", "ssh web1 sh -c \"'LOOP'\""),
        ] {
            let got = start(host).unwrap_or_else(|problem| panic!("{host}: {problem}"));
            assert_eq!(shlex::split(&got), shlex::split(command), "{host}\n{got}");
        }
    }

    #[test]
    fn a_name_that_a_program_would_misunderstand_is_refused() {
        for (host, message) in [
            ("ssh: -oProxyCommand=x", "ssh needs one name"),
            ("ssh: web1 uptime", "ssh needs one name"),
            ("ssh: [web1, uptime]", "ssh must end with the destination"),
            ("ssh: [-p, '22']", "ssh must end with the destination"),
            ("docker: --privileged", "docker needs one name"),
            ("docker: ''", "docker is empty"),
            ("kubernetes: {context: a}", "neither a pod nor a deployment"),
            (
                "kubernetes: {pod: a, deployment: b}",
                "a pod and a deployment",
            ),
            ("shell: []", "shell is empty"),
            ("ssh: web1, docker: app", "has several"),
            ("ssh: web1, cmd: ssh web1 norouter", "has several"),
        ] {
            let problem = start(host).unwrap_err();
            assert!(problem.contains(message), "{host}: {problem}");
        }
    }
}
