//! Where a run of digits goes on in another string literal: one that is added to
//! this one, or one that the next statement adds to the same variable.

/// How far it is from the quote that ends a literal to the content of the next
/// one. The run began at `start`, and its digits end at `end`.
pub(super) fn joint(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    match rest.first()? {
        b'"' | b'\'' => operator(rest).or_else(|| statement(text, start, rest)),
        _ => None,
    }
}

/// `" + "`, over several lines or not.
fn operator(rest: &[u8]) -> Option<usize> {
    const GAP_MAX_BYTES: usize = 64;
    let window = &rest[..rest.len().min(GAP_MAX_BYTES)];
    let quote = window.first()?;
    let mut has_operator = false;
    for (index, byte) in window.iter().enumerate().skip(1) {
        match byte {
            b'+' | b'&' | b'.' | b',' => has_operator = true,
            b'\\' | b'^' => {}
            byte if is_break(*byte) => {}
            byte if byte == quote && has_operator => return Some(index + 1),
            _ => return None,
        }
    }
    None
}

/// `"; x = x & "` or `"; x += "`, where the run began in a literal for `x` too:
/// what is added to another variable is another file.
fn statement(text: &[u8], start: usize, rest: &[u8]) -> Option<usize> {
    const GAP_MAX_BYTES: usize = 160;
    let window = &rest[..rest.len().min(GAP_MAX_BYTES)];
    let (quote, after) = window.split_first()?;
    let after = after_all(after, |byte| is_blank(byte) || matches!(byte, b';' | b':'));
    let (target, after) = name(after);
    let after = match after_all(after, is_blank) {
        [b'+' | b'&' | b'.', b'=', after @ ..] => after,
        [b'=', after @ ..] => {
            let (source, after) = name(after_all(after, is_blank));
            if !source.eq_ignore_ascii_case(target) {
                return None;
            }
            match after_all(after, is_blank) {
                [b'+' | b'&' | b'.', after @ ..] => after,
                _ => return None,
            }
        }
        _ => return None,
    };
    let content = after_all(after, is_break).strip_prefix(std::slice::from_ref(quote))?;
    let is_same = !target.is_empty() && target.eq_ignore_ascii_case(variable(text, start, *quote));
    is_same.then_some(window.len() - content.len())
}

/// What the literal around `start` is assigned or added to; empty if that is
/// not plain to see.
fn variable(text: &[u8], start: usize, quote: u8) -> &[u8] {
    const WINDOW_BYTES: usize = 160;
    let before = &text[start.saturating_sub(WINDOW_BYTES)..start];
    let Some(literal) = before.iter().rposition(|byte| *byte == quote) else {
        return &[];
    };
    let before = before_all(&before[..literal], is_break);
    let operators = |byte| matches!(byte, b'=' | b'+' | b'&' | b'.');
    let assigned = before_all(before, operators);
    if assigned.len() == before.len() {
        return &[];
    }
    let assigned = before_all(assigned, is_blank);
    &assigned[before_all(assigned, is_of_name).len()..]
}

/// The name at the start of `text`, and what is behind it. A point at its end is
/// the operator.
fn name(text: &[u8]) -> (&[u8], &[u8]) {
    let len = text.len() - after_all(text, is_of_name).len();
    let name = before_all(&text[..len], |byte| byte == b'.');
    (name, &text[name.len()..])
}

/// `text` without the bytes of a kind at its start.
fn after_all(text: &[u8], is_kind: impl Fn(u8) -> bool) -> &[u8] {
    let len = text.iter().take_while(|byte| is_kind(**byte)).count();
    &text[len..]
}

/// `text` without the bytes of a kind at its end.
fn before_all(text: &[u8], is_kind: impl Fn(u8) -> bool) -> &[u8] {
    let len = text.iter().rev().take_while(|byte| is_kind(**byte)).count();
    &text[..text.len() - len]
}

/// Part of a variable's name, of a property's, or of an element's.
const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || !byte.is_ascii()
        || matches!(
            byte,
            b'_' | b'$' | b'@' | b'.' | b'-' | b'>' | b'(' | b')' | b'[' | b']'
        )
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// White space, or what says that a statement goes on in the next line.
const fn is_break(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'_' | b'`')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the run goes on that begins behind the first quote and ends at the
    /// second.
    fn joined(text: &str) -> Option<&str> {
        let is_quote = |byte: char| matches!(byte, '"' | '\'');
        let start = text.find(is_quote).unwrap() + 1;
        let end = start + text[start..].find(is_quote).unwrap();
        joint(text.as_bytes(), start, end).map(|gap| &text[end + gap..])
    }

    #[test]
    fn literals_that_are_added_are_joined() {
        for text in [
            "x = 'A' + 'B'",
            "x = \"A\" & _\r\n  \"B\"",
            "x = \"A\"\r\nx = x & \"B\"",
            "x = \"A\"\r\n\r\n\tX = x + \"B\"",
            "x=\"A\":x=x&\"B\"",
            "Dim x: x = \"A\": x = x & _\r\n \"B\"",
            "x = x & \"A\"\nx = x & \"B\"",
            "x = x & _\r\n\"A\"\r\nx = x & \"B\"",
            "obj.text = \"A\"\nobj.text = obj.text & \"B\"",
            "a(0) = \"A\"\na(0) = a(0) & \"B\"",
            "var x = 'A';\nx += 'B';",
            "$x = 'A'; $x += 'B'",
            "$x='A';$x.='B';",
            "$x .= 'A';\n$x .= 'B';",
            "$x='A';$x=$x.'B';",
            "$this->x = 'A';\n$this->x .= 'B';",
            "x &= \"A\"\nx &= \"B\"",
            "x = \"data:a/b;base64,A\";\nx += \"B\";",
        ] {
            let rest = joined(text).unwrap_or_else(|| panic!("{text:?}"));
            assert!(rest.starts_with('B'), "{text:?}: {rest:?}");
        }
    }

    #[test]
    fn what_belongs_elsewhere_is_not_joined() {
        for text in [
            "x = 'A' 'B'",
            "x = 'A' + \"B\"",
            "x = \"A\"\ny = y & \"B\"",
            "x = \"A\"\ny += \"B\"",
            "x = \"A\"\nx = y & \"B\"",
            "x = \"A\"\nx = \"B\"",
            "x = \"A\"\n+= \"B\"",
            "x = \"A\"\nx += 'B'",
            "x = \"A\"\nx == \"B\"",
            "f(\"A\")\nx += \"B\"",
            "f \"A\"\nf += \"B\"",
            "\"A\"\nx += \"B\"",
            "x = 'A'",
            "x = 'A'\nx +",
            "x = 'A'\nx = x",
            "x = 'A'\nx += ",
        ] {
            assert_eq!(joined(text), None, "{text:?}");
        }
        let far = format!("x = 'A';{}x += 'B'", " ".repeat(200));
        assert_eq!(joined(&far), None);
    }
}
