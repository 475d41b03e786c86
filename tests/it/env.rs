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
        .env("SHELL", "/bin/sh")
        .env_remove("http_proxy")
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
    fn start(name: &str) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = free.local_addr().unwrap().port();
        drop(free);
        let manifest = home.join("norouter.yaml");
        let text = format!(
            "hosts:\n  laptop:\n    http: {{listen: \"127.0.0.1:{proxy}\"}}\n    dns: {{disable: true}}\n"
        );
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

#[test]
fn the_variables_of_a_running_agent_reach_shells_and_commands_and_go_with_it() {
    let network = Network::start("env");
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
    assert_eq!(names, "laptop 127.0.42.100.nip.io\n");

    let home = network.stop();
    let (code, data, talk) = output(&mut norouter(&home, &["env"]));
    assert_eq!((code, data.as_str()), (3, ""));
    assert!(talk.contains("no agent runs"), "{talk}");
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let network = Network::start("exec");
    network.variables();
    let (code, _, talk) = output(&mut norouter(
        &network.home,
        &["exec", "--", "no-such-program"],
    ));
    assert_eq!(code, 1);
    assert!(talk.contains("cannot start no-such-program"), "{talk}");
    network.stop();
}
