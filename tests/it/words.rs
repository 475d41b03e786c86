//! Compares the words for states and figures with the table that the tests of the page use as well. Terminal, tray and
//! page therefore use the same words.

use std::fs;

use norouter::{text::figures, view::HostState};
use serde_json::Value;

use crate::golden::root;

const TABLE: &str = "ui/src/lib/golden/words.json";

fn table() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(TABLE)).unwrap()).unwrap()
}

#[test]
fn states_are_called_and_judged_as_on_the_page() {
    let table = table();
    let states = table["states"].as_array().unwrap();
    assert_eq!(states.len(), 9, "{TABLE}");
    for row in states {
        let state: HostState = serde_json::from_value(row["state"].clone()).unwrap();
        assert_eq!(row["word"], state.word(), "{TABLE}: {state:?}");
        assert_eq!(row["isUp"], state.is_up(), "{TABLE}: {state:?}");
        let attention = state.needs_attention();
        assert_eq!(row["needsAttention"], attention, "{TABLE}: {state:?}");
    }
}

#[test]
fn figures_are_written_as_on_the_page() {
    let table = table();
    let figures = [
        ("bytes", figures::bytes as fn(u64) -> String),
        ("rate", figures::rate),
        ("latency", figures::latency),
        ("span", figures::span),
        ("countdown", figures::countdown),
    ];
    for (kind, write) in figures {
        let rows = table[kind].as_array().unwrap();
        assert!(rows.len() > 2, "{TABLE}: {kind}");
        for row in rows {
            let amount = row[0].as_u64().unwrap();
            assert_eq!(row[1], write(amount), "{TABLE}: {kind} of {amount}");
        }
    }
}
