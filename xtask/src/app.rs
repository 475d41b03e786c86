//! Builds the desktop app: its page, its program and its packages. Runs its tests on a virtual display.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use crate::{
    agents,
    run::{Failure, cargo, command, has, read, root, run, say, step, target},
    setup,
};

/// The npm package that builds .deb and .rpm files. Its version is pinned, and must fit the crates in Cargo.lock.
const BUNDLER: &str = "@tauri-apps/cli@2.12.5";

/// The files that every package has to contain. The line break after `usr/bin/norouter` is needed because
/// `norouter-app` begins in the same way.
const INSIDE: &[&str] = &[
    "usr/bin/norouter-app",
    "usr/bin/norouter\n",
    "usr/share/applications/norouter.desktop",
    "usr/share/icons/hicolor/128x128/apps/norouter-app.png",
    "usr/share/metainfo/io.github.norouter.app.metainfo.xml",
    "usr/share/mime/packages/norouter.xml",
    "usr/share/doc/norouter/MANIFEST.md",
    "usr/share/doc/norouter/manifest.schema.json",
    "usr/share/man/man1/norouter.1",
    "usr/share/man/man1/norouter-up.1",
];

/// How long a display may take to come up.
const DISPLAY_MAX: Duration = Duration::from_secs(20);

/// Builds the page, and then the program that contains it.
pub(crate) fn build() -> Result<(), Failure> {
    step("app: page", page)?;
    step("app: program", || {
        run(&mut cargo(
            "build --locked -p norouter-app --features custom-protocol",
        ))
    })
}

fn page() -> Result<(), Failure> {
    modules()?;
    run(npm()?.args(["run", "build"]))
}

/// Installs the page's dependencies in their locked versions. Several steps need them, but only the first call installs
/// them.
fn modules() -> Result<(), Failure> {
    static DONE: OnceLock<()> = OnceLock::new();
    if DONE.get().is_none() {
        run(npm()?
            .args(["ci", "--no-audit", "--no-fund"])
            // The tests use the browser of this machine, so none is downloaded.
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))?;
    }
    let () = DONE.get_or_init(|| ());
    Ok(())
}

fn npm() -> Result<Command, Failure> {
    let mut npm = setup::npm()?;
    npm.current_dir(root().join("ui"));
    Ok(npm)
}

/// Checks the page without the app's program: its types, its logic, and all of its views, in a browser.
pub(crate) fn ui() -> Result<(), Failure> {
    step("ui: what it is made of", modules)?;
    step("ui: types", || run(npm()?.args(["run", "check"])))?;
    step("ui: logic", || run(npm()?.args(["run", "unit"])))?;
    step("ui: every view in a browser", || {
        run(npm()?
            .args(["run", "e2e"])
            .env("CHROMIUM", setup::browser()?))
    })
}

/// Builds the packages for this machine, which contain the app and the command line program.
pub(crate) fn package() -> Result<(), Failure> {
    step("package: what it needs", setup::packaging)?;
    step("package: page", page)?;
    step("package: program", || {
        // The two programs are built separately. A common build would enable features in the app that only the command
        // line needs.
        run(&mut cargo(
            "build --locked --release -p norouter-app --features custom-protocol",
        ))?;
        run(&mut cargo(
            "build --locked --release -p norouter --bin norouter",
        ))
    })?;
    step("package: manual pages", || {
        let pages = manual_pages();
        // The old pages are removed, because a command may not exist any more.
        if pages.exists() {
            fs::remove_dir_all(&pages)?;
        }
        run(cargo("run --locked -p norouter --example man --").arg(&pages))
    })?;
    agents::build()?;
    step("package: bundles", bundles)
}

/// The folder with the manual pages of the command line program.
fn manual_pages() -> PathBuf {
    target().join("man")
}

