//! Tests of the project's rules that a compiler does not check: floors of rooms, pure code on the lower floors,
//! serialization only at borders, and documents that agree with the code.
//!
//! Rules with many entries are written as tables. A test that finds nothing to check fails, because then it has
//! searched in the wrong way.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a source that ends in .RS is no source"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The rooms of each floor, lowest floor first. A room may import itself and the rooms of lower floors.
const FLOORS: &[&[&str]] = &[
    &["time", "addr", "destination", "text", "redact", "secret"],
    &[
        "manifest", "wire", "view", "names", "route", "budget", "inflight", "turns",
    ],
    &[
        "proxy", "plan", "import", "limits", "switch", "link", "flow", "edit",
    ],
    &["manager", "edge", "editor"],
    &["driver"],
    &["cli"],
];

/// The rooms of the driver, lowest floor first. Each has a floor of its own.
const DRIVER_FLOORS: &[&str] = &[
    "system", "harness", "agent", "command", "manager", "control", "import", "demo",
];

/// The folders of crates whose files must not import each other in circles. For each, the number is the minimum of
/// imports between files that has to be found.
const CRATES: &[(&str, usize)] = &[("agent", 1_000), ("src-tauri/src", 100)];

/// The lowest floor that may touch the outside world.
const WORLD_FLOOR: usize = 4;

/// Texts that give code access to the outside world, each with the reason why it must not occur on the lower floors.
const WORLD: &[(&str, &str)] = &[
    ("tokio::", "machines are driven; they do not run"),
    ("Instant::now", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("std::fs", "files belong to the driver"),
    ("std::env", "the environment belongs to the driver"),
    ("std::process", "children belong to the driver"),
    ("std::thread", "machines do not run"),
    ("TcpStream", "sockets belong to the driver"),
    ("TcpListener", "sockets belong to the driver"),
    ("UdpSocket", "sockets belong to the driver"),
    ("HashMap", "its order differs from run to run; use BTreeMap"),
    ("HashSet", "its order differs from run to run; use BTreeSet"),
];

/// The only rooms whose types may derive serde. The form of such a type is a promise to other programs and versions. A
/// type of another room should not make such a promise by accident.
const SERDE_ROOMS: &[&str] = &["manifest", "wire", "view"];

/// Crates that the headless program must never need, each with the reason.
const ABSENT: &[(&str, &str)] = &[
    ("tauri", "the headless program has no window"),
    ("wry", "the headless program has no window"),
    ("gtk", "the headless program has no window"),
    (
        "openssl-sys",
        "it needs a C library of the machine, so that the binary would not be static",
    ),
    ("native-tls", "it brings openssl-sys"),
    (
        "libssh2-sys",
        "the user's own ssh is used, with the user's own configuration",
    ),
    (
        "serde_yml",
        "not maintained, and it replaced a trusted crate's code by its own",
    ),
    (
        "serde_yaml",
        "archived; `yaml_serde` continues it under its name",
    ),
    (
        "unsafe-libyaml",
        "archived; `yaml_serde` has its own continuation",
    ),
    ("async-std", "discontinued; there is one runtime, tokio"),
    ("anyhow", "a library's errors have types"),
];

/// The maximum number of lines of a file. It can then be read in one sitting.
const MOST_LINES: usize = 800;

/// Texts that are specific to somebody's machine and do not belong in the repository. Each is written in two parts, so
/// that this file passes its own test.
const MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp/", "wt/"),
    concat!("/ro", "ot/"),
    concat!("artifac", "tory"),
];

#[test]
fn every_room_stands_on_a_floor() {
    let rooms: BTreeSet<String> = sources("agent")
        .iter()
        .filter_map(|path| room(path))
        .collect();
    assert!(rooms.contains("addr"), "no rooms found");
    for room in &rooms {
        assert!(
            floor(room).is_some(),
            "agent/{room} is on no floor: add it to FLOORS in tests/tidy.rs and to the table in agent/lib.rs"
        );
    }
    let lib = read("agent/lib.rs");
    let declared: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| {
            line.trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ")
                .strip_prefix("mod ")
        })
        .filter_map(|rest| rest.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        rooms, declared,
        "the rooms in agent/ (left) and the mod lines of agent/lib.rs (right) differ"
    );
}

