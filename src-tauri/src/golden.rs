//! Records, in one file for Rust and TypeScript, the messages that the page receives from the start to the end of a
//! network. After each batch of messages, the file has the state that the page must have. The test here compares the
//! file with what the app sends now, or writes the file (`UPDATE=1 cargo test -p norouter-app`). The tests of the page
//! apply the same batches with the page's own reducer.

use std::{env, fs, path::PathBuf, time::Duration};

use norouter::{
    driver::control::{Client, client},
    view::{
        Event, HostState, HostView, LogLine, NetworkView, PromptKind, PromptView, Retry, Snapshot,
    },
};
use serde_json::{Value, json};

use crate::{
    desk::{Cursor, Desk},
    testing::{Folder, desk, host},
    view::News,
};

/// The recorded file has this path in place of the manifest's real path, so that the file is the same on every machine.
const PLACE: &str = "/home/ann/office.yaml";

/// A time limit that is much longer than any machine takes to notice that a file has changed.
const PATIENCE: Duration = Duration::from_mins(1);

const MANIFEST: &str = "hosts:\n  laptop: {vip: 127.0.42.100}\n  web: {vip: 127.0.42.101, cmd: [ssh, web, norouter, agent]}\n";

/// An app, a page that receives its news, and everything that the page has received so far.
struct Tale {
    desk: Desk,
    cursor: Cursor,
    manifest: PathBuf,
    /// The last lines of the log. They are kept after the network has ended.
    lines: Vec<Value>,
    text: Value,
    batches: Vec<Value>,
}

impl Tale {
    /// Sends the news to the page, and records the resulting state.
    fn tell(&mut self, about: &str) {
        let news = self.desk.news(&mut self.cursor);
        assert!(!news.is_empty(), "{about}: nothing was told");
        for news in &news {
            if let News::Manifest { manifest } = news {
                self.text = json!(manifest);
            }
        }
        let whole = self.desk.news(&mut Cursor::default());
        let lines = whole.iter().filter_map(|news| match news {
            News::Line { line } => Some(json!(line)),
            News::App { .. }
            | News::Network { .. }
            | News::Host { .. }
            | News::Missed { .. }
            | News::Manifest { .. }
            | News::Ended
            | News::Go { .. } => None,
        });
        let lines: Vec<Value> = lines.collect();
        if !lines.is_empty() {
            self.lines = lines;
        }
        let mut batch = json!({
            "about": about,
            "news": news,
            "then": {
                "app": self.desk.app(),
                "network": self.desk.network(),
                "lines": self.lines,
                "manifest": self.text,
            },
        });
        settle(&mut batch, &self.manifest.display().to_string());
        self.batches.push(batch);
    }

    fn hear(&self, session: u64, item: client::StreamItem) {
        self.desk.hear(session, item);
    }
}

