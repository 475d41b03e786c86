//! What the administrator of this machine permits, checked where the agent is about to do it; and a summary of what was
//! refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use super::{Core, Listener, Listening, NotListening, Purpose, config::Config};
use crate::{
    limits::{Limits, Names, Refusal},
    proxy::{Cause, Destination, Failure, Host},
    time::Instant,
    wire::{control::ProblemReport, probe},
};

/// How many refusals by one rule are named; further ones are counted.
const NAMED_MAX: usize = 4;

/// The shortest time between two reports. An attacker can cause a thousand different refusals a second.
const TOLD_EVERY: Duration = Duration::from_secs(5);

impl Core {
    /// Whether a destination may be dialled at all, before its name is looked up.
    pub fn may_dial(&self, destination: &Destination) -> Result<(), Failure> {
        let judged = self.limits.may_dial(destination);
        judged.map_err(|refusal| self.failure(&refusal))
    }

    /// Whether an address may be dialled to which a destination has led.
    pub fn may_connect(&self, destination: &Destination, address: IpAddr) -> Result<(), Failure> {
        let judged = self.limits.may_connect(destination, address);
        judged.map_err(|refusal| self.failure(&refusal))
    }

    /// Notes that a destination was not dialled, or could not be. If it was not permitted, that is reported.
    pub fn handle_not_dialled(
        &mut self,
        now: Instant,
        destination: &Destination,
        failure: &Failure,
    ) {
        if failure.cause == Cause::Limited {
            let reason = failure.reason.trim_end_matches('.').to_owned();
            self.note_refused(now, "connect to", &destination.to_string(), reason);
        }
    }

    /// Whether another host may be told what it asks this agent's DNS server for: a name of the network or, if it is
    /// `foreign`, one that only this machine's resolvers know.
    pub fn may_resolve(&mut self, now: Instant, name: &str, foreign: bool) -> bool {
        let names = if foreign {
            Names::Everything
        } else {
            Names::Network
        };
        match self.limits.may_resolve(names) {
            Ok(()) => true,
            Err(refusal) => {
                self.note_refused(
                    now,
                    "tell other hosts the address of",
                    name,
                    refusal.to_string(),
                );
                false
            }
        }
    }

    /// Whether this agent may dial other machines for other hosts.
    pub(super) fn may_be_gateway(&self) -> Result<(), Failure> {
        let judged = self.limits.may_be_gateway();
        judged.map_err(|refusal| self.failure(&refusal))
    }

    /// Whether a flow may be dialled. A refusal is reported if other hosts ask for the flow; for a published port it
    /// was reported before.
    pub(super) fn permits_flow(
        &mut self,
        now: Instant,
        host: &str,
        port: u16,
        for_others: bool,
    ) -> bool {
        let Ok(host) = host.parse() else {
            // A text that is not a host cannot be dialled, and the driver reports that.
            return true;
        };
        let destination = Destination { host, port };
        let judged = self.may_dial(&destination);
        if let Err(failure) = &judged
            && for_others
        {
            self.handle_not_dialled(now, &destination, failure);
        }
        judged.is_ok()
    }

    /// Everything that this machine does not permit.
    pub(super) fn limited_problems(&self) -> Vec<ProblemReport> {
        let mut listeners = Sums::default();
        for (listener, place) in &self.listeners {
            if let Listening::Denied(why) = &place.listening {
                let (verb, address) = listener.words();
                listeners.add(verb, &address, why.reason.clone());
            }
        }
        let configured = self.denied.iter().cloned();
        let denied = listeners.reports().into_iter().chain(configured);
        denied.chain(self.refused.reports()).collect()
    }

    pub(super) fn may_listen(&self, listener: Listener) -> Result<(), NotListening> {
        let judged = match listener.purpose {
            Purpose::Network | Purpose::Dns => self.limits.may_listen(listener.address),
            Purpose::Http | Purpose::Socks => self.limits.may_serve_proxy(listener.address),
        };
        judged.map_err(|refusal| NotListening {
            cause: probe::Cause::Limited,
            reason: refusal.to_string(),
        })
    }

