//! Our block in a hosts file (hosts(5)), from bytes to bytes. Every byte outside of the block stays as it is.
//!
//! ```text
//! # <Added-by-NoRouter>
//! 127.0.42.101 web
//! # </Added-by-NoRouter>
//! ```

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, Ipv4Addr},
    ops::Range,
};

use super::Zone;
use crate::{addr::Vip, text::escape};

/// The line in front of the block.
pub const BEGIN: &str = "# <Added-by-NoRouter>";
/// The line behind the block.
pub const END: &str = "# </Added-by-NoRouter>";
/// Stands in the block if the line in front of it is ended by us and has to lose that end again.
const NO_FINAL_LINE_BREAK: &str = "# (The line above had no line break at its end.)";

/// A hosts file with our block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The names that are not in the block, because the file has other addresses for them.
    pub left_out: Vec<LeftOut>,
}

/// A name that somebody else has put into the file, with another address than ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The name.
    pub name: String,
    /// Where the file says otherwise, counted from 1.
    pub line: usize,
    /// What it says.
    pub address: IpAddr,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            line,
            address,
        } = self;
        write!(
            f,
            "{name} is left out, because line {line} has {address} for it"
        )
    }
}

/// Markers of ours that are no block: somebody has edited the file, and it is not clear what is ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; \"norouter hosts --repair\" mends it", list(.0))]
pub struct Damaged(pub Vec<Damage>);

fn list(damages: &[Damage]) -> String {
    let texts: Vec<String> = damages.iter().map(ToString::to_string).collect();
    texts.join(", and ")
}

/// One thing that is wrong, with line numbers counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A block begins and does not end.
    NoEnd(usize),
    /// A block ends that did not begin.
    NoBegin(usize),
    /// A further block.
    Another(usize),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEnd(line) => write!(f, "the block that begins in line {line} has no end"),
            Self::NoBegin(line) => write!(f, "line {line} ends a block that has no beginning"),
            Self::Another(line) => write!(f, "a second block begins in line {line}"),
        }
    }
}

/// What [`repair`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The whole file, without any block.
    pub bytes: Vec<u8>,
    /// What was removed, one sentence each without a full stop; nothing if the file was in order and had no block.
    pub done: Vec<String>,
}

/// The file with the names of the zone in our block, whether or not it had one.
pub fn put(original: &[u8], zone: &Zone) -> Result<Put, Damaged> {
    let mut bytes = remove(original)?;
    let mapped = mappings(original);
    let (mut left_out, mut lines) = (Vec::new(), Vec::new());
    for (name, address) in zone.entries() {
        let other = mapped
            .iter()
            .find(|(_, found, other)| found == name && *other != address);
        match other {
            Some((line, _, address)) => left_out.push(LeftOut {
                name: name.to_owned(),
                line: *line,
                address: *address,
            }),
            None => lines.push(format!("{address} {name}")),
        }
    }
    let end_of_first = bytes.split_inclusive(|byte| *byte == b'\n').next();
    let line_break: &[u8] = if end_of_first.is_some_and(|line| line.ends_with(b"\r\n")) {
        b"\r\n"
    } else {
        b"\n"
    };
    let unended = !bytes.is_empty() && !bytes.ends_with(b"\n");
    if unended {
        bytes.extend_from_slice(line_break);
        lines.insert(0, NO_FINAL_LINE_BREAK.to_owned());
    }
    for line in [BEGIN]
        .into_iter()
        .chain(lines.iter().map(String::as_str))
        .chain([END])
    {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(line_break);
    }
    Ok(Put { bytes, left_out })
}

/// The file without our block, exactly as it was before [`put`].
pub fn remove(original: &[u8]) -> Result<Vec<u8>, Damaged> {
    let lines = Lines::of(original);
    let (blocks, damages) = lines.blocks();
    if !damages.is_empty() {
        return Err(Damaged(damages));
    }
    Ok(lines.without(&blocks))
}

