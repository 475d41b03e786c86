//! What a person sees while a network runs: lines that scroll, and on a terminal a block below them that always shows
//! every host as it is now.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, Write as _},
};

use anstyle::{AnsiColor, Style};

use crate::view::{Event, HostState, HostView, Snapshot};

/// How wide a line may be where the terminal does not say.
const WIDTH: usize = 80;

/// The lower part of a terminal, or a log where there is no terminal.
pub(super) struct Screen {
    /// On a terminal: how many lines the block has now.
    block: Option<usize>,
    /// Whether the last chunk of scrolled text was of a host whose block line must follow.
    names: usize,
}

impl Screen {
    /// For a network of these hosts.
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let terminal = std::io::stderr().is_terminal() && (cfg!(windows) || !dumb);
        Self {
            block: terminal.then_some(0),
            names: snapshot
                .hosts
                .iter()
                .map(|host| host.name.len())
                .max()
                .unwrap_or(0),
        }
    }

    /// Adds an event to what scrolls. On a terminal the block already shows states that need no explanation.
    pub(super) fn event(&mut self, event: &Event) {
        let in_block = self.block.is_some();
        let line = match event {
            Event::Host {
                state,
                reason: None,
                ..
            } if in_block && !state.is_over() => return,
            Event::Host {
                host,
                vip,
                state,
                reason,
            } => {
                let style = colour(*state);
                let reason = reason
                    .iter()
                    .fold(String::new(), |_, why| format!(": {why}"));
                format!("{host} ({vip}): {style}{}{style:#}{reason}", state.word())
            }
            Event::Stderr { host, vip, line } => {
                let dim = Style::new().dimmed();
                format!("{dim}{host} ({vip}) |{dim:#} {line}")
            }
            Event::Warning { host, vip, text } => {
                let yellow = AnsiColor::Yellow.on_default();
                format!("{host} ({vip}): {yellow}warning{yellow:#}: {text}")
            }
        };
        self.print(&line);
    }

    /// Prints a line above the block.
    pub(super) fn print(&mut self, line: &str) {
        let mut text = self.erased();
        text.push_str(line);
        text.push('\n');
        write(&text);
    }

    /// Draws the block as the network is now.
    pub(super) fn draw(&mut self, snapshot: &Snapshot) {
        if self.block.is_none() {
            return;
        }
        let mut text = self.erased();
        let (width, height) = terminal_size::terminal_size()
            .map_or((WIDTH, usize::MAX), |(width, height)| {
                (usize::from(width.0), usize::from(height.0))
            });
        // A block that is taller than the terminal could not be erased. Hosts in trouble come first then.
        let room = height.saturating_sub(2).max(1);
        let mut hosts: Vec<_> = snapshot.hosts.iter().collect();
        if hosts.len() > room {
            hosts.sort_by_key(|host| host.state == HostState::Ready);
            hosts.truncate(room);
        }
        for host in &hosts {
            text.push_str(&self.line(host, width));
            text.push('\n');
        }
        let rest = snapshot.hosts.len() - hosts.len();
        let mut lines = hosts.len();
        if rest > 0 {
            let _ = writeln!(text, "  and {rest} more");
            lines += 1;
        }
        self.block = Some(lines);
        write(&text);
    }

    /// Leaves the block as it is and goes on below it.
    pub(super) fn leave(&mut self) {
        if let Some(lines) = &mut self.block {
            *lines = 0;
        }
    }

    /// One host in one line, cut so that it does not wrap.
    fn line(&self, host: &HostView, width: usize) -> String {
        let style = colour(host.state);
        let detail = match (&host.reason, host.state.is_up()) {
            (Some(reason), _) => reason.clone(),
            (None, true) => {
                let ports: Vec<_> = host.ports.iter().map(ToString::to_string).collect();
                ports.join(" ")
            }
            (None, false) => String::new(),
        };
        let (name, vip, word) = (&host.name, &host.vip, host.state.word());
        let names = self.names;
        let fixed = format!("{name:names$}  {vip:<15}  ");
        let used = fixed.chars().count() + 13;
        let detail: String = detail
            .chars()
            .take(width.saturating_sub(used + 1))
            .collect();
        format!("{fixed}{style}{word:<11}{style:#}  {detail}")
    }

    /// The escape that removes the block, which is gone afterwards.
    fn erased(&mut self) -> String {
        match &mut self.block {
            Some(lines) if *lines > 0 => format!("\u{1b}[{}A\u{1b}[J", std::mem::take(lines)),
            _ => String::new(),
        }
    }
}

fn colour(state: HostState) -> Style {
    match state {
        HostState::Ready => AnsiColor::Green.on_default(),
        HostState::Starting | HostState::Configuring | HostState::Degraded => {
            AnsiColor::Yellow.on_default()
        }
        HostState::Lost | HostState::Refused => AnsiColor::Red.on_default(),
        HostState::Stopped => Style::new().dimmed(),
    }
}

/// The block is moved by escapes that are no colours, which `anstream` would take out where colours are not wanted;
/// so they are written as they are, and only there where there is a terminal.
fn write(text: &str) {
    let choice = anstream::AutoStream::choice(&std::io::stderr());
    let text = if choice == anstream::ColorChoice::Never {
        without_colours(text)
    } else {
        text.to_owned()
    };
    // Nobody is left to be told if this fails.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The text without escapes that end in `m`, which are the ones that set colours.
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        let escape = &rest[start..];
        let end = escape[2..]
            .find(|c: char| c.is_ascii_alphabetic())
            .map_or(escape.len(), |at| at + 3);
        out.push_str(&rest[..start]);
        if !escape[..end].ends_with('m') {
            out.push_str(&escape[..end]);
        }
        rest = &escape[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(state: HostState, reason: Option<&str>) -> HostView {
        HostView {
            name: "db".to_owned(),
            vip: "127.0.42.101".to_owned(),
            ports: vec![80, 5432],
            state,
            reason: reason.map(str::to_owned),
            problems: Vec::new(),
            version: None,
            stderr: Vec::new(),
            traffic: crate::view::TrafficView::default(),
        }
    }

    #[test]
    fn a_line_never_wraps_and_says_what_matters() {
        let screen = Screen {
            block: Some(0),
            names: 6,
        };
        let line = screen.line(&host(HostState::Ready, None), 80);
        assert_eq!(
            without_colours(&line),
            "db      127.0.42.101     ready        80 5432"
        );
        let lost = host(HostState::Lost, Some(&"long ".repeat(100)));
        let line = screen.line(&lost, 60);
        assert!(without_colours(&line).chars().count() < 60, "{line}");
    }

    #[test]
    fn only_colours_are_taken_out() {
        assert_eq!(
            without_colours("\u{1b}[1mx\u{1b}[0m\u{1b}[3A\u{1b}[J"),
            "x\u{1b}[3A\u{1b}[J"
        );
    }
}
