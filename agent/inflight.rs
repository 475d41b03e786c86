//! Limits how many bytes are under way on a link, so that they do not pile up in pipes, in ssh and in the buffers of
//! routers, where nothing can overtake them.
//!
//! Both ends of a link do this for what they send. The sender marks places in its stream, and the other end says when
//! it has come to one. From that the sender knows how much is under way, how fast the link is, and how long a round
//! trip takes. If round trips take longer because of a queue, the sender lets less be under way; if they do not, it
//! lets more. Everything else waits at the sender, where sparse flows go first.

use std::{collections::VecDeque, time::Duration};

use crate::time::Instant;

/// The limit at the beginning, in bytes.
const START: u64 = 256 << 10;

/// The lowest limit, in bytes: two frames to a host that is far away.
const LEAST: u64 = 32 << 10;

/// The highest limit, in bytes. A link of 1 Gbit/s with a round trip of 100 ms needs a little less.
const MOST: u64 = 16 << 20;

/// The number of marks among as many bytes as the limit allows.
const MARKS_IN_LIMIT: u64 = 8;

/// The same on a link with short round trips. There, marks come often, and cost time of the processor.
const MARKS_NEARBY: u64 = 2;

/// The round trips of such a link take less than this.
const NEAR_MAX: Duration = Duration::from_millis(1);

/// Round trips that take at least this time are long: longer than on this machine and in a building.
const FAR_MIN: Duration = Duration::from_millis(3);

/// The time for which bytes may wait in queues on their way. A reader that has to wait for its turn on the processor
/// also causes such waits, and a lower value would slow down fast links on a busy machine.
const QUEUE: Duration = Duration::from_millis(5);

/// The number of rounds in which the speed of the line is measured.
const ROUNDS: usize = 6;

/// If the limit was lowered this many times in a row, and only the rate has become lower but not the time of round trips,
/// then the queue is somebody else's. A sender that waits for it to go away gets none of the line.
const IN_VAIN: u32 = 8;

/// The time after which an old shortest round trip no longer counts, because the way may have changed.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// How many bytes are under way on one direction of a link, and how many may be.
#[derive(Debug)]
pub struct Inflight {
    /// The number of bytes that were sent so far.
    sent: u64,
    /// The number of bytes of which the other end has said that they have arrived.
    arrived: u64,
    /// The time at which the other end said so.
    arrived_at: Instant,
    /// The number of bytes before the last mark.
    marked: u64,
    /// The marks that the other end has not come to yet, the oldest first.
    marks: VecDeque<Mark>,
    limit: u64,
    /// The shortest round trip: the time that the way takes if nothing waits.
    shortest: Shortest,
    round: Round,
    /// Whether round trips take long.
    is_far: bool,
    /// Whether the link is so new that its speed is not known at all.
    is_new: bool,
    /// The bytes per second of the last rounds. The line is as fast as in the fastest one. In the others, the sender had less
    /// to send, or something else took the time.
    rates: [u64; ROUNDS],
    /// The rounds in a row after which the limit was lowered.
    lowered: Lowered,
    /// Until when the queue of somebody else is tolerated, and how long round trips take with it.
    tolerated: Option<(Instant, Duration)>,
}

/// A place in the stream.
#[derive(Clone, Copy, Debug)]
struct Mark {
    number: u64,
    /// The number of bytes before the mark.
    place: u64,
    sent_at: Instant,
    /// The number of bytes that had arrived when the mark was sent, and since when that was known.
    arrived: u64,
    arrived_at: Instant,
}

/// What was seen since the limit was last judged. It takes a round trip or a little longer.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// The number of bytes before the first mark that belongs to the next round.
    end: u64,
    shortest: Option<Duration>,
    /// Bytes per second.
    rate: u64,
    /// Whether the limit was reached.
    was_full: bool,
    /// The largest frame, in bytes.
    frame: u64,
    /// The most that was under way, in bytes.
    most: u64,
}

/// Rounds in a row after which the limit was lowered.
#[derive(Clone, Copy, Debug, Default)]
struct Lowered {
    rounds: u32,
    /// The shortest round trip of the first of them.
    took: Duration,
    /// The bytes per second of the first of them.
    rate: u64,
    /// The limit before the first of them.
    limit: u64,
}

/// The shortest round trip of the last 10 to 20 s.
#[derive(Debug, Default)]
struct Shortest {
    since: Instant,
    newest: Option<Duration>,
    before: Option<Duration>,
}

