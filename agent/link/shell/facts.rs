//! The facts that a host's shell reports about its machine.

use std::fmt;

/// A system and processor for which there can be an agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The operating system, as in `linux`.
    pub system: String,
    /// The processor, as in `x86_64`.
    pub processor: String,
}

impl Target {
    /// Creates a target. The names are those of Rust, such as `linux` and `x86_64`.
    pub fn new(system: &str, processor: &str) -> Self {
        Self {
            system: system.to_owned(),
            processor: processor.to_owned(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.system, self.processor)
    }
}

/// The way in which the shell can take bytes from the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// The shell's program takes exactly as many bytes as it is told to.
    Exact,
    /// The shell's program may take more bytes than it is told to, so nothing may be sent before the shell has
    /// answered.
    Greedy,
    /// The shell has no program that takes bytes, so it prints them itself.
    Printed,
}

/// The facts about the machine that the shell has reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The way to take bytes; `None` if the shell has none.
    pub(super) reader: Option<Reader>,
    pub(super) unpacks: bool,
    /// The folder for the agent; empty if there is none in which a program can be written and run.
    pub(super) folder: String,
    /// The reasons why none of the folders can be used; empty if one can.
    pub(super) tried: String,
    /// Whether the folder has no part of an agent that an earlier conversation has sent.
    pub(super) lacks_parts: bool,
    /// The output of `uname -s -m`.
    uname: String,
    /// The first bytes of `/bin/sh`.
    elf: Vec<u8>,
}

impl Facts {
    /// Reads the part of a line after the nonce.
    pub(super) fn learn(&mut self, line: &[u8]) {
        if let Some(elf) = line.strip_prefix(b"elf ") {
            self.elf = elf.to_vec();
            return;
        }
        let text = String::from_utf8_lossy(line);
        if let Some(uname) = text.strip_prefix("system ") {
            uname.trim().clone_into(&mut self.uname);
        } else if let Some(tried) = text.strip_prefix("tried ") {
            tried.clone_into(&mut self.tried);
        } else if text == "lacks parts" {
            self.lacks_parts = true;
        } else if let Some((tools, folder)) = text
            .strip_prefix("has ")
            .and_then(|it| it.split_once(" at "))
        {
            let tools: Vec<&str> = tools.split(' ').collect();
            self.reader = match tools.first() {
                Some(&("dd" | "exact")) => Some(Reader::Exact),
                Some(&"head") => Some(Reader::Greedy),
                Some(&"printf") => Some(Reader::Printed),
                _ => None,
            };
            self.unpacks = tools.contains(&"gzip");
            folder.clone_into(&mut self.folder);
        }
    }

    /// The system and processor of the machine's programs. A 64-bit kernel may have only 32-bit programs, while `uname`
    /// names the kernel's processor. Therefore, the header of a program takes precedence.
    pub(super) fn target(&self) -> Option<Target> {
        let system = match self.uname.split(' ').next().unwrap_or_default() {
            "Linux" | "" => "linux",
            "Darwin" => "macos",
            "FreeBSD" => "freebsd",
            other => return Some(Target::new(&other.to_lowercase(), self.machine())),
        };
        match processor(&self.elf) {
            Some(processor) => Some(Target::new(system, processor)),
            None if self.uname.is_empty() => None,
            None => Some(Target::new(system, named(self.machine()))),
        }
    }

    fn machine(&self) -> &str {
        self.uname.rsplit(' ').next().unwrap_or_default()
    }
}

/// The processor in the header of an ELF file: its class is at offset 4, its byte order at 5, its machine at 18.
fn processor(elf: &[u8]) -> Option<&'static str> {
    let wide = *elf.get(4)? == 2;
    if !elf.starts_with(b"\x7fELF") || *elf.get(5)? != 1 {
        return None;
    }
    let machine = u16::from_le_bytes([*elf.get(18)?, *elf.get(19)?]);
    Some(match (machine, wide) {
        (62, true) => "x86_64",
        (183, true) => "aarch64",
        (243, true) => "riscv64",
        (40, false) => "arm",
        (3, false) => "x86",
        _ => return None,
    })
}

/// Rust's name for a processor, given the name that `uname -m` prints for it.
fn named(machine: &str) -> &str {
    match machine {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "armv6l" | "armv7l" | "armv8l" => "arm",
        "i386" | "i486" | "i586" | "i686" => "x86",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(lines: &[&[u8]]) -> Facts {
        let mut facts = Facts::default();
        for line in lines {
            facts.learn(line);
        }
        facts
    }

    const X86_64: &[u8] = b"elf \x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";
    const ARM: &[u8] = b"elf \x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x28\0";

    #[test]
    fn the_header_of_a_program_is_believed_before_uname() {
        let target = |lines: &[&[u8]]| facts(lines).target().map(|target| target.to_string());
        let linux = |machine| format!("linux-{machine}");
        assert_eq!(
            target(&[b"system Linux aarch64", ARM]),
            Some(linux("arm")),
            "32-bit programs on a 64-bit kernel"
        );
        assert_eq!(target(&[b"system ", X86_64]), Some(linux("x86_64")));
        assert_eq!(target(&[b"system Linux armv7l"]), Some(linux("arm")));
        assert_eq!(
            target(&[b"system Darwin arm64"]).as_deref(),
            Some("macos-aarch64")
        );
        assert_eq!(
            target(&[b"system SunOS i86pc"]).as_deref(),
            Some("sunos-i86pc")
        );
        assert_eq!(target(&[b"system ", b"elf "]), None);
    }

    #[test]
    fn the_tools_and_the_folder_are_read() {
        let it = facts(&[b"has dd gzip sha256sum at /run/user/1000/norouter"]);
        assert_eq!(it.reader, Some(Reader::Exact));
        assert!(it.unpacks);
        assert_eq!(it.folder, "/run/user/1000/norouter");
        let it = facts(&[b"has head   at "]);
        assert_eq!((it.reader, it.unpacks), (Some(Reader::Greedy), false));
        assert_eq!(it.folder, "");
        let it = facts(&[b"has   at ", b"tried /a cannot be made"]);
        assert_eq!((it.reader, it.tried.as_str()), (None, "/a cannot be made"));
    }
}
