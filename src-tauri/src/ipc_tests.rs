//! Tests of the commands that the page can call. Whatever the page sends, nothing breaks, and nothing happens that was
//! not properly requested.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use serde_json::{Value, json};
use tauri::{
    App, Manager as _, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder},
    webview::InvokeRequest,
};

use crate::{
    commands,
    desk::Desk,
    feed, imports,
    surface::Surface,
    testing::{Folder, Paper, desk},
    trials, window,
};

/// The app with its real commands and permissions, but without a desktop.
struct Rig {
    paper: Arc<Paper>,
    folder: Folder,
    desk: Desk,
    page: WebviewWindow<MockRuntime>,
    app: App<MockRuntime>,
}

impl Rig {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let desk = desk(&folder);
        let paper = Arc::new(Paper::default());
        let app = mock_builder()
            .invoke_handler(commands::handler())
            .build(tauri::generate_context!(test = true))
            .unwrap();
        let surface: Arc<dyn Surface> = paper.clone();
        app.manage(desk.clone());
        app.manage(surface);
        app.manage(feed::Feed::default());
        app.manage(imports::Found::default());
        app.manage(trials::Trials::default());
        let page = WebviewWindowBuilder::new(&app, window::MAIN, WebviewUrl::default());
        let page = page.build().unwrap();
        Self {
            paper,
            folder,
            desk,
            page,
            app,
        }
    }

    fn ask(&self, command: &str, body: Value) -> Result<Value, Value> {
        ask(&self.page, command, body)
    }
}

fn ask(page: &WebviewWindow<MockRuntime>, command: &str, body: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().unwrap(),
        body: InvokeBody::Json(body),
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    let answer = get_ipc_response(page, request)?;
    Ok(answer.deserialize().unwrap_or(Value::Null))
}

/// Arguments that a correct page would never send.
fn nonsense() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("../../etc/passwd"),
        json!("/dev/zero"),
        json!("relative.yaml"),
        json!("a\u{0}b"),
        json!("a/b?c=d&e#f"),
        json!("\u{202e}\u{1b}[2J"),
        json!("file:///etc/passwd"),
        json!("http://example.com/"),
        json!("x".repeat(100_000)),
        json!([]),
        json!([1, [2, [3]]]),
        json!({}),
        json!({"host": {"host": "a"}}),
        json!(vec!["x"; 1_000]),
    ]
}

/// The names of all arguments of all commands.
const ARGUMENTS: [&str; 24] = [
    "limit", "host", "target", "from", "path", "digest", "agree", "name", "id", "prompt", "text",
    "remember", "settings", "offers", "base", "shell", "url", "message", "channel", "number",
    "more", "edits", "mine", "theirs",
];

/// Commands that have no arguments, and do something visible whenever they are called. No wrong argument can make them
/// fail.
const WITHOUT_ARGUMENTS: [&str; 4] = ["open_dialog", "create_example", "quit", "open_demo"];

#[test]
fn whatever_the_page_sends_nothing_breaks_and_nothing_happens() {
    let rig = Rig::new("fuzz");
    let mut refused = 0;
    let mut asked = 0;
    // A pseudorandom generator with a fixed seed, so that a failure can be reproduced.
    let mut seed = 1_u64;
    let mut next = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let nonsense = nonsense();
    for name in commands::NAMES {
        // The commands that are skipped here can be called without arguments. Three of them would also take a long time,
        // because they examine this machine.
        if ["checks", "imports", "diagnostics"].contains(name) || WITHOUT_ARGUMENTS.contains(name) {
            continue;
        }
        for round in 0..40 {
            let mut body = serde_json::Map::new();
            if round > 0 {
                for argument in ARGUMENTS {
                    if next(4) > 0 {
                        let value = nonsense[next(nonsense.len())].clone();
                        body.insert(argument.to_owned(), value);
                    }
                }
            }
            asked += 1;
            refused += usize::from(rig.ask(name, Value::Object(body)).is_err());
        }
    }
    assert!(
        asked > 1_000 && refused > asked / 2,
        "{refused} of {asked} refused"
    );
    let done: BTreeSet<String> = rig.paper.taken().into_iter().collect();
    // Two effects are harmless: a text of an allowed length is copied, or it is offered for saving. In the second case,
    // the person still has to choose the file.
    let harmless =
        |what: &String| what.starts_with("copied ") || what.starts_with("asked for a place");
    let harm: Vec<&String> = done.iter().filter(|what| !harmless(what)).collect();
    assert_eq!(harm, Vec::<&String>::new());
    assert!(rig.desk.app().network.is_none());
    assert!(rig.desk.app().manifest.is_none());
    assert_eq!(rig.desk.settings(), crate::view::Settings::default());
    assert!(!rig.folder.path("config").exists(), "a file was written");
}

