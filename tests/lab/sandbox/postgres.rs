//! A real PostgreSQL server in a namespace, with its own data folder and no password.

use std::{fs, path::PathBuf};

use super::{Netns, Running, Sandbox, command, output, unique, wait_for};

/// A server that listens on 127.0.0.1:5432 of its namespace.
pub(crate) struct Postgres {
    _sandbox: Sandbox,
    _server: Running,
    programs: PathBuf,
}

impl Postgres {
    /// Creates a data folder, and starts a server with it.
    pub(crate) fn start(sandbox: &Sandbox, netns: &Netns) -> Self {
        let programs = programs();
        let folder = sandbox.path(&unique("pg"));
        fs::create_dir_all(&folder).unwrap();
        output(command(&["chown", "postgres:"]).arg(&folder));
        let data = folder.join("data");
        output(
            command(&["runuser", "-u", "postgres", "--"])
                .arg(programs.join("initdb"))
                .args([
                    "--no-sync",
                    "--auth",
                    "trust",
                    "--username",
                    "lab",
                    "--encoding",
                    "UTF8",
                    "--pgdata",
                ])
                .arg(&data)
                .current_dir(&folder),
        );
        let mut start = netns.command(&["runuser", "-u", "postgres", "--"]);
        start
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            // The data are not needed after the test, so speed matters more than durability.
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                "5432",
                "-F",
                "-c",
                "synchronous_commit=off",
                "-c",
                "max_wal_size=4GB",
            ])
            .current_dir(&folder);
        let server = Running::start("postgres", &mut start);
        wait_for("PostgreSQL", || {
            let ready = command(&[programs.join("pg_isready")])
                .arg("-q")
                .arg("-h")
                .arg(&folder)
                .status();
            ready.is_ok_and(|status| status.success()).then_some(())
        });
        Self {
            _sandbox: sandbox.clone(),
            _server: server,
            programs,
        }
    }

    /// A client program (`psql`, `pgbench`) of the server's version.
    pub(crate) fn program(&self, name: &str) -> String {
        self.programs.join(name).to_str().unwrap().to_owned()
    }
}

/// The folder of the newest PostgreSQL server among those that are installed from Debian's packages.
fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is not installed: run `cargo xtask setup`")
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    versions.sort();
    versions
        .pop()
        .expect("no PostgreSQL server in /usr/lib/postgresql")
}
