//! The v3 log form of a finding: an element of an answer of the second API
//! generation, and a line of a JSON log.

mod extract;

use jiff::Timestamp;
use squall_api::v1::{
    Content, ContextObject, EncodedData, Encoding, File, Finding, FirstBytes, Hashes, Issue,
    LOG_VERSION, Matched, Meta, PeInfo, PeSignature, Reason, Relation, Signature,
};
use squall_types::{Digests, FileFacts, Match, MatchedString, Report};

use crate::{
    event::{self, Event, Gap},
    limits, visible,
};

/// Returns the findings of a scan, then one element for each other file that
/// could not be scanned completely. A clean scan gives none.
///
/// What could not be looked at stands in `issues`: of the finding on the same
/// file, else of an element of its own with the level `Notice`, the message
/// `File not scanned completely` and the score 0. Its `affected` is `/subject`;
/// issues on what was cut in the rendering name a part of it or of `/reasons`.
#[must_use]
pub fn findings(report: &Report) -> Vec<Finding> {
    event::events(report)
        .into_iter()
        .enumerate()
        .map(|(index, event)| finding(report, index, &event))
        .collect()
}

/// Returns a time as RFC 3339 in UTC with microseconds. A time that no calendar
/// has is cut to the nearest that one has.
pub(crate) fn time(time_us: i64) -> String {
    format!("{:.6}", timestamp(time_us))
}

