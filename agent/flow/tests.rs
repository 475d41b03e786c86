//! Tests with two flow tables that are connected with each other, on virtual time.

use proptest::prelude::*;

use super::*;
use crate::wire::HEADER_LEN;

const LEFT: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 100);
const SERVICE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 42, 101), 8080);

/// A client's table on the left, a server's on the right, and the time.
struct Pair {
    now: Instant,
    left: Table,
    right: Table,
    /// Decides whether the packet with this number is lost. The packets of both directions are numbered together.
    lost: fn(usize) -> bool,
    packets: usize,
}

impl Pair {
    fn new() -> Self {
        Self {
            now: Instant::ZERO,
            left: Table::new(1, Capacity::default()),
            right: Table::new(2, Capacity::default()),
            lost: |_| false,
            packets: 0,
        }
    }

    /// Carries packets until both tables have nothing to send. A SYN to the right table begins a flow there, which is
    /// returned.
    fn exchange(&mut self) -> Option<FlowKey> {
        let mut accepted = None;
        loop {
            let mut out = BytesMut::new();
            let mut quiet = true;
            while self
                .left
                .poll_packet(self.now, Pick::Any, &mut out)
                .is_some()
            {
                quiet = false;
                let bytes = out.split();
                if self.arrives() {
                    let packet = Packet::parse(&bytes[crate::wire::HEADER_LEN..]).unwrap();
                    if !self.right.handle_packet(self.now, &packet) {
                        if packet.segment().flags.syn {
                            accepted = self
                                .right
                                .accept(self.now, Holder::Host(LEFT), Reach::Near, &packet)
                                .unwrap();
                        } else if let Some(reset) = packet.reset_reply() {
                            self.right.reply(&reset);
                        }
                    }
                }
            }
            while self
                .right
                .poll_packet(self.now, Pick::Any, &mut out)
                .is_some()
            {
                quiet = false;
                let bytes = out.split();
                if self.arrives() {
                    let packet = Packet::parse(&bytes[crate::wire::HEADER_LEN..]).unwrap();
                    if !self.left.handle_packet(self.now, &packet)
                        && let Some(reset) = packet.reset_reply()
                    {
                        self.left.reply(&reset);
                    }
                }
            }
            if quiet {
                return accepted;
            }
        }
    }

    fn arrives(&mut self) -> bool {
        self.packets += 1;
        !(self.lost)(self.packets)
    }

    /// Lets time pass until the next timer of either table, but at most for `limit`.
    fn sleep(&mut self, limit: Duration) {
        let timers = [self.left.poll_timeout(), self.right.poll_timeout()];
        let next = timers.into_iter().flatten().map(|(at, _)| at).min();
        let end = self.now + limit;
        self.now = next.map_or(end, |at| at.clamp(self.now, end));
        self.left.handle_timeout(self.now);
        self.right.handle_timeout(self.now);
    }

    /// An established flow: its key in the left table and in the right one.
    fn connected(&mut self) -> (FlowKey, FlowKey) {
        let left = self
            .left
            .connect(self.now, Holder::Owner, Reach::Near, (LEFT, SERVICE))
            .unwrap();
        let right = self.exchange().expect("the SYN arrived");
        assert!(!self.left.is_established(left), "nobody has dialled yet");
        self.right.admit(right);
        self.exchange();
        assert!(self.left.is_established(left) && self.right.is_established(right));
        (left, right)
    }
}

fn send(table: &mut Table, key: FlowKey, bytes: &[u8]) -> usize {
    table
        .send_with(key, |room| {
            let n = room.len().min(bytes.len());
            room[..n].copy_from_slice(&bytes[..n]);
            (n, n)
        })
        .unwrap_or(0)
}

fn receive(table: &mut Table, key: FlowKey) -> Receive<Vec<u8>> {
    table.receive_with(key, |bytes| (bytes.len(), bytes.to_vec()))
}

#[test]
fn the_handshake_waits_for_the_far_dial() {
    let mut pair = Pair::new();
    let left = pair
        .left
        .connect(pair.now, Holder::Owner, Reach::Near, (LEFT, SERVICE))
        .unwrap();
    let right = pair.exchange().unwrap();
    assert_eq!(pair.right.poll_timeout(), None, "a held SYN does not spin");
    for _ in 0..20 {
        pair.sleep(Duration::from_secs(1));
        assert_eq!(pair.exchange(), None, "a repeated SYN is the same flow");
    }
    assert!(!pair.left.is_established(left));
    pair.right.admit(right);
    pair.exchange();
    assert!(pair.left.is_established(left));
}

