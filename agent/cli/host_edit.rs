//! `norouter host`: the hosts of a manifest.

use std::path::PathBuf;

use super::{
    amend::{Options, Shared, Subject, written},
    error::{Error, Exit},
    host_test,
    input::Commands,
    output, port,
    way::Way,
};
use crate::{
    edit::{Change, Edit, Owner},
    manifest::{
        fields::{Form, Of, form, names},
        value::Value,
    },
    text::{escape, meant, quote},
};

/// The word that stands for `hostTemplate` in place of the name of a host.
const TEMPLATE: &str = "hostTemplate";

/// Add, change, rename, remove and test hosts of a manifest
///
/// Only the lines that have to change are changed: comments, order, quotes and blank lines stay. The change and its
/// effect are shown before anything is written.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Add(Add),
    Set(Set),
    Rename(Rename),
    Copy(Duplicate),
    Rm(Rm),
    Ls(Ls),
    Test(host_test::Args),
}

/// Add a host at the end
///
/// Without --ssh, --docker and so on, the host is this machine.
#[derive(Debug, clap::Args)]
struct Add {
    /// The name of the new host
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    way: Way,
    /// The address, inside 127.0.0.0/8; by default one is assigned
    #[arg(long, value_name = "ADDRESS")]
    vip: Option<String>,
    /// A port to publish: 8080, or 8080:127.0.0.1:80
    #[arg(long = "port", value_name = "PORT")]
    ports: Vec<String>,
    /// Another name of the host
    #[arg(long = "alias", value_name = "NAME")]
    aliases: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Set a field of a host, or remove it
///
/// FIELD is named as in the manifest, with a dot inside maps: vip, cmd, http.listen. Several values make a list. If
/// HOST is hostTemplate, the field is set for all hosts that do not set it themselves (ports: for all hosts).
#[derive(Debug, clap::Args)]
struct Set {
    /// The name of the host
    #[arg(value_name = "HOST")]
    host: String,
    /// The field
    #[arg(value_name = "FIELD")]
    field: String,
    /// The new value
    #[arg(value_name = "VALUE", required_unless_present = "clear")]
    values: Vec<String>,
    /// Remove the field
    #[arg(long, conflicts_with = "values")]
    clear: bool,
    #[command(flatten)]
    shared: Shared,
    #[command(flatten)]
    options: Options,
}

/// Rename a host, also in routes and in the policy
#[derive(Debug, clap::Args)]
struct Rename {
    /// The name of the host
    #[arg(value_name = "HOST")]
    old: String,
    /// The new name
    #[arg(value_name = "NAME")]
    new: String,
    #[command(flatten)]
    options: Options,
}

/// Add a copy of a host at the end, without its address and aliases
#[derive(Debug, clap::Args)]
struct Duplicate {
    /// The name of the host
    #[arg(value_name = "HOST")]
    old: String,
    /// The name of the copy
    #[arg(value_name = "NAME")]
    new: String,
    #[command(flatten)]
    options: Options,
}

/// Remove a host, and the routes, rules and tests that would be incomplete without it
#[derive(Debug, clap::Args)]
struct Rm {
    /// The name of the host
    #[arg(value_name = "HOST")]
    host: String,
    #[command(flatten)]
    options: Options,
}

/// List the hosts of a manifest
#[derive(Debug, clap::Args)]
struct Ls {
    /// The manifest; by default the one that norouter itself would run
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    match &args.verb {
        Verb::Add(add) => {
            let subject = add.options.open(commands)?;
            let name = add.name.clone();
            let fields = add.fields()?;
            add.options.make(&subject, &Edit::AddHost { name, fields })
        }
        Verb::Set(set) => {
            let subject = set.options.open(commands)?;
            let edit = set.edit(&subject)?;
            set.options.make(&subject, &edit)
        }
        Verb::Rename(Rename { old, new, options }) => {
            let subject = options.open(commands)?;
            let (from, to) = (written(&subject, old), new.clone());
            options.make(&subject, &Edit::RenameHost { from, to })
        }
        Verb::Copy(Duplicate { old, new, options }) => {
            let subject = options.open(commands)?;
            let (from, to) = (written(&subject, old), new.clone());
            options.make(&subject, &Edit::DuplicateHost { from, to })
        }
        Verb::Rm(rm) => {
            let subject = rm.options.open(commands)?;
            let name = written(&subject, &rm.host);
            rm.options.make(&subject, &Edit::RemoveHost { name })
        }
        Verb::Test(test) => host_test::run(test, commands),
        Verb::Ls(ls) => list(&Subject::open(ls.file.as_deref(), commands)?),
    }
}

impl Add {
    fn fields(&self) -> Result<Value, Error> {
        let mut fields = self.way.fields();
        let texts = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::Text).collect());
        if let Some(vip) = &self.vip {
            fields.insert("vip".to_owned(), Value::Text(vip.clone()));
        }
        if !self.ports.is_empty() {
            let ports: Result<_, _> = self.ports.iter().map(|port| port::whole(port)).collect();
            fields.insert("ports".to_owned(), texts(ports?));
        }
        if !self.aliases.is_empty() {
            fields.insert("aliases".to_owned(), texts(self.aliases.clone()));
        }
        Ok(Value::Map(fields))
    }
}

