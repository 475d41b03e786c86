//! The TypeScript types of the page, generated from the Rust types of its messages. `UPDATE=1 cargo test -p
//! norouter-app` rewrites them. The library generates the types of the network itself.

use std::{env, fs, path::PathBuf};

use ts_rs::{Config, TS};

use crate::view;

/// The library's types that the app's types contain. The files of the app's types import them.
const THEIRS: [&str; 4] = ["ErrorCode", "HostView", "LogLine", "NetworkView"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/src/lib/types")
}

/// Compares a type with its file, or writes the file. Returns the name of the type if the file is outdated.
fn stale<T: TS + 'static>(config: &Config) -> Option<String> {
    let name = T::ident(config);
    let file = folder().join(format!("{name}.ts"));
    let mut text = T::export_to_string(config).unwrap();
    let body = text.find("\n\n").unwrap_or(0);
    let named = THEIRS
        .iter()
        .filter(|theirs| text[body..].contains(&format!(": {theirs}")));
    let imports: Vec<String> = named
        .map(|theirs| format!("import type {{ {theirs} }} from \"./{theirs}\";\n"))
        .collect();
    let note = text.find('\n').map_or(0, |end| end + 1);
    text.insert_str(note, &imports.concat());
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&file, &text).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    (there.replace("\r\n", "\n") != text).then_some(name)
}

#[test]
fn the_page_has_the_types_of_what_it_is_shown() {
    let config = Config::new().with_large_int("number");
    macro_rules! stale {
        ($($kind:ident),* $(,)?) => {
            [$(stale::<view::$kind>(&config)),*]
        };
    }
    let stale: Vec<String> = stale![
        App,
        Check,
        CheckState,
        Checked,
        CommandChange,
        Consent,
        ConsentGrant,
        ConsentHost,
        Dragged,
        Effect,
        EffectKind,
        EffectLine,
        Failure,
        ImportKind,
        ImportOffer,
        ManifestText,
        News,
        Phase,
        Place,
        Platform,
        Problem,
        Recent,
        Refused,
        Settings,
        Severity,
        Shown,
        Theme,
        Then,
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(
        stale.is_empty(),
        "run `UPDATE=1 cargo test -p norouter-app`: stale are {stale:?}"
    );
    let ours = ["News.ts", "Refused.ts"];
    let ours = ours.map(|file| fs::read_to_string(folder().join(file)).unwrap());
    let ours = ours.concat();
    for theirs in THEIRS {
        assert!(ours.contains(&format!("from \"./{theirs}\"")), "{ours}");
        assert!(folder().join(format!("{theirs}.ts")).is_file());
    }
}
