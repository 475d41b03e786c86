//! Offers of the hosts in the configuration of ssh. `ssh -G` says what ssh would do for a host, and connects to nothing.

use std::{collections::BTreeMap, time::Duration};

use tokio::{task::JoinSet, time::Instant};

use crate::{
    offers::{OFFERS_MAX, limited, offer, unusable},
    programs::run,
    ssh_config::{SshConfig, SshHost},
    view::{ImportKind, ImportOffer},
};

/// How many times `ssh` is asked at the same time, and for how long in all. Hosts for which there is no answer by then
/// are offered as the files have them.
const QUESTIONS_MAX: usize = 4;
const ANSWERS_MAX: Duration = Duration::from_secs(5);

/// Sites that have a shell for nobody. Their user is always `git`.
const GIT: &str = "git";

/// Settings with which no agent can run, with the words that undo them. They are written only where ssh has the setting,
/// because an older ssh refuses to start for a setting that it does not know.
const UNDONE: [(&str, &[&str], &str); 4] = [
    ("remotecommand", &["none"], "RemoteCommand=none"),
    ("stdinnull", &["no"], "StdinNull=no"),
    ("sessiontype", &["default"], "SessionType=default"),
    (
        "forkafterauthentication",
        &["no"],
        "ForkAfterAuthentication=no",
    ),
];

/// What `ssh -G` says about a host: the first value of each setting, or the reason why ssh refuses it.
pub(crate) type Answer = Result<BTreeMap<String, String>, String>;

/// The offers of all hosts of a configuration. If ssh would run commands of the person's file to answer, it is not asked.
pub(crate) async fn offers(config: &SshConfig) -> Vec<ImportOffer> {
    let answers = if config.runs_commands {
        BTreeMap::new()
    } else {
        ask(&config.hosts).await
    };
    let offers = config.hosts.iter();
    let mut offers: Vec<_> = offers
        .filter_map(|host| offer_of(host, answers.get(&host.name)))
        .collect();
    mark_same(&mut offers, &answers);
    let patterns = config.patterns.iter().map(|pattern| {
        let reason = format!(
            "hosts of this pattern are not listed: write the name of one into the manifest, as in ssh -o ControlMaster=no -o ClearAllForwardings=yes {} -- norouter",
            pattern.replace(['*', '?'], "NAME")
        );
        unusable(ImportKind::Ssh, "ssh", pattern, &reason)
    });
    offers.extend(patterns);
    limited(offers, ImportKind::Ssh, "ssh")
}

/// Asks ssh about the hosts, as long as there is time.
async fn ask(hosts: &[SshHost]) -> BTreeMap<String, Answer> {
    let deadline = Instant::now() + ANSWERS_MAX;
    let mut hosts = hosts.iter().take(OFFERS_MAX).map(|host| host.name.clone());
    let (mut asked, mut answers) = (JoinSet::new(), BTreeMap::new());
    loop {
        while asked.len() < QUESTIONS_MAX
            && let Some(name) = hosts.next()
        {
            asked.spawn(async move {
                let answer = run("ssh", &["-G", "--", &name]).await;
                (name, answer.map(|output| settings(&output.out)))
            });
        }
        match tokio::time::timeout_at(deadline, asked.join_next()).await {
            Ok(Some(Ok((name, answer)))) => {
                answers.insert(name, answer);
            }
            Ok(Some(Err(_))) => {}
            Ok(None) | Err(_) => return answers,
        }
    }
}

/// The first value of each setting in the output of `ssh -G`.
pub(crate) fn settings(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for line in text.lines() {
        if let Some((key, value)) = line.split_once(' ') {
            settings
                .entry(key.to_owned())
                .or_insert_with(|| value.trim().to_owned());
        }
    }
    settings
}

/// The offer of one host; `None` if its name cannot be given to ssh.
pub(crate) fn offer_of(host: &SshHost, answer: Option<&Answer>) -> Option<ImportOffer> {
    if !crate::ssh_config::is_usable(&host.name) {
        return None;
    }
    let nothing = BTreeMap::new();
    let says = match answer {
        Some(Err(reason)) => {
            let reason = format!("ssh refuses its configuration: {reason}");
            return Some(unusable(ImportKind::Ssh, "ssh", &host.name, &reason));
        }
        Some(Ok(says)) => says,
        None => &nothing,
    };
    if says.get("user").is_some_and(|user| user == GIT) {
        let reason = "its user is git: such a service gives nobody a shell";
        return Some(unusable(ImportKind::Ssh, "ssh", &host.name, reason));
    }
    // Our ssh must neither own the connection of the person's own sessions, nor take the ports that they forward.
    let mut words = vec![
        "ssh",
        "-T",
        "-o",
        "ControlMaster=no",
        "-o",
        "ClearAllForwardings=yes",
    ];
    for (key, harmless, undone) in UNDONE {
        if says
            .get(key)
            .is_some_and(|value| !harmless.contains(&value.as_str()))
        {
            words.extend(["-o", undone]);
        }
    }
    words.extend([host.name.as_str(), "--", "norouter"]);
    let address = says.get("hostname").or(host.address.as_ref());
    let detail = address.map_or(host.name.as_str(), String::as_str);
    Some(offer(ImportKind::Ssh, "ssh", &host.name, &words, detail))
}