#[test]
fn a_room_imports_lower_floors_only() {
    let mut crossings = 0;
    let mut problems = Vec::new();
    for path in sources("agent") {
        let Some(here) = room(&path) else { continue };
        for (number, there) in imports(&path) {
            // Names at the root of the crate, like the constant `VERSION`, are skipped.
            if there == here || there.chars().all(|c| c.is_uppercase() || c == '_') {
                continue;
            }
            crossings += 1;
            match (floor(&here), floor(&there)) {
                (Some(mine), Some(other)) if other < mine => {}
                (Some(mine), Some(other)) => problems.push(format!(
                    "{path}:{number}: `{here}` is on floor {mine} and may not know `{there}` on floor {other}"
                )),
                _ => problems.push(format!("{path}:{number}: `crate::{there}` is no room")),
            }
        }
    }
    assert!(crossings > 0, "no import between rooms found");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_rooms_of_the_driver_import_lower_ones_only() {
    let floor = |path: &str| {
        let room = path
            .strip_prefix("agent/driver/")?
            .split(['/', '.'])
            .next()?;
        DRIVER_FLOORS.iter().position(|there| *there == room)
    };
    let mut crossings = 0;
    for (from, to) in &imported_files("agent") {
        for to in to {
            let (Some(mine), Some(other)) = (floor(from), floor(to)) else {
                continue;
            };
            crossings += usize::from(mine != other);
            assert!(
                other <= mine,
                "{from} may not import {to}, which is above it"
            );
        }
    }
    assert!(
        crossings > 50,
        "only {crossings} imports between rooms found"
    );
}

#[test]
fn no_files_import_each_other() {
    for (folder, least) in CRATES {
        let edges = imported_files(folder);
        let imports: usize = edges.values().map(BTreeSet::len).sum();
        assert!(
            imports > *least,
            "only {imports} imports between the files of {folder} found"
        );
        assert_no_circle(folder, edges);
    }
}

/// Removes files that import none of the remaining files, or are imported by none of them, until none can be removed.
/// The files that remain are in a circle, or on a path from one circle to another.
fn assert_no_circle(folder: &str, mut left: BTreeMap<String, BTreeSet<String>>) {
    loop {
        let before = left.len();
        let names: BTreeSet<String> = left.keys().cloned().collect();
        let imported: BTreeSet<String> = left.values().flatten().cloned().collect();
        left.retain(|from, to| imported.contains(from) && !to.is_disjoint(&names));
        if left.len() == before {
            break;
        }
    }
    assert!(
        left.is_empty(),
        "these files of {folder} import each other in a circle (a file that declares a module imports it): {left:#?}"
    );
}

#[test]
fn the_world_stays_above() {
    let mut walked = 0;
    let mut problems = Vec::new();
    for path in sources("agent") {
        let Some(here) = room(&path) else { continue };
        if floor(&here).is_some_and(|floor| floor >= WORLD_FLOOR) {
            continue;
        }
        for (number, line) in code_lines(&path) {
            walked += 1;
            for (word, why) in WORLD {
                if line.contains(word) {
                    problems.push(format!(
                        "{path}:{number}: `{word}` below floor {WORLD_FLOOR}: {why}"
                    ));
                }
            }
        }
    }
    assert!(walked > 100, "only {walked} lines of code found");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn serde_is_derived_at_the_borders_only() {
    let mut derives = 0;
    let mut problems = Vec::new();
    for path in sources("agent") {
        let text = read(&path);
        for derive in text.split("derive(").skip(1) {
            derives += 1;
            let list = derive.split(')').next().unwrap();
            let serde = list.contains("Serialize") || list.contains("Deserialize");
            if serde && room(&path).is_none_or(|room| !SERDE_ROOMS.contains(&room.as_str())) {
                problems.push(format!("{path}: derive({list}) outside of {SERDE_ROOMS:?}"));
            }
        }
    }
    assert!(derives > 0, "no derive found");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_source_says_what_it_is_and_can_be_read_in_one_sitting() {
    let mut walked = 0;
    for path in files().iter().filter(|path| path.ends_with(".rs")) {
        walked += 1;
        let text = read(path);
        assert!(
            text.starts_with("//! "),
            "{path} does not begin with a `//!` sentence that says what it is"
        );
        let lines = text.lines().count();
        assert!(
            lines <= MOST_LINES,
            "{path} has {lines} lines; at most {MOST_LINES} can be read in one sitting"
        );
    }
    assert!(walked > 5, "only {walked} sources found");
}

#[test]
fn no_test_file_is_forgotten() {
    let manifest = read("Cargo.toml");
    let mut binaries = 0;
    for path in files()
        .iter()
        .filter(|path| path.starts_with("tests/") && path.ends_with(".rs"))
    {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["tests", _] | ["tests", _, "main.rs"] => {
                binaries += 1;
                assert!(
                    manifest.contains(&format!("path = \"{path}\"")),
                    "{path} is not named in Cargo.toml"
                );
            }
            ["tests", folder, file] if Path::new(&format!("tests/{folder}/main.rs")).exists() => {
                let module = file.trim_end_matches(".rs");
                let main = read(&format!("tests/{folder}/main.rs"));
                assert!(
                    main.lines()
                        .any(|line| line.trim() == format!("mod {module};")),
                    "{path} is not declared in tests/{folder}/main.rs, so that it never runs"
                );
            }
            _ => {}
        }
    }
    assert!(binaries >= 2, "only {binaries} test programs found");
}

#[test]
fn the_headless_program_stays_free_of_some_crates() {
    let known = packages(&read("Cargo.lock"));
    let tests_only = tests_only(&read("Cargo.toml"));
    let mut needed = BTreeSet::new();
    let mut open = vec!["norouter".to_owned()];
    while let Some(name) = open.pop() {
        if needed.insert(name.clone()) {
            // A lock file does not tell which crates only tests need.
            let needs = known.get(&name).into_iter().flatten();
            open.extend(
                needs
                    .filter(|need| name != "norouter" || !tests_only.contains(*need))
                    .cloned(),
            );
        }
    }
    assert!(
        needed.contains("tokio") && needed.len() > 20,
        "Cargo.lock was not understood"
    );
    for (name, why) in ABSENT {
        assert!(
            !needed.contains(*name),
            "the crate {name} has come in: {why}"
        );
    }
}

#[test]
fn the_protocol_document_follows_the_wire() {
    let sources = sources("agent/wire");
    assert!(!sources.is_empty(), "agent/wire has no sources");
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for path in sources {
        let text = read(&path);
        // Tests may change freely, because they are not a part of the protocol.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for byte in path.bytes().chain([0]).chain(code.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let expected = format!("wire: {hash:016x}");
    let document = read("docs/PROTOCOL.md");
    let line = document
        .lines()
        .find(|line| line.starts_with("wire: "))
        .expect("docs/PROTOCOL.md has no line that begins with `wire: `");
    if line != expected && std::env::var_os("UPDATE").is_some() {
        fs::write("docs/PROTOCOL.md", document.replace(line, &expected)).unwrap();
        return;
    }
    assert_eq!(
        line, expected,
        "agent/wire has changed. Bring docs/PROTOCOL.md up to date, then run `UPDATE=1 cargo test --test tidy`"
    );
}

#[test]
fn no_file_knows_the_machine_that_it_was_written_on() {
    let mut walked = 0;
    let mut problems = Vec::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        walked += 1;
        for (index, line) in text.lines().enumerate() {
            for word in MACHINE.iter().filter(|word| line.contains(*word)) {
                problems.push(format!("{path}:{}: {word}", index + 1));
            }
        }
    }
    assert!(walked > 10, "only {walked} files found");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// The floor of a room: the index of the room's row in [`FLOORS`].
fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The room of a source file: `agent/wire/frame.rs` and `agent/wire.rs` are in `wire`.
fn room(path: &str) -> Option<String> {
    let first = path.strip_prefix("agent/")?.split('/').next()?;
    let name = first.trim_end_matches(".rs");
    (!["lib", "main", "alone"].contains(&name)).then(|| name.to_owned())
}

/// The rooms that a file names after `crate::`, alone or in braces, each with the number of the line.
fn imports(path: &str) -> Vec<(usize, String)> {
    let lines = code_lines(path);
    let mut found = Vec::new();
    for (index, (number, line)) in lines.iter().enumerate() {
        for after in line.split("crate::").skip(1) {
            if !after.starts_with('{') {
                found.push((*number, word(after)));
                continue;
            }
            let rest = lines[index + 1..].iter().map(|(_, line)| line.as_str());
            let group: String = std::iter::once(after)
                .chain(rest)
                .collect::<Vec<_>>()
                .join(" ");
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') {
                    found.extend(Some((*number, word(&item))).filter(|(_, word)| !word.is_empty()));
                    item.clear();
                }
                if depth == 0 {
                    break;
                }
                if !(depth == 1 && (c == '{' || c == ',')) {
                    item.push(c);
                }
            }
        }
    }
    found
}

/// The files of a crate, each with the files that it imports from or declares as modules. Imports in tests do not
/// count.
fn imported_files(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut sources = sources(folder);
    sources.retain(|path| !path.contains("tests"));
    let mut homes: BTreeMap<String, Vec<String>> = sources
        .iter()
        .map(|path| (path.clone(), module(folder, path)))
        .collect();
    let mut children: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for path in &sources {
        for (name, file) in declared(&read(path)) {
            let mut child = module(folder, path);
            child.push(name);
            if let Some(file) = file {
                let file = Path::new(path).with_file_name(file);
                homes.insert(file.to_string_lossy().replace('\\', "/"), child.clone());
            }
            children.entry(path).or_default().push(child);
        }
    }
    // A module has several files if different platforms have a file each.
    let mut files: BTreeMap<&[String], BTreeSet<&str>> = BTreeMap::new();
    for (path, home) in homes.iter().filter(|(_, home)| !home.is_empty()) {
        files.entry(home).or_default().insert(path);
    }
    let mut edges = BTreeMap::new();
    for path in &sources {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for child in children.get(path.as_str()).into_iter().flatten() {
            found.extend(files.get(child.as_slice()).into_iter().flatten());
        }
        for (inside, code) in parts(&read(path)) {
            let here: Vec<String> = homes[path].iter().cloned().chain(inside).collect();
            for import in used_paths(&code) {
                let at = from_root(&here, &import);
                // The longest beginning of the path that is the module of a file. The rest of the path names an item in
                // that file.
                let file = (1..=at.len())
                    .rev()
                    .find_map(|length| files.get(&at[..length]));
                found.extend(file.into_iter().flatten());
            }
        }
        found.remove(path.as_str());
        edges.insert(path.clone(), found.into_iter().map(str::to_owned).collect());
    }
    edges
}

/// The module of a source file: `agent/driver/control/mod.rs` is `driver::control`.
fn module(folder: &str, path: &str) -> Vec<String> {
    let path = path.strip_prefix(folder).unwrap();
    path.trim_end_matches(".rs")
        .split('/')
        .filter(|part| !["", "mod", "lib", "main"].contains(part))
        .map(str::to_owned)
        .collect()
}

/// Converts an import in the module `here` to a path from the root of the crate.
fn from_root(here: &[String], import: &[String]) -> Vec<String> {
    let mut at = here.to_vec();
    for part in import {
        match part.as_str() {
            "crate" => at.clear(),
            "super" => drop(at.pop()),
            "self" => {}
            _ => at.push(part.clone()),
        }
    }
    at
}

/// The modules that a source declares and that have files of their own. If an attribute sets the file's name, that name
/// follows.
fn declared(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut file = None;
    for line in text.lines() {
        if let Some(name) = module_in(line, ";") {
            found.push((name.to_owned(), file.take()));
        } else if line.starts_with("#[") {
            let path = line.split("path = \"").nth(1);
            let path = path.and_then(|rest| rest.split('"').next());
            file = path.map(str::to_owned).or(file);
        } else {
            file = None;
        }
    }
    found
}

/// The code of a source without its inline modules, followed by the code of each inline module with the module's name.
/// The code of tests is left out.
fn parts(text: &str) -> Vec<(Option<String>, String)> {
    let mut found = vec![(None, String::new())];
    let mut inside = false;
    for line in text.lines().map(without_comment) {
        if let Some(name) = module_in(line, " {") {
            found.push((Some(name.to_owned()), String::new()));
            inside = true;
        } else if line == "}" {
            inside = false;
        } else {
            let at = if inside { found.len() - 1 } else { 0 };
            found[at].1.push_str(line.trim());
            found[at].1.push(' ');
        }
    }
    found.retain(|(name, _)| name.as_deref() != Some("tests"));
    found
}

/// The name of the module that a line begins or declares. The line has to end with `end`.
fn module_in<'l>(line: &'l str, end: &str) -> Option<&'l str> {
    let (before, name) = line.strip_suffix(end)?.split_once("mod ")?;
    (before.is_empty() || before.starts_with("pub")).then_some(name)
}

