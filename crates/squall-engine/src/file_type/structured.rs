//! Text with a structure but no opening of its own: JSON, INI, YAML, tables,
//! and encodings of binary data as text.

use super::text_view::TextView;
use super::{FileType, bytes, catalogue as types};

const SAMPLE_BYTES: usize = 8 * 1024;
const LINES_MAX: usize = 64;

/// Recognises structured text.
pub(super) fn detect(view: &TextView<'_>) -> Option<FileType> {
    let text = view.trimmed();
    let sample = bytes::head(text, SAMPLE_BYTES);
    let is_whole = view.is_complete() && sample.len() == text.len();
    if is_json(sample, is_whole) {
        return Some(types::JSON);
    }
    encoded(sample)
        .or_else(|| sections(sample, is_whole))
        .or_else(|| is_yaml(sample, is_whole).then_some(types::YAML))
        .or_else(|| is_table(sample, is_whole).then_some(types::CSV))
}

/// Lines of the sample; the last one is left out when it may be cut off.
fn lines(sample: &[u8], is_whole: bool) -> impl Iterator<Item = &[u8]> {
    let end = if is_whole {
        sample.len()
    } else {
        sample.iter().rposition(|byte| *byte == b'\n').unwrap_or(0)
    };
    sample[..end]
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty())
        .take(LINES_MAX)
}

/// Whether the sample is made of JSON tokens, starting with an object or an
/// array and balanced as far as it goes.
fn is_json(sample: &[u8], is_whole: bool) -> bool {
    const DEPTH_MAX: usize = 64;
    if !matches!(sample.first(), Some(b'{' | b'[')) {
        return false;
    }
    let mut depth = 0_usize;
    let mut tokens = 0_usize;
    let mut rest = sample;
    while let Some((first, after)) = rest.split_first() {
        let next = match first {
            b'{' | b'[' => {
                depth += 1;
                Some(after)
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                Some(after)
            }
            b',' | b':' if depth > 0 => Some(after),
            b' ' | b'\t' | b'\r' | b'\n' => Some(after),
            b'"' if depth > 0 => skip_string(after, is_whole),
            b'-' | b'0'..=b'9' if depth > 0 => Some(skip_while(rest, |byte| {
                byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
            })),
            b't' | b'f' | b'n' if depth > 0 => skip_literal(rest, is_whole),
            _ => None,
        };
        let Some(next) = next else { return false };
        tokens += 1;
        if depth > DEPTH_MAX {
            return tokens > DEPTH_MAX;
        }
        rest = next;
    }
    // `[1]` and `{}` are more often something else, or nothing.
    let is_balanced = depth == 0 || !is_whole;
    is_balanced && tokens > 1 && (sample.contains(&b'"') || tokens > 4)
}

fn skip_string(text: &[u8], is_whole: bool) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        match text.get(at) {
            Some(b'"') => return text.get(at + 1..),
            Some(b'\\') => at += 2,
            Some(b'\n') => return None,
            Some(_) => at += 1,
            None if is_whole => return None,
            None => return Some(&[]),
        }
    }
}

fn skip_literal(text: &[u8], is_whole: bool) -> Option<&[u8]> {
    const LITERALS: [&[u8]; 3] = [b"true", b"false", b"null"];
    LITERALS
        .iter()
        .find_map(|literal| text.strip_prefix(*literal))
        .or_else(|| {
            let is_cut = !is_whole && LITERALS.iter().any(|literal| literal.starts_with(text));
            is_cut.then_some(&[][..])
        })
}

fn skip_while(text: &[u8], accept: impl Fn(u8) -> bool) -> &[u8] {
    let end = text
        .iter()
        .position(|byte| !accept(*byte))
        .unwrap_or(text.len());
    &text[end..]
}

/// Binary data written as letters and digits.
fn encoded(sample: &[u8]) -> Option<FileType> {
    const CHARACTERS_MIN: usize = 64;
    const HEX_MIN: usize = 128;
    let mut classes = Classes::default();
    for byte in sample {
        if !classes.note(*byte) {
            return None;
        }
    }
    if classes.is_hex() {
        let is_enough = classes.characters >= HEX_MIN && !is_hash_list(sample);
        return is_enough.then_some(types::HEX);
    }
    let is_enough = classes.characters >= CHARACTERS_MIN && has_encoded_lines(sample);
    (is_enough && classes.is_mixed()).then_some(types::BASE64)
}

/// Which sorts of characters an encoded text is made of.
#[derive(Default)]
struct Classes {
    characters: usize,
    upper: usize,
    lower: usize,
    digits: usize,
    hex: usize,
    is_padded: bool,
}

impl Classes {
    /// Counts a character; false when it belongs to no encoding.
    fn note(&mut self, byte: u8) -> bool {
        match byte {
            b'\r' | b'\n' => return true,
            b'=' => {
                self.is_padded = true;
                return true;
            }
            // Padding ends the data.
            _ if self.is_padded => return false,
            b'A'..=b'Z' => self.upper += 1,
            b'a'..=b'z' => self.lower += 1,
            b'0'..=b'9' => self.digits += 1,
            b'+' | b'/' | b'-' | b'_' => {}
            _ => return false,
        }
        self.hex += usize::from(byte.is_ascii_hexdigit());
        self.characters += 1;
        true
    }

    fn is_hex(&self) -> bool {
        self.hex == self.characters && !self.is_padded
    }

    /// Encoded data has all sorts of characters; a word or a path has not.
    fn is_mixed(&self) -> bool {
        let share = self.characters / 20;
        self.upper > share && self.lower > share && self.digits > 0
    }
}