/// The entries of our block as lines for people: address and names, nothing that a terminal would obey. None if the file
/// has no block.
pub fn block(original: &[u8]) -> Result<Option<Vec<String>>, Damaged> {
    let lines = Lines::of(original);
    let (blocks, damages) = lines.blocks();
    if !damages.is_empty() {
        return Err(Damaged(damages));
    }
    let inside = |block: &Range<usize>| {
        let lines = lines.0.get(block.clone()).unwrap_or_default().iter();
        lines.filter_map(|line| entry(line)).collect()
    };
    Ok(blocks.first().map(inside))
}

/// A line without its comment, with one space between its words; none if there is nothing else.
fn entry(line: &[u8]) -> Option<String> {
    let line = line.split(|byte| *byte == b'#').next()?;
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    (!words.is_empty()).then(|| escape(&words.join(" ")))
}

/// The file without anything of ours, however damaged: whole blocks, markers that stand alone, and the lines beside
/// these that can be nothing but ours, which are those of one address that a host of a network can have and its name.
pub fn repair(original: &[u8]) -> Repaired {
    let lines = Lines::of(original);
    let (mut ours, damages) = lines.blocks();
    let mut done: Vec<String> = ours
        .iter()
        .map(|block| format!("removed the block in {}", place(block)))
        .collect();
    for damage in damages {
        let (marker, range) = match damage {
            Damage::Another(_) => continue,
            Damage::NoEnd(line) => {
                let after = lines.0.get(line..).unwrap_or_default();
                let count = after.iter().take_while(|line| is_ours(line)).count();
                ("a beginning without an end", line - 1..line + count)
            }
            Damage::NoBegin(line) => {
                let before = lines.0.get(..line - 1).unwrap_or_default();
                let count = before.iter().rev().take_while(|line| is_ours(line)).count();
                ("an end without a beginning", line - 1 - count..line)
            }
        };
        done.push(format!("removed {marker} in {}", place(&range)));
        ours.push(range);
    }
    Repaired {
        bytes: lines.without(&ours),
        done,
    }
}

/// "line 3" or "lines 3 to 5", counted from 1.
fn place(range: &Range<usize>) -> String {
    match range.len() {
        1 => format!("line {}", range.end),
        _ => format!("lines {} to {}", range.start + 1, range.end),
    }
}

/// Whether a line is as [`put`] writes it.
fn is_ours(line: &[u8]) -> bool {
    // The address that Debian gives to a machine's own name.
    const OWN_NAME: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);
    let line = line.trim_ascii_end();
    if line == NO_FINAL_LINE_BREAK.as_bytes() {
        return true;
    }
    let Some((address, name)) = std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.split_once(' '))
    else {
        return false;
    };
    let vip = address.parse::<Vip>().map(Vip::address);
    vip.is_ok_and(|address| address != OWN_NAME) && name.parse::<crate::addr::HostName>().is_ok()
}

/// What the file says outside of our block: line, name in lower case, address.
fn mappings(original: &[u8]) -> Vec<(usize, String, IpAddr)> {
    let lines = Lines::of(original);
    let (blocks, _) = lines.blocks();
    let mut found = Vec::new();
    for (index, line) in lines.0.iter().enumerate() {
        if blocks.iter().any(|block| block.contains(&index)) {
            continue;
        }
        let line = entry(line).unwrap_or_default();
        let mut words = line.split(' ');
        let Some(Ok(address)) = words.next().map(|word| {
            let address = word.split('%').next().unwrap_or_default();
            address.parse::<IpAddr>()
        }) else {
            continue;
        };
        found.extend(words.map(|name| (index + 1, name.to_ascii_lowercase(), address)));
    }
    found
}

