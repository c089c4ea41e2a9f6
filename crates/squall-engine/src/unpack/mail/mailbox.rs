//! The messages of a mailbox file.

use memchr::memmem;

/// Splits a mailbox at its `From sender date` lines; anything else is one
/// message. At most `messages_max` are found, each of which takes memory.
pub(super) fn messages(content: &[u8], messages_max: usize) -> Vec<&[u8]> {
    let starts = separators(content, messages_max);
    if starts.is_empty() {
        return vec![content];
    }
    let mut messages = Vec::with_capacity(starts.len());
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(content.len());
        let line_end = memchr::memchr(b'\n', &content[*start..end])
            .map_or(end, |line_end| start + line_end + 1);
        messages.push(&content[line_end..end]);
    }
    messages
}

fn separators(content: &[u8], count_max: usize) -> Vec<usize> {
    if !content.starts_with(b"From ") {
        return Vec::new();
    }
    let mut starts = vec![0];
    for at in memmem::find_iter(content, b"\nFrom ") {
        let before = &content[..at];
        let is_after_empty_line = before.ends_with(b"\n") || before.ends_with(b"\n\r");
        if starts.len() == count_max {
            break;
        }
        if is_after_empty_line && is_separator(&content[at + 1..]) {
            starts.push(at + 1);
        }
    }
    starts
}

/// Tells a separator from a line of prose that begins with `From`: there is a
/// time in it, and a header field below it.
fn is_separator(text: &[u8]) -> bool {
    const LINE_MAX_BYTES: usize = 500;
    let head = &text[..text.len().min(2 * LINE_MAX_BYTES)];
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let has_time = line
        .windows(3)
        .any(|three| three[0].is_ascii_digit() && three[1] == b':' && three[2].is_ascii_digit());
    let next = lines.next().unwrap_or_default();
    let name_len = next
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'>'))
        .count();
    let is_field = name_len > 0
        && matches!(next.get(name_len), Some(b':' | b' '))
        && memchr::memchr(b':', next).is_some();
    has_time && is_field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_separators_split() {
        let mailbox = b"From a@b Mon Jan  1 00:00:00 2024\nSubject: 1\n\nFrom here: 3 pm on\nx\n\n\
From c@d Mon Jan  1 00:00:00 2024\r\nSubject: 2\r\n\r\nbody\r\n\r\nFrom e Mon 1:11\r\nTo: x\r\n\r\n";
        let found = messages(mailbox, 9);
        assert_eq!(found.len(), 3);
        assert!(found[0].ends_with(b"pm on\nx\n\n"));
        assert!(found[1].starts_with(b"Subject: 2"));
        assert_eq!(messages(b"Subject: x\n\nFrom a 1:1\nB: c\n", 9).len(), 1);
        assert_eq!(messages(b"", 9).len(), 1);
    }
}
