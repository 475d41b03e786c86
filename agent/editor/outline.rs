//! The outline of a text: its hosts, routes and policy with their fields, and the place where each of these is written.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::plain;
use crate::{
    edit::{List, Owner, Reading, group_name},
    manifest::{
        fields::{Form, Of, form},
        source::{Entry, Id, Kind, Source},
        value::Value,
    },
    plan::{HostSketch, sketch},
    view::{
        FieldOutline, FieldValue, HostOutline, ItemOutline, Origin, Outline, PolicyOutline, Way,
    },
};

/// The first port that is proposed.
const FIRST_PORT: u16 = 8_080;

/// The words in place of the names of other owners, if one owner uses a value twice.
const ITSELF: &str = "the place where it is written";

/// The outline of a text; `None` if the text is not YAML, or is written in a way that the editor does not follow. The
/// text may have any other error.
pub fn outline(text: &str) -> Option<Outline> {
    Reading::of(text).ok().map(|read| outline_of(&read))
}

/// The outline of a text that was read.
pub(super) fn outline_of(read: &Reading) -> Outline {
    let sketch = sketch(&read.manifest);
    let sketches = sketch.hosts.iter();
    let sketches = sketches.map(|host| (host.name.as_str(), host)).collect();
    let owners = Owners::new(&read.source);
    let template = owners.template();
    let hosts: Vec<HostOutline> = owners
        .hosts()
        .into_iter()
        .map(|host| owners.host(host, &template, &sketches))
        .collect();
    Outline {
        next_port: next_port(&hosts, &template),
        hosts,
        template,
        network: owners.network(),
        routes: owners.routes(),
        policy: owners.policy(),
        next_vip: sketch.next_vip.map(|vip| vip.to_string()),
    }
}

/// The lowest port from 8080 on that no host publishes.
fn next_port(hosts: &[HostOutline], template: &[FieldOutline]) -> u16 {
    let mut taken = BTreeSet::new();
    let fields = hosts.iter().map(|host| &host.fields[..]).chain([template]);
    for field in fields.flatten().filter(|field| field.field == "ports") {
        if let FieldValue::Texts(ports) = &field.value {
            let first = ports.iter().filter_map(|port| port.split(':').next());
            taken.extend(first.filter_map(|port| port.trim().parse::<u16>().ok()));
        }
    }
    let mut ports = (FIRST_PORT..=u16::MAX).chain(1_024..FIRST_PORT);
    ports
        .find(|port| !taken.contains(port))
        .unwrap_or(FIRST_PORT)
}

/// A field of the table, with the keys that lead to it.
struct Plain {
    name: String,
    path: Vec<String>,
    form: Form,
}

fn table(of: Of) -> Vec<Plain> {
    let fields = plain(of).into_iter().filter_map(|(name, path)| {
        let form = form(of, &path)?;
        Some(Plain { name, path, form })
    });
    fields.collect()
}

/// A text, and the owners of each of its values.
struct Owners<'s> {
    source: &'s Source,
    /// The offset at which each line begins.
    lines: Vec<usize>,
    /// The names of all owners of values: hosts, the items of lists, groups, and the other keys of the manifest and its
    /// policy.
    names: Vec<String>,
    /// The number of the first host. The numbers of the other hosts follow it.
    first_host: usize,
    /// The numbers of the first route, rule, test and group. The numbers of the others follow.
    first: Firsts,
    /// The numbers of the other keys; those of the policy are named `policy.default`.
    keys: BTreeMap<String, usize>,
    /// The owners of each node, by their numbers.
    owned: Vec<Vec<usize>>,
    of_hosts: Vec<Plain>,
}

/// The number of the first owner of each of these kinds.
#[derive(Clone, Copy, Default)]
struct Firsts {
    route: usize,
    rule: usize,
    test: usize,
    group: usize,
}

/// A map with fields, and the number of its owner. `is_direct` is false if the map comes through an alias or a merge
/// key.
#[derive(Clone, Copy)]
struct Map {
    id: Id,
    owner: usize,
    is_direct: bool,
}

/// A field that was found.
struct Found {
    value: Id,
    is_direct: bool,
}

