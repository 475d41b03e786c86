#!/bin/sh
# A TCP socket of smoltcp 0.14.0 touches all memory of a large receive buffer, although almost nothing is ever queued in it.
#
# Both buffers of a socket are rings. If the send buffer is empty, the next byte is put at its beginning, so a program that
# sends little at a time uses its first page again and again. Data that arrives is put behind the last byte that has been
# read, even if the receive buffer is empty. So a flow that carries as much as its receive buffer holds has walked through
# all of it, and all of its pages stay resident until the socket is dropped. Here 32 MiB go through in pieces of 1,000
# bytes, and the receiver reads each piece at once:
#
#     receive buffer   send buffer   most bytes queued in one of them   memory that became resident
#     -------------------------------------------------------------------------------------------------
#         32 MiB          64 KiB                 1000                        32 MiB
#         64 KiB          32 MiB                 1000                         0 MiB
#
# A large receive buffer that was allocated lazily is therefore not free for a fast reader: it costs its whole size for
# each flow that carries that much.
#
# Builds a small program with the crate in a temporary folder. Two sockets in one process exchange packets through a queue.
# Exits with 0 if what is described here is seen. Needs Linux, for /proc/self/statm.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "walk"
version = "0.0.0"
edition = "2024"

[dependencies]
smoltcp = { version = "=0.14.0", default-features = false, features = ["std", "medium-ip", "proto-ipv4", "socket-tcp"] }

[workspace]
TOML
cat > src/main.rs <<'RUST'
use std::collections::VecDeque;

use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken},
    socket::tcp::{Socket, SocketBuffer},
    time::Instant,
    wire::{HardwareAddress, IpAddress, IpCidr, IpEndpoint, Ipv4Address},
};

const LARGE: usize = 32 << 20;
const SMALL: usize = 64 << 10;
const PIECE: usize = 1_000;

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
    fn new(address: Ipv4Address, receive: usize, send: usize) -> Self {
        let mut wire = Wire::default();
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::Ipv4(address), 24)).unwrap();
        });
        let space = |size| SocketBuffer::new(vec![0; size]);
        let mut socket = Socket::new(space(receive), space(send));
        socket.set_ack_delay(None);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        Self { wire, interface, sockets, handle }
    }

    fn socket(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

/// Lets both hosts exchange packets until neither has one to send.
fn settle(now: Instant, hosts: &mut [Host; 2]) {
    loop {
        let mut is_quiet = true;
        for index in 0..2 {
            let host = &mut hosts[index];
            host.interface.poll(now, &mut host.wire, &mut host.sockets);
            let packets = std::mem::take(&mut host.wire.leaving);
            is_quiet &= packets.is_empty();
            hosts[1 - index].wire.arriving.extend(packets);
        }
        if is_quiet {
            return;
        }
    }
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Sends `LARGE` bytes through buffers of these sizes. Returns the most that was queued in a buffer, and how many MiB became
/// resident.
fn carry(receive: usize, send: usize) -> (usize, usize) {
    let (reader, writer) = (Ipv4Address::new(10, 0, 0, 2), Ipv4Address::new(10, 0, 0, 1));
    let mut hosts = [Host::new(writer, SMALL, send), Host::new(reader, receive, SMALL)];
    hosts[1].socket().listen(80).unwrap();
    let [first, _] = &mut hosts;
    let socket = first.sockets.get_mut::<Socket<'_>>(first.handle);
    let remote = IpEndpoint::new(IpAddress::Ipv4(reader), 80);
    socket.connect(first.interface.context(), remote, 5_000).unwrap();
    settle(Instant::ZERO, &mut hosts);
    let (before, mut most, mut got) = (resident(), 0, 0);
    let piece = [7; PIECE];
    for number in 0..LARGE.div_ceil(PIECE) {
        let now = Instant::from_micros(1_000_000 + i64::try_from(number).unwrap());
        assert_eq!(hosts[0].socket().send_slice(&piece).unwrap(), PIECE);
        most = most.max(hosts[0].socket().send_queue());
        settle(now, &mut hosts);
        most = most.max(hosts[1].socket().recv_queue());
        got += hosts[1].socket().recv(|bytes| (bytes.len(), bytes.len())).unwrap();
        // What is at the end of the ring comes in a second part.
        while hosts[1].socket().can_recv() {
            got += hosts[1].socket().recv(|bytes| (bytes.len(), bytes.len())).unwrap();
        }
        settle(now, &mut hosts);
    }
    assert_eq!(got, LARGE.div_ceil(PIECE) * PIECE);
    let grown = resident().saturating_sub(before);
    (most, (grown + (1 << 19)) >> 20)
}

fn main() {
    let receiving = carry(LARGE, SMALL);
    let sending = carry(SMALL, LARGE);
    println!("receive buffer 32 MiB: at most {} bytes queued, {} MiB became resident", receiving.0, receiving.1);
    println!("send buffer 32 MiB: at most {} bytes queued, {} MiB became resident", sending.0, sending.1);
    let seen = receiving.0 == PIECE && sending.0 == PIECE && receiving.1 >= 30 && sending.1 <= 2;
    std::process::exit(i32::from(!seen));
}
RUST
cargo run --release --quiet
