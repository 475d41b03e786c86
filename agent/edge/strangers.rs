//! Who was refused because a listener is for the agent's own user, and what people are told of it: each user once for each
//! listener, so that nobody can fill a log by knocking.

use std::collections::BTreeSet;

use super::{Listener, Purpose};

/// How many are told of in the life of an agent.
const TOLD_MAX: usize = 64;

/// Who was told of. Without a user: somebody who had gone before anybody could see who it was.
#[derive(Default)]
pub(super) struct Strangers(BTreeSet<(Listener, Option<u32>)>);

impl Strangers {
    /// Whether people are to be told of this one.
    pub(super) fn note(&mut self, listener: Listener, user: Option<u32>) -> bool {
        self.0.len() < TOLD_MAX && self.0.insert((listener, user))
    }
}

/// The sentence for people: who was refused where, and the line that would let them in.
pub(super) fn refused(listener: Listener, who: &str, host: &str) -> String {
    let (key, place) = match listener.purpose {
        Purpose::Network | Purpose::Dns => ("loopback", String::new()),
        Purpose::Http => ("http", "the HTTP proxy on ".to_owned()),
        Purpose::Socks => ("socks", "the SOCKS proxy on ".to_owned()),
    };
    let address = listener.address;
    // Short, because who is told cuts what is long.
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
        let http = listener(Purpose::Http, 1);
        assert!(strangers.note(http, Some(1001)));
        assert!(!strangers.note(http, Some(1001)));
        assert!(strangers.note(http, Some(1002)));
        assert!(strangers.note(http, None));
        assert!(strangers.note(listener(Purpose::Network, 1), Some(1001)));
    }

    #[test]
    fn nobody_fills_the_memory_by_knocking_as_many() {
        let mut strangers = Strangers::default();
        let knocks =
            (0..10_000).filter(|user| strangers.note(listener(Purpose::Http, 1), Some(*user)));
        assert_eq!(knocks.count(), TOLD_MAX);
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