#[test]
fn the_page_may_use_its_commands_and_nothing_else() {
    let rig = Rig::new("allowed");
    let app = rig.ask("app", json!({})).unwrap();
    assert_eq!(app["version"], norouter::VERSION);
    for foreign in [
        "plugin:window|close",
        "plugin:window|set_title",
        "plugin:webview|create_webview_window",
        "plugin:event|listen",
        "plugin:path|resolve_directory",
        "plugin:app|version",
        "plugin:menu|new",
        "plugin:tray|new",
        "plugin:dialog|open",
        "plugin:autostart|enable",
        "plugin:shell|execute",
        "no_such_command",
    ] {
        let refused = rig.ask(foreign, json!({})).unwrap_err();
        let why = refused.as_str().unwrap();
        assert!(
            why.contains("not allowed") || why.contains("not found"),
            "{foreign}: {why}"
        );
        let core = foreign
            .split('|')
            .next()
            .unwrap()
            .trim_start_matches("plugin:");
        if ["window", "webview", "event", "path", "app", "menu", "tray"].contains(&core) {
            assert!(why.contains("not allowed"), "{foreign}: {why}");
        }
    }
    // A window with another name must not call any command.
    let other = WebviewWindowBuilder::new(&rig.app, "other", WebviewUrl::default());
    let other = other.build().unwrap();
    let refused = ask(&other, "app", json!({})).unwrap_err();
    assert!(
        refused.as_str().unwrap().contains("not allowed"),
        "{refused}"
    );
}

#[test]
fn what_is_asked_well_is_done() {
    let rig = Rig::new("well");
    rig.ask("copy", json!({"text": "127.0.42.101:80"})).unwrap();
    let settings = json!({"theme": "dark", "startAtLogin": true, "notifyLost": false, "notifyNeedsYou": true, "openLast": false});
    rig.ask("set_settings", json!({"settings": settings}))
        .unwrap();
    assert_eq!(
        rig.paper.taken(),
        ["copied 15 bytes", "starts at login: true", "theme Dark"]
    );
    let file = rig.folder.file("n.yaml", "hosts: {a: {cmd: 'true'}}\n");
    // The page can open only files that a person has opened before.
    let again = |path: &Path| rig.ask("open_manifest", json!({"path": path}));
    for foreign in [&*file, Path::new("/etc/passwd")] {
        let refused = again(foreign).unwrap_err();
        assert!(
            refused["text"]
                .as_str()
                .unwrap()
                .contains("not open before")
        );
    }
    tauri::async_runtime::block_on(rig.desk.open(&file)).unwrap();
    again(&file).unwrap();
    let app = rig.ask("app", json!({})).unwrap();
    assert_eq!(app["manifest"], json!(file));
    assert_eq!(app["consent"]["hosts"][0]["change"], "new");
    let text = rig.ask("manifest_read", json!({})).unwrap();
    let changed = "hosts: {a: {cmd: 'true'}, b: {vip: 10.0.0.1}}\n";
    let checked = rig.ask("manifest_check", json!({"text": changed})).unwrap();
    assert_eq!(checked["problems"][0]["severity"], "error");
    assert_eq!(checked["effect"], Value::Null);
    let saved = rig
        .ask(
            "manifest_save",
            json!({"text": changed, "base": text["hash"]}),
        )
        .unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
    let stale = rig.ask(
        "manifest_save",
        json!({"text": changed, "base": text["hash"]}),
    );
    assert_eq!(stale, Err(json!({"code": null, "text": "changed on disk"})));
    assert_ne!(saved["hash"], text["hash"]);
    let history = rig.ask("manifest_history", json!({})).unwrap();
    let by: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["by"])
        .collect();
    assert_eq!(by, ["text", "first"], "{history}");
    let id = &history[1]["id"];
    let before = rig.ask("manifest_history_text", json!({"id": id})).unwrap();
    assert_eq!(before, text["text"]);
    let tried = |host: &str| {
        rig.ask(
            "test_host",
            json!({"text": "hosts: {a: {cmd: 'true'}}", "host": host, "channel": "__CHANNEL__:1"}),
        )
    };
    let asked = tried("a").unwrap();
    assert_eq!(asked["kind"], "asks", "{asked}");
    assert!(tried("b").is_err());
    assert!(rig.ask("test_end", json!({"id": 7})).is_err());
    let schema = rig.ask("manifest_schema", json!({})).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("draft-07"));
}

