//! Names: the answers of the network's DNS servers, and how ordinary programs find hosts by name.

use std::{fmt::Write as _, fs};

use rustix::process::Signal;

use crate::{
    network::{Host, Network},
    sandbox::{Nameserver, Sandbox, Sshd, command, ended, nameserver::MANY, output, wait_for},
};

/// A network in which every host has a DNS server. The resolver of one host knows further names.
struct Names {
    network: Network,
    resolver: Nameserver,
    _ssh: Sshd,
}

impl Names {
    fn open(sandbox: &Sandbox) -> Self {
        let laptop = Host::laptop();
        let (web, ssh) = Host::ssh("web", sandbox, "");
        let web = web.line("aliases: [\"www.example.com\"]");
        let corp = Host::netns("corp", sandbox);
        let resolver = Nameserver::start(corp.namespace(), "127.0.0.1:53");
        corp.namespace()
            .etc("resolv.conf", "nameserver 127.0.0.1\nsearch corp.test\n");
        // At the address of this host's resolver, there is no server.
        let lost = Host::netns("lost", sandbox);
        lost.namespace()
            .etc("resolv.conf", "nameserver 127.0.0.9\n");
        let network = Network::start(sandbox, vec![laptop, web, corp, lost]);
        let names = Self {
            network,
            resolver,
            _ssh: ssh,
        };
        for from in ["laptop", "web"] {
            for of in ["laptop", "web", "corp", "lost"] {
                wait_for(&format!("the DNS server of {of} on {from}"), || {
                    let answer = names.dig(from, of, &["web"]);
                    (answer[0].status == "NOERROR").then_some(())
                });
            }
        }
        names
    }

    /// Asks the DNS server of a host from another host.
    fn dig(&self, from: &str, of: &str, words: &[&str]) -> Vec<Answer> {
        let server = format!("@{}", self.network.vip(of));
        let mut dig = self
            .network
            .host(from)
            .command(&["dig", "-r", &server, "-p", "10053"]);
        let common = [
            "+tries=1",
            "+time=10",
            "+noall",
            "+comments",
            "+answer",
            "+authority",
        ];
        let said = ended(dig.args(common).args(words)).out;
        let answers: Vec<Answer> = said
            .split(";; Got answer:")
            .skip(1)
            .map(Answer::read)
            .collect();
        if answers.is_empty() {
            return vec![Answer::default()];
        }
        answers
    }
}

/// An answer as dig prints it.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    status: String,
    flags: String,
    /// The records, without owner and time to live.
    records: Vec<String>,
    authority: Vec<String>,
}

impl Answer {
    fn read(said: &str) -> Self {
        let between = |start: &str, end: &str| {
            let rest = said.split_once(start).map_or("", |(_, rest)| rest);
            rest.split(end).next().unwrap_or_default().trim().to_owned()
        };
        let section = |name: &str| {
            let lines = between(&format!(";; {name} SECTION:"), ";;");
            let lines = lines
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with(';'));
            lines
                .map(|line| {
                    line.split_whitespace()
                        .skip(3)
                        .collect::<Vec<_>>()
                        .join(" ")
                })
                .collect()
        };
        Self {
            status: between("status: ", ","),
            flags: between("flags: ", ";"),
            records: section("ANSWER"),
            authority: section("AUTHORITY"),
        }
    }
}

