//! Changes a running network to another plan. Hosts that have not changed keep their pipes and flows.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    configure::{self, Names},
    held::{HeldPlan, Hold, ReloadOutcome, sentences},
    host::{HeldCommand, Host},
    network::{Core, Output, run_id_for},
};
use crate::{
    addr::{Port, Vip},
    link::Link,
    plan::{self, Change, Forward, HostPlan, Kind, Plan, Start},
    time::Instant,
    view::{Event, Grant, Unapplied},
};

/// The maximum number of bytes of a report about a manifest that are kept. The rest is cut off.
const REPORT_MAX: usize = 8 << 10;

/// Whether commands that nobody has approved may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commands {
    /// Commands that nobody has approved are started.
    Start,
    /// Commands that nobody has approved wait for [`Core::approve`]. Until then, a host keeps its old command, or has
    /// none.
    Hold,
}

impl Core {
    /// Notes that the manifest has changed but cannot be applied, for the reasons in `report`. The note stays until a
    /// manifest can be applied.
    pub fn refuse_manifest(&mut self, now: Instant, mut report: String) {
        report.truncate(report.floor_char_boundary(REPORT_MAX));
        let before = self.unapplied.take();
        let since_ms = before.map_or(now.as_micros() / 1_000, |before| before.since_ms);
        self.unapplied = Some(Unapplied { since_ms, report });
        self.outputs.push_back(Output::Changed);
    }

    /// Applies or holds the change to this plan. If another change was held before, it is dropped.
    pub fn take_up(&mut self, now: Instant, plan: &Plan, hold: Hold) -> ReloadOutcome {
        if self.stopping {
            return ReloadOutcome::default();
        }
        if self.unapplied.take().is_some() {
            self.outputs.push_back(Output::Changed);
        }
        let commands = match hold {
            Hold::Commands => Commands::Hold,
            Hold::Nothing | Hold::NewGrants => Commands::Start,
        };
        let grants = self.new_grants(plan, commands);
        if hold == Hold::NewGrants && !grants.is_empty() {
            let number = self.hold(plan, &grants);
            return ReloadOutcome {
                changes: Vec::new(),
                grants,
                held: Some(number),
            };
        }
        ReloadOutcome {
            changes: self.apply(now, plan, commands).1,
            grants,
            held: None,
        }
    }

    /// Whether a reload to this plan would take something away from the network: a host, or something that is granted
    /// now. A manifest that its author has only partly written would do that.
    pub fn would_lose(&self, plan: &Plan) -> bool {
        plan::loses(&self.plan, plan)
    }

    /// The grants of the plan that the running network does not have. New commands that will be held are left out,
    /// because each of them is granted only when a person approves it.
    fn new_grants(&self, plan: &Plan, commands: Commands) -> BTreeSet<Grant> {
        let mut grants = plan::new_grants(&self.plan, plan);
        if commands == Commands::Hold {
            let waits = |grant: &Grant| {
                matches!(
                    grant,
                    Grant::Command { .. } | Grant::Lookup { .. } | Grant::Install { .. }
                )
            };
            grants.retain(|grant| !waits(grant));
        }
        grants
    }

    fn hold(&mut self, plan: &Plan, grants: &BTreeSet<Grant>) -> u64 {
        if let Some(same) = self.held.as_ref().filter(|held| held.plan == *plan) {
            return same.number;
        }
        self.last_held_number += 1;
        self.held = Some(HeldPlan {
            plan: plan.clone(),
            grants: grants.clone(),
            number: self.last_held_number,
        });
        self.outputs.push_back(Output::Event(Event::Held {
            grants: sentences(grants),
        }));
        self.outputs.push_back(Output::Changed);
        self.last_held_number
    }

    /// Applies the change that is held under this number, because a person has agreed to it. Returns false if a
    /// different change is held by now, because a person approves only the change that was shown.
    pub fn approve_change(&mut self, now: Instant, number: u64) -> bool {
        let held = self.held.take_if(|held| held.number == number);
        let Some(held) = held.filter(|_| !self.stopping) else {
            return false;
        };
        self.reload(now, &held.plan, Commands::Start);
        true
    }

