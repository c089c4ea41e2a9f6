//! A line of the screen: pieces of text, each in a style, cut to the width.

use squall_report::shown;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Most characters of a text from outside that are looked at.
const TEXT_CHARS_MAX: usize = 512;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Plain,
    /// Headings.
    Bold,
    /// What is well.
    Good,
    /// What should be looked at.
    Notable,
    /// What is wrong, and alerts.
    Bad,
    /// What matters less.
    Faint,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pieces: Vec<(Style, String)>,
}

impl Line {
    /// Adds text; what a terminal would act on is made visible.
    pub(super) fn and(mut self, style: Style, text: &str) -> Self {
        self.pieces.push((style, shown(text, TEXT_CHARS_MAX)));
        self
    }

    /// Adds text in a column of that width, and a space behind it.
    pub(super) fn column(self, style: Style, text: &str, width: usize) -> Self {
        let text = cut(&shown(text, TEXT_CHARS_MAX), width);
        let rest = width.saturating_sub(text.width()) + 1;
        self.and(style, &format!("{text}{}", " ".repeat(rest)))
    }

    /// Returns the pieces that fit into so many columns.
    pub(super) fn within(&self, columns: usize) -> Vec<(Style, String)> {
        let mut left = columns;
        let mut pieces = Vec::new();
        for (style, text) in &self.pieces {
            let kept = cut(text, left);
            // Nothing may follow what was cut.
            left = if kept.len() == text.len() {
                left - kept.width()
            } else {
                0
            };
            pieces.push((*style, kept));
        }
        pieces
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// Returns as much of a text as fits into so many columns.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns;
    let mut kept = String::new();
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_no_wider_than_the_screen_whatever_it_holds() {
        let line = Line::default()
            .column(Style::Bold, "大小大小", 5)
            .and(Style::Plain, "x\u{1b}[2J");
        assert_eq!(line.text(), "大小  x\\x1b[2J");
        let texts = |columns| -> Vec<String> {
            let pieces = line.within(columns).into_iter();
            pieces.map(|(_, text)| text).collect()
        };
        assert_eq!(texts(8), ["大小  ", "x\\"]);
        assert_eq!(texts(3), ["大", ""]);
        assert_eq!(texts(0), ["", ""]);
    }
}