#[test]
fn every_host_answers_for_every_host_over_udp_and_tcp() {
    let sandbox = Sandbox::new();
    let names = Names::open(&sandbox);
    let questions = [
        ("web", "A", "NOERROR", "A 127.0.42.12"),
        ("WEB.NoRouter", "A", "NOERROR", "A 127.0.42.12"),
        ("www.example.com", "A", "NOERROR", "A 127.0.42.12"),
        ("www.example.com.norouter", "A", "NOERROR", "A 127.0.42.12"),
        ("lost", "A", "NOERROR", "A 127.0.42.14"),
        // The name exists, but has no record of this type.
        ("web", "AAAA", "NOERROR", ""),
        ("www.example.com", "AAAA", "NOERROR", ""),
        ("web.norouter", "MX", "NOERROR", ""),
        (
            "12.42.0.127.in-addr.arpa",
            "PTR",
            "NOERROR",
            "PTR web.norouter.",
        ),
        (
            "14.42.0.127.in-addr.arpa",
            "PTR",
            "NOERROR",
            "PTR lost.norouter.",
        ),
        ("nobody.norouter", "A", "NXDOMAIN", ""),
        ("nobody.norouter", "AAAA", "NXDOMAIN", ""),
    ];
    let words: Vec<&str> = questions
        .iter()
        .flat_map(|(name, kind, ..)| [*name, *kind])
        .collect();
    for from in ["laptop", "web"] {
        for of in ["laptop", "web", "corp", "lost"] {
            for transport in ["+notcp", "+tcp"] {
                let answers = names.dig(from, of, &[&[transport], &words[..]].concat());
                assert_eq!(answers.len(), questions.len(), "{from} {of} {transport}");
                for (answer, (name, kind, status, record)) in answers.iter().zip(questions) {
                    let what =
                        format!("{from} asks {of} for {name} {kind} {transport}: {answer:?}");
                    assert_eq!(answer.status, status, "{what}");
                    assert_eq!(answer.records.join(","), record, "{what}");
                    assert!(answer.flags.split(' ').any(|flag| flag == "aa"), "{what}");
                    // An answer without records has an SOA record. It says for how long the answer is valid.
                    assert_eq!(
                        answer.authority.len(),
                        usize::from(record.is_empty()),
                        "{what}"
                    );
                }
            }
        }
    }
    // kdig, another DNS client, gets the same answers.
    for transport in ["+notcp", "+tcp"] {
        let server = format!("@{}", names.network.vip("web"));
        let words = [
            "kdig",
            &server,
            "-p",
            "10053",
            transport,
            "+short",
            "corp.norouter",
        ];
        let mut kdig = names.network.laptop().command(&words);
        assert_eq!(output(&mut kdig), "127.0.42.13\n");
    }
    assert!(
        !names.resolver.was_asked_for("web"),
        "{:?}",
        names.resolver.asked()
    );
    assert!(
        !names.resolver.was_asked_for("norouter"),
        "{:?}",
        names.resolver.asked()
    );
}

#[test]
fn what_a_host_does_not_know_it_asks_its_own_resolvers() {
    let sandbox = Sandbox::new();
    let names = Names::open(&sandbox);
    for from in ["laptop", "web"] {
        for transport in ["+notcp", "+tcp"] {
            let ask = |words: &[&str]| {
                let mut answers = names.dig(from, "corp", &[&[transport], words].concat());
                answers.pop().unwrap()
            };
            let outside = ask(&["outside.corp.test"]);
            assert_eq!(outside.records, ["A 192.0.2.7"], "{outside:?}");
            assert!(outside.flags.contains("ra"), "{outside:?}");
            let none = ask(&["outside.corp.test", "AAAA"]);
            assert_eq!(
                (none.status.as_str(), none.records.len()),
                ("NOERROR", 0),
                "{none:?}"
            );
            // The search domains of the host's resolvers apply.
            let short = ask(&["outside"]);
            assert_eq!(
                short.records,
                ["CNAME outside.corp.test.", "A 192.0.2.7"],
                "{short:?}"
            );
            let nobody = ask(&["nobody.corp.test"]);
            assert_eq!(nobody.status, "NXDOMAIN", "{nobody:?}");
            // The addresses do not fit into a UDP reply, so the reply is truncated. Without `+ignore`, dig would then
            // repeat the query over TCP.
            let cut = ask(&["+ignore", "+noedns", "big.corp.test"]);
            assert_eq!(
                cut.flags.split(' ').any(|flag| flag == "tc"),
                transport == "+notcp",
                "{cut:?}"
            );
            let whole = ask(&["+noedns", "big.corp.test"]);
            assert_eq!(whole.records.len(), usize::from(MANY), "{whole:?}");
            let dead = names.dig(from, "lost", &[transport, "outside.corp.test"]);
            assert_eq!(dead[0].status, "SERVFAIL", "{dead:?}");
        }
    }
    let asked = names.resolver.asked();
    assert!(
        asked
            .iter()
            .any(|question| question.starts_with("tcp big.corp.test")),
        "{asked:?}"
    );
}

/// A C program that resolves a name with `getaddrinfo` and prints its addresses.
const RESOLVE: &str = r#"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
    int error = getaddrinfo(argv[1], "80", &hints, &all);
    if (error) return fprintf(stderr, "%s\n", gai_strerror(error)), 1;
    for (; all; all = all->ai_next) {
        char text[99];
        getnameinfo(all->ai_addr, all->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
        puts(text);
    }
}
"#;