    /// Changes the network to `plan`, and returns the changes of its hosts.
    pub fn reload(&mut self, now: Instant, plan: &Plan, commands: Commands) -> Vec<Change> {
        self.apply(now, plan, commands).0
    }

    /// Changes the network to `plan`. Returns the changes of its hosts, and the words for everything that has changed.
    fn apply(
        &mut self,
        now: Instant,
        plan: &Plan,
        commands: Commands,
    ) -> (Vec<Change>, Vec<String>) {
        if self.stopping {
            return (Vec::new(), Vec::new());
        }
        let grants = self.new_grants(plan, commands);
        // A change that was held before is either part of this plan or outdated.
        self.held = None;
        let mut changes = plan::diff(&self.plan, plan);
        let same_policy = self.plan.policy.reads_like(&plan.policy);
        let same_routes = self.plan.routes == plan.routes;
        let other_services = other_services(&self.plan, plan);
        self.plan = Arc::new(plan.clone());
        self.switch.set_routes(plan.routes.clone());
        let cut = self.switch.set_policy(now, plan.policy.clone());
        let names = Names::of(plan);
        for change in &mut changes {
            match (change.kind, plan.host(change.vip)) {
                (Kind::Added | Kind::Restarted, Some(host)) => {
                    change.kind = self.take(now, host, &names, change.kind, commands);
                }
                (Kind::Reconfigured, Some(host)) => {
                    if let Some(known) = self.hosts.get_mut(change.vip) {
                        known.take(host, commands == Commands::Hold, &mut self.last_held_number);
                    }
                }
                (Kind::Removed | Kind::Held, _) | (_, None) => self.dismiss(now, change.vip),
            }
        }
        self.order = plan.hosts.iter().map(|host| host.vip).collect();
        // The reload may have removed a lost host, or given its VIP to another host, so the list of lost hosts may have
        // changed. An agent that already knows the present list is not told again.
        self.lost_broadcast.note(now, self.order.len());
        let mut begun = BTreeSet::new();
        for host in &plan.hosts {
            // A host whose new command is held keeps the old one.
            let start = self
                .hosts
                .get(&host.vip)
                .map_or(&host.start, |it| &it.plan.start);
            let run_id = run_id_for(&self.run_id, start);
            let configuration = configure::configuration(&self.plan, &names, host, run_id);
            let demands = configure::demands(plan, host);
            self.switch
                .update(host.vip, configure::ports(host), host.has_proxy());
            self.tell(now, host.vip, |link| {
                if link.reconfigure(now, configuration, demands) {
                    begun.insert(host.vip);
                }
            });
        }
        for (vip, port) in other_services {
            self.switch.forget_tried(vip, port);
        }
        for change in &changes {
            match change.kind {
                Kind::Added => self.tell(now, change.vip, Link::start),
                // A host that was just started already has the new command. A host that a person has stopped stays
                // stopped.
                Kind::Restarted if !begun.contains(&change.vip) => {
                    self.tell(now, change.vip, |link| {
                        if !link.is_stopped() {
                            link.restart(now);
                        }
                    });
                }
                Kind::Restarted | Kind::Removed | Kind::Reconfigured | Kind::Held => {}
            }
        }
        let policy = match cut {
            _ if same_policy => None,
            0 => Some("the policy: changed".to_owned()),
            1 => Some("the policy: changed, which has cut 1 connection".to_owned()),
            many => Some(format!(
                "the policy: changed, which has cut {many} connections"
            )),
        };
        let routes = (!same_routes).then(|| "the routes: changed".to_owned());
        let told: Vec<String> = changes
            .iter()
            .map(ToString::to_string)
            .chain(routes)
            .chain(policy)
            .collect();
        self.outputs.push_back(Output::Event(Event::Reloaded {
            changes: told.clone(),
            grants: sentences(&grants),
        }));
        self.announce_all(now);
        (changes, told)
    }

