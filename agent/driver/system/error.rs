//! The errors of the operating system, in words for people.

use std::io;

/// The words for an error. The error number is left out, because people do not understand it. Frequent errors always
/// have English words. Otherwise, the system would translate them in the desktop app, whose toolkit sets the language.
pub fn describe(error: &io::Error) -> String {
    #[cfg(unix)]
    if let Some(words) = error.raw_os_error().and_then(words) {
        return words.to_owned();
    }
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

/// The words for the error with this number.
#[cfg(unix)]
fn words(number: i32) -> Option<&'static str> {
    use rustix::io::Errno;
    Some(match Errno::from_raw_os_error(number) {
        Errno::PERM => "operation not permitted",
        Errno::NOENT => "no such file or directory",
        Errno::IO => "input/output error",
        Errno::NOEXEC => "exec format error",
        Errno::NOMEM => "cannot allocate memory",
        Errno::ACCESS => "permission denied",
        Errno::BUSY => "device or resource busy",
        Errno::EXIST => "file exists",
        Errno::NOTDIR => "not a directory",
        Errno::ISDIR => "is a directory",
        Errno::MFILE => "too many open files",
        Errno::NOSPC => "no space left on device",
        Errno::ROFS => "read-only file system",
        Errno::PIPE => "broken pipe",
        Errno::NAMETOOLONG => "file name too long",
        Errno::LOOP => "too many levels of symbolic links",
        Errno::ADDRINUSE => "address already in use",
        Errno::ADDRNOTAVAIL => "cannot assign requested address",
        Errno::NETUNREACH => "network is unreachable",
        Errno::CONNRESET => "connection reset by peer",
        Errno::TIMEDOUT => "connection timed out",
        Errno::CONNREFUSED => "connection refused",
        Errno::HOSTUNREACH => "no route to host",
        Errno::DQUOT => "disk quota exceeded",
        _ => return None,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn frequent_errors_have_the_words_that_the_system_has_in_english() {
        let mut known = 0;
        for number in 1..200 {
            let Some(words) = words(number) else {
                continue;
            };
            known += 1;
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(describe(&error), words);
            // Tests run without a locale. Other systems and C libraries use slightly different words.
            if cfg!(all(target_os = "linux", target_env = "gnu")) {
                let system = error.to_string().to_lowercase();
                assert_eq!(system, format!("{words} (os error {number})"));
            }
        }
        assert_eq!(known, 24);
        assert_eq!(describe(&io::Error::other("Just so")), "Just so");
    }
}
