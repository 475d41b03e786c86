//! SHA-256, in hexadecimal.

use std::{fmt::Write as _, fs, io, path::Path};

use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes.
pub(in crate::driver) fn of(bytes: &[u8]) -> String {
    text(&Sha256::digest(bytes))
}

/// The SHA-256 of the contents of a file.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    let mut sum = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut sum)?;
    Ok(text(&sum.finalize()))
}

fn text(sum: &[u8]) -> String {
    sum.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
