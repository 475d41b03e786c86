//! Programs, such as package managers and git, that download files through the network's proxy.

use std::{fs, path::Path, process::Command};

use crate::{
    network::Host,
    office::{HTTP, Office},
    sandbox::{Ended, Origin, Running, Sandbox, client::noise, command, ended, output, wait_for},
};

/// A web site behind the gateway. Only the gateway can resolve its name.
const SITE: &str = "http://files.corp.test:8000";

/// The network [`Office`] and a web site behind its gateway, from which programs on the laptop download files.
struct Site {
    office: Office,
    _server: Running,
}

impl Site {
    fn open(sandbox: &Sandbox) -> Self {
        sandbox.write("site/index.html", "files\n");
        let office = Office::open(sandbox);
        let folder = sandbox.path("site");
        let words = [
            "/bin/busybox",
            "httpd",
            "-f",
            "-p",
            "10.99.0.7:8000",
            "-h",
            folder.to_str().unwrap(),
        ];
        let server = office.network.host("gate").serve(&words);
        wait_for("the site", || {
            (office.curl(&[SITE]).out == "files\n").then_some(())
        });
        Self {
            office,
            _server: server,
        }
    }

    fn laptop(&self) -> &Host {
        self.office.network.laptop()
    }

    /// Runs a program on the laptop with this folder as its home.
    fn run(&self, home: &Path, words: &[&str]) -> Ended {
        fs::create_dir_all(home).unwrap();
        let mut program = self.laptop().bare_command(words);
        let ended = ended(program.env("HOME", home).current_dir(home));
        assert_eq!(ended.code, 0, "{words:?}: {ended:?}");
        ended
    }
}

fn proxy() -> String {
    format!("http://{HTTP}")
}

/// Programs that read the variables of `norouter exec`. Each is started so that it shows the page at an address.
const READERS: [&[&str]; 6] = [
    &["curl", "-qsSg"],
    &["wget", "-qO", "-"],
    &["/bin/busybox", "wget", "-qO", "-"],
    &[
        "/usr/bin/python3",
        "-c",
        "import sys, urllib.request as r; sys.stdout.write(r.urlopen(sys.argv[1]).read().decode())",
    ],
    &[
        "perl",
        "-MHTTP::Tiny",
        "-e",
        "print HTTP::Tiny->new->get($ARGV[0])->{content}",
    ],
    &[
        "perl",
        "-MLWP::UserAgent",
        "-e",
        "print LWP::UserAgent->new->get($ARGV[0])->content",
    ],
];

/// Opens a WebSocket through the proxy that the variables name.
const WEBSOCKET: &str = "
import aiohttp, asyncio, sys
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        await session.ws_connect(sys.argv[1])
asyncio.run(main())
";

#[test]
fn the_variables_lead_each_program_to_each_kind_of_destination() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let network = &office.network;
    let _here = Origin::start(network.laptop().namespace(), "127.0.0.1:9000", "here");
    let vip = format!("http://{}:8080/", network.vip("web"));
    let state = office.state.to_str().unwrap();
    let exec = |words: &[&str]| {
        let before = ["exec", "--state-dir", state, "--"];
        ended(&mut network.norouter(&[&before, words].concat()))
    };
    for words in READERS {
        for (address, page) in [
            ("http://web:8080/", "web\n"),
            (&vip, "web\n"),
            ("http://six.corp.test:8000/", "six\n"),
            ("http://[fd99::5]:8000/", "six\n"),
            ("http://10.99.0.5:8000/", "db\n"),
            ("http://127.0.0.1:9000/", "here\n"),
        ] {
            let ended = exec(&[words, &[address]].concat());
            assert_eq!(ended.out, page, "{words:?} {address}: {ended:?}");
        }
    }
    // The server does not support WebSocket, so the program fails, but only after its request has arrived.
    let failed = exec(&["/usr/bin/python3", "-c", WEBSOCKET, "ws://web:8080/"]);
    let heads = office.web.heads();
    assert!(
        heads
            .iter()
            .any(|head| head.to_lowercase().contains("\r\nupgrade: websocket\r\n")),
        "{failed:?}"
    );
}

#[test]
fn wget_fetches_a_file_of_every_kind_of_name() {
    let sandbox = Sandbox::new();
    let bytes = noise(5, 3 << 20);
    let file = sandbox.write("site/large", &bytes);
    let site = Site::open(&sandbox);
    let proxy = format!("http_proxy={}", proxy());
    let home = sandbox.path("home");
    for (url, page) in [
        ("http://web:8080/", "web\n"),
        ("http://six.corp.test:8000/", "six\n"),
    ] {
        let words = [
            "wget",
            "-q",
            "-O",
            "-",
            "-e",
            "use_proxy=yes",
            "-e",
            &proxy,
            url,
        ];
        assert_eq!(site.run(&home, &words).out, page);
    }
    let url = format!("{SITE}/large");
    site.run(
        &home,
        &["wget", "-q", "-e", "use_proxy=yes", "-e", &proxy, &url],
    );
    output(command(&["cmp"]).arg(&file).arg(home.join("large")));
}

/// Runs git without the settings of this machine.
fn git(words: &[&str]) -> Command {
    let mut git = command(&["git"]);
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "lab"),
        ("GIT_AUTHOR_EMAIL", "lab@example.com"),
        ("GIT_COMMITTER_NAME", "lab"),
        ("GIT_COMMITTER_EMAIL", "lab@example.com"),
    ] {
        git.env(name, value);
    }
    git.args(words);
    git
}

