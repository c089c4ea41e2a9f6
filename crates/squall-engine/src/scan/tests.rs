//! What a scan adds to the rules: facts, heuristics, lists, and what is left of
//! them when the engine runs out of time.

use std::io::{Cursor, Write as _};

use squall_types::{Level, SignatureKind};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::pe_info::sample::PeSample;
use crate::source::SourceFile;
use crate::{CompileOptions, digests};

fn source(name: &str, text: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        content: text.as_bytes().to_vec(),
        origin: squall_types::SignatureOrigin::Custom,
        modified: None,
        included: crate::Included::default(),
    }
}

fn set_of(files: &[SourceFile], pure_yara: bool) -> SignatureSet {
    SignatureSet::compile(files, CompileOptions { pure_yara }, |_| {}).expect("a set")
}

fn scan_with(set: &SignatureSet, limits: ScanLimits, file_name: &str, content: &[u8]) -> Outcome {
    Scanner::new(set, limits).scan(&Sample {
        content,
        file_name,
        digests: digests(content),
    })
}

fn scan(file_name: &str, content: &[u8]) -> Outcome {
    scan_with(
        &set_of(&[], false),
        ScanLimits::default(),
        file_name,
        content,
    )
}

/// The matches, as path and name.
fn found(outcome: &Outcome) -> Vec<(&str, &str)> {
    outcome
        .findings
        .iter()
        .flat_map(|finding| {
            let path = finding.file.path.as_str();
            finding
                .matches
                .iter()
                .map(move |found| (path, found.rule_name.as_str()))
        })
        .collect()
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .expect("member");
        writer.write_all(content).expect("content");
    }
    writer.finish().expect("archive").into_inner()
}

fn exe() -> Vec<u8> {
    PeSample::ordinary()
        .version(&[("CompanyName", "Example AG")])
        .build()
}

