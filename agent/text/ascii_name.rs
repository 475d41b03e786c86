//! Converts names with letters outside ASCII to the form that DNS uses: `bücher.example` becomes
//! `xn--bcher-kva.example` (RFC 3492).

/// Advises what to write in place of a name or pattern whose only fault is that it has letters outside ASCII.
pub fn advice(name: &str) -> Option<String> {
    let fits = |c: char| match c {
        '-' | '_' | '.' | '*' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        // Letters and digits, and combining marks, which some texts have as a separate character after their letter.
        _ => c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}'),
    };
    if name.is_ascii() || !name.chars().all(fits) {
        return None;
    }
    let labels: Option<Vec<_>> = name.split('.').map(label).collect();
    Some(match labels {
        Some(labels) => format!(
            "write it as DNS does, in letters of ASCII: \"{}\"",
            labels.join(".")
        ),
        None => "write it as DNS does, in letters of ASCII: xn--...".to_owned(),
    })
}

/// A label in the form that DNS uses. `None` if the label is a pattern, or if it has combining characters, because
/// lower case and punycode are not enough for these.
fn label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_ascii_lowercase());
    }
    let lower: Vec<char> = label.to_lowercase().chars().collect();
    let fits = |c: &char| c.is_alphanumeric() || *c == '-';
    let coded = punycode(&lower).filter(|_| lower.iter().all(fits))?;
    Some(format!("xn--{coded}")).filter(|coded| coded.len() <= 63)
}

/// The label in punycode: first its ASCII characters, and then one number of variable length for each other character.
/// The number says how many positions and characters lie between this character and the previous one (RFC 3492 section
/// 6.3).
fn punycode(text: &[char]) -> Option<String> {
    let mut coded: String = text.iter().filter(|c| c.is_ascii()).collect();
    let basic = u32::try_from(coded.len()).ok()?;
    if basic > 0 {
        coded.push('-');
    }
    let total = u32::try_from(text.len()).ok()?;
    let (mut done, mut character, mut delta, mut bias) = (basic, 128, 0_u32, 72);
    while done < total {
        let characters = text.iter().map(|c| u32::from(*c));
        let next = characters.clone().filter(|code| *code >= character).min()?;
        delta = delta.checked_add((next - character).checked_mul(done + 1)?)?;
        for code in characters {
            if code < next {
                delta = delta.checked_add(1)?;
            } else if code == next {
                number(delta, bias, &mut coded)?;
                bias = adapt(delta, done + 1, done == basic);
                (delta, done) = (0, done + 1);
            }
        }
        delta = delta.checked_add(1)?;
        character = next + 1;
    }
    Some(coded)
}

/// Appends a number with variable length, lowest digit first. The bias adapts the encoding to the expected size of the
/// number.
fn number(mut number: u32, bias: u32, coded: &mut String) -> Option<()> {
    let mut at = 36;
    loop {
        let threshold = at.clamp(bias + 1, bias + 26) - bias;
        if number < threshold {
            break;
        }
        let rest = number - threshold;
        coded.push(digit(threshold + rest % (36 - threshold))?);
        number = rest / (36 - threshold);
        at += 36;
    }
    coded.push(digit(number)?);
    Some(())
}

/// A digit of a number: `a` to `z`, and then `0` to `9`.
fn digit(value: u32) -> Option<char> {
    match value {
        0..26 => char::from_u32(u32::from('a') + value),
        _ => char::from_digit(value - 26, 10),
    }
}

/// The new bias, after a number was written (RFC 3492 section 6.1).
fn adapt(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut bias = 0;
    while delta > 35 * 26 / 2 {
        delta /= 35;
        bias += 36;
    }
    bias + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_dns_writes_it() {
        for (name, ascii) in [
            ("*.Bücher.example", "*.xn--bcher-kva.example"),
            ("büro", "xn--bro-hoa"),
            ("MÜNCHEN.de", "xn--mnchen-3ya.de"),
            ("日本語.jp", "xn--wgv71a119e.jp"),
            ("пример", "xn--e1afmkfd"),
            ("faß.de", "xn--fa-hia.de"),
        ] {
            let advice = advice(name).unwrap();
            assert!(advice.ends_with(&format!("\"{ascii}\"")), "{advice}");
        }
        for name in ["web.example", "é b", "é\u{202e}", "a\u{a0}b", "“é”"] {
            assert_eq!(advice(name), None, "{name}");
        }
    }

    #[test]
    fn a_form_that_is_not_certain_is_not_given() {
        for name in ["bu\u{308}cher", "b\u{fc}*", &"é".repeat(200)] {
            assert!(advice(name).unwrap().ends_with("xn--..."), "{name}");
        }
    }
}
