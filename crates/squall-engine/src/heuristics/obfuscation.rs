//! Scripts that carry their meaning in one long line of code or data nobody
//! can read.

use std::borrow::Cow;
use std::ops::Range;

use super::kinds;
use super::view::{Place, View};
use crate::entropy::entropy;

/// Bytes of a script that are looked at.
const HEAD_MAX_BYTES: usize = 4 << 20;

/// Bytes of one line that are looked at.
const LINE_MAX_BYTES: usize = 1 << 20;

/// Bytes from which on a line is very long.
const LONG_LINE_BYTES: usize = 4096;

/// Entropy of a line from which on it is no code a person wrote, in bits per
/// byte. Base64 has just under 6; of 41 such lines in Python and Perl on a
/// Debian machine none had more than 5.1.
const ENTROPY_MIN: f64 = 5.4;

/// The same for JavaScript: of 430 lines that bundlers made, none had more than
/// 5.55.
const JAVASCRIPT_ENTROPY_MIN: f64 = 5.75;

/// Share of a script's bytes that are in its longest line, from which on the
/// rest is only there to unpack it.
const JAVASCRIPT_LINE_SHARE: f64 = 0.5;

/// Bytes of the line that are shown.
const SHOWN_BYTES: usize = 64;

/// A script with a very long line of high entropy.
pub(super) fn long_line(view: &View<'_>) -> Option<Vec<Place>> {
    let subject = view.subject;
    if !kinds::is_script(subject.file_type) || subject.content.len() < LONG_LINE_BYTES {
        return None;
    }
    let head = &subject.content[..subject.content.len().min(HEAD_MAX_BYTES)];
    let line = longest_line(head)?;
    let text = text(head, &line);
    let is_javascript = subject.file_type.name() == "JS";
    let share = line.len() as f64 / head.len() as f64;
    if text.len() < LONG_LINE_BYTES || (is_javascript && share < JAVASCRIPT_LINE_SHARE) {
        return None;
    }
    let entropy_min = if is_javascript {
        JAVASCRIPT_ENTROPY_MIN
    } else {
        ENTROPY_MIN
    };
    let shown = line.start..line.end.min(line.start + SHOWN_BYTES);
    (entropy(&text) >= entropy_min).then(|| vec![Place::Content(shown)])
}

/// The longest run of bytes without a line break, if it is very long.
fn longest_line(content: &[u8]) -> Option<Range<usize>> {
    let mut longest = 0..0;
    let mut start = 0;
    let breaks = memchr::memchr2_iter(b'\n', b'\r', content);
    for end in breaks.chain([content.len()]) {
        if end - start > longest.len() {
            longest = start..end;
        }
        start = end + 1;
    }
    (longest.len() >= LONG_LINE_BYTES).then_some(longest)
}

/// The characters of a line: of UTF-16 every other byte, since the zeros
/// between would halve the entropy.
fn text<'a>(content: &'a [u8], line: &Range<usize>) -> Cow<'a, [u8]> {
    let bytes = &content[line.start..line.end.min(line.start + LINE_MAX_BYTES)];
    let is_wide = content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]);
    if is_wide {
        bytes.iter().copied().filter(|&byte| byte != 0).collect()
    } else {
        Cow::Borrowed(bytes)
    }
}