impl Shortest {
    /// Notes a round trip. Returns whether an old one was forgotten.
    fn note(&mut self, now: Instant, took: Duration) -> bool {
        if now - self.since >= FORGOTTEN_AFTER {
            self.since = now;
            self.before = self.newest.replace(took);
            return true;
        }
        self.newest = Some(self.newest.map_or(took, |least| least.min(took)));
        false
    }

    fn get(&self) -> Option<Duration> {
        self.newest.into_iter().chain(self.before).min()
    }
}

impl Default for Inflight {
    fn default() -> Self {
        Self {
            sent: 0,
            arrived: 0,
            arrived_at: Instant::ZERO,
            marked: 0,
            marks: VecDeque::new(),
            limit: START,
            shortest: Shortest::default(),
            round: Round::default(),
            is_far: false,
            is_new: true,
            rates: [0; ROUNDS],
            lowered: Lowered::default(),
            tolerated: None,
        }
    }
}

impl Inflight {
    /// Whether nothing more may be sent now, except marks and urgent messages.
    pub fn is_full(&self) -> bool {
        self.sent - self.arrived >= self.limit
    }

    /// Notes that a frame of this many bytes was sent.
    pub fn note_sent(&mut self, now: Instant, bytes: usize) {
        if self.sent == self.arrived {
            // The time in which nothing was under way says nothing about the speed of the line.
            self.arrived_at = now;
        }
        let bytes = bytes as u64;
        self.sent += bytes;
        self.round.frame = self.round.frame.max(bytes);
        self.round.most = self.round.most.max(self.sent - self.arrived);
        self.round.was_full |= self.is_full();
    }

    /// Whether something is under way of which no mark will say that it has arrived.
    pub fn has_unmarked(&self) -> bool {
        self.sent > self.marked && self.marks.is_empty()
    }

    /// Whether nothing more may be sent, and a mark has to be sent before that changes.
    pub fn needs_mark(&self) -> bool {
        self.is_full() && self.marks.is_empty()
    }

    /// Whether the next thing to send is a mark. `has_more` says whether packets are to follow it.
    ///
    /// A mark goes before the last packet of a burst and not behind it: the answer also carries the acknowledgment of the
    /// underlying connection. Without it, a TCP with Nagle's algorithm (RFC 9293 section 3.7.4) between the two ends, such
    /// as that of a bastion, would hold back the end of the burst until a delayed acknowledgment comes.
    pub fn wants_mark(&self, has_more: bool) -> bool {
        let is_near = self
            .shortest
            .get()
            .is_some_and(|shortest| shortest < NEAR_MAX);
        let marks = if is_near {
            MARKS_NEARBY
        } else {
            MARKS_IN_LIMIT
        };
        let is_due = self.sent - self.marked >= self.limit / marks;
        is_due && (has_more || self.marks.is_empty())
    }

    /// Notes that a mark was sent. Each mark has a higher number than the one before.
    pub fn mark(&mut self, now: Instant, number: u64) {
        self.marked = self.sent;
        self.marks.push_back(Mark {
            number,
            place: self.sent,
            sent_at: now,
            arrived: self.arrived,
            arrived_at: self.arrived_at,
        });
    }

    /// Notes that the other end has come to this mark. Returns whether the sender has to go on: more may be sent than
    /// before, or another mark is needed because the limit is lower now.
    pub fn handle_mark(&mut self, now: Instant, number: u64) -> bool {
        let was_full = self.is_full();
        while let Some(&mark) = self.marks.front().filter(|mark| mark.number <= number) {
            self.marks.pop_front();
            self.arrived = self.arrived.max(mark.place);
            self.arrived_at = now;
            self.measure(now, mark);
        }
        was_full && (!self.is_full() || self.needs_mark())
    }

    /// Whether round trips take long.
    pub fn is_far(&self) -> bool {
        self.is_far
    }

    /// Decides again whether round trips take long. Returns whether that has changed.
    pub fn look_how_far(&mut self) -> bool {
        // A queue of our own does not make the way longer.
        if !self.is_far && self.sent - self.arrived > LEAST {
            return false;
        }
        let least = if self.is_far { FAR_MIN / 2 } else { FAR_MIN };
        let shortest = self.shortest.get();
        let is_far = shortest.is_some_and(|shortest| shortest >= least);
        is_far != std::mem::replace(&mut self.is_far, is_far)
    }

