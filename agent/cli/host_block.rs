//! The output of `norouter up`: lines that scroll, and on a terminal a block below them with the current state of all
//! hosts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{IsTerminal as _, Stderr, Write},
};

use anstyle::{AnsiColor, Style};

use super::{
    local_time::Clock,
    progress,
    repeats::{Judgement, Repeats},
};
use crate::{
    text::figures::latency,
    view::{ASKS, Event, HostState, HostView, PromptView, Snapshot},
};

/// The columns and rows that are assumed if the terminal does not report its size.
const SIZE: (usize, usize) = (80, 24);

/// The width of the longest word for a host's state, in columns.
const WORD: usize = 12;

/// The format in which addresses are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    /// `127.0.42.101:5432`, because the ports may serve any protocol.
    Plain,
    /// `http://127.0.42.101:8080`, because all ports of the network serve web pages.
    Web,
}

impl Addresses {
    /// All published addresses of a host, or its VIP if it publishes nothing.
    fn of(self, host: &HostView) -> String {
        let scheme = match self {
            Self::Plain => "",
            Self::Web => "http://",
        };
        let addresses = host
            .ports
            .iter()
            .map(|port| format!("{scheme}{}:{port}", host.vip));
        let addresses: Vec<_> = addresses.collect();
        if addresses.is_empty() {
            host.vip.clone()
        } else {
            addresses.join(" ")
        }
    }

    /// Like [`Addresses::of`], but short. If the host publishes several ports, the address is written once, followed by
    /// the ports.
    fn short(self, host: &HostView) -> String {
        if self == Self::Web || host.ports.len() < 2 {
            return self.of(host);
        }
        let ports: Vec<_> = host.ports.iter().map(u16::to_string).collect();
        format!("{}  {}", host.vip, ports.join(" "))
    }
}

/// The block of hosts at the bottom of a terminal. Without a terminal there is no block, and lines are only printed.
pub(super) struct HostBlock<W> {
    out: W,
    colours: bool,
    style: Addresses,
    /// The length of the longest host name.
    names: usize,
    /// The published addresses of each host, as one text.
    addresses: BTreeMap<String, String>,
    /// The lines that hosts with trouble have written already.
    repeats: Repeats,
    /// The open questions that were printed.
    asked: BTreeSet<u64>,
    drawing: Option<Drawing>,
}

/// The block on a terminal, which is redrawn after each change.
struct Drawing {
    size: Box<dyn Fn() -> (usize, usize)>,
    /// The lines that the terminal shows now.
    drawn: Vec<Line>,
    /// The width of the terminal when these lines were drawn.
    width: usize,
    /// Text that has to be printed above the block at the next draw.
    above: String,
    /// The last line of the block, which tells the person what to do: `Ctrl-C ends the network`.
    hint: &'static str,
    /// The question to the person, which replaces the hint; `None` if there is none.
    question: Option<String>,
    /// How many lines the person has typed below the block since it was drawn.
    typed: usize,
}

#[derive(Clone, PartialEq, Eq)]
struct Line {
    text: String,
    /// The width of the line, in columns.
    width: usize,
}

impl HostBlock<Stderr> {
    /// Creates a block for these hosts on standard error.
    pub(super) fn on_stderr(snapshot: &Snapshot, addresses: Addresses) -> Self {
        let out = std::io::stderr();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let terminal = out.is_terminal() && (cfg!(windows) || !dumb);
        let colours = anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never;
        let size = || {
            let size = terminal_size::terminal_size_of(std::io::stderr());
            size.map_or(SIZE, |(width, height)| (width.0.into(), height.0.into()))
        };
        let size: Option<Box<dyn Fn() -> _>> = if terminal { Some(Box::new(size)) } else { None };
        Self::new(out, colours, size, snapshot, addresses)
    }
}

impl<W: Write> HostBlock<W> {
    /// Creates a block. `size` returns the columns and rows of the terminal; without it, nothing is drawn.
    fn new(
        out: W,
        colours: bool,
        size: Option<Box<dyn Fn() -> (usize, usize)>>,
        snapshot: &Snapshot,
        addresses: Addresses,
    ) -> Self {
        let mut block = Self {
            out,
            colours,
            style: addresses,
            names: 0,
            addresses: BTreeMap::new(),
            repeats: Repeats::default(),
            asked: BTreeSet::new(),
            drawing: size.map(|size| Drawing {
                size,
                drawn: Vec::new(),
                width: 0,
                above: String::new(),
                hint: "",
                question: None,
                typed: 0,
            }),
        };
        block.learn(snapshot);
        block
    }

