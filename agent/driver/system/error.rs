//! The errors of the operating system, in words for people.

/// The operating system's text for an error, without the error number, which people do not understand.
pub fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}
