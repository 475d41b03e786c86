//! Parsers for the texts inside a manifest: ports, addresses, destinations, commands. Each function parses one text. It
//! returns a value, or says what is wrong with the text and what to write instead.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
};

use super::network::{DialTarget, Forward, Protocol, TargetHost};
use crate::{
    addr::{Port, Vip, VipError},
    route::{Target, TargetError},
    text::{Lookalike, ascii_name, lookalike, quote},
};

/// A mistake in a text, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) message: String,
    pub(super) hint: String,
}

/// Makes a flaw from its two texts.
pub(super) fn flaw(message: impl Into<String>, hint: impl Into<String>) -> Flaw {
    Flaw {
        message: message.into(),
        hint: hint.into(),
    }
}

/// Refuses a name that the program could take for something else.
pub(super) fn check_name(key: &str, name: &str) -> Result<(), Flaw> {
    if name.is_empty() {
        return Err(flaw(
            format!("{key} is empty"),
            "write the name of the machine or container",
        ));
    }
    if name.starts_with('-') || name.chars().any(char::is_whitespace) {
        let message = format!("{key} needs one name, but this is {}", quote(name));
        return Err(flaw(
            message,
            match key {
                "ssh" => "write options as a list: ssh: [\"-p\", \"2222\", \"web1\"]",
                _ => "write a command with options as shell, or as cmd",
            },
        ));
    }
    Ok(())
}

/// Parses the VIP of a host.
pub(super) fn vip(text: &str) -> Result<Vip, Flaw> {
    text.parse().map_err(|error| {
        let hint = match error {
            VipError::Syntax => "write four numbers from 0 to 255 without leading zeros, like 127.0.42.101",
            VipError::NotLoopback => {
                "every host listens on the addresses of all hosts, which needs no root only there: choose one \
                 like 127.0.42.101"
            }
            VipError::Reserved => "choose another one, like 127.0.42.101",
        };
        flaw(format!("{} cannot be a VIP: it is {error}", quote(text)), hint)
    })
}

/// Parses the block from which addresses are assigned. Returns its first and its last address.
pub(super) fn network(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), Flaw> {
    let example = "write a block inside 127.0.0.0/8, like 127.0.42.0/24";
    let wrong = |why: &str| {
        flaw(
            format!("{} cannot be the network: {why}", quote(text)),
            example,
        )
    };
    let (address, bits) = text
        .split_once('/')
        .ok_or_else(|| wrong("it is not a block, there is no \"/\""))?;
    let address: Ipv4Addr = address
        .parse()
        .map_err(|_| wrong("it is not an IPv4 block"))?;
    let bits = prefix_bits(bits, 32).ok_or_else(|| wrong("its size is not a number up to 32"))?;
    if !address.is_loopback() || bits < 8 {
        return Err(wrong("it is not inside 127.0.0.0/8"));
    }
    let host_mask = u32::MAX.checked_shr(bits).unwrap_or(0);
    let first = Ipv4Addr::from(u32::from(address) & !host_mask);
    if first != address {
        let hint = format!("write {first}/{bits}");
        return Err(flaw(
            wrong("a block begins at its first address").message,
            hint,
        ));
    }
    Ok((first, Ipv4Addr::from(u32::from(first) | host_mask)))
}

/// Parses an entry of a host's `ports`: `LISTENPORT:CONNECTHOST:CONNECTPORT[/tcp|/udp]`.
pub(super) fn forward(text: &str) -> Result<Forward, Flaw> {
    let form = "write LISTENPORT:CONNECTHOST:CONNECTPORT, like";
    let (addresses, protocol) = match text.rsplit_once('/') {
        None => (text, Protocol::Tcp),
        Some((addresses, "tcp")) => (addresses, Protocol::Tcp),
        Some((addresses, "udp")) => (addresses, Protocol::Udp),
        Some((addresses, other)) => {
            let message = format!("{} is not a protocol", quote(other));
            return Err(flaw(
                message,
                format!("end with /tcp, /udp or nothing: \"{addresses}\""),
            ));
        }
    };
    let parts = addresses
        .split_once(':')
        .and_then(|(listen, target)| Some((listen, target.rsplit_once(':')?)));
    let Some((listen, (host, connect))) = parts else {
        // An entry of only one or two numbers is probably meant for a port of the host itself. The example therefore
        // shows how to write such a port.
        let numbers: Vec<&str> = addresses.split(':').collect();
        let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
        if numbers.iter().any(|number| is_range(number)) {
            return Err(no_range(text, first, "127.0.0.1", last));
        }
        let example = match (port(first), port(last)) {
            (Ok(first), Ok(last)) => format!("\"{first}:127.0.0.1:{last}\""),
            _ => "\"8080:127.0.0.1:80\"".into(),
        };
        let message = format!("{} does not say where to listen and connect", quote(text));
        return Err(flaw(message, format!("{form} {example}")));
    };
    if is_range(listen) || is_range(connect) {
        return Err(no_range(text, listen, host, connect));
    }
    Ok(Forward {
        listen_port: port(listen)?,
        target: DialTarget {
            host: target_host(host)?,
            port: port(connect)?,
        },
        protocol,
    })
}

