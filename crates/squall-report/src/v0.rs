//! The form of a finding in the first API generation.

use squall_api::v0::{Context, Finding, Match};
use squall_types::{FirstBytes, MatchedString, Report};

use crate::{
    event::{self, File, IncompleteFile},
    limits,
    visible::{self, Quotes},
};

/// Returns the findings of a scan, then one element for each file that could
/// not be scanned completely. A clean scan gives none.
///
/// An element of the second kind has the level `Notice`, the message `File not
/// scanned completely` and the score 0; each of its matches is one reason, with
/// an empty rule name. At most [`limits::REASONS_MAX`] matches of a file and
/// [`limits::INCOMPLETE_FILES_MAX`] such files are shown.
#[must_use]
pub fn findings(report: &Report) -> Vec<Finding> {
    let found = report
        .outcome
        .findings
        .iter()
        .map(|finding| found(report, finding));
    let incomplete = event::incomplete_files(report)
        .into_iter()
        .map(|file| not_completely_scanned(report, &file));
    found.chain(incomplete).collect()
}

fn found(report: &Report, finding: &squall_types::Finding) -> Finding {
    let matches = event::matches(finding);
    let file = File {
        path: &finding.file.path,
        facts: Some(&finding.file),
    };
    Finding {
        level: finding.level.name().to_owned(),
        module: event::MODULE.to_owned(),
        message: event::message(finding.level).to_owned(),
        score: finding.score.value(),
        context: context(report, file, matches.len()),
        matches: matches
            .into_iter()
            .take(limits::REASONS_MAX)
            .map(matched)
            .collect(),
    }
}

fn not_completely_scanned(report: &Report, incomplete: &IncompleteFile<'_>) -> Finding {
    Finding {
        level: squall_types::Level::Notice.name().to_owned(),
        module: event::MODULE.to_owned(),
        message: event::INCOMPLETE_MESSAGE.to_owned(),
        score: 0,
        context: context(report, incomplete.file, incomplete.gaps.len()),
        matches: incomplete
            .gaps
            .iter()
            .map(|gap| Match {
                rulename: String::new(),
                reason: gap.description.clone().into_owned(),
                reference: String::new(),
                ruledate: String::new(),
                author: String::new(),
                subscore: 0,
                tags: Vec::new(),
                matched: Vec::new(),
                sigclass: squall_types::SignatureKind::InternalHeuristic
                    .name()
                    .to_owned(),
                sigtype: squall_types::SignatureOrigin::Internal.name().to_owned(),
            })
            .collect(),
    }
}

fn context(report: &Report, file: File<'_>, reasons_count: usize) -> Context {
    let digest = |of: fn(&squall_types::Digests) -> &[u8]| {
        file.facts
            .map_or_else(String::new, |facts| visible::hex(of(&facts.digests)))
    };
    Context {
        ext: file.extension(),
        file: file.path.to_owned(),
        first_bytes: file
            .facts
            .map_or_else(String::new, |facts| first_bytes(&facts.first_bytes)),
        md5: digest(|digests| &digests.md5),
        sha1: digest(|digests| &digests.sha1),
        sha256: digest(|digests| &digests.sha256),
        size: file.size_bytes(),
        file_type: file.file_type().to_owned(),
        sample_id: report.id.value(),
        reasons_count: reasons_count as u64,
    }
}

/// Returns the first bytes in hexadecimal, ` / `, then the printable ones.
pub(crate) fn first_bytes(bytes: &FirstBytes) -> String {
    format!("{} / {}", visible::hex(bytes.bytes()), bytes.printable())
}

fn matched(found: &squall_types::Match) -> Match {
    let reason = [&found.description, &found.rule_name]
        .into_iter()
        .find(|text| !text.is_empty())
        .map_or_else(|| found.kind.name().to_owned(), Clone::clone);
    Match {
        rulename: found.rule_name.clone(),
        reason,
        reference: found.references.join(", "),
        ruledate: found.date.clone().unwrap_or_default(),
        author: found.author.clone().unwrap_or_default(),
        subscore: found.subscore,
        tags: found.tags.clone(),
        matched: strings(&found.strings),
        sigclass: found.kind.name().to_owned(),
        sigtype: found.origin.name().to_owned(),
    }
}

/// Returns the matched strings as text, equal ones once: a rule that counts a
/// string matches it at many places.
fn strings(strings: &[MatchedString]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for string in strings {
        if texts.len() == limits::STRINGS_MAX {
            break;
        }
        let text = visible::bytes(
            &string.data,
            string.data.len() as u64 >= string.length,
            limits::STRING_CHARS_MAX,
            Quotes::No,
        );
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}
