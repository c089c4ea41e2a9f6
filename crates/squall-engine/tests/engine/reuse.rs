//! Outcomes that are used again are those that a scan would give: compared
//! over many names of many contents, with sets that look at names in every way
//! there is.

use std::collections::HashMap;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use squall_engine::{
    CompileOptions, Reuse, Sample, ScanLimits, Scanner, SignatureSet, VerdictKey, digests,
    read_directory, renamed,
};
use squall_types::{Outcome, SignatureOrigin};

use crate::{root, set_of, shared};

/// Outcomes by key.
#[derive(Default)]
struct Kept {
    outcomes: HashMap<VerdictKey, Outcome>,
    by_class: usize,
    by_name: usize,
}

impl Kept {
    fn find(&mut self, [of_class, of_name]: &[VerdictKey; 2], name: &str) -> Option<Outcome> {
        if let Some(outcome) = self.outcomes.get(of_class) {
            self.by_class += usize::from(outcome.sample.path != name);
            return Some(renamed(outcome.clone(), name));
        }
        let outcome = self.outcomes.get(of_name)?.clone();
        self.by_name += 1;
        Some(outcome)
    }

    fn keep(&mut self, [of_class, of_name]: [VerdictKey; 2], reuse: Reuse, outcome: &Outcome) {
        let key = match reuse {
            Reuse::Never => return,
            Reuse::SameClass => of_class,
            Reuse::SameName => of_name,
        };
        self.outcomes.insert(key, outcome.clone());
    }
}

/// Scans every content under its names; wherever an outcome is kept, it must be
/// the one of the scan.
fn compare(
    set: &SignatureSet,
    contents: &[Vec<u8>],
    names: impl Fn(usize) -> String,
    rounds: usize,
) -> Kept {
    let mut scanner = Scanner::new(set, ScanLimits::default());
    let mut kept = Kept::default();
    for round in 0..rounds {
        let content = &contents[round % contents.len()];
        let name = names(round / contents.len());
        let sample = Sample {
            content,
            file_name: &name,
            digests: digests(content),
        };
        let sha256 = &sample.digests.sha256;
        let keys = scanner.verdict_keys(sha256, &name).expect("keys");
        let keys = [scanner.class_key(sha256, &name), keys.by_name];
        let (outcome, reuse) = scanner.scan_once(&sample);
        if let Some(found) = kept.find(&keys, &name) {
            assert_eq!(found, outcome, "{name}");
        }
        kept.keep(keys, reuse, &outcome);
    }
    kept
}

/// Numbers that look random and are the same in every run.
fn scatter(number: usize, salt: u64) -> usize {
    let mut x = (number as u64).wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as usize
}

/// A path made of parts that rules, lists and heuristics look at.
fn name(number: usize) -> String {
    const DIRECTORIES: &[&str] = &[
        "",
        "/",
        "/tmp/",
        "/home/u/",
        "/usr/bin/",
        "/var/www/html/",
        "/home/u/.ssh/",
        r"C:\Temp\",
        r"C:\Users\x\AppData\Local\Temp\",
        r"C:\Windows\System32\",
        r"D:\$RECYCLE.BIN\S-1-5\",
        "/a|b/",
    ];
    const BASES: &[&str] = &[
        "a",
        "b",
        "cmd",
        "svchost",
        "invoice.pdf",
        "invoice",
        "readme",
        "id_rsa",
        "passwords",
        "shadow",
        ".bashrc",
        "lsass",
        "psexec",
        "drop",
        "x\u{202e}fdp",
        "ünï",
        "name     ",
        "a|b",
    ];
    const EXTENSIONS: &[&str] = &[
        "", ".exe", ".EXE", ".txt", ".pdf", ".jpg", ".php", ".js", ".sh", ".zip", ".dll", ".exe ",
        ".",
    ];
    let pick = |parts: &[&'static str], salt| parts[scatter(number, salt) % parts.len()];
    format!(
        "{}{}{}",
        pick(DIRECTORIES, 1),
        pick(BASES, 2),
        pick(EXTENSIONS, 3)
    )
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).expect("a member");
        zip.write_all(content).expect("its content");
    }
    zip.finish().expect("an archive").into_inner()
}

