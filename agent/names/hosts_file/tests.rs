//! Tests that add, remove and damage blocks.

use proptest::prelude::*;

use super::*;

const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 101);
const NAMELESS: [&str; 2] = ["# <Added-by-NoRouter>", "# </Added-by-NoRouter>"];

fn zone() -> Zone {
    Zone::new([("web", WEB), ("www.test", WEB)])
}

fn owner(host: &str, process: u8) -> Owner {
    Owner {
        host: host.to_owned(),
        vip: WEB,
        process: process.to_string(),
    }
}

fn me() -> Owner {
    owner("web", 1)
}

fn lives(_: &Owner) -> bool {
    false
}

fn put_mine(bytes: &[u8]) -> Vec<u8> {
    put(bytes, &zone(), &me(), lives).unwrap().bytes
}

fn remove_mine(bytes: &[u8]) -> Vec<u8> {
    remove(bytes, &me(), lives).unwrap()
}

#[test]
fn the_block_stands_at_the_end_and_is_replaced_when_it_is_put_again() {
    let text = "127.0.0.1 localhost\n";
    let with = "127.0.0.1 localhost\n# <Added-by-NoRouter web 127.0.42.101 1>\n127.0.42.101 web\n127.0.42.101 www.test\n\
                # </Added-by-NoRouter web 127.0.42.101 1>\n";
    for before in [text, with] {
        let put = put_mine(before.as_bytes());
        assert_eq!(String::from_utf8(put).unwrap(), with);
    }
    let lines = entries(with.as_bytes()).unwrap().unwrap();
    assert_eq!(lines, ["127.0.42.101 web", "127.0.42.101 www.test"]);
    assert_eq!(entries(text.as_bytes()).unwrap(), None);
}

#[test]
fn a_block_that_is_right_stays_where_it_is() {
    let before = [&put_mine(b"10.0.0.1 a")[..], b"10.0.0.2 www.test\n"].concat();
    let moved = put(&before, &zone(), &me(), lives).unwrap();
    assert_ne!(moved.bytes, before, "a name has another address now");
    let again = put(&moved.bytes, &zone(), &me(), lives).unwrap();
    assert_eq!(again, moved);
    let other = put(&moved.bytes, &zone(), &owner("db", 2), lives).unwrap();
    let again = put(&other.bytes, &zone(), &me(), lives).unwrap();
    assert_eq!(again.bytes, other.bytes, "another block follows");

    let zone = Zone::new([("web", WEB)]);
    let mine = put(b"10.0.0.1 a", &zone, &me(), lives).unwrap().bytes;
    let with = [&mine[..], b"10.0.0.2 b"].concat();
    assert_eq!(put(&with, &zone, &me(), lives).unwrap().bytes, with);
    assert_eq!(remove_mine(&with), b"10.0.0.1 a\n10.0.0.2 b");
}

#[test]
fn the_line_of_a_name_that_is_left_out_is_counted_in_the_file_as_it_is() {
    let zone = Zone::new([("web", WEB), ("a", WEB), ("b", WEB)]);
    let first = put(b"10.0.0.1 a\n", &zone, &me(), lives).unwrap();
    let with = [&first.bytes[..], b"10.0.0.2 b\n"].concat();
    let moved = put(&with, &zone, &me(), lives).unwrap();
    let with = [&moved.bytes[..], b"10.0.0.3 c\n10.0.0.4 b\n"].concat();
    for (bytes, expected) in [(&moved.bytes, [1, 2]), (&with, [1, 2])] {
        let put = put(bytes, &zone, &me(), lives).unwrap();
        assert_eq!(put.bytes, *bytes);
        let lines: Vec<_> = put.left_out.iter().map(|name| name.line).collect();
        assert_eq!(lines, expected);
    }
    // A line that gives "c" another address keeps "c" out of our block, even if that line comes after the block.
    let zone = Zone::new([("web", WEB), ("c", WEB)]);
    let mine = put(b"10.0.0.1 a\n10.0.0.3 c\n", &zone, &me(), lives).unwrap();
    let block = mine
        .bytes
        .strip_prefix(b"10.0.0.1 a\n10.0.0.3 c\n")
        .unwrap();
    let before = [b"10.0.0.1 a\n", block, b"10.0.0.3 c\n"].concat();
    let put = put(&before, &zone, &me(), lives).unwrap();
    assert_eq!(put.bytes, before);
    assert_eq!(put.left_out[0].line, 5);
}