/// A file by lines, each with its line break.
struct Lines<'a>(Vec<&'a [u8]>);

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self(bytes.split_inclusive(|byte| *byte == b'\n').collect())
    }

    /// The whole blocks, markers included, and what is wrong.
    fn blocks(&self) -> (Vec<Range<usize>>, Vec<Damage>) {
        let (mut blocks, mut damages) = (Vec::new(), Vec::new());
        let mut open: Option<usize> = None;
        for (index, line) in self.0.iter().enumerate() {
            let line = line.trim_ascii();
            if line == BEGIN.as_bytes() {
                damages.extend(open.map(|begin| Damage::NoEnd(begin + 1)));
                open = Some(index);
            } else if line == END.as_bytes() {
                match open.take() {
                    Some(begin) => {
                        if !blocks.is_empty() {
                            damages.push(Damage::Another(begin + 1));
                        }
                        blocks.push(begin..index + 1);
                    }
                    None => damages.push(Damage::NoBegin(index + 1)),
                }
            }
        }
        damages.extend(open.map(|begin| Damage::NoEnd(begin + 1)));
        (blocks, damages)
    }

    /// The file without these lines. The line in front of a block that ends the file loses its line break if the block
    /// says that it had none.
    fn without(&self, ranges: &[Range<usize>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (index, line) in self.0.iter().enumerate() {
            if !ranges.iter().any(|range| range.contains(&index)) {
                bytes.extend_from_slice(line);
            }
        }
        let last = ranges.iter().find(|range| range.end == self.0.len());
        let removed = last
            .and_then(|range| self.0.get(range.clone()))
            .unwrap_or_default();
        let line_break = removed.iter().find_map(|line| {
            let line_break = line.strip_prefix(NO_FINAL_LINE_BREAK.as_bytes())?;
            bytes.ends_with(line_break).then_some(line_break.len())
        });
        bytes.truncate(bytes.len() - line_break.unwrap_or(0));
        bytes
    }
}

