//! The installer script. This machine serves the release that it installs.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

/// A folder with a release, which a web server offers, and a home folder for the installation.
struct Release {
    folder: PathBuf,
    base: String,
}

impl Release {
    /// Creates a release whose program prints `program`, with the checksums that `sha256sum` prints.
    fn new(name: &str, program: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("home")).unwrap();
        fs::write(
            folder.join("norouter"),
            format!("#!/bin/sh\necho {program}\n"),
        )
        .unwrap();
        fs::set_permissions(folder.join("norouter"), fs::Permissions::from_mode(0o755)).unwrap();
        let script = "file=norouter-$(uname -s)-$(uname -m).tgz
            tar -czf $file norouter && (sha256sum $file || shasum -a 256 $file) > SHA256SUMS";
        let made = Command::new("sh")
            .args(["-c", script])
            .current_dir(&folder)
            .status();
        assert!(made.unwrap().success());
        let base = serve(folder.clone());
        Self { folder, base }
    }

    fn installed(&self) -> PathBuf {
        self.folder.join("home/bin/norouter")
    }

    /// Pipes the script to a shell, as people do. Returns the output.
    fn install(&self, shell: &str) -> Output {
        let mut child = Command::new(shell)
            .env("HOME", self.folder.join("home"))
            .env("NOROUTER_INSTALL_BASE", &self.base)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(script().as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Serves the files of a folder over HTTP until the test process ends.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let path = request.split(' ').nth(1).unwrap().trim_start_matches('/');
            let (status, body) = match fs::read(folder.join(path)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    base
}

fn script() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_norouter"))
        .arg("show-installer")
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_installer_installs_what_the_sums_confirm() {
    let release = Release::new("installer-good", "it runs");
    let output = release.install("sh");
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains(concat!("(version ", env!("CARGO_PKG_VERSION"), ")")),
        "{}",
        said(&output)
    );
    let run = Command::new(release.installed()).output().unwrap();
    assert_eq!(said(&run), "it runs\n");
    let left: Vec<_> = fs::read_dir(release.folder.join("home/bin"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "something was left behind: {left:?}");
}

#[test]
fn the_installer_refuses_a_file_with_another_sum_and_keeps_what_is_there() {
    let release = Release::new("installer-bad", "evil");
    let sums = fs::read_to_string(release.folder.join("SHA256SUMS")).unwrap();
    let (_, file) = sums.split_once(' ').unwrap();
    fs::write(
        release.folder.join("SHA256SUMS"),
        format!("{} {file}", "0".repeat(64)),
    )
    .unwrap();
    fs::create_dir_all(release.folder.join("home/bin")).unwrap();
    fs::write(release.installed(), "old").unwrap();
    let output = release.install("sh");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("nothing was installed"),
        "{}",
        said(&output)
    );
    assert_eq!(fs::read_to_string(release.installed()).unwrap(), "old");
}

#[test]
fn the_installer_says_what_could_not_be_downloaded() {
    let release = Release::new("installer-none", "x");
    fs::remove_file(release.folder.join("SHA256SUMS")).unwrap();
    let output = release.install("sh");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("cannot download http://"),
        "{}",
        said(&output)
    );
    assert!(!release.installed().exists());
}

#[test]
fn the_installer_is_plain_posix_shell_and_half_of_it_does_nothing() {
    let script = script();
    assert!(!script.contains("@VERSION@"));
    let shells: Vec<&str> = ["sh", "dash", "bash"]
        .into_iter()
        .filter(|shell| Command::new(shell).args(["-c", ":"]).status().is_ok())
        .collect();
    assert!(shells.contains(&"sh"));
    for shell in shells {
        let mut child = Command::new(shell)
            .arg("-n")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success(), "{shell} -n");
    }
    let calls = script
        .lines()
        .filter(|line| line.starts_with("install_norouter"))
        .count();
    assert_eq!(calls, 2, "the definition and the call");
    assert_eq!(script.trim_end().lines().last(), Some("install_norouter"));
}
