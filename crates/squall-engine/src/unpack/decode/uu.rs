//! Uuencoded blocks in text.

use memchr::memmem;

/// A block found: the name in its first line, and its bytes.
pub(in super::super) struct Block {
    pub(in super::super) name: String,
    pub(in super::super) content: Vec<u8>,
}

/// Finds the uuencoded blocks in a text.
pub(in super::super) fn blocks(text: &[u8]) -> Vec<Block> {
    const BLOCKS_MAX: usize = 1000;
    let finder = memmem::Finder::new(b"begin ");
    let mut found = Vec::new();
    let mut from = 0;
    while found.len() < BLOCKS_MAX {
        let Some(at) = finder.find(&text[from..]).map(|at| from + at) else {
            break;
        };
        from = at + 1;
        let is_line_start = at == 0 || matches!(text[at - 1], b'\n' | b'\r');
        if !is_line_start {
            continue;
        }
        if let Some((block, end)) = block_at(text, at) {
            found.push(block);
            from = end;
        }
    }
    found
}

/// The block that begins at `start`, and where it ends.
fn block_at(text: &[u8], start: usize) -> Option<(Block, usize)> {
    let mut lines = Lines { text, at: start };
    let mut first = lines.next()?.splitn(3, |byte| *byte == b' ');
    let is_begin = first.next()? == b"begin";
    let mode = first.next()?;
    let is_mode = matches!(mode.len(), 3 | 4) && mode.iter().all(u8::is_ascii_digit);
    let name = first.next()?;
    if !is_begin || !is_mode {
        return None;
    }
    let mut content = Vec::new();
    let mut end = lines.at;
    while let Some(line) = lines.next() {
        if line == b"end" || !decode_line(line, &mut content) {
            break;
        }
        end = lines.at;
    }
    let name = String::from_utf8_lossy(name).into_owned();
    (!content.is_empty()).then_some((Block { name, content }, end))
}

/// Decodes a line; tells whether it was one.
fn decode_line(line: &[u8], content: &mut Vec<u8>) -> bool {
    let value = |byte: u8| (0x20..=0x60).contains(&byte).then(|| (byte - 0x20) & 0x3f);
    let Some((len, digits)) = line.split_first() else {
        return false;
    };
    let Some(len) = value(*len).map(usize::from) else {
        return false;
    };
    let mut decoded = Vec::with_capacity(48);
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for index in 0..4 {
            // Trailing spaces may have been lost on the way; they are zeros.
            let digit = group.get(index).copied().unwrap_or(b' ');
            let Some(value) = value(digit) else {
                return false;
            };
            bits = bits << 6 | u32::from(value);
        }
        decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    decoded.resize(len, 0);
    content.extend_from_slice(&decoded);
    true
}

/// The lines of a text, without their breaks.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        // A line of a block has at most 61 bytes; without this bound a text of
        // one long line would be gone through for every `begin` in it.
        const LINE_MAX_BYTES: usize = 1000;
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let window = &rest[..rest.len().min(LINE_MAX_BYTES)];
        let end = memchr::memchr(b'\n', window).unwrap_or(window.len());
        self.at += (end + 1).min(rest.len());
        let line = &window[..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_other_text() {
        let text =
            b"hi\nbegin 644 a b.txt\r\n#0V%T\r\n`\r\nend\r\nbegin a new day\nbegin 755 x\n#0V%T";
        let found = blocks(text);
        let seen: Vec<_> = found
            .iter()
            .map(|block| (block.name.as_str(), block.content.as_slice()))
            .collect();
        assert_eq!(seen, [("a b.txt", &b"Cat"[..]), ("x", b"Cat")]);
    }

    #[test]
    fn prose_is_no_block() {
        assert!(blocks(b"begin 644 x\n\nbegin 12345 y\n#0V%T\n").is_empty());
    }
}