/// The text of a hosts file that has nothing but the names of the zone.
pub fn text(zone: &Zone) -> String {
    let mut text = String::new();
    for (name, address) in zone.entries() {
        let _ = writeln!(text, "{address} {name}");
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 101);

    fn zone() -> Zone {
        Zone::new([("web", WEB), ("www.test", WEB)])
    }

    fn bytes(text: &str) -> Vec<u8> {
        put(text.as_bytes(), &zone()).unwrap().bytes
    }

    #[test]
    fn the_block_stands_at_the_end_and_is_replaced_when_it_is_put_again() {
        let text = "127.0.0.1 localhost\n";
        let with = "127.0.0.1 localhost\n# <Added-by-NoRouter>\n127.0.42.101 web\n127.0.42.101 www.test\n# </Added-by-NoRouter>\n";
        assert_eq!(String::from_utf8(bytes(text)).unwrap(), with);
        assert_eq!(String::from_utf8(bytes(with)).unwrap(), with);
        let lines = block(with.as_bytes()).unwrap().unwrap();
        assert_eq!(lines, ["127.0.42.101 web", "127.0.42.101 www.test"]);
        assert_eq!(block(text.as_bytes()).unwrap(), None);
    }

    #[test]
    fn lines_that_were_written_behind_the_block_stay() {
        let with = [&bytes("10.0.0.1 a")[..], b"10.0.0.2 b"].concat();
        // The line break behind "a" is now needed.
        assert_eq!(remove(&with).unwrap(), b"10.0.0.1 a\n10.0.0.2 b");
        let again = put(&with, &zone()).unwrap().bytes;
        assert_eq!(remove(&again).unwrap(), b"10.0.0.1 a\n10.0.0.2 b");
    }

    #[test]
    fn a_name_that_the_file_gives_to_another_address_is_left_out() {
        let put = put(
            b"# 10.0.0.9 web\n10.0.0.1\tx WEB # y\n::1 www.test\n",
            &zone(),
        )
        .unwrap();
        let told: Vec<String> = put.left_out.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "web is left out, because line 2 has 10.0.0.1 for it",
                "www.test is left out, because line 3 has ::1 for it"
            ]
        );
        assert_eq!(block(&put.bytes).unwrap(), Some(Vec::new()));
        assert!(
            super::put(b"127.0.42.101 web\n", &zone())
                .unwrap()
                .left_out
                .is_empty()
        );
    }

    #[test]
    fn what_is_damaged_is_not_touched_and_named_by_line() {
        let told = |text: &str| remove(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told(&format!("a\n{BEGIN}\nb\n")),
            "the block that begins in line 2 has no end; \"norouter hosts --repair\" mends it"
        );
        assert_eq!(
            told(&format!("a\n{END}\n{BEGIN}\n{END}\n{BEGIN}\n{END}")),
            "line 2 ends a block that has no beginning, and a second block begins in line 5; \
             \"norouter hosts --repair\" mends it"
        );
        assert!(put(BEGIN.as_bytes(), &zone()).is_err() && block(END.as_bytes()).is_err());
    }

    #[test]
    fn a_repair_takes_what_can_only_be_ours() {
        let cases = [
            ("", "", &[][..]),
            ("a\n", "a\n", &[]),
            (
                "a\n{B}\nany\n{E}\nb\n{B}\n{E}",
                "a\nb\n",
                &[
                    "removed the block in lines 2 to 4",
                    "removed the block in lines 6 to 7",
                ],
            ),
            (
                "{B}\r\n127.0.42.101 web\r\n127.0.1.1 me\r\n",
                "127.0.1.1 me\r\n",
                &["removed a beginning without an end in lines 1 to 2"],
            ),
            (
                "127.0.0.1 localhost\n127.0.42.102 a # mine\n127.0.42.101 web\n{E}\nrest",
                "127.0.0.1 localhost\n127.0.42.102 a # mine\nrest",
                &["removed an end without a beginning in lines 3 to 4"],
            ),
            (
                "{B}\n{B}\n127.0.42.101 web\n{E}\n",
                "",
                &[
                    "removed the block in lines 2 to 4",
                    "removed a beginning without an end in line 1",
                ],
            ),
        ];
        for (before, after, done) in cases {
            let before = before.replace("{B}", BEGIN).replace("{E}", END);
            let repaired = repair(before.as_bytes());
            assert_eq!(
                String::from_utf8(repaired.bytes.clone()).unwrap(),
                after,
                "{before}"
            );
            assert_eq!(repaired.done, done, "{before}");
            assert!(repair(&repaired.bytes).done.is_empty());
        }
    }

    proptest! {
        #[test]
        fn a_file_is_given_back_as_it_was(
            pieces in prop::collection::vec(prop_oneof![
                any::<Vec<u8>>(),
                prop::sample::select(vec![
                    b"\n".to_vec(), b"\r\n".to_vec(), b"\r".to_vec(), b"127.0.42.101 web".to_vec(),
                    b"10.0.0.1 web".to_vec(), b"\xff\xfe".to_vec(), vec![b'x'; 70_000],
                    NO_FINAL_LINE_BREAK.as_bytes().to_vec(), b"# <Added-by".to_vec(),
                ]),
            ], 0..12)
        ) {
            let original = pieces.concat();
            let once = put(&original, &zone()).unwrap().bytes;
            prop_assert_eq!(&remove(&once).unwrap(), &original);
            let other = Zone::new([("db", WEB)]);
            let twice = put(&once, &other).unwrap().bytes;
            prop_assert_eq!(&remove(&twice).unwrap(), &original);
            prop_assert_eq!(&repair(&twice).bytes, &original);
            prop_assert_eq!(&remove(&original).unwrap(), &original);
        }

        #[test]
        fn a_repair_leaves_nothing_to_repair_and_adds_nothing(
            lines in prop::collection::vec(prop::sample::select(vec![
                BEGIN, END, "127.0.42.101 web", "10.0.0.1 a", "127.0.0.1 localhost", NO_FINAL_LINE_BREAK,
            ]), 0..12)
        ) {
            let text = lines.join("\n");
            let repaired = repair(text.as_bytes());
            prop_assert!(remove(&repaired.bytes).is_ok());
            prop_assert!(repair(&repaired.bytes).done.is_empty());
            let count = |text: &str| text.matches("10.0.0.1 a").count() + text.matches("localhost").count();
            let kept = String::from_utf8(repaired.bytes).unwrap();
            let inside: usize = {
                let lines = Lines::of(text.as_bytes());
                let (blocks, _) = lines.blocks();
                blocks.iter().flat_map(|b| &lines.0[b.clone()]).map(|l| count(&String::from_utf8_lossy(l))).sum()
            };
            prop_assert_eq!(count(&kept) + inside, count(&text));
        }
    }
}
