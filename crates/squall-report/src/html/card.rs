//! One entry of the page: a finding, or a file that was not scanned completely.

use askama::Template;
use squall_types::{
    FileFacts, Level, Match, MatchField, MatchedString, PeInfo, Report, score_shares,
};

use super::hex::{self, Row};
use super::{Fact, Kind, filters};
use crate::event::{self, Event};
use crate::visible::{self, Quotes};
use crate::{limits, v0, v1};

/// Dumps in one entry, of all its reasons together.
const DUMPS_MAX: usize = 200;

/// References and false positives shown of one rule.
const LIST_MAX: usize = 20;

#[derive(Template)]
#[template(path = "finding.html")]
struct Card<'a> {
    kind: &'static str,
    label: &'static str,
    score: u8,
    path: &'a str,
    file_type: &'a str,
    size_bytes: u64,
    time: String,
    headline: String,
    facts: Vec<Fact>,
    gaps: &'a [event::Gap<'a>],
    reasons: Vec<Reason<'a>>,
    reasons_left_out: usize,
}

struct Reason<'a> {
    name: String,
    share: String,
    meter: String,
    subscore: i32,
    description: &'a str,
    facts: Vec<Fact>,
    references: Vec<Reference<'a>>,
    strings: Vec<Shown<'a>>,
    strings_left_out: usize,
}

struct Reference<'a> {
    text: &'a str,
    is_link: bool,
}

/// A matched string.
struct Shown<'a> {
    identifier: &'a str,
    place: String,
    text: String,
    cut: bool,
    length: u64,
    rows: Vec<Row>,
}

/// Returns what an entry is of.
pub(super) fn kind(event: &Event<'_>) -> Kind {
    if event.matches.is_empty() {
        return Kind::Gap;
    }
    match event.level {
        Level::Notice => Kind::Notice,
        Level::Warning => Kind::Warning,
        Level::Alert => Kind::Alert,
    }
}

/// Returns the entry for an event of a scan, the one with that index.
pub(super) fn render(report: &Report, event: &Event<'_>, index: usize) -> String {
    let kind = kind(event);
    let shown = &event.matches[..event.matches.len().min(limits::REASONS_MAX)];
    let subscores: Vec<i32> = event.matches.iter().map(|found| found.subscore).collect();
    let mut dumps_left = DUMPS_MAX;
    let reasons = shown
        .iter()
        .zip(score_shares(&subscores))
        .map(|(found, share)| reason(found, share, &mut dumps_left))
        .collect();
    let card = Card {
        kind: kind.name(),
        label: match kind {
            Kind::Gap => "Not scanned",
            kind => kind.name(),
        },
        score: event.score.value(),
        path: event.file.path,
        file_type: event.file.file_type(),
        size_bytes: event.file.size_bytes(),
        time: v1::time(report.scan.scanned_at_us),
        headline: headline(event),
        facts: facts(report, event, index),
        gaps: &event.gaps,
        reasons,
        reasons_left_out: event.matches.len() - shown.len(),
    };
    // Rendering into memory fails only where a filter does, and none does.
    card.render().unwrap_or_default()
}

/// Returns the strongest reason in one line.
fn headline(event: &Event<'_>) -> String {
    match (event.matches.as_slice(), event.gaps.first()) {
        ([first], _) => v1::summary(first),
        ([first, rest @ ..], _) => format!("{} (and {} more)", v1::summary(first), rest.len()),
        ([], Some(gap)) => gap.description.clone().into_owned(),
        ([], None) => String::new(),
    }
}

fn facts(report: &Report, event: &Event<'_>, index: usize) -> Vec<Fact> {
    let mut facts = vec![Fact::new("Message", event.message)];
    if let Some(file) = event.file.facts {
        facts.extend(file_facts(file));
    }
    if let Some(parent) = event.parent {
        let digest = visible::hex(&parent.digests.sha256);
        facts.push(Fact::new("Unpacked from", parent.path.as_str()));
        facts.push(Fact::new(
            "Archive",
            format!(
                "{}, {} bytes, SHA-256 {digest}",
                parent.file_type, parent.size_bytes
            ),
        ));
    }
    facts.push(Fact::new("Scanned", v1::time(report.scan.scanned_at_us)));
    facts.push(Fact::new(
        "Event id",
        event::event_id(&report.submission, index),
    ));
    facts
}

