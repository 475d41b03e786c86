//! The environment variables that lead programs to the proxies of their host.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::secret::Secret;

/// Destinations that programs reach without a proxy.
const DIRECT: &str = "localhost,127.0.0.1,::1";

/// The variables for an HTTP and a SOCKS proxy at these addresses. With `pass`, the URLs contain a user and a password,
/// with which programs prove to the proxies that their user may use them.
pub fn variables(
    http: Option<SocketAddr>,
    socks: Option<SocketAddr>,
    pass: Option<(&str, &Secret)>,
) -> Vec<(String, String)> {
    let user = pass.map(|(user, password)| format!("{user}:{}@", password.reveal()));
    let user = user.unwrap_or_default();
    let mut variables = Vec::new();
    let mut set = |names: &[&str], value: String| {
        variables.extend(names.iter().map(|name| ((*name).to_owned(), value.clone())));
    };
    if let Some(http) = http {
        set(
            &["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"],
            format!("http://{user}{}", reached_at(http)),
        );
    }
    if let Some(socks) = socks {
        // The scheme `socks5h` makes the proxy resolve names.
        let url = format!("socks5h://{user}{}", reached_at(socks));
        set(&["all_proxy", "ALL_PROXY"], url);
    }
    if http.is_some() || socks.is_some() {
        set(&["no_proxy", "NO_PROXY"], DIRECT.to_owned());
    }
    variables
}

/// The address under which programs of the same host reach a proxy.
pub fn reached_at(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_name_the_proxies_that_there_are_as_their_host_reaches_them() {
        let [http, socks] = ["0.0.0.0:80", "[::]:81"].map(|text| text.parse().ok());
        let lines = |variables: Vec<(String, String)>| {
            let lines: Vec<String> = variables
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            lines.join(" ")
        };
        assert_eq!(lines(variables(None, None, None)), "");
        assert_eq!(
            lines(variables(http, None, None)),
            "http_proxy=http://127.0.0.1:80 HTTP_PROXY=http://127.0.0.1:80 \
             https_proxy=http://127.0.0.1:80 HTTPS_PROXY=http://127.0.0.1:80 \
             no_proxy=localhost,127.0.0.1,::1 NO_PROXY=localhost,127.0.0.1,::1"
        );
        let password = Secret::new("word".to_owned());
        assert_eq!(
            lines(variables(None, socks, Some(("me", &password)))),
            "all_proxy=socks5h://me:word@[::1]:81 ALL_PROXY=socks5h://me:word@[::1]:81 \
             no_proxy=localhost,127.0.0.1,::1 NO_PROXY=localhost,127.0.0.1,::1"
        );
    }
}
