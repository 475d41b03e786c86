//! The proxy auto-configuration file, which tells a browser which destinations belong to the network. The file never
//! makes the browser resolve a name.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
};

use ipnet::Ipv6Net;

/// The JavaScript function `bits6`. It converts an IPv6 address to a text of 128 zeros and ones, and everything else to
/// an empty text. It is needed because the functions that browsers offer to such files know only IPv4. Browsers pass an
/// address without its brackets.
const BITS6: &str = r#"function bits6(host) {
  if (host.indexOf(":") < 0) return "";
  var halves = host.replace(/^\[|\]$/g, "").split("::");
  var groups = halves[0] === "" ? [] : halves[0].split(":");
  if (halves.length > 1) {
    var last = halves[1] === "" ? [] : halves[1].split(":");
    while (groups.length + last.length < 8) groups.push("0");
    groups = groups.concat(last);
  }
  if (halves.length > 2 || groups.length !== 8) return "";
  var bits = "";
  for (var i = 0; i < 8; i++) {
    if (!/^[0-9a-f]{1,4}$/.test(groups[i])) return "";
    bits += (65536 + parseInt(groups[i], 16)).toString(2).substring(1);
  }
  return bits;
}
"#;

/// The contents of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pac<'a> {
    /// The address on which the HTTP proxy listens.
    pub proxy: SocketAddr,
    /// The names and aliases of the network, each of which is also known under `.norouter`.
    pub names: Vec<&'a str>,
    /// The addresses of the network.
    pub vips: Vec<Ipv4Addr>,
    /// The routes in the order of the manifest: a later one wins.
    pub routes: Vec<PacRoute<'a>>,
    /// Whether the browser uses the proxy for all other destinations as well, because this proxy passes them on to the
    /// person's own proxy.
    pub everything: bool,
}

/// The destinations of one route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacRoute<'a> {
    /// The destinations that belong to the route.
    pub to: Vec<Pattern<'a>>,
    /// Exceptions from `to`.
    pub not_to: Vec<Pattern<'a>>,
}

/// A pattern that destinations match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern<'a> {
    /// Every address in a block.
    Net {
        /// The block's first address.
        first: Ipv4Addr,
        /// The block's mask.
        mask: Ipv4Addr,
    },
    /// Every IPv6 address in a block.
    Net6(Ipv6Net),
    /// Every name that matches: `*` stands for any text, `?` for any character.
    Glob(&'a str),
}

impl Pac<'_> {
    /// The file as JavaScript (ECMAScript 3, for the oldest programs that read such files).
    pub fn script(&self) -> String {
        let proxy = text(&format!("PROXY {}", self.proxy));
        let mut names: Vec<String> = Vec::new();
        for name in &self.names {
            let name = name.to_ascii_lowercase();
            names.push(text(&format!("{name}.norouter")));
            names.push(text(&name));
        }
        names.extend(self.vips.iter().map(|vip| text(&vip.to_string())));
        names.sort();
        names.dedup();
        let mut routes = String::new();
        // The order of the routes makes no difference to browsers: every route leads to the same proxy, and that proxy
        // chooses the route. The last route is written first only for people who read the file, because the last route
        // that matches wins.
        for route in self.routes.iter().rev() {
            let to = any(&route.to);
            let except = any(&route.not_to);
            let _ = if except == "false" {
                writeln!(routes, "  if ({to}) return proxy;")
            } else {
                writeln!(routes, "  if (({to}) && !({except})) return proxy;")
            };
        }
        let everything = if self.everything {
            "  if (!/^127\\./.test(host) && !/^\\[?::1\\]?$/.test(host)) return proxy;\n"
        } else {
            ""
        };
        format!(
            "// Made by NoRouter. It asks no resolver: names are compared as texts, and networks with written addresses.\n\
             {BITS6}\
             function FindProxyForURL(url, host) {{\n  \
               var proxy = {proxy};\n  \
               var members = [{}];\n  \
               host = host.toLowerCase().replace(/\\.$/, \"\");\n  \
               for (var i = 0; i < members.length; i++) if (members[i] === host) return proxy;\n  \
               if (host === \"localhost\" || host === \"127.0.0.1\" || /\\.localhost$/.test(host)) return \"DIRECT\";\n  \
               var address = /^\\d+\\.\\d+\\.\\d+\\.\\d+$/.test(host);\n  \
               var name = !address && host.indexOf(\":\") < 0;\n\
               var bits = bits6(host);\n\
             {routes}{everything}  \
               return \"DIRECT\";\n\
             }}\n",
            names.join(", "),
        )
    }
}

