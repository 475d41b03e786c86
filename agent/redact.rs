//! Removes from a text everything that looks like a secret, for a report that others will read. In case of doubt, this
//! module removes text. A secret that does not look like one is not removed.

use std::ops::Range;

/// This text replaces each secret.
const LEFT_OUT: &str = "(left out)";

/// If a word contains one of these texts, the next value is a secret.
const WITHIN: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "credential",
    "bearer",
    "sshpass",
    "privatekey",
    "cookie",
];

/// If a word, or one of its parts between `-`, `_` and `.`, is one of these, the next value is a secret.
const WHOLE: [&str; 9] = [
    "pass",
    "pwd",
    "pw",
    "pin",
    "otp",
    "auth",
    "authorization",
    "basic",
    "pgpass",
];

/// If one of these words comes before the word "key", the next value is a secret: "api key".
const KEYS: [&str; 10] = [
    "api",
    "access",
    "private",
    "secret",
    "signing",
    "encryption",
    "account",
    "master",
    "license",
    "shared",
];

/// If one of these words follows the word that announces a secret, the secret may be anywhere in the rest of the line:
/// "password for the bastion is X".
const LINKS: [&str; 14] = [
    "is", "was", "are", "for", "of", "to", "on", "at", "in", "the", "a", "be", "as", "=>",
];

/// Prefixes of the secrets that well-known vendors issue.
const KNOWN: [&str; 16] = [
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "sk-",
    "eyJ",
    "AIza",
    "hvs.",
    "AGE-SECRET-KEY-",
];

/// The text without everything that looks like a secret: values after words like `password`, users in URLs, private
/// keys, and words with the prefix of a well-known vendor's secrets.
pub fn redacted(text: &str) -> String {
    let mut safe = String::new();
    let mut in_key = false;
    for line in text.lines() {
        let is_begin = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY");
        if is_begin || in_key {
            in_key = !line.contains("-----END ");
            safe += LEFT_OUT;
        } else {
            safe += &redacted_line(&without_users(line));
        }
        safe.push('\n');
    }
    safe
}

fn redacted_line(line: &str) -> String {
    let mut safe = String::new();
    let mut at = 0;
    while let Some(word) = next_word(line, at) {
        let Some(mut secret) = secret_after(line, &word) else {
            safe += &line[at..word.end];
            at = word.end;
            continue;
        };
        // The value may itself be a word that announces a secret. In "pin password: X", the value of "pin" is
        // "password", so X has to be removed as well.
        while let Some(inside) = next_word(line, secret.start)
            .filter(|inside| inside.end <= secret.end)
            .and_then(|inside| secret_after(line, &inside))
            .filter(|inside| inside.end > secret.end)
        {
            secret.end = inside.end;
        }
        safe += &line[at..secret.start];
        safe += LEFT_OUT;
        at = secret.end;
    }
    safe + &line[at..]
}

/// The next word, made of letters, digits, `-`, `_` and `.`. A word is never split.
fn next_word(line: &str, from: usize) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let start = from + line[from..].find(is_part)?;
    let length = line[start..].find(|c| !is_part(c));
    Some(start..length.map_or(line.len(), |length| start + length))
}

/// The secret that begins inside this word or follows it. `None` if there is none.
fn secret_after(line: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let text = &line[word.clone()];
    if KNOWN
        .iter()
        .any(|begin| text.starts_with(begin) && text.len() >= begin.len() + 8)
    {
        return Some(word.clone());
    }
    let quoted = line[..word.start].chars().next_back();
    let starts_argument = quoted.is_none_or(|c| c.is_whitespace() || "\"'[,".contains(c));
    // Some programs take a password as "-pX", in one word. A number after "-p" is a port, except for sshpass.
    if starts_argument && let Some(rest) = text.strip_prefix("-p") {
        let is_password = |value: &str| {
            line.to_ascii_lowercase().contains("sshpass")
                || !value.chars().all(|c| c.is_ascii_digit() || c == ':')
        };
        if !rest.is_empty() && is_password(rest) {
            let end = value_end(line, word.start + 2, None);
            return Some(word.start + 2..end);
        }
        let value = value_after(line, word.end)?;
        return (rest.is_empty() && is_password(&line[value.clone()])).then_some(value);
    }
    // "-u ann:X" contains a password, but "-u ann" does not.
    if starts_argument && ["-u", "-U", "--user", "--proxy-user"].contains(&text) {
        let value = value_after(line, word.end)?;
        return line[value.clone()].contains(':').then_some(value);
    }
    let lower = text.to_ascii_lowercase();
    // Here `sshpass` is the name of the program, not that of the variable `SSHPASS`.
    if lower == "sshpass" && !line[word.end..].starts_with('=') {
        return None;
    }
    let next = || {
        let next = next_word(line, word.end)?;
        let gap = &line[word.end..next.start];
        (gap == " ").then(|| line[next].to_ascii_lowercase())
    };
    // In "private key X", the secret comes after the second word.
    if KEYS.contains(&lower.as_str()) && next().is_some_and(|next| next == "key" || next == "keys")
    {
        let key = next_word(line, word.end)?;
        return value_after(line, key.end);
    }
    is_secret_word(&lower).then(|| value_after(line, word.end))?
}

fn is_secret_word(lower: &str) -> bool {
    let parts: Vec<&str> = lower.split(['-', '_', '.']).collect();
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    WITHIN.iter().any(|word| lower.contains(word))
        || has(&WHOLE)
        || (has(&["key", "keys"]) && has(&KEYS))
}

