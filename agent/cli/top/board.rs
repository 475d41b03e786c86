//! The contents of the screen of `top`, and the effects of its keys. It performs no I/O, so that tests can use it.

use anstyle::{AnsiColor, Style};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::{
    cli::{
        figures::{bytes, rate, span, table},
        flows::{self, Order, begin},
        progress,
    },
    text::{escape, figures::counted},
    view::{FlowView, FlowsView, HostView, NetworkView},
};

/// The keys and what they do, for the help.
const KEYS: [(&str, &str); 10] = [
    ("up, down", "choose the connection above or below"),
    ("Home, End", "choose the first or the last connection"),
    ("k", "end the chosen connection, after a question"),
    ("s", "sort by the next order: rate, bytes, age, RTT, name"),
    ("/", "show only connections that contain a text"),
    ("Esc", "show all connections again"),
    ("Enter, ?", "show this help"),
    ("q, Ctrl-C", "quit"),
    (
        "",
        "SENT and OUT count what the beginning of a connection sends,",
    ),
    ("", "RECEIVED and IN what it gets back"),
];

/// The orders through which the key "s" cycles.
const ORDERS: [(Order, &str); 5] = [
    (Order::Rate, "rate"),
    (Order::Bytes, "bytes"),
    (Order::Age, "age"),
    (Order::Rtt, "RTT"),
    (Order::Name, "name"),
];

/// The approximate width of all columns before the last one in the table of hosts, in characters.
const BEFORE_LAST: usize = 52;

/// An action that the person wants and that the board cannot perform itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Quit,
    /// End the flow with this id.
    Kill(String),
}

/// The state of the screen.
pub(super) struct Board {
    network: NetworkView,
    /// The bytes per second that each host sends and receives.
    rates: Vec<(u64, u64)>,
    flows: Vec<FlowView>,
    total: usize,
    order: Order,
    filter: String,
    /// The id of the selected flow; it stays selected when its row moves. `None` if no flow is selected.
    chosen: Option<String>,
    mode: Mode,
    said: String,
}

/// The mode that decides what keys do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    Watch,
    /// Typed characters change the filter.
    Filter,
    /// The person is asked whether to end the flow with this id; only "y" ends it.
    Sure(String),
    /// An explanation of the keys is shown, until any key is pressed.
    Help,
}

impl Board {
    pub(super) fn new(network: NetworkView, flows: FlowsView, order: Order) -> Self {
        let mut board = Self {
            rates: vec![(0, 0); network.snapshot.hosts.len()],
            network,
            flows: Vec::new(),
            total: 0,
            order,
            filter: String::new(),
            chosen: None,
            mode: Mode::Watch,
            said: String::new(),
        };
        board.take(flows);
        board
    }

    /// Updates the board with the current state of the network.
    pub(super) fn update(&mut self, network: NetworkView, flows: FlowsView) {
        let millis = network
            .uptime_ms
            .saturating_sub(self.network.uptime_ms)
            .max(1);
        let per_second = |now: u64, before: u64| now.saturating_sub(before) * 1_000 / millis;
        let rates = network.snapshot.hosts.iter().map(|host| {
            let mut before = self.network.snapshot.hosts.iter();
            let before = before.find(|before| before.name == host.name);
            before.map_or((0, 0), |before| {
                let (now, before) = (&host.traffic, &before.traffic);
                (
                    per_second(now.bytes_from, before.bytes_from),
                    per_second(now.bytes_to, before.bytes_to),
                )
            })
        });
        self.rates = rates.collect();
        self.network = network;
        let before = std::mem::take(&mut self.flows);
        self.take(flows);
        // The manager smooths its rates of flows, so they would not agree with the rates of hosts beside them.
        // Therefore the rates of flows are calculated here, in the same way as those of hosts.
        for flow in &mut self.flows {
            let mut before = before.iter();
            let before = before.find(|before| before.id == flow.id && before.age_ms <= flow.age_ms);
            let (from, to) = before.map_or((0, 0), |flow| (flow.bytes_from, flow.bytes_to));
            flow.rate_from = per_second(flow.bytes_from, from);
            flow.rate_to = per_second(flow.bytes_to, to);
        }
        self.order.sort(&mut self.flows);
    }