#[test]
fn lines_that_were_written_behind_the_block_stay() {
    let with = [&put_mine(b"10.0.0.1 a")[..], b"10.0.0.2 b"].concat();
    // The line break after "a" stays now, because another line follows.
    assert_eq!(remove_mine(&with), b"10.0.0.1 a\n10.0.0.2 b");
    assert_eq!(remove_mine(&put_mine(&with)), b"10.0.0.1 a\n10.0.0.2 b");
}

#[test]
fn a_name_that_the_file_gives_to_another_address_is_left_out() {
    let text = b"# 10.0.0.9 web\n10.0.0.1\tx WEB # y\n::1 www.test\n";
    let with = put(text, &zone(), &me(), lives).unwrap();
    let told: Vec<String> = with.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "web is left out, because line 2 has 10.0.0.1 for it",
            "www.test is left out, because line 3 has ::1 for it"
        ]
    );
    assert_eq!(entries(&with.bytes).unwrap(), Some(Vec::new()));
    let same = put(b"127.0.42.101 web\n", &zone(), &me(), lives).unwrap();
    assert!(same.left_out.is_empty());
    // The name is already in our block when another network adds its own block.
    let other = Zone::new([("web", Ipv4Addr::new(127, 0, 42, 9))]);
    let with = put(&put_mine(b""), &other, &owner("laptop", 2), lives).unwrap();
    assert_eq!(
        with.left_out[0].to_string(),
        "web is left out, because line 2 has 127.0.42.101 for it"
    );
}

#[test]
fn a_block_is_taken_by_the_next_life_of_its_host_and_by_nobody_else() {
    let left = put_mine(b"a\n");
    let gone = |owner: &Owner| owner.process == "1";
    assert_eq!(remove(&left, &owner("web", 2), gone).unwrap(), b"a\n");
    assert_eq!(remove(&left, &owner("web", 2), lives).unwrap(), left);
    assert_eq!(remove(&left, &owner("db", 2), gone).unwrap(), left);
    // A block without an owner was written by the original NoRouter, or by an earlier version.
    let [begin, end] = NAMELESS;
    let nameless = format!("a\n{begin}\n127.0.42.101 web\n{end}\n").into_bytes();
    assert_eq!(remove(&nameless, &me(), lives).unwrap(), b"a\n");
    assert_eq!(remove(&nameless, &owner("db", 1), gone).unwrap(), nameless);
    let both = put(&nameless, &zone(), &owner("db", 1), lives)
        .unwrap()
        .bytes;
    assert!(both.starts_with(&nameless) && both.len() > nameless.len());
    // A block in a form that only a later version understands is not touched.
    let unknown = b"# <Added-by-NoRouter v9>\n127.0.42.101 web\n# </Added-by-NoRouter v9>\n";
    assert_eq!(remove(unknown, &me(), gone).unwrap(), unknown);
}

#[test]
fn what_is_damaged_is_not_touched_and_named_by_line() {
    let [begin, end] = NAMELESS;
    let told = |text: &str| {
        remove(text.as_bytes(), &me(), lives)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        told(&format!("a\n{begin}\nb\n")),
        "the block that begins in line 2 has no end; \"norouter hosts --repair\" repairs it"
    );
    assert_eq!(
        told(&format!("a\n{end}\n{begin}\n{end}\n{begin}\n{end}")),
        "line 2 ends a block that has no beginning, and a second block begins in line 5; \
         \"norouter hosts --repair\" repairs it"
    );
    assert_eq!(
        told(&format!(
            "{begin}\n# </Added-by-NoRouter web 127.0.42.101 1>\n"
        )),
        "the block that begins in line 1 has no end, and line 2 ends a block that has no beginning; \
         \"norouter hosts --repair\" repairs it"
    );
    assert!(
        put(begin.as_bytes(), &zone(), &me(), lives).is_err() && entries(end.as_bytes()).is_err()
    );
}