impl Set {
    fn edit(&self, subject: &Subject) -> Result<Edit, Error> {
        let is_template = self.host == TEMPLATE;
        let owner = if is_template {
            Owner::Template
        } else {
            Owner::Host(written(subject, &self.host))
        };
        let field: Vec<String> = self.field.split('.').map(str::to_owned).collect();
        let Some(form) = form(owner.of(), &field) else {
            return Err(self.no_field(owner.of()));
        };
        let change = if self.clear {
            Change::Clear
        } else {
            Change::Set(self.value(form)?)
        };
        Ok(Edit::Field {
            owner,
            field,
            change,
            reach: self.shared.reach(),
        })
    }

    fn value(&self, form: Form) -> Result<Value, Error> {
        let list = || Value::List(self.values.iter().cloned().map(Value::Text).collect());
        let one = |what: &str| {
            if let [value] = self.values.as_slice() {
                return Ok(value.as_str());
            }
            let message = format!("{} takes {what}", quote(&self.field));
            Err(Error::new(Exit::Usage, message)
                .hint("put quotes around words that belong together"))
        };
        Ok(match form {
            Form::Text | Form::Word(_) => Value::Text(one("one value")?.to_owned()),
            Form::Flag => match one("true or false")? {
                "true" => Value::Flag(true),
                "false" => Value::Flag(false),
                other => {
                    let message = format!(
                        "{} is true or false, and not {}",
                        quote(&self.field),
                        quote(other)
                    );
                    return Err(Error::new(Exit::Usage, message));
                }
            },
            Form::TextOrTexts if self.values.len() == 1 => Value::Text(self.values[0].clone()),
            Form::Texts | Form::TextOrTexts => list(),
            Form::Map => {
                let message = format!("{} has fields of its own", quote(&self.field));
                return Err(Error::new(Exit::Usage, message)
                    .hint(format!("name one of them, as in {}.NAME", self.field)));
            }
        })
    }

    fn no_field(&self, of: Of) -> Error {
        let names = names(of);
        let message = format!("{} is not a field of {}", quote(&self.field), self.host);
        let hint = match meant(&self.field, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("its fields are: {}", names.join(", ")),
        };
        Error::new(Exit::Usage, message).hint(hint)
    }
}

fn list(subject: &Subject) -> Result<Exit, Error> {
    let Some(plan) = &subject.loaded.plan else {
        output::talk(&subject.loaded.report(true));
        let message = format!("{} cannot be run", subject.loaded.file_name);
        return Err(Error::new(Exit::InvalidManifest, message));
    };
    let wide = plan
        .hosts
        .iter()
        .map(|host| host.name.as_str().len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for host in &plan.hosts {
        let ports: Vec<String> = host
            .forwards
            .iter()
            .map(|it| it.listen_port.to_string())
            .collect();
        let line = format!(
            "{:wide$}  {:15}  {}",
            host.name.as_str(),
            host.vip.to_string(),
            ports.join(" ")
        );
        text.push_str(&escape(line.trim_end()));
        text.push('\n');
    }
    output::data(&text)?;
    Ok(Exit::Ok)
}
