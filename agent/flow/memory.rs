//! The memory that the buffers of all flows may hold, and who holds it.
//!
//! The pages of a buffer are touched as far as data has come in it, and stay touched until the flow ends. So this
//! counts touched pages, and not what waits in a buffer at a moment.

use std::net::Ipv4Addr;

use crate::budget::Shares;

/// The cost in bytes of a flow that has carried next to nothing: its stack, its socket, its task, and the first page of
/// each of its buffers.
pub(super) const FLOW_COST: usize = 20 << 10;

/// The part of each buffer that [`FLOW_COST`] includes, in bytes.
pub(super) const PAGE: usize = 4 << 10;

/// Memory is taken in steps of this many bytes, where there is enough.
const STEP: usize = 16 << 10;

/// With less room than this for its holder, in bytes, a flow begins with small buffers, which cannot grow later.
const SCARCE: usize = 8 << 20;

/// One holder may have this many times what is free: one alone gets four fifths.
const MULTIPLE: usize = 4;

/// The one for whom a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The owner of this agent, and what the agent itself does.
    Owner,
    /// Another user of this machine.
    User(u32),
    /// Another host.
    Host(Ipv4Addr),
}

/// Limits for the flows of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// How many flows there may be at a time.
    pub flows: usize,
    /// How much memory all flows may hold, in bytes.
    pub memory: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            flows: 32_768,
            memory: 256 << 20,
        }
    }
}

/// How many flows and how many bytes each holder has.
#[derive(Debug)]
pub(super) struct Memory {
    flows: Shares<Holder>,
    bytes: Shares<Holder>,
}

impl Memory {
    pub(super) const fn new(capacity: Capacity) -> Self {
        Self {
            flows: Shares::new(capacity.flows, MULTIPLE),
            bytes: Shares::new(capacity.memory, MULTIPLE),
        }
    }

    /// Whether more than an eighth of the flows or of the memory is taken.
    pub(super) const fn is_busy(&self) -> bool {
        self.flows.used() > self.flows.free() / 7 || self.bytes.used() > self.bytes.free() / 7
    }

    /// Takes the room of a new flow, and says how large its buffers may be; `None` if there is no room.
    pub(super) fn begin(&mut self, holder: Holder) -> Option<Growth> {
        let room = self.room(holder);
        if !take(&mut self.flows, holder, 1) {
            return None;
        }
        if !take(&mut self.bytes, holder, FLOW_COST) {
            self.flows.give(holder, 1);
            return None;
        }
        Some(if room < SCARCE {
            Growth::Small
        } else {
            Growth::Large
        })
    }

    /// Takes the room that is needed to touch a buffer of `window` bytes up to `end`, if only `paid` bytes were paid
    /// for so far. Returns how much is paid for then.
    pub(super) fn grow(&mut self, holder: Holder, paid: usize, end: usize, window: usize) -> usize {
        let wanted = [end.next_multiple_of(STEP), end].map(|end| end.min(window));
        let larger = wanted.into_iter().filter(|wanted| *wanted > paid);
        let had = larger
            .into_iter()
            .find(|wanted| take(&mut self.bytes, holder, wanted - paid));
        had.unwrap_or(paid)
    }

    /// How many more bytes a holder may take.
    pub(super) fn room(&self, holder: Holder) -> usize {
        match holder {
            Holder::Owner => self.bytes.free(),
            Holder::User(_) | Holder::Host(_) => self.bytes.room(holder),
        }
    }

    /// Gives back everything of a flow: its cost, and what its buffers had paid for `beyond` their first pages.
    pub(super) fn end(&mut self, holder: Holder, beyond: usize) {
        self.flows.give(holder, 1);
        self.bytes.give(holder, FLOW_COST + beyond);
    }
}

/// Takes a share, if the holder may have it. The owner may have everything that is free.
fn take(shares: &mut Shares<Holder>, holder: Holder, amount: usize) -> bool {
    match holder {
        Holder::Owner => shares.take_any(holder, amount),
        Holder::User(_) | Holder::Host(_) => shares.take(holder, amount),
    }
}

/// How large the buffers of a flow are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// As large as is good for speed.
    Large,
    /// As large as a packet.
    Small,
}