    fn measure(&mut self, now: Instant, mark: Mark) {
        let took = now - mark.sent_at;
        let is_stale = self.shortest.note(now, took);
        let micros = (now - mark.arrived_at).as_micros().max(1);
        let bytes = u128::from(mark.place - mark.arrived);
        let rate = u64::try_from(bytes * 1_000_000 / micros).unwrap_or(u64::MAX);
        let round = &mut self.round;
        round.rate = round.rate.max(rate);
        round.shortest = Some(round.shortest.map_or(took, |least| least.min(took)));
        // While the link is always full, a queue may hide how short the way is, so now and then there is a gap.
        if is_stale && round.was_full {
            self.limit = (self.limit / 2).max(LEAST);
        }
        if mark.place >= round.end {
            let round = std::mem::take(round);
            self.round.end = self.sent;
            self.judge(now, round);
        }
    }

    /// Changes the limit after a round.
    fn judge(&mut self, now: Instant, round: Round) {
        let (Some(shortest), Some(took)) = (self.shortest.get(), round.shortest) else {
            return;
        };
        self.rates.rotate_right(1);
        self.rates[0] = round.rate;
        let rate = self.rates.into_iter().max().unwrap_or_default();
        self.tolerated = self.tolerated.filter(|(until, _)| now < *until);
        let usual = (self.tolerated).map_or(shortest, |(_, took)| took.max(shortest));
        // While the limit is lowered, rates are lower than the line's.
        let frame_takes = time_for(round.frame, rate.max(self.lowered.rate));
        if took <= usual + usual / 8 + QUEUE + frame_takes {
            self.lowered = Lowered::default();
            if round.was_full {
                let part = if self.is_new { 1 } else { 8 };
                self.limit = (self.limit + self.limit / part).min(MOST);
            }
            return;
        }
        // This is a little less than what fits on the way, so that the queue becomes empty, and the next round shows how
        // long the way is. The other end says only at marks what has arrived, so a part of that is not known here.
        let fits = bytes_in((usual / 10 * 9).max(QUEUE), rate);
        let fits = (fits + fits / MARKS_IN_LIMIT + round.frame).max(LEAST);
        // So little was under way that there cannot have been a queue of it.
        if round.most <= fits / 2 {
            return;
        }
        // The line can do more, so it is not a full line that took the time, but something else, such as an acknowledgment
        // that was delayed.
        if round.rate < rate / 2 && self.lowered.rounds == 0 {
            return;
        }
        self.is_new = false;
        if self.lowered.rounds == 0 {
            self.lowered = Lowered {
                rounds: 0,
                took,
                rate: round.rate,
                limit: self.limit,
            };
        }
        self.lowered.rounds += 1;
        self.limit = self.limit.min(fits);
        let before = self.lowered;
        let is_no_shorter = took > before.took / 4 * 3 && round.rate < before.rate / 4 * 3;
        if before.rounds > IN_VAIN && is_no_shorter {
            self.limit = before.limit;
            self.lowered = Lowered::default();
            self.tolerated = Some((now + FORGOTTEN_AFTER, took));
        }
    }
}

/// The time for this many bytes at this many bytes per second.
fn time_for(bytes: u64, rate: u64) -> Duration {
    Duration::from_micros(bytes.saturating_mul(1_000_000) / rate.max(1))
}