#[test]
fn a_refused_dial_is_a_reset_and_leaves_nothing_behind() {
    let mut pair = Pair::new();
    let left = pair
        .left
        .connect(pair.now, Holder::Owner, Reach::Near, (LEFT, SERVICE))
        .unwrap();
    let right = pair.exchange().unwrap();
    pair.right.abort(right);
    pair.right.release(right);
    pair.exchange();
    assert_eq!(receive(&mut pair.left, left), Receive::Reset);
    pair.left.release(left);
    pair.exchange();
    assert!(pair.left.is_empty() && pair.right.is_empty());
}

#[test]
fn each_direction_ends_on_its_own() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    send(&mut pair.left, left, b"question");
    pair.left.finish(left);
    pair.exchange();
    assert_eq!(
        receive(&mut pair.right, right),
        Receive::Data(b"question".to_vec())
    );
    assert_eq!(receive(&mut pair.right, right), Receive::Finished);
    assert_eq!(receive(&mut pair.left, left), Receive::Pending);
    send(&mut pair.right, right, b"answer");
    pair.exchange();
    assert_eq!(
        receive(&mut pair.left, left),
        Receive::Data(b"answer".to_vec())
    );
    pair.right.finish(right);
    pair.exchange();
    pair.sleep(Duration::from_millis(20));
    pair.exchange();
    assert_eq!(receive(&mut pair.left, left), Receive::Finished);
    pair.left.release(left);
    pair.right.release(right);
    pair.exchange();
    assert!(
        pair.left.is_empty() && pair.right.is_empty(),
        "no TIME-WAIT lingers"
    );
}

#[test]
fn the_end_of_a_half_closed_flow_arrives_with_its_last_bytes() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    pair.left.finish(left);
    pair.exchange();
    send(&mut pair.right, right, b"answer");
    pair.right.finish(right);
    pair.exchange();
    assert_eq!(
        receive(&mut pair.left, left),
        Receive::Data(b"answer".to_vec())
    );
    assert_eq!(receive(&mut pair.left, left), Receive::Finished);
    assert_eq!(pair.now, Instant::ZERO);
}

#[test]
fn a_reset_is_never_a_clean_end() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    send(&mut pair.left, left, b"half a mess");
    pair.left.abort(left);
    pair.exchange();
    while let Receive::Data(_) = receive(&mut pair.right, right) {}
    assert_eq!(receive(&mut pair.right, right), Receive::Reset);

    let (left, right) = pair.connected();
    pair.right.abort(right);
    pair.exchange();
    assert_eq!(receive(&mut pair.left, left), Receive::Reset);
}

#[test]
fn a_reset_after_our_own_end_is_a_reset_if_bytes_were_lost() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    pair.right.finish(right);
    pair.exchange();
    assert_eq!(receive(&mut pair.left, left), Receive::Finished);
    // The right side has finished. Everything that the left side sends from now on is lost.
    pair.lost = |_| true;
    send(&mut pair.left, left, b"late");
    pair.left.finish(left);
    pair.exchange();
    pair.lost = |_| false;
    pair.right.abort(right);
    pair.exchange();
    assert_eq!(receive(&mut pair.left, left), Receive::Reset);
}

#[test]
fn a_reset_after_the_peers_end_is_a_reset() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    pair.left.finish(left);
    pair.exchange();
    assert_eq!(receive(&mut pair.right, right), Receive::Finished);
    assert!(!pair.right.is_reset(right), "the answer may take its time");
    pair.left.abort(left);
    pair.exchange();
    assert_eq!(send(&mut pair.right, right, b"answer"), 0);
    assert!(pair.right.is_reset(right));
}

#[test]
fn a_caller_that_gives_up_while_the_far_end_dials_leaves_nothing_behind() {
    let mut pair = Pair::new();
    let left = pair
        .left
        .connect(pair.now, Holder::Owner, Reach::Near, (LEFT, SERVICE))
        .unwrap();
    let right = pair.exchange().unwrap();
    // The switch sends this reset for a host that is lost.
    let gone = crate::wire::packet::reset(left, syn_of(1).1.wrapping_add(1), None);
    let packet = Packet::parse(&gone).unwrap();
    assert!(pair.right.handle_packet(pair.now, &packet));
    pair.right.admit(right);
    assert!(pair.right.is_reset(right));
    pair.right.release(right);
    pair.exchange();
    assert!(pair.right.is_empty());
}