#[test]
fn a_disguised_program_is_a_finding_with_its_facts() {
    let outcome = scan("C:\\Users\\x\\report.pdf", &exe());
    let [finding] = &outcome.findings[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!(finding.level, Level::Warning);
    assert_eq!(finding.score.value(), 70);
    assert_eq!(finding.matches[0].kind, SignatureKind::InternalHeuristic);
    assert_eq!(
        finding.matches[0].rule_name,
        "Heuristic_Executable_Disguised"
    );
    let info = finding.file.pe_info.as_ref().expect("facts");
    assert_eq!(info.company, "Example AG");
    assert_eq!(outcome.sample.pe_info.as_ref(), Some(info));
    let entropy = finding.file.entropy_millibits.expect("entropy");
    assert!((1..4000).contains(&entropy), "{entropy}");
}

#[test]
fn the_facts_are_the_same_whether_a_rule_had_the_file_parsed_or_not() {
    let rule = "import \"pe\" rule R { condition: pe.is_pe }";
    let set = set_of(&[source("r.yar", rule)], false);
    let content = exe();
    let parsed = scan_with(&set, ScanLimits::default(), "a.exe", &content);
    assert_eq!(found(&parsed), [("a.exe", "R")]);
    assert_eq!(
        parsed.sample.pe_info,
        scan("a.exe", &content).sample.pe_info
    );
}

#[test]
fn an_ordinary_program_is_clean() {
    assert!(scan("C:\\tools\\tool.exe", &exe()).is_clean());
    let archive = zip_of(&[("tool.exe", &exe()), ("readme.txt", b"read me first")]);
    assert!(scan("tool.zip", &archive).is_clean());
}

#[test]
fn rules_only_means_no_heuristics() {
    let set = set_of(&[], true);
    let outcome = scan_with(&set, ScanLimits::default(), "report.pdf", &exe());
    assert!(outcome.is_clean(), "{outcome:?}");
}

#[test]
fn a_program_alone_in_an_archive_is_told_from_one_in_company() {
    let alone = zip_of(&[("Invoice 4711.exe", &exe())]);
    assert_eq!(
        found(&scan("a.zip", &alone)),
        [(
            "a.zip|Invoice 4711.exe",
            "Heuristic_Single_Executable_In_Archive"
        )]
    );
    let company = zip_of(&[("Invoice 4711.exe", &exe()), ("readme.txt", b"read me")]);
    assert!(scan("a.zip", &company).is_clean());
    // The same for an archive in an archive.
    let nested = zip_of(&[("note.txt", b"see inside"), ("in.zip", &alone)]);
    assert_eq!(found(&scan("b.zip", &nested)).len(), 1);
}

#[test]
fn a_program_attached_to_a_mail_is_found_in_its_archive() {
    use base64::Engine as _;
    let archive = zip_of(&[("setup.exe", &exe()), ("readme.txt", b"read me")]);
    let body = base64::engine::general_purpose::STANDARD.encode(archive);
    let mail = format!(
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: tool\r\nMIME-Version: 1.0\r\n\
         Content-Type: application/zip; name=\"tool.zip\"\r\n\
         Content-Disposition: attachment; filename=\"tool.zip\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{body}\r\n"
    );
    assert_eq!(
        found(&scan("mail.eml", mail.as_bytes())),
        [(
            "mail.eml|tool.zip|setup.exe",
            "Heuristic_Executable_In_Mail"
        )]
    );
}

#[test]
fn import_hashes_of_lists_are_looked_for() {
    let content = exe();
    let imphash = scan("a.exe", &content)
        .sample
        .pe_info
        .and_then(|info| info.imphash);
    let list = format!(
        "{};imphash;80;known loader\n",
        digest::hex(&imphash.expect("imports"))
    );
    let set = set_of(&[source("hash-iocs.txt", &list)], false);
    let outcome = scan_with(&set, ScanLimits::default(), "a.exe", &content);
    let found = &outcome.findings[0].matches[0];
    assert_eq!(found.kind, SignatureKind::HashIoc);
    assert_eq!(found.description, "known loader");
    assert_eq!(found.strings[0].field, squall_types::MatchField::Imphash);
    assert!(scan_with(&set, ScanLimits::default(), "b.exe", b"MZ").is_clean());
}

/// A rule that takes minutes where the last byte is there, and nothing elsewhere.
const SLOW: &str = "rule Slow { condition: uint8(1048575) == 0x20 and \
    for all i in (0..9000000000) : (uint8(i) != 1 or i > 0) }";

/// The same for files of more than 60 KiB.
const SLOW_IF_LARGE: &str = "rule Slow { condition: filesize > 60KB and \
    for all i in (0..9000000000) : (uint8(i) != 1 or i > 0) }";

/// A rule that no limit of time lets come to an end.
const ENDLESS: &str = "rule Endless { condition: \
    for all i in (0..9000000000) : (uint8(i) != 1 or i > 0) }";

/// What is true of a part of the file and not of the whole.
const OF_A_PART: &str = "rule Small { condition: filesize < 500KB } \
    rule Zeros { strings: $a = { 00 00 00 00 } condition: $a in (900000..1000000) }";

fn timed_out(rules: &str) -> Outcome {
    let needle =
        format!("rule Needle {{ strings: $a = \"needle\" condition: $a }} {OF_A_PART} {rules}");
    let set = set_of(
        &[
            source("r.yar", &needle),
            source("keywords.txt", "sekurlsa::secret\n"),
        ],
        false,
    );
    let limits = ScanLimits {
        time_max: Duration::from_secs(1),
        ..ScanLimits::default()
    };
    let mut content = exe();
    content.extend_from_slice(b" needle sekurlsa::secret ");
    content.resize(1 << 20, b' ');
    scan_with(&set, limits, "report.pdf", &content)
}

fn names(outcome: &Outcome) -> Vec<&str> {
    let matches = outcome.findings[0].matches.iter();
    matches.map(|found| found.rule_name.as_str()).collect()
}

#[test]
fn a_scan_out_of_time_keeps_what_matched_in_the_first_part() {
    let outcome = timed_out(SLOW);
    // The keyword has no name. Nothing is wrong about the size of the file.
    assert_eq!(
        names(&outcome),
        ["Needle", "Heuristic_Executable_Disguised", ""]
    );
    let [marked] = &outcome.findings[0].matches[0].false_positives[..] else {
        panic!("{:?}", outcome.findings[0].matches[0]);
    };
    assert!(
        marked.contains("only the first 262144 of 1048576 bytes"),
        "{marked}"
    );
    let gap = &outcome.incomplete[0];
    assert_eq!(gap.reason, IncompleteReason::Timeout);
    assert!(
        gap.description.contains("first 262144 of 1048576 bytes"),
        "{}",
        gap.description
    );
}

#[test]
fn what_a_small_part_alone_made_match_is_marked() {
    let outcome = timed_out(SLOW_IF_LARGE);
    let names = names(&outcome);
    assert!(names.contains(&"Needle"), "{names:?}");
    let finding = &outcome.findings[0];
    for found in finding.matches.iter() {
        let is_marked = found
            .false_positives
            .iter()
            .any(|note| note.contains("only the first 16384 of 1048576 bytes"));
        assert_eq!(
            is_marked,
            found.kind == SignatureKind::YaraRule,
            "{found:?}"
        );
    }
}

#[test]
fn a_scan_with_an_endless_rule_keeps_what_needs_no_rule() {
    let outcome = timed_out(ENDLESS);
    let kinds: Vec<_> = outcome.findings[0].matches.iter().map(|m| m.kind).collect();
    assert!(kinds.contains(&SignatureKind::KeywordIoc), "{kinds:?}");
    assert!(
        kinds.contains(&SignatureKind::InternalHeuristic),
        "{kinds:?}"
    );
    assert!(!kinds.contains(&SignatureKind::YaraRule), "{kinds:?}");
    assert_eq!(outcome.incomplete[0].reason, IncompleteReason::Timeout);
}
