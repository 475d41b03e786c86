#!/bin/sh
# A smoltcp 0.14.0 receiver takes back up to one unit of a window that it has announced, and drops what was sent into it.
#
# With a buffer of 64 KiB or more, the window is announced in units of 2, 4, 8, ... bytes (RFC 7323 section 2.3). smoltcp
# rounds the free space down to the unit in each segment anew. So the right edge of the window (acknowledgment number plus
# window) depends on the number of bytes that have arrived: if segments have odd sizes, a later edge can lie before an
# earlier one, although the program has read nothing. RFC 7323 section 2.4 warns of that, and leaves it to the receiver
# to accept what fits into any window that it has announced. smoltcp compares with its newest announcement only:
#
#     buffer     unit   segments of   edge moves back by at most   bytes up to the largest edge that are dropped
#     -------------------------------------------------------------------------------------------------------------
#      32 KiB       1    1001 bytes           0                        0
#     512 KiB      16    1024 bytes           0                        0
#     512 KiB      16    1001 bytes          15                       13
#       4 MiB     128    1001 bytes         127                      114
#
# A sender that fills the window, as it may, has to send these last bytes again.
#
# Builds a small program with the crate in a temporary folder. It feeds a socket with packets of its own, on a clock of its
# own. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "edge"
version = "0.0.0"
edition = "2024"

[dependencies]
smoltcp = { version = "=0.14.0", default-features = false, features = ["std", "medium-ip", "proto-ipv4", "socket-tcp"] }

[workspace]
TOML
cat > src/main.rs <<'RUST'
use std::collections::VecDeque;

use smoltcp::{
    iface::{Config, Interface, SocketSet},
    phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken},
    socket::tcp::{Socket, SocketBuffer},
    time::{Duration, Instant},
    wire::{
        HardwareAddress, IpAddress, IpCidr, IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr, TcpControl, TcpPacket,
        TcpRepr, TcpSeqNumber,
    },
};

const WRITER: Ipv4Address = Ipv4Address::new(10, 0, 0, 1);
const READER: Ipv4Address = Ipv4Address::new(10, 0, 0, 2);

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

struct Reader {
    now: Instant,
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    /// What the peer has sent and acknowledged so far.
    sent: i32,
    acknowledged: i32,
    shift: u8,
    /// The newest and the largest edge of the window, and how far it has moved back.
    acked: i64,
    largest: i64,
    back: i64,
}

impl Reader {
    fn new(buffer: usize) -> Self {
        let mut wire = Wire::default();
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::Ipv4(READER), 24)).unwrap();
        });
        let space = |size| SocketBuffer::new(vec![0; size]);
        let mut socket = Socket::new(space(buffer), space(1024));
        socket.listen(80).unwrap();
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        let mut reader = Self {
            now: Instant::ZERO, wire, interface, sockets,
            sent: 0, acknowledged: 0, shift: 0, acked: 0, largest: 0, back: 0,
        };
        reader.feed(TcpControl::Syn, &[]);
        reader.feed(TcpControl::None, &[]);
        assert!(reader.sockets.get::<Socket>(handle).may_recv());
        reader
    }

    /// Sends one segment to the socket, and reads what it answers within 20 ms.
    fn feed(&mut self, control: TcpControl, payload: &[u8]) {
        let is_syn = control == TcpControl::Syn;
        let repr = TcpRepr {
            src_port: 50_000,
            dst_port: 80,
            control,
            seq_number: TcpSeqNumber(self.sent),
            ack_number: (!is_syn).then_some(TcpSeqNumber(self.acknowledged)),
            window_len: 65_535,
            window_scale: is_syn.then_some(7),
            max_seg_size: is_syn.then_some(1460),
            sack_permitted: false,
            sack_ranges: [None; 3],
            timestamp: None,
            payload,
        };
        let ip = Ipv4Repr {
            src_addr: WRITER,
            dst_addr: READER,
            next_header: IpProtocol::Tcp,
            payload_len: repr.buffer_len(),
            hop_limit: 64,
        };
        let mut bytes = vec![0; ip.buffer_len() + repr.buffer_len()];
        let sums = ChecksumCapabilities::default();
        ip.emit(&mut Ipv4Packet::new_unchecked(&mut bytes), &sums);
        let (from, to) = (IpAddress::Ipv4(WRITER), IpAddress::Ipv4(READER));
        repr.emit(&mut TcpPacket::new_unchecked(&mut bytes[ip.buffer_len()..]), &from, &to, &sums);
        self.wire.arriving.push_back(bytes);
        self.sent += i32::try_from(payload.len()).unwrap() + i32::from(is_syn);
        for _ in 0..2 {
            self.interface.poll(self.now, &mut self.wire, &mut self.sockets);
            self.now += Duration::from_millis(10);
        }
        for packet in std::mem::take(&mut self.wire.leaving) {
            let ip = Ipv4Packet::new_checked(&packet).unwrap();
            let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
            if tcp.syn() {
                self.acknowledged = tcp.seq_number().0 + 1;
                self.shift = TcpRepr::parse(&tcp, &to, &from, &sums).unwrap().window_scale.unwrap();
            } else {
                self.acked = i64::from(tcp.ack_number().0);
                let edge = self.acked + (i64::from(tcp.window_len()) << self.shift);
                self.largest = self.largest.max(edge);
                self.back = self.back.max(self.largest - edge);
            }
        }
    }
}

fn main() {
    for (buffer, segment) in [(32, 1001), (512, 1024), (512, 1001), (4096, 1001)] {
        let mut reader = Reader::new(buffer * 1024);
        let payload = vec![7; segment];
        // One segment after the other, the last one up to the largest edge that was announced.
        loop {
            let room = match reader.largest {
                0 => segment,
                edge => usize::try_from(edge - i64::from(reader.sent)).unwrap(),
            };
            if room == 0 {
                break;
            }
            reader.feed(TcpControl::None, &payload[..segment.min(room)]);
        }
        let dropped = reader.largest - reader.acked;
        println!("{buffer} KiB, {segment} bytes: unit {}, back {}, dropped {dropped}", 1 << reader.shift, reader.back);
    }
}
RUST
CARGO_TARGET_DIR=$folder/target cargo run -q > seen
cat seen
cat > expected <<'TEXT'
32 KiB, 1001 bytes: unit 1, back 0, dropped 0
512 KiB, 1024 bytes: unit 16, back 0, dropped 0
512 KiB, 1001 bytes: unit 16, back 15, dropped 13
4096 KiB, 1001 bytes: unit 128, back 127, dropped 114
TEXT
diff expected seen
