//! The table of all attacks. `agent.py` describes what hostile agents do, and `local.py` describes what another user of
//! the laptop does.

/// An attack. It may have several parts at the same time, because each hostile agent has a mode of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    /// The name of the attack.
    pub(crate) name: &'static str,
    /// The mode of each hostile agent; see `agent.py`.
    pub(crate) agents: &'static [&'static str],
    /// The arguments of `local.py` for another user of the laptop. `None` if no other user attacks.
    pub(crate) local: Option<&'static str>,
    /// Whether the gateway is attacked. If so, the measured connections go through the gateway.
    pub(crate) gateway: bool,
    /// Whether a person asks at the same time why the hostile host cannot be reached.
    pub(crate) asked: bool,
    /// How many files the manager may have open. `None` if there is no special limit.
    pub(crate) files: Option<u32>,
    /// Whether the attack is so excessive that people have to be told who the attacker is.
    pub(crate) named: bool,
    /// The honest hosts to which the hostile hosts begin very many connections. These honest hosts may report that.
    pub(crate) crowded: &'static [&'static str],
    /// The smallest number of frames or connections that counts as an attack. A short run that has sent fewer fails.
    pub(crate) least: u64,
}

/// An attack of hostile agents that is so excessive that people have to be told who the attackers are.
const fn attack(name: &'static str, agents: &'static [&'static str], least: u64) -> Attack {
    Attack {
        name,
        agents,
        local: None,
        gateway: false,
        asked: false,
        files: None,
        named: true,
        crowded: &[],
        least,
    }
}

/// An attack that stays within a host's rights, or uses up only the budget of its own flows. People need not be told
/// who the attacker is.
const fn quiet(name: &'static str, agents: &'static [&'static str], least: u64) -> Attack {
    Attack {
        named: false,
        ..attack(name, agents, least)
    }
}

/// Marks an attack as one that begins very many connections to these hosts.
const fn crowding(hosts: &'static [&'static str], attack: Attack) -> Attack {
    Attack {
        crowded: hosts,
        ..attack
    }
}

/// An attack of another user of the laptop.
const fn local(name: &'static str, what: &'static str, least: u64) -> Attack {
    Attack {
        local: Some(what),
        ..quiet(name, &[], least)
    }
}

/// All attacks.
#[rustfmt::skip]
pub(crate) const ATTACKS: &[Attack] = &[
    quiet("nothing", &["nothing"], 0),
    // Attacks with packets that are refused.
    attack("refused SYNs, own queue not read", &["refused-unread"], 5_000),
    attack("the same from one port", &["refused-one-port"], 5_000),
    attack("refused SYNs, queue read", &["refused-read"], 5_000),
    attack("resets of flows that never were", &["resets"], 5_000),
    attack("stray packets of 64 KiB", &["stray"], 100),
    // Attacks with flows that are only begun.
    crowding(&["laptop"], attack("SYNs to the laptop's DNS port", &["syn-dns"], 5_000)),
    crowding(&["good"], attack("SYNs to a published port", &["syn-good"], 5_000)),
    crowding(&["good"], attack("7,800 features, then SYNs", &["features-then-syns"], 5_000)),
    attack("SYNs to a host that never answers", &["syn-silent"], 16_000),
    attack("SYNs to itself", &["syn-self"], 5_000),
    crowding(&["good"], attack("SYN and RST in turn", &["syn-reset"], 5_000)),
    Attack { gateway: true, ..crowding(&["good2"], attack("SYNs to the gateway's relay", &["syn-relay"], 5_000)) },
    Attack { gateway: true, ..crowding(&["good2"], quiet("relay questions that nobody answers", &["relay-questions"], 400)) },
    Attack { files: Some(1_024), ..crowding(&["laptop"], attack("1,500 flows, 1,024 open files", &["hold"], 500)) },
    crowding(&["good"], quiet("flows closed on one side", &["half-closed"], 1_000)),
    // Attacks with packets within flows.
    quiet("300 flows, zero window", &["zero-window"], 600),
    quiet("300 flows, a window of one byte", &["tiny-window"], 600),
    attack("300 flows, filled", &["fill"], 600),
    crowding(&["laptop"], quiet("DNS questions over 100 flows", &["dns-questions"], 1_000)),
    quiet("segments of one byte", &["one-byte"], 1_000),
    quiet("every other byte", &["out-of-order"], 5_000),
    quiet("segments that overlap", &["overlaps"], 5_000),
    quiet("the same acknowledgement", &["acks"], 5_000),
    quiet("fuzz in established flows", &["fuzz-flows"], 1_000),
    // Attacks with messages.
    attack("small objects in unknown events", &["json-objects"], 2),
    attack("empty lists in unknown events", &["empty-lists"], 2),
    attack("unknown events, short", &["small-events"], 5_000),
    attack("the same problems", &["same-problems"], 20),
    attack("other problems every time", &["new-problems"], 20),
    attack("other problems at a slow pace", &["slow-problems"], 10),
    attack("results that nobody waits for", &["results"], 1_000),
    quiet("suggestions within the limit", &["suggestions"], 20),
    attack("60,000 addresses in a suggestion", &["many-suggestions"], 1),
    attack("greetings of 1 MB", &["huge-greeting"], 1),
    Attack { asked: true, ..quiet("answers to probes of 1 MB", &["probes"], 1) },
    // Attacks with invalid bytes.
    attack("frames of no kind, broken JSON", &["no-kind"], 100),
    attack("fuzz of frames", &["fuzz"], 100),
    quiet("a byte at a time", &["drip"], 1_000),
    quiet("standard error, ANSI", &["stderr-ansi"], 1),
    quiet("standard error, line breaks", &["stderr-breaks"], 1),
    quiet("standard error, one line", &["stderr-endless"], 1),
    attack("dies and comes back", &["dies"], 1),
    // Several attacks at once.
    crowding(&["laptop", "good"], attack("five at once", &["syn-dns", "json-objects", "refused-unread", "same-problems", "syn-good"], 5_000)),
    // Attacks of another user of the laptop.
    local("16,585 connections of another user", "idle 16585 127.0.42.12 8082", 1),
    local("1,024 CONNECTs of another user", "idle 1024 127.0.0.1 18080", 1),
];