/// The SYN that a table with this seed sends first, and its sequence number.
fn syn_of(seed: u64) -> (Vec<u8>, u32) {
    let mut table = Table::new(seed, Capacity::default());
    table
        .connect(Instant::ZERO, Holder::Owner, Reach::Near, (LEFT, SERVICE))
        .unwrap();
    let mut out = BytesMut::new();
    table
        .poll_packet(Instant::ZERO, Pick::Any, &mut out)
        .unwrap();
    let bytes = out[HEADER_LEN..].to_vec();
    let seq = Packet::parse(&bytes).unwrap().segment().seq;
    (bytes, seq)
}

#[test]
fn a_syn_that_is_not_in_order_begins_nothing() {
    let (good, _) = syn_of(1);
    let mut table = Table::new(2, Capacity::default());
    let mut corrupt = good.clone();
    corrupt[20 + 16] ^= 0xff;
    let mut both = good.clone();
    both[20 + 13] |= 0x01;
    for bad in [corrupt, both] {
        let packet = Packet::parse(&bad).unwrap();
        assert_eq!(
            table.accept(Instant::ZERO, Holder::Owner, Reach::Near, &packet),
            Ok(None)
        );
        while table
            .poll_packet(Instant::ZERO, Pick::Any, &mut BytesMut::new())
            .is_some()
        {}
        assert!(table.is_empty());
    }
    let packet = Packet::parse(&good).unwrap();
    assert!(matches!(
        table.accept(Instant::ZERO, Holder::Owner, Reach::Near, &packet),
        Ok(Some(_))
    ));
}

#[test]
fn a_slow_reader_gets_everything_however_long_ago_the_end_was() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    pair.left.finish(left);
    pair.exchange();
    let answer = vec![3; 100_000];
    assert_eq!(send(&mut pair.right, right, &answer), answer.len());
    pair.right.finish(right);
    pair.exchange();
    let mut taken = 0;
    for _ in 0..100 {
        let got = pair
            .left
            .receive_with(left, |bytes| (bytes.len().min(1000), bytes.len().min(1000)));
        let Receive::Data(count) = got else {
            panic!("{got:?} after {taken} bytes");
        };
        taken += count;
        pair.sleep(Duration::from_secs(1));
        pair.now = pair.now + Duration::from_secs(1);
        pair.exchange();
    }
    assert_eq!(taken, answer.len());
    assert_eq!(receive(&mut pair.left, left), Receive::Finished);
}

#[test]
fn a_flow_has_one_timer_and_takes_it_along() {
    let mut pair = Pair::new();
    for _ in 0..500 {
        let (left, right) = pair.connected();
        pair.left.abort(left);
        pair.left.release(left);
        pair.right.release(right);
        pair.exchange();
    }
    for table in [&pair.left, &pair.right] {
        let armed = table
            .flows
            .iter()
            .filter_map(|(key, flow)| Some((flow.armed?, *key)));
        assert_eq!(armed.collect::<BTreeSet<_>>(), table.timers);
    }
}

#[test]
fn timers_that_expire_together_are_handled_in_turns() {
    let mut pair = Pair::new();
    let flows = 2 * TIMERS_IN_A_TURN;
    for _ in 0..flows {
        pair.connected();
    }
    let late = pair.now + Duration::from_hours(10);
    let armed = pair.left.timers.len();
    assert!(armed > TIMERS_IN_A_TURN, "only {armed} timers");
    pair.left.handle_timeout(late);
    assert_eq!(pair.left.timers.len(), armed - TIMERS_IN_A_TURN);
    assert!(pair.left.poll_timeout().is_some_and(|(at, _)| at <= late));
}

#[test]
fn a_reader_that_stops_stops_the_writer_and_only_for_as_long() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    let chunk = vec![7; 64 << 10];
    let mut sent = 0;
    loop {
        let n = send(&mut pair.left, left, &chunk);
        sent += n;
        pair.exchange();
        if n == 0 {
            break;
        }
    }
    assert!(
        sent < 4 << 20,
        "the writer is held back, after {sent} bytes"
    );
    // The window stays closed for a while, but probes keep the flow open.
    for _ in 0..200 {
        pair.sleep(Duration::from_secs(1));
        pair.exchange();
    }
    let mut received = 0;
    while received < sent {
        if let Receive::Data(bytes) = receive(&mut pair.right, right) {
            received += bytes.len();
        }
        pair.sleep(Duration::from_millis(100));
        pair.exchange();
    }
    assert_eq!(received, sent);
    assert!(send(&mut pair.left, left, &chunk) > 0);
}

