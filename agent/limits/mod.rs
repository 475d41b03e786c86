//! The permits that the administrator of a machine gives to agents there. No manager can override them.
//!
//! There may be several lists of permits, for example one in the agent's command and one in a file. An action must be
//! permitted by every list, and a list permits only what it names.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod words;

use std::net::{IpAddr, SocketAddr};

pub use self::words::Names;
use self::words::{Kind, ListenRange, Remote, Writable};
use crate::{
    destination::{Destination, Host},
    manifest::{Problem, limits::read},
    text::quote,
};

/// The maximum number of permitted items that a refusal lists.
const NAMED_MAX: usize = 6;

/// All lists of permits for an agent; if there is no list, everything is permitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(Vec<Permits>);

/// One list of permits. Everything that it does not name is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permits {
    /// The source of the list, as messages name it: a file or an option.
    origin: String,
    listen: Permit<Vec<ListenRange>>,
    dial: Permit<Vec<Remote>>,
    gateway: Permit<bool>,
    resolve: Permit<Names>,
    proxy: Permit<Vec<ListenRange>>,
    write: Permit<Vec<Writable>>,
}

/// The permitted items of one kind of action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Permit<T> {
    what: T,
    /// Whether the list mentions the kind, even if only with "nothing".
    written: bool,
    /// The line of the file where the kind is mentioned; `None` if the list comes from an option.
    line: Option<usize>,
}

/// A sentence about an action that is not permitted, with the rule that refuses it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

/// The remedy for every [`Refusal`], for a person who is not the administrator.
pub const REMEDY: &str = "ask the administrator of that machine";

impl Limits {
    /// Limits that permit nothing.
    pub fn nothing() -> Self {
        Self(vec![Permits::default()])
    }

    /// Whether everything is permitted.
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one more list. From now on, an action needs the permit of this list, too.
    pub fn add(&mut self, permits: Permits) {
        self.0.push(permits);
    }

    /// Whether the agent may listen at this address on behalf of another host.
    pub fn may_listen(&self, address: SocketAddr) -> Result<(), Refusal> {
        self.all(Kind::Listen, |permits| has(&permits.listen.what, address))
    }

    /// Whether a proxy may be served at this address.
    pub fn may_serve_proxy(&self, address: SocketAddr) -> Result<(), Refusal> {
        self.all(Kind::Proxy, |permits| has(&permits.proxy.what, address))
    }

    /// Whether a destination may be dialled. For a name, this only says whether its addresses should be looked up. Each
    /// address then has to be checked with [`Limits::may_connect`].
    pub fn may_dial(&self, destination: &Destination) -> Result<(), Refusal> {
        match &destination.host {
            Host::Ip(address) => self.may_connect(destination, *address),
            Host::Name(name) => self.all(Kind::Dial, |permits| {
                let mut remotes = permits.dial.what.iter();
                remotes.any(|remote| remote.may_have(name, destination.port))
            }),
        }
    }

    /// Whether an address to which a destination was resolved may be dialled.
    pub fn may_connect(&self, destination: &Destination, address: IpAddr) -> Result<(), Refusal> {
        let name = match &destination.host {
            Host::Ip(_) => None,
            Host::Name(name) => Some(name.as_str()),
        };
        let (address, port) = (address.to_canonical(), destination.port);
        self.all(Kind::Dial, |permits| {
            let mut remotes = permits.dial.what.iter();
            remotes.any(|remote| remote.has(name, address, port))
        })
    }

    /// Whether this agent may dial other machines on behalf of other hosts.
    pub fn may_be_gateway(&self) -> Result<(), Refusal> {
        self.all(Kind::Gateway, |permits| permits.gateway.what)
    }

    /// Whether other hosts may be told the addresses of these names.
    pub fn may_resolve(&self, names: Names) -> Result<(), Refusal> {
        self.all(Kind::Resolve, |permits| permits.resolve.what >= names)
    }

    /// Whether files may be written into this folder.
    pub fn may_write_folder(&self, folder: &str) -> Result<(), Refusal> {
        self.all(Kind::Write, |permits| {
            permits.write.what.iter().any(|it| it.has_folder(folder))
        })
    }

    /// Whether names may be written into the hosts file of the machine.
    pub fn may_write_hosts_file(&self) -> Result<(), Refusal> {
        self.all(Kind::Write, |permits| {
            permits.write.what.contains(&Writable::HostsFile)
        })
    }

    fn all(&self, kind: Kind, permitted: impl Fn(&Permits) -> bool) -> Result<(), Refusal> {
        match self.0.iter().find(|permits| !permitted(permits)) {
            Some(permits) => Err(permits.refusal(kind)),
            None => Ok(()),
        }
    }
}

fn has(ranges: &[ListenRange], address: SocketAddr) -> bool {
    ranges.iter().any(|range| range.has(address))
}

impl Permits {
    /// Parses the list from the values of an option. The option may be given several times, each time without a value
    /// or with `KEY=VALUE,...`.
    pub fn from_words<'a>(
        origin: &str,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, String> {
        let mut permits = Self {
            origin: origin.to_owned(),
            ..Self::default()
        };
        for text in texts {
            let mut kind = None;
            // An empty value adds no permit. Then the option only says that there is a list.
            for part in text.split(',').filter(|_| !text.trim().is_empty()) {
                let value = match part.split_once('=') {
                    Some((key, value)) => {
                        kind = Some(words::kind(key.trim())?);
                        value
                    }
                    None => part,
                };
                let kind = kind.ok_or_else(|| {
                    format!(
                        "{} has no key before it; write for example dial=127.0.0.1:80",
                        quote(part)
                    )
                })?;
                permits.put(kind, value, None)?;
            }
        }
        Ok(permits)
    }

