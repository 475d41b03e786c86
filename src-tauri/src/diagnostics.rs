//! Everything that somebody who wants to help needs to know, as text that the person reads before it is saved. Commands
//! and what they say may hold secrets: values that look like one are left out.

use std::fmt::Write as _;

use norouter::view::{Event, LogLine};

use crate::{checks, desk::Desk, logbook, view::Platform};

/// How many lines of the network's log are told.
const LINES: usize = 300;

/// Words after which a value is a secret.
const SECRET: [&str; 7] = [
    "password", "passwd", "token", "secret", "apikey", "api-key", "api_key",
];

/// The report.
pub(crate) async fn text(desk: &Desk) -> String {
    let app = desk.app();
    let mut text = format!(
        "NoRouter {} on {:?} ({})\n\n",
        app.version,
        Platform::THIS,
        std::env::consts::ARCH
    );
    let _ = writeln!(text, "tray: {}\nsettings: {:?}", app.tray, app.settings);
    let _ = writeln!(
        text,
        "manifest: {:?}\nnetwork: {:?}",
        app.manifest, app.network
    );
    if let Some(failure) = &app.failure {
        let _ = writeln!(text, "failure: {}\n{}", failure.title, failure.report);
    }
    text += "\n== Programs\n";
    for check in checks::all().await {
        let _ = writeln!(text, "{}: {:?}, {}", check.id, check.state, check.detail);
    }
    if let Some(network) = desk.network() {
        text += "\n== Hosts\n";
        for host in &network.snapshot.hosts {
            let reason = host.reason.as_deref().unwrap_or_default();
            let word = host.state.word();
            let _ = writeln!(text, "{} {} {word} {reason}", host.name, host.vip);
            for problem in &host.problems {
                let _ = writeln!(text, "  problem: {problem}");
            }
        }
    }
    if let Ok(log) = desk.logs(None, LINES).await {
        text += "\n== Log of the network\n";
        for line in &log.lines {
            let _ = writeln!(text, "{}", in_words(line));
        }
    }
    text += "\n== Log of the app\n";
    text += &logbook::tail(&desk.folders().data);
    if let Ok(manifest) = desk
        .manifest()
        .and_then(|path| crate::manifest::read(&path))
    {
        let _ = write!(text, "\n== Manifest\n{}", manifest.text);
    }
    redacted(&text)
}

fn in_words(line: &LogLine) -> String {
    let LogLine {
        seq,
        time_ms,
        event,
    } = line;
    let what = match event {
        Event::Host {
            host,
            state,
            reason,
            ..
        } => {
            let reason = reason.as_deref().unwrap_or_default();
            format!("{host}: {} {reason}", state.word())
        }
        Event::Reloaded { changes, grants } => {
            let all: Vec<_> = changes.iter().chain(grants).map(String::as_str).collect();
            format!("reloaded: {}", all.join("; "))
        }
        Event::Held { grants } => format!("held: {}", grants.join("; ")),
        Event::Hopeless { hosts } => format!("none of {hosts} hosts can run"),
        Event::Stderr { host, line, .. } => format!("{host} | {line}"),
        Event::Warning { host, text, .. } => format!("{host}: warning: {text}"),
    };
    format!("{seq} {time_ms} {what}")
}

/// The text without what looks like a secret: the value after a word like `password`, and the user in an address.
pub(crate) fn redacted(text: &str) -> String {
    let lines = text.lines().map(|line| redacted_line(&without_users(line)));
    lines.map(|line| line + "\n").collect()
}

fn redacted_line(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut safe = String::new();
    let mut at = 0;
    while at < line.len() {
        let found = SECRET
            .iter()
            .filter_map(|word| Some((lower[at..].find(word)?, word.len())));
        let Some((start, length)) = found.min() else {
            break;
        };
        let after = at + start + length;
        safe += &line[at..after];
        let rest = &line[after..];
        // What stands between the word and its value: `=`, `: `, `", "`.
        let gap = rest.len()
            - rest
                .trim_start_matches([' ', '=', ':', '"', '\'', ','])
                .len();
        let value = rest[gap..]
            .find([' ', '"', '\'', ',', ']', '}', '&'])
            .unwrap_or(rest.len() - gap);
        safe += &rest[..gap];
        if gap > 0 && value > 0 {
            safe += "(left out)";
            at = after + gap + value;
        } else {
            at = after + gap;
        }
    }
    safe += &line[at..];
    safe
}

/// `scheme://user:password@host` without the user.
fn without_users(line: &str) -> String {
    let mut safe = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        safe += before;
        let end = after
            .find(['/', ' ', '"', '\'', ','])
            .unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(user) => {
                safe += "(left out)";
                &after[user..]
            }
            None => after,
        };
    }
    safe + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_left_out() {
        for (text, expected) in [
            (
                "cmd: sshpass --password=hunter2 ssh a",
                "cmd: sshpass --password=(left out) ssh a",
            ),
            (
                r#"cmd: ["x", "--token", "hunter2", "y"]"#,
                r#"cmd: ["x", "--token", "(left out)", "y"]"#,
            ),
            ("Password: hunter2", "Password: (left out)"),
            (
                "http://me:hunter2@web/x https://web/",
                "http://(left out)@web/x https://web/",
            ),
            (
                "API_KEY=hunter2&token=hunter2",
                "API_KEY=(left out)&token=(left out)",
            ),
            ("asks for a password", "asks for a password"),
            (
                "\u{130}\u{130} token \u{e9}t\u{e9} x",
                "\u{130}\u{130} token (left out) x",
            ),
        ] {
            assert_eq!(redacted(text), format!("{expected}\n"));
        }
    }
}
