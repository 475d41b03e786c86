//! The output of `norouter up`: lines that scroll, and on a terminal a block below them with the current state of all
//! hosts.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{IsTerminal as _, Stderr, Write},
};

use anstyle::{AnsiColor, Style};

use super::repeats::{Judgement, Repeats};
use crate::{
    text::figures::{counted, latency},
    view::{Event, HostState, HostView, Snapshot},
};

/// The columns and rows that are assumed if the terminal does not tell its size.
const SIZE: (usize, usize) = (80, 24);

/// The width of the longest word for a host's state, in columns.
const WORD: usize = 15;

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

    /// Like [`Addresses::of`], for a line that has little room: several ports follow the address, which is not repeated.
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

    /// Updates the host names and addresses from a snapshot.
    fn learn(&mut self, snapshot: &Snapshot) {
        let hosts = &snapshot.hosts;
        self.names = hosts.iter().map(|host| host.name.len()).max().unwrap_or(0);
        let addresses = hosts
            .iter()
            .map(|host| (host.name.clone(), self.style.of(host)));
        self.addresses = addresses.collect();
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

    /// Sets the question that the person is asked. It is shown instead of the hint; `None` removes the question.
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
    /// block shows the state.
    pub(super) fn event(&mut self, event: &Event) {
        let repeated = match self.repeats.judge(event) {
            Judgement::Show { left_out } => left_out,
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
            // A host in one of these states is being started. A later event will report whether that has worked.
            let is_under_way = matches!(state, Starting | Greeting | Configuring);
            if is_under_way || (reason.is_none() && self.is_drawn()) {
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
            | Event::Warning { .. } => (": ", "; "),
        };
        if !sentence.details.is_empty() {
            line += first;
            line += &sentence.details.join(next);
        }
        if repeated > 0 {
            line += "; ";
            line += &counted(repeated, "repeated line");
            line += " left out";
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

    /// Draws the last state of a network that has ended, and leaves it on the screen: one line if all hosts have
    /// stopped, and otherwise the block.
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
        // The hint and the cursor need two rows below the hosts, and a third of the rows is for printed lines. A block
        // that is taller than the terminal could not be erased.
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
        let detail = match (&host.reason, host.retry) {
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
            (None, _) => String::new(),
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
    /// Joins the parts into one line, and cuts the line before the last column, because terminals wrap there.
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

/// The beginning of a text, if it takes more than this number of columns.
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

/// The maximum number of columns that a character can take; East Asian characters take two.
fn columns(c: char) -> usize {
    let narrow = c < '\u{1100}' || c == '…';
    if narrow { 1 } else { 2 }
}

/// The rank of a host if not all can be shown: hosts with trouble come first.
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

fn colour(state: HostState) -> Style {
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
        Event::Reloaded { .. } => (plain, plain),
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
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    fn host(name: &str, state: HostState, reason: Option<&str>) -> HostView {
        HostView {
            name: name.to_owned(),
            vip: "127.0.42.101".to_owned(),
            ports: vec![80, 5432],
            state,
            reason: reason.map(str::to_owned),
            ..HostView::default()
        }
    }

    fn network(hosts: Vec<HostView>) -> Snapshot {
        Snapshot {
            hosts,
            ..Snapshot::default()
        }
    }

    /// The columns and rows of a terminal that a test can resize.
    type Size = Rc<Cell<(usize, usize)>>;

    /// A block without colours that stores its output, and the size of its terminal.
    fn block(snapshot: &Snapshot, size: (usize, usize)) -> (HostBlock<Vec<u8>>, Size) {
        let size = Rc::new(Cell::new(size));
        let asked = size.clone();
        let asked: Box<dyn Fn() -> _> = Box::new(move || asked.get());
        let block = HostBlock::new(Vec::new(), false, Some(asked), snapshot, Addresses::Plain);
        (block, size)
    }

    fn log(snapshot: &Snapshot, addresses: Addresses) -> HostBlock<Vec<u8>> {
        HostBlock::new(Vec::new(), false, None, snapshot, addresses)
    }

    fn written(block: &mut HostBlock<Vec<u8>>) -> String {
        String::from_utf8(std::mem::take(&mut block.out)).unwrap()
    }

    fn changed(state: HostState, reason: Option<&str>) -> Event {
        Event::Host {
            host: "db".to_owned(),
            vip: "127.0.42.101".to_owned(),
            state,
            reason: reason.map(str::to_owned),
            retry: None,
        }
    }

    #[test]
    fn the_block_shows_addresses_of_hosts_that_are_up_and_reasons_of_others() {
        let hosts = vec![
            host("db", HostState::Ready, None),
            host("archive", HostState::Waiting, Some("exit status 255")),
            host("new", HostState::Configuring, None),
        ];
        let snapshot = network(hosts);
        let (mut block, _) = block(&snapshot, (80, 24));
        block.hint("Ctrl-C ends the network");
        block.draw(&snapshot, 0);
        let expected = "db       ready            127.0.42.101  80 5432\n\
                        archive  waiting          exit status 255\n\
                        new      configuring\n\
                        Ctrl-C ends the network\n";
        assert_eq!(written(&mut block), expected);
        block.draw(&snapshot, 0);
        assert_eq!(written(&mut block), "", "nothing has changed");
    }

    #[test]
    fn what_scrolls_takes_the_place_of_the_block_which_follows() {
        let snapshot = network(vec![host("db", HostState::Starting, None)]);
        let (mut block, _) = block(&snapshot, (80, 24));
        block.draw(&snapshot, 0);
        let _ = written(&mut block);
        block.print("one");
        block.print("two");
        block.draw(&snapshot, 0);
        let moved = "\r\u{1b}[1A\u{1b}[J";
        assert_eq!(
            written(&mut block),
            format!("{moved}one\ntwo\ndb  starting\n")
        );
        block.leave();
        block.print("three");
        block.draw(&snapshot, 0);
        assert_eq!(
            written(&mut block),
            "three\ndb  starting\n",
            "nothing above is touched"
        );
    }

    #[test]
    fn a_reason_comes_first_and_is_cut_before_the_countdown() {
        let long = "ssh: Could not resolve hostname wbe1.example.com: Name or service not known";
        for (reason, told) in [
            ("no (status 1)", "no (status 1); try 3 in 4 s\n"),
            (
                long,
                "ssh: Could not resolve hostname wbe1.exampl…; try 3 in 4 s\n",
            ),
        ] {
            let mut db = host("db", HostState::Waiting, Some(reason));
            db.retry = Some(crate::view::Retry {
                attempt: 3,
                at_ms: 4_000,
                pause_ms: 8_000,
            });
            let snapshot = network(vec![db]);
            let (mut block, _) = block(&snapshot, (80, 24));
            block.draw(&snapshot, 0);
            let line = written(&mut block);
            assert_eq!(line, format!("db  waiting          {told}"));
        }
    }

    #[test]
    fn no_line_reaches_the_last_column() {
        let reason = "東京 long ".repeat(100);
        let snapshot = network(vec![host("db", HostState::Waiting, Some(&reason))]);
        for width in [1, 2, 10, 20, 61] {
            let (mut block, _) = block(&snapshot, (width, 24));
            block.draw(&snapshot, 0);
            let line = written(&mut block);
            let used: usize = line.trim_end().chars().map(columns).sum();
            assert!(used < width, "{used} of {width} columns: {line}");
        }
    }

    #[test]
    fn lines_that_a_narrower_terminal_has_wrapped_are_erased() {
        let snapshot = network(vec![host("db", HostState::Ready, None)]);
        let (mut block, size) = block(&snapshot, (80, 24));
        block.draw(&snapshot, 0);
        let _ = written(&mut block);
        size.set((20, 24));
        block.draw(&snapshot, 0);
        // A line of 42 columns takes three rows of 20.
        assert!(written(&mut block).starts_with("\r\u{1b}[3A\u{1b}[J"));
    }

    #[test]
    fn a_block_is_never_taller_than_the_terminal_and_shows_trouble_first() {
        let mut hosts: Vec<_> = (0..30)
            .map(|number| host(&format!("h{number:02}"), HostState::Ready, None))
            .collect();
        hosts[29] = host("h29", HostState::Waiting, Some("gone"));
        let snapshot = network(hosts);
        let (mut block, _) = block(&snapshot, (80, 24));
        block.hint("Ctrl-C ends the network");
        block.draw(&snapshot, 0);
        let text = written(&mut block);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 15);
        assert_eq!(lines[0], "h29  waiting          gone");
        assert_eq!(lines[14], "and 16 more (16 ready); Ctrl-C ends the network");
    }

    #[test]
    fn a_log_has_the_line_that_scripts_wait_for() {
        let snapshot = network(vec![host("db", HostState::Starting, None)]);
        let mut plain = log(&snapshot, Addresses::Plain);
        plain.event(&changed(HostState::Ready, None));
        let ready = "Ready: 127.0.42.101 (db) 127.0.42.101:80 127.0.42.101:5432\n";
        assert_eq!(written(&mut plain), ready);
        plain.event(&changed(HostState::Configuring, None));
        plain.event(&changed(HostState::Waiting, Some("exit status 1")));
        assert_eq!(
            written(&mut plain),
            "db (127.0.42.101) is waiting: exit status 1\n"
        );
        plain.draw(&snapshot, 0);
        assert_eq!(written(&mut plain), "", "a log has no block");
        let mut web = log(&snapshot, Addresses::Web);
        web.event(&changed(HostState::Ready, None));
        assert!(written(&mut web).contains(" http://127.0.42.101:80 "));
    }

    #[test]
    fn a_network_that_has_ended_leaves_one_line_unless_a_host_has_not_stopped() {
        let stopped = host("db", HostState::Stopped, None);
        let snapshot = network(vec![stopped.clone(), stopped]);
        let (mut whole, _) = block(&snapshot, (80, 24));
        whole.hint("stopping");
        whole.end(&snapshot, 0);
        assert_eq!(written(&mut whole), "the network has ended\n");
        let snapshot = network(vec![host("db", HostState::Refused, Some("why"))]);
        let (mut partly, _) = block(&snapshot, (80, 24));
        partly.end(&snapshot, 0);
        assert_eq!(written(&mut partly), "db  refused          why\n");
    }

    #[test]
    fn only_colours_are_taken_out() {
        assert_eq!(
            without_colours("\u{1b}[1mx\u{1b}[0m\u{1b}[3A\u{1b}[J"),
            "x\u{1b}[3A\u{1b}[J"
        );
    }
}