    /// Takes the host names and addresses from a snapshot.
    fn learn(&mut self, snapshot: &Snapshot) {
        let hosts = &snapshot.hosts;
        self.names = hosts.iter().map(|host| host.name.len()).max().unwrap_or(0);
        let addresses = hosts
            .iter()
            .map(|host| (host.name.clone(), self.style.of(host)));
        self.addresses = addresses.collect();
        let open = hosts.iter().flat_map(|host| &host.prompts);
        let open: BTreeSet<_> = open.map(|prompt| prompt.id).collect();
        self.asked.retain(|id| open.contains(id));
    }

    /// Prints the question of a host's command above the block. It is shown nowhere else.
    pub(super) fn ask(&mut self, host: &str, prompt: &PromptView) {
        self.asked.insert(prompt.id);
        let state = HostState::NeedsYou;
        let (style, word) = (colour(state), state.word());
        let text = prompt.text.replace('\n', "\n  ");
        self.print(&format!("{host} {style}{word}{style:#}:\n  {text}"));
    }

    /// Whether the block is drawn on a terminal. If so, other output to the terminal would disturb it.
    pub(super) fn is_drawn(&self) -> bool {
        self.drawing.is_some()
    }

    /// Sets the hint, which is the last line of the block.
    pub(super) fn hint(&mut self, hint: &'static str) {
        if let Some(drawing) = &mut self.drawing {
            drawing.hint = hint;
        }
    }

    /// Sets the question to the person, which is shown instead of the hint. `None` removes the question.
    pub(super) fn question(&mut self, question: Option<String>) {
        if let Some(drawing) = &mut self.drawing {
            drawing.question = question;
        }
    }

    /// Notes that the person has typed a line, which the terminal shows below the block.
    pub(super) fn typed(&mut self) {
        if let Some(drawing) = &mut self.drawing {
            drawing.typed += 1;
        }
    }

    /// Prints an event above the block. On a terminal, a change of state without a reason is not printed, because the
    /// block shows the state. A question of a command is not printed, because [`HostBlock::ask`] prints it as a whole.
    pub(super) fn event(&mut self, event: &Event) {
        let clock = Clock::now();
        let still = match self.repeats.judge(event, clock.now_ms()) {
            Judgement::Show => None,
            Judgement::Still { tries, since_ms } => Some((tries, clock.shown(since_ms))),
            Judgement::LeaveOut => return,
        };
        if let Event::Host {
            host,
            vip,
            state,
            reason,
            ..
        } = event
        {
            use HostState::{Configuring, Greeting, Starting};
            // A host in one of these states is still being started. A later event will report the outcome.
            let is_under_way = matches!(state, Starting | Greeting | Configuring);
            let is_question = reason.as_ref().is_some_and(|it| it.starts_with(ASKS));
            if is_under_way || is_question || (reason.is_none() && self.is_drawn()) {
                return;
            }
            if *state == HostState::Ready && reason.is_none() {
                let line = self.ready(host, vip);
                self.print(&line);
                return;
            }
        }
        let (about, what) = styles(event);
        let sentence = event.sentence();
        let mut line = format!(
            "{about}{}{about:#}{what}{}{what:#}",
            event.about(),
            sentence.what
        );
        let (first, next) = match event {
            Event::Reloaded { .. } | Event::Held { .. } => (":\n  ", "\n  "),
            Event::Host { .. }
            | Event::Hopeless { .. }
            | Event::Refused { .. }
            | Event::Stderr { .. }
            | Event::Step { .. }
            | Event::Warning { .. } => (": ", "; "),
        };
        if !sentence.details.is_empty() {
            line += first;
            line += &sentence.details.join(next);
        }
        if let Some((tries, since)) = still {
            let _ = write!(line, "; still so ({tries} tries, since {since})");
        }
        if matches!(event, Event::Hopeless { .. }) {
            line += "; the lines above say why. Fix that and start again";
        }
        self.print(&line);
    }

    /// The line for a host that is ready. It begins with "Ready: VIP", because scripts have waited for that since the
    /// original NoRouter.
    fn ready(&self, host: &str, vip: &str) -> String {
        let green = AnsiColor::Green.on_default();
        let addresses = self
            .addresses
            .get(host)
            .filter(|addresses| *addresses != vip);
        let addresses = addresses.map(|addresses| format!(" {addresses}"));
        let addresses = addresses.unwrap_or_default();
        format!("{green}Ready{green:#}: {vip} ({host}){addresses}")
    }

    /// Prints a line above the block. On a terminal it appears at the next [`HostBlock::draw`].
    pub(super) fn print(&mut self, line: &str) {
        match &mut self.drawing {
            Some(drawing) => {
                drawing.above.push_str(line);
                drawing.above.push('\n');
            }
            None => self.write(&format!("{line}\n")),
        }
    }

