//! Writes the manual pages of the program into a folder, for packages: `cargo run --example man -- FOLDER`.

use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1);
    let folder = folder.ok_or_else(|| io::Error::other("name the folder to write into"))?;
    fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(norouter::cli::definition(), folder)
}