#[test]
fn a_repair_takes_what_can_only_be_ours() {
    let cases = [
        ("", "", &[][..]),
        ("a\n", "a\n", &[]),
        (
            "a\n{B}\nany\n{E}\nb\n{B}\n{E}",
            "a\nb\n",
            &[
                "removed the block in lines 2 to 4",
                "removed the block in lines 6 to 7",
            ],
        ),
        (
            "{B}\r\n127.0.42.101 web\r\n127.0.1.1 me\r\n",
            "127.0.1.1 me\r\n",
            &["removed a beginning without an end in lines 1 to 2"],
        ),
        (
            "127.0.0.1 localhost\n127.0.42.102 a # mine\n127.0.42.101 web\n{E}\nrest",
            "127.0.0.1 localhost\n127.0.42.102 a # mine\nrest",
            &["removed an end without a beginning in lines 3 to 4"],
        ),
        (
            "{B}\n{B}\n127.0.42.101 web\n{E}\n",
            "",
            &[
                "removed the block in lines 2 to 4",
                "removed a beginning without an end in line 1",
            ],
        ),
    ];
    let [begin, end] = NAMELESS;
    for (before, after, done) in cases {
        let before = before.replace("{B}", begin).replace("{E}", end);
        let repaired = repair(before.as_bytes(), lives);
        assert_eq!(
            String::from_utf8(repaired.bytes.clone()).unwrap(),
            after,
            "{before}"
        );
        assert_eq!(repaired.done, done, "{before}");
        assert!(repair(&repaired.bytes, lives).done.is_empty());
    }
}

#[test]
fn a_repair_leaves_the_blocks_of_agents_that_are_there() {
    let db = owner("db", 2);
    let both = put(&put_mine(b"a"), &Zone::new([("db", WEB)]), &db, lives)
        .unwrap()
        .bytes;
    let repaired = repair(&both, |owner| owner.process == "1");
    assert_eq!(repaired.done, ["removed the block in lines 2 to 6"]);
    assert_eq!(
        repaired.kept,
        ["left the block in lines 7 to 9, because the agent of db is there"]
    );
    assert_eq!(remove(&repaired.bytes, &db, lives).unwrap(), b"a");
}

fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(
        prop_oneof![
            any::<Vec<u8>>(),
            prop::sample::select(vec![
                b"\n".to_vec(),
                b"\r\n".to_vec(),
                b"\r".to_vec(),
                b"127.0.42.101 web".to_vec(),
                b"10.0.0.1 web".to_vec(),
                b"\xff\xfe".to_vec(),
                vec![b'x'; 70_000],
                NO_FINAL_LINE_BREAK.as_bytes().to_vec(),
                b"# <Added-by".to_vec(),
            ]),
        ],
        0..12,
    );
    pieces.prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_file_is_given_back_as_it_was_whoever_comes_and_goes(
        original in any_file(), steps in prop::collection::vec((1_u8..4, any::<bool>()), 0..12)
    ) {
        let mut file = original.clone();
        let mut there = std::collections::BTreeSet::new();
        for (process, comes) in steps {
            let who = owner(["web", "db", "db"][usize::from(process) - 1], process);
            file = if comes {
                there.insert(process);
                put(&file, &zone(), &who, lives).unwrap().bytes
            } else {
                there.remove(&process);
                remove(&file, &who, lives).unwrap()
            };
            prop_assert_eq!(Lines::of(&file).blocks().0.len(), there.len());
            if there.is_empty() {
                prop_assert_eq!(&file, &original);
            }
        }
        prop_assert_eq!(&repair(&file, |_| true).bytes, &original);
        prop_assert_eq!(&repair(&file, lives).bytes, &file);
    }

    #[test]
    fn a_repair_leaves_nothing_to_repair_and_adds_nothing(
        lines in prop::collection::vec(prop::sample::select(vec![
            NAMELESS[0], NAMELESS[1], "# <Added-by-NoRouter web 127.0.42.101 1>", "# </Added-by-NoRouter web 127.0.42.101 1>",
            "127.0.42.101 web", "10.0.0.1 a", "127.0.0.1 localhost", NO_FINAL_LINE_BREAK,
        ]), 0..12)
    ) {
        let text = lines.join("\n");
        let repaired = repair(text.as_bytes(), |_| true);
        prop_assert!(remove(&repaired.bytes, &me(), lives).is_ok());
        prop_assert!(repair(&repaired.bytes, |_| true).done.is_empty());
        let count = |text: &str| text.matches("10.0.0.1 a").count() + text.matches("localhost").count();
        let kept = String::from_utf8(repaired.bytes).unwrap();
        let inside: usize = {
            let lines = Lines::of(text.as_bytes());
            let (blocks, _) = lines.blocks();
            blocks.iter().flat_map(|b| lines.at(&b.range)).map(|l| count(&String::from_utf8_lossy(l))).sum()
        };
        prop_assert_eq!(count(&kept) + inside, count(&text));
    }
}