/// Replaces values that differ between machines or versions by fixed values.
fn settle(value: &mut Value, manifest: &str) {
    match value {
        Value::String(text) => *text = text.replace(manifest, PLACE),
        Value::Array(values) => values.iter_mut().for_each(|value| settle(value, manifest)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "version" => *value = json!("1.0.0"),
                    "platform" => *value = json!("linux"),
                    _ => settle(value, manifest),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn network(pid: u32, now_ms: u64, hosts: Vec<HostView>) -> NetworkView {
    NetworkView {
        network: "office".to_owned(),
        manifest: Some(PLACE.to_owned()),
        version: String::new(),
        pid,
        uptime_ms: now_ms,
        snapshot: Snapshot {
            now_ms,
            hosts,
            held: None,
            unapplied: None,
        },
    }
}

fn at(since_ms: u64, mut host: HostView) -> client::StreamItem {
    host.since_ms = since_ms;
    client::StreamItem::Host(Box::new(host))
}

fn line(seq: u64, event: Event) -> client::StreamItem {
    let time_ms = 1_700_000_000_000 + seq;
    client::StreamItem::Event(LogLine::new(seq, time_ms, event))
}

fn said(seq: u64, text: &str) -> client::StreamItem {
    let (host, vip) = ("web".to_owned(), "127.0.42.101".to_owned());
    let line_said = text.to_owned();
    line(
        seq,
        Event::Stderr {
            host,
            vip,
            line: line_said,
        },
    )
}

fn became(seq: u64, of: &HostView) -> client::StreamItem {
    line(
        seq,
        Event::Host {
            host: of.name.clone(),
            vip: of.vip.clone(),
            state: of.state,
            reason: of.reason.clone(),
            retry: of.retry,
        },
    )
}

/// Opens a manifest. Another program then changes it on the disk. The network is not started yet.
async fn opened(folder: &Folder) -> Tale {
    let desk = desk(folder);
    let mut tale = Tale {
        cursor: Cursor::default(),
        manifest: folder.file("office.yaml", MANIFEST),
        lines: Vec::new(),
        text: Value::Null,
        batches: Vec::new(),
        desk,
    };
    tale.tell("the app has begun");
    tale.desk.open(&tale.manifest).await.unwrap();
    // The networks of other tests may run at the same time.
    tale.desk.edit(|state| state.running.clear());
    tale.tell("a manifest is open, and its commands wait for consent");
    let mut wakes = tale.desk.wakes();
    wakes.mark_unchanged();
    folder.file("office.yaml", &format!("# For ann\n{MANIFEST}"));
    let seen = tokio::time::timeout(PATIENCE, wakes.changed()).await;
    seen.expect("the change is not seen").unwrap();
    tale.tell("the file was changed on the disk");
    tale
}

/// Takes a network from its start to its end, and then begins to show its next run.
fn lives(tale: &mut Tale) {
    let client = || Client::new("office".parse().unwrap());
    let place = Some(tale.manifest.clone());
    let one = tale.desk.begin(client(), place.clone());
    tale.tell("a network is shown, of which nothing is known yet");

    let hosts = |state| ["laptop", "web", "vault"].map(|name| host(name, state));
    let whole = network(7, 100, hosts(HostState::Starting).to_vec());
    tale.hear(one, said(1, "Warning: Permanently added 'web'"));
    tale.hear(one, client::StreamItem::Snapshot(whole));
    tale.tell("its first state, and its first line");

    let mut web = host("web", HostState::Ready);
    (web.version, web.latency_us) = (Some("1.0.0".to_owned()), Some(1_500));
    let mut vault = host("vault", HostState::NeedsYou);
    vault.reason = Some("it asks for something".to_owned());
    vault.prompts = vec![PromptView {
        id: 3,
        kind: PromptKind::Secret,
        text: "ann's password: ".to_owned(),
    }];
    tale.hear(one, at(400, web.clone()));
    tale.hear(one, became(2, &web));
    tale.hear(one, at(450, vault.clone()));
    tale.hear(one, became(3, &vault));
    tale.hear(one, at(460, host("stranger", HostState::Ready)));
    tale.tell("one host is ready, one asks, and one is not of this network");

    let mut hosts = vec![host("laptop", HostState::Starting), web.clone(), vault];
    hosts[1].traffic.flows = 2;
    hosts[1].traffic.bytes_from = 4_096;
    let asked = network(7, 1_500, hosts);
    let refreshed = tale
        .desk
        .with_session(one, |session, change| session.truth.refresh(&asked, change));
    refreshed.unwrap();
    tale.tell("traffic");

    // The news of a changed host contains the host's traffic, too.
    web.state = HostState::Waiting;
    web.reason = Some("its command has ended with code 255".to_owned());
    web.retry = Some(Retry {
        attempt: 1,
        at_ms: 2_600,
        pause_ms: 1_000,
    });
    web.stderr = vec!["Connection reset by peer".to_owned()];
    web.traffic = asked.snapshot.hosts[1].traffic;
    tale.hear(one, at(1_600, web.clone()));
    tale.hear(one, became(4, &web));
    // The manager has dropped lines 5 and 6 because they came too fast.
    tale.hear(one, said(7, "Connection reset by peer"));
    tale.tell("a host is lost, and lines are missed");

    tale.desk.fail(
        crate::words::failure::RELOAD,
        "error: no such field: prots\n --> office.yaml:3:5",
    );
    tale.tell("a mistake in the manifest");

    tale.desk.edit(|state| state.failure = None);
    let changes = vec!["db was added".to_owned(), "vault was removed".to_owned()];
    let grants = vec!["this machine runs, for db: ssh db".to_owned()];
    tale.hear(one, line(8, Event::Reloaded { changes, grants }));
    let db = host("db", HostState::Greeting);
    let whole = network(7, 3_000, vec![host("laptop", HostState::Ready), web, db]);
    tale.hear(one, client::StreamItem::Snapshot(whole));
    tale.tell("the mistake is mended, and the hosts are others");

    tale.desk.detach().unwrap();
    tale.tell("the network is shown no more");

    let two = tale.desk.begin(client(), place);
    tale.hear(two, said(1, "a line of the next run"));
    tale.tell("the next run speaks before its state is known");
    let whole = network(8, 20, vec![host("laptop", HostState::Ready)]);
    tale.hear(two, client::StreamItem::Snapshot(whole));
    tale.tell("the next run is known");
}

#[tokio::test]
async fn the_page_folds_these_batches_into_these_states() {
    let folder = Folder::new("golden");
    let mut tale = opened(&folder).await;
    // From here on, the test does not await anything. Otherwise another task could run in between, and look for a
    // manager of this name.
    lives(&mut tale);
    assert_eq!(tale.batches.len(), 13);
    let lines: Vec<String> = tale.batches.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/src/lib/golden/news.json");
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &text).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    let there = there.replace("\r\n", "\n");
    for (number, (is, was)) in text.lines().zip(there.lines()).enumerate() {
        assert_eq!(
            is, was,
            "run `UPDATE=1 cargo test -p norouter-app`: line {number}"
        );
    }
    assert_eq!(text, there, "run `UPDATE=1 cargo test -p norouter-app`");
}
