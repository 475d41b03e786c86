//! Tests of the SOCKS handshakes.

use proptest::prelude::*;

use super::*;

/// Passes bytes to a handshake in pieces. Returns its last step, all bytes that are sent to the client, and the input
/// bytes that are left.
fn talk(credentials: Option<&Credentials>, bytes: &[u8], piece: usize) -> (Step, Vec<u8>, Vec<u8>) {
    let mut handshake = Handshake::new(credentials);
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    let mut step = Step::More;
    for piece in bytes.chunks(piece) {
        input.extend_from_slice(piece);
        if step == Step::More {
            step = handshake.handle(&mut input, &mut output);
        }
    }
    (step, output.to_vec(), input.to_vec())
}

/// Returns the destination, the bytes that are sent to the client, and the input bytes that are left.
fn connect(bytes: &[u8]) -> (String, Vec<u8>, Vec<u8>) {
    let (step, output, rest) = talk(None, bytes, usize::MAX);
    let Step::Request(request) = step else {
        panic!("{step:?}")
    };
    (request.destination().to_string(), output, rest)
}

/// Returns the last answer to a client, and the reason.
fn over(credentials: Option<&Credentials>, bytes: &[u8]) -> (Vec<u8>, String) {
    let (step, output, _) = talk(credentials, bytes, usize::MAX);
    let Step::Over(why) = step else {
        panic!("{step:?}")
    };
    (output, why)
}

fn request(bytes: &[u8]) -> Request {
    let (Step::Request(request), ..) = talk(None, bytes, usize::MAX) else {
        panic!("no request")
    };
    request
}

fn users() -> Credentials {
    Credentials::parse("ann:secret").unwrap()
}

const FIVE: &[u8] = b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x50";
const FOUR: &[u8] = b"\x04\x01\x00\x50\x0a\x00\x00\x01ann\0";

#[test]
fn a_client_of_socks_5_names_its_destination_in_three_ways() {
    assert_eq!(connect(FIVE), ("10.0.0.1:80".into(), vec![5, 0], vec![]));
    let name = b"\x05\x02\x02\x00\x05\x01\x00\x03\x03Web\x1f\x90early";
    assert_eq!(
        connect(name),
        ("web:8080".into(), vec![5, 0], b"early".to_vec())
    );
    let six = b"\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb";
    assert_eq!(connect(six).0, "[2001:db8::1]:443");
    let mapped = b"\x05\x01\x00\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01\x01\xbb";
    assert_eq!(connect(mapped).0, "10.0.0.1:443");
    let literal = b"\x05\x01\x00\x05\x01\x00\x03\x0810.0.0.1\x00\x50";
    assert_eq!(connect(literal).0, "10.0.0.1:80");
}

#[test]
fn a_client_of_socks_4_names_an_address_or_since_4a_a_name() {
    assert_eq!(connect(FOUR), ("10.0.0.1:80".into(), vec![], vec![]));
    let name = b"\x04\x01\x00\x50\0\0\0\x01\0web.example\0early";
    assert_eq!(
        connect(name),
        ("web.example:80".into(), vec![], b"early".to_vec())
    );
}

#[test]
fn every_cause_has_its_code() {
    let (four, five) = (request(FOUR), request(FIVE));
    for (cause, code) in [
        (Cause::NotAllowed, 2),
        (Cause::NameNotFound, 4),
        (Cause::HostDown, 4),
        (Cause::Unreachable, 4),
        (Cause::Refused, 5),
        (Cause::TimedOut, 6),
        (Cause::Other, 1),
    ] {
        assert_eq!(five.refused(cause), &[5, code, 0, 1, 0, 0, 0, 0, 0, 0][..]);
        assert_eq!(four.refused(cause), &[0, 0x5b, 0, 0, 0, 0, 0, 0][..]);
    }
    let bound = "10.0.0.9:258".parse().unwrap();
    assert_eq!(five.accepted(bound), &[5, 0, 0, 1, 10, 0, 0, 9, 1, 2][..]);
    assert_eq!(four.accepted(bound), &[0, 0x5a, 1, 2, 10, 0, 0, 9][..]);
    let bound = "[::1]:258".parse().unwrap();
    let six = [&[5, 0, 0, 4][..], &[0; 15], &[1, 1, 2]].concat();
    assert_eq!(five.accepted(bound), &six[..]);
    assert_eq!(four.accepted(bound), &[0, 0x5a, 0, 0, 0, 0, 0, 0][..]);
}