    /// Shows a message until the next key is pressed.
    pub(super) fn say(&mut self, text: String) {
        self.said = text;
    }

    /// Handles a key. Returns the action that the key asks for, if the board itself cannot perform that action.
    pub(super) fn press(&mut self, key: KeyEvent) -> Option<Wish> {
        self.said.clear();
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return (key.code == KeyCode::Char('c')).then_some(Wish::Quit);
        }
        match std::mem::replace(&mut self.mode, Mode::Watch) {
            Mode::Help => {}
            Mode::Sure(id) => return (key.code == KeyCode::Char('y')).then_some(Wish::Kill(id)),
            Mode::Filter => self.press_in_filter(key.code),
            Mode::Watch => return self.press_while_watching(key.code),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most keys mean nothing here"
    )]
    fn press_in_filter(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => return,
            KeyCode::Esc => return self.filter.clear(),
            KeyCode::Char(c) => self.filter.push(c),
            KeyCode::Backspace => {
                self.filter.pop();
            }
            _ => {}
        }
        self.mode = Mode::Filter;
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most keys mean nothing here"
    )]
    fn press_while_watching(&mut self, key: KeyCode) -> Option<Wish> {
        match key {
            KeyCode::Char('q') => return Some(Wish::Quit),
            KeyCode::Char('s') => {
                let at = ORDERS.iter().position(|(order, _)| *order == self.order);
                let next = at.map_or(0, |at| (at + 1) % ORDERS.len());
                self.order = ORDERS.get(next).map_or(Order::Rate, |(order, _)| *order);
                self.order.sort(&mut self.flows);
            }
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Char('?' | 'h') | KeyCode::Enter | KeyCode::F(1) => self.mode = Mode::Help,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Down => self.choose(|at, last| (at + 1).min(last)),
            KeyCode::Up => self.choose(|at, _| at.saturating_sub(1)),
            KeyCode::Home => self.choose(|_, _| 0),
            KeyCode::End => self.choose(|_, last| last),
            KeyCode::Char('k') => match self.chosen_place() {
                Some((_, id)) => self.mode = Mode::Sure(id),
                None => self.say("choose a connection with the arrow keys first".to_owned()),
            },
            _ => {}
        }
        None
    }

    fn take(&mut self, view: FlowsView) {
        self.total = view.total;
        self.flows = view.flows;
        self.order.sort(&mut self.flows);
    }

    fn shown(&self) -> Vec<&FlowView> {
        let has = |flow: &&FlowView| {
            let texts = [
                &begin(flow),
                &flow.name,
                flow.via.as_ref().unwrap_or(&flow.to),
                &flow.id,
            ];
            self.filter.is_empty() || texts.iter().any(|text| text.contains(&self.filter))
        };
        self.flows.iter().filter(has).collect()
    }

    /// The row and the id of the selected flow; `None` if no flow is selected, or if the selected one is not shown.
    fn chosen_place(&self) -> Option<(usize, String)> {
        let chosen = self.chosen.as_ref()?;
        let at = self.shown().iter().position(|flow| flow.id == *chosen)?;
        Some((at, chosen.clone()))
    }

    fn choose(&mut self, to: impl Fn(usize, usize) -> usize) {
        let shown = self.shown();
        let last = shown.len().saturating_sub(1);
        let at = self.chosen_place().map_or(0, |(at, _)| to(at, last));
        self.chosen = shown.get(at).map(|flow| flow.id.clone());
    }

    /// The contents of the screen: `height` lines of at most `width` columns.
    pub(super) fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let bold = Style::new().bold();
        let inverse = Style::new().invert();
        let cut = |style: Style, text: &str| {
            let text: String = escape(text).chars().take(width).collect();
            format!("{style}{text}{style:#}")
        };
        let mut lines = vec![cut(bold, &self.headline()), String::new()];
        if self.mode == Mode::Help {
            let plain =
                |(key, text): &(&str, &str)| cut(Style::new(), &format!("{key:10}  {text}"));
            lines.extend(KEYS.iter().map(plain));
            lines.truncate(height.saturating_sub(1));
            lines.resize(height.saturating_sub(1), String::new());
            lines.push(cut(Style::new().dimmed(), "any key goes back"));
            return lines;
        }
        let hosts = self.hosts(width);
        // At least half of the screen is for the connections.
        let room = (height / 2).saturating_sub(3).max(1);
        for (index, (style, line)) in hosts.iter().take(room + 1).enumerate() {
            lines.push(cut(if index == 0 { bold } else { *style }, line));
        }
        if hosts.len() > room + 1 {
            lines.push(cut(
                Style::new().dimmed(),
                &format!("and {} more", hosts.len() - room - 1),
            ));
        }
        lines.push(String::new());

        let shown = self.shown();
        let room = height.saturating_sub(lines.len() + 2);
        let chosen = self.chosen_place().map(|(at, _)| at);
        let first = chosen.map_or(0, |at| (at + 1).saturating_sub(room));
        let seen: Vec<_> = shown.iter().skip(first).take(room).copied().collect();
        for (index, line) in flows::lines(&seen).iter().enumerate() {
            let style = match index {
                0 => bold,
                _ if chosen == Some(first + index - 1) => inverse,
                _ => Style::new(),
            };
            lines.push(cut(style, line));
        }
        lines.truncate(height.saturating_sub(1));
        lines.resize(height.saturating_sub(1), String::new());
        lines.push(cut(Style::new().dimmed(), &self.footline(shown.len())));
        lines
    }

    fn headline(&self) -> String {
        let hosts = &self.network.snapshot.hosts;
        let up = hosts.iter().filter(|host| host.state.is_up()).count();
        let (network, uptime) = (&self.network.network, span(self.network.uptime_ms));
        let (hosts, flows) = (counted(hosts.len(), "host"), self.total);
        format!("{network}  {uptime}  {up} of {hosts} ready  connections: {flows}")
    }

    /// The table of hosts. Hosts that are not up come first.
    fn hosts(&self, width: usize) -> Vec<(Style, String)> {
        let mut hosts: Vec<_> = self
            .network
            .snapshot
            .hosts
            .iter()
            .zip(&self.rates)
            .collect();
        hosts.sort_by_key(|(host, _)| host.state.is_up());
        let rows: Vec<_> = hosts
            .iter()
            .map(|(host, (from, to))| {
                vec![
                    host.name.clone(),
                    host.state.word().to_owned(),
                    host.traffic.flows.to_string(),
                    bytes(host.traffic.bytes_from),
                    bytes(host.traffic.bytes_to),
                    rate(*from),
                    rate(*to),
                    host.reason
                        .clone()
                        .unwrap_or_else(|| installing(host, width)),
                ]
            })
            .collect();
        let titles = [
            "HOST",
            "STATE",
            ">FLOWS",
            ">SENT",
            ">RECEIVED",
            ">OUT",
            ">IN",
            "",
        ];
        let styles = hosts.iter().map(|(host, _)| {
            if host.state.is_up() {
                Style::new()
            } else if host.state.is_over() {
                AnsiColor::Red.on_default()
            } else {
                AnsiColor::Yellow.on_default()
            }
        });
        let styles = std::iter::once(Style::new()).chain(styles);
        styles.zip(table(&titles, &rows)).collect()
    }

    /// The two ends of a connection, with the names that the table shows.
    pub(super) fn called(&self, id: &str) -> String {
        let mut flows = self.flows.iter();
        let flow = flows.find(|flow| flow.id == id);
        flow.map_or_else(
            || id.to_owned(),
            |flow| format!("from {} to {}", begin(flow), flow.name),
        )
    }

    fn footline(&self, shown: usize) -> String {
        if !self.said.is_empty() {
            return self.said.clone();
        }
        match &self.mode {
            Mode::Sure(id) => format!(
                "end the connection {}? y ends it, any other key does not",
                self.called(id)
            ),
            Mode::Help => String::new(),
            Mode::Filter => format!(
                "only what contains: {}_  (Enter keeps it, Esc shows all)",
                self.filter
            ),
            Mode::Watch => {
                let order = ORDERS.iter().find(|(order, _)| *order == self.order);
                let order = order.map_or("", |(_, word)| word);
                let filter = match self.filter.as_str() {
                    "" => String::new(),
                    filter => format!(": {filter} ({shown})"),
                };
                format!(
                    "q quit   ? help   s sort by {order}   / filter{filter}   arrows choose   k end a connection"
                )
            }
        }
    }
}

