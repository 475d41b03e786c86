//! `norouter env` and `norouter exec`: the variables of a running agent reach shells and programs.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// A network of this machine only, with a home folder of its own.
struct Network {
    home: PathBuf,
    proxy: u16,
    manager: Child,
}

fn norouter(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_norouter"));
    command
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("SHELL", "/bin/sh")
        .env_remove("NOROUTER_NETWORK")
        .env_remove("http_proxy")
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .env_remove("HOSTALIASES");
    command
}

fn output(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

impl Network {
    /// Starts a network whose only host has a proxy, and an address that ends with `number`.
    fn start(name: &str, number: u8) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(home.join("run")).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = free.local_addr().unwrap().port();
        drop(free);
        let fields = format!(
            "vip: 127.0.43.{number}, ports: ['8080:127.0.0.1:9'], http: {{listen: '127.0.0.1:{proxy}'}}"
        );
        Self::start_with(home, proxy, &fields)
    }

    fn start_with(home: PathBuf, proxy: u16, fields: &str) -> Self {
        let manifest = home.join("norouter.yaml");
        let text = format!("hosts: {{laptop: {{dns: {{disable: true}}, {fields}}}}}\n");
        fs::write(&manifest, text).unwrap();
        let mut manager = norouter(&home, &[manifest.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(manager.stderr.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("Ready:")));
        Self {
            home,
            proxy,
            manager,
        }
    }

    /// Waits until the agent has written the variables, and returns them.
    fn variables(&self) -> serde_json::Value {
        loop {
            let (code, data, talk) = output(&mut norouter(&self.home, &["env", "--json"]));
            match code {
                0 => return serde_json::from_str(&data).unwrap(),
                3 => std::thread::yield_now(),
                _ => panic!("{talk}"),
            }
        }
    }

    fn stop(mut self) -> PathBuf {
        let pid = Pid::from_child(&self.manager);
        kill_process(pid, Signal::TERM).unwrap();
        self.manager.wait().unwrap();
        self.home.clone()
    }
}

/// Ends the manager. If it outlived its test, it would disturb the next run.
impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.manager.kill();
        let _ = self.manager.wait();
    }
}

#[test]
fn the_variables_of_a_running_agent_reach_shells_and_commands_and_go_with_it() {
    let network = Network::start("env", 1);
    let variables = network.variables();
    let proxy = format!("http://127.0.0.1:{}", network.proxy);
    let with_pass = variables["http_proxy"].as_str().unwrap();
    let pass = with_pass
        .strip_prefix("http://norouter:")
        .and_then(|rest| rest.strip_suffix(&format!("@127.0.0.1:{}", network.proxy)));
    assert_eq!(pass.map(str::len), Some(32), "128 bits: {with_pass}");
    let page = variables["NOROUTER_STATUS_PAGE"].as_str().unwrap();
    let token = page.strip_prefix(&format!("{proxy}/")).unwrap();
    assert_eq!(token.len(), 33, "128 bits in hexadecimal, and a slash");

    let script = "eval \"$(\"$0\" env)\"; echo \"$http_proxy\"";
    let mut shell = norouter(&network.home, &[]);
    let program = shell.get_program().to_owned();
    shell = Command::new("sh");
    shell
        .args(["-c", script])
        .arg(program)
        .env("HOME", &network.home)
        .env("XDG_RUNTIME_DIR", network.home.join("run"))
        .env("SHELL", "/bin/sh");
    assert_eq!(output(&mut shell).1.trim(), with_pass);

    let inside = [
        "exec",
        "--",
        "sh",
        "-c",
        "echo $http_proxy $HOSTALIASES; exit 7",
    ];
    let (code, data, _) = output(&mut norouter(&network.home, &inside));
    let aliases = network.home.join(".norouter/agent/hostaliases");
    assert_eq!(
        (code, data.trim()),
        (7, &*format!("{with_pass} {}", aliases.display()))
    );
    let names = fs::read_to_string(&aliases).unwrap();
    assert_eq!(names, "laptop 127.0.43.1.nip.io\n");
    let chains = network.home.join(".norouter/agent/proxychains.conf");
    let text = fs::read_to_string(&chains).unwrap();
    let end = format!(
        "[ProxyList]\nhttp 127.0.0.1 {} norouter {}\n",
        network.proxy,
        pass.unwrap()
    );
    assert!(text.ends_with(&end), "{text}");

    let home = network.stop();
    let (code, data, talk) = output(&mut norouter(&home, &["env"]));
    assert_eq!((code, data.as_str()), (3, ""));
    assert!(talk.contains("no network runs on this machine"), "{talk}");
    assert!(talk.contains("norouter up -d FILE"), "{talk}");
    assert!(!chains.exists(), "it would lead to a proxy that is gone");
    assert!(
        !aliases.exists(),
        "it would lead to addresses that are gone"
    );
}

