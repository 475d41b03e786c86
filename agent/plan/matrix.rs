//! The table of who may reach what in a plan. It is computed without a running network, by the same code that decides
//! about real connections.

use std::collections::BTreeSet;

use super::{
    network::{HostPlan, Plan},
    policy::published,
};
use crate::{
    addr::{Port, Vip},
    route::{
        Target,
        policy::{Action, Beyond, By, Hosts, Rule, Ruling},
    },
    view::{MatrixCell, MatrixReach, MatrixRow, MatrixTarget, PlanPolicy, PlanRule},
};

/// A column of the table.
enum Column<'p> {
    Host(&'p HostPlan),
    Route(&'p Target, Vip),
}

/// The decision about some ports of a target. `Partly` means that it depends on the address or the name of the
/// destination.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Allowed,
    Refused,
    Partly,
}

impl Plan {
    /// The table of who may reach what.
    pub fn matrix(&self) -> PlanPolicy {
        let columns = self.columns();
        let rows = self.hosts.iter().map(|host| MatrixRow {
            from: host.name.to_string(),
            cells: (columns.iter())
                .map(|column| self.cell(host.vip, column))
                .collect(),
        });
        PlanPolicy {
            default: match self.policy.default_action() {
                Action::Allow => "published".to_owned(),
                Action::Deny => "deny".to_owned(),
            },
            rules: (self.policy.rules().iter())
                .map(|rule| self.rule_view(rule))
                .collect(),
            rows: rows.collect(),
            targets: columns.iter().map(|column| self.target(column)).collect(),
        }
    }

    /// The columns: the hosts, and each combination of a route's destination and gateway, without repetitions.
    fn columns(&self) -> Vec<Column<'_>> {
        let mut columns: Vec<_> = self.hosts.iter().map(Column::Host).collect();
        let mut known = BTreeSet::new();
        for route in self.routes.iter() {
            for (to, via) in route
                .to
                .iter()
                .flat_map(|to| route.via.iter().map(move |via| (to, *via)))
            {
                if known.insert((to.to_string(), via)) {
                    columns.push(Column::Route(to, via));
                }
            }
        }
        columns
    }

    fn target(&self, column: &Column<'_>) -> MatrixTarget {
        match column {
            Column::Host(host) => {
                let ports: BTreeSet<_> = published(host).map(Port::get).collect();
                MatrixTarget {
                    name: host.name.to_string(),
                    via: None,
                    ports: ports.into_iter().collect(),
                }
            }
            Column::Route(to, via) => MatrixTarget {
                name: to.to_string(),
                via: Some(self.name_of(*via)),
                ports: Vec::new(),
            },
        }
    }

    fn cell(&self, from: Vip, column: &Column<'_>) -> MatrixCell {
        let own = match column {
            Column::Host(host) => host.vip,
            Column::Route(_, via) => *via,
        };
        let empty = |reach| MatrixCell {
            reach,
            ports: String::new(),
            some: String::new(),
            refused_by: Vec::new(),
        };
        if own == from {
            return empty(MatrixReach::Own);
        }
        let mut ranges: Vec<(u16, u16, Part)> = Vec::new();
        let mut refused_by = BTreeSet::new();
        let mut add = |first, last, ruling: Ruling| {
            let part = match (ruling.allows, ruling.denies) {
                (_, None) => Part::Allowed,
                (None, Some(_)) => Part::Refused,
                (Some(_), Some(_)) => Part::Partly,
            };
            refused_by.extend(ruling.denies);
            match ranges.last_mut() {
                Some((_, end, same)) if *same == part && *end + 1 == first => *end = last,
                _ => ranges.push((first, last, part)),
            }
        };
        match column {
            Column::Host(host) => {
                let ports: BTreeSet<_> = published(host).collect();
                for port in ports {
                    let ruling = self.policy.at_port(from, host.vip, port);
                    add(port.get(), port.get(), ruling);
                }
            }
            Column::Route(to, via) => {
                let begins = self.policy.rules().iter().flat_map(|rule| &rule.ports);
                let begins =
                    begins.flat_map(|ports| [Some(*ports.start()), ports.end().checked_add(1)]);
                let begins: BTreeSet<u16> = begins.flatten().chain([1]).collect();
                let ends = begins.iter().skip(1).map(|next| next - 1).chain([u16::MAX]);
                for (first, last) in begins.iter().zip(ends) {
                    add(*first, last, self.policy.on_route(from, *via, to, *first));
                }
            }
        }
        let has = |part| ranges.iter().any(|(_, _, it)| *it == part);
        let reach = match (has(Part::Allowed), has(Part::Refused), has(Part::Partly)) {
            (false, false, false) => MatrixReach::Nothing,
            (true, false, false) => MatrixReach::All,
            (false, true, false) => MatrixReach::None,
            _ => MatrixReach::Part,
        };
        let shown = |part| {
            if reach != MatrixReach::Part {
                return String::new();
            }
            let ranges = ranges.iter().filter(|(_, _, it)| *it == part);
            let texts = ranges.map(|(first, last, _)| ports_words(*first, *last));
            texts.collect::<Vec<_>>().join(", ")
        };
        let number = |by: &By| match by {
            By::Default => None,
            By::Rule(number) => Some(*number),
        };
        MatrixCell {
            reach,
            ports: shown(Part::Allowed),
            some: shown(Part::Partly),
            refused_by: refused_by.iter().filter_map(number).collect(),
        }
    }

    fn rule_view(&self, rule: &Rule) -> PlanRule {
        let hosts = |hosts: &Hosts| match hosts {
            Hosts::Everybody => vec!["*".to_owned()],
            Hosts::Only(hosts) => hosts.iter().map(|vip| self.name_of(*vip)).collect(),
        };
        let beyond = match &rule.beyond {
            Beyond::Everything if rule.to == Hosts::Everybody => Vec::new(),
            Beyond::Everything => vec!["*".to_owned()],
            Beyond::Only(targets) => targets.iter().map(ToString::to_string).collect(),
        };
        let ports = rule.ports.iter();
        let ports = ports.map(|ports| ports_words(*ports.start(), *ports.end()));
        PlanRule {
            number: rule.number,
            line: rule.line.0,
            from: hosts(&rule.from),
            to: [hosts(&rule.to), beyond].concat(),
            via: match &rule.via {
                Hosts::Everybody => Vec::new(),
                Hosts::Only(_) => hosts(&rule.via),
            },
            ports: ports.collect::<Vec<_>>().join(", "),
            action: match rule.action {
                Action::Allow => "allow".to_owned(),
                Action::Deny => "deny".to_owned(),
            },
        }
    }
}

fn ports_words(first: u16, last: u16) -> String {
    if first == last {
        return first.to_string();
    }
    format!("{first}-{last}")
}
