//! Turns the ways to a host's shell that a manifest can name into commands.

use super::{
    chosen, commands,
    network::Start,
    words::{self, Flaw, flaw},
};
use crate::manifest::{Cmd, Pod, Shell};

/// The options of every command with `ssh`: no terminal, no connection that is shared with other programs, and none of
/// the person's own forwards.
const SSH: [&str; 6] = [
    "ssh",
    "-T",
    "-o",
    "ControlMaster=no",
    "-o",
    "ClearAllForwardings=yes",
];

/// The command that leads to a shell and starts the loop in it.
pub(super) fn start(shell: &Shell) -> Result<Start, Flaw> {
    let mut words: Vec<String> = match shell {
        Shell::Ssh(words) => ssh(words)?,
        Shell::Named(program, name) => named(program, name)?,
        Shell::Service(engine, service) => {
            return Ok(Start::Chosen(Box::new(chosen::containers(
                engine, service,
            )?)));
        }
        Shell::Kubernetes(pod) => match one_pod(pod)? {
            Some(name) => kubernetes(pod, name)?,
            None => return Ok(Start::Chosen(Box::new(chosen::pods(pod)?))),
        },
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
    Ok(Start::Shell(words))
}

fn ssh(words: &Cmd) -> Result<Vec<String>, Flaw> {
    let own: Vec<String> = match words {
        Cmd::Line(destination) => {
            words::check_name("ssh", destination)?;
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
    words::check_name(program, name)?;
    let words: &[&str] = match program {
        "lxc" => &["lxc", "exec", name, "--"],
        "wsl" => &["wsl.exe", "--distribution", name, "--exec"],
        engine => &[engine, "exec", "-i", name],
    };
    Ok(words.iter().map(|&word| word.to_owned()).collect())
}

/// The name of the pod, if the manifest names one; `None` if the manifest says how a pod is chosen.
fn one_pod(pod: &Pod) -> Result<Option<&str>, Flaw> {
    let ways = [
        ("pod", &pod.pod),
        ("deployment", &pod.deployment),
        ("selector", &pod.selector),
    ];
    let ways: Vec<&str> = ways
        .into_iter()
        .filter_map(|(key, value)| value.as_ref().map(|_| key))
        .collect();
    match ways[..] {
        [_] => Ok(pod.pod.as_ref().map(|name| name.value.as_str())),
        [] => Err(flaw(
            "kubernetes has neither a pod nor a deployment nor a selector",
            "for example: kubernetes: {context: staging, deployment: api}",
        )),
        [..] => Err(flaw(
            format!("kubernetes has several of these: {}", ways.join(", ")),
            "take all but one out",
        )),
    }
}

fn kubernetes(pod: &Pod, name: &str) -> Result<Vec<String>, Flaw> {
    let target = format!("pod/{name}");
    words::check_name("kubernetes", &target)?;
    let mut words = chosen::context(pod)?;
    words.extend(["exec".to_owned(), "-i".to_owned(), target]);
    if let Some(container) = &pod.container {
        words::check_name("kubernetes", &container.value)?;
        words.push(format!("--container={}", container.value));
    }
    words.push("--".to_owned());
    Ok(words)
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
            Start::Chosen(chosen) => {
                let commands = chosen.lookups().chain([&chosen.enter]);
                let lines = commands.map(|words| {
                    let words = words.iter().map(|word| word.replace(SHELL_LOOP, "LOOP"));
                    shell_line(&words.collect::<Vec<_>>())
                });
                Ok(lines.collect::<Vec<_>>().join("; "))
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
                "kubernetes: {context: staging, namespace: shop, pod: api-0, container: app}",
                "kubectl --context=staging --namespace=shop exec -i pod/api-0 --container=app -- sh -c 'LOOP'",
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
    fn the_commands_that_choose_an_instance_are_shown_with_the_one_that_enters_it() {
        for (host, commands) in [
            (
                "kubernetes: {context: staging, namespace: shop, deployment: api, container: app}",
                [
                    "kubectl --context=staging --namespace=shop get deployment/api --output=go-template=",
                    "kubectl --context=staging --namespace=shop get pods --selector=SELECTOR --watch --output-watch-events --output=jsonpath=",
                    "kubectl --context=staging --namespace=shop exec -i POD --container=app -- sh -c LOOP",
                ]
                .as_slice(),
            ),
            (
                "kubernetes: {selector: 'app=api,tier in (web, edge)'}",
                &[
                    "kubectl get pods --selector=app=api,tier in (web, edge) --watch",
                    "kubectl exec -i POD -- sh -c LOOP",
                ],
            ),
            (
                "docker: {service: web, project: shop}",
                &[
                    "docker ps --no-trunc --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.service=web --filter label=com.docker.compose.oneoff=False --format",
                    "docker exec -i CONTAINER sh -c LOOP",
                ],
            ),
            (
                "podman: {service: web, project: shop}",
                &[
                    "podman ps --no-trunc --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.service=web --format",
                    "podman exec -i CONTAINER sh -c LOOP",
                ],
            ),
        ] {
            let got = start(host).unwrap_or_else(|problem| panic!("{host}: {problem}"));
            let got: Vec<_> = got.split("; ").collect();
            assert_eq!(got.len(), commands.len(), "{host}");
            for (got, command) in got.iter().zip(commands) {
                let got = got.replace(['\'', '"'], "");
                assert!(got.starts_with(command), "{host}\n{got}");
            }
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
                "several of these: pod, deployment",
            ),
            (
                "kubernetes: {selector: 'app=a|b'}",
                "not a selector of labels",
            ),
            ("kubernetes: {selector: ' '}", "not a selector of labels"),
            ("kubernetes: {deployment: a b}", "needs one name"),
            ("docker: {service: web}", "a service without project"),
            ("podman: {}", "a service without service"),
            ("docker: {service: -a, project: b}", "docker needs one name"),
            ("shell: []", "shell is empty"),
            ("ssh: web1, docker: app", "has several"),
            ("ssh: web1, cmd: ssh web1 norouter", "has several"),
        ] {
            let problem = start(host).unwrap_err();
            assert!(problem.contains(message), "{host}: {problem}");
        }
    }
}