/// A JavaScript condition that is true if one of the patterns matches.
fn any(patterns: &[Pattern<'_>]) -> String {
    if patterns.is_empty() {
        return "false".into();
    }
    let conditions: Vec<String> = patterns
        .iter()
        .map(|pattern| match pattern {
            Pattern::Net { first, mask } => {
                format!("address && isInNet(host, \"{first}\", \"{mask}\")")
            }
            Pattern::Net6(block) => {
                let bits = format!("{:0128b}", block.network().to_bits());
                let prefix = bits.split_at(usize::from(block.prefix_len())).0;
                format!("bits !== \"\" && bits.indexOf(\"{prefix}\") === 0")
            }
            Pattern::Glob(glob) => {
                format!(
                    "name && shExpMatch(host, {})",
                    text(&glob.to_ascii_lowercase())
                )
            }
        })
        .collect();
    conditions.join(" || ")
}

/// The text as a JavaScript string in ASCII, without anything that would end a surrounding script or comment.
fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for unit in value.encode_utf16() {
        match u8::try_from(unit).map(char::from) {
            Ok(c) if (c.is_ascii_graphic() || c == ' ') && !"\"\\<>&'/".contains(c) => out.push(c),
            _ => {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pac() -> Pac<'static> {
        Pac {
            proxy: "127.0.0.1:18080".parse().unwrap(),
            names: vec!["Web", "web.example"],
            vips: vec![[127, 0, 42, 101].into()],
            everything: false,
            routes: vec![
                PacRoute {
                    to: vec![
                        Pattern::Glob("*.Internal"),
                        Pattern::Net6("fd95::/16".parse().unwrap()),
                    ],
                    not_to: Vec::new(),
                },
                PacRoute {
                    to: vec![Pattern::Net {
                        first: [10, 0, 0, 0].into(),
                        mask: [255, 0, 0, 0].into(),
                    }],
                    not_to: vec![Pattern::Glob("x*"), Pattern::Glob("y")],
                },
            ],
        }
    }

    #[test]
    fn members_and_routes_go_to_the_proxy_and_the_rest_does_not() {
        let script = pac().script();
        let lines: Vec<&str> = script.lines().map(str::trim).collect();
        assert!(
            lines.contains(&r#"var proxy = "PROXY 127.0.0.1:18080";"#),
            "{script}"
        );
        let members = r#"var members = ["127.0.42.101", "web", "web.example", "web.example.norouter", "web.norouter"];"#;
        assert!(lines.contains(&members), "{script}");
        let net = r#"if ((address && isInNet(host, "10.0.0.0", "255.0.0.0")) && !(name && shExpMatch(host, "x*") || name && shExpMatch(host, "y"))) return proxy;"#;
        let glob = r#"if (name && shExpMatch(host, "*.internal") || bits !== "" && bits.indexOf("1111110110010101") === 0) return proxy;"#;
        let at = |wanted: &str| lines.iter().position(|line| *line == wanted).unwrap();
        assert!(at(net) < at(glob), "the last route comes first");
        assert_eq!(lines[lines.len() - 2..], [r#"return "DIRECT";"#, "}"]);
    }

    #[test]
    fn no_function_that_resolves_names_is_called() {
        let script = pac().script();
        for function in [
            "dnsResolve",
            "isResolvable",
            "myIpAddress",
            "localHostOrDomainIs",
        ] {
            assert!(!script.contains(function));
        }
        assert_eq!(
            script.matches("isInNet").count(),
            script.matches("address && isInNet").count()
        );
    }

    #[test]
    fn a_glob_cannot_leave_its_string() {
        let mut pac = pac();
        let glob = "\"); alert(1) // </script> \u{2028} 😀 \\ \n";
        pac.routes[0].to = vec![Pattern::Glob(glob)];
        let script = pac.script();
        assert!(script.is_ascii());
        assert!(script.contains(r"\u0022); alert(1) \u002f\u002f \u003c\u002fscript\u003e \u2028 \ud83d\ude00 \u005c \u000a"));
        assert_eq!(script.lines().count(), self::pac().script().lines().count());
    }
}