#[test]
fn a_peer_that_vanished_is_noticed_within_two_minutes() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    pair.lost = |_| true;
    while pair.now < Instant::ZERO + Duration::from_mins(2) {
        pair.sleep(Duration::from_secs(1));
        pair.exchange();
    }
    assert_eq!(receive(&mut pair.left, left), Receive::Reset);
    assert_eq!(receive(&mut pair.right, right), Receive::Reset);
}

#[test]
fn an_idle_flow_lives_on() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    let before = pair.packets;
    while pair.now < Instant::ZERO + Duration::from_hours(1) {
        pair.sleep(Duration::from_mins(1));
        pair.exchange();
    }
    assert_eq!(receive(&mut pair.left, left), Receive::Pending);
    assert_eq!(receive(&mut pair.right, right), Receive::Pending);
    let chatter = pair.packets - before;
    assert!(chatter <= 4 * 3600 / 45, "{chatter} packets in an hour");
}

#[test]
fn a_flow_with_little_to_say_goes_before_one_with_much() {
    let mut pair = Pair::new();
    let (bulk, _) = pair.connected();
    let (sparse, _) = pair.connected();
    let chunk = vec![1; 64 << 10];
    while send(&mut pair.left, bulk, &chunk) > 0 {}
    let mut out = BytesMut::new();
    pair.left.poll_packet(pair.now, Pick::Any, &mut out);
    out.clear();
    send(&mut pair.left, sparse, b"k");
    pair.left.poll_packet(pair.now, Pick::Any, &mut out);
    let packet = Packet::parse(&out[crate::wire::HEADER_LEN..]).unwrap();
    assert_eq!(packet.key(), sparse);
}

#[test]
fn a_stack_is_used_again_and_remembers_nothing() {
    let mut pair = Pair::new();
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..20_u8 {
        let (left, right) = pair.connected();
        assert!(seen.insert(left), "each flow has a port of its own");
        send(&mut pair.left, left, &[round]);
        if round % 2 == 0 {
            pair.left.abort(left);
        } else {
            pair.left.finish(left);
        }
        pair.exchange();
        let got = receive(&mut pair.right, right);
        if round % 2 == 0 {
            while let Receive::Data(_) = receive(&mut pair.right, right) {}
            assert_eq!(receive(&mut pair.right, right), Receive::Reset);
        } else {
            assert_eq!(got, Receive::Data(vec![round]));
            assert_eq!(receive(&mut pair.right, right), Receive::Finished);
            pair.right.finish(right);
        }
        pair.exchange();
        pair.sleep(Duration::from_millis(20));
        pair.left.release(left);
        pair.right.release(right);
        pair.exchange();
        assert!(pair.left.is_empty() && pair.right.is_empty());
    }
}

#[test]
fn a_stack_that_panics_is_one_flow_that_is_reset_and_the_others_go_on() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    let (other_left, other_right) = pair.connected();
    send(&mut pair.right, right, b"what nobody can bear");
    pair.exchange();
    // This panic is caught in the same way as a panic of smoltcp.
    let taken = pair
        .left
        .receive_with(left, |_| -> (usize, ()) { panic!("injected") });
    assert_eq!(taken, Receive::Reset);
    pair.left.release(left);
    send(&mut pair.right, right, b"more");
    pair.exchange();
    assert_eq!(receive(&mut pair.right, right), Receive::Reset);
    send(&mut pair.left, other_left, b"well");
    pair.exchange();
    assert_eq!(
        receive(&mut pair.right, other_right),
        Receive::Data(b"well".to_vec())
    );
}

#[test]
fn the_table_is_bounded_and_says_so() {
    let capacity = Capacity {
        flows: 100,
        ..Capacity::default()
    };
    let mut table = Table::new(3, capacity);
    let mut begin = |holder| {
        table
            .connect(Instant::ZERO, holder, Reach::Near, (LEFT, SERVICE))
            .is_ok()
    };
    let guests = (0..200).filter(|_| begin(Holder::User(1001))).count();
    assert_eq!(guests, 80, "something is left for others");
    assert!(begin(Holder::User(1002)));
    let own = (0..200).filter(|_| begin(Holder::Owner)).count();
    assert_eq!(guests + 1 + own, 100, "the owner may have it all");
    let refused = table.connect(Instant::ZERO, Holder::Owner, Reach::Near, (LEFT, SERVICE));
    assert_eq!(refused, Err(TableFull));
}