/// Says of offers that lead to the same machine as an earlier one.
fn mark_same(offers: &mut [ImportOffer], answers: &BTreeMap<String, Answer>) {
    let mut first: BTreeMap<[Option<&String>; 3], String> = BTreeMap::new();
    for offer in offers.iter_mut().filter(|offer| offer.unusable.is_none()) {
        let Some(Ok(says)) = answers.get(&offer.name) else {
            continue;
        };
        let place = ["hostname", "user", "port"].map(|key| says.get(key));
        match first.get(&place) {
            Some(other) => offer.detail = format!("{}, the same machine as {other}", offer.detail),
            None => {
                first.insert(place, offer.name.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> SshHost {
        SshHost {
            name: name.to_owned(),
            address: Some("of-the-file".to_owned()),
        }
    }

    fn offered(name: &str, answer: &str) -> ImportOffer {
        offer_of(&host(name), Some(&Ok(settings(answer)))).unwrap()
    }

    #[test]
    fn the_command_undoes_what_no_agent_can_run_with() {
        let plain = offered(
            "web1",
            "hostname 10.0.0.1\nuser me\nstdinnull no\nsessiontype default\n",
        );
        assert_eq!(
            plain.command.join(" "),
            "ssh -T -o ControlMaster=no -o ClearAllForwardings=yes web1 -- norouter"
        );
        assert_eq!(plain.detail, "10.0.0.1");
        let odd = offered(
            "box",
            "hostname box\nremotecommand tmux new\nstdinnull yes\nsessiontype none\n",
        );
        let command = odd.command.join(" ");
        for setting in ["RemoteCommand=none", "StdinNull=no", "SessionType=default"] {
            assert!(command.contains(&format!("-o {setting} ")), "{command}");
        }
        assert!(!command.contains("Fork"), "{command}");
        assert_eq!(offer_of(&host("x"), None).unwrap().detail, "of-the-file");
    }

    #[test]
    fn an_ssh_that_would_go_into_the_background_is_kept_in_the_foreground() {
        let command = |answer: &str| offered("web1", answer).command.join(" ");
        let told = command("hostname web1\nforkafterauthentication yes\n");
        assert!(
            told.ends_with(" -o ForkAfterAuthentication=no web1 -- norouter"),
            "{told}"
        );
        let plain = command("hostname web1\nforkafterauthentication no\n");
        assert!(!plain.contains("Fork"), "{plain}");
    }

    #[test]
    fn an_address_with_a_zone_is_given_to_ssh_as_it_stands_in_the_file() {
        let offer = offered("fe80::1%eth0", "hostname fe80::1%eth0\n");
        assert_eq!(offer.unusable, None);
        assert!(
            offer
                .command
                .ends_with(&["fe80::1%eth0", "--", "norouter"].map(str::to_owned)),
            "{:?}",
            offer.command
        );
        assert_eq!(offer.detail, "fe80::1%eth0");
    }

    #[test]
    fn a_host_without_a_shell_or_that_ssh_refuses_cannot_be_chosen() {
        let git = offered("github.com", "user git\nhostname github.com\n");
        assert!(git.unusable.unwrap().contains("git"));
        let refused = Err("line 3: Bad configuration option: usekeychain".to_owned());
        let refused = offer_of(&host("mac"), Some(&refused)).unwrap();
        assert!(refused.unusable.unwrap().contains("usekeychain"));
        assert_eq!(offer_of(&host("-oProxyCommand=x"), None), None);
    }

    #[tokio::test]
    async fn a_pattern_is_shown_with_what_to_write() {
        let config = SshConfig {
            patterns: vec!["coder.*".to_owned()],
            runs_commands: true,
            hosts: vec![host("web1")],
        };
        let offers = offers(&config).await;
        let reason = offers[1].unusable.as_deref().unwrap();
        assert!(reason.contains("=yes coder.NAME -- norouter"), "{reason}");
    }

    #[test]
    fn a_second_name_of_a_machine_is_called_that() {
        let answer = "hostname 10.0.0.1\nuser me\nport 22\n";
        let mut offers = vec![
            offered("web1", answer),
            offered("10.0.0.1", answer),
            offered("db", "hostname db\n"),
        ];
        let answers = ["web1", "10.0.0.1"].map(|name| (name.to_owned(), Ok(settings(answer))));
        mark_same(&mut offers, &answers.into());
        let details: Vec<_> = offers.iter().map(|offer| offer.detail.as_str()).collect();
        assert_eq!(
            details,
            ["10.0.0.1", "10.0.0.1, the same machine as web1", "db"]
        );
    }
}
