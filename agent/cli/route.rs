//! `norouter route`: the routes of a manifest.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    amend::{Options, Subject, written},
    error::{Error, Exit},
    input::Commands,
    output,
};
use crate::{
    edit::{Edit, List},
    manifest::{Spanned, value::Value},
    text::escape,
};

/// Add, move and remove routes of a manifest
///
/// Later routes win over earlier ones. They are numbered from 1, as "norouter route ls" lists them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Add(Add),
    /// Remove a route
    Rm {
        /// The number of the route
        #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
        #[command(flatten)]
        options: Options,
    },
    /// Move a route
    Mv {
        /// The number of the route
        #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
        /// The number of the route after the move
        #[arg(value_name = "TO", value_parser = clap::value_parser!(u32).range(1..))]
        to: u32,
        #[command(flatten)]
        options: Options,
    },
    /// List the routes of a manifest
    Ls {
        /// The manifest; by default the one that norouter itself would run
        #[arg(short, long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Add a route at the end, where it wins over the others
#[derive(Debug, clap::Args)]
struct Add {
    /// The host that connects to the destinations; with several, the first one that is up
    #[arg(long, value_name = "HOST", required = true, num_args = 1..)]
    via: Vec<String>,
    /// The destinations: CIDR blocks and host name globs
    #[arg(long, value_name = "PATTERN", required = true, num_args = 1..)]
    to: Vec<String>,
    /// Destinations that the route leaves out: CIDR blocks and host name globs
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    not_to: Vec<String>,
    /// The number of the new route; by default it is the last one
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    at: Option<u32>,
    #[command(flatten)]
    options: Options,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    match &args.verb {
        Verb::Add(add) => {
            let subject = add.options.open(commands)?;
            let edit = Edit::Insert {
                list: List::Routes,
                at: add.at.map(place),
                item: add.route(&subject),
            };
            add.options.make(&subject, &edit)
        }
        Verb::Rm { number, options } => {
            let edit = Edit::Remove {
                list: List::Routes,
                at: place(*number),
            };
            options.make(&options.open(commands)?, &edit)
        }
        Verb::Mv {
            number,
            to,
            options,
        } => {
            let edit = Edit::Move {
                list: List::Routes,
                from: place(*number),
                to: place(*to),
            };
            options.make(&options.open(commands)?, &edit)
        }
        Verb::Ls { file } => list(&Subject::open(file.as_deref(), commands)?),
    }
}

fn place(number: u32) -> usize {
    usize::try_from(number)
        .unwrap_or(usize::MAX)
        .saturating_sub(1)
}

impl Add {
    fn route(&self, subject: &Subject) -> Value {
        let texts =
            |texts: &[String]| Value::List(texts.iter().cloned().map(Value::Text).collect());
        let via: Vec<String> = self.via.iter().map(|host| written(subject, host)).collect();
        let via = match via.as_slice() {
            [one] => Value::Text(one.clone()),
            several => texts(several),
        };
        let mut route =
            BTreeMap::from([("via".to_owned(), via), ("to".to_owned(), texts(&self.to))]);
        if !self.not_to.is_empty() {
            route.insert("notTo".to_owned(), texts(&self.not_to));
        }
        Value::Map(route)
    }
}

fn list(subject: &Subject) -> Result<Exit, Error> {
    let joined = |texts: &[Spanned<String>]| {
        let texts: Vec<&str> = texts.iter().map(|text| text.value.as_str()).collect();
        texts.join(", ")
    };
    let mut text = String::new();
    for (at, route) in subject.loaded.manifest.routes.iter().enumerate() {
        let mut line = format!(
            "{}  {} through {}",
            at + 1,
            joined(&route.to),
            joined(&route.via)
        );
        if !route.not_to.is_empty() {
            line += ", except ";
            line += &joined(&route.not_to);
        }
        text.push_str(&escape(&line));
        text.push('\n');
    }
    output::data(&text)?;
    Ok(Exit::Ok)
}