impl<'s> Owners<'s> {
    fn new(source: &'s Source) -> Self {
        let breaks = source.text.match_indices('\n').map(|(at, _)| at + 1);
        let mut reading = Self {
            source,
            lines: [0].into_iter().chain(breaks).collect(),
            names: Vec::new(),
            first_host: 0,
            first: Firsts::default(),
            keys: BTreeMap::new(),
            owned: vec![Vec::new(); source.nodes().count()],
            of_hosts: table(Of::Host),
        };
        for entry in source.all(source.root) {
            let value = source.target(entry.value);
            match source.key(entry) {
                "hosts" => {
                    reading.first_host = reading.names.len();
                    for host in source.all(value) {
                        reading.own(source.key(host).to_owned(), host.value);
                    }
                }
                "routes" => reading.first.route = reading.own_items(List::Routes, value),
                "policy" => reading.own_policy(value),
                key => {
                    reading.keys.insert(key.to_owned(), reading.names.len());
                    reading.own(key.to_owned(), entry.value);
                }
            }
        }
        reading
    }

    /// Adds the items of a list as owners. Returns the number of the first one.
    fn own_items(&mut self, list: List, id: Id) -> usize {
        let first = self.names.len();
        for (number, item) in self.source.items(id).iter().enumerate() {
            self.own(Owner::Item(list, number).name(), *item);
        }
        first
    }

    /// Adds the rules, tests, groups and other keys of the policy as owners.
    fn own_policy(&mut self, policy: Id) {
        let source = self.source;
        for entry in source.all(policy) {
            let value = source.target(entry.value);
            match source.key(entry) {
                "rules" => self.first.rule = self.own_items(List::Rules, value),
                "tests" => self.first.test = self.own_items(List::Tests, value),
                "groups" => {
                    self.first.group = self.names.len();
                    for entry in source.all(value) {
                        self.own(group_name(source.key(entry)), entry.value);
                    }
                }
                key => {
                    let name = format!("policy.{key}");
                    self.keys.insert(name.clone(), self.names.len());
                    self.own(name, entry.value);
                }
            }
        }
    }

