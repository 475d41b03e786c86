#!/bin/sh
# smoltcp 0.14.0 does not learn of a larger window after both sides have finished, so the rest of the data waits.
#
# A socket whose peer has finished first, and which then finishes itself, is in the state LAST-ACK. Its send buffer may
# still be full. If the reader of the peer is slower, the window is zero until the reader reads, and then the peer
# announces the larger window in a segment that acknowledges nothing new. smoltcp 0.12.0 takes the window and goes on at
# once. Since 0.13.0, smoltcp answers such a segment in LAST-ACK with a challenge ACK (RFC 9293 section 3.10.7.4), and
# drops it with its window. The data goes on only when the zero window is probed, after the initial timeout of 1 s:
#
#     state when the window opens   smoltcp 0.12.0   smoltcp 0.14.0
#     ---------------------------------------------------------------
#     CLOSE-WAIT                        at once          at once
#     LAST-ACK                          at once          after 1000 ms
#
# So a program that calls close() as soon as the last byte is in the buffer is slower than one that waits until the
# buffer is empty. Nothing is reported; the bytes are complete.
#
# Builds a small program with each version in a temporary folder. It connects two interfaces by lists of packets on a
# clock of its own, so the figures do not depend on the machine. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > src/main.rs <<'RUST'
use std::collections::VecDeque;

use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken},
    socket::tcp::{Socket, SocketBuffer, State},
    time::{Duration, Instant},
    wire::{HardwareAddress, IpAddress, IpCidr},
};

#[derive(Default)]
struct Wire {
    arriving: VecDeque<Vec<u8>>,
    leaving: VecDeque<Vec<u8>>,
}
struct Arriving(Vec<u8>);
struct Leaving<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Arriving {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}
impl TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        self.0.push_back(packet);
        result
    }
}
impl Device for Wire {
    type RxToken<'a> = Arriving;
    type TxToken<'a> = Leaving<'a>;
    fn receive(&mut self, _: Instant) -> Option<(Arriving, Leaving<'_>)> {
        Some((Arriving(self.arriving.pop_front()?), Leaving(&mut self.leaving)))
    }
    fn transmit(&mut self, _: Instant) -> Option<Leaving<'_>> {
        Some(Leaving(&mut self.leaving))
    }
    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

struct Host {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl Host {
    fn new(last: u8) -> Self {
        let mut wire = Wire::default();
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, last), 24)).unwrap();
        });
        let buffer = || SocketBuffer::new(vec![0; 32 * 1024]);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(Socket::new(buffer(), buffer()));
        Self { wire, interface, sockets, handle }
    }
    fn socket(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

fn carry(now: Instant, from: &mut Host, to: &mut Host) {
    let _ = from.interface.poll(now, &mut from.wire, &mut from.sockets);
    to.wire.arriving.extend(from.wire.leaving.drain(..));
}

struct Pair {
    now: Instant,
    writer: Host,
    reader: Host,
}

impl Pair {
    /// Polls both hosts until neither has anything to send, and lets time pass as long as timers are due until `end`.
    fn run(&mut self, end: Instant) {
        loop {
            carry(self.now, &mut self.writer, &mut self.reader);
            carry(self.now, &mut self.reader, &mut self.writer);
            if !self.writer.wire.arriving.is_empty() || !self.reader.wire.arriving.is_empty() {
                continue;
            }
            let timers = [&mut self.writer, &mut self.reader]
                .map(|host| host.interface.poll_at(self.now, &host.sockets));
            match timers.into_iter().flatten().min() {
                Some(at) if at <= end => self.now = self.now.max(at),
                _ => break,
            }
        }
    }
}

/// How long the second half of the data takes after the window has opened, in ms.
fn measure(finish_before: bool) -> i64 {
    let mut pair = Pair { now: Instant::ZERO, writer: Host::new(1), reader: Host::new(2) };
    pair.reader.socket().listen(80).unwrap();
    let context = pair.writer.interface.context();
    let socket = pair.writer.sockets.get_mut::<Socket>(pair.writer.handle);
    socket.connect(context, (IpAddress::v4(10, 0, 0, 2), 80), 50_000).unwrap();
    pair.run(Instant::from_millis(100));
    pair.reader.socket().close();
    pair.run(Instant::from_millis(200));

    let half = vec![7; 32 * 1024];
    for _ in 0..2 {
        // The first half fills the buffer of the reader, and the second one that of the writer.
        assert_eq!(pair.writer.socket().send_slice(&half).unwrap(), half.len());
        let end = pair.now + Duration::from_millis(50);
        pair.run(end);
    }
    if finish_before {
        pair.writer.socket().close();
    }
    let end = pair.now + Duration::from_millis(50);
    pair.run(end);
    let state = if finish_before { State::LastAck } else { State::CloseWait };
    assert_eq!(pair.writer.socket().state(), state);

    let mut rest = vec![0; 64 * 1024];
    let read = pair.reader.socket().recv_slice(&mut rest).unwrap();
    assert_eq!(read, half.len());
    let start = pair.now;
    while pair.reader.socket().recv_queue() < half.len() {
        let end = pair.now + Duration::from_millis(10);
        pair.run(end);
        pair.now = end;
        assert!(pair.now < start + Duration::from_secs(60));
    }
    i64::try_from((pair.now - start).total_millis()).unwrap() - 10
}

fn main() {
    println!("CLOSE-WAIT {} LAST-ACK {}", measure(false), measure(true));
}
RUST

seen() {
    cat > Cargo.toml <<TOML
[package]
name = "window"
version = "0.0.0"
edition = "2024"

[dependencies]
smoltcp = { version = "=$1", default-features = false, features = ["std", "medium-ip", "proto-ipv4", "socket-tcp"] }

[workspace]
TOML
    CARGO_TARGET_DIR=$folder/target cargo run -q
}

old=$(seen 0.12.0)
new=$(seen 0.14.0)
echo "smoltcp 0.12.0, in ms: $old"
echo "smoltcp 0.14.0, in ms: $new"
test "$old" = "CLOSE-WAIT 0 LAST-ACK 0"
set -- $new
test "$2" -eq 0
test "$4" -ge 800
