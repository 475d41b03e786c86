//! Edits our blocks in the bytes of a hosts file (hosts(5)). Each host that writes into the file has a block of its
//! own, and every byte outside of that block stays as it is.
//!
//! ```text
//! # <Added-by-NoRouter laptop 127.0.42.100 4711.88123.1>
//! 127.0.42.101 web
//! # </Added-by-NoRouter laptop 127.0.42.100 4711.88123.1>
//! ```
//!
//! The words after `Added-by-NoRouter` name the block's [`Owner`]. The original NoRouter and earlier versions of this
//! program write no owner. To them, a mark with an owner is an ordinary comment.

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, Ipv4Addr},
    ops::Range,
};

use super::{owner::Owner, zone::Zone};
use crate::{addr::Vip, text::escape};

/// The beginning of the first line of a block. The owner and `>` follow it.
const BEGIN: &str = "# <Added-by-NoRouter";
/// The beginning of the last line of a block. The owner and `>` follow it.
const END: &str = "# </Added-by-NoRouter";
/// A note in a block. It means that the file did not end with a line break before the block was added. The line break
/// that we have added then has to be removed together with the block.
const NO_FINAL_LINE_BREAK: &str = "# (The line above had no line break at its end.)";

/// A hosts file with our block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The names that were left out of the block, because the file has other addresses for them.
    pub left_out: Vec<LeftOut>,
}

/// A name that the file already has outside our block, with an address that differs from ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The name.
    pub name: String,
    /// The number of the line that has the name, counted from 1.
    pub line: usize,
    /// The address that the line has for the name.
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

/// Our marks do not form blocks: the file was edited, and it is not clear which lines are ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; \"norouter hosts --repair\" repairs it", list(.0))]
pub struct Damaged(pub Vec<Damage>);

fn list(damages: &[Damage]) -> String {
    let texts: Vec<String> = damages.iter().map(ToString::to_string).collect();
    texts.join(", and ")
}

/// One mark that is wrong. Line numbers are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The block that begins at this line has no end.
    NoEnd(usize),
    /// The block that ends at this line has no beginning.
    NoBegin(usize),
    /// The block that begins at this line is a second block without an owner.
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

/// The result of [`repair`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The whole file after the repair.
    pub bytes: Vec<u8>,
    /// The removed parts, one sentence each without a full stop; empty if nothing was removed.
    pub done: Vec<String>,
    /// The blocks that were kept, because the agents that wrote them still run.
    pub kept: Vec<String>,
}

/// The file with the names of the zone in the block of `me`. An older block of `me` is replaced. If the older block has
/// the same lines, it stays where it is: otherwise, networks that share the file would move their blocks past each
/// other again and again. `gone` says whether the process of an owner has ended.
pub fn put(
    original: &[u8],
    zone: &Zone,
    me: &Owner,
    gone: impl Fn(&Owner) -> bool,
) -> Result<Put, Damaged> {
    let all = Lines::of(original);
    let ours = all.ours(me, gone)?;
    let mut bytes = all.without(&ours);
    let mapped = mappings(&bytes);
    let (mut left_out, mut lines) = (Vec::new(), vec![format!("{BEGIN} {me}>")]);
    let end_of_first = bytes.split_inclusive(|byte| *byte == b'\n').next();
    let line_break: &[u8] = if end_of_first.is_some_and(|line| line.ends_with(b"\r\n")) {
        b"\r\n"
    } else {
        b"\n"
    };
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.extend_from_slice(line_break);
        lines.push(NO_FINAL_LINE_BREAK.to_owned());
    }
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
    lines.push(format!("{END} {me}>"));
    if let [block] = &ours[..]
        && all.has_written(block, &lines)
    {
        for name in &mut left_out {
            if name.line > block.start {
                name.line += block.len();
            }
        }
        return Ok(Put {
            bytes: original.to_vec(),
            left_out,
        });
    }
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(line_break);
    }
    Ok(Put { bytes, left_out })
}

/// Removes the block of `me` and the blocks of earlier agents of this host. Afterwards, the file is as it was before
/// [`put`].
pub fn remove(
    original: &[u8],
    me: &Owner,
    gone: impl Fn(&Owner) -> bool,
) -> Result<Vec<u8>, Damaged> {
    let lines = Lines::of(original);
    let ours = lines.ours(me, gone)?;
    Ok(lines.without(&ours))
}