    fn note_refused(&mut self, now: Instant, verb: &'static str, what: &str, reason: String) {
        self.report_due |= self.refused.note(now, verb, what, reason);
    }

    /// A refusal for people elsewhere, who do not know which machine it is about.
    fn failure(&self, refusal: &Refusal) -> Failure {
        let config = self.config.as_ref();
        let me = config.map_or_else(String::new, |config| {
            format!(" of {}", config.called(config.me))
        });
        Failure {
            cause: Cause::Limited,
            reason: format!(
                "Not permitted by the administrator{me}: {}.",
                refusal.rule()
            ),
        }
    }
}

impl Config {
    /// Leaves out what may not be written, and returns everything in the configuration that will be refused.
    pub(super) fn limit(&mut self, limits: &Limits) -> Vec<ProblemReport> {
        let mut problems = Sums::default();
        for (port, (host, connect_port)) in &self.forwards {
            // A text that is not a host is reported when it is dialled.
            let Ok(host) = host.parse::<Host>() else {
                continue;
            };
            let destination = Destination {
                host,
                port: *connect_port,
            };
            if let Err(refusal) = limits.may_dial(&destination) {
                let what = format!("{destination} for port {port}");
                problems.add("connect to", &what, refusal.to_string());
            }
        }
        if self.routes.has_gateway(self.me)
            && let Err(refusal) = limits.may_be_gateway()
        {
            problems.add("be", "a gateway", refusal.to_string());
        }
        let files = &mut self.files;
        if let Some(folder) = &files.state_dir
            && let Err(refusal) = limits.may_write_folder(folder)
        {
            problems.add(
                "write into",
                &format!("the folder {folder}"),
                refusal.to_string(),
            );
            files.state_dir = None;
        }
        if files.etc_hosts
            && let Err(refusal) = limits.may_write_hosts_file()
        {
            problems.add("write into", "the hosts file", refusal.to_string());
            files.etc_hosts = false;
        }
        // No variable may lead programs to a proxy that is not there.
        for proxy in [&mut files.http, &mut files.socks] {
            proxy.take_if(|proxy| limits.may_serve_proxy(proxy.listen).is_err());
        }
        problems.reports()
    }
}

/// Refusals, summed up by what was asked and by rule. There are few rules, and nobody elsewhere can add one.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<(&'static str, String), Sum>);

#[derive(Debug, Default)]
struct Sum {
    named: BTreeSet<String>,
    more: u64,
}

impl Sums {
    /// Counts a refusal; false if it is not a new one.
    pub(super) fn add(&mut self, verb: &'static str, what: &str, reason: String) -> bool {
        let sum = self.0.entry((verb, reason)).or_default();
        if sum.named.contains(what) {
            return false;
        }
        if sum.named.len() < NAMED_MAX {
            sum.named.insert(what.to_owned());
        } else {
            sum.more += 1;
        }
        true
    }

    pub(super) fn reports(&self) -> Vec<ProblemReport> {
        let reports = self.0.iter().map(|((verb, reason), sum)| {
            let named: Vec<_> = sum.named.iter().map(String::as_str).collect();
            let more = match sum.more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            ProblemReport {
                what: format!("{verb} {}{more}", named.join(", ")),
                reason: reason.clone(),
            }
        });
        reports.collect()
    }
}

/// What was refused since the last configuration, and when that is reported.
#[derive(Debug, Default)]
pub(super) struct Refused {
    sums: Sums,
    told: Option<Instant>,
    due: Option<Instant>,
}

impl Refused {
    /// Notes a refusal; true if it has to be reported now.
    fn note(&mut self, now: Instant, verb: &'static str, what: &str, reason: String) -> bool {
        if !self.sums.add(verb, what, reason) {
            return false;
        }
        match self.told {
            Some(told) if now - told < TOLD_EVERY => {
                self.due = Some(told + TOLD_EVERY);
                false
            }
            Some(_) | None => {
                self.told = Some(now);
                true
            }
        }
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether something has to be reported now.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            (self.told, self.due) = (Some(now), None);
        }
        is_due
    }

    pub(super) fn reports(&self) -> Vec<ProblemReport> {
        self.sums.reports()
    }
}
