//! The network interface of a stack. It holds at most one packet in each direction, and only while its flow is polled.

use bytes::BytesMut;
use smoltcp::{
    phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken},
    time::Instant,
};

use crate::wire::{self, frame, packet};

/// One poll of the stack: it may receive a packet, send a packet, or both.
pub(super) struct StackPoll<'a> {
    incoming: Option<&'a [u8]>,
    out: &'a mut BytesMut,
    may_send: bool,
    packet_max: usize,
}

impl<'a> StackPoll<'a> {
    /// A poll in which the stack receives `packet`, and may put its answer into `out`.
    pub(super) fn receiving(packet: &'a [u8], out: &'a mut BytesMut) -> Self {
        Self {
            incoming: Some(packet),
            out,
            may_send: false,
            packet_max: wire::PACKET_MAX,
        }
    }

    /// A poll in which the stack may put one packet into `out`.
    pub(super) fn sending(out: &'a mut BytesMut) -> Self {
        Self {
            incoming: None,
            out,
            may_send: true,
            packet_max: wire::PACKET_MAX,
        }
    }

    /// Limits the packets of a stack that is made with this interface to this many bytes.
    #[must_use]
    pub(super) fn up_to(self, packet_max: usize) -> Self {
        Self { packet_max, ..self }
    }
}

impl Device for StackPoll<'_> {
    type RxToken<'b>
        = Incoming<'b>
    where
        Self: 'b;
    type TxToken<'b>
        = Outgoing<'b>
    where
        Self: 'b;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        let packet = self.incoming.take()?;
        Some((Incoming(packet), Outgoing(self.out)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        // The stack sends only one packet per poll, because the scheduler decides which flow sends next.
        std::mem::take(&mut self.may_send).then_some(Outgoing(self.out))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.packet_max;
        capabilities
    }
}

pub(super) struct Incoming<'a>(&'a [u8]);

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

pub(super) struct Outgoing<'a>(&'a mut BytesMut);

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        frame::put_packet(self.0, len, |packet| {
            let result = f(packet);
            packet::lower_window(packet);
            result
        })
    }
}
