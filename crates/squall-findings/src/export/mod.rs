//! Findings as a stream of bytes: JSON lines, CSV, a page to read, or a document
//! for those who share what they know.
//!
//! The findings are read page by page, so that an export of a million of them
//! costs little memory and does not keep the writer from its work.

mod csv;
mod html;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use squall_api::v1::{Finding, FindingRow};
use squall_report::exchange::{self, Exchange};

use crate::database::Readers;
use crate::error::FindingsError;
use crate::filter::Filter;
use crate::store::Findings;
use crate::{details, row, search};

/// Findings read at a time.
const PAGE: usize = 256;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// The v3 log form, one object a line, as the JSON log has it.
    JsonLines,
    /// A table, RFC 4180, with a line of headings.
    Csv,
    /// A page of HTML that needs nothing else.
    Html,
    /// A bundle of STIX 2.1.
    Stix,
    /// An event of MISP.
    Misp,
}

impl ExportFormat {
    /// Returns what writes the form, for those that are one document.
    fn writer(self, what: &Exported) -> Option<exchange::Writer> {
        let exchange = match self {
            Self::Stix => Exchange::Stix,
            Self::Misp => Exchange::Misp,
            Self::JsonLines | Self::Csv | Self::Html => return None,
        };
        let selection = format!("{:?} {:?}", what.filter, what.limit);
        Some(exchange::Writer::new(exchange, selection))
    }
}

/// Findings of an export, in the order in which they are written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Which.
    pub filter: Filter,
    /// How.
    pub format: ExportFormat,
    /// How many at most, the newest; `None` for all.
    pub limit: Option<u64>,
}

/// An export under way.
pub struct Export {
    readers: Arc<Readers>,
    what: Exported,
    writer: Option<exchange::Writer>,
    stage: Stage,
    left: u64,
}

#[derive(Clone, Copy)]
enum Stage {
    Head,
    /// The findings below this id; `None` for all.
    Body(Option<i64>),
    Tail,
    Done,
}

impl Findings {
    /// Begins an export.
    #[must_use]
    pub fn export(&self, what: Exported) -> Export {
        Export::new(self.readers(), what)
    }
}

impl Export {
    /// Begins an export of the database in a file, beside a service that may
    /// be using it. `time_max` limits the reading of one page.
    ///
    /// # Errors
    ///
    /// Fails if the file is not there.
    pub fn of_file(path: &Path, what: Exported, time_max: Duration) -> Result<Self, FindingsError> {
        std::fs::metadata(path).map_err(crate::error::io_error("read", path))?;
        Ok(Self::new(Arc::new(Readers::new(path, time_max)), what))
    }

    fn new(readers: Arc<Readers>, what: Exported) -> Self {
        Self {
            readers,
            left: what.limit.unwrap_or(u64::MAX),
            writer: what.format.writer(&what),
            what,
            stage: Stage::Head,
        }
    }

    /// Returns the next piece; `None` behind the last.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read; the export is then incomplete.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, FindingsError> {
        let mut piece = Vec::new();
        // An empty piece would look like the end to some.
        while piece.is_empty() {
            match self.stage {
                Stage::Head => {
                    self.head(&mut piece);
                    self.stage = Stage::Body(None);
                }
                Stage::Body(before) => self.body(before, &mut piece)?,
                Stage::Tail => {
                    match &mut self.writer {
                        Some(writer) => writer.tail(&mut piece),
                        None if self.what.format == ExportFormat::Html => html::tail(&mut piece),
                        None => {}
                    }
                    self.stage = Stage::Done;
                }
                Stage::Done => return Ok(None),
            }
        }
        Ok(Some(piece))
    }

    fn head(&mut self, piece: &mut Vec<u8>) {
        if let Some(writer) = &mut self.writer {
            writer.head(piece);
        }
        match self.what.format {
            ExportFormat::JsonLines | ExportFormat::Stix | ExportFormat::Misp => {}
            ExportFormat::Csv => csv::head(piece),
            ExportFormat::Html => html::head(piece),
        }
    }

    fn body(&mut self, before: Option<i64>, piece: &mut Vec<u8>) -> Result<(), FindingsError> {
        let count = PAGE.min(usize::try_from(self.left).unwrap_or(PAGE));
        if count == 0 {
            self.stage = Stage::Tail;
            return Ok(());
        }
        let Exported { filter, format, .. } = &self.what;
        let is_document = self.writer.is_some();
        let mut lines = Vec::new();
        let (found, next) = self.readers.read(|connection| {
            let (ids, next) = search::ids(connection, filter, before, count)?;
            for &id in &ids {
                if is_document {
                    lines.extend(row::line(connection, id)?);
                } else {
                    write(connection, *format, id, piece)?;
                }
            }
            Ok((ids.len(), next))
        })?;
        if let Some(writer) = &mut self.writer {
            let findings = lines
                .iter()
                .filter_map(|line| serde_json::from_slice(line).ok());
            findings.for_each(|finding: Finding| writer.finding(&finding, piece));
        }
        self.left -= found as u64;
        self.stage = next.map_or(Stage::Tail, |next| Stage::Body(Some(next)));
        Ok(())
    }
}

/// Writes one finding; one that was deleted meanwhile is passed over.
fn write(
    connection: &Connection,
    format: ExportFormat,
    id: i64,
    piece: &mut Vec<u8>,
) -> Result<(), FindingsError> {
    if format == ExportFormat::JsonLines {
        if let Some(line) = row::line(connection, id)? {
            piece.extend(line);
            piece.push(b'\n');
        }
        return Ok(());
    }
    let failed = FindingsError::during("export");
    let Some(row) = row::read(connection, id).map_err(&failed)? else {
        return Ok(());
    };
    let note = details::review(connection, &row.event_id)
        .map_err(&failed)?
        .map(|review| review.note)
        .unwrap_or_default();
    match format {
        ExportFormat::Csv => csv::row(&row, &note, piece),
        _ => html::row(&row, &note, piece),
    }
    Ok(())
}

/// Returns text from outside on one line, with what a terminal or an editor
/// would act on made visible.
fn visible(text: &str) -> String {
    squall_report::shown(text, crate::record::NAME_CHARS_MAX)
}

/// Returns the rules with their sub-scores on one line.
fn rules(row: &FindingRow) -> String {
    let rules = row.rules.iter();
    let named: Vec<String> = rules
        .map(|rule| format!("{} ({})", rule.name, rule.score))
        .collect();
    named.join("; ")
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}