/// Whether a text is a range of ports. The `ports` of a host must not contain a range.
fn is_range(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let ends = text.split_once('-');
    ends.is_some_and(|(first, last)| is_number(first.trim()) && is_number(last.trim()))
}

/// The flaw of an entry that has a range of ports. The example in it is the entry for the first port of the range.
fn no_range(text: &str, listen: &str, host: &str, connect: &str) -> Flaw {
    let first = |text: &str| text.split('-').next().unwrap_or_default().trim().to_owned();
    flaw(
        format!(
            "{} has a range of ports, but an entry has one port on each side",
            quote(text)
        ),
        format!(
            "each port needs a line of its own: the first is \"{}:{host}:{}\"",
            first(listen),
            first(connect)
        ),
    )
}

/// Parses the port on which a host answers DNS queries. No address is written with it, because the address is always
/// the host's VIP.
pub(super) fn dns_port(text: &str) -> Result<Port, Flaw> {
    port(text).map_err(|wrong| {
        let hint = "write a port of the host's VIP from 1 to 65535, like 10053";
        flaw(wrong.message, hint)
    })
}

/// Parses an entry of a rule's `ports`: a port, or a range of ports.
pub(super) fn ports(text: &str) -> Result<RangeInclusive<u16>, Flaw> {
    let wrong = || {
        flaw(
            format!("{} is neither a port nor a range of ports", quote(text)),
            "write numbers from 1 to 65535, like 5432 or \"8000-8010\"",
        )
    };
    let number = |text: &str| port(text.trim()).map_err(|_| wrong());
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if first > last {
        return Err(wrong());
    }
    Ok(first.get()..=last.get())
}

fn port(text: &str) -> Result<Port, Flaw> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        let hint = if digits {
            "a port is a number from 1 to 65535"
        } else {
            "write LISTENPORT:CONNECTHOST:CONNECTPORT, like \"8080:127.0.0.1:80\""
        };
        flaw(format!("{} is not a port", quote(text)), hint)
    })
}

fn target_host(text: &str) -> Result<TargetHost, Flaw> {
    if let Some(inside) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return match inside.parse() {
            Ok(address) => Ok(TargetHost::Ip(IpAddr::V6(address))),
            Err(_) => Err(flaw(
                format!("{} is not an IPv6 address", quote(inside)),
                "only an IPv6 address stands in brackets, like \"8080:[::1]:80\"",
            )),
        };
    }
    if text.contains(':') {
        let message = format!("{} is neither a host name nor an IPv4 address", quote(text));
        return Err(flaw(
            message,
            "put brackets around an IPv6 address, like \"8080:[::1]:80\"",
        ));
    }
    if let Ok(address) = text.parse() {
        return Ok(TargetHost::Ip(IpAddr::V4(address)));
    }
    if text.is_empty() {
        return Err(flaw(
            "there is no host between the colons",
            "write the host to connect to, like \"8080:127.0.0.1:80\"",
        ));
    }
    // A complete name may end with a dot.
    let mut labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let is_label = |label: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        !label.is_empty() && label.chars().all(fits)
    };
    let is_name = text.len() <= 253 && labels.clone().all(is_label);
    // Programs take a name whose last part is a number for an IPv4 address, and refuse it (WHATWG URL, "ends in a
    // number").
    let numeric_end = labels
        .next_back()
        .is_some_and(|label| label.chars().all(|c| c.is_ascii_digit()));
    if !is_name || numeric_end {
        let message = format!("{} is neither a host name nor an address", quote(text));
        let hint = ascii_name::advice(text)
            .unwrap_or_else(|| "write a name or an address, like \"8080:127.0.0.1:80\"".into());
        return Err(flaw(message, hint));
    }
    Ok(TargetHost::Name(text.to_owned()))
}

