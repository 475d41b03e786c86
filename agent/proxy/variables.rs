//! The environment variables that lead programs to the proxies of their host.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use crate::secret::Secret;

/// The variables that hold a list of exemptions. [`merged_exemptions`] adds our list to the person's own.
pub const EXEMPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The user in the URLs of the proxies. With it and a password, a program proves that its user may use the proxies.
pub const USER: &str = "norouter";

/// The variable with the URL of the SOCKS proxy. It is set even if there is an HTTP proxy.
pub const SOCKS: &str = "NOROUTER_SOCKS";

/// Destinations that programs reach without a proxy. Some programs match a domain only if it begins with a dot.
const DIRECT: [&str; 4] = ["localhost", ".localhost", "127.0.0.1", "::1"];

/// The maximum number of addresses of the network in a list of exemptions. Systems limit the length of a variable. If a
/// variable is longer, commands cannot be started.
const EXEMPT_MAX: usize = 1_000;

/// The variables for an HTTP and a SOCKS proxy at these addresses. Programs reach the addresses `direct` of the network
/// without a proxy. With `pass`, the URLs contain a user and a password, with which programs prove to the proxies that
/// their user may use them.
///
/// Without an HTTP proxy, the SOCKS proxy is named in its place, because it understands HTTP as well. Except for
/// [`SOCKS`], no variable leads programs to SOCKS: programs that know HTTP proxies do not need it, and some of them
/// fail if they are given both.
pub fn variables(
    http: Option<SocketAddr>,
    socks: Option<SocketAddr>,
    pass: Option<(&str, &Secret)>,
    direct: &BTreeSet<Ipv4Addr>,
) -> Vec<(String, String)> {
    let user = pass.map(|(user, password)| format!("{user}:{}@", password.reveal()));
    let user = user.unwrap_or_default();
    let mut variables = Vec::new();
    let mut set = |names: &[&str], value: String| {
        variables.extend(names.iter().map(|name| ((*name).to_owned(), value.clone())));
    };
    if let Some(http) = http.or(socks).map(reached_at) {
        set(
            &[
                "http_proxy",
                "HTTP_PROXY",
                "https_proxy",
                "HTTPS_PROXY",
                "YARN_HTTP_PROXY",
                "YARN_HTTPS_PROXY",
                // aiohttp and curl have a variable for each scheme. These two are for WebSocket.
                "ws_proxy",
                "wss_proxy",
            ],
            format!("http://{user}{http}"),
        );
        set(&["RSYNC_PROXY"], format!("{user}{http}"));
        // Node and Perl's LWP use the variables above only if these variables are set.
        set(
            &["NODE_USE_ENV_PROXY", "PERL_LWP_ENV_PROXY"],
            "1".to_owned(),
        );
        // Chromium prefers this variable to all others.
        set(
            &["auto_proxy", "NOROUTER_PAC"],
            format!("http://{http}/proxy.pac"),
        );
    }
    if let Some(socks) = socks {
        // With the scheme `socks5h`, the proxy resolves names, and not the program.
        set(&[SOCKS], format!("socks5h://{user}{}", reached_at(socks)));
    }
    if http.is_some() || socks.is_some() {
        let direct = Some(direct).filter(|direct| direct.len() <= EXEMPT_MAX);
        let direct = direct.into_iter().flatten().map(ToString::to_string);
        let all: Vec<String> = DIRECT
            .map(str::to_owned)
            .into_iter()
            .chain(direct)
            .collect();
        set(&EXEMPTIONS, all.join(","));
    }
    variables
}

/// The person's own list of exemptions, followed by `ours`, which is the list of [`variables`]. The result has no
/// spaces, because some programs stop reading at a space.
///
/// Two kinds of the person's entries are left out. Loopback addresses are either in `ours` as well, or from an earlier
/// network. With `*`, nothing would use the proxies.
pub fn merged_exemptions(own: &str, ours: &str) -> String {
    let own = own.split([',', ' ', '\t', '\n']).filter(|entry| {
        let address = entry.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_loopback = address.is_ok_and(|address| address.is_loopback());
        !entry.is_empty() && *entry != "*" && !DIRECT.contains(entry) && !is_loopback
    });
    let ours = ours.split(',').filter(|entry| !entry.is_empty());
    own.chain(ours).collect::<Vec<_>>().join(",")
}

/// The options with which Java programs use the proxies of these variables. The options are needed because Java does
/// not read such variables. The password is left out, because each Java program prints its options.
pub fn java_options(variables: &[(String, String)]) -> String {
    let place = |wanted: &str| {
        let (_, url) = variables.iter().find(|(name, _)| name == wanted)?;
        let (_, place) = url.rsplit_once(['@', '/'])?;
        place.rsplit_once(':')
    };
    let option = |kinds: &[&str], place: Option<(&str, &str)>| {
        let options = place.into_iter().flat_map(|(host, port)| {
            let host = host.trim_matches(['[', ']']);
            kinds
                .iter()
                .map(move |kind| format!("-D{kind}Host={host} -D{kind}Port={port}"))
        });
        options.collect::<Vec<_>>()
    };
    let http = option(&["http.proxy", "https.proxy"], place("http_proxy"));
    [http, option(&["socksProxy"], place(SOCKS))]
        .concat()
        .join(" ")
}

