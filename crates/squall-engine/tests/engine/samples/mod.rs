//! Samples of every format that is opened, and what a scan of each must give:
//! a clean one, a matching one, an encrypted one where the format has such, a
//! cut off one and a bomb. All go through one checking function.

mod archives;
mod cost;
mod documents;
mod locked;
mod table;

use std::time::{Duration, Instant};

use squall_engine::{Sample, ScanLimits, Scanner, SignatureSet, UnpackLimits, digests};
use squall_types::{IncompleteReason, Outcome};

use self::table::{FORMATS, Format};
use crate::set_of;

/// Finds what [`matching`] makes; in a script that is compiled or encoded it
/// is not to be seen from outside.
const RULES: &str = r#"rule Needle {
    strings: $a = "a needle in a haystack" ascii wide
    condition: $a and unpack_parent != ""
}"#;

/// The longest any of these small samples may take, on a machine with other
/// things to do.
const TIME_MAX: Duration = Duration::from_secs(10);

/// What a scan must give.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// Everything was looked at and nothing found.
    Clean,
    /// Everything was looked at, and the rule matched in this member, and in
    /// nothing else but the containers on the way to it.
    Found { member: &'static str },
    /// Nothing was found, and something was not looked at, for one of these
    /// reasons.
    Missed(&'static [IncompleteReason]),
    /// Nothing was found, and for a limit, and nothing else, something was not
    /// looked at.
    Stopped,
}

/// One scan.
struct Case<'a> {
    format: &'a Format,
    content: Vec<u8>,
    limits: UnpackLimits,
    expected: Expected,
}

/// Scans the samples and compares; tells of all that are not as expected.
#[track_caller]
fn check_all<'a>(cases: impl IntoIterator<Item = Case<'a>>) {
    let set = set_of(RULES);
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|case| check(&set, &case).err())
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Scans a sample and compares.
fn check(set: &SignatureSet, case: &Case<'_>) -> Result<(), String> {
    let file = case.format.file;
    let started = Instant::now();
    let outcome = scan_within(set, &case.limits, file, &case.content);
    let took = started.elapsed();
    let found: Vec<&str> = outcome
        .findings
        .iter()
        .map(|finding| finding.file.path.as_str())
        .collect();
    let gaps = &outcome.incomplete;
    let is_as_expected = match case.expected {
        Expected::Clean => outcome.is_clean(),
        Expected::Found { member } => {
            let member = format!("{file}|{member}");
            found.contains(&member.as_str())
                && found.iter().all(|path| member.starts_with(path))
                && gaps.is_empty()
        }
        Expected::Missed(_) | Expected::Stopped => {
            let is_right = |reason: IncompleteReason| match case.expected {
                Expected::Missed(reasons) => reasons.contains(&reason),
                _ => reason == IncompleteReason::Limit,
            };
            let has_others = gaps.iter().any(|gap| !is_right(gap.reason));
            let is_strict = matches!(case.expected, Expected::Stopped);
            found.is_empty()
                && gaps.iter().any(|gap| is_right(gap.reason))
                && !(is_strict && has_others)
                && gaps.iter().all(|gap| gap.path.starts_with(file))
                && gaps.iter().all(|gap| !gap.description.is_empty())
        }
    };
    let is_recognised = outcome.sample.file_type == case.format.file_type;
    if is_as_expected && is_recognised && took < TIME_MAX {
        return Ok(());
    }
    Err(format!(
        "{file}: expected {:?}, got {} with findings in {found:?} and gaps {gaps:?} after {took:?}",
        case.expected, outcome.sample.file_type
    ))
}

fn scan_within(set: &SignatureSet, unpack: &UnpackLimits, file: &str, content: &[u8]) -> Outcome {
    let limits = ScanLimits {
        unpack: Some(unpack.clone()),
        ..ScanLimits::default()
    };
    Scanner::new(set, limits).scan(&Sample {
        content,
        file_name: file,
        digests: digests(content),
    })
}

/// A text of this length that no compression makes much shorter.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 24) as u8 % 26
    };
    (0..len).map(|_| next()).collect()
}

/// What the rule finds, at the end of a text.
fn matching() -> Vec<u8> {
    [&noise(20_000)[..], b" a needle in a haystack\n"].concat()
}