/// Parses the address of a proxy. A text without an address means all addresses, as in the original NoRouter.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Flaw> {
    let example = "write an address and a port, like \"127.0.0.1:18080\"";
    let wrong = || {
        let message = format!("{} is not an address to listen on", quote(text));
        flaw(message, example)
    };
    let (host, number) = text.rsplit_once(':').ok_or_else(wrong)?;
    if host.contains('%') {
        let message = format!("{} has a zone, the part behind the '%'", quote(text));
        return Err(flaw(message, "leave the zone out, like \"[::1]:18080\""));
    }
    let port = port(number).map_err(|wrong| flaw(wrong.message, example))?;
    let address: IpAddr = match host {
        "" => Ipv4Addr::UNSPECIFIED.into(),
        _ if host.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST.into(),
        _ => text.parse::<SocketAddr>().map_err(|_| wrong())?.ip(),
    };
    Ok(SocketAddr::new(address, port.get()))
}

/// Parses an entry of a route's `to` or `notTo`.
pub(super) fn target(text: &str) -> Result<Target, Flaw> {
    text.parse().map_err(|error| {
        let message = format!("{} is {error}", quote(text));
        let hint = match error {
            TargetError::BareAddress(address) => {
                let bits = if address.is_ipv4() { 32 } else { 128 };
                format!("is \"/{bits}\" missing? write \"{address}/{bits}\"")
            }
            TargetError::LeadingZero => {
                "write its numbers without leading zeros, which other programs take for octal numbers".to_owned()
            }
            TargetError::Cidr => {
                "write an address and a number of bits, like 192.168.95.0/24".to_owned()
            }
            TargetError::Glob => ascii_name::advice(text).unwrap_or_else(|| {
                "write something like 192.168.95.0/24 or \"*.compute.internal\"".to_owned()
            }),
        };
        flaw(message, hint)
    })
}

fn prefix_bits(text: &str, max: u32) -> Option<u32> {
    let digits = text.len() <= 3 && text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|bits| digits && *bits <= max)
}

/// Splits a command into words as a POSIX shell would do. Variables, `~` and globs stay as they are.
pub(super) fn split(line: &str) -> Result<Vec<String>, Flaw> {
    shlex::split(&joined(line)).ok_or_else(|| {
        flaw(
            "cmd has a quote that is never closed, or ends with a backslash",
            "close the quote, or write cmd as a list: [\"ssh\", \"web1\", \"--\", \"norouter\"]",
        )
    })
}

/// The line without line breaks that follow a backslash, and without these backslashes. To a POSIX shell, a backslash
/// and a line break mean that the line continues, but `shlex` would make an empty word of them. Between single quotes
/// and in comments, they are kept.
fn joined(line: &str) -> String {
    let mut joined = String::with_capacity(line.len());
    let mut quote = None;
    let mut is_comment = false;
    let mut at_word = true;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c == '\\' && quote != Some('\'') && !is_comment {
            match rest.next() {
                Some('\n') => continue,
                escaped => {
                    joined.push(c);
                    joined.extend(escaped);
                }
            }
        } else {
            match c {
                '\n' => is_comment = false,
                '#' if at_word && quote.is_none() => is_comment = true,
                '"' | '\'' if !is_comment && quote.is_none() => quote = Some(c),
                _ if quote == Some(c) => quote = None,
                _ => {}
            }
            joined.push(c);
        }
        at_word = matches!(c, ' ' | '\t' | '\n');
    }
    joined
}

/// The warning about a command that is written as one text and has a character that only looks like a blank or a quote.
pub(super) fn lookalikes(line: &str, words: &[String]) -> Option<Flaw> {
    let blanks = line
        .chars()
        .filter(|c| matches!(lookalike([*c]), Some((_, Lookalike::Blank))));
    if let Some((name, _)) = lookalike(blanks) {
        return Some(flaw(
            format!("cmd has {name}, which is a part of a word and does not end it"),
            "write an ordinary space",
        ));
    }
    // A lookalike at the beginning of a text without quotes was already reported when the manifest was read.
    let is_told = matches!(lookalike(line.chars().take(1)), Some((_, Lookalike::Quote)));
    let begins = words.iter().flat_map(|word| word.chars().take(1));
    let (name, _) = lookalike(begins).filter(|_| !is_told)?;
    Some(flaw(
        format!("cmd has {name}, which keeps no words together"),
        "write \" or ' for it",
    ))
}

/// Refuses words that cannot start a program.
pub(super) fn check_words<'w>(mut words: impl Iterator<Item = &'w str>) -> Result<(), Flaw> {
    let Some(program) = words.next() else {
        return Err(flaw(
            "cmd is empty",
            "leave cmd out if the host is this machine",
        ));
    };
    if program.is_empty() {
        return Err(flaw(
            "the first word of cmd is empty",
            "it is the program to start, like ssh, podman or kubectl",
        ));
    }
    if [program]
        .into_iter()
        .chain(words)
        .any(|word| word.contains(['\0', '\n', '\r']))
    {
        return Err(flaw(
            "a word of cmd holds a line break or a NUL",
            "put what needs several lines into a script, and name the script in cmd",
        ));
    }
    Ok(())
}