#[test]
fn git_clones_a_repository_from_behind_the_gateway() {
    let sandbox = Sandbox::new();
    let bytes = noise(9, 2 << 20);
    let file = sandbox.write("work/bytes", &bytes);
    let (work, repositories) = (sandbox.path("work"), sandbox.path("repositories"));
    let work = work.to_str().unwrap();
    for words in [
        &["init", "-q", "-b", "main", work][..],
        &["-C", work, "add", "bytes"],
        &["-C", work, "commit", "-q", "-m", "bytes"],
        &[
            "clone",
            "-q",
            "--bare",
            work,
            repositories.join("work.git").to_str().unwrap(),
        ],
    ] {
        output(&mut git(words));
    }
    let script = format!(
        "#!/bin/sh\nexport GIT_PROJECT_ROOT={} GIT_HTTP_EXPORT_ALL=1 GIT_CONFIG_GLOBAL=/dev/null\nexec git http-backend\n",
        repositories.display()
    );
    sandbox.write_program("site/cgi-bin/git", &script);
    let site = Site::open(&sandbox);
    let (home, url) = (sandbox.path("home"), format!("{SITE}/cgi-bin/git/work.git"));
    let setting = format!("http.proxy={}", proxy());
    site.run(
        &home,
        &["git", "-c", &setting, "clone", "-q", &url, "clone"],
    );
    output(command(&["cmp"]).arg(&file).arg(home.join("clone/bytes")));
}

/// A Python script that writes a package with one module.
const WHEEL: &str = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    info = "tiny-1.0.dist-info/"
    wheel.writestr("tiny.py", "told = 'tiny'\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
"#;

#[test]
fn pip_downloads_a_package_from_behind_the_gateway() {
    const NAME: &str = "tiny-1.0-py3-none-any.whl";
    let sandbox = Sandbox::new();
    sandbox.write(
        "site/simple/tiny/index.html",
        format!("<a href=\"{NAME}\">{NAME}</a>\n"),
    );
    let wheel = sandbox.path("site/simple/tiny").join(NAME);
    output(command(&["python3", "-c", WHEEL]).arg(&wheel));
    let site = Site::open(&sandbox);
    let (home, proxy, index) = (sandbox.path("home"), proxy(), format!("{SITE}/simple/"));
    let words = [
        "pip3",
        "--isolated",
        "--proxy",
        &proxy,
        "--disable-pip-version-check",
        "download",
        "-q",
        "--no-cache-dir",
        "--no-deps",
        "--index-url",
        &index,
        "--trusted-host",
        "files.corp.test",
        "--dest",
        ".",
        "tiny",
    ];
    site.run(&home, &words);
    output(command(&["cmp"]).arg(&wheel).arg(home.join(NAME)));
}

#[test]
fn npm_installs_a_package_from_behind_the_gateway() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "package/package.json",
        r#"{"name": "tiny", "version": "1.0.0"}"#,
    );
    sandbox.write("package/index.js", "module.exports = 'tiny'\n");
    let about = format!(
        r#"{{"name": "tiny", "dist-tags": {{"latest": "1.0.0"}}, "versions": {{"1.0.0": {{"name": "tiny",
            "version": "1.0.0", "dist": {{"tarball": "{SITE}/npm/tiny.tgz"}}}}}}}}"#
    );
    sandbox.write("site/npm/tiny", about);
    let mut pack = command(&["tar", "-czf", "site/npm/tiny.tgz", "package"]);
    output(pack.current_dir(sandbox.path("")));
    let site = Site::open(&sandbox);
    let (home, registry, proxy) = (
        sandbox.path("home"),
        format!("--registry={SITE}/npm/"),
        format!("--proxy={}", proxy()),
    );
    sandbox.write("home/package.json", "{}");
    let words = [
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--fetch-retries=0",
        &registry,
        &proxy,
        "tiny",
    ];
    site.run(&home, &words);
    let installed = fs::read_to_string(home.join("node_modules/tiny/index.js")).unwrap();
    assert_eq!(installed, "module.exports = 'tiny'\n");
}

#[test]
fn a_browser_with_the_proxys_own_settings_shows_pages_of_hosts_and_routes() {
    let sandbox = Sandbox::new();
    let site = Site::open(&sandbox);
    let browser = ["chromium", "google-chrome"]
        .into_iter()
        .find(|name| ended(&mut command(&["which", name])).code == 0)
        .expect("there is no browser: run `cargo xtask setup`");
    let settings = format!("--proxy-pac-url=http://{HTTP}/proxy.pac");
    for (url, page) in [
        ("http://web:8080/", "web"),
        ("http://www.example.com:8080/", "web"),
        ("http://files.corp.test:8000/", "files"),
        ("http://six.corp.test:8000/", "six"),
        ("http://10.99.0.5:8000/", "db"),
    ] {
        let words = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--user-data-dir=profile",
            &settings,
            "--dump-dom",
            url,
        ];
        let shown = site.run(&sandbox.path("home"), &words);
        assert!(
            shown.out.contains(&format!(">{page}\n")),
            "{url}: {shown:?}"
        );
    }
    // A browser asks the server to keep the connection, and the proxy removes that field. If the field is missing here,
    // the request has gone through the proxy.
    let heads = site.office.db.heads();
    assert!(
        heads
            .iter()
            .any(|head| head.contains("Chrome") && !head.contains("\r\nConnection: keep-alive")),
        "{heads:?}"
    );
}