/// The progress of an agent on its way to the host; empty if no agent is being sent.
fn installing(host: &HostView, width: usize) -> String {
    let install = host.install.as_ref();
    let room = width.saturating_sub(BEFORE_LAST);
    install.map_or_else(String::new, |install| progress::line(install, room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{FlowState, HostState, InstallStep, InstallView, Snapshot, TrafficView};

    fn host(name: &str, state: HostState, sent: u64) -> HostView {
        HostView {
            name: name.to_owned(),
            vip: "127.0.42.1".to_owned(),
            state,
            reason: (state == HostState::Waiting)
                .then(|| "its command \u{1b}[2J failed".to_owned()),
            traffic: TrafficView {
                bytes_from: sent,
                ..TrafficView::default()
            },
            ..HostView::default()
        }
    }

    fn network(uptime_ms: u64, sent: u64) -> NetworkView {
        NetworkView {
            network: "office".to_owned(),
            manifest: None,
            version: String::new(),
            pid: 1,
            uptime_ms,
            snapshot: Snapshot {
                now_ms: 0,
                hosts: vec![
                    host("a", HostState::Ready, sent),
                    host("b", HostState::Waiting, 0),
                ],
                held: None,
                unapplied: None,
            },
        }
    }

    fn flow(port: u16, rate: u64, age_ms: u64) -> FlowView {
        FlowView {
            id: format!("127.0.42.1:{port}-127.0.42.2:80"),
            from: "a".to_owned(),
            to: "b".to_owned(),
            src: format!("127.0.42.1:{port}"),
            dst: "127.0.42.2:80".to_owned(),
            name: "b:80".to_owned(),
            via: None,
            rule: None,
            state: FlowState::Open,
            bytes_from: 1,
            bytes_to: 2,
            rate_from: rate,
            rate_to: 0,
            packets: 3,
            age_ms,
            idle_ms: 0,
            rtt_us: None,
        }
    }

    fn board() -> Board {
        let flows = vec![flow(4001, 10, 9), flow(4002, 30, 8), flow(4003, 20, 7)];
        Board::new(
            network(1_000, 0),
            FlowsView { total: 3, flows },
            Order::Rate,
        )
    }

    fn press(board: &mut Board, code: KeyCode) -> Option<Wish> {
        board.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    /// The contents of the screen without colours.
    fn screen(board: &Board) -> Vec<String> {
        let lines = board.lines(100, 20);
        assert_eq!(lines.len(), 20);
        lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect()
    }

    /// The ports of the flows on the screen, from top to bottom.
    fn ports(board: &Board) -> Vec<String> {
        let lines = screen(board);
        let ports = lines
            .iter()
            .filter_map(|line| line.strip_prefix("a:")?.split(' ').next());
        ports.map(str::to_owned).collect()
    }

    #[test]
    fn the_screen_shows_hosts_and_flows_and_nothing_that_moves_the_cursor() {
        let mut board = board();
        board.update(network(3_000, 2_000_000), FlowsView::default());
        let text = screen(&board).join("\n");
        assert!(
            text.starts_with("office  3 s  1 of 2 hosts ready  connections: 0"),
            "{text}"
        );
        assert!(
            text.contains("1.0 MB/s"),
            "two megabytes in two seconds: {text}"
        );
        assert!(
            text.contains("failed") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(
            text.find("lost") < text.find("a     ready"),
            "what is wrong comes first: {text}"
        );
        for (width, height) in [(0, 0), (1, 1), (20, 5), (400, 100)] {
            let lines = board.lines(width, height);
            let widest = lines
                .iter()
                .map(|line| anstream::adapter::strip_str(line).to_string());
            assert!(widest.map(|line| line.chars().count()).max().unwrap_or(0) <= width);
            assert!(lines.len() <= height.max(1));
        }
    }

    #[test]
    fn an_agent_on_its_way_has_a_bar() {
        let mut network = network(1_000, 0);
        let new = &mut network.snapshot.hosts[1];
        (new.state, new.reason) = (HostState::Configuring, None);
        new.install = Some(InstallView {
            step: InstallStep::Upload,
            kept: 3,
            size: 4,
            per_second: None,
        });
        let board = Board::new(network, FlowsView::default(), Order::Rate);
        let text = screen(&board).join("\n");
        assert!(
            text.contains("[#######---] the agent is sent: 3 B of 4 B, 75 %\n"),
            "{text}"
        );
    }

    #[test]
    fn a_flow_has_the_rate_that_its_host_has() {
        let mut board = board();
        let mut sent = flow(4001, 7, 2_009);
        sent.bytes_from += 2_000_000;
        let flows = vec![sent];
        board.update(network(3_000, 2_000_000), FlowsView { total: 1, flows });
        let text = screen(&board).join("\n");
        assert_eq!(text.matches("1.0 MB/s").count(), 2, "{text}");
        assert!(!text.contains(" 7 B/s"), "{text}");
    }

    #[test]
    fn the_keys_are_explained_until_the_next_one_is_pressed() {
        let mut board = board();
        for key in [KeyCode::Enter, KeyCode::Char('?')] {
            press(&mut board, key);
            let text = screen(&board).join("\n");
            assert!(text.contains("k           end the chosen"), "{text}");
            assert_eq!(press(&mut board, KeyCode::Char('q')), None);
            assert_eq!(ports(&board).len(), 3);
        }
    }

    #[test]
    fn flows_are_sorted_and_filtered_by_keys() {
        let mut board = board();
        assert_eq!(ports(&board), ["4002", "4003", "4001"]);
        for _ in 0..2 {
            assert_eq!(press(&mut board, KeyCode::Char('s')), None);
        }
        assert!(screen(&board).last().unwrap().contains("sort by age"));
        assert_eq!(ports(&board), ["4001", "4002", "4003"]);
        for key in "/4002q".chars() {
            assert_eq!(press(&mut board, KeyCode::Char(key)), None);
        }
        assert_eq!(ports(&board), [""; 0]);
        press(&mut board, KeyCode::Backspace);
        press(&mut board, KeyCode::Enter);
        assert_eq!(ports(&board), ["4002"]);
        press(&mut board, KeyCode::Esc);
        assert_eq!(ports(&board).len(), 3);
        assert_eq!(press(&mut board, KeyCode::Char('q')), Some(Wish::Quit));
    }

    #[test]
    fn only_a_chosen_flow_is_killed_and_only_after_a_yes() {
        let mut board = board();
        press(&mut board, KeyCode::Char('k'));
        assert!(
            screen(&board)
                .last()
                .unwrap()
                .starts_with("choose a connection")
        );
        press(&mut board, KeyCode::Down);
        press(&mut board, KeyCode::Down);
        // The flow stays selected when its row moves.
        press(&mut board, KeyCode::Char('s'));
        press(&mut board, KeyCode::Char('k'));
        let question = screen(&board).pop().unwrap();
        assert!(
            question.starts_with("end the connection from a:4003 to b:80? "),
            "{question}"
        );
        assert_eq!(press(&mut board, KeyCode::Char('n')), None);
        press(&mut board, KeyCode::Char('k'));
        let id = "127.0.42.1:4003-127.0.42.2:80".to_owned();
        assert_eq!(press(&mut board, KeyCode::Char('y')), Some(Wish::Kill(id)));
    }
}
