#!/bin/sh
# saphyr-parser 0.3.4 counts the comment behind a value in quotes, or behind a closing bracket, as a part of that value.
#
# Each event comes with a span, so that an editor can replace a value and leave the rest of the file as it is. The span
# of a value without quotes ends with the value. That of a value in quotes, and of a list or map in brackets, also has
# the blanks and the comment that follow in the line, but not if a line break, a comma or a bracket follows at once.
# PyYAML 6.0.3, whose marks have the same meaning, ends all of them at the value:
#
#     text                 saphyr-parser           PyYAML
#     ----------------------------------------------------------
#     a: v # c             v                       v
#     a: "v" # c           "v" # c                 "v"
#     a: 'v' # c           'v' # c                 'v'
#     "a" : v              "a" and the blank       "a"
#     a: [v] # c           ] # c                   ]
#     a: {b: v} # c        } # c                   }
#     a: "v"               "v"                     "v"
#     [a, "v", b] # c      "v" and  ] # c          "v" and ]
#
# An editor that writes a new value in the place of such a span removes the comment. Whether it does depends on quotes
# that have no other meaning there.
#
# Builds a small program with the crate in a temporary folder, and installs PyYAML there. Exits with 0 if what is
# described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q install PyYAML==6.0.3
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "spans"
version = "0.0.0"
edition = "2024"

[dependencies]
saphyr-parser = "=0.3.4"

[workspace]
TOML
cat > src/main.rs <<'RUST'
use std::io::Read as _;

use saphyr_parser::{Event, Parser};

/// Prints the span of each value, and that of the end of each list and map in brackets.
fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.unwrap();
        let part = &text[span.start.index()..span.end.index()];
        let is_end = matches!(event, Event::SequenceEnd | Event::MappingEnd);
        if matches!(event, Event::Scalar(..)) || is_end && !part.is_empty() {
            println!("{part}");
        }
    }
}
RUST
CARGO_TARGET_DIR=$folder/target cargo build -q

cat > compare.py <<'PYTHON'
import subprocess, sys

import yaml


def by_saphyr(text):
    done = subprocess.run(["target/debug/spans"], input=text, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def by_pyyaml(text):
    wanted = (yaml.ScalarEvent, yaml.SequenceEndEvent, yaml.MappingEndEvent)
    parts = [text[e.start_mark.index : e.end_mark.index] for e in yaml.parse(text) if isinstance(e, wanted)]
    return [part for part in parts if part]


print("saphyr-parser 0.3.4, PyYAML", yaml.__version__)
same = yaml.__version__ == "6.0.3"
for text, of_saphyr, of_pyyaml in [
    ("a: v # c\n", ["a", "v"], ["a", "v"]),
    ('a: "v" # c\n', ["a", '"v" # c'], ["a", '"v"']),
    ("a: 'v' # c\n", ["a", "'v' # c"], ["a", "'v'"]),
    ('"a" : v\n', ['"a" ', "v"], ['"a"', "v"]),
    ("a: [v] # c\n", ["a", "v", "] # c"], ["a", "v", "]"]),
    ("a: {b: v} # c\n", ["a", "b", "v", "} # c"], ["a", "b", "v", "}"]),
    ('a: "v"\n', ["a", '"v"'], ["a", '"v"']),
    ('[a, "v", b] # c\n', ["a", '"v"', "b", "] # c"], ["a", '"v"', "b", "]"]),
]:
    found = by_saphyr(text), by_pyyaml(text)
    print(f"{text.strip():18} {found[0]}  {found[1]}")
    same = same and found == (of_saphyr, of_pyyaml)
sys.exit(0 if same else 1)
PYTHON
venv/bin/python compare.py
