//! Tests of the mistakes that are found in commands, and of the commands that are advised instead.

use super::*;

/// The codes of the mistakes in a command, and the command that is advised.
fn said(cmd: &str) -> (String, String) {
    let judged = judge(&shlex::split(cmd).unwrap());
    let codes: Vec<_> = judged
        .mistakes
        .iter()
        .map(|mistake| mistake.code.word())
        .collect();
    (codes.join(" "), judged.line)
}

/// The beginning of every command with `ssh` that is advised.
const SSH: &str = "ssh -o ControlMaster=no -o ClearAllForwardings=yes";

/// Asserts what is wrong with a command and which command is advised, and that nothing is wrong with the advised
/// command. `SSH` in `line` stands for [`SSH`].
#[track_caller]
fn assert_said(cmd: &str, codes: &str, line: &str) {
    let line = &line.replace("SSH", SSH);
    assert_eq!(said(cmd), (codes.to_owned(), line.to_owned()), "{cmd}");
    assert_eq!(said(line).0, "", "{cmd} is corrected to {line}");
}

#[test]
fn commands_that_work_are_left_alone() {
    for cmd in [
        "ssh web1 -- norouter",
        "ssh web1 norouter",
        "ssh -i ~/.ssh/key -p 2222 -J bastion me@web1 -- ~/bin/norouter",
        "ssh -o 'ProxyCommand=nc -X connect %h %p $HOME' web1 -- norouter",
        "ssh -T -o RequestTTY=no web1 'cd /srv && exec $HOME/bin/norouter'",
        "ssh web1 PATH=/opt:$PATH norouter 2>/dev/null",
        "ssh -o ControlMaster=no -o ControlPath=~/.ssh/cm-%C web1 norouter",
        "ssh -S none web1 norouter",
        "ssh web1 sudo docker exec -i c norouter",
        "docker exec -i c norouter",
        "docker --context far exec -iu root -w /tmp c /opt/norouter --debug",
        "docker compose exec -T web norouter",
        "podman run --rm -i -v /x:/y image",
        "kubectl --context=a -n shop exec -i deploy/api -c web -- norouter",
        "kubectl exec --stdin pod --kubeconfig /k -- norouter",
        "env KUBECONFIG=/k kubectl exec -i pod -- norouter",
        "kubectl get pods",
        "plink -batch -i k.ppk me@web1 norouter",
        "sh -c 'exec norouter \"$0\" \"$@\"'",
        "sh -c 'exec norouter \"$@\"' name",
        "bash -lc 'cd /x && norouter agent --automated'",
        "fish -c 'exec norouter $argv'",
        "ssh web1 -- \"bash -lc 'exec norouter \\\"\\$0\\\" \\\"\\$@\\\"'\"",
        "su - me -c 'exec norouter \"$0\" \"$@\"' --",
        "runuser -u me -- norouter",
        "sudo -iu me norouter",
        "./my-script web1",
        "x",
        "norouter",
        "limactl shell default norouter",
    ] {
        assert_eq!(
            said(cmd),
            (String::new(), shell::line(&shlex::split(cmd).unwrap())),
            "{cmd}"
        );
    }
}

#[test]
fn a_container_gets_standard_input_and_no_terminal() {
    assert_said(
        "docker exec c norouter",
        "noInput",
        "docker exec -i c norouter",
    );
    assert_said(
        "docker exec -it c norouter",
        "terminal",
        "docker exec -i c norouter",
    );
    assert_said(
        "podman exec -tu root c norouter",
        "terminal noInput",
        "podman exec -i -u root c norouter",
    );
    assert_said(
        "docker exec --tty --interactive c norouter",
        "terminal",
        "docker exec --interactive c norouter",
    );
    assert_said(
        "docker exec -di c norouter",
        "background",
        "docker exec -i c norouter",
    );
    assert_said(
        "docker run --rm image norouter",
        "noInput",
        "docker run -i --rm image norouter",
    );
    assert_said(
        "docker compose exec web norouter",
        "terminal",
        "docker compose exec -T web norouter",
    );
    assert_said("docker exec -i c", "notNamed", "docker exec -i c norouter");
    assert_said(
        "ssh far docker exec -it c norouter",
        "terminal",
        "SSH far docker exec -i c norouter",
    );
    assert_said(
        "sudo podman exec c norouter",
        "noInput",
        "sudo podman exec -i c norouter",
    );
    assert_eq!(said("docker exec -i c cat").0, "notNamed");
}