    /// Redraws the block for the current state of the network, below the lines that were printed since it was last
    /// drawn.
    pub(super) fn draw(&mut self, snapshot: &Snapshot, now_ms: u64) {
        self.learn(snapshot);
        self.redraw(snapshot, now_ms);
    }

    /// Redraws the block for the same state as before.
    pub(super) fn redraw(&mut self, snapshot: &Snapshot, now_ms: u64) {
        let Some(mut drawing) = self.drawing.take() else {
            return;
        };
        let (width, height) = (drawing.size)();
        let dim = Style::new().dimmed();
        let last = match &drawing.question {
            Some(question) => (AnsiColor::Yellow.on_default(), question.as_str()),
            None => (dim, drawing.hint),
        };
        let lines = self.lines(snapshot, now_ms, (width, height), last);
        if drawing.typed > 0
            || !drawing.above.is_empty()
            || lines != drawing.drawn
            || width != drawing.width
        {
            let mut text = drawing.erased(width);
            text.push_str(&std::mem::take(&mut drawing.above));
            for line in &lines {
                text.push_str(&line.text);
                text.push('\n');
            }
            self.write(&text);
            drawing.drawn = lines;
            drawing.typed = 0;
            drawing.width = width;
        }
        self.drawing = Some(drawing);
    }

    /// Draws the last state of a network that has ended, and leaves it on the screen. If all hosts have stopped, this
    /// is one line, and otherwise the whole block.
    pub(super) fn end(&mut self, snapshot: &Snapshot, now_ms: u64) {
        self.hint("");
        let mut hosts = snapshot.hosts.iter();
        if self.is_drawn() && hosts.all(|host| host.state == HostState::Stopped) {
            self.print("the network has ended");
            self.draw(&Snapshot::default(), now_ms);
        } else {
            self.draw(snapshot, now_ms);
        }
        self.leave();
    }

    /// Leaves the block on the screen as it is, so that later output appears below it.
    pub(super) fn leave(&mut self) {
        if let Some(drawing) = &mut self.drawing {
            drawing.drawn.clear();
        }
    }

    /// Whether the block has to be redrawn as time passes, because it has a countdown.
    pub(super) fn counts_down(&self, snapshot: &Snapshot) -> bool {
        self.is_drawn() && snapshot.hosts.iter().any(|host| host.retry.is_some())
    }

    fn lines(
        &self,
        snapshot: &Snapshot,
        now_ms: u64,
        (width, height): (usize, usize),
        (style, hint): (Style, &str),
    ) -> Vec<Line> {
        // The hint and the cursor need two rows below the hosts, and a third of the rows is reserved for printed lines.
        // A block that is taller than the terminal could not be erased.
        let room = (height * 2 / 3).saturating_sub(2).max(1);
        let mut hosts: Vec<_> = snapshot.hosts.iter().collect();
        let mut last = Vec::new();
        if hosts.len() > room {
            hosts.sort_by_key(|host| rank(host.state));
            last.push(format!("and {}", count(&hosts.split_off(room))));
        }
        if !hint.is_empty() {
            last.push(hint.to_owned());
        }
        let mut lines: Vec<_> = hosts
            .into_iter()
            .map(|host| self.line(host, now_ms, width))
            .collect();
        if !last.is_empty() {
            lines.push(Line::cut(&[(style, last.join("; "))], width));
        }
        lines
    }

    /// Formats one host as one line.
    fn line(&self, host: &HostView, now_ms: u64, width: usize) -> Line {
        let addresses = || self.style.short(host);
        let mut prompts = host.prompts.iter();
        let is_asked = prompts.any(|prompt| self.asked.contains(&prompt.id));
        let detail = match (&host.reason, host.retry) {
            (Some(_), None) if is_asked => String::new(),
            (Some(reason), Some(retry)) => {
                // The countdown stays visible if the reason has to be cut.
                let next = format!("; {}", retry.at(now_ms));
                let taken = self.names + WORD + 4 + next.len();
                let room = width.saturating_sub(taken + 1);
                format!("{}{next}", shortened(reason, room))
            }
            (Some(reason), None) => reason.clone(),
            (None, _) if host.state.is_up() => match host.latency_us {
                Some(micros) => format!("{}  {}", addresses(), latency(micros)),
                None => addresses(),
            },
            (None, _) => host.install.as_ref().map_or_else(String::new, |install| {
                let taken = self.names + WORD + 4;
                progress::line(install, width.saturating_sub(taken + 1))
            }),
        };
        let (names, word) = (self.names, host.state.word());
        let detail = match detail.as_str() {
            "" => String::new(),
            detail => format!("{:1$}  {detail}", "", WORD - word.len()),
        };
        let parts = [
            (Style::new(), format!("{:names$}  ", host.name)),
            (colour(host.state), word.to_owned()),
            (Style::new(), detail),
        ];
        Line::cut(&parts, width)
    }