    /// Starts the command that is held under this number, because a person has approved it. Returns false if a
    /// different command is held by now, because a person approves only the command that was shown.
    pub fn approve(&mut self, now: Instant, vip: Vip, number: u64) -> bool {
        let host = self.hosts.get_mut(vip).filter(|_| !self.stopping);
        let Some(host) = host.filter(|host| !host.leaving) else {
            return false;
        };
        let Some(held) = host.held.take_if(|held| held.number == number) else {
            return false;
        };
        host.plan.start = held.start;
        self.tell(now, vip, |link| {
            if !link.is_stopped() {
                link.restart(now);
            }
        });
        self.announce_all(now);
        true
    }

    /// Announces the states of hosts that a reload or an approval has changed. Links do not announce these changes.
    fn announce_all(&mut self, now: Instant) {
        let hosts = self.order.iter();
        for vip in hosts {
            let event = self.hosts.get_mut(*vip).and_then(|host| host.announce(now));
            self.outputs.extend(event.map(Output::Event));
        }
        self.outputs.push_back(Output::Changed);
    }

    /// Adds or updates a host, and returns what has happened to it. `names` are those of the new plan.
    fn take(
        &mut self,
        now: Instant,
        plan: &HostPlan,
        names: &Names,
        kind: Kind,
        commands: Commands,
    ) -> Kind {
        let hold = commands == Commands::Hold;
        if let Some(host) = self.hosts.get_mut(plan.vip) {
            let old = host.plan.start.clone();
            host.take(plan, hold, &mut self.last_held_number);
            let was_leaving = std::mem::take(&mut host.leaving);
            // The host was being removed, but no person had stopped it. Its present command is approved, so it is
            // started again.
            if was_leaving && host.held.is_some() && !host.is_unapproved() {
                self.tell(now, plan.vip, Link::start);
                return Kind::Held;
            }
            return match &host.held {
                Some(_) => Kind::Held,
                // The host was being removed, but no person had stopped it.
                None if was_leaving => Kind::Added,
                None if host.plan.start == old && kind == Kind::Restarted => Kind::Reconfigured,
                None => Kind::Restarted,
            };
        }
        self.switch
            .add(plan.vip, configure::ports(plan), plan.has_proxy());
        if plan.start == Start::InProcess {
            self.switch.favour(plan.vip);
        }
        let link = Link::new(
            configure::configuration(
                &self.plan,
                names,
                plan,
                run_id_for(&self.run_id, &plan.start),
            ),
            configure::demands(&self.plan, plan),
            self.seed
                .wrapping_add(u64::from(u32::from(plan.vip.address()))),
        );
        let mut host = Host::new(plan.clone(), link, now);
        let waits = hold && plan.start != Start::InProcess;
        if waits {
            host.held = Some(HeldCommand::new(
                plan.start.clone(),
                &mut self.last_held_number,
            ));
        } else {
            self.pace.allow();
        }
        self.hosts.insert(plan.vip, host);
        if waits { Kind::Held } else { kind }
    }

    /// Stops a host that was removed. The host is removed when its process has ended.
    fn dismiss(&mut self, now: Instant, vip: Vip) {
        if let Some(host) = self.hosts.get_mut(vip) {
            host.leaving = true;
            self.tell(now, vip, |link| link.stop(now));
        }
    }
}

/// The published TCP ports that are new, or that now lead to a different target.
fn other_services(before: &Plan, now: &Plan) -> Vec<(Vip, Port)> {
    let leads_as_before = |host: &HostPlan, forward: &Forward| {
        let old = before.host(host.vip);
        old.is_some_and(|old| old.forwards.contains(forward))
    };
    let hosts = now.hosts.iter();
    hosts
        .flat_map(|host| {
            let other = configure::carried(host).filter(move |it| !leads_as_before(host, it));
            other.map(|forward| (host.vip, forward.listen_port))
        })
        .collect()
}
