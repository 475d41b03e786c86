//! The headless program: manager, agent and command line in one.

fn main() {}