#[test]
fn modules_are_found_in_a_file_and_beside_it() {
    let text = "mod a;\n#[cfg(unix)]\n#[path = \"c.rs\"]\npub(crate) mod b;\n\nuse super::d; // crate::e\n\nmod f {\n    \
        use super::super::g;\n}\n\nfn h() {\n    crate::i();\n}\n\nmod tests {\n    use super::*;\n}\n";
    assert_eq!(
        declared(text),
        [
            ("a".to_owned(), None),
            ("b".to_owned(), Some("c.rs".to_owned()))
        ]
    );
    let here = ["x".to_owned(), "y".to_owned()];
    let found: Vec<String> = parts(text)
        .into_iter()
        .flat_map(|(inside, code)| {
            let here: Vec<String> = here.iter().cloned().chain(inside).collect();
            let paths = used_paths(&code).into_iter();
            paths.map(move |path| from_root(&here, &path).join("::"))
        })
        .collect();
    assert_eq!(found, ["i", "x::d", "x::g"]);
}

/// The paths in the code that begin with `crate`, `self` or `super`. Braces in them are resolved.
fn used_paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for root in ["crate", "self", "super"] {
        for (start, _) in code.match_indices(&format!("{root}::")) {
            let before = &code[..start];
            let goes_on = before.ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
            // In `pub(in crate::driver)`, the path is not an import: it says who may see an item.
            if !goes_on && !before.ends_with("(in ") {
                expand(&code[start..], &mut Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Adds the paths of the import tree at the beginning of a text to `found`, and returns the length of the tree's text.
fn expand(text: &str, above: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    let depth = above.len();
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        if text[at..].starts_with('{') {
            at += 1;
            loop {
                at += expand(&text[at..], above, found);
                at += text[at..].len() - text[at..].trim_start().len();
                if !text[at..].starts_with(',') {
                    break;
                }
                at += 1;
            }
            at += usize::from(text[at..].starts_with('}'));
            break;
        }
        let name = word(&text[at..]);
        at += name.len();
        if name.is_empty() {
            // A star has no name, and neither has the place after a comma at the end.
            if text[at..].starts_with('*') {
                found.push(above.clone());
                at += 1;
            }
            break;
        }
        above.push(name);
        if !text[at..].starts_with("::") {
            found.push(above.clone());
            // The new name after `as` is skipped.
            let rest = &text[at..];
            at += rest
                .find([',', '}', ';'])
                .filter(|_| rest.trim_start().starts_with("as "))
                .unwrap_or(0);
            break;
        }
        at += 2;
    }
    above.truncate(depth);
    at
}

#[test]
fn paths_are_found_with_their_braces_resolved() {
    let code =
        "use super::{a, b::{self, C as D}, e::{*, j}}; let x = crate::f::g(); use self::h::I;";
    let found: Vec<String> = used_paths(code)
        .iter()
        .map(|path| path.join("::"))
        .collect();
    let expected = [
        "crate::f::g",
        "self::h::I",
        "super::a",
        "super::b::self",
        "super::b::C",
        "super::e",
        "super::e::j",
    ];
    assert_eq!(found, expected);
}

/// The identifier at the beginning of a text.
fn word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn imports_are_found_alone_and_in_braces() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "use crate::addr::Vip;\nuse crate::{\n    VERSION,\n    flow::{Table, Wire}, // crate::cli\n    time,\n};\n";
    fs::write(&file, text).unwrap();
    let found: Vec<String> = imports(file.path().to_str().unwrap())
        .into_iter()
        .map(|(_, room)| room)
        .collect();
    assert_eq!(found, ["addr", "VERSION", "flow", "time"]);
}

/// The lines of a file with their numbers, without comments.
fn code_lines(path: &str) -> Vec<(usize, String)> {
    read(path)
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, without_comment(line).trim().to_owned()))
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

/// A line without its comment.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.split("// ").next().unwrap().trim_end()
}

