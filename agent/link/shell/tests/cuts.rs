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
                self.part.extend(self.input.drain(..length));
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
                say("system Linux x86_64");
                say("end");
            } else if line.starts_with("a=") {
                say(&format!("have {}", self.part.len()));
            } else if let Some(length) = line.strip_prefix("take ") {
                self.awaited = length.trim_end_matches(";\n").parse().ok();
                self.sent += self.awaited.unwrap_or(0);
            } else if line.starts_with("q=") && self.part == self.agent {
                self.ran.push(std::mem::take(&mut self.part));
                say("run 5f0c /x");
            } else if line.starts_with("q=") {
                self.part.clear();
                say("sum");
            }
        }
    }

    /// One connection, in which the manager's bytes are cut after `cut` and changed at `wrong`. Returns how it ended.
    fn connect(&mut self, number: u32, cut: usize, wrong: usize) -> Option<Outcome> {
        let (mut shell, nonce) = (shell_with(&format!("n{number}")), format!("n{number}"));
        (self.input, self.awaited) = (Vec::new(), None);
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
        let (mut cuts, mut changed) = (0, 0);
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
            match model.connect(number, cut, wrong) {
                None => cuts += 1,
                Some(Outcome::Failed(Unfit::Changed)) => changed += 1,
                Some(Outcome::Runs) => break,
                other => panic!("seed {first}: {other:?}"),
            }
            assert!(number < 20, "seed {first}: the agent never ran");
        }
        assert_eq!(model.ran, [agent], "seed {first}");
        let most = (1 + changed) * size + cuts * CHUNK;
        assert!(
            model.sent <= most,
            "seed {first}: {} bytes of {size} were sent",
            model.sent
        );
    }
}
