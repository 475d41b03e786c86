//! A database client that does not know about the network between it and its server.

use crate::{
    network::{Host, Network},
    sandbox::{Postgres, Sandbox, command, output},
};

/// Rows of about 67 bytes: 200 MB.
const ROWS: &str =
    "select i, md5(i::text) || md5((i + 1)::text) from generate_series(1, 2800000) i";

#[test]
fn pgbench_runs_and_200_megabytes_come_and_go_unharmed() {
    let sandbox = Sandbox::new();
    let hosts = vec![
        Host::laptop(),
        Host::netns("db", &sandbox).ports(&["5432:127.0.0.1:5432", "8080:127.0.0.1:8000"]),
    ];
    let postgres = Postgres::start(&sandbox, hosts[1].namespace());
    let _page = hosts[1].serve_name(&sandbox);
    let mut network = Network::start(&sandbox, hosts);
    network.wait_for_page("laptop", "db");

    let address = network.vip("db");
    let words = |program: &str, address: &str, rest: &[&str]| {
        let mut words = vec![
            postgres.program(program),
            "-h".to_owned(),
            address.to_owned(),
        ];
        words.extend(["-U", "lab"].map(str::to_owned));
        words.extend(rest.iter().map(|word| (*word).to_owned()));
        words
    };
    let laptop =
        |program: &str, rest: &[&str]| network.laptop().command(&words(program, &address, rest));
    output(&mut laptop(
        "pgbench",
        &["--initialize", "--scale", "4", "--quiet", "postgres"],
    ));
    let report = output(&mut laptop(
        "pgbench",
        &[
            "--client",
            "8",
            "--jobs",
            "2",
            "--time",
            "5",
            "--no-vacuum",
            "postgres",
        ],
    ));
    println!("{report}");
    assert!(
        report.contains("number of failed transactions: 0"),
        "{report}"
    );
    let connecting = output(&mut laptop(
        "pgbench",
        &[
            "--connect",
            "--select-only",
            "-c",
            "4",
            "-T",
            "3",
            "-n",
            "postgres",
        ],
    ));
    assert!(
        connecting.contains("number of failed transactions: 0"),
        "{connecting}"
    );

    // Export: runs the same query through the network and directly at the server.
    let file = sandbox.path("rows");
    let copy_out = format!("\\copy ({ROWS}) to '{}'", file.display());
    output(&mut laptop(
        "psql",
        &["-X", "-q", "-d", "postgres", "-c", &copy_out],
    ));
    let bytes = std::fs::metadata(&file).unwrap().len();
    assert!(bytes > 200_000_000, "only {bytes} bytes");
    let sent = hash(&file);
    let beside = sandbox.path("beside");
    let local = words("psql", "127.0.0.1", &["-X", "-q", "-d", "postgres", "-c"]);
    let at_home = |sql: &str| {
        let mut words = local.clone();
        words.push(sql.to_owned());
        output(&mut network.host("db").command(&words))
    };
    at_home(&format!("\\copy ({ROWS}) to '{}'", beside.display()));
    assert_eq!(
        sent,
        hash(&beside),
        "what came out through the network differs"
    );

    // Import: the rows go to the server through the network, and are then read directly at the server.
    at_home("create unlogged table rows (i int, t text)");
    let copy_in = format!("\\copy rows from '{}'", file.display());
    output(&mut laptop(
        "psql",
        &["-X", "-q", "-d", "postgres", "-c", &copy_in],
    ));
    at_home(&format!(
        "\\copy (select * from rows order by i) to '{}'",
        beside.display()
    ));
    assert_eq!(
        sent,
        hash(&beside),
        "what went in through the network differs"
    );
    let stored = at_home("select 'rows: ' || count(*) from rows");
    assert!(stored.contains("rows: 2800000"), "{stored}");
}

fn hash(file: &std::path::Path) -> String {
    output(command(&["sha256sum"]).arg(file))
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}