/// Returns a time; one out of range is cut to the nearest that is not.
pub(crate) fn timestamp(time_us: i64) -> Timestamp {
    Timestamp::from_microsecond(time_us).unwrap_or(if time_us < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

pub(crate) fn finding(report: &Report, index: usize, event: &Event<'_>) -> Finding {
    let shown = &event.matches[..event.matches.len().min(limits::REASONS_MAX)];
    let strings = shown.iter().flat_map(|found| &found.strings);
    let extracts = extract::of(strings, event.file.size_bytes());
    let mut issues: Vec<_> = event.gaps.iter().map(gap_issue).collect();
    issues.extend(cut_issues(event, extracts.cut));
    let mut subject = file(&event.file);
    subject.content.elements = extracts.elements;
    Finding {
        object_type: "THOR finding".to_owned(),
        meta: Meta {
            time: time(report.scan.scanned_at_us),
            level: event.level.name().to_owned(),
            module: event::MODULE.to_owned(),
            scan_id: report.scan.scan_id.clone(),
            event_id: Some(event::event_id(&report.submission, index)),
            hostname: report.submission.origin.source.clone(),
        },
        message: event.message.to_owned(),
        subject,
        score: event.score.value(),
        reasons: shown.iter().map(|found| reason(found)).collect(),
        reason_count: event.matches.len() as u64,
        context: event.parent.map(|parent| vec![parent_object(parent)]),
        issues,
        log_version: LOG_VERSION.to_owned(),
    }
}

fn file(file: &event::File<'_>) -> File {
    File {
        object_type: "file".to_owned(),
        path: file.path.to_owned(),
        exists: "yes".to_owned(),
        extension: file.extension(),
        magic_header: file.file_type().to_owned(),
        hashes: file.facts.map(|facts| hashes(&facts.digests)),
        first_bytes: file.facts.map(|facts| FirstBytes {
            hex: visible::hex(facts.first_bytes.bytes()),
            ascii: facts.first_bytes.printable(),
        }),
        size: file.size_bytes(),
        permissions: None,
        unpack_source: file
            .facts
            .map_or_else(Vec::new, |facts| facts.unpack_source.clone()),
        pe_info: file
            .facts
            .and_then(|facts| facts.pe_info.as_ref())
            .map(pe_info),
        content: Content {
            object_type: "sparse data".to_owned(),
            elements: Vec::new(),
            length: file.size_bytes(),
        },
    }
}

fn hashes(digests: &Digests) -> Hashes {
    Hashes {
        md5: visible::hex(&digests.md5),
        sha1: visible::hex(&digests.sha1),
        sha256: visible::hex(&digests.sha256),
    }
}

fn pe_info(info: &squall_types::PeInfo) -> PeInfo {
    let hex = |digest: Option<[u8; 16]>| digest.map_or_else(String::new, |md5| visible::hex(&md5));
    let signature = |found: &squall_types::PeSignature| PeSignature {
        certificate_name: found.subject.clone(),
        signature_valid: found.verified,
    };
    PeInfo {
        company: info.company.clone(),
        description: info.description.clone(),
        legal_copyright: info.legal_copyright.clone(),
        product: info.product.clone(),
        original_name: info.original_name.clone(),
        internal_name: info.internal_name.clone(),
        signed: info.signed,
        signatures: (!info.signatures.is_empty())
            .then(|| info.signatures.iter().map(signature).collect()),
        imphash: hex(info.imphash),
        rich_header_hash: hex(info.rich_header_hash),
        creation_timestamp: format!(
            "{:.0}",
            timestamp(i64::from(info.creation_timestamp) * 1_000_000)
        ),
    }
}

fn parent_object(parent: &FileFacts) -> ContextObject {
    ContextObject {
        object: file(&event::File {
            path: &parent.path,
            facts: Some(parent),
        }),
        relations: vec![Relation {
            relation_type: "derives from".to_owned(),
            relation_name: "parent".to_owned(),
            unique: true,
        }],
    }
}

fn reason(found: &Match) -> Reason {
    Reason {
        object_type: "reason".to_owned(),
        summary: summary(found),
        signature: Signature {
            score: found.subscore,
            reference: found.references.clone(),
            origin: found.origin.name().to_owned(),
            kind: found.kind.name().to_owned(),
            date: found.date.clone(),
            tags: found.tags.clone(),
            rule_name: not_empty(&found.rule_name),
            description: not_empty(&found.description),
            author: found.author.clone(),
            id: found.id.clone(),
            false_positives: found.false_positives.clone(),
        },
        matched: found
            .strings
            .iter()
            .take(limits::V3_STRINGS_MAX)
            .map(matched)
            .collect(),
    }
}

/// Returns a match in one line: `YARA rule NAME / description`.
pub(crate) fn summary(found: &Match) -> String {
    let kind = match found.kind {
        squall_types::SignatureKind::YaraRule => "YARA rule",
        kind => kind.name(),
    };
    let mut summary = kind.to_owned();
    if !found.rule_name.is_empty() {
        summary.push(' ');
        summary.push_str(&found.rule_name);
    }
    if !found.description.is_empty() {
        summary.push_str(" / ");
        summary.push_str(&found.description);
    }
    summary
}

fn matched(string: &MatchedString) -> Matched {
    Matched {
        data: encoded(first(&string.data)),
        context: extract::context(string).map(|context| encoded(first(&context))),
        offset: string.offset,
        field: string.field.pointer().to_owned(),
    }
}

/// Returns bytes as JSON holds them: as text if they are UTF-8, else in
/// hexadecimal.
fn encoded(data: &[u8]) -> EncodedData {
    match str::from_utf8(data) {
        Ok(text) => EncodedData {
            data: text.to_owned(),
            encoding: Encoding::Plain,
        },
        Err(_) => EncodedData {
            data: visible::hex(data),
            encoding: Encoding::Hex,
        },
    }
}

fn first(data: &[u8]) -> &[u8] {
    &data[..data.len().min(limits::V3_DATA_BYTES_MAX)]
}

fn not_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn gap_issue(gap: &Gap<'_>) -> Issue {
    Issue {
        affected: "/subject".to_owned(),
        category: gap.category.to_owned(),
        description: gap.description.clone().into_owned(),
    }
}

/// Returns an issue for each part of a finding that is not shown completely.
fn cut_issues(event: &Event<'_>, extracts_cut: bool) -> Vec<Issue> {
    let truncated = |affected: String, description: String| Issue {
        affected,
        category: "truncated".to_owned(),
        description,
    };
    let mut issues = Vec::new();
    if extracts_cut {
        issues.push(truncated(
            "/subject/content".to_owned(),
            "not all matched strings are among the extracts".to_owned(),
        ));
    }
    let reasons = event.matches.len();
    if reasons > limits::REASONS_MAX {
        issues.push(truncated(
            "/reasons".to_owned(),
            format!("shows {} of {reasons} reasons", limits::REASONS_MAX),
        ));
    }
    for (index, found) in event.matches.iter().take(limits::REASONS_MAX).enumerate() {
        let strings = found.strings.len();
        if strings > limits::V3_STRINGS_MAX {
            issues.push(truncated(
                format!("/reasons/{index}/matched"),
                format!(
                    "shows {} of {strings} matched strings",
                    limits::V3_STRINGS_MAX
                ),
            ));
        }
    }
    issues
}
