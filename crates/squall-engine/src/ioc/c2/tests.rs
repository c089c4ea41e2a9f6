//! Tests of C2 IOCs in content.

use super::*;
use crate::Problem;

fn load(text: &str) -> (C2, Notes, Vec<Problem>) {
    let mut builder = C2Builder::default();
    let mut notes = NotesBuilder::default();
    let mut list = Vec::new();
    let mut problems = FileProblems::new("x.txt", &mut list);
    let common = ("listed in x.txt", SignatureOrigin::External);
    lines::each_entry(text.as_bytes(), &mut problems, |entry, problems| {
        builder.add(&entry, common, &mut notes, problems);
    });
    problems.finish();
    (builder.build(), notes.build(), list)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16_be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Looks a line up in a text, as ASCII and as UTF-16 of either byte order, and
/// returns the offset in characters.
fn offset(list: &str, text: &str) -> Option<u64> {
    let (c2, notes, problems) = load(list);
    assert!(problems.is_empty(), "{list}: {problems:?}");
    let ascii = c2.matches(&notes, text.as_bytes());
    let wide = c2.matches(&notes, &utf16(text));
    assert!(ascii.len() <= 1, "{list} in {text}");
    let offset = ascii.first().map(|found| found.strings[0].offset);
    let wide = wide.first().map(|found| found.strings[0].offset);
    assert_eq!(wide, offset.map(|offset| 2 * offset), "{list} in {text}");
    let big = c2.matches(&notes, &utf16_be(text));
    let big = big.first().map(|found| found.strings[0].offset / 2);
    assert_eq!(big, offset, "{list} in {text}, high byte first");
    offset
}

#[test]
fn hosts_are_found_as_whole_names() {
    for (text, expected) in [
        ("evil.com", Some(0)),
        ("x.evil.com", Some(2)),
        ("a.b.c.EVIL.Com", Some(6)),
        ("http://evil.com/x", Some(7)),
        ("evil.com:443", Some(0)),
        ("see evil.com.", Some(4)),
        ("user@evil.com", Some(5)),
        ("\"evil.com\"", Some(1)),
        ("x=evil.com&y", Some(2)),
        ("http%3A%2F%2Fevil.com%2Fx", Some(13)),
        ("notevil.com", None),
        ("not-evil.com", None),
        ("evil.com.au", None),
        ("evil.comx", None),
        ("evil.com-x.org", None),
        ("evil,com", None),
        ("evil", None),
        ("2fevil.com", None),
        ("%zzevil.com", None),
        ("", None),
    ] {
        assert_eq!(offset("evil.com", text), expected, "{text}");
    }
    assert_eq!(offset("x.evil.com", "evil.com"), None);
    assert_eq!(offset("x.evil.com", "y.x.evil.com"), Some(2));
}

#[test]
fn addresses_are_found_as_whole_tokens() {
    for (text, expected) in [
        ("1.2.3.4", Some(0)),
        ("http://1.2.3.4:8080/x", Some(7)),
        ("(1.2.3.4)", Some(1)),
        ("at 1.2.3.4.", Some(3)),
        ("1.2.3.4,5.6.7.8", Some(0)),
        ("11.2.3.45", None),
        ("11.2.3.4", None),
        ("1.2.3.45", None),
        ("1.2.3.4.5", None),
        ("0.1.2.3.4", None),
        ("v1.2.3.4", None),
        ("1.2.3.4-5", None),
        ("1.2.3.04", None),
        ("1.2.3", None),
        ("x1.2.3.4y", None),
    ] {
        assert_eq!(offset("1.2.3.4", text), expected, "{text}");
    }
}

#[test]
fn ranges_find_every_address_in_them() {
    for (text, expected) in [
        ("182.34.23.0", true),
        ("182.34.23.255", true),
        ("182.34.22.255", false),
        ("182.34.24.0", false),
        ("182.34.23.256", false),
    ] {
        assert_eq!(offset("182.34.23.9/24", text).is_some(), expected, "{text}");
    }
    assert!(offset("2001:db8::/32", "[2001:db8:7::1]:80").is_some());
    assert!(offset("2001:db8::/32", "2001:db9::1").is_none());
    for (text, expected) in [
        ("2001:db8::1", Some(0)),
        ("http://[2001:DB8:0::1]/", Some(8)),
        ("is 2001:db8::1: x", Some(3)),
        ("g2001:db8::1", None),
        ("2001:db8::12", None),
        ("2001:db8::1z", None),
        ("std::vector", None),
    ] {
        assert_eq!(offset("2001:db8::1", text), expected, "{text}");
    }
}

#[test]
fn lines_have_scores_and_descriptions() {
    let list = "# APT http://x/y\nevil.com\n1.2.3.4;65\nbad.org;50;Other\nbare.net # note\n\
                evil.com;90\nEVIL.com;10";
    let (c2, notes, problems) = load(list);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(c2.len(), 4);
    let found = c2.matches(&notes, b"bad.org 1.2.3.4 evil.com bare.net");
    let seen: Vec<_> = found
        .iter()
        .map(|m| {
            (
                m.strings[0].data.as_slice(),
                m.subscore,
                m.description.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (b"evil.com".as_slice(), 90, "APT http://x/y"),
            (b"bare.net", 75, "APT http://x/y"),
            (b"1.2.3.4", 65, "APT http://x/y"),
            (b"bad.org", 50, "Other"),
        ]
    );
    assert_eq!(found[0].kind, SignatureKind::DomainIoc);
    assert_eq!(found[0].origin, SignatureOrigin::External);
    assert_eq!(found[0].references, ["http://x/y"]);
    assert_eq!(found[0].strings[0].before, b"bad.org 1.2.3.4 ");
}

#[test]
fn lines_that_cannot_be_used_are_reported() {
    let (c2, _, problems) = load("0.0.0.0/0\ncom\n;70\n\u{fffd}.com\n10.0.0.1\ngood.com;900");
    assert_eq!(c2.len(), 2);
    let lines: Vec<_> = problems.iter().map(|p| (p.line, p.severity)).collect();
    use crate::Severity::{Skipped, Warning};
    assert_eq!(
        lines,
        [
            (Some(1), Skipped),
            (Some(2), Skipped),
            (Some(3), Skipped),
            (Some(4), Skipped),
            (Some(5), Warning),
            (Some(6), Warning),
        ]
    );
}

#[test]
fn hostile_content_is_read_once() {
    let (c2, notes, _) = load("evil.com\n1.2.3.4\n2001:db8::1");
    for unit in [
        "a.",
        ".",
        "1.",
        ":",
        "a:",
        "%2f.",
        ".\0",
        "\0.",
        "a\0.\0",
        "\0a\0.",
        "evil.com.",
    ] {
        let content = unit.as_bytes().repeat(1_000_000 / unit.len());
        let started = std::time::Instant::now();
        let found = c2.matches(&notes, &content);
        println!("{unit:?}: {:?}", started.elapsed());
        assert_eq!(found.len(), usize::from(unit == "evil.com."), "{unit:?}");
    }
}
