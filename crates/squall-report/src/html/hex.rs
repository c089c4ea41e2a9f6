//! A matched string with the bytes around it, as a hex dump.

use squall_types::MatchedString;

/// Bytes in a row.
const ROW_BYTES: usize = 16;

/// Bytes shown of one string, its context not counted.
const DATA_BYTES_MAX: usize = 256;

/// A row of a dump.
pub(crate) struct Row {
    /// Where it begins, in hexadecimal.
    pub(crate) offset: String,
    /// The bytes in hexadecimal.
    pub(crate) hex: Vec<Run>,
    /// The same as text, what is not printable as dots.
    pub(crate) text: Vec<Run>,
}

/// A part of a row that is marked, or not.
pub(crate) struct Run {
    /// Whether it is part of what matched.
    pub(crate) marked: bool,
    /// The part.
    pub(crate) text: String,
}

/// Returns the dump of a string. What is behind a string that is not shown to
/// its end is left out: it is not what comes next.
pub(crate) fn rows(string: &MatchedString) -> Vec<Row> {
    let data = &string.data[..string.data.len().min(DATA_BYTES_MAX)];
    // There cannot be more bytes before the string than its offset says.
    let room = usize::try_from(string.offset).unwrap_or(usize::MAX);
    let before = &string.before[string.before.len().saturating_sub(room)..];
    let marked = |bytes: &[u8], marked: bool| -> Vec<(u8, bool)> {
        bytes.iter().map(|&byte| (byte, marked)).collect()
    };
    let mut bytes = marked(before, false);
    bytes.extend(marked(data, true));
    if data.len() as u64 == string.length {
        bytes.extend(marked(&string.after, false));
    }
    let mut offset = string.offset - before.len() as u64;
    let mut rows = Vec::new();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        // Rows begin at multiples of their length, as in every hex editor.
        let column = (offset % ROW_BYTES as u64) as usize;
        let (row, further) = rest.split_at(rest.len().min(ROW_BYTES - column));
        rows.push(self::row(offset, column, row));
        offset = offset.saturating_add(row.len() as u64);
        rest = further;
    }
    rows
}

fn row(offset: u64, column: usize, bytes: &[(u8, bool)]) -> Row {
    let mut hex = vec![Run::unmarked(" ".repeat(3 * column))];
    let mut text = vec![Run::unmarked(" ".repeat(column))];
    for group in bytes.chunk_by(|a, b| a.1 == b.1) {
        let (last, marked) = (group.len() - 1, group[0].1);
        let mut digits = String::new();
        for (at, (byte, _)) in group.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut digits, format_args!("{byte:02x}"));
            if at < last {
                digits.push(' ');
            }
        }
        hex.push(Run {
            marked,
            text: digits,
        });
        hex.push(Run::unmarked(" ".to_owned()));
        text.push(Run {
            marked,
            text: group.iter().map(|(byte, _)| printable(*byte)).collect(),
        });
    }
    hex.push(Run::unmarked(
        " ".repeat(3 * (ROW_BYTES - column - bytes.len())),
    ));
    Row {
        offset: format!("{:08x}", offset - column as u64),
        hex,
        text,
    }
}

impl Run {
    fn unmarked(text: String) -> Self {
        Self {
            marked: false,
            text,
        }
    }
}

fn printable(byte: u8) -> char {
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use squall_types::MatchField;

    use super::*;

    fn shown(string: &MatchedString) -> Vec<String> {
        let plain = |runs: &[Run]| -> String {
            runs.iter()
                .map(|run| match run.marked {
                    true => format!("[{}]", run.text),
                    false => run.text.clone(),
                })
                .collect()
        };
        rows(string)
            .iter()
            .map(|row| format!("{} {}|{}", row.offset, plain(&row.hex), plain(&row.text)))
            .collect()
    }

    fn string() -> MatchedString {
        MatchedString {
            identifier: "$a".to_owned(),
            field: MatchField::Content,
            offset: 18,
            data: b"AB\0".to_vec(),
            length: 3,
            before: b"0123".to_vec(),
            after: b"<x".to_vec(),
        }
    }

    #[test]
    fn rows_are_aligned_and_the_match_is_marked() {
        let gap = " ".repeat(42);
        assert_eq!(
            shown(&string()),
            [
                format!("00000000 {gap}30 31 |{}01", " ".repeat(14)),
                format!(
                    "00000010 32 33 [41 42 00] 3c 78 {}|23[AB.]<x",
                    " ".repeat(27)
                ),
            ]
        );
    }

    #[test]
    fn what_follows_a_cut_string_is_not_shown_as_its_neighbour() {
        let cut = MatchedString {
            length: 5000,
            ..string()
        };
        assert!(!shown(&cut).concat().contains("3c 78"));
    }

    #[test]
    fn an_offset_that_makes_no_sense_does_no_harm() {
        let odd = MatchedString {
            offset: 1,
            ..string()
        };
        assert_eq!(rows(&odd).len(), 1);
        let end = MatchedString {
            offset: u64::MAX,
            ..string()
        };
        assert!(!rows(&end).is_empty());
    }
}