#[test]
fn other_commands_and_kinds_of_addresses_are_refused_by_their_codes() {
    for command in [0, 2, 3, 9] {
        let bytes = [5, 1, 0, 5, command, 0, 1, 10, 0, 0, 1, 0, 80];
        assert_eq!(over(None, &bytes).0, [5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    let bytes = [5, 1, 0, 5, 1, 0, 2];
    assert_eq!(over(None, &bytes).0, [5, 0, 5, 8, 0, 1, 0, 0, 0, 0, 0, 0]);
    let bind = b"\x04\x02\x00\x50\x0a\x00\x00\x01\0";
    assert_eq!(over(None, bind).0, [0, 0x5b, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn what_is_no_host_or_port_is_refused() {
    for (bytes, code) in [
        (&b"\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50"[..], 1),
        (b"\x05\x01\x00\x05\x01\x00\x03\x03a b\x00\x50", 1),
        (b"\x05\x01\x00\x05\x01\x00\x03\x02\xff\xfe\x00\x50", 1),
        (b"\x05\x01\x00\x05\x01\x00\x03\x05127.1\x00\x50", 1),
        (b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x00", 1),
        (b"\x05\x01\x00\x05\x01\x07\x01", 1),
        (b"\x05\x01\x00\x04\x01\x00\x01", 1),
    ] {
        assert_eq!(
            over(None, bytes).0,
            [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0],
            "{bytes:?}"
        );
    }
    let long = [&b"\x04\x01\x00\x50\x0a\x00\x00\x01"[..], &[b'x'; 256]].concat();
    assert_eq!(over(None, &long).0, [0, 0x5b, 0, 0, 0, 0, 0, 0]);
    let long = [&b"\x04\x01\x00\x50\0\0\0\x01\0"[..], &[b'x'; 256]].concat();
    assert_eq!(over(None, &long).0, [0, 0x5b, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_user_is_let_in_with_the_right_password_only() {
    let users = users();
    let ask = |pair: &[u8]| [&b"\x05\x02\x00\x02"[..], pair, &FIVE[3..]].concat();
    let (step, output, _) = talk(Some(&users), &ask(b"\x01\x03ann\x06secret"), usize::MAX);
    assert!(matches!(step, Step::Request(_)));
    assert_eq!(output, [5, 2, 1, 0]);
    for pair in [
        &b"\x01\x03ann\x06Secret"[..],
        b"\x01\x03bob\x06secret",
        b"\x01\x00\x00",
        b"\x02\x00",
    ] {
        assert_eq!(over(Some(&users), &ask(pair)).0, [5, 2, 1, 1]);
    }
    assert_eq!(over(Some(&users), FIVE).0, [5, 0xff]);
    assert_eq!(over(Some(&users), FOUR).0, [0, 0x5b, 0, 0, 0, 0, 0, 0]);
    assert_eq!(over(None, b"\x05\x01\x01").0, [5, 0xff]);
    // A client that is not asked for a user and a password may send them nevertheless.
    let (step, output, _) = talk(
        None,
        &[&b"\x05\x01\x02\x01\x03bob\x01x"[..], &FIVE[3..]].concat(),
        usize::MAX,
    );
    assert!(matches!(step, Step::Request(_)));
    assert_eq!(output, [5, 2, 1, 0]);
    assert_eq!(over(None, b"\x05\x00").0, [5, 0xff]);
}

#[test]
fn no_password_is_judged_that_was_not_announced() {
    let users = users();
    let said = b"\x05\x02\x00\x02\x01\x03ann\x06Secret";
    for piece in 1..=said.len() {
        let mut handshake = Handshake::new(Some(&users));
        let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
        let mut announced = false;
        for part in said.chunks(piece) {
            input.extend_from_slice(part);
            announced = handshake.may_judge(&input);
            handshake.handle(&mut input, &mut output);
        }
        assert!(handshake.was_wrong() && announced, "in pieces of {piece}");
    }
    assert!(!Handshake::new(Some(&users)).may_judge(b"\x05\x02\x00\x02"));
    assert!(!Handshake::new(None).may_judge(said));
}

#[test]
fn who_speaks_another_protocol_is_told_or_at_least_logged() {
    assert!(speaks_http(b"GET / HTTP/1.1\r\n\r\n") && speaks_http(b"connect"));
    assert!(!speaks_http(b"\x05\x01\x00") && !speaks_http(b"\x04") && !speaks_http(b""));
    let (words, why) = over(None, b"\x16\x03\x01");
    assert_eq!(
        (words.len(), why.as_str()),
        (0, "the client speaks TLS to the SOCKS proxy")
    );
    let (words, why) = over(None, b"\x00");
    assert_eq!(
        (words.len(), why.as_str()),
        (0, "the client does not speak SOCKS: its first byte is 0x00")
    );
}

#[test]
fn a_handshake_that_is_over_stays_over() {
    let mut handshake = Handshake::new(None);
    let mut output = BytesMut::new();
    let step = handshake.handle(&mut BytesMut::from(FIVE), &mut output);
    assert!(matches!(step, Step::Request(_)));
    let step = handshake.handle(&mut BytesMut::from(FIVE), &mut output);
    assert!(matches!(step, Step::Over(_)));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_steps(
        start in prop::sample::select(vec![
            FIVE.to_vec(),
            FOUR.to_vec(),
            b"\x04\x01\x00\x50\0\0\0\x01me\0web.example\0".to_vec(),
            b"\x05\x01\x00\x05\x01\x00\x03\x03web\x1f\x90".to_vec(),
            b"\x05\x01\x02\x01\x03ann\x06secret\x05\x01\x00\x03\x03web\x1f\x90".to_vec(),
            b"\x05".to_vec(),
            vec![],
        ]),
        change in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        more in prop::collection::vec(any::<u8>(), 0..600),
        secured in any::<bool>(),
        piece in 1_usize..300,
    ) {
        let mut bytes = start;
        bytes.extend(more);
        if let Some((at, byte)) = change && !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let users = users();
        let credentials = secured.then_some(&users);
        let whole = talk(credentials, &bytes, usize::MAX);
        let cut = talk(credentials, &bytes, piece);
        let is_over = matches!(whole.0, Step::Over(_));
        prop_assert_eq!((&whole.0, &whole.1), (&cut.0, &cut.1));
        prop_assert!(is_over || whole.2 == cut.2, "it took a byte too many");
    }
}
