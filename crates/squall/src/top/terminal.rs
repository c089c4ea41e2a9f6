//! The terminal, taken over and given back.

use std::io::{self, Stdout, Write as _};

use termion::raw::{IntoRawMode as _, RawTerminal};
use termion::{clear, color, cursor, screen, style};

use super::line::{Line, Style};

/// The size of a terminal that does not tell.
const SIZE_DEFAULT: (usize, usize) = (80, 24);

/// The terminal; given back as it was when this is dropped.
pub(super) struct Terminal {
    out: RawTerminal<Stdout>,
    colours: bool,
}

impl Terminal {
    /// Takes the terminal over.
    pub(super) fn take() -> io::Result<Self> {
        let mut taken = Self {
            out: io::stdout().into_raw_mode()?,
            colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let (to_own, hide) = (screen::ToAlternateScreen, cursor::Hide);
        write!(taken.out, "{to_own}{hide}{}", clear::All)?;
        taken.out.flush()?;
        Ok(taken)
    }

    /// Draws lines from the top; the rest of the screen becomes empty. Nothing is
    /// cleared that is drawn anew: over a slow line it would flicker.
    pub(super) fn draw(
        &mut self,
        lines: &[Line],
        (columns, rows): (usize, usize),
    ) -> io::Result<()> {
        let mut drawn = String::new();
        for (row, line) in (1..).zip(lines.iter().take(rows)) {
            drawn.push_str(&cursor::Goto(1, row).to_string());
            for (piece_style, text) in line.within(columns) {
                drawn.push_str(&self.begin(piece_style));
                drawn.push_str(&text);
                drawn.push_str(style::Reset.as_ref());
            }
            drawn.push_str(clear::UntilNewline.as_ref());
        }
        if lines.len() < rows {
            let row = u16::try_from(lines.len() + 1).unwrap_or(u16::MAX);
            drawn.push_str(&cursor::Goto(1, row).to_string());
            drawn.push_str(clear::AfterCursor.as_ref());
        }
        // At once, so that no half of it is seen.
        self.out.write_all(drawn.as_bytes())?;
        self.out.flush()
    }

    /// Returns what lets a style begin.
    fn begin(&self, piece_style: Style) -> String {
        let colour = match piece_style {
            Style::Plain => return String::new(),
            Style::Bold => return style::Bold.to_string(),
            Style::Faint => return style::Faint.to_string(),
            Style::Good => color::Fg(color::Green).to_string(),
            Style::Notable => color::Fg(color::Yellow).to_string(),
            Style::Bad => color::Fg(color::Red).to_string(),
        };
        if self.colours {
            colour
        } else {
            style::Bold.to_string()
        }
    }
}

/// Returns the columns and rows of the terminal.
pub(super) fn size() -> (usize, usize) {
    match termion::terminal_size() {
        Ok((columns, rows)) if columns > 0 && rows > 0 => (columns.into(), rows.into()),
        _ => SIZE_DEFAULT,
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Whatever of it fails, there is nobody to tell.
        let (show, back) = (cursor::Show, screen::ToMainScreen);
        let _ = write!(self.out, "{show}{back}");
        let _ = self.out.flush();
    }
}
