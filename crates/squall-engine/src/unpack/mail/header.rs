//! The header fields of a message or a part.

/// The header fields, names in lower case and values unfolded.
pub(super) struct Headers<'a> {
    block: &'a [u8],
}

/// Longer header blocks are read as far as this; a relay accepts far less.
const HEADER_MAX_BYTES: usize = 1024 * 1024;

impl<'a> Headers<'a> {
    /// Splits bytes into header fields and body, at the first empty line. Lines
    /// between fields that are none are passed over, as mail programs do; if
    /// the first is none, there are no fields.
    pub(super) fn split(bytes: &'a [u8]) -> (Self, &'a [u8]) {
        let bytes = skip_leading(bytes);
        let mut at = 0;
        while at < bytes.len() {
            let line_end =
                memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
            let line = bytes[at..line_end].trim_ascii_end();
            if line.is_empty() {
                return (Self::of(&bytes[..at]), &bytes[line_end..]);
            }
            // A boundary with no empty line before it ends the fields as well.
            let is_body = line.starts_with(b"--") || (at == 0 && !is_field(line));
            if is_body {
                break;
            }
            at = line_end;
        }
        (Self::of(&bytes[..at]), &bytes[at..])
    }

    fn of(block: &'a [u8]) -> Self {
        Self {
            block: &block[..block.len().min(HEADER_MAX_BYTES)],
        }
    }

    /// The value of the first field of this name, which must be lower case,
    /// unfolded.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let mut value: Option<Vec<u8>> = None;
        for line in self.block.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let is_continuation = matches!(line.first(), Some(b' ' | b'\t'));
            match &mut value {
                Some(value) if is_continuation => value.extend_from_slice(line),
                Some(_) => break,
                None if is_continuation => {}
                None => value = value_of(line, name).map(<[u8]>::to_vec),
            }
        }
        value.map(|value| String::from_utf8_lossy(&value).trim().to_owned())
    }
}

/// What precedes the first field: a byte order mark, the separator of a
/// mailbox.
fn skip_leading(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"From ") || bytes.starts_with(b">From ") {
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        return &bytes[end..];
    }
    bytes
}

fn is_field(line: &[u8]) -> bool {
    const NAME_MAX_BYTES: usize = 200;
    let head = &line[..line.len().min(NAME_MAX_BYTES)];
    memchr::memchr(b':', head).is_some_and(|colon| {
        let name = line[..colon].trim_ascii_end();
        !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
    })
}

fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let colon = memchr::memchr(b':', line)?;
    line[..colon]
        .trim_ascii_end()
        .eq_ignore_ascii_case(name.as_bytes())
        .then(|| &line[colon + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_end_at_the_empty_line() {
        let (headers, body) = Headers::split(
            b"A: 1\r\ncontent-TYPE : text/\r\n plain;\r\n\tx=y\r\nB: 2\r\n\r\nA: 3\r\n",
        );
        assert_eq!(headers.field("content-type").unwrap(), "text/ plain;\tx=y");
        assert_eq!(headers.field("a").unwrap(), "1");
        assert_eq!(headers.field("c"), None);
        assert_eq!(body, b"A: 3\r\n");
    }

    #[test]
    fn a_part_may_have_no_fields() {
        assert_eq!(Headers::split(b"\r\nbody: x").1, b"body: x");
        assert_eq!(Headers::split(b"\nbody").1, b"body");
        assert_eq!(Headers::split(b"no field at all").1, b"no field at all");
        assert_eq!(Headers::split(b"").1, b"");
        assert_eq!(Headers::split(b"From a@b Mon\nA: 1\n\nx").1, b"x");
    }

    #[test]
    fn a_broken_line_does_not_hide_the_fields_below_it() {
        let (headers, body) = Headers::split(b"A: 1\nbroken\nB: 2\n\nbody");
        assert_eq!(headers.field("b").unwrap(), "2");
        assert_eq!(body, b"body");
        assert_eq!(Headers::split(b"A: 1\n--x\nB: 2\n\n").1, b"--x\nB: 2\n\n");
    }
}
