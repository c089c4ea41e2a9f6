//! Finding the objects of a file.

use memchr::memmem;

use super::lexer::Lexer;
use super::object::Object;
use super::value::Value;

/// The objects, in the order in which they are in the file.
pub(super) struct Objects<'a> {
    content: &'a [u8],
    at: usize,
    /// Where the next `endstream` is, if it was looked for already; the search
    /// is not repeated for every stream that lacks one.
    end_of_stream: Option<usize>,
    /// How many bytes may still be gone through a second time.
    again_max: usize,
}

impl<'a> Objects<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self {
            content,
            at: 0,
            end_of_stream: None,
            again_max: content.len().saturating_mul(2),
        }
    }

    /// Goes on at `parsed`, or at `doubtful` before it if what lies between may
    /// hide objects: readers that follow a cross-reference table find them
    /// there. Only so many bytes are read twice, so that the time stays linear.
    fn go_on(&mut self, doubtful: usize, parsed: usize) {
        let again = parsed.saturating_sub(doubtful);
        if again <= self.again_max {
            self.again_max -= again;
            self.at = doubtful;
        } else {
            self.at = parsed;
        }
    }

    /// The stream at `at`, if there is one, without the line break before its
    /// end.
    fn stream(&mut self, at: usize, value: &Value) -> Option<&'a [u8]> {
        const WORD: &[u8] = b"stream";
        let rest = self.content.get(at..)?.strip_prefix(WORD)?;
        let skipped = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            // Some writers put spaces before the line break.
            [b' ', ..] => rest
                .iter()
                .take(16)
                .position(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1),
            _ => 0,
        };
        let start = at + WORD.len() + skipped;
        let declared = value
            .get("Length")
            .and_then(Value::integer)
            .and_then(|len| usize::try_from(len).ok())
            .and_then(|len| start.checked_add(len))
            .filter(|end| self.is_end(*end));
        let end = declared.unwrap_or_else(|| self.find_end(start));
        let stream = self.content.get(start..end)?;
        if memmem::find(stream, b"obj").is_some() {
            self.go_on(start, end);
        } else {
            self.at = end;
        }
        Some(stream)
    }

    /// Whether the word that ends a stream follows.
    fn is_end(&self, at: usize) -> bool {
        const SPACE_MAX_BYTES: usize = 16;
        let Some(rest) = self.content.get(at..) else {
            return false;
        };
        let space = rest
            .iter()
            .take(SPACE_MAX_BYTES)
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        rest[space..].starts_with(b"endstream")
    }

    fn find_end(&mut self, start: usize) -> usize {
        let end = match self.end_of_stream {
            Some(end) if end >= start => end,
            _ => memmem::find(&self.content[start..], b"endstream")
                .map_or(self.content.len(), |found| start + found),
        };
        self.end_of_stream = Some(end);
        let stream = &self.content[start..end];
        let stream = stream.strip_suffix(b"\n").unwrap_or(stream);
        let stream = stream.strip_suffix(b"\r").unwrap_or(stream);
        start + stream.len()
    }
}

impl<'a> Iterator for Objects<'a> {
    type Item = Object<'a>;

    fn next(&mut self) -> Option<Object<'a>> {
        loop {
            let rest = self.content.get(self.at..)?;
            let word = self.at + memmem::find(rest, b"obj")?;
            self.at = word + 3;
            let Some((number, generation)) = numbers_before(self.content, word) else {
                continue;
            };
            let mut lexer = Lexer::new(self.content, self.at);
            let value = lexer.value().unwrap_or(Value::Other);
            lexer.skip_space();
            let end = lexer.at();
            let rest = self.content.get(end..).unwrap_or_default();
            let stream = if rest.starts_with(b"stream") {
                self.stream(end, &value)
            } else if rest.starts_with(b"endobj") {
                self.at = end;
                None
            } else {
                self.go_on(self.at, end);
                None
            };
            if lexer.is_broken() {
                self.go_on(word + 3, self.at);
            }
            return Some(Object {
                number,
                generation,
                value,
                stream,
            });
        }
    }
}

/// The numbers in `12 0 obj`.
fn numbers_before(content: &[u8], word: usize) -> Option<(u32, u32)> {
    const NUMBERS_MAX_BYTES: usize = 40;
    let before = &content[word.saturating_sub(NUMBERS_MAX_BYTES)..word];
    let (before, generation) = last_number(before)?;
    let (_, number) = last_number(before)?;
    Some((number, generation))
}

/// Splits the number off that the bytes end with.
fn last_number(bytes: &[u8]) -> Option<(&[u8], u32)> {
    let bytes = bytes.trim_ascii_end();
    let digits = bytes
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (before, digits) = bytes.split_at(bytes.len() - digits);
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((before, number))
}

/// The objects in a decoded stream of objects, with their numbers.
pub(super) fn in_stream(dictionary: &Value, bytes: &[u8]) -> Vec<(u32, Value)> {
    const COUNT_MAX: usize = 10_000;
    let integer = |key| {
        let value = dictionary.get(key).and_then(Value::integer);
        value.and_then(|value| usize::try_from(value).ok())
    };
    let count = integer("N").unwrap_or(COUNT_MAX).min(COUNT_MAX);
    let first = integer("First").unwrap_or(0);
    let mut index = Lexer::new(bytes, 0);
    let mut objects = Vec::new();
    let mut read_to = 0;
    for _ in 0..count {
        let Some((number, offset)) = index.value().zip(index.value()) else {
            break;
        };
        let (Some(number), Some(offset)) = (number.integer(), offset.integer()) else {
            break;
        };
        let Some(at) = usize::try_from(offset)
            .ok()
            .and_then(|offset| first.checked_add(offset))
        else {
            continue;
        };
        // Every object follows the one before; going back would read the same
        // bytes again for each.
        if at < read_to || at >= bytes.len() {
            continue;
        }
        let mut lexer = Lexer::new(bytes, at);
        if let (Ok(number), Some(value)) = (u32::try_from(number), lexer.value()) {
            objects.push((number, value));
        }
        read_to = lexer.at().max(at);
    }
    objects
}

/// The trailers of the file that speak of encryption.
pub(super) fn encrypted_trailers(content: &[u8]) -> Vec<Value> {
    const WORD: &[u8] = b"trailer";
    const TRAILERS_MAX: usize = 10;
    let mut trailers = Vec::new();
    let mut at = 0;
    while let Some(found) = memmem::find(&content[at..], WORD) {
        let mut lexer = Lexer::new(content, at + found + WORD.len());
        let trailer = lexer.value();
        trailers.extend(trailer.filter(|trailer| trailer.get("Encrypt").is_some()));
        if trailers.len() == TRAILERS_MAX {
            break;
        }
        at = lexer.at().min(content.len());
    }
    trailers
}
