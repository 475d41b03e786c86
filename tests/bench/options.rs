//! The words after `cargo xtask bench`.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use crate::{
    groups::{self, Group},
    sandbox::static_norouter,
};

/// The greatest number of peers.
const PEERS_MAX: u8 = 9;

/// A program that is measured: the one under test, or a peer that takes the same manifest.
#[derive(Clone)]
pub(crate) struct Program {
    /// The name of the program's column.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The number of the program, from 0. Networks that run beside each other need different addresses.
    pub(crate) number: u8,
}

/// What is measured, and for how long.
pub(crate) struct Options {
    pub(crate) groups: Vec<&'static Group>,
    /// The program under test is the first one.
    pub(crate) programs: Vec<Program>,
    /// How often each row is measured. All columns take turns.
    pub(crate) rounds: usize,
    /// How long bytes are sent to measure a rate.
    pub(crate) span: Duration,
    /// The file to which all samples are written.
    pub(crate) json: Option<PathBuf>,
    /// Whether the ratios are compared with the bounds in `guard.rs`.
    pub(crate) guards: bool,
}

impl Options {
    /// Reads the words of the command line. Returns a description of the problem if a word is not understood.
    pub(crate) fn read(words: &[String]) -> Result<Self, String> {
        let mut options = Self {
            groups: Vec::new(),
            programs: vec![Program {
                name: "norouter".to_owned(),
                path: static_norouter(),
                number: 0,
            }],
            rounds: 5,
            span: Duration::from_secs(2),
            json: None,
            guards: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            let number = |text: &String| {
                let number = text.parse().ok().filter(|number| *number > 0);
                number.ok_or(format!("{text:?} is not a number above 0"))
            };
            match word.as_str() {
                "--peer" => {
                    let path = PathBuf::from(value()?);
                    let path = std::path::absolute(&path).unwrap_or(path);
                    if !path.is_file() {
                        return Err(format!("{} is not a program", path.display()));
                    }
                    let number = options.programs.len();
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    options.programs.push(Program {
                        name: format!("{name} ({number})"),
                        path,
                        number: u8::try_from(number)
                            .ok()
                            .filter(|number| *number <= PEERS_MAX)
                            .ok_or(format!("there may be at most {PEERS_MAX} peers"))?,
                    });
                }
                "--rounds" => options.rounds = number(value()?)?,
                "--seconds" => {
                    options.span = Duration::from_secs(number(value()?)? as u64);
                }
                "--json" => options.json = Some(value()?.into()),
                "--guard" => options.guards = true,
                name => {
                    let group = groups::ALL.iter().find(|group| group.name == name);
                    let group =
                        group.ok_or(format!("{name:?} is neither an option nor a group"))?;
                    options.groups.push(group);
                }
            }
        }
        if options.groups.is_empty() {
            options.groups = groups::ALL.iter().collect();
        }
        Ok(options)
    }
}

/// The explanation of the words.
pub(crate) fn usage() -> String {
    let mut text = "Usage: cargo xtask bench [--peer PROGRAM]... [--rounds N] [--seconds N] [--json FILE] [--guard] [GROUP]...\n"
        .to_owned();
    for group in groups::ALL {
        write!(text, "\n  {:8} {}", group.name, group.about).unwrap();
    }
    text
}
