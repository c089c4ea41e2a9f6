//! A report on a whole scan as one HTML page, to be handed on.
//!
//! The page needs nothing but itself: style and script are inside, and its
//! Content-Security-Policy lets no other run and nothing be loaded. Every text
//! from outside passes the `seen` filter, which makes it visible (see
//! [`crate::visible`]) before the template engine escapes it. Without scripts
//! the page shows the same, sorted by score.

mod card;
mod hex;

use std::collections::BTreeMap;
use std::io;

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use squall_types::Report;

use crate::event;

/// Entries shown; of more those with the highest scores are.
pub const ENTRIES_MAX: usize = 20_000;

/// Bytes of all entries together.
pub const ENTRIES_BYTES_MAX: usize = 64 * 1024 * 1024;

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

/// What the page says of the whole scan.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The machine whose files were scanned.
    pub host: String,
    /// The figures, in the order they are shown.
    pub counts: Vec<Count>,
    /// What else is to be known: times, paths, signatures.
    pub facts: Vec<Fact>,
    /// What the reader must not overlook, such as a scan that was stopped.
    pub notes: Vec<String>,
    /// Whether everything was scanned completely.
    pub complete: bool,
    /// The version of the program.
    pub version: String,
}

/// A figure of the summary.
#[derive(Clone, Debug)]
pub struct Count {
    /// How many.
    pub number: u64,
    /// Of what.
    pub name: &'static str,
    /// `Alert`, `Warning`, `Notice` or `Gap` for a figure to be seen at once,
    /// else empty.
    pub class: &'static str,
}

/// A name and a value.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The name.
    pub name: &'static str,
    /// The value; may be from outside.
    pub value: String,
}

impl Fact {
    /// Puts a name and a value together.
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name,
            value: value.into(),
        }
    }
}

/// The entries of a page that is being made, within the limits of this module.
#[derive(Default)]
pub struct Document {
    /// By score and then by age, so that the last is what goes first.
    cards: BTreeMap<Place, String>,
    bytes: usize,
    next: u64,
    left_out: u64,
    highest: Option<Kind>,
}

/// Where an entry stands: a high score first, then what came first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    score: std::cmp::Reverse<u8>,
    number: u64,
}

/// What an entry is of, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Gap,
    Notice,
    Warning,
    Alert,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gap => "Gap",
            Self::Notice => "Notice",
            Self::Warning => "Warning",
            Self::Alert => "Alert",
        }
    }
}

impl Document {
    /// Adds an entry for each finding of a scan and for each other file that
    /// could not be scanned completely.
    pub fn add(&mut self, report: &Report) {
        for (index, event) in event::events(report).iter().enumerate() {
            let kind = card::kind(event);
            self.highest = self.highest.max(Some(kind));
            let place = Place {
                score: std::cmp::Reverse(event.score.value()),
                number: self.next,
            };
            self.next += 1;
            let card = card::render(report, event, index);
            self.bytes += card.len();
            self.cards.insert(place, card);
            while self.cards.len() > ENTRIES_MAX || self.bytes > ENTRIES_BYTES_MAX {
                let Some((_, dropped)) = self.cards.pop_last() else {
                    break;
                };
                self.bytes -= dropped.len();
                self.left_out += 1;
            }
        }
    }

    /// Writes the page.
    ///
    /// # Errors
    /// Whatever `out` returns.
    pub fn write(&self, summary: &Summary, out: &mut impl io::Write) -> io::Result<()> {
        let (verdict, verdict_class) = self.verdict(summary);
        let page = Page {
            policy: policy(),
            style: STYLE,
            script: SCRIPT,
            summary,
            verdict,
            verdict_class,
            cards: self.cards.values().map(String::as_str).collect(),
            left_out: self.left_out,
            version: &summary.version,
        };
        page.write_into(out)
    }

    fn verdict(&self, summary: &Summary) -> (&'static str, &'static str) {
        match (self.highest, summary.complete) {
            (Some(Kind::Alert), _) => ("Malware found", "Alert"),
            (Some(Kind::Warning), _) => ("Possibly dangerous files found", "Warning"),
            (Some(Kind::Notice), _) => ("Noteworthy files found", "Notice"),
            (_, false) | (Some(Kind::Gap), _) => {
                ("Nothing found, but not everything was scanned", "Gap")
            }
            (None, true) => ("Nothing found", "clean"),
        }
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    summary: &'a Summary,
    verdict: &'static str,
    verdict_class: &'static str,
    cards: Vec<&'a str>,
    left_out: u64,
    version: &'a str,
}

/// Returns the policy that lets the page's own style and script be used and
/// nothing else.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Filters of the templates.
#[expect(unreachable_pub, reason = "the macro makes what it generates public")]
pub(crate) mod filters {
    use crate::visible::{self, Quotes};

    /// Characters shown of one text.
    const CHARS_MAX: usize = 4096;

    /// Makes text from outside visible and not too long.
    #[askama::filter_fn]
    pub(crate) fn seen(
        value: impl std::fmt::Display,
        _: &dyn askama::Values,
    ) -> askama::Result<String> {
        Ok(visible::text(&value.to_string(), CHARS_MAX, Quotes::No))
    }
}