#[test]
fn the_page_edits_a_text_by_what_it_says() {
    let rig = Rig::new("edit");
    let text = "hosts:\n  a: {} # here\n  b: {ssh: b}\n";
    let outline = rig.ask("manifest_outline", json!({"text": text})).unwrap();
    assert_eq!(outline["hosts"][1]["way"], "ssh");
    assert_eq!(outline["nextVip"], "127.0.42.102");
    let outline = rig.ask("manifest_outline", json!({"text": "hosts: {"}));
    assert_eq!(outline, Ok(Value::Null));
    let owner = json!({"kind": "host", "name": "b"});
    let item = "3000:127.0.0.1:3000";
    let add = json!({"kind": "addItem", "owner": owner, "field": "ports", "at": null, "item": item, "reach": "here"});
    let host = json!({"kind": "addHost", "name": "c", "fields": {"ssh": "c", "http.listen": "127.0.0.1:1", "vip": null}});
    let edits = json!([add, host]);
    let edited = rig
        .ask("manifest_edit", json!({"text": text, "edits": edits}))
        .unwrap();
    assert_eq!(edited["kind"], "done", "{edited}");
    let new = "hosts:\n  a: {} # here\n  b: {ssh: b, ports: [\"3000:127.0.0.1:3000\"]}\n  c:\n    ssh: c\n    http:\n      listen: \"127.0.0.1:1\"\n";
    assert_eq!(edited["text"], new);
    assert_eq!(edited["changed"], json!(["b", "c"]));
    assert_eq!(edited["outline"]["hosts"][2]["name"], "c");
    let gone = json!([host, {"kind": "removeHost", "name": "z"}]);
    let refused = rig
        .ask("manifest_edit", json!({"text": text, "edits": gone}))
        .unwrap();
    assert_eq!(
        (&refused["kind"], &refused["at"], &refused["code"]),
        (&json!("refused"), &json!(1), &json!("missing"))
    );
    let fields = rig.ask("manifest_fields", json!({})).unwrap();
    assert!(fields.as_array().unwrap().len() > 40);
    let theirs = text.replace("# here", "# there");
    let merged = rig
        .ask(
            "manifest_merge",
            json!({"base": text, "mine": new, "theirs": theirs}),
        )
        .unwrap();
    assert_eq!(merged["conflicts"], json!([]));
    assert_eq!(merged["text"], new.replace("# here", "# there"));
    let long = "#".repeat(norouter::manifest::SIZE_MAX_BYTES + 1);
    for (command, arguments) in [
        ("manifest_outline", json!({"text": long})),
        ("manifest_edit", json!({"text": long, "edits": []})),
        (
            "manifest_merge",
            json!({"base": "", "mine": "", "theirs": long}),
        ),
    ] {
        assert!(rig.ask(command, arguments).is_err(), "{command}");
    }
    let many =
        vec![json!({"kind": "remove", "list": "routes", "at": 0}); norouter::editor::EDITS_MAX + 1];
    let refused = rig.ask("manifest_edit", json!({"text": text, "edits": many}));
    assert!(refused.is_err());
}

/// The page has exactly one permission for each command, and no other.
#[test]
fn each_command_has_its_permission_and_the_page_has_no_other() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = fs::read_dir(here.join("capabilities"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(files.len(), 1, "one file says what the page may do");
    let capability: Value =
        serde_json::from_slice(&fs::read(here.join("capabilities/main.json")).unwrap()).unwrap();
    assert_eq!(capability["windows"], json!([window::MAIN]));
    assert!(capability.get("remote").is_none());
    let expected = commands::NAMES
        .iter()
        .map(|name| format!("allow-{}", name.replace('_', "-")));
    assert_eq!(
        capability["permissions"],
        json!(expected.collect::<Vec<_>>())
    );
}

/// The settings that confine the page are compared word by word. Therefore no change of them goes unnoticed.
#[test]
fn the_frame_of_the_page_is_strict() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings: Value =
        serde_json::from_slice(&fs::read(here.join("tauri.conf.json")).unwrap()).unwrap();
    let app = &settings["app"];
    assert_eq!(app["withGlobalTauri"], json!(false));
    let security = &app["security"];
    assert_eq!(security["freezePrototype"], json!(true));
    assert_eq!(security["pattern"]["use"], json!("isolation"));
    assert_eq!(security["assetProtocol"]["enable"], json!(false));
    assert_eq!(security["capabilities"], json!(["main"]));
    assert_eq!(
        security["csp"],
        json!({
            "default-src": "'self'",
            "connect-src": "ipc: http://ipc.localhost",
            "img-src": "'self' data:",
            "style-src": "'self' 'unsafe-inline'",
            "script-src": "'self'",
            "object-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        })
    );
    assert!(
        settings["build"].get("devUrl").is_none(),
        "a page from elsewhere"
    );
    let manifest = fs::read_to_string(here.join("Cargo.toml")).unwrap();
    for plugin in ["shell", "fs", "http", "opener", "updater"] {
        let line = format!("tauri-plugin-{plugin}");
        assert!(!manifest.contains(&line), "{line}");
    }
}