/// The program [`RESOLVE`], compiled for each of the two C libraries of Linux.
fn resolvers(sandbox: &Sandbox) -> Vec<String> {
    let source = sandbox.write("resolve.c", RESOLVE);
    ["cc", "musl-gcc"]
        .map(|compiler| {
            let program = sandbox.path(&format!("resolve-{compiler}"));
            let mut compile = command(&[compiler]);
            output(
                compile
                    .args(["-static-libgcc", "-o"])
                    .arg(&program)
                    .arg(&source),
            );
            program.to_str().unwrap().to_owned()
        })
        .to_vec()
}

#[track_caller]
fn assert_resolves(host: &Host, program: &str, name: &str, address: &str) {
    let answer = ended(&mut host.command(&[program, name]));
    assert_eq!(
        answer.out,
        format!("{address}\n"),
        "{program} {name}: {answer:?}"
    );
}

#[test]
fn c_libraries_find_every_name_by_a_dns_server_of_the_network() {
    let sandbox = Sandbox::new();
    let laptop = Host::laptop();
    let corp = Host::netns("corp", &sandbox).line("dns: {listen: \"53\"}");
    let _resolver = Nameserver::start(corp.namespace(), "127.0.0.1:53");
    corp.namespace()
        .etc("resolv.conf", "nameserver 127.0.0.1\n");
    let netns = laptop.namespace();
    netns.etc("resolv.conf", "nameserver 127.0.42.12\n");
    netns.etc("hosts", "127.0.0.1 localhost\n");
    let network = Network::start(&sandbox, vec![laptop, corp]);
    let laptop = network.laptop();
    wait_for("a name", || {
        let answer = ended(&mut laptop.command(&["getent", "ahosts", "corp"]));
        (answer.code == 0).then_some(())
    });
    let programs = resolvers(&sandbox);
    for program in &programs {
        for (name, address) in [
            ("corp", "127.0.42.12"),
            ("laptop.norouter", "127.0.42.11"),
            ("outside.corp.test", "192.0.2.7"),
        ] {
            assert_resolves(laptop, program, name, address);
        }
        for name in ["nobody.norouter", "nobody.corp.test"] {
            let answer = ended(&mut laptop.command(&[program.as_str(), name]));
            assert_eq!(
                (answer.code, answer.out.as_str()),
                (1, ""),
                "{name}: {answer:?}"
            );
        }
    }
    // The addresses do not fit into a UDP reply. Only the first program is used, because some versions of musl do not
    // repeat a query over TCP.
    let big = output(&mut laptop.command(&[&programs[0], "big.corp.test"]));
    assert_eq!(big.lines().count(), usize::from(MANY), "{big}");
    let words = ["/bin/busybox", "nslookup", "corp.norouter", "127.0.42.12"];
    let busybox = ended(&mut laptop.command(&words));
    assert!(busybox.out.contains("127.0.42.12"), "{busybox:?}");
}

const OLD_HOSTS: &str =
    "127.0.0.1\tlocalhost # mine\r\n10.1.1.1 mail\n\n# no line break at the end";

