//! Clients that send questions at fixed times. The duration of a question is measured from the time at which it was
//! due. If everything is blocked, questions that could not be sent therefore count as late.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::sandbox::Netns;

/// How long a question may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(15);

/// The question. A service sends it back.
const WORDS: &[u8] = b"how long does it take until this is back where it has come from?";

/// One client.
pub(crate) struct Probe {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// The time at which the client was stopped. `None` while it runs.
    over: Mutex<Option<Instant>>,
    answers: Mutex<Vec<Answer>>,
}

/// The result of one question.
struct Answer {
    due: Instant,
    took: Duration,
    failed: Option<String>,
}

/// Durations in ascending order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// A quantile of the durations: `permille` of a thousand questions took at most this long.
    pub(crate) fn quantile(&self, permille: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get((last * permille).div_ceil(1000))
            .copied()
            .unwrap_or(Duration::MAX)
    }

    /// The number of durations.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

impl Probe {
    /// A client with one connection, and a question every 2 ms.
    pub(crate) fn round_trips(netns: &Netns, to: SocketAddr) -> Self {
        let mut stream = None;
        Self::start(netns, Duration::from_millis(2), move || {
            let result = match stream.take() {
                Some(stream) => Ok(stream),
                None => connect(to),
            };
            let mut open = result?;
            exchange(&mut open)?;
            stream = Some(open);
            Ok(())
        })
    }

    /// A client that opens a connection every 5 ms, with one question on each.
    pub(crate) fn connects(netns: &Netns, to: SocketAddr) -> Self {
        Self::start(netns, Duration::from_millis(5), move || {
            exchange(&mut connect(to)?)
        })
    }

    /// A client that opens a connection to a name through an HTTP proxy every 5 ms, with one question on each.
    pub(crate) fn connects_through(netns: &Netns, proxy: SocketAddr, name: &'static str) -> Self {
        Self::start(netns, Duration::from_millis(5), move || {
            let mut stream = connect(proxy)?;
            write!(stream, "CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n")?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                head.extend(byte);
            }
            if !head.starts_with(b"HTTP/1.1 200") {
                return Err(io::Error::other(String::from_utf8_lossy(&head)));
            }
            exchange(&mut stream)
        })
    }

    fn start(
        netns: &Netns,
        every: Duration,
        ask: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let inner = shared.clone();
        // A thread begins in the namespace of the thread that starts it.
        let thread = netns.inside(|| thread::spawn(move || inner.run(every, ask)));
        Self { shared, thread }
    }

    /// The number of answers since this time.
    pub(crate) fn count(&self, since: Instant) -> usize {
        let answers = self.shared.answers.lock().unwrap();
        answers.iter().filter(|answer| answer.due >= since).count()
    }

    /// Stops the client, and waits for its last answer.
    pub(crate) fn stop(self) -> Answers {
        *self.shared.over.lock().unwrap() = Some(Instant::now());
        self.thread.join().unwrap();
        Answers(std::mem::take(&mut self.shared.answers.lock().unwrap()))
    }
}

/// All results of a client.
pub(crate) struct Answers(Vec<Answer>);

impl Answers {
    /// The durations of all questions that were due in this period, and the reasons why questions failed.
    pub(crate) fn within(&self, from: Instant, to: Instant) -> (Times, Vec<String>) {
        let within = |answer: &&Answer| (from..to).contains(&answer.due);
        let mut times: Vec<_> = self
            .0
            .iter()
            .filter(within)
            .map(|answer| answer.took)
            .collect();
        times.sort_unstable();
        let failed = self.0.iter().filter(within);
        (
            Times(times),
            failed.filter_map(|answer| answer.failed.clone()).collect(),
        )
    }
}

impl Shared {
    fn run(&self, every: Duration, mut ask: impl FnMut() -> io::Result<()>) {
        let mut due = Instant::now();
        loop {
            let over = *self.over.lock().unwrap();
            if over.is_some_and(|over| due >= over) {
                return;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // A question that was due before the end but could not be sent counts as if its answer had arrived now.
            let failed = match over {
                Some(_) => None,
                None => ask().err().map(|error| error.to_string()),
            };
            let took = due.elapsed();
            self.answers
                .lock()
                .unwrap()
                .push(Answer { due, took, failed });
            due += every;
        }
    }
}

fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn exchange(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(WORDS)?;
    let mut back = [0; WORDS.len()];
    stream.read_exact(&mut back)?;
    if back != *WORDS {
        return Err(io::Error::other("WRONG BYTES"));
    }
    Ok(())
}