fn contents() -> Vec<Vec<u8>> {
    let program = std::env::current_exe().expect("this program");
    let program = std::fs::read(program).expect("readable")[..4096].to_vec();
    vec![
        b"harmless text\n".to_vec(),
        b"a needle in text\n".to_vec(),
        b"<?php eval($_POST['x']); needle ?>".to_vec(),
        b"#!/bin/sh\nneedle\n".to_vec(),
        program.clone(),
        [program.as_slice(), b"needle"].concat(),
        archive(&[("invoice.pdf.exe", &program), ("b.txt", b"needle")]),
        archive(&[("a.txt", b"harmless")]),
        // Cut off, so that not all of it can be looked at.
        archive(&[("a.txt", &[b'x'; 5000])])[..60].to_vec(),
        Vec::new(),
    ]
}

const RULES: &str = r#"
rule Plain { meta: score = 50 strings: $a = "needle" condition: $a }
rule InTemp { meta: score = 60 condition: filepath icontains "temp" and filesize > 10 }
rule Named { meta: score = 45 condition: filename matches /^(cmd|svchost)\./i }
rule Extension { meta: score = 55 strings: $a = "needle" condition: $a and extension == ".txt" }
rule Denied { meta: score = 70 strings: $a = "needle" condition: $a and not filename contains "a" }
rule Listed { meta: score = 20 condition: for any s in ("drop.exe", "id_rsa") : (filename == s) }
rule Unpacked { meta: score = 80 condition: unpack_parent == "ZIP" and extension == ".txt" }
"#;

#[test]
fn rules_that_look_at_names() {
    let set = set_of(RULES);
    let contents = contents();
    let kept = compare(&set, &contents, name, 6000);
    assert!(
        kept.by_class > 1000 && kept.by_name > 20,
        "{} {}",
        kept.by_class,
        kept.by_name
    );
}

#[test]
fn lists_and_heuristics_that_look_at_names() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("file");
    write(
        "rules.yar",
        &RULES[..RULES.find("rule Listed").expect("the rule")],
    );
    write(
        "filename-iocs.txt",
        "(?i)\\\\temp\\\\.*\\.exe$;70\n/tmp/.*b;30\n/tmp/.*b;-30\n\\|b\\.txt$;65\n",
    );
    write(
        "stix.json",
        r#"{"type": "bundle", "objects": [
            {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "pattern": "[file:name = 'cmd.exe' AND file:size > 3]"},
            {"type": "indicator", "id": "indicator--2", "pattern_type": "stix", "pattern": "[file:name NOT LIKE 'i%' AND file:size = 14]"},
            {"type": "indicator", "id": "indicator--3", "pattern_type": "stix", "pattern": "[file:parent_directory_ref.path MATCHES 'ssh']"}]}"#,
    );
    let (files, errors) = read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    let set = SignatureSet::compile(&files, CompileOptions::default(), |_| {}).expect("a set");
    assert_eq!(crate::skipped(&set), Vec::<String>::new());
    let contents = contents();
    let kept = compare(&set, &contents, name, 12_000);
    assert!(
        kept.by_class > 1000 && kept.by_name > 20,
        "{} {}",
        kept.by_class,
        kept.by_name
    );
}

/// Files of this machine, of all kinds and sizes up to 300 KB.
fn real_files(count: usize) -> Vec<PathBuf> {
    let dirs = [
        "/usr/bin",
        "/etc",
        "/usr/share/doc",
        "/usr/lib/python3",
        "/usr/share/man/man1",
    ];
    let mut files: Vec<PathBuf> = dirs
        .iter()
        .flat_map(|dir| walkdir::WalkDir::new(dir).max_depth(3).sort_by_file_name())
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.len() < 300_000))
        .map(walkdir::DirEntry::into_path)
        .collect();
    let step = (files.len() / count).max(1);
    files = files.into_iter().step_by(step).collect();
    files
}

fn compare_with_real_files(dir: &Path, options: CompileOptions) {
    let (files, _) = read_directory(dir, SignatureOrigin::Internal).expect("readable");
    let set = SignatureSet::compile(&files, options, |_| {}).expect("a set");
    let contents: Vec<Vec<u8>> = real_files(150)
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .collect();
    assert!(!contents.is_empty());
    let rounds = contents.len() * 6;
    let kept = compare(&set, &contents, |number| name(number / 2 * 7), rounds);
    assert!(
        kept.by_class + kept.by_name > rounds / 3,
        "{} {}",
        kept.by_class,
        kept.by_name
    );
}

#[test]
fn the_packaged_rules_and_real_files() {
    compare_with_real_files(&root().join("config/signatures"), CompileOptions::default());
}

#[test]
fn signature_base_and_real_files() {
    let Some(dir) = shared("signature-base") else {
        return;
    };
    compare_with_real_files(&dir, CompileOptions::default());
    compare_with_real_files(&dir, CompileOptions { pure_yara: true });
}