#[test]
fn names_are_in_the_hosts_file_while_the_network_runs_and_gone_afterwards() {
    let sandbox = Sandbox::new();
    let programs = resolvers(&sandbox);
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let (laptop, far) = (Host::laptop(), Host::netns("far", &sandbox));
        let netns = [laptop.namespace(), far.namespace()];
        // The file is mounted over the machine's own hosts file, so no other file can replace it.
        let files = netns.map(|netns| netns.etc("hosts", OLD_HOSTS));
        for netns in netns {
            netns.etc("resolv.conf", "nameserver 127.0.0.9\n");
        }
        let hosts = [laptop, far].map(|host| host.line("writeEtcHosts: true"));
        let mail = Host::with_command("mail", &["false"]).line("aliases: [\"post.example.com\"]");
        let hosts = hosts.into_iter().chain([mail]).collect();
        let mut network = Network::start(&sandbox, hosts);
        for (name, file) in ["laptop", "far"].iter().zip(&files) {
            wait_for("the names in the hosts file", || {
                let text = fs::read_to_string(file).unwrap();
                text.contains("# </Added-by-NoRouter ").then_some(())
            });
            for program in &programs {
                for (asked, address) in [
                    ("far", "127.0.42.12"),
                    ("laptop", "127.0.42.11"),
                    ("post.example.com", "127.0.42.13"),
                    // A name that was already in the file keeps its address.
                    ("mail", "10.1.1.1"),
                ] {
                    assert_resolves(network.host(name), program, asked, address);
                }
            }
            let text = fs::read_to_string(file).unwrap();
            assert!(text.starts_with(OLD_HOSTS), "{text}");
        }
        network.manager.signal(signal);
        network.manager.wait();
        let ours = if signal == Signal::KILL {
            &files[1..]
        } else {
            &files[..]
        };
        for file in ours {
            wait_for("the old hosts file", || {
                (fs::read_to_string(file).unwrap() == OLD_HOSTS).then_some(())
            });
        }
        if signal == Signal::KILL {
            // The agent was killed before it could remove the block, so a person removes it.
            let program = crate::network::program(&sandbox);
            let mut repair =
                network
                    .laptop()
                    .command(&[program.to_str().unwrap(), "hosts", "--repair"]);
            output(&mut repair);
            assert_eq!(fs::read_to_string(&files[0]).unwrap(), OLD_HOSTS);
        }
    }
}

#[test]
fn the_state_folder_leads_programs_into_the_network() {
    let sandbox = Sandbox::new();
    let laptop = Host::laptop()
        .line("stateDir: {pathOnAgent: \"~/mine\"}")
        .line("http: {listen: \"127.0.0.1:18080\"}")
        .line("socks: {listen: \"127.0.0.1:18081\"}");
    let far_folder = sandbox.path("far");
    let far = Host::netns("far", &sandbox)
        .ports(&["8080:127.0.0.1:8000"])
        .line("aliases: [\"far.example.com\"]")
        .line(&format!(
            "stateDir: {{pathOnAgent: \"{}\"}}",
            far_folder.display()
        ))
        .line("socks: {listen: \"127.0.0.1:18081\"}");
    let netns = laptop.namespace();
    let public = Nameserver::start(netns, "127.0.0.1:53");
    netns.etc("resolv.conf", "nameserver 127.0.0.1\n");
    let _page = far.serve_origin();
    let mut network = Network::start(&sandbox, vec![laptop, far]);
    network.wait_for_page("laptop", "far");
    let laptop_folder = sandbox.path("home/mine");
    for (name, folder) in [("laptop", &laptop_folder), ("far", &far_folder)] {
        wait_for("the folder", || folder.join("env").is_file().then_some(()));
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(
            read("hosts"),
            "127.0.42.11 laptop\n127.0.42.12 far\n127.0.42.12 far.example.com\n"
        );
        assert_eq!(
            read("hostaliases"),
            "laptop 127.0.42.11.nip.io\nfar 127.0.42.12.nip.io\n"
        );
        assert!(read("README.md").contains("NoRouter"));
        // The laptop has one proxy for HTTP and another one for SOCKS. The host `far` has only a SOCKS proxy.
        let script = "set -a; . ./env; curl -qsS http://far:8080/ https://far:8080/ 2>&1";
        let mut shell = network.host(name).bare_command(&["sh", "-c", script]);
        let answer = ended(shell.current_dir(folder));
        assert!(
            answer.out.starts_with("far\ncurl: (35)"),
            "{name}: {answer:?}"
        );
    }
    let script = "set -a; . ./env; getent ahosts far";
    let mut shell = network.laptop().bare_command(&["sh", "-c", script]);
    let found = ended(shell.current_dir(&laptop_folder));
    assert!(
        found.out.starts_with("127.0.42.12 "),
        "{found:?} {:?}",
        public.asked()
    );
    network.manager.signal(Signal::TERM);
    network.manager.wait();
    for folder in [laptop_folder, far_folder] {
        let files = ["env", "hosts", "hostaliases", "README.md"];
        wait_for("the end of the files", || {
            let is_left = files.iter().any(|file| folder.join(file).exists());
            (!is_left).then_some(())
        });
    }
    let mut left = String::new();
    for entry in fs::read_dir(sandbox.path("home")).unwrap() {
        writeln!(left, "{:?}", entry.unwrap().file_name()).unwrap();
    }
    // The manager keeps links to its sockets in a folder of its own.
    assert_eq!(left, "\".norouter\"\n\"mine\"\n");
}
