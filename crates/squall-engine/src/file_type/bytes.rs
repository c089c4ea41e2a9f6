//! Small reads and searches on byte slices that cannot go out of bounds.

/// The little-endian 16 bit number at `offset`.
pub(super) fn u16_le(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_le_bytes)
}

/// The little-endian 32 bit number at `offset`.
pub(super) fn u32_le(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

/// The little-endian 32 bit number at `offset`, as an offset into the content.
pub(super) fn offset_le(bytes: &[u8], offset: usize) -> Option<usize> {
    usize::try_from(u32_le(bytes, offset)?).ok()
}

/// The big-endian 16 bit number at `offset`.
pub(super) fn u16_be(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_be_bytes)
}

/// The big-endian 32 bit number at `offset`.
pub(super) fn u32_be(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_be_bytes)
}

/// Whether `expected` is found at `offset`.
pub(super) fn is_at(bytes: &[u8], offset: usize, expected: &[u8]) -> bool {
    bytes
        .get(offset..)
        .is_some_and(|rest| rest.starts_with(expected))
}

/// The first `len_max` bytes, or all there are.
pub(super) fn head(bytes: &[u8], len_max: usize) -> &[u8] {
    bytes.get(..len_max).unwrap_or(bytes)
}

/// `len` bytes from `offset`, if all of them are there.
pub(super) fn slice(bytes: &[u8], offset: usize, len: usize) -> Option<&[u8]> {
    bytes.get(offset..offset.checked_add(len)?)
}

/// The first place of `needle`. Meant for short heads: it compares naively.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(step) = haystack.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + step;
        if is_at(haystack, at, needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Whether `needle` occurs anywhere.
pub(super) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    find(haystack, needle).is_some()
}

/// Whether `needle`, which must be lower case, occurs in any ASCII case.
pub(super) fn contains_ignore_case(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len().max(1))
        .any(|window| window.eq_ignore_ascii_case(needle))
}

/// Whether the bytes begin with `prefix` in any ASCII case.
pub(super) fn starts_with_ignore_case(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// What follows `prefix`, matched in any ASCII case.
pub(super) fn strip_ignore_case<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    starts_with_ignore_case(bytes, prefix).then(|| &bytes[prefix.len()..])
}

/// Whether a byte has no place in text of any usual encoding but UTF-16.
pub(super) const fn is_binary_byte(byte: u8) -> bool {
    // Bell, backspace, tab to carriage return, DOS end of file and escape turn
    // up in logs and terminal captures.
    matches!(byte, 0..=6 | 14..=25 | 28..=31 | 127)
}

/// What is before the first byte that has no place in text.
pub(super) fn leading_text(content: &[u8]) -> &[u8] {
    let end = content.iter().position(|byte| is_binary_byte(*byte));
    &content[..end.unwrap_or(content.len())]
}

/// Whether the first bytes hold something that has no place in text.
///
/// Guards signatures that are also ordinary words.
pub(super) fn looks_binary(content: &[u8]) -> bool {
    const SAMPLE_BYTES: usize = 1024;
    head(content, SAMPLE_BYTES)
        .iter()
        .any(|byte| is_binary_byte(*byte))
}

/// Whether a byte may be part of an identifier.
pub(super) const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Splits an identifier off the front; the rest follows. The identifier is
/// empty when the bytes do not start with one.
pub(super) fn take_word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| !is_word_byte(*byte))
        .unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn array<const LEN: usize>(bytes: &[u8], offset: usize) -> Option<[u8; LEN]> {
    slice(bytes, offset, LEN)?.try_into().ok()
}
