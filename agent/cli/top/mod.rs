//! `norouter top`: shows a running network on the whole terminal.

mod board;

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use crossterm::{
    cursor, event, execute,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use serde_json::json;
use tokio::sync::mpsc;

use self::board::{Board, Wish};
use super::{
    error::{Error, Exit},
    flows::Order,
    reach::{WhichNetwork, json_line, wait_for},
};
use crate::{
    driver::{
        control::{Client, client},
        system::describe,
    },
    view::{FlowsView, NetworkView},
};

/// The time between two requests to the manager.
const LOOK: Duration = Duration::from_secs(1);

/// The request for the connections. The limit is above the number of rows of any terminal, so that a filter also finds
/// connections that the unfiltered list has no room for.
const FLOWS: &str = "/v1/flows?limit=2000";

/// Watch a running network: hosts, rates, connections
///
/// Keys: arrows select a connection, "k" ends it, "s" changes the order, "/" filters by a text, "?" explains
/// all keys, "q" quits.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Which connections come first
    #[arg(long, value_enum, default_value_t = Order::Rate)]
    sort: Order,
    /// Write a line of JSON every second instead
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = args.network.client().await?;
        if args.json {
            loop {
                let (network, flows) = look(&client).await?;
                json_line(&json!({"network": network, "flows": flows}))?;
                tokio::time::sleep(LOOK).await;
            }
        }
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            let error = Error::new(Exit::Failure, "\"top\" needs a terminal to draw on");
            return Err(
                error.hint("\"norouter status\" and \"norouter flows\" do not; nor does --json")
            );
        }
        let (network, flows) = look(&client).await?;
        let board = Board::new(network, flows, args.sort);
        let terminal = Terminal::take().map_err(|error| lost(&error))?;
        let outcome = show(&client, board).await;
        drop(terminal);
        outcome
    })
}

/// Draws the board until the person quits or the network has ended.
async fn show(client: &Client, mut board: Board) -> Result<Exit, Error> {
    let mut events = terminal_events();
    let mut looks = tokio::time::interval(LOOK);
    looks.tick().await;
    loop {
        let (width, height) = terminal::size().unwrap_or((80, 24));
        draw(&board.lines(width.into(), height.into())).map_err(|error| lost(&error))?;
        let wish = tokio::select! {
            _ = looks.tick() => {
                let (network, flows) = look(client).await?;
                board.update(network, flows);
                None
            }
            event = events.recv() => match event {
                Some(event::Event::Key(key)) if key.kind != event::KeyEventKind::Release => board.press(key),
                // After the size has changed, the board is redrawn at once.
                Some(_) => None,
                None => Some(Wish::Quit),
            }
        };
        match wish {
            None => {}
            Some(Wish::Quit) => return Ok(Exit::Ok),
            Some(Wish::Kill(id)) => match client.delete(&format!("/v1/flows/{id}")).await {
                Ok(()) => board.say(format!("the connection {} was ended", board.called(&id))),
                Err(client::Error::Refused { text, .. }) => board.say(text),
                Err(error) => return Err(error.into()),
            },
        }
    }
}

async fn look(client: &Client) -> Result<(NetworkView, FlowsView), Error> {
    Ok((client.network().await?, client.get(FLOWS).await?))
}

/// A channel of key presses and size changes. They are read by a thread, which is not joined at the end.
fn terminal_events() -> mpsc::UnboundedReceiver<event::Event> {
    let (sender, events) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    events
}

fn draw(lines: &[String]) -> io::Result<()> {
    let mut text = format!("{}", cursor::MoveTo(0, 0));
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            text += "\r\n";
        }
        text += line;
        text += "\u{1b}[K";
    }
    text += "\u{1b}[J";
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn lost(error: &io::Error) -> Error {
    Error::new(
        Exit::Failure,
        format!("the terminal cannot be drawn on: {}", describe(error)),
    )
}

/// The terminal in full-screen mode. Dropping this value leaves the mode, even after a panic.
struct Terminal;

impl Terminal {
    fn take() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let taken = Self;
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
        Ok(taken)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // If writing to the terminal fails, nobody can be told about it.
        let _ = execute!(io::stdout(), cursor::Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}
