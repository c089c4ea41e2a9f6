//! Comments, documentation strings and quoted code, which say nothing about the
//! language of a script: they are prose, or code of another one.

use super::bytes;

/// How a passage over several lines opens and closes.
struct Block {
    open: &'static [u8],
    close: &'static [u8],
}

const fn block(open: &'static [u8], close: &'static [u8]) -> Block {
    Block { open, close }
}

/// Passages that start at the beginning of a line.
static BLOCKS: [Block; 11] = [
    block(b"/*", b"*/"),
    block(b"<#", b"#>"),
    block(b"--[[", b"]]"),
    block(b"\"\"\"", b"\"\"\""),
    block(b"r\"\"\"", b"\"\"\""),
    block(b"'''", b"'''"),
    block(b"=pod", b"=cut"),
    block(b"=head", b"=cut"),
    block(b"=begin", b"=end"),
    // Code fences of Markdown.
    block(b"```", b"```"),
    block(b"~~~", b"~~~"),
];

/// Follows passages over several lines.
#[derive(Default)]
pub(super) struct Comments {
    close: Option<&'static [u8]>,
}

impl Comments {
    /// Whether `line`, which is not empty and without white space around it,
    /// belongs to such a passage as a whole.
    pub(super) fn cover(&mut self, line: &[u8]) -> bool {
        if let Some(close) = self.close {
            if bytes::contains(line, close) {
                self.close = None;
            }
            return true;
        }
        let may_start = matches!(
            line[0],
            b'/' | b'<' | b'-' | b'"' | b'r' | b'\'' | b'=' | b'`' | b'~'
        );
        let opened = may_start
            .then(|| BLOCKS.iter().find(|block| line.starts_with(block.open)))
            .flatten();
        let Some(Block { open, close }) = opened else {
            self.note_trailing(line);
            return false;
        };
        match bytes::find(&line[open.len()..], close) {
            None => {
                self.close = Some(close);
                true
            }
            // Code may follow a comment on its line: `/* x */ function y() {`.
            Some(at) => line.len() == open.len() + at + close.len(),
        }
    }

    /// A comment or a text behind code may go on over the next lines; `/tmp/*`
    /// is none.
    fn note_trailing(&mut self, line: &[u8]) {
        const TRAILING: [Block; 3] = [
            block(b" /* ", b"*/"),
            block(b"\"\"\"", b"\"\"\""),
            block(b"'''", b"'''"),
        ];
        for Block { open, close } in TRAILING {
            if let Some(at) = bytes::find(line, open)
                && !bytes::contains(&line[at + open.len()..], close)
            {
                self.close = Some(close);
            }
        }
    }
}

/// Whether a whole line is a comment in some language.
pub(super) fn is_line_comment(line: &[u8]) -> bool {
    line.starts_with(b"#")
        || line.starts_with(b"//")
        || line.starts_with(b"'")
        || line.starts_with(b"--")
        || line.starts_with(b";")
        || line.starts_with(b"::")
        || bytes::starts_with_ignore_case(line, b"rem ")
}
