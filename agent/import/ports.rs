//! Ports as people name them: short forms of the entries of `ports`.

/// The lowest port on which every user may listen.
const FREE: u16 = 1024;

/// The entry of `ports` for a port of a server on the host's own loopback. Only root may listen on the lowest ports, so
/// these are published 8000 higher: 80 as 8080.
pub fn published(port: u16) -> String {
    let listen = if port < FREE { port + 8_000 } else { port };
    format!("{listen}:127.0.0.1:{port}")
}

/// The entry for `80`, `8080:80` or the whole form `8080:web.internal:80`. The error lists the possible forms.
pub fn port_entry(text: &str) -> Result<String, String> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let wrong = || {
        let shown = crate::text::quote(text);
        format!("{shown} is not a port; write 80, 8080:80 or 8080:web.internal:80")
    };
    let (listen, rest) = match text.split_once(':') {
        None => return number(text).map(published).ok_or_else(wrong),
        Some((listen, rest)) => (number(listen).ok_or_else(wrong)?, rest),
    };
    if let Some(port) = number(rest) {
        return Ok(format!("{listen}:127.0.0.1:{port}"));
    }
    let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let port = port.strip_suffix("/tcp").unwrap_or(port);
    let port = number(port).filter(|_| !host.is_empty() && host.chars().all(fits));
    Ok(format!("{listen}:{host}:{}", port.ok_or_else(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_written_in_short_or_in_full() {
        for (text, expected) in [
            ("80", "8080:127.0.0.1:80"),
            ("443", "8443:127.0.0.1:443"),
            ("5432", "5432:127.0.0.1:5432"),
            ("8080:80", "8080:127.0.0.1:80"),
            ("8080:web.internal:80", "8080:web.internal:80"),
            ("9000:[::1]:9000/tcp", "9000:[::1]:9000"),
        ] {
            assert_eq!(port_entry(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "", "0", "http", "80:", ":80", "8080:x:", "8080::80", "1:a\"b:2", "70000",
        ] {
            let error = port_entry(text).unwrap_err();
            assert!(error.contains("is not a port; write 80"), "{error}");
        }
    }
}
