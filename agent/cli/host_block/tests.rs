//! Tests of the block: what a terminal or a log shows of events and states.

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
    let expected = "db       ready         127.0.42.101  80 5432\n\
                    archive  retrying      exit status 255\n\
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
        ("no (status 1)", "no (status 1); attempt 3 in 4 s\n"),
        (
            long,
            "ssh: Could not resolve hostname wbe1.examp…; attempt 3 in 4 s\n",
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
        assert_eq!(line, format!("db  retrying      {told}"));
    }
}

#[test]
fn an_agent_on_its_way_has_a_bar_that_fits() {
    let mut web = host("web", HostState::Configuring, None);
    web.install = Some(crate::view::InstallView {
        step: crate::view::InstallStep::Upload,
        kept: 2_000_000,
        size: 3_000_000,
        per_second: Some(250_000),
    });
    let snapshot = network(vec![host("db", HostState::Configuring, None), web]);
    let sent = "the agent is sent: 2.0 MB of 3.0 MB, 66 %, 250 kB/s, 4 s left";
    for (width, told) in [
        (120, format!("[#############-------] {sent}\n")),
        (89, format!("[###--] {sent}\n")),
        (
            80,
            "the agent is sent: 2.0 MB of 3.0 MB, 66 %, 250 kB/s, 4 s le…\n".to_owned(),
        ),
    ] {
        let (mut block, _) = block(&snapshot, (width, 24));
        block.draw(&snapshot, 0);
        assert_eq!(
            written(&mut block),
            format!("db   configuring\nweb  configuring   {told}")
        );
    }
    let mut log = log(&snapshot, Addresses::Plain);
    log.draw(&snapshot, 0);
    assert_eq!(written(&mut log), "", "a file has no bar");
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
    // A line of 39 columns takes two rows of 20.
    assert!(written(&mut block).starts_with("\r\u{1b}[2A\u{1b}[J"));
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
    assert_eq!(lines[0], "h29  retrying      gone");
    assert_eq!(lines[14], "and 16 more (16 ready); Ctrl-C ends the network");
}

#[test]
fn a_question_is_shown_once() {
    let question = "Are you sure?\n(yes/no)";
    let prompt = PromptView {
        id: 7,
        kind: crate::view::PromptKind::Confirm,
        text: question.to_owned(),
    };
    let reason = format!("{ASKS}Are you sure? (yes/no)");
    let mut db = host("db", HostState::NeedsYou, Some(&reason));
    db.prompts = vec![prompt.clone()];
    let snapshot = network(vec![db]);
    let (mut block, _) = block(&snapshot, (80, 24));
    block.event(&changed(HostState::NeedsYou, Some(&reason)));
    block.draw(&snapshot, 0);
    assert_eq!(
        written(&mut block),
        "db  needs input   its command asks: Are you sure? (yes/no)\n",
        "another question has to be answered first"
    );
    block.ask("db", &prompt);
    block.draw(&snapshot, 0);
    let text = written(&mut block);
    assert!(
        text.ends_with("db needs input:\n  Are you sure?\n  (yes/no)\ndb  needs input\n"),
        "{text}"
    );
    let mut plain = log(&snapshot, Addresses::Plain);
    plain.event(&changed(HostState::NeedsYou, Some(&reason)));
    assert_eq!(written(&mut plain), "");
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
        "db (127.0.42.101) is retrying: exit status 1\n"
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
    assert_eq!(written(&mut partly), "db  cannot start  why\n");
}

#[test]
fn only_colours_are_taken_out() {
    assert_eq!(
        without_colours("\u{1b}[1mx\u{1b}[0m\u{1b}[3A\u{1b}[J"),
        "x\u{1b}[3A\u{1b}[J"
    );
}