#[test]
fn initial_sequence_numbers_differ() {
    let mut table = Table::new(4, Capacity::default());
    let mut seen = std::collections::BTreeSet::new();
    let mut out = BytesMut::new();
    for _ in 0..100 {
        table
            .connect(Instant::ZERO, Holder::Owner, Reach::Near, (LEFT, SERVICE))
            .unwrap();
        table.poll_packet(Instant::ZERO, Pick::Any, &mut out);
        let bytes = out.split();
        let packet = Packet::parse(&bytes[crate::wire::HEADER_LEN..]).unwrap();
        seen.insert(packet.segment().seq);
    }
    assert_eq!(seen.len(), 100);
}

#[test]
fn bytes_that_fit_into_an_announced_window_are_accepted() {
    // The window has a unit of 16 bytes, so each remainder gets its turn.
    for first in 1..=16 {
        fill_a_window(first);
    }
}

/// Sends `first` bytes, and then as many as the window takes.
#[track_caller]
fn fill_a_window(first: usize) {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    send(&mut pair.left, left, &vec![7; first]);
    let mut out = BytesMut::new();
    let mut carried = 0;
    loop {
        let mut segments = Vec::new();
        while pair
            .left
            .poll_packet(pair.now, Pick::Any, &mut out)
            .is_some()
        {
            segments.push(out.split().split_off(HEADER_LEN));
        }
        if segments.is_empty() {
            break;
        }
        // The reader's side acknowledges each segment, but the writer learns of it only after its last segment. Until
        // then, the writer relies on the oldest announcement.
        let mut answers = Vec::new();
        for bytes in segments {
            let packet = Packet::parse(&bytes).unwrap();
            carried += packet.segment().bytes();
            assert!(pair.right.handle_packet(pair.now, &packet));
            pair.now = pair.now + Duration::from_millis(10);
            pair.right.handle_timeout(pair.now);
            while pair
                .right
                .poll_packet(pair.now, Pick::Any, &mut out)
                .is_some()
            {
                answers.push(out.split().split_off(HEADER_LEN));
            }
        }
        for bytes in answers {
            let packet = Packet::parse(&bytes).unwrap();
            assert!(pair.left.handle_packet(pair.now, &packet));
        }
        send(&mut pair.left, left, &vec![7; WINDOW]);
    }
    assert!(carried > 500_000, "only {carried} bytes were sent");
    let mut received = 0;
    while let Receive::Data(bytes) = receive(&mut pair.right, right) {
        received += bytes.len();
    }
    assert_eq!(u32::try_from(received), Ok(carried), "after {first} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_goes_in_comes_out_whatever_is_lost(
        sizes in prop::collection::vec(1_usize..200_000, 1..6),
        every in prop::option::of(3_usize..40),
    ) {
        let mut pair = Pair::new();
        let (left, right) = pair.connected();
        pair.lost = match every {
            None => |_| false,
            Some(n) if n % 3 == 0 => |n| n % 7 == 0,
            Some(_) => |n| n % 13 == 5,
        };
        let wanted: Vec<u8> = sizes.iter().enumerate()
            .flat_map(|(i, &size)| (0..size).map(move |j| u8::try_from((i * 31 + j * 7) % 251).unwrap()))
            .collect();
        let (mut sent, mut got) = (0, Vec::new());
        let mut finished = false;
        let deadline = Instant::ZERO + Duration::from_mins(10);
        loop {
            sent += send(&mut pair.left, left, &wanted[sent..]);
            if sent == wanted.len() && !finished {
                finished = true;
                pair.left.finish(left);
            }
            pair.exchange();
            match receive(&mut pair.right, right) {
                Receive::Data(bytes) => got.extend(bytes),
                Receive::Finished => break,
                Receive::Pending => pair.sleep(Duration::from_secs(1)),
                Receive::Reset => prop_assert!(false, "reset after {} bytes", got.len()),
            }
            prop_assert!(pair.now < deadline, "stuck after {} bytes", got.len());
        }
        prop_assert!(got == wanted, "the bytes differ");
    }

    #[test]
    fn a_reader_that_takes_its_time_never_costs_a_retransmission(
        length in 400_000_usize..1_500_000,
        writes in prop::collection::vec(1_usize..200_000, 1..6),
        reads in prop::collection::vec(1_000_usize..600_000, 1..6),
        half_closed in any::<bool>(),
    ) {
        let mut pair = Pair::new();
        let (left, right) = pair.connected();
        if half_closed {
            pair.right.finish(right);
            pair.exchange();
        }
        let wanted: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let (mut sent, mut got, mut finished) = (0, Vec::new(), false);
        for turn in 0.. {
            // The reader comes only when the writer cannot go on, so the window closes again and again.
            loop {
                let end = wanted.len().min(sent + writes[turn % writes.len()]);
                let count = send(&mut pair.left, left, &wanted[sent..end]);
                sent += count;
                pair.exchange();
                if count == 0 {
                    break;
                }
            }
            if sent == wanted.len() && !finished {
                finished = true;
                pair.left.finish(left);
                pair.exchange();
            }
            let most = reads[turn % reads.len()];
            match pair.right.receive_with(right, |bytes| {
                let bytes = &bytes[..bytes.len().min(most)];
                (bytes.len(), bytes.to_vec())
            }) {
                Receive::Data(bytes) => got.extend(bytes),
                Receive::Finished => break,
                // Only the acknowledgment of a few bytes may be late (RFC 9293 section 3.8.6.3).
                Receive::Pending => pair.sleep(Duration::from_millis(10)),
                Receive::Reset => prop_assert!(false, "reset after {} bytes", got.len()),
            }
            let waited = pair.now.since(Instant::ZERO);
            prop_assert!(waited < Duration::from_millis(200), "stuck after {} bytes", got.len());
        }
        prop_assert!(got == wanted, "{} of {} bytes came out", got.len(), wanted.len());
    }
}

