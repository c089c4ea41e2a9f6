//! The last lines of the service's log, to be looked at.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crate::lock;

/// Lines kept.
pub(crate) const LINES_MAX: usize = 1000;
/// Bytes kept of a line.
const LINE_LEN_MAX: usize = 2000;

/// Keeps the last thousand lines that were pushed; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    /// Adds what was logged, a line or several.
    pub fn push(&self, text: &str) {
        let mut lines = lock(&self.0);
        for line in text.lines().filter(|line| !line.is_empty()) {
            if lines.len() == LINES_MAX {
                lines.pop_front();
            }
            let end = line.floor_char_boundary(LINE_LEN_MAX);
            lines.push_back(line[..end].to_owned());
        }
    }

    /// Returns the last `count` lines, oldest first.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<String> {
        let lines = lock(&self.0);
        let skipped = lines.len().saturating_sub(count);
        lines.iter().skip(skipped).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_long_ones_cut() {
        let tail = LogTail::default();
        for number in 0..LINES_MAX + 5 {
            tail.push(&format!("line {number}\n"));
        }
        tail.push(&"ä".repeat(LINE_LEN_MAX));
        let lines = tail.last(2);
        assert_eq!(lines[0], format!("line {}", LINES_MAX + 4));
        assert_eq!(lines[1].len(), LINE_LEN_MAX);
        assert_eq!(tail.last(usize::MAX).len(), LINES_MAX);
        assert_eq!(tail.last(0).len(), 0);
    }
}
