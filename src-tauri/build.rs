//! Tells Tauri which commands exist, so that each of them needs a permission of its own.

use std::{error::Error, fs, io, path::Path};

use tauri_build::{AppManifest, Attributes};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/commands.rs");
    let source = fs::read_to_string("src/commands.rs")?;
    let list = source.split("\ncommands![").nth(1);
    let list = list.and_then(|rest| rest.split("];").next());
    let list = list.ok_or("src/commands.rs has no list of commands")?;
    let names: Vec<&'static str> = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| &*name.to_owned().leak())
        .collect();
    stand_in()?;
    let manifest = AppManifest::new().commands(names.leak());
    tauri_build::try_build(Attributes::new().app_manifest(manifest))?;
    Ok(())
}

/// Writes a placeholder page if the page has not been built, so that the program can be checked and tested without it.
/// The placeholder says how to build the page.
fn stand_in() -> io::Result<()> {
    let page = Path::new("../ui/dist/index.html");
    if page.is_file() {
        return Ok(());
    }
    fs::create_dir_all("../ui/dist")?;
    fs::write(
        page,
        "<!doctype html><title>NoRouter</title><p>The page was not built. Run: cargo xtask app\n",
    )
}