/// The number of bytes that this time is enough for at this many bytes per second.
fn bytes_in(time: Duration, rate: u64) -> u64 {
    let bytes = time.as_micros() * u128::from(rate) / 1_000_000;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 16 << 10;

    /// A link, with a sender that always has more to send.
    struct Line {
        inflight: Inflight,
        now: Instant,
        /// Bytes per second.
        rate: u64,
        /// The round trip if nothing waits.
        way: Duration,
        /// The time for which everything waits in a queue that others have filled.
        others: Duration,
        /// The time by which every hundredth answer is late, with all those after it.
        hiccup: Duration,
        /// The time until which the line is busy with what was sent.
        busy_until: Instant,
        /// Marks that will be answered: when, and their numbers.
        answers: VecDeque<(Instant, u64)>,
        number: u64,
    }

    impl Line {
        fn new(rate: u64, way: Duration) -> Self {
            let mut inflight = Inflight::default();
            // A heartbeat shows how long the way is.
            inflight.mark(Instant::ZERO, 0);
            inflight.handle_mark(Instant::ZERO + way, 0);
            Self {
                inflight,
                // The first packet comes long after the heartbeat.
                now: Instant::from_micros(100_000_000),
                rate,
                way,
                others: Duration::ZERO,
                hiccup: Duration::ZERO,
                busy_until: Instant::ZERO,
                answers: VecDeque::new(),
                number: 0,
            }
        }

        fn put(&mut self, bytes: usize) {
            let takes = Duration::from_micros(bytes as u64 * 1_000_000 / self.rate);
            self.busy_until = self.busy_until.max(self.now) + takes;
        }

        fn mark(&mut self) {
            self.number += 1;
            self.inflight.mark(self.now, self.number);
            if self.number.is_multiple_of(100) {
                self.busy_until = self.busy_until + self.hiccup;
            }
            let at = self.busy_until.max(self.now) + self.way + self.others;
            self.answers.push_back((at, self.number));
        }

        /// Lets time pass. Returns how many percent of the line were used, and the longest round trip of its last quarter.
        fn run(&mut self, time: Duration) -> (u64, Duration) {
            let (begin, end) = (self.now, self.now + time);
            let late = self.now + time * 3 / 4;
            let (mut sent, mut longest, mut goes_on) = (0, Duration::ZERO, true);
            while self.now < end {
                // A sender that waits is woken only by what it is told.
                while goes_on {
                    goes_on = !self.inflight.is_full();
                    if self.inflight.wants_mark(goes_on) {
                        self.mark();
                    }
                    if !goes_on {
                        break;
                    }
                    self.put(FRAME);
                    self.inflight.note_sent(self.now, FRAME);
                    sent += FRAME;
                    if self.now >= late {
                        longest = longest.max(self.busy_until + self.way - self.now);
                    }
                }
                let (at, number) = self.answers.pop_front().unwrap();
                self.now = self.now.max(at);
                goes_on = self.inflight.handle_mark(self.now, number);
            }
            let could = bytes_in(self.now - begin, self.rate);
            let percent = u64::try_from(sent).unwrap() * 100 / could;
            (percent, longest)
        }
    }

    const SECONDS: Duration = Duration::from_secs(30);

    #[test]
    fn a_slow_line_is_full_and_has_a_short_queue() {
        for (mbit, way) in [
            (1, 50),
            (5, 20),
            (20, 20),
            (20, 100),
            (10, 200),
            (100, 10),
            (500, 50),
        ] {
            let mut line = Line::new(mbit * 125_000, Duration::from_millis(way));
            let (used, longest) = line.run(SECONDS);
            let frame = time_for(FRAME as u64, line.rate);
            let most = line.way * 3 / 2 + 2 * QUEUE + 4 * frame;
            assert!(
                longest < most,
                "{mbit} Mbit/s, {way} ms: {longest:?} of {most:?}"
            );
            assert!(used > 92, "{mbit} Mbit/s, {way} ms: {used}");
        }
    }

    #[test]
    fn a_line_that_changes_is_used_as_it_is_then() {
        let mut line = Line::new(2_500_000, Duration::from_millis(20));
        line.run(SECONDS);
        for (rate, way, most) in [
            (250_000, 20, 300),
            (10_000_000, 20, 40),
            (10_000_000, 100, 180),
        ] {
            (line.rate, line.way) = (rate, Duration::from_millis(way));
            line.run(SECONDS);
            let (used, longest) = line.run(SECONDS);
            assert!(used > 90, "{rate}, {way}: {used}");
            assert!(
                longest < Duration::from_millis(most),
                "{rate}, {way}: {longest:?}"
            );
        }
    }

    #[test]
    fn a_queue_of_somebody_else_does_not_take_the_line_away() {
        let mut line = Line::new(2_500_000, Duration::from_millis(20));
        line.run(SECONDS);
        line.others = Duration::from_millis(150);
        line.run(Duration::from_secs(3));
        let (used, _) = line.run(SECONDS);
        assert!(used > 80, "{used}");
        line.others = Duration::ZERO;
        line.run(SECONDS);
        let (used, longest) = line.run(SECONDS);
        assert!(
            used > 90 && longest < Duration::from_millis(60),
            "{used}, {longest:?}"
        );
    }

    #[test]
    fn a_fast_link_is_not_held_up_by_readers_that_wait_for_the_processor() {
        let mut line = Line::new(1 << 30, Duration::from_micros(60));
        line.hiccup = Duration::from_millis(12);
        let (used, _) = line.run(Duration::from_secs(5));
        assert!(used > 80, "{used}");
    }
}
