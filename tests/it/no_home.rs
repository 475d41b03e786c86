//! A host whose user has no home folder, like a user with a random id in a container.

use std::time::Instant;

use super::home::{Home, PATIENCE};

const NEEDS: &str = "needs the variable HOME, which is not set on this host";

#[test]
fn the_usual_state_folder_is_missed_only_in_the_log_and_a_named_one_by_everybody() {
    let home = Home::new("no-home");
    let program = env!("CARGO_BIN_EXE_norouter");
    let host = |name: &str, vip: &str, command: &str, more: &str| {
        format!(
            "  {name}: {{vip: {vip}, cmd: [env, {command}, \"{program}\"], loopback: {{disable: true}}, dns: {{disable: true}}{more}}}\n"
        )
    };
    let manifest = [
        "hosts:\n  laptop: {vip: 127.0.64.1, dns: {disable: true}, stateDir: {disable: true}}\n",
        &host("unset", "127.0.64.2", "-uHOME", ""),
        &host("empty", "127.0.64.3", "HOME=", ""),
        &host(
            "named",
            "127.0.64.4",
            "HOME=",
            ", stateDir: {pathOnAgent: \"~/mine\"}",
        ),
    ];
    let file = home.write("no-home.yaml", &manifest.concat());
    let _manager = home.up(&[&file]);
    home.wait(&["--all"]);
    let host = |name: &str| {
        let status = home.run(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.data).unwrap();
        let hosts = status["hosts"].as_array().unwrap();
        let host = hosts.iter().find(|host| host["name"] == name);
        host.unwrap().clone()
    };
    let start = Instant::now();
    while host("named")["state"] != "degraded" {
        assert!(start.elapsed() < PATIENCE, "{}", host("named"));
    }
    assert!(host("named").to_string().contains(NEEDS));
    for name in ["unset", "empty"] {
        while !home.run(&["logs", name]).data.contains(NEEDS) {
            assert!(start.elapsed() < PATIENCE, "{name}: nothing in the log");
        }
        assert_eq!(host(name)["state"], "ready", "{}", host(name));
    }
}