/// The direct dependencies that only tests have.
fn tests_only(manifest: &str) -> BTreeSet<String> {
    let mut table = "";
    let (mut tests, mut others) = (BTreeSet::new(), BTreeSet::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            table = line;
        } else if let Some((name, rest)) = line.split_once(" = ") {
            // If the manifest renames a dependency, the lock file has the crate's original name.
            let package = rest
                .split("package = \"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            let names = if table == "[dev-dependencies]" {
                &mut tests
            } else {
                &mut others
            };
            names.insert(package.unwrap_or(name).to_owned());
        }
    }
    assert!(tests.contains("proptest"), "Cargo.toml was not understood");
    &tests - &others
}

/// Every package of a lock file, with the packages that it depends on.
fn packages(lock: &str) -> BTreeMap<String, Vec<String>> {
    let quoted = |line: &str| {
        line.split('"')
            .nth(1)
            .and_then(|text| text.split(' ').next())
            .map(str::to_owned)
    };
    lock.split("[[package]]")
        .skip(1)
        .map(|package| {
            let name = package
                .lines()
                .find(|line| line.starts_with("name = "))
                .and_then(quoted)
                .unwrap();
            let needs = package
                .lines()
                .filter(|line| line.starts_with(" \""))
                .filter_map(quoted)
                .collect();
            (name, needs)
        })
        .collect()
}

/// The Rust sources under a folder.
fn sources(folder: &str) -> Vec<String> {
    let mut found: Vec<String> = walk(Path::new(folder))
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .collect();
    found.sort();
    found
}

/// Every file of the repository, without those that were built or downloaded.
fn files() -> Vec<String> {
    walk(Path::new("."))
}

fn walk(folder: &Path) -> Vec<String> {
    const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "artifacts", "dist"];
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path: PathBuf = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if NOT_OURS.contains(&name.as_str()) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            let path = path.to_string_lossy().replace('\\', "/");
            found.push(path.trim_start_matches("./").to_owned());
        }
    }
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .replace("\r\n", "\n")
}