#[test]
fn the_persons_own_exemptions_are_kept_and_everything_else_is_taken_away_again() {
    let network = Network::start("unset", 3);
    network.variables();
    let program = env!("CARGO_BIN_EXE_norouter");
    let script = "eval \"$(\"$0\" env)\"; echo \"$NO_PROXY\"; eval \"$(\"$0\" env --unset)\"; env";
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, program])
        .env_clear()
        .env("HOME", &network.home)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("NO_PROXY", ".corp, 10.0.0.0/8");
    let (code, data, talk) = output(&mut shell);
    assert_eq!(code, 0, "{talk}");
    let (list, rest) = data.split_once('\n').unwrap();
    assert_eq!(
        list,
        ".corp,10.0.0.0/8,localhost,.localhost,127.0.0.1,::1,127.0.43.3"
    );
    let left: Vec<&str> = rest
        .lines()
        .filter(|line| {
            let name = line.split('=').next().unwrap_or_default().to_lowercase();
            name.contains("proxy") || name.contains("norouter_") || name == "hostaliases"
        })
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    for name in ["no_proxy", "NO_PROXY"] {
        assert!(
            left.contains(&&*format!("{name}=.corp,10.0.0.0/8")),
            "{left:?}"
        );
    }
    network.stop();
}

#[test]
fn java_programs_are_led_to_the_proxy_where_that_is_asked_for() {
    let network = Network::start("java", 4);
    network.variables();
    let inside = [
        "exec",
        "--java",
        "--",
        "sh",
        "-c",
        "echo $JAVA_TOOL_OPTIONS",
    ];
    let mut command = norouter(&network.home, &inside);
    let (_, data, _) = output(command.env("JAVA_TOOL_OPTIONS", "-Dmine=1"));
    let port = network.proxy;
    assert_eq!(
        data.trim(),
        format!(
            "-Dmine=1 -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort={port} -Dhttps.proxyHost=127.0.0.1 \
             -Dhttps.proxyPort={port}"
        )
    );
    network.stop();
}

#[test]
fn a_person_is_told_that_there_is_no_proxy() {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-proxy");
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    let network = Network::start_with(home, 0, "loopback: {disable: true}");
    let variables = network.variables();
    assert_eq!(variables["HOSTALIASES"], serde_json::Value::Null);
    let (code, data, talk) = output(&mut norouter(&network.home, &["exec", "--", "echo", "hi"]));
    assert_eq!((code, data.as_str()), (0, "hi\n"));
    assert!(talk.contains("this host has no proxy"), "{talk}");
    network.stop();
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let network = Network::start("exec", 2);
    network.variables();
    let (code, _, talk) = output(&mut norouter(
        &network.home,
        &["exec", "--", "no-such-program"],
    ));
    assert_eq!(code, 127, "as from a shell");
    assert!(talk.contains("cannot start no-such-program"), "{talk}");
    let manifest = network.home.join("norouter.yaml");
    let file = manifest.to_str().unwrap();
    let (code, _, talk) = output(&mut norouter(&network.home, &["exec", "--", file]));
    assert_eq!(code, 126, "{talk}");
    assert!(talk.ends_with(": permission denied\n"), "{talk}");
    network.stop();
}
