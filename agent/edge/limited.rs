//! Applies the limits of this machine, which its administrator has set. Each action is checked at the moment at which
//! it is to be performed, and refusals are summarized.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use super::{
    config::Config,
    rights::Rights,
    words::{Listener, NotListening, Purpose},
};
use crate::{
    destination::{Destination, Host},
    limits::{Limits, Names, REMEDY, Refusal},
    time::Instant,
    wire::{
        Cause, Failure,
        control::{ProblemCode, ProblemReport},
    },
};

/// The maximum number of refusals by one rule that a report names. Further refusals are only counted.
const NAMED_MAX: usize = 4;

/// The shortest time between two reports, because an attacker can cause a thousand different refusals a second.
const TOLD_EVERY: Duration = Duration::from_secs(5);

impl Rights {
    /// Whether a destination may be dialled. If the destination is a name, [`Rights::may_connect`] also has to permit
    /// the address to which the name resolves.
    pub fn may_dial(&self, destination: &Destination) -> Result<(), Failure> {
        let judged = self.limits.may_dial(destination);
        judged.map_err(|refusal| self.failure(&refusal))
    }

    /// Whether an address to which `destination` has resolved may be dialled.
    pub fn may_connect(&self, destination: &Destination, address: IpAddr) -> Result<(), Failure> {
        let judged = self.limits.may_connect(destination, address);
        judged.map_err(|refusal| self.failure(&refusal))
    }

    /// Whether another host may be told the address of a name. `foreign` means that the name does not belong to the
    /// network, and only this machine's resolvers know it.
    pub(super) fn may_resolve(&self, foreign: bool) -> Result<(), Refusal> {
        self.limits.may_resolve(if foreign {
            Names::Everything
        } else {
            Names::Network
        })
    }

    /// Whether this agent may dial other machines on behalf of other hosts.
    pub(super) fn may_be_gateway(&self) -> Result<(), Failure> {
        let judged = self.limits.may_be_gateway();
        judged.map_err(|refusal| self.failure(&refusal))
    }

    pub(super) fn may_listen(&self, listener: Listener) -> Result<(), NotListening> {
        let judged = match listener.purpose {
            Purpose::Network | Purpose::Dns => self.limits.may_listen(listener.address),
            Purpose::Http | Purpose::Socks => self.limits.may_serve_proxy(listener.address),
        };
        judged.map_err(|refusal| NotListening {
            cause: Cause::Limited,
            reason: refusal.to_string(),
            remedy: Some(REMEDY.to_owned()),
        })
    }

    /// The failure for people on other hosts. It names this machine, because they do not know which machine has
    /// refused.
    fn failure(&self, refusal: &Refusal) -> Failure {
        let config = self.config.as_ref();
        let me = config.map_or_else(String::new, |config| {
            format!(" of {}", config.called(config.me))
        });
        Failure {
            cause: Cause::Limited,
            reason: format!("Not permitted by the administrator{me}: {refusal}."),
        }
    }
}

impl Config {
    /// Removes from a new configuration the files that the agent may not write. Removes the proxies that it may not
    /// serve from its files with environment variables. Returns a report for each refusal. A refusal concerns a file, a
    /// dial target, or the role of a gateway. Listeners are judged later, when they are opened.
    pub(super) fn limit(&mut self, limits: &Limits) -> Vec<ProblemReport> {
        let mut problems = Sums::default();
        for (port, (host, connect_port)) in &self.forwards {
            // A text that is not a valid host is not judged here: it is reported when it is dialled.
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
        // An environment variable must not direct programs to a proxy that does not run.
        for proxy in [&mut files.http, &mut files.socks] {
            proxy.take_if(|proxy| limits.may_serve_proxy(proxy.listen).is_err());
        }
        problems.reports()
    }
}

/// Refusals, counted by the requested action and by rule. The number of entries stays small, because there are few
/// rules, and other hosts cannot add any.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<(&'static str, String), Sum>);

#[derive(Debug, Default)]
struct Sum {
    named: BTreeSet<String>,
    more: u64,
}

impl Sums {
    /// Adds the refusal of `what`. If [`NAMED_MAX`] others have been added by name, `what` is only counted. Returns
    /// false if `what` was added by name before, because then there is nothing new to report.
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
                code: Some(ProblemCode::Limited),
                address: None,
                remedy: Some(REMEDY.to_owned()),
            }
        });
        reports.collect()
    }
}

/// The refusals since the last configuration, and the time of their next report.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    sums: Sums,
    told: Option<Instant>,
    due: Option<Instant>,
}

impl Refusals {
    /// Notes a refusal; returns true if it has to be reported now.
    pub(super) fn note(
        &mut self,
        now: Instant,
        verb: &'static str,
        what: &str,
        reason: String,
    ) -> bool {
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

    /// Whether a report is due now.
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
