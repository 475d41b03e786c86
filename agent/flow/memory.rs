//! Counts the memory of all flows' buffers, for each [`Holder`].
//!
//! A page of a buffer is touched when data reaches it for the first time, and stays touched until the flow ends.
//! Therefore the touched pages are counted, not the bytes that are queued in a buffer at the moment.

use std::net::Ipv4Addr;

use super::stack::{FAR_WINDOW, Reach};
use crate::budget::Shares;

/// The cost of a flow that has carried almost no data, in bytes: its stack, its socket, its task, and the first page of
/// each of its buffers.
pub(super) const FLOW_COST: usize = 20 << 10;

/// The part of each buffer that [`FLOW_COST`] includes, in bytes.
pub(super) const PAGE: usize = 4 << 10;

/// If enough memory is free, it is reserved in steps of this many bytes.
const STEP: usize = 16 << 10;

/// If the holder of a new flow may reserve less than this many bytes, the flow gets small buffers, which cannot grow
/// later.
const SCARCE: usize = 8 << 20;

/// The maximum number of flows with the largest buffers. Together they can touch half of the memory of a usual agent.
const FAR_MAX: usize = 16;

/// A holder other than the owner may have at most this many times the amount that is still free. Alone, such a holder
/// can thus get at most four fifths of everything.
const MULTIPLE: usize = 4;

/// The party whose share a flow counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The user who runs this agent. The agent's own flows count here, too.
    Owner,
    /// Another user of this machine.
    User(u32),
    /// Another host.
    Host(Ipv4Addr),
}

/// Limits for the flows of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The maximum number of flows at a time.
    pub flows: usize,
    /// The maximum amount of memory for all flows together, in bytes.
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

/// The number of flows and bytes that each holder has.
#[derive(Debug)]
pub(super) struct Memory {
    flows: Shares<Holder>,
    bytes: Shares<Holder>,
    /// The flows with the largest buffers.
    far: Shares<Holder>,
}

impl Memory {
    pub(super) const fn new(capacity: Capacity) -> Self {
        Self {
            flows: Shares::new(capacity.flows, MULTIPLE),
            bytes: Shares::new(capacity.memory, MULTIPLE),
            far: Shares::new(FAR_MAX, 1),
        }
    }

    /// Whether more than an eighth of the flows or of the memory is in use.
    pub(super) const fn is_busy(&self) -> bool {
        self.flows.used() > self.flows.free() / 7 || self.bytes.used() > self.bytes.free() / 7
    }

    /// Reserves a new flow and its memory, and returns how large the flow's buffers may be; `None` if there is no room.
    pub(super) fn begin(&mut self, holder: Holder, reach: Reach) -> Option<Growth> {
        let room = self.room(holder);
        if !take(&mut self.flows, holder, 1) {
            return None;
        }
        if !take(&mut self.bytes, holder, FLOW_COST) {
            self.flows.give(holder, 1);
            return None;
        }
        let is_ample = room >= FAR_MAX * 2 * FAR_WINDOW;
        Some(if room < SCARCE {
            Growth::Small
        } else if reach == Reach::Far && is_ample && take(&mut self.far, holder, 1) {
            Growth::Far
        } else {
            Growth::Large
        })
    }

    /// Reserves the memory that is needed to fill a buffer of `window` bytes up to `end`, when only `paid` bytes have
    /// been reserved so far. Returns how many bytes are reserved afterwards.
    pub(super) fn grow(&mut self, holder: Holder, paid: usize, end: usize, window: usize) -> usize {
        let wanted = [end.next_multiple_of(STEP), end].map(|end| end.min(window));
        let larger = wanted.into_iter().filter(|wanted| *wanted > paid);
        let had = larger
            .into_iter()
            .find(|wanted| take(&mut self.bytes, holder, wanted - paid));
        had.unwrap_or(paid)
    }

    /// The number of bytes that a holder may still take.
    pub(super) fn room(&self, holder: Holder) -> usize {
        match holder {
            Holder::Owner => self.bytes.free(),
            Holder::User(_) | Holder::Host(_) => self.bytes.room(holder),
        }
    }

    /// Gives back everything that a flow with these buffers has reserved: its cost, and the `beyond` bytes of its buffers
    /// that follow their first pages.
    pub(super) fn end(&mut self, holder: Holder, growth: Growth, beyond: usize) {
        if growth == Growth::Far {
            self.far.give(holder, 1);
        }
        self.flows.give(holder, 1);
        self.bytes.give(holder, FLOW_COST + beyond);
    }
}

/// Reserves an amount if the holder may have it. The owner may have everything that is free.
fn take(shares: &mut Shares<Holder>, holder: Holder, amount: usize) -> bool {
    match holder {
        Holder::Owner => shares.take_any(holder, amount),
        Holder::User(_) | Holder::Host(_) => shares.take(holder, amount),
    }
}

/// The size of a flow's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// Large enough for full throughput to a host that is far away.
    Far,
    /// Large enough for full throughput to other hosts.
    Large,
    /// Just large enough for the largest packet.
    Small,
}