    /// Parses the list from the text of a file, or returns everything that is wrong with it.
    pub fn from_file(origin: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let (rules, mut problems) = read(text);
        let mut permits = Self {
            origin: origin.to_owned(),
            ..Self::default()
        };
        for rule in rules {
            // An unknown key was reported already.
            let Ok(kind) = words::kind(&rule.key.value) else {
                continue;
            };
            let line = rule.key.span.start.line;
            if rule.values.is_empty() {
                permits.begin(kind, Some(line));
            }
            for value in &rule.values {
                for item in value.value.split(',') {
                    if let Err(reason) = permits.put(kind, item, Some(line)) {
                        problems.push(Problem::error(value.span, reason));
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(permits)
        } else {
            Err(problems)
        }
    }

    /// Formats the list as values of the option, so that [`Permits::from_words`] can parse them.
    pub fn to_words(&self) -> Vec<String> {
        let kinds = Kind::ALL.into_iter().filter(|kind| self.written(*kind).0);
        let said = kinds.map(|kind| {
            let items = self.items(kind);
            let items = if items.is_empty() {
                words::NOTHING.to_owned()
            } else {
                items.join(",")
            };
            format!("{}={items}", kind.word())
        });
        said.collect()
    }

    /// Notes that a kind is mentioned, and in which line.
    fn begin(&mut self, kind: Kind, line: Option<usize>) {
        fn begin<T>(permit: &mut Permit<T>, line: Option<usize>) {
            permit.written = true;
            permit.line = line;
        }
        match kind {
            Kind::Listen => begin(&mut self.listen, line),
            Kind::Dial => begin(&mut self.dial, line),
            Kind::Gateway => begin(&mut self.gateway, line),
            Kind::Resolve => begin(&mut self.resolve, line),
            Kind::Proxy => begin(&mut self.proxy, line),
            Kind::Write => begin(&mut self.write, line),
        }
    }

    /// Adds one more permit.
    fn put(&mut self, kind: Kind, text: &str, line: Option<usize>) -> Result<(), String> {
        let text = text.trim();
        // Some kinds accept only one value, and "nothing" cannot be combined with other values.
        let said = self.written(kind).0;
        let single = matches!(kind, Kind::Gateway | Kind::Resolve) || text == words::NOTHING;
        if said && (single || self.items(kind).is_empty()) {
            let word = kind.word();
            return Err(format!(
                "{word}: {} stands beside another value; remove one of them",
                quote(text)
            ));
        }
        self.begin(kind, line);
        match kind {
            Kind::Gateway => self.gateway.what = words::flag(text)?,
            Kind::Resolve => self.resolve.what = words::names(text)?,
            Kind::Listen | Kind::Dial | Kind::Proxy | Kind::Write if text == words::NOTHING => {}
            Kind::Listen => self.listen.what.push(words::loopback(text)?),
            Kind::Dial => self.dial.what.push(words::remote(text)?),
            Kind::Proxy => self
                .proxy
                .what
                .push(words::listen_range(Kind::Proxy, text)?),
            Kind::Write => self.write.what.push(words::writable(text)?),
        }
        Ok(())
    }

    fn written(&self, kind: Kind) -> (bool, Option<usize>) {
        match kind {
            Kind::Listen => (self.listen.written, self.listen.line),
            Kind::Dial => (self.dial.written, self.dial.line),
            Kind::Gateway => (self.gateway.written, self.gateway.line),
            Kind::Resolve => (self.resolve.written, self.resolve.line),
            Kind::Proxy => (self.proxy.written, self.proxy.line),
            Kind::Write => (self.write.written, self.write.line),
        }
    }

    /// The permitted items of a kind; empty if nothing is permitted. The only item of `gateway` is "yes" or "no".
    fn items(&self, kind: Kind) -> Vec<String> {
        fn texts(items: &[impl ToString]) -> Vec<String> {
            items.iter().map(ToString::to_string).collect()
        }
        match kind {
            Kind::Listen => texts(&self.listen.what),
            Kind::Dial => texts(&self.dial.what),
            Kind::Gateway => texts(if self.gateway.what { &["yes"] } else { &["no"] }),
            Kind::Resolve => match self.resolve.what {
                Names::Nothing => vec![],
                Names::Network | Names::Everything => texts(&[self.resolve.what]),
            },
            Kind::Proxy => texts(&self.proxy.what),
            Kind::Write => texts(&self.write.what),
        }
    }

    fn refusal(&self, kind: Kind) -> Refusal {
        let (_, line) = self.written(kind);
        let place = match line {
            Some(line) => format!("{}:{line}", self.origin),
            None => self.origin.clone(),
        };
        let mut items = self.items(kind);
        items.retain(|_| kind != Kind::Gateway);
        let word = kind.word();
        if items.is_empty() {
            return Refusal(format!("{place} does not permit \"{word}\""));
        }
        let more = items.len().saturating_sub(NAMED_MAX);
        items.truncate(NAMED_MAX);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let items = items.join(", ");
        Refusal(format!("{place} permits \"{word}\" only for {items}{more}"))
    }
}

#[cfg(test)]
mod tests;