/// A configuration for `proxychains4`, which makes programs without proxy support use one of these proxies. `None` if
/// there is no proxy.
pub fn proxychains(
    http: Option<SocketAddr>,
    socks: Option<SocketAddr>,
    (user, password): (&str, &Secret),
) -> Option<String> {
    let socks = socks.map(|address| ("socks5", reached_at(address)));
    let (kind, address) = socks.or(http.map(|address| ("http", reached_at(address))))?;
    let (host, port, password) = (address.ip(), address.port(), password.reveal());
    Some(format!(
        "strict_chain\nproxy_dns\nquiet_mode\n[ProxyList]\n{kind} {host} {port} {user} {password}\n"
    ))
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

    fn at(text: &str) -> Option<SocketAddr> {
        text.parse().ok()
    }

    fn value<'v>(variables: &'v [(String, String)], name: &str) -> Option<&'v str> {
        let found = variables.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn variables_name_the_proxies_that_there_are_as_their_host_reaches_them() {
        let (http, socks) = (at("0.0.0.0:80"), at("[::]:81"));
        let direct = BTreeSet::from([
            Ipv4Addr::new(127, 0, 42, 101),
            Ipv4Addr::new(127, 0, 42, 100),
        ]);
        assert_eq!(variables(None, None, None, &direct), []);
        let password = Secret::new("word".to_owned());
        let with = variables(http, None, Some(("me", &password)), &direct);
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "https_proxy",
            "HTTPS_PROXY",
            "YARN_HTTP_PROXY",
            "YARN_HTTPS_PROXY",
            "ws_proxy",
            "wss_proxy",
        ] {
            assert_eq!(value(&with, name), Some("http://me:word@127.0.0.1:80"));
        }
        assert_eq!(value(&with, "RSYNC_PROXY"), Some("me:word@127.0.0.1:80"));
        for name in ["NODE_USE_ENV_PROXY", "PERL_LWP_ENV_PROXY"] {
            assert_eq!(value(&with, name), Some("1"));
        }
        for name in ["auto_proxy", "NOROUTER_PAC"] {
            assert_eq!(value(&with, name), Some("http://127.0.0.1:80/proxy.pac"));
        }
        for name in EXEMPTIONS {
            assert_eq!(
                value(&with, name),
                Some("localhost,.localhost,127.0.0.1,::1,127.0.42.100,127.0.42.101")
            );
        }
        let socks_only = variables(None, socks, Some(("me", &password)), &BTreeSet::new());
        assert_eq!(
            value(&socks_only, SOCKS),
            Some("socks5h://me:word@[::1]:81")
        );
        // The SOCKS proxy takes HTTP as well.
        for name in ["http_proxy", "HTTPS_PROXY"] {
            assert_eq!(value(&socks_only, name), Some("http://me:word@[::1]:81"));
        }
        assert_eq!(
            value(&socks_only, "NOROUTER_PAC"),
            Some("http://[::1]:81/proxy.pac")
        );
        assert_eq!(
            value(&socks_only, "no_proxy"),
            Some("localhost,.localhost,127.0.0.1,::1")
        );
    }

    #[test]
    fn programs_that_know_http_proxies_are_not_led_to_the_socks_proxy() {
        let both = variables(
            at("127.0.0.1:80"),
            at("127.0.0.1:81"),
            None,
            &BTreeSet::new(),
        );
        assert_eq!(value(&both, SOCKS), Some("socks5h://127.0.0.1:81"));
        assert_eq!(value(&both, "http_proxy"), Some("http://127.0.0.1:80"));
        let socks_only = variables(None, at("127.0.0.1:81"), None, &BTreeSet::new());
        for variables in [&both, &socks_only] {
            assert_eq!(value(variables, "all_proxy"), None);
            assert_eq!(value(variables, "ALL_PROXY"), None);
        }
    }

    #[test]
    fn a_list_of_exemptions_that_no_command_could_be_given_is_not_written() {
        let many: BTreeSet<Ipv4Addr> = (0..=1_000)
            .map(|host| Ipv4Addr::from(0x7f01_0000 + host))
            .collect();
        let variables = variables(at("127.0.0.1:80"), None, None, &many);
        assert_eq!(
            value(&variables, "no_proxy"),
            Some("localhost,.localhost,127.0.0.1,::1")
        );
    }

    #[test]
    fn the_persons_own_exemptions_stay_and_those_of_an_earlier_network_go() {
        let ours = "localhost,127.0.0.1,127.0.42.101";
        for (own, merged) in [
            ("", ours),
            ("*", ours),
            (ours, ours),
            ("127.0.42.7,[::1], localhost", ours),
            (
                ".corp, 10.0.0.0/8,127.0.42.7",
                ".corp,10.0.0.0/8,localhost,127.0.0.1,127.0.42.101",
            ),
        ] {
            assert_eq!(merged_exemptions(own, ours), merged, "{own:?}");
        }
        assert_eq!(merged_exemptions(".corp,127.0.0.1", ""), ".corp");
    }

    #[test]
    fn java_and_proxychains_are_told_in_their_own_words() {
        let (http, socks) = (at("[::1]:80"), at("127.0.0.1:81"));
        let word = Secret::new("word".to_owned());
        let pass = ("me", &word);
        let both = variables(http, socks, Some(pass), &BTreeSet::new());
        assert_eq!(
            java_options(&both),
            "-Dhttp.proxyHost=::1 -Dhttp.proxyPort=80 -Dhttps.proxyHost=::1 -Dhttps.proxyPort=80 \
             -DsocksProxyHost=127.0.0.1 -DsocksProxyPort=81"
        );
        assert_eq!(java_options(&[]), "");
        let begin = "strict_chain\nproxy_dns\nquiet_mode\n[ProxyList]\n";
        assert_eq!(
            proxychains(http, socks, pass),
            Some(format!("{begin}socks5 127.0.0.1 81 me word\n"))
        );
        assert_eq!(
            proxychains(http, None, pass),
            Some(format!("{begin}http ::1 80 me word\n"))
        );
        assert_eq!(proxychains(None, None, pass), None);
    }
}
