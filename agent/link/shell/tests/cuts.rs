//! Tests with hosts whose connection is cut at any place, and whose input is changed at any place. Each seed is one
//! host.

use super::*;

/// The default number of hosts that are tried.
const SEEDS: u64 = 200;

/// A model of a host that does what the scripts say. Its disk keeps only the part of the agent that has arrived.
#[derive(Default)]
struct Model {
    /// The bytes that have arrived on the present connection and were not handled yet.
    input: Vec<u8>,
    /// The number of bytes of a chunk that have not arrived yet.
    awaited: Option<usize>,
    /// The part of the agent that was kept.
    part: Vec<u8>,
    /// The file of a shell that was to begin a new part, but has found one; empty if there is none.
    apart: Vec<u8>,
    /// Whether the present shell writes that file.
    is_apart: bool,
    /// How often the part was too long, and was begun again.
    dropped: usize,
    /// Whether the shell of an earlier connection writes into the part after the present one has looked.
    is_shared: bool,
    /// The bytes of each agent that was run.
    ran: Vec<Vec<u8>>,
    /// The agent as it should be.
    agent: Vec<u8>,
    /// The number of bytes that were sent to the host in chunks.
    sent: usize,
}

impl Model {
    /// Handles the input, and returns the shell's answer.
    fn answer(&mut self, nonce: &str) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut say = |text: &str| answer.extend(format!("\nnr-{nonce} {text}\n").bytes());
        loop {
            if let Some(length) = self.awaited {
                if self.input.len() < length {
                    return answer;
                }
                let file = if self.is_apart {
                    &mut self.apart
                } else {
                    &mut self.part
                };
                file.extend(self.input.drain(..length));
                self.awaited = None;
                say("kept");
            }
            let Some(end) = self.input.iter().position(|&byte| byte == b'\n') else {
                return answer;
            };
            let line: Vec<u8> = self.input.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if line.starts_with("if ") {
                say("has dd at /x");
                if self.part.is_empty() {
                    say("lacks parts");
                }
                say("system Linux x86_64");
                say("end");
            } else if line.starts_with("a=") {
                if std::mem::take(&mut self.is_shared) {
                    self.part.extend([0; 7]);
                }
                let resumes = line.contains("if true;");
                self.is_apart = !resumes && !self.part.is_empty();
                if resumes && self.part.len() > self.agent.len() {
                    self.part.clear();
                    self.dropped += 1;
                }
                let had = if resumes { self.part.len() } else { 0 };
                say(&format!("have {had}"));
            } else if let Some(length) = line.strip_prefix("take ") {
                self.awaited = length.trim_end_matches(";\n").parse().ok();
                self.sent += self.awaited.unwrap_or(0);
            } else if line.starts_with("q=") {
                let file = if self.is_apart {
                    &mut self.apart
                } else {
                    &mut self.part
                };
                let file = std::mem::take(file);
                if file == self.agent {
                    self.ran.push(file);
                    say("run 5f0c /x");
                } else {
                    say("sum");
                    // After a failure, the shell reads nothing more.
                    self.input.clear();
                }
            }
        }
    }

    /// One connection, in which the manager's bytes are cut after `cut` and changed at `wrong`. Returns how it ended.
    fn connect(&mut self, number: u32, cut: usize, wrong: usize) -> Option<Outcome> {
        let (mut shell, nonce) = (shell_with(&format!("n{number}")), format!("n{number}"));
        (self.input, self.awaited, self.apart) = (Vec::new(), None, Vec::new());
        self.is_apart = false;
        let (mut count, mut back) = (0, BytesMut::new());
        loop {
            let mut is_quiet = true;
            while let Some(wish) = shell.poll_wish() {
                is_quiet = false;
                match wish {
                    Wish::Send(bytes) => {
                        for (at, byte) in (count..).zip(&bytes) {
                            if at == cut {
                                // The bytes that have arrived before the cut are kept.
                                self.answer(&nonce);
                                return None;
                            }
                            // Only chunks are changed. After a changed line, the shell would end the connection.
                            let is_chunk = !bytes.ends_with(b"\n");
                            let flip = u8::from(at >= wrong && at < wrong + 16 && is_chunk);
                            self.input.push(byte ^ flip);
                        }
                        count += bytes.len();
                    }
                    Wish::Fetch(_) => {
                        let parcel = Parcel {
                            plain: Bytes::from(self.agent.clone()),
                            packed: Bytes::new(),
                        };
                        shell.handle_parcel(NOW, SUM, Ok(Arc::new(parcel)));
                    }
                    Wish::Tell(_) | Wish::TellTaken => {}
                }
            }
            let answer = self.answer(&nonce);
            assert!(
                !is_quiet || !answer.is_empty(),
                "the conversation stands still"
            );
            back.extend_from_slice(&answer);
            match shell.handle_bytes(NOW, &mut back) {
                Outcome::Open => {}
                outcome @ (Outcome::Runs | Outcome::Failed(_)) => return Some(outcome),
            }
        }
    }
}

/// A small generator of pseudo-random numbers (`SplitMix64`).
pub(super) fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from(mixed >> 33).unwrap()
}

#[test]
fn whatever_is_cut_or_changed_a_wrong_agent_never_runs_and_the_right_one_does() {
    for first in seeds(SEEDS) {
        let mut seed = first;
        let size = 1 + next(&mut seed) % (4 * CHUNK);
        let agent: Vec<u8> = (0..size)
            .map(|_| next(&mut seed).to_le_bytes()[0] | 0x80)
            .collect();
        let mut model = Model {
            agent: agent.clone(),
            ..Model::default()
        };
        let (mut cuts, mut changed, mut apart) = (0, 0, 0);
        let faults = next(&mut seed) % 6;
        for number in 0.. {
            let is_last = number as usize >= faults;
            let pick = |seed: &mut u64| {
                if is_last {
                    usize::MAX
                } else {
                    next(seed) % (size + 8_000)
                }
            };
            let (cut, wrong) = match next(&mut seed) % 2 {
                0 => (pick(&mut seed), usize::MAX - 16),
                _ => (usize::MAX, pick(&mut seed).min(usize::MAX - 16)),
            };
            model.is_shared = !is_last && next(&mut seed).is_multiple_of(4);
            let outcome = model.connect(number, cut, wrong);
            apart += usize::from(model.is_apart);
            match outcome {
                None => cuts += 1,
                Some(Outcome::Failed(Unfit::Changed)) => changed += 1,
                Some(Outcome::Runs) => break,
                other => panic!("seed {first}: {other:?}"),
            }
            assert!(number < 20, "seed {first}: the agent never ran");
        }
        assert_eq!(model.ran, [agent], "seed {first}");
        // What a shell has written into a file of its own is lost with its connection.
        let most = (1 + changed + apart + model.dropped) * size + cuts * CHUNK;
        assert!(
            model.sent <= most,
            "seed {first}: {} bytes of {size} were sent",
            model.sent
        );
    }
}