/// The value after a word. Blanks, quotes and signs such as `=` and `:` between them are skipped.
fn value_after(line: &str, from: usize) -> Option<Range<usize>> {
    let is_gap = |c: char| c.is_whitespace() || "=:\"'`,>([{".contains(c);
    let rest = &line[from..];
    let gap = rest.len() - rest.trim_start_matches(is_gap).len();
    let start = from + gap;
    if gap == 0 || start == line.len() {
        return None;
    }
    let between = &rest[..gap];
    let open = between.chars().next_back().filter(|c| "\"'`".contains(*c));
    let is_prose = open.is_none() && {
        let word = line[start..].split_whitespace().next().unwrap_or_default();
        LINKS.contains(&word.to_ascii_lowercase().as_str())
    };
    // After a colon and a space, the rest of the line is the value: "passphrase: correct horse battery staple".
    let is_rest = open.is_none() && between.contains(':') && between.ends_with(char::is_whitespace);
    let end = if is_prose || is_rest {
        line.len()
    } else {
        value_end(line, start, open)
    };
    (start < end).then_some(start..end)
}

/// The end of a value. If the value is quoted, this is its closing quote. Otherwise it is the first character that
/// cannot be part of a word.
fn value_end(line: &str, start: usize, open: Option<char>) -> usize {
    let mut escaped = false;
    let end = line[start..].find(|c: char| {
        let is_end = match open {
            Some(open) => c == open && !escaped,
            None => c.is_whitespace() || "\"'`,]}&;".contains(c),
        };
        escaped = c == '\\' && !escaped;
        is_end
    });
    end.map_or(line.len(), |end| start + end)
}

/// Removes the user and password from each `scheme://user:password@host`.
fn without_users(line: &str) -> String {
    let mut safe = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        safe += before;
        let end = after.find(|c: char| c.is_whitespace() || "/\"',".contains(c));
        let end = end.unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(user) => {
                safe += LEFT_OUT;
                &after[user..]
            }
            None => after,
        };
    }
    safe + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            (
                "ssh -p 2222 web1 -- norouter",
                "ssh -p 2222 web1 -- norouter",
            ),
            ("podman run -p 8080:80 x", "podman run -p 8080:80 x"),
            (
                "10 tests passed, bypassing 3",
                "10 tests passed, bypassing 3",
            ),
            (
                "ports: [\"8080:127.0.0.1:80\"]",
                "ports: [\"8080:127.0.0.1:80\"]",
            ),
        ] {
            assert_eq!(redacted(text), format!("{expected}\n"));
        }
        let key =
            "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\nb";
        assert_eq!(redacted(key), "a\n(left out)\n(left out)\n(left out)\nb\n");
    }

    /// Different ways to write a secret. `@` stands for the secret.
    const SPELLINGS: [&str; 54] = [
        "sshpass -p @ ssh a",
        "sshpass -p@ ssh a",
        "AWS_SECRET_ACCESS_KEY=@",
        "passphrase: @",
        "Authorization: Bearer @",
        "secret_key: @",
        "TOKEN_V2=@",
        "curl -u ann:@ web",
        "x --pass @ y",
        "pwd=@",
        "private-key @",
        "token\t@",
        "password is @",
        "password: \"first @\"",
        "x --password 'first @' y",
        "Passphrase: first second @",
        "the password for web1 is @",
        "PGPASSWORD=@ psql",
        "SSHPASS=@",
        "mysql -p@ x",
        "mysql -ux -p@",
        "[\"sshpass\", \"-p\", \"@\", \"ssh\"]",
        "[sshpass, -p, @, ssh]",
        "--user ann:@",
        "--proxy-user=x --pw=@",
        "{\"password\": \"@\"}",
        "{\"password\":\"@\"}",
        "{'secret': '@'}",
        "password=@;x",
        "password = @",
        "password=> @",
        "PASSWORD:@",
        "DB_PASS=@",
        "db.password=@",
        "db_pwd: @",
        "API-Key: @",
        "x-api-key: @",
        "api key @",
        "the private key: @",
        "access_key_id=@",
        "client-secret=@",
        "Authorization: Basic @",
        "Proxy-Authorization: Digest @",
        "Cookie: a=1; session=@",
        "set-cookie: @",
        "--auth-token=@",
        "authToken: @",
        "refresh_token=@&x",
        "pin: @",
        "otp @",
        "credentials: @",
        "ssh://ann:@@web",
        "http://@@web/",
        "--passphrase-file=x --passwd \"a b @\"",
    ];

    proptest! {
        #[test]
        fn no_spelling_lets_a_secret_through(
            spelling in prop::sample::select(SPELLINGS.to_vec()), secret in "[a-zA-Z][a-zA-Z0-9]{8,20}", upper in any::<bool>(),
            before in "[a-z |]{0,10}", behind in prop::sample::select(vec!["", " and more", ", more", "\nmore"]),
        ) {
            let is_word = spelling.chars().next().is_some_and(char::is_alphabetic) && !spelling.contains(" -");
            let spelling = if upper && is_word { spelling.to_uppercase() } else { spelling.to_owned() };
            // In a URL only the first `@` stands for the secret.
            let text = spelling.replacen('@', &secret, 1);
            let text = format!("{before} {text}{behind}");
            let safe = redacted(&text);
            prop_assert!(!safe.contains(&secret), "{text} -> {safe}");
        }

        #[test]
        fn any_text_can_be_redacted(text in any::<String>(), word in prop::sample::select(WITHIN.to_vec())) {
            let text = format!("{text}{word}{text}");
            prop_assert!(redacted(&text).lines().count() >= text.lines().count());
        }
    }

    #[test]
    fn what_begins_like_a_known_secret_is_left_out_without_any_word() {
        for secret in [
            "ghp_0123456789abcdef",
            "AKIA0123456789ABCDEF",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
        ] {
            assert_eq!(
                redacted(&format!("run {secret} now")),
                "run (left out) now\n"
            );
        }
    }
}
