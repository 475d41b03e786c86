//! Random bytes that can be recognized, and programs that send them.

use std::{
    io::{Read as _, Write as _},
    process::{Command, ExitStatus, Stdio},
    thread,
};

/// Pseudorandom bytes in which every value occurs. The same seed gives the same bytes.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Writes bytes to a program and closes its input, and reads its output at the same time.
pub(crate) fn through(command: &mut Command, bytes: &[u8]) -> (Vec<u8>, String, ExitStatus) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut received = Vec::new();
    let mut talk = String::new();
    thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(bytes));
        scope.spawn(|| stderr.read_to_string(&mut talk));
        stdout.read_to_end(&mut received).unwrap();
    });
    let status = child.wait().unwrap();
    (received, talk, status)
}