#[test]
fn a_pod_is_named_with_its_cluster_and_a_separator() {
    let good = "kubectl --context=CONTEXT exec -i p -- norouter";
    assert_said("kubectl exec -i p -- norouter", "currentContext", good);
    assert_said(
        "kubectl exec p norouter",
        "noInput noSeparator currentContext",
        good,
    );
    assert_said(
        "kubectl --context=a exec -it p -- norouter",
        "terminal",
        "kubectl --context=a exec -i p -- norouter",
    );
    assert_said(
        "kubectl --context a exec -i p -c web norouter",
        "noSeparator",
        "kubectl --context=a exec -i p -c web -- norouter",
    );
}

#[test]
fn ssh_runs_a_command_without_a_terminal_and_in_the_foreground() {
    assert_said("ssh -t web1 norouter", "terminal", "SSH web1 norouter");
    assert_said("ssh web1 -At norouter", "terminal", "SSH web1 -A norouter");
    assert_said("ssh -n web1 norouter", "noInput", "SSH web1 norouter");
    assert_said("ssh -f web1 norouter", "background", "SSH web1 norouter");
    assert_said("ssh -N web1", "noCommand", "SSH web1 -- norouter");
    assert_said("ssh -W db:22 web1", "noCommand", "SSH web1 -- norouter");
    assert_said("ssh web1", "notNamed", "SSH web1 -- norouter");
    assert_said(
        "ssh -o RequestTTY=force web1 norouter",
        "terminal",
        "SSH web1 norouter",
    );
    assert_said(
        "ssh -oStdinNull=yes web1 norouter",
        "noInput",
        "SSH web1 norouter",
    );
    assert_said(
        "dbclient -t web1 norouter",
        "terminal",
        "dbclient web1 norouter",
    );
    assert_eq!(said("ssh -o RemoteCommand=norouter web1").0, "");
    assert_eq!(said("ssh web1 ./start").0, "notNamed");
}

#[test]
fn our_ssh_does_not_become_the_master_of_a_persons_sessions() {
    let good = "SSH web1 norouter";
    assert_said("ssh -M web1 norouter", "master", good);
    assert_said("ssh -o controlmaster=auto web1 norouter", "master", good);
    assert_said(
        "ssh -S ~/cm web1 norouter",
        "master",
        "SSH -S ~/cm web1 norouter",
    );
    assert_said(
        "ssh -o 'ControlPath ~/cm' web1 norouter",
        "master",
        "SSH -o 'ControlPath ~/cm' web1 norouter",
    );
}

#[test]
fn an_advised_ssh_keeps_the_ports_and_the_connection_that_the_command_names_itself() {
    let apart = "-o ControlMaster=no";
    for forward in ["-L 1:b:2", "-R 1:b:2", "-D 1", "-o LocalForward=1"] {
        assert_said(
            &format!("ssh -t {forward} web1 norouter"),
            "terminal",
            &format!("ssh {apart} {forward} web1 norouter"),
        );
    }
    assert_said(
        "ssh -t -S none web1 norouter",
        "terminal",
        "ssh -o ClearAllForwardings=yes -S none web1 norouter",
    );
    assert_said(
        "ssh -t -o ClearAllForwardings=no web1 norouter",
        "terminal",
        &format!("ssh {apart} -o ClearAllForwardings=no web1 norouter"),
    );
}

#[test]
fn plink_that_would_read_our_bytes_as_an_answer_is_refused() {
    assert_said(
        "plink me@web1 norouter",
        "unanswered",
        "plink -batch me@web1 norouter",
    );
    let judged = judge(&[
        "C:\\plink.exe".to_owned(),
        "web1".to_owned(),
        "norouter".to_owned(),
    ]);
    assert_eq!(
        judged.mistakes[0].severity,
        crate::manifest::Severity::Error
    );
    assert_said(
        "ssh a plink b norouter",
        "unanswered",
        "SSH a plink -batch b norouter",
    );
}

