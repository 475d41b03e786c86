//! Clients that were refused because a listener accepts only the agent's own user. Each user is reported once for each
//! listener, so that nobody can fill a log by connecting again and again.

use std::{collections::BTreeSet, time::Duration};

use super::words::{Listener, Purpose};
use crate::time::Instant;

/// The maximum number of refusals that are reported while an agent runs.
const TOLD_MAX: usize = 256;

/// The maximum number of refusals that are reported within [`WINDOW`]. A refusal beyond this number is reported only if
/// the same user connects again later.
const AT_A_TIME: u32 = 10;
const WINDOW: Duration = Duration::from_secs(10);

/// The refusals that were reported.
#[derive(Default)]
pub(super) struct Strangers {
    /// The listener and the user of each reported refusal. The user is `None` if the connection ended before its user
    /// could be determined.
    told: BTreeSet<(Listener, Option<u32>)>,
    since: Instant,
    lately: u32,
}

impl Strangers {
    /// Whether this refusal should be reported.
    pub(super) fn note(&mut self, now: Instant, listener: Listener, user: Option<u32>) -> bool {
        if now - self.since >= WINDOW {
            (self.since, self.lately) = (now, 0);
        }
        let has_room = self.lately < AT_A_TIME && self.told.len() < TOLD_MAX;
        let is_news = has_room && self.told.insert((listener, user));
        self.lately += u32::from(is_news);
        is_news
    }
}

/// The sentence for people: which client was refused at which listener, and the setting that would let the client in.
pub(super) fn refused(listener: Listener, who: &str, host: &str) -> String {
    let (key, place) = match listener.purpose {
        Purpose::Network | Purpose::Dns => ("loopback", String::new()),
        Purpose::Http => ("http", "the HTTP proxy on ".to_owned()),
        Purpose::Socks => ("socks", "the SOCKS proxy on ".to_owned()),
    };
    let address = listener.address;
    // The text is kept short, because the manager truncates long texts.
    format!(
        "refused {who} at {place}{address}; to let in all users of that machine, write \"{key}: {{allow: any}}\" below {host:?}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(purpose: Purpose, port: u16) -> Listener {
        let address = ([127, 0, 42, 101], port).into();
        Listener { purpose, address }
    }

    #[test]
    fn each_user_is_told_of_once_for_each_listener() {
        let mut strangers = Strangers::default();
        let mut note = |listener, user| strangers.note(Instant::ZERO, listener, user);
        let http = listener(Purpose::Http, 1);
        assert!(note(http, Some(1001)));
        assert!(!note(http, Some(1001)));
        assert!(note(http, Some(1002)));
        assert!(note(http, None));
        assert!(note(listener(Purpose::Network, 1), Some(1001)));
    }

    #[test]
    fn nobody_fills_a_log_or_the_memory_by_knocking_as_many_or_at_many_doors() {
        let mut strangers = Strangers::default();
        let mut knock = |second: u64| {
            let now = Instant::ZERO + Duration::from_secs(second);
            let users = 0..10_000;
            let told =
                users.filter(|user| strangers.note(now, listener(Purpose::Http, 1), Some(*user)));
            told.count()
        };
        assert_eq!((knock(0), knock(9), knock(10)), (10, 0, 10));
        let all: usize = (2..100).map(|turn| knock(turn * 10)).sum();
        assert_eq!(all + 20, TOLD_MAX);
    }

    #[test]
    fn the_sentence_has_the_line_that_lets_them_in() {
        let told = |purpose| refused(listener(purpose, 8080), "bob (uid 1001)", "laptop");
        assert_eq!(
            told(Purpose::Network),
            "refused bob (uid 1001) at 127.0.42.101:8080; to let in all users of that machine, write \"loopback: {allow: \
             any}\" below \"laptop\""
        );
        assert!(told(Purpose::Http).contains("\"http: {allow: any}\""));
        assert!(told(Purpose::Socks).contains("at the SOCKS proxy on 127.0.42.101:8080"));
    }
}