#[test]
fn a_flood_of_segments_is_not_answered_by_a_flood() {
    let mut pair = Pair::new();
    let (left, right) = pair.connected();
    // The first packet is delivered last, so all others arrive out of order.
    let mut packets = Vec::new();
    for _ in 0..50 {
        send(&mut pair.left, left, b"a little");
        let mut out = BytesMut::new();
        assert!(
            pair.left
                .poll_packet(pair.now, Pick::Any, &mut out)
                .is_some()
        );
        packets.push(out.split_off(HEADER_LEN));
    }
    let take = |pair: &mut Pair, bytes: &[u8]| {
        let packet = Packet::parse(bytes).unwrap();
        assert!(pair.right.handle_packet(pair.now, &packet));
    };
    for bytes in &packets[1..] {
        take(&mut pair, bytes);
    }
    let answers = |pair: &mut Pair| {
        let mut acks = Vec::new();
        let mut out = BytesMut::new();
        while pair
            .right
            .poll_packet(pair.now, Pick::Any, &mut out)
            .is_some()
        {
            let bytes = out.split();
            acks.push(Packet::parse(&bytes[HEADER_LEN..]).unwrap().segment().ack);
        }
        acks
    };
    let early = answers(&mut pair);
    assert_eq!(early.len(), ANSWERS_MAX);
    // When the first packet arrives, no data is missing any more, and the answer acknowledges all of it.
    for bytes in &packets[1..] {
        take(&mut pair, bytes);
    }
    take(&mut pair, &packets[0]);
    let last = answers(&mut pair).pop().unwrap();
    assert_eq!(last.wrapping_sub(early[0]), 50 * 8);
    assert_eq!(
        receive(&mut pair.right, right),
        Receive::Data(b"a little".repeat(50))
    );
}

#[test]
fn only_some_flows_to_far_hosts_have_the_largest_buffers() {
    let mut table = Table::new(6, Capacity::default());
    let mut windows = Vec::new();
    let begin = |table: &mut Table| {
        let addresses = (LEFT, SERVICE);
        let flow = table.connect(Instant::ZERO, Holder::Owner, Reach::Far, addresses);
        flow.unwrap()
    };
    for _ in 0..20 {
        let flow = begin(&mut table);
        windows.push(table.flows[&flow].stack.window());
    }
    let large = windows.iter().filter(|window| **window == FAR_WINDOW);
    assert_eq!(large.count(), 16);
    assert_eq!(windows[16..], [WINDOW; 4]);
    let first = *table.flows.keys().next().unwrap();
    table.abort(first);
    table.release(first);
    while table
        .poll_packet(Instant::ZERO, Pick::Any, &mut BytesMut::new())
        .is_some()
    {}
    let flow = begin(&mut table);
    assert_eq!(table.flows[&flow].stack.window(), FAR_WINDOW);
}