    /// Writes a text. The escape sequences that move the cursor must be kept; `anstream` would remove them together
    /// with the colours.
    fn write(&mut self, text: &str) {
        let text = if self.colours {
            text.to_owned()
        } else {
            without_colours(text)
        };
        // If writing to the terminal fails, nobody can be told about it.
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

impl Drawing {
    /// The escape sequence that erases the block. If the terminal was made narrower, it has wrapped the lines of the
    /// block, which take more rows now.
    fn erased(&self, width: usize) -> String {
        let rows = self
            .drawn
            .iter()
            .map(|line| line.width.div_ceil(width.max(1)).max(1));
        match rows.sum::<usize>() + self.typed {
            0 => String::new(),
            rows => format!("\r\u{1b}[{rows}A\u{1b}[J"),
        }
    }
}

impl Line {
    /// Joins the parts into one line. The line is cut before the last column, because terminals wrap there.
    fn cut(parts: &[(Style, String)], terminal: usize) -> Self {
        let most = terminal.saturating_sub(1);
        let whole = parts.iter().flat_map(|(_, part)| part.chars());
        let mut room = most;
        let ending = if whole.map(columns).sum::<usize>() > most {
            // One column is for the character that shows that the text was cut.
            room = most.saturating_sub(1);
            if most > 0 { "…" } else { "" }
        } else {
            ""
        };
        let (mut text, mut left) = (String::new(), room);
        for (style, part) in parts {
            let shown: String = part
                .chars()
                .take_while(|c| {
                    let fits = columns(*c) <= left;
                    left = if fits { left - columns(*c) } else { 0 };
                    fits
                })
                .collect();
            let _ = write!(text, "{style}{shown}{style:#}");
        }
        text.push_str(ending);
        let width = room - left + usize::from(!ending.is_empty());
        Self { text, width }
    }
}

/// The text, or, if it takes more than `most` columns, its beginning and a `…`.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().map(columns).sum::<usize>() <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let fitting = text.chars().take_while(|c| {
        let fits = columns(*c) <= left;
        left = left.saturating_sub(columns(*c));
        fits
    });
    fitting.chain(std::iter::once('…')).collect()
}

/// The number of columns that a character takes at most. East Asian characters take two.
fn columns(c: char) -> usize {
    let narrow = c < '\u{1100}' || c == '…';
    if narrow { 1 } else { 2 }
}

/// The priority of a host if there is no room for all hosts. Hosts with trouble come first.
fn rank(state: HostState) -> usize {
    match state {
        HostState::Waiting | HostState::NeedsYou | HostState::Refused | HostState::Degraded => 0,
        HostState::Starting | HostState::Greeting | HostState::Configuring => 1,
        HostState::Ready => 2,
        HostState::Stopped => 3,
    }
}

/// A summary such as "12 more (10 ready, 2 stopped)".
fn count(hosts: &[&HostView]) -> String {
    let mut states: Vec<(HostState, usize)> = Vec::new();
    for host in hosts {
        match states.iter_mut().find(|(state, _)| *state == host.state) {
            Some((_, count)) => *count += 1,
            None => states.push((host.state, 1)),
        }
    }
    let states = states
        .iter()
        .map(|(state, count)| format!("{count} {}", state.word()));
    format!(
        "{} more ({})",
        hosts.len(),
        states.collect::<Vec<_>>().join(", ")
    )
}

/// The colour of a state, here and in the table of `norouter status`.
pub(super) fn colour(state: HostState) -> Style {
    match state {
        HostState::Ready => AnsiColor::Green.on_default(),
        HostState::Starting
        | HostState::Greeting
        | HostState::Configuring
        | HostState::Degraded
        | HostState::NeedsYou => AnsiColor::Yellow.on_default(),
        HostState::Waiting | HostState::Refused => AnsiColor::Red.on_default(),
        HostState::Stopped => Style::new().dimmed(),
    }
}

/// The styles of an event: the first for the prefix, the second for the text.
fn styles(event: &Event) -> (Style, Style) {
    let plain = Style::new();
    let yellow = AnsiColor::Yellow.on_default();
    match event {
        Event::Host { state, .. } => (plain, colour(*state)),
        Event::Refused { .. } | Event::Held { .. } => (plain, yellow),
        Event::Hopeless { .. } => (plain, AnsiColor::Red.on_default()),
        Event::Warning { .. } => (yellow, plain),
        Event::Stderr { .. } => (plain.dimmed(), plain),
        Event::Reloaded { .. } | Event::Step { .. } => (plain, plain),
    }
}

/// Removes the escape sequences that end in `m`, which set colours.
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
mod tests;
