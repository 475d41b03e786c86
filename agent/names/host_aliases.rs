//! The HOSTALIASES file (hostname(7)). It lets programs that use the C library's resolver find short names, and needs
//! no root rights.
//!
//! For each alias, the C library expects a name and not an address. Therefore the file uses the public domain nip.io,
//! which resolves each name that begins with an address to that address. The original NoRouter does the same.

use super::zone::Zone;

/// The text of a HOSTALIASES file with the names of the zone. Names with dots are left out, because the C library does
/// not look them up in this file. The lines of an existing file are added after ours, except lines for the same names.
pub fn text(zone: &Zone, existing: &[u8]) -> Vec<u8> {
    let ours: Vec<(&str, String)> = zone
        .entries()
        .filter(|(name, _)| !name.contains('.'))
        .map(|(name, address)| (name, format!("{name} {address}.nip.io\n")))
        .collect();
    let mut text: Vec<u8> = ours.iter().flat_map(|(_, line)| line.bytes()).collect();
    for line in existing.split_inclusive(|byte| *byte == b'\n') {
        let alias = line
            .split(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default();
        let is_ours = |name: &str| alias.eq_ignore_ascii_case(name.as_bytes());
        if !ours.iter().any(|(name, _)| is_ours(name)) {
            text.extend_from_slice(line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn short_names_come_first_and_what_was_there_stays() {
        let web = Ipv4Addr::new(127, 0, 42, 101);
        let zone = Zone::new([("web", web), ("www.test", web)]);
        let text = |existing: &[u8]| String::from_utf8(super::text(&zone, existing)).unwrap();
        assert_eq!(text(b""), "web 127.0.42.101.nip.io\n");
        assert_eq!(
            text(b"mail mail.example.com\nWEB other\nwebmail x"),
            "web 127.0.42.101.nip.io\nmail mail.example.com\nwebmail x"
        );
    }
}
