//! The parts between the boundaries of a multipart body.

use memchr::memmem;

/// Splits a body at its boundary lines. What stands before the first is no
/// part; the last part may lack its closing line, and what follows a closing
/// line but another boundary is a part again, as some mail programs have it.
///
/// Empty if the boundary does not occur. At most `parts_max` parts are found,
/// each of which takes memory.
pub(super) fn split<'a>(body: &'a [u8], boundary: &[u8], parts_max: usize) -> Parts<'a> {
    let strict = lines(body, boundary, parts_max, Match::Line);
    let lines = if strict.is_empty() {
        lines(body, boundary, parts_max, Match::Start)
    } else {
        strict
    };
    let mut parts = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.is_closing {
            continue;
        }
        let end = lines.get(index + 1).map_or(body.len(), |next| next.start);
        let part = &body[line.end..end.max(line.end)];
        parts.push(without_line_break(part, end < body.len()));
    }
    Parts {
        parts,
        is_closed: lines.last().is_some_and(|line| line.is_closing),
    }
}

/// What a body was split into.
pub(super) struct Parts<'a> {
    pub(super) parts: Vec<&'a [u8]>,
    /// Whether the last line with the boundary is a closing one; if not, the
    /// end of the last part may be missing.
    pub(super) is_closed: bool,
}

/// The boundary a body seems to have, where the header does not say it right:
/// the first line that looks like one.
pub(super) fn guess(body: &[u8]) -> Option<&[u8]> {
    const LINES_MAX: usize = 1000;
    const BOUNDARY_MIN_BYTES: usize = 3;
    body.split(|byte| *byte == b'\n')
        .take(LINES_MAX)
        .filter_map(|line| line.trim_ascii_end().strip_prefix(b"--"))
        .map(|boundary| boundary.strip_suffix(b"--").unwrap_or(boundary))
        .find(|boundary| boundary.len() >= BOUNDARY_MIN_BYTES)
}

/// What of a line must be the boundary.
#[derive(Clone, Copy, PartialEq)]
enum Match {
    Line,
    Start,
}

/// A line with the boundary.
struct Line {
    start: usize,
    /// Where the line after it begins.
    end: usize,
    is_closing: bool,
}

fn lines(body: &[u8], boundary: &[u8], lines_max: usize, matching: Match) -> Vec<Line> {
    if boundary.is_empty() {
        return Vec::new();
    }
    let marker = [b"--", boundary].concat();
    let finder = memmem::Finder::new(&marker);
    let mut found = Vec::new();
    let mut from = 0;
    while found.len() < lines_max {
        let Some(start) = finder.find(&body[from..]).map(|at| from + at) else {
            break;
        };
        let after = start + marker.len();
        from = after;
        if start > 0 && body[start - 1] != b'\n' && body[start - 1] != b'\r' {
            continue;
        }
        let rest = &body[after..];
        let is_closing = rest.starts_with(b"--");
        let line_end = memchr::memchr(b'\n', rest).map_or(body.len(), |end| after + end + 1);
        let tail = &body[after + 2 * usize::from(is_closing)..line_end];
        if matching == Match::Line && !tail.trim_ascii().is_empty() {
            continue;
        }
        from = line_end;
        found.push(Line {
            start,
            end: line_end,
            is_closing,
        });
    }
    found
}

/// The line break before a boundary belongs to the boundary.
fn without_line_break(part: &[u8], is_followed: bool) -> &[u8] {
    if !is_followed {
        return part;
    }
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_between_boundary_lines() {
        for (body, expected) in [
            (
                &b"pre\r\n--x\r\na\r\n--x \r\nb\r\n--x--\r\nepilogue"[..],
                &[&b"a"[..], b"b"][..],
            ),
            (b"--x\na\n\n--x\nb", &[b"a\n", b"b"]),
            (b"--x\na\n--xy\nb\n--x--", &[b"a\n--xy\nb"]),
            (b"--x--\n--x\nlate", &[b"late"]),
            (b"--x;junk\na\n--x--junk", &[b"a"]),
            (b"a --x\nb", &[]),
            (b"--x", &[b""]),
        ] {
            assert_eq!(
                split(body, b"x", 9).parts,
                expected,
                "{}",
                body.escape_ascii()
            );
        }
        assert!(split(b"--\na", b"", 9).parts.is_empty());
        let two = split(b"--x\na\n--x\nb\n--x--", b"x", 2);
        assert_eq!((two.parts.len(), two.is_closed), (2, false));
        assert!(split(b"--x\na\n--x--\nb", b"x", 9).is_closed);
    }
}