fn file_facts(file: &FileFacts) -> Vec<Fact> {
    let digests = &file.digests;
    let mut facts = vec![
        Fact::new("Type", file.file_type.as_str()),
        Fact::new("Size", format!("{} bytes", file.size_bytes)),
        Fact::new("MD5", visible::hex(&digests.md5)),
        Fact::new("SHA-1", visible::hex(&digests.sha1)),
        Fact::new("SHA-256", visible::hex(&digests.sha256)),
        Fact::new("First bytes", v0::first_bytes(&file.first_bytes)),
    ];
    if let Some(millibits) = file.entropy_millibits {
        let bits = f64::from(millibits) / 1000.0;
        facts.push(Fact::new("Entropy", format!("{bits:.2} bits per byte")));
    }
    if let Some(info) = &file.pe_info {
        facts.extend(program_facts(info));
    }
    if !file.unpack_source.is_empty() {
        facts.push(Fact::new(
            "Unpacked through",
            file.unpack_source.join(" > "),
        ));
    }
    facts
}

/// What a Windows program claims to be; a claim that is empty is left out.
fn program_facts(info: &PeInfo) -> impl Iterator<Item = Fact> {
    let linked = v1::timestamp(i64::from(info.creation_timestamp) * 1_000_000);
    let imphash = info.imphash.map(|md5| visible::hex(&md5));
    let signers = info.signatures.iter().map(|signature| {
        let verified = if signature.verified {
            "verifies"
        } else {
            "does not verify"
        };
        format!("{} ({verified})", signature.subject)
    });
    [
        ("Company", info.company.clone()),
        ("Description", info.description.clone()),
        ("Product", info.product.clone()),
        ("Original name", info.original_name.clone()),
        ("Internal name", info.internal_name.clone()),
        ("Copyright", info.legal_copyright.clone()),
        ("Linked", format!("{linked:.0}")),
        ("Import hash", imphash.unwrap_or_default()),
        ("Signed by", signers.collect::<Vec<_>>().join(", ")),
    ]
    .into_iter()
    .filter(|(_, claim)| !claim.is_empty())
    .map(|(name, claim)| Fact::new(name, claim))
}

fn reason<'a>(found: &'a Match, share: f64, dumps_left: &mut usize) -> Reason<'a> {
    let count = found
        .strings
        .len()
        .min(limits::STRINGS_MAX)
        .min(*dumps_left);
    *dumps_left -= count;
    let name = match found.rule_name.as_str() {
        "" => found.kind.name(),
        name => name,
    };
    Reason {
        name: name.to_owned(),
        share: format!("{share:.1}"),
        meter: format!("{:.1}", share.max(0.0)),
        subscore: found.subscore,
        description: &found.description,
        facts: rule_facts(found),
        references: found
            .references
            .iter()
            .take(LIST_MAX)
            .map(|text| reference(text))
            .collect(),
        strings: found.strings[..count].iter().map(shown).collect(),
        strings_left_out: found.strings.len() - count,
    }
}

fn rule_facts(found: &Match) -> Vec<Fact> {
    let listed = |texts: &[String]| texts[..texts.len().min(LIST_MAX)].join(", ");
    let optional = [
        ("Author", found.author.clone()),
        ("Date", found.date.clone()),
        ("Id", found.id.clone()),
        ("Tags", Some(listed(&found.tags))),
        ("False positives", Some(listed(&found.false_positives))),
    ];
    let mut facts = vec![Fact::new(
        "Signature",
        format!("{} ({})", found.kind.name(), found.origin.name()),
    )];
    facts.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some(Fact::new(name, value?)))
            .filter(|fact| !fact.value.is_empty()),
    );
    facts
}

/// Only plain web addresses become links: a rule is no reason to run a script.
fn reference(text: &str) -> Reference<'_> {
    let is_link = ["https://", "http://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
        && text.len() <= 2048
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    Reference { text, is_link }
}

fn shown(string: &MatchedString) -> Shown<'_> {
    let complete = string.data.len() as u64 >= string.length;
    let (place, rows) = match string.field {
        MatchField::Content => (format!("at {:#x}", string.offset), hex::rows(string)),
        MatchField::Path => ("in the path".to_owned(), Vec::new()),
        MatchField::Md5 => ("in the MD5".to_owned(), Vec::new()),
        MatchField::Sha1 => ("in the SHA-1".to_owned(), Vec::new()),
        MatchField::Sha256 => ("in the SHA-256".to_owned(), Vec::new()),
        MatchField::Imphash => ("in the import hash".to_owned(), Vec::new()),
    };
    Shown {
        identifier: &string.identifier,
        place,
        text: visible::bytes(
            &string.data,
            complete,
            limits::STRING_CHARS_MAX,
            Quotes::Yes,
        ),
        cut: !complete,
        length: string.length,
        rows,
    }
}