/// The entries of our blocks as lines for people: address and names, without terminal control characters. `None` if the
/// file has no block.
pub fn entries(original: &[u8]) -> Result<Option<Vec<String>>, Damaged> {
    let lines = Lines::of(original);
    let (blocks, damages) = lines.blocks();
    if !damages.is_empty() {
        return Err(Damaged(damages));
    }
    let inside = blocks.iter().flat_map(|block| lines.at(&block.range));
    let entries = inside.filter_map(|line| entry(line)).collect();
    Ok((!blocks.is_empty()).then_some(entries))
}

/// A line without its comment, and with one space between its words; `None` if nothing is left.
fn entry(line: &[u8]) -> Option<String> {
    let line = line.split(|byte| *byte == b'#').next()?;
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    (!words.is_empty()).then(|| escape(&words.join(" ")))
}

/// Removes our blocks, even if their marks are damaged. A complete block is removed, unless the agent that wrote it
/// still runs. A mark without a counterpart is removed together with the lines next to it that look like ours. A line
/// looks like ours if it has one address from the range of the network and one name.
pub fn repair(original: &[u8], gone: impl Fn(&Owner) -> bool) -> Repaired {
    let lines = Lines::of(original);
    let (blocks, damages) = lines.blocks();
    let (mut ours, mut done, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for block in blocks {
        let place = place(&block.range);
        if let Some(Owner { host, .. }) = block.owner().filter(|owner| !gone(owner)) {
            kept.push(format!(
                "left the block in {place}, because the agent of {host} is there"
            ));
        } else {
            done.push(format!("removed the block in {place}"));
            ours.push(block.range);
        }
    }
    for damage in damages {
        let (mark, range) = match damage {
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
        done.push(format!("removed {mark} in {}", place(&range)));
        ours.push(range);
    }
    Repaired {
        bytes: lines.without(&ours),
        done,
        kept,
    }
}

/// The range as "line 3" or "lines 3 to 5", counted from 1.
fn place(range: &Range<usize>) -> String {
    match range.len() {
        1 => format!("line {}", range.end),
        _ => format!("lines {} to {}", range.start + 1, range.end),
    }
}

/// Whether a line has the form that [`put`] writes.
fn is_ours(line: &[u8]) -> bool {
    // Debian gives this address to the machine's own name.
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

/// The mappings in the file: line number, name in lower case, and address.
fn mappings(bytes: &[u8]) -> Vec<(usize, String, IpAddr)> {
    let mut found = Vec::new();
    for (index, line) in Lines::of(bytes).0.iter().enumerate() {
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

/// A file as its lines, each with its line break.
struct Lines<'a>(Vec<&'a [u8]>);

/// A complete block: it has a beginning and an end.
struct Block<'a> {
    /// The lines of the block, marks included.
    range: Range<usize>,
    /// The words after `Added-by-NoRouter` in the marks of the block.
    tag: &'a [u8],
}

impl Block<'_> {
    fn owner(&self) -> Option<Owner> {
        Owner::parse(std::str::from_utf8(self.tag).ok()?)
    }
}

/// The words after `Added-by-NoRouter` in a mark; `None` if the line is not a mark.
fn tag<'a>(line: &'a [u8], mark: &str) -> Option<&'a [u8]> {
    let rest = line.trim_ascii().strip_prefix(mark.as_bytes())?;
    let tag = rest.strip_suffix(b">")?;
    match tag.split_first() {
        None => Some(tag),
        Some((b' ', tag)) => Some(tag),
        Some(_) => None,
    }
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self(bytes.split_inclusive(|byte| *byte == b'\n').collect())
    }

    fn at(&self, range: &Range<usize>) -> &[&'a [u8]] {
        self.0.get(range.clone()).unwrap_or_default()
    }

    /// The blocks of this host: that of `me`, and those of its earlier agents.
    fn ours(
        &self,
        me: &Owner,
        gone: impl Fn(&Owner) -> bool,
    ) -> Result<Vec<Range<usize>>, Damaged> {
        let (blocks, damages) = self.blocks();
        if !damages.is_empty() {
            return Err(Damaged(damages));
        }
        let ours = blocks.iter().filter(|block| match block.owner() {
            Some(owner) => owner == *me || (owner.is_life_of_same(me) && gone(&owner)),
            // A block without an owner is from the original NoRouter or from an earlier version. It is this host's
            // block if it maps this host's name to its address.
            None => block.tag.is_empty() && self.maps(&block.range, me),
        });
        Ok(ours.map(|block| block.range.clone()).collect())
    }

    /// Whether the block in this range has these lines. The note about a line break is not compared, because it depends
    /// on the place of the block.
    fn has_written(&self, range: &Range<usize>, lines: &[String]) -> bool {
        let is_name = |line: &&[u8]| *line != NO_FINAL_LINE_BREAK.as_bytes();
        let found = self.at(range).iter().map(|line| line.trim_ascii_end());
        let written = lines.iter().map(String::as_bytes);
        found.filter(is_name).eq(written.filter(is_name))
    }

    /// Whether one of these lines maps this host's name to its address.
    fn maps(&self, range: &Range<usize>, host: &Owner) -> bool {
        let Owner { host, vip, .. } = host;
        let wanted = vip.to_string();
        self.at(range).iter().any(|line| {
            let line = entry(line).unwrap_or_default();
            let mut words = line.split(' ');
            words.next() == Some(&wanted) && words.any(|name| name.eq_ignore_ascii_case(host))
        })
    }

    /// The complete blocks, and every mark that is wrong.
    fn blocks(&self) -> (Vec<Block<'a>>, Vec<Damage>) {
        let (mut blocks, mut damages) = (Vec::<Block<'a>>::new(), Vec::new());
        let mut open: Option<(usize, &[u8])> = None;
        for (index, line) in self.0.iter().enumerate() {
            if let Some(tag) = tag(line, BEGIN) {
                damages.extend(open.map(|(begin, _)| Damage::NoEnd(begin + 1)));
                open = Some((index, tag));
            } else if let Some(tag) = tag(line, END) {
                match open.take() {
                    Some((begin, other)) if other == tag => {
                        if tag.is_empty() && blocks.iter().any(|block| block.tag.is_empty()) {
                            damages.push(Damage::Another(begin + 1));
                        }
                        let range = begin..index + 1;
                        blocks.push(Block { range, tag });
                    }
                    other => {
                        damages.extend(other.map(|(begin, _)| Damage::NoEnd(begin + 1)));
                        damages.push(Damage::NoBegin(index + 1));
                    }
                }
            }
        }
        damages.extend(open.map(|(begin, _)| Damage::NoEnd(begin + 1)));
        (blocks, damages)
    }

    /// The file without these lines.
    ///
    /// A removed block may have the note [`NO_FINAL_LINE_BREAK`]: the line before the block had no line break, so we
    /// added one. If no line follows in its place, the added line break is removed, too. If another of our blocks
    /// follows, that block gets the note. If any other line follows, the line break stays, and the note is dropped.
    fn without(&self, ranges: &[Range<usize>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut note: Option<&[u8]> = None;
        for (index, line) in self.0.iter().enumerate() {
            let is_note = line.starts_with(NO_FINAL_LINE_BREAK.as_bytes());
            if ranges.iter().any(|range| range.contains(&index)) {
                note = note.or(is_note.then_some(line));
                continue;
            }
            bytes.extend_from_slice(line);
            if let Some(note) = note.take()
                && tag(line, BEGIN).is_some()
            {
                bytes.extend_from_slice(note);
            }
        }
        let line_break = note.and_then(|note| note.strip_prefix(NO_FINAL_LINE_BREAK.as_bytes()));
        let line_break = line_break.filter(|line_break| bytes.ends_with(line_break));
        bytes.truncate(bytes.len() - line_break.unwrap_or_default().len());
        bytes
    }
}

/// The text of a hosts file that has only the names of the zone.
pub fn text(zone: &Zone) -> String {
    let mut text = String::new();
    for (name, address) in zone.entries() {
        let _ = writeln!(text, "{address} {name}");
    }
    text
}

#[cfg(test)]
mod tests;