fn bundles() -> Result<(), Failure> {
    let place = target().join("release/bundle");
    // The old packages are removed, because a package of an older version could be mistaken for the new one.
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let files = format!(
        r#"{{"files": {{"/usr/bin/norouter": {:?}, "/usr/lib/norouter/agents": {:?}, "/usr/share/man/man1": {:?}}}}}"#,
        target().join("release/norouter").display().to_string(),
        agents::folder().display().to_string(),
        manual_pages().display().to_string()
    );
    run(npm()?
        .args(["exec", "--yes", "--", BUNDLER, "bundle"])
        .args(["--bundles", "deb,rpm", "--config"])
        .arg(format!(
            r#"{{"bundle": {{"linux": {{"deb": {files}, "rpm": {files}}}}}}}"#
        ))
        .env("CARGO_TARGET_DIR", target())
        .current_dir(root().join("src-tauri")))?;
    for (kind, lister, list) in [("deb", "dpkg-deb", "--contents"), ("rpm", "rpm", "-qlp")] {
        let path = made(&place.join(kind), kind)?;
        say(&format!(
            "{} {} bytes",
            path.display(),
            path.metadata()?.len()
        ));
        if has(lister) {
            let inside = read(command(lister).arg(list).arg(&path))?;
            let agents = agents::names()?;
            let agents = agents
                .iter()
                .map(|name| format!("usr/lib/norouter/agents/{name}"));
            let mut files = INSIDE.iter().map(|&file| file.to_owned()).chain(agents);
            if let Some(missing) = files.find(|file| !inside.contains(file)) {
                return Err(Failure::new(format!("{missing} is not in it")));
            }
        } else {
            say(&format!(
                "what is in it was not looked at: there is no {lister} here"
            ));
        }
    }
    Ok(())
}

/// The path of the only file with this extension in a folder. Fails if there is not exactly one.
fn made(folder: &Path, ending: &str) -> Result<PathBuf, Failure> {
    let files = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut packages = files
        .iter()
        .map(fs::DirEntry::path)
        .filter(|path| path.extension().is_some_and(|it| it == ending));
    match (packages.next(), packages.next()) {
        (Some(package), None) => Ok(package),
        _ => Err(Failure::new(format!(
            "there is not one .{ending} in {}",
            folder.display()
        ))),
    }
}

/// Runs the app's tests. Those that need a window or a tray get a virtual screen and a message bus.
pub(crate) fn tests() -> Result<(), Failure> {
    step("app: page", page)?;
    // Tests enable further features of the crates, so the program is first built without these features.
    step("app: program, without what its tests bring", || {
        run(&mut cargo(
            "check --locked -p norouter-app --features custom-protocol",
        ))
    })?;
    step("app: the agent of its tests", || {
        run(&mut cargo("build --locked -p norouter --bin norouter"))
    })?;
    step("app: tests", || {
        run(&mut cargo(
            "test --locked -p norouter-app --features custom-protocol",
        ))
    })?;
    step("app: tests on a screen", || {
        let display = VirtualDisplay::open()?;
        let outcome = run(display
            .dress(&mut command("dbus-run-session"))
            .env("NOROUTER", target().join("debug/norouter"))
            .args(["--", "cargo", "test", "--locked", "-p", "norouter-app"])
            .args(["--features", "custom-protocol", "--test", "screen"])
            .args(["--", "--test-threads=1"]));
        display.close();
        outcome
    })
}

/// A virtual X display, and a home folder for the programs that use it.
struct VirtualDisplay {
    server: Child,
    display: String,
    home: PathBuf,
}

impl VirtualDisplay {
    fn open() -> Result<Self, Failure> {
        let home = std::env::temp_dir().join(format!("norouter-screen-{}", std::process::id()));
        fs::create_dir_all(&home)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&home, fs::Permissions::from_mode(0o700))?;
        }
        // The X server chooses a free display number, and writes it to its standard output.
        let number = home.join("display");
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1400x950x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(fs::File::create(&number)?)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Failure::new(format!("cannot start Xvfb: {error}")))?;
        let start = Instant::now();
        loop {
            let written = fs::read_to_string(&number)?;
            if let Some(number) = written.strip_suffix('\n') {
                let display = format!(":{number}");
                return Ok(Self {
                    server,
                    display,
                    home,
                });
            }
            if start.elapsed() > DISPLAY_MAX || server.try_wait()?.is_some() {
                let _ = server.kill();
                return Err(Failure::new("Xvfb has not come up"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let at = |name: &str| self.home.join(name);
        let real = |variable: &str, folder: &str| {
            let home = std::env::var_os("HOME")
                .map(PathBuf::from)
                .unwrap_or_default();
            std::env::var_os(variable).map_or_else(|| home.join(folder), PathBuf::from)
        };
        command
            .env("CARGO_HOME", real("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", real("RUSTUP_HOME", ".rustup"))
            .env("DISPLAY", &self.display)
            .env("HOME", &self.home)
            .env("XDG_RUNTIME_DIR", &self.home)
            .env("XDG_DATA_HOME", at("data"))
            .env("XDG_CONFIG_HOME", at("config"))
            .env("XDG_CACHE_HOME", at("cache"))
            .env("GTK_USE_PORTAL", "0")
            .env("LANG", "C.UTF-8")
            // On a machine without a graphics card, this makes drawing several times faster.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
    }

    fn close(mut self) {
        // Errors are ignored, because they do not change the outcome of the tests.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}