    /// Adds an owner to this node and to everything inside it.
    fn own(&mut self, name: String, id: Id) {
        let owner = self.names.len();
        self.names.push(name);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let id = self.source.target(id);
            if self.owned[id].last() != Some(&owner) {
                self.owned[id].push(owner);
            }
            open.extend_from_slice(self.source.items(id));
            let entries = self.source.all(id);
            open.extend(entries.into_iter().map(|entry| entry.value));
        }
    }

    fn line(&self, id: Id) -> usize {
        let at = self.source.node(id).span.start;
        self.lines.partition_point(|begin| *begin <= at)
    }

    /// The value of a top-level key, and whether it is written directly under that key. This is false if it comes
    /// through an alias or a merge key.
    fn part(&self, key: &str) -> Option<(Id, bool)> {
        let root = self.source.root;
        let (map, at) = self.source.find(root, key)?;
        let value = self.source.entries(map)[at].value;
        let target = self.source.target(value);
        Some((target, map == root && target == value))
    }

    /// The number of a top-level key among the owners.
    fn owner(&self, key: &str) -> usize {
        self.keys.get(key).copied().unwrap_or(usize::MAX)
    }

    fn hosts(&self) -> Vec<(Entry, Map)> {
        let Some((hosts, is_direct)) = self.part("hosts") else {
            return Vec::new();
        };
        let hosts = self.source.all(hosts).into_iter().enumerate();
        hosts
            .map(|(number, entry)| {
                let id = self.source.target(entry.value);
                let map = Map {
                    id,
                    owner: self.first_host + number,
                    is_direct: is_direct && id == entry.value,
                };
                (entry, map)
            })
            .filter(|(entry, _)| !self.source.key(*entry).starts_with("x-"))
            .collect()
    }

    fn template(&self) -> Vec<FieldOutline> {
        let Some((id, is_direct)) = self.part("hostTemplate") else {
            return Vec::new();
        };
        let owner = self.owner("hostTemplate");
        let map = Map {
            id,
            owner,
            is_direct,
        };
        self.fields(map, &table(Of::Template))
    }

    fn network(&self) -> Vec<FieldOutline> {
        let table = table(Of::Manifest).into_iter();
        let fields = table.filter_map(|field| {
            let map = Map {
                id: self.source.root,
                owner: self
                    .keys
                    .get(&field.name)
                    .map_or_else(|| self.owner(&field.path[0]), |owner| *owner),
                is_direct: true,
            };
            self.field(map, &field)
        });
        fields.collect()
    }

    fn routes(&self) -> Vec<ItemOutline> {
        let routes = self.part("routes").map(|(id, _)| id);
        self.items(routes, self.first.route, &table(Of::Route))
    }

    fn policy(&self) -> Option<PolicyOutline> {
        let source = self.source;
        let (root, at) = source.find(source.root, "policy")?;
        let key = source.entries(root)[at].key;
        let (policy, is_direct) = self.part("policy")?;
        if !matches!(source.node(policy).kind, Kind::Map { .. }) {
            return None;
        }
        let part = |key: &str| {
            let (map, at) = source.find(policy, key)?;
            let value = source.entries(map)[at].value;
            let target = source.target(value);
            Some((target, is_direct && map == policy && target == value))
        };
        let items = |key, first, of| self.items(part(key).map(|(id, _)| id), first, &table(of));
        Some(PolicyOutline {
            groups: part("groups")
                .map_or_else(Vec::new, |(id, is_direct)| self.groups(id, is_direct)),
            rules: items("rules", self.first.rule, Of::Rule),
            tests: items("tests", self.first.test, Of::Test),
            line: self.line(key),
        })
    }

    /// The groups, each as a field.
    fn groups(&self, id: Id, is_direct: bool) -> Vec<FieldOutline> {
        let groups = self.source.all(id).into_iter().enumerate();
        let groups = groups.filter(|(_, entry)| !self.source.key(*entry).starts_with("x-"));
        let groups = groups.filter_map(|(number, entry)| {
            let map = Map {
                id,
                owner: self.first.group + number,
                is_direct,
            };
            let name = self.source.key(entry).to_owned();
            self.field(
                map,
                &Plain {
                    path: vec![name.clone()],
                    name,
                    form: Form::Texts,
                },
            )
        });
        groups.collect()
    }

    /// The items of a list, of which the first one has this number among the owners.
    fn items(&self, list: Option<Id>, first: usize, table: &[Plain]) -> Vec<ItemOutline> {
        let items = list.map_or(&[][..], |id| self.source.items(id)).iter();
        items
            .enumerate()
            .map(|(number, item)| {
                let map = Map {
                    id: self.source.target(*item),
                    owner: first + number,
                    is_direct: true,
                };
                ItemOutline {
                    fields: self.fields(map, table),
                }
            })
            .collect()
    }

    fn host(
        &self,
        (entry, map): (Entry, Map),
        template: &[FieldOutline],
        sketches: &BTreeMap<&str, &HostSketch>,
    ) -> HostOutline {
        let mut fields = Vec::new();
        for plain in &self.of_hosts {
            let key = &plain.path[0];
            let inherited = || template.iter().find(|field| field.field == plain.name);
            if key == "ports" {
                fields.extend(ports(inherited(), self.field(map, plain)));
            } else if self.find(map, &plain.path[..1]).is_some() {
                fields.extend(self.field(map, plain));
            } else {
                fields.extend(inherited().map(from_template));
            }
        }
        let name = self.source.key(entry).to_owned();
        let sketch = sketches.get(name.as_str());
        let written = fields.iter().find(|field| field.field == "vip");
        let vip = if let Some(FieldValue::Text(vip)) = written.map(|field| &field.value) {
            vip.clone()
        } else {
            let assigned = sketch.and_then(|sketch| sketch.vip);
            assigned.map_or_else(String::new, |vip| vip.to_string())
        };
        HostOutline {
            vip,
            way: way(|key| self.find(map, &[key.to_owned()]).is_some()),
            argv: sketch
                .and_then(|sketch| sketch.start.as_ref())
                .map(crate::plan::Start::shown)
                .unwrap_or_default(),
            line: self.line(entry.key),
            fields,
            name,
        }
    }

    fn fields(&self, map: Map, table: &[Plain]) -> Vec<FieldOutline> {
        let fields = table.iter().filter_map(|field| self.field(map, field));
        fields.collect()
    }

    /// The value at a path; `None` if the value is missing or null.
    fn find(&self, map: Map, path: &[String]) -> Option<Found> {
        let Map {
            mut id,
            mut is_direct,
            ..
        } = map;
        for name in path {
            let (holder, at) = self.source.find(id, name)?;
            let entry = self.source.entries(holder)[at];
            let target = self.source.target(entry.value);
            is_direct &= holder == id && target == entry.value;
            id = target;
        }
        let is_null = match &self.source.node(id).kind {
            Kind::Scalar { plain: true, .. } => self.source.value(id) == Value::Null,
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Map { .. } | Kind::Alias(_) => false,
        };
        (!is_null).then_some(Found {
            value: id,
            is_direct,
        })
    }

    fn field(&self, map: Map, plain: &Plain) -> Option<FieldOutline> {
        let found = self.find(map, &plain.path)?;
        let value = self.value(found.value, plain.form)?;
        let is_list = matches!(value, FieldValue::Texts(_));
        let with = self.others(found.value, map.owner, found.is_direct);
        let origin = |with: &Option<Vec<String>>, index| match with {
            None => Origin::Own { index },
            Some(with) => Origin::Shared {
                with: with.clone(),
                index,
            },
        };
        let items = self.source.items(found.value).iter().enumerate();
        let items = items.map(|(number, item)| {
            let target = self.source.target(*item);
            let own = || self.others(target, map.owner, target == *item);
            origin(&with.clone().or_else(own), Some(number))
        });
        Some(FieldOutline {
            field: plain.name.clone(),
            value,
            items: is_list.then(|| items.collect()),
            origin: origin(&with, None),
        })
    }

    /// The other owners of this node; `None` if `owner` is the only one.
    fn others(&self, id: Id, owner: usize, is_direct: bool) -> Option<Vec<String>> {
        let others = self.owned[id].iter().filter(|it| **it != owner);
        let mut names: Vec<String> = others.map(|it| self.names[*it].clone()).collect();
        if names.is_empty() && is_direct {
            return None;
        }
        if names.is_empty() {
            names.push(ITSELF.to_owned());
        }
        Some(names)
    }

    fn value(&self, id: Id, form: Form) -> Option<FieldValue> {
        match &self.source.node(id).kind {
            Kind::Scalar { text, .. } => Some(match self.source.value(id) {
                Value::Flag(flag) if form == Form::Flag => FieldValue::Flag(flag),
                Value::Null | Value::Flag(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                    FieldValue::Text(text.clone())
                }
            }),
            Kind::List { items, .. } => {
                let texts = items.iter().map(|item| self.text(*item));
                Some(FieldValue::Texts(texts.collect()))
            }
            Kind::Map { .. } | Kind::Alias(_) => None,
        }
    }

    /// The text of an item; empty if it is not a single value.
    fn text(&self, item: Id) -> String {
        match &self.source.node(self.source.target(item)).kind {
            Kind::Scalar { text, .. } => text.clone(),
            Kind::List { .. } | Kind::Map { .. } | Kind::Alias(_) => String::new(),
        }
    }
}

