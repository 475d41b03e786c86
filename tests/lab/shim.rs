//! A bad line to a host. It is a program between the manager and the host's command. When a test orders it, it stalls,
//! cuts, corrupts or slows down the streams. `shim.py` describes the orders.

use std::{fs, os::unix::net::UnixDatagram, path::PathBuf};

use crate::sandbox::{DEADLINE, Sandbox, wait_for};

/// The bad line of one host. Several processes may be the line one after the other. Each of them begins with the orders
/// of [`Shim::order_at_start`].
pub(crate) struct Shim {
    _sandbox: Sandbox,
    script: PathBuf,
    place: PathBuf,
    answers: UnixDatagram,
}

impl Shim {
    /// A line that works well until it gets an order.
    pub(crate) fn new(sandbox: &Sandbox, name: &str) -> Self {
        let script = sandbox.path("shim.py");
        if !script.exists() {
            sandbox.write("shim.py", include_str!("shim.py"));
        }
        let place = sandbox.path(&format!("line-{name}"));
        let answers = UnixDatagram::bind(place.with_extension("answers")).unwrap();
        answers.set_read_timeout(Some(DEADLINE)).unwrap();
        Self {
            _sandbox: sandbox.clone(),
            script,
            place,
            answers,
        }
    }

    /// The command that runs another command at the end of the line.
    pub(crate) fn cmd(&self, command: &[String]) -> Vec<String> {
        let words = [
            "python3",
            self.script.to_str().unwrap(),
            self.place.to_str().unwrap(),
        ];
        words
            .iter()
            .map(|word| (*word).to_owned())
            .chain(command.iter().cloned())
            .collect()
    }

    /// Sets the orders that every process of the line carries out when it starts.
    pub(crate) fn order_at_start(&self, orders: &[&str]) {
        fs::write(self.place.with_extension("orders"), orders.join("\n")).unwrap();
    }

    /// Sends an order to the present process of the line, and waits until the order has been carried out.
    #[track_caller]
    pub(crate) fn order(&self, order: &str) {
        wait_for(&format!("somebody who obeys {order:?}"), || {
            self.try_order(order).then_some(())
        });
    }

    /// Sends an order to the present process of the line, if there is one. Returns whether the order was carried out.
    pub(crate) fn try_order(&self, order: &str) -> bool {
        let sent = self
            .answers
            .send_to(order.as_bytes(), self.place.with_extension("sock"));
        sent.is_ok() && self.answers.recv(&mut [0; 16]).is_ok()
    }
}