/// Lines of one length, the last one shorter, as encoders write them.
fn has_encoded_lines(sample: &[u8]) -> bool {
    const LINE_MIN: usize = 32;
    let mut lines = sample
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty());
    let first = lines.next().map_or(0, <[u8]>::len);
    let mut is_over = false;
    first >= LINE_MIN
        && lines.all(|line| {
            let was_over = is_over;
            is_over = line.len() < first;
            !was_over && line.len() <= first
        })
}

/// A list of hashes is a list, not an encoding.
fn is_hash_list(sample: &[u8]) -> bool {
    const HASH_CHARACTERS: [usize; 5] = [32, 40, 64, 96, 128];
    let first = sample
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    HASH_CHARACTERS.contains(&first.trim_ascii_end().len())
}

/// INI and its relatives: sections in brackets, `key=value` lines.
fn sections(sample: &[u8], is_whole: bool) -> Option<FileType> {
    let mut sections = 0;
    let mut pairs = 0;
    let mut others = 0;
    for line in lines(sample, is_whole) {
        let line = line.trim_ascii_start();
        match line.first() {
            Some(b';' | b'#') => {}
            Some(b'[') if is_section(line) => sections += 1,
            _ if is_pair(line, b'=') => pairs += 1,
            // INF sections list plain values.
            _ if sections == 0 => return None,
            _ => others += 1,
        }
    }
    if sections == 0 || pairs == 0 || others > pairs + sections {
        return None;
    }
    let has = |needle: &[u8]| bytes::contains_ignore_case(sample, needle);
    Some(if has(b"signature=\"$") || has(b"signature = \"$") {
        types::INF
    } else if has(b"[unit]")
        && (has(b"[service]") || has(b"[install]") || has(b"[timer]") || has(b"[socket]"))
    {
        types::SYSTEMD_UNIT
    } else if has(b"[internetshortcut]") {
        types::URL_SHORTCUT
    } else if has(b"[desktop entry]") {
        types::DESKTOP_ENTRY
    } else {
        types::INI
    })
}

fn is_section(line: &[u8]) -> bool {
    const NAME_MAX_BYTES: usize = 128;
    line.len() > 2
        && line.len() < NAME_MAX_BYTES
        && line.ends_with(b"]")
        && !line[1..].contains(&b'[')
}

/// Whether a line is `key<separator>value` with a key of a few plain words.
fn is_pair(line: &[u8], separator: u8) -> bool {
    const KEY_MAX_BYTES: usize = 80;
    let Some(at) = bytes::head(line, KEY_MAX_BYTES)
        .iter()
        .position(|byte| *byte == separator)
    else {
        return false;
    };
    let key = line[..at].trim_ascii();
    let spaces = key.iter().filter(|byte| **byte == b' ').count();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-.%$/\\:\"'*{}".contains(byte);
    !key.is_empty() && spaces <= 3 && key.iter().all(is_plain)
}

/// YAML: every line is a key, an item of a list, or a comment, and the text
/// starts as a document or has some depth.
fn is_yaml(sample: &[u8], is_whole: bool) -> bool {
    const KEYS_MIN: usize = 3;
    let is_document = sample.starts_with(b"---\n") || sample.starts_with(b"---\r\n");
    let mut keys = 0;
    let mut has_depth = false;
    let mut block_indent = None;
    let mut continued = 0;
    for line in lines(sample, is_whole) {
        let body = line.trim_ascii_start();
        let indent = line.len() - body.len();
        if block_indent.is_some_and(|block| indent > block) || matches!(body.first(), Some(b'#')) {
            continue;
        }
        block_indent = None;
        let is_item = body.starts_with(b"- ") || body == b"-";
        let content = if is_item {
            body[1..].trim_ascii_start()
        } else {
            body
        };
        if let Some(value) = yaml_value(content) {
            keys += 1;
            has_depth |= value.is_empty();
            if matches!(value.first(), Some(b'|' | b'>')) {
                block_indent = Some(indent);
            }
        } else if indent > 0 && keys > 0 && !is_item {
            continued += 1;
        } else if !(is_item || body == b"---" || body == b"...") {
            return false;
        }
    }
    let keys_min = if is_document { 1 } else { KEYS_MIN };
    // Values may go on over several lines, but few do.
    keys >= keys_min && (is_document || has_depth) && continued * 4 <= keys
}

/// The value of a `key: value` line, empty when lines below hold it.
fn yaml_value(line: &[u8]) -> Option<&[u8]> {
    const KEY_MAX_BYTES: usize = 80;
    let colon = bytes::head(line, KEY_MAX_BYTES)
        .iter()
        .position(|byte| *byte == b':')?;
    let key = &line[..colon];
    let is_key = !key.is_empty()
        && key
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-./\"'$*".contains(byte));
    let value = &line[colon + 1..];
    let is_separated = value.is_empty() || value.starts_with(b" ");
    (is_key && is_separated).then(|| value.trim_ascii())
}

/// A table: at least three lines with the same number of separators.
fn is_table(sample: &[u8], is_whole: bool) -> bool {
    const ROWS_MIN: usize = 3;
    [b',', b';', b'\t'].iter().any(|separator| {
        let mut counts = lines(sample, is_whole).map(|line| separators(line, *separator));
        let Some(first) = counts.next() else {
            return false;
        };
        let mut rows = 1;
        let is_even = counts.all(|count| {
            rows += 1;
            count == first
        });
        // One comma a line is how verse looks.
        let columns_min = if *separator == b',' { 2 } else { 1 };
        is_even && first >= columns_min && rows >= ROWS_MIN
    })
}

/// Separators outside of quotes.
fn separators(line: &[u8], separator: u8) -> usize {
    let mut is_quoted = false;
    let mut count = 0;
    for byte in line {
        if *byte == b'"' {
            is_quoted = !is_quoted;
        } else if *byte == separator && !is_quoted {
            count += 1;
        }
    }
    count
}