#[test]
fn what_only_a_shell_understands_is_put_into_one() {
    assert_said(
        "KUBECONFIG=x kubectl exec -i p -- norouter",
        "shellSyntax",
        "env KUBECONFIG=x kubectl exec -i p -- norouter",
    );
    assert_said(
        "kubectl --kubeconfig ~/.kube/x exec -i p -- norouter",
        "shellSyntax",
        "sh -c 'exec kubectl \"--kubeconfig=$HOME/.kube/x\" exec -i p -- norouter \"$0\" \"$@\"'",
    );
    assert_said("ssh a norouter | cat", "argumentsLost", "SSH a norouter");
    assert_said(
        "cd /tmp && ssh -t web1 -- norouter",
        "shellSyntax terminal",
        "sh -c 'cd /tmp && SSH web1 -- norouter \"$0\" \"$@\"'",
    );
    assert_said(
        "$HOME/bin/norouter",
        "shellSyntax",
        "sh -c 'exec \"$HOME/bin/norouter\" \"$0\" \"$@\"'",
    );
    for cmd in ["ssh $WEBHOST norouter", "ssh -l me ${WEBHOST} norouter"] {
        let (codes, line) = said(cmd);
        assert_eq!(codes, "shellSyntax", "{cmd}");
        assert!(line.starts_with("sh -c 'exec ssh "), "{line}");
    }
    assert_eq!(
        said("ssh -i ${KEYS}/k -o IdentityFile=${K} web1 norouter").0,
        ""
    );
    assert_said(
        "docker exec -i c ~/bin/norouter",
        "shellSyntax",
        "docker exec -i c sh -c 'exec ~/bin/norouter \"$0\" \"$@\"'",
    );
    assert_said(
        "docker start c && docker exec -i c norouter",
        "shellSyntax",
        "sh -c 'docker start c && docker exec -i c norouter \"$0\" \"$@\"'",
    );
}

#[test]
fn a_password_is_a_mistake_and_is_not_in_the_advice() {
    let words = shlex::split("sshpass -p hunter2 ssh -t web1 norouter").unwrap();
    let judged = judge(&words);
    let codes: Vec<_> = judged.mistakes.iter().map(|it| it.code.word()).collect();
    assert_eq!(codes, ["terminal", "secret"]);
    assert!(!judged.line.contains("hunter2"), "{}", judged.line);
    let told: Vec<_> = judged.mistakes.iter().map(|it| &it.message).collect();
    assert!(told[1].contains("a password"), "{told:?}");
    assert!(
        judged.mistakes[1]
            .remedy
            .as_ref()
            .unwrap()
            .contains("norouter answer")
    );
}

#[test]
fn the_appended_words_reach_norouter() {
    assert_said("norouter agent", "agentTwice", "norouter");
    assert_said(
        "ssh web1 -- norouter agent --automated",
        "agentTwice",
        "SSH web1 -- norouter",
    );
    assert_said(
        "docker exec -i c norouter agent --restrict dial=127.0.0.1",
        "agentTwice",
        "docker exec -i c sh -c 'exec norouter \"$0\" \"$@\" --restrict dial=127.0.0.1'",
    );
    let good = "sh -c 'exec norouter \"$0\" \"$@\"'";
    assert_said("sh -c norouter", "argumentsLost", good);
    assert_said("sh -c 'exec norouter \"$@\"'", "argumentsLost", good);
    assert_said(
        "sh -c 'docker exec c norouter \"$@\"' x",
        "noInput",
        "sh -c 'docker exec -i c norouter \"$@\"' x",
    );
    assert_said(
        "fish -c norouter",
        "argumentsLost",
        "fish -c 'exec norouter $argv'",
    );
    assert_said(
        "su - me -c norouter",
        "argumentsLost",
        "su - me -c 'exec norouter \"$0\" \"$@\"' --",
    );
    for cmd in [
        "ssh web1 bash -lc norouter",
        "ssh web1 -- sh -c 'exec norouter \"$0\" \"$@\"'",
    ] {
        let (codes, line) = said(cmd);
        assert_eq!(codes, "argumentsLost", "{cmd}");
        assert_eq!(said(&line).0, "", "{line}");
        let remote = shlex::split(shlex::split(&line).unwrap().last().unwrap()).unwrap();
        assert_eq!(remote[2], "exec norouter \"$0\" \"$@\"", "{line}");
    }
}

#[test]
fn only_so_many_programs_that_start_each_other_are_looked_at() {
    let behind = |programs| said(&("ssh a ".repeat(programs) + "norouter agent")).0;
    assert_eq!(behind(DEPTH_MAX - 1), "agentTwice");
    assert_eq!(behind(DEPTH_MAX), "");
}

#[test]
fn a_command_of_any_length_and_depth_is_judged() {
    let deep = "ssh a ".repeat(10_000) + "norouter";
    assert_eq!(said(&deep).0, "");
    for odd in [
        "ssh",
        "ssh -o",
        "docker exec",
        "kubectl exec",
        "su -c",
        "sh -c",
        "plink -P",
        "env",
        "norouter agent -",
    ] {
        said(odd);
    }
}