/// Whether somebody may have registered this name on the internet. Somebody may have if the name has a dot and does not
/// end in a reserved ending: the network's own (`norouter`), or one for private use or documentation (RFC 2606, RFC
/// 6762, RFC 8375, and ICANN's reservation).
pub(super) fn is_public(name: &str) -> bool {
    const NOBODYS: [&str; 12] = [
        "internal",
        "local",
        "lan",
        "test",
        "example",
        "invalid",
        "home.arpa",
        "norouter",
        "intranet",
        "example.com",
        "example.net",
        "example.org",
    ];
    let is_under = |ending: &&str| {
        name.strip_suffix(*ending)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    name.contains('.') && !NOBODYS.iter().any(is_under)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: Result<T, Flaw>, message: &str, hint: &str) {
        let flaw = result.unwrap_err();
        assert!(flaw.message.contains(message), "{flaw:?}");
        assert!(flaw.hint.contains(hint), "{flaw:?}");
    }

    fn show(text: &str) -> String {
        let forward = forward(text).unwrap();
        format!(
            "{} {:?} {} {:?}",
            forward.listen_port, forward.target.host, forward.target.port, forward.protocol
        )
    }

    #[test]
    fn a_port_entry_names_a_listener_and_a_target() {
        assert_eq!(show("8080:127.0.0.1:80"), "8080 Ip(127.0.0.1) 80 Tcp");
        assert_eq!(
            show("1:web.internal:65535/tcp"),
            "1 Name(\"web.internal\") 65535 Tcp"
        );
        assert_eq!(show("53:[::1]:5353/udp"), "53 Ip(::1) 5353 Udp");
        assert_eq!(show("22:localhost:22"), "22 Name(\"localhost\") 22 Tcp");
    }

    #[test]
    fn a_wrong_port_entry_says_what_to_write() {
        refused(forward("80"), "does not say where", "\"80:127.0.0.1:80\"");
        refused(
            forward("8080:80"),
            "does not say where",
            "\"8080:127.0.0.1:80\"",
        );
        refused(
            forward("0:127.0.0.1:80"),
            "\"0\" is not a port",
            "1 to 65535",
        );
        refused(
            forward("65536:127.0.0.1:80"),
            "\"65536\" is not",
            "1 to 65535",
        );
        refused(forward("+80:127.0.0.1:80"), "\"+80\" is not", "LISTENPORT");
        refused(forward("80:::1:80"), "neither", "brackets");
        refused(forward("80:[127.0.0.1]:80"), "not an IPv6", "brackets");
        refused(
            forward("80:127.0.0.300:80"),
            "neither",
            "a name or an address",
        );
        for (range, first) in [
            ("9000-9010", "\"9000:127.0.0.1:9000\""),
            ("9000-9010:80", "\"9000:127.0.0.1:80\""),
            ("9000-9010:10.0.0.7:8000-8010", "\"9000:10.0.0.7:8000\""),
            ("9000 - 9010:[::1]:80/tcp", "\"9000:[::1]:80\""),
        ] {
            refused(forward(range), "a range of ports", "a line of its own");
            refused(forward(range), &format!("\"{range}\" has a range"), first);
        }
        refused(
            forward("80-:127.0.0.1:80"),
            "\"80-\" is not a port",
            "LISTENPORT",
        );
        refused(forward("80:127.0.0.1:80/sctp"), "\"sctp\"", "/tcp, /udp");
        refused(forward("80:büro:80"), "neither", "\"xn--bro-hoa\"");
        refused(forward("80::80"), "no host between", "8080:127.0.0.1:80");
        for host in ["a..b", ".a", ".", "a..", "web.1", "web.1.", "127.0.0.1."] {
            let entry = format!("80:{host}:80");
            refused(forward(&entry), "neither", "a name or an address");
        }
        assert!(forward("80:web.internal.:80").is_ok());
    }

    #[test]
    fn a_proxy_stays_on_loopback() {
        assert_eq!(
            listen("127.0.0.1:18080"),
            Ok(([127, 0, 0, 1], 18080).into())
        );
        assert_eq!(listen("localhost:1"), Ok(([127, 0, 0, 1], 1).into()));
        assert_eq!(listen("LOCALHOST:1"), Ok(([127, 0, 0, 1], 1).into()));
        assert!(listen("[::1]:18080").is_ok());
        assert_eq!(listen(":18080"), Ok(([0, 0, 0, 0], 18080).into()));
        refused(listen("18080"), "not an address", "127.0.0.1:18080");
        for zone in ["[::1%1]:80", "[fe80::1%2]:80", "[fe80::1%eth0]:80"] {
            refused(listen(zone), "has a zone", "[::1]:18080");
        }
        refused(listen("127.0.0.1:0"), "not a port", "127.0.0.1:18080");
    }

    #[test]
    fn a_dns_server_is_told_its_port_alone() {
        assert_eq!(dns_port("53").unwrap().get(), 53);
        for wrong in ["0", "65536", "127.0.42.1:53", "udp", "", "+53"] {
            refused(dns_port(wrong), "is not a port", "like 10053");
        }
    }

    #[test]
    fn a_destination_is_a_block_or_a_glob() {
        assert!(matches!(target("0.0.0.0/0"), Ok(Target::Cidr(_))));
        assert!(matches!(target("fd00::/8"), Ok(Target::Cidr(_))));
        assert!(matches!(target("*"), Ok(Target::Glob(_))));
        assert!(matches!(target("*.compute.internal"), Ok(Target::Glob(_))));
        refused(target("192.168.95.7"), "bare address", "192.168.95.7/32");
        refused(target("::1"), "bare address", "::1/128");
        refused(target("192.168.95.0/33"), "not a CIDR", "192.168.95.0/24");
        for block in [
            "010.0.0.0/8",
            "10.0.0.00/8",
            "10.01.0.0/16",
            "::ffff:10.0.0.01/128",
        ] {
            refused(target(block), "leading zero", "octal");
        }
        assert!(target("10.0.0.0/08").is_ok() && target("fd00:0:00::/48").is_ok());
        refused(target("http://x"), "not a CIDR", "192.168.95.0/24");
        refused(target("a b"), "neither", "compute.internal");
        refused(
            target("*.bücher.example"),
            "neither",
            "\"*.xn--bcher-kva.example\"",
        );
    }

    #[test]
    fn the_network_is_a_whole_block_of_loopback_addresses() {
        let whole = (
            Ipv4Addr::new(127, 0, 0, 0),
            Ipv4Addr::new(127, 255, 255, 255),
        );
        assert_eq!(network("127.0.0.0/8"), Ok(whole));
        let one = Ipv4Addr::new(127, 0, 42, 7);
        assert_eq!(network("127.0.42.7/32"), Ok((one, one)));
        refused(network("127.0.42.7/24"), "first address", "127.0.42.0/24");
        refused(network("10.0.0.0/24"), "not inside", "127.0.42.0/24");
        refused(network("126.0.0.0/7"), "not inside", "127.0.42.0/24");
        refused(network("127.0.42.0"), "no \"/\"", "127.0.42.0/24");
    }

    #[test]
    fn a_command_is_split_like_a_shell_does() {
        let words = split(r#"ssh -o "User Name=x" web1 -- 'a b' c\ d"#).unwrap();
        assert_eq!(
            words,
            ["ssh", "-o", "User Name=x", "web1", "--", "a b", "c d"]
        );
        refused(split("ssh 'web1"), "never closed", "as a list");
        for (line, words) in [
            (
                "ssh -p 2222 \\\n  web1 -- norouter\n",
                &["ssh", "-p", "2222", "web1", "--", "norouter"][..],
            ),
            ("a\\\nb \"c\\\nd\"", &["ab", "cd"]),
            ("a \\\\\nb", &["a", "\\", "b"]),
            ("a \"\\\\\\\n'\"b", &["a", "\\'b"]),
            ("a '\\\n' it\\'s", &["a", "\\\n", "it's"]),
            ("a # no \\\nb x#y\\\n z", &["a", "b", "x#y", "z"]),
            ("\\\n a \\\n", &["a"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        refused(check_words([].into_iter()), "empty", "this machine");
        refused(check_words(["", "x"].into_iter()), "first word", "program");
        refused(check_words(["a", "b\0"].into_iter()), "NUL", "script");
    }

    #[test]
    fn what_only_looks_like_a_blank_or_a_quote_is_told() {
        let told = |line: &str| lookalikes(line, &split(line).unwrap()).map(|flaw| flaw.message);
        assert!(
            told("ssh\u{a0}web1")
                .unwrap()
                .contains("a no-break space (U+00A0)")
        );
        assert!(
            told("ssh “Büro 1”")
                .unwrap()
                .contains("a curly quote (“, U+201C)")
        );
        assert_eq!(told("sh -c 'echo “x”'"), None);
        assert_eq!(told("ssh büro"), None);
    }
}
