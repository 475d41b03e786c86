//! Detects that the machine has a new way to the internet: another Wi-Fi, a cable or a VPN, or any connection after it
//! was offline.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses that are not in use anywhere (RFC 5737, RFC 3849). The operating system is asked from which address it
/// would send packets to them. No packet is sent.
const SOMEWHERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        9,
    ),
];

/// The source addresses of packets to the addresses in [`SOMEWHERE`], for IPv4 and IPv6. `None` if the address cannot
/// be reached.
type Way = [Option<IpAddr>; 2];

/// The source addresses at the last check.
pub(in crate::driver) struct Uplink(Way);

impl Uplink {
    pub(in crate::driver) fn start() -> Self {
        Self(SOMEWHERE.map(source))
    }

    /// Whether the machine now has a connection that it did not have at the last check.
    pub(in crate::driver) fn has_changed(&mut self) -> bool {
        self.is_new(SOMEWHERE.map(source))
    }

    /// Whether `now` has a source address that the last check did not find. If an address was lost and none is new, the
    /// result is false, because retries would fail.
    fn is_new(&mut self, now: Way) -> bool {
        let before = std::mem::replace(&mut self.0, now);
        let mut pairs = before.iter().zip(&now);
        pairs.any(|(before, now)| now.is_some() && before != now)
    }
}

/// The source address of packets to `destination`. `None` if it cannot be reached.
fn source(destination: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match destination {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(destination).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(v4: Option<u8>, v6: Option<u16>) -> Way {
        [
            v4.map(|last| Ipv4Addr::new(192, 168, 1, last).into()),
            v6.map(|last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last).into()),
        ]
    }

    #[test]
    fn another_way_is_news_and_a_lost_one_is_not() {
        let mut uplink = Uplink(way(Some(7), None));
        let mut is_new = |v4, v6| uplink.is_new(way(v4, v6));
        assert!(!is_new(Some(7), None));
        assert!(is_new(Some(8), None));
        assert!(!is_new(None, None));
        assert!(is_new(Some(8), None), "the same one again");
        assert!(is_new(Some(8), Some(1)));
        assert!(is_new(Some(8), Some(2)));
        assert!(!is_new(Some(8), None));
    }

    #[test]
    fn the_loopback_goes_out_from_itself() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 9));
        assert_eq!(source(loopback), Some(loopback.ip()));
    }
}