fn way(has: impl Fn(&str) -> bool) -> Way {
    let ways = [
        ("cmd", Way::Cmd),
        ("ssh", Way::Ssh),
        ("docker", Way::Docker),
        ("podman", Way::Podman),
        ("kubernetes", Way::Kubernetes),
        ("lxc", Way::Lxc),
        ("wsl", Way::Wsl),
        ("shell", Way::Shell),
    ];
    let found = ways.into_iter().find(|(key, _)| has(key));
    found.map_or(Way::Local, |(_, way)| way)
}

/// A field of `hostTemplate`, as a host has it.
fn from_template(field: &FieldOutline) -> FieldOutline {
    let items = field.items.as_ref().map(|items| {
        let numbers = (0..items.len()).map(|index| Origin::Template { index: Some(index) });
        numbers.collect()
    });
    FieldOutline {
        origin: Origin::Template { index: None },
        items,
        ..field.clone()
    }
}

/// The ports of a host: those of the template, and its own.
fn ports(template: Option<&FieldOutline>, own: Option<FieldOutline>) -> Option<FieldOutline> {
    let template = template.map(from_template);
    let (Some(mut first), Some(second)) = (template.clone(), own.clone()) else {
        return own.or(template);
    };
    if let (FieldValue::Texts(all), FieldValue::Texts(more)) = (&mut first.value, &second.value) {
        all.extend_from_slice(more);
        let items = first.items.take().into_iter().chain(second.items);
        first.items = Some(items.flatten().collect());
        first.origin = second.origin;
        return Some(first);
    }
    Some(second)
}