/// What issue 4 lists: the format, the sample of it, and whether there are
/// encrypted ones.
const REQUIRED: &[(&str, &str, bool)] = &[
    ("zip", "a.zip", true),
    ("zip64", "large.zip", false),
    ("deflate64", "deflate64.zip", false),
    ("bzip2 in zip", "bzip2.zip", false),
    ("lzma in zip", "lzma.zip", false),
    ("zstd in zip", "zstd.zip", false),
    ("AES", "a.zip", true),
    ("ZipCrypto", "crypto.zip", true),
    ("jar", "a.jar", false),
    ("apk", "a.apk", false),
    ("docx", "a.docx", false),
    ("docx, encrypted", "locked.docx", true),
    ("xlsx", "a.xlsx", false),
    ("pptx", "a.pptx", false),
    ("tar", "a.tar", false),
    ("gz", "a.txt.gz", false),
    ("bz2", "a.txt.bz2", false),
    ("xz", "a.txt.xz", false),
    ("zst", "a.txt.zst", false),
    ("lz4", "a.txt.lz4", false),
    ("7z", "a.7z", true),
    ("7z with hidden names", "hidden.7z", true),
    ("cab", "a.cab", false),
    ("ar", "a.a", false),
    ("deb", "a.deb", false),
    ("cpio", "a.cpio", false),
    ("rpm", "a.rpm", false),
    ("iso", "a.iso", false),
    ("eml", "a.eml", false),
    ("mbox", "a.mbox", false),
    ("msg", "a.msg", false),
    ("VBA macro source", "macro.doc", false),
    ("embedded packages", "a.doc", false),
    ("PDF streams", "stream.pdf", false),
    ("PDF embedded files", "a.pdf", true),
    ("LNK target", "a.lnk", false),
    ("base64 of executables", "base64.txt", false),
    ("hex of executables", "hex.txt", false),
    ("RAR", "a.rar", true),
];

#[test]
fn every_format_that_is_required_is_in_the_table() {
    for (format, file, has_encrypted) in REQUIRED {
        let sample = FORMATS.iter().find(|format| format.file == *file);
        let sample = sample.unwrap_or_else(|| panic!("no sample of {format}"));
        assert_eq!(sample.lock.is_some(), *has_encrypted, "{format}");
    }
    let mut names: Vec<&str> = FORMATS.iter().map(|format| format.file).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FORMATS.len(), "two samples of one name");
}

#[test]
fn clean_samples_are_clean() {
    check_all(FORMATS.iter().map(|format| Case {
        format,
        content: (format.make)(&noise(3000)),
        limits: UnpackLimits::default(),
        expected: Expected::Clean,
    }));
}

#[test]
fn a_match_is_found_under_the_members_path() {
    check_all(FORMATS.iter().map(|format| Case {
        format,
        content: (format.make)(&matching()),
        limits: UnpackLimits::default(),
        expected: Expected::Found {
            member: format.member,
        },
    }));
}

#[test]
fn known_passwords_open_what_is_encrypted() {
    let of_the_case = UnpackLimits {
        passwords: vec!["no".to_owned(), "case 4711".to_owned()],
        ..UnpackLimits::default()
    };
    for (password, limits) in [
        ("infected", &UnpackLimits::default()),
        ("malware", &UnpackLimits::default()),
        ("case 4711", &of_the_case),
    ] {
        check_all(FORMATS.iter().filter_map(|format| {
            Some(Case {
                format,
                content: format.lock?(&matching(), password),
                limits: limits.clone(),
                expected: Expected::Found {
                    member: format.member,
                },
            })
        }));
    }
}

#[test]
fn what_no_known_password_opens_is_told() {
    check_all(FORMATS.iter().filter_map(|format| {
        Some(Case {
            format,
            content: format.lock?(&matching(), "Tr0ub4dor&3"),
            limits: UnpackLimits::default(),
            expected: Expected::Missed(&[IncompleteReason::Encrypted]),
        })
    }));
}

#[test]
fn a_cut_off_sample_is_told() {
    const REASONS: &[IncompleteReason] = &[IncompleteReason::Corrupt, IncompleteReason::Truncated];
    check_all(FORMATS.iter().map(|format| {
        let mut content = (format.make)(&matching());
        content.truncate(content.len() / 4 * 3);
        Case {
            format,
            content,
            limits: UnpackLimits::default(),
            expected: if format.has_end {
                Expected::Missed(REASONS)
            } else {
                Expected::Clean
            },
        }
    }));
}

#[test]
fn no_part_of_a_matching_sample_is_clean() {
    const STEPS: usize = 20;
    let set = set_of(RULES);
    for format in FORMATS.iter().filter(|format| format.has_end) {
        let whole = (format.make)(&matching());
        // The first bytes may be those of something else: a program, a text.
        for step in 2..STEPS {
            let part = &whole[..whole.len() * step / STEPS];
            let outcome = scan_within(&set, &UnpackLimits::default(), format.file, part);
            let is_recognised = outcome.sample.file_type == format.file_type;
            assert!(
                !is_recognised || !outcome.is_clean(),
                "{} cut to {} of {}",
                format.file,
                part.len(),
                whole.len()
            );
        }
    }
}

#[test]
fn bombs_stop_at_the_limit() {
    let limits = UnpackLimits {
        member_bytes_max: 1 << 20,
        bytes_max: 8 << 20,
        ..UnpackLimits::default()
    };
    let roomy = FORMATS.iter().filter(|format| format.is_roomy);
    check_all(roomy.map(|format| Case {
        format,
        content: (format.make)(&vec![b'a'; 3 << 20]),
        limits: limits.clone(),
        expected: Expected::Stopped,
    }));
}
