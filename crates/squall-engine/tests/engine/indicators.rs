//! Lists of indicators beside the rules.

use squall_engine::{CompileOptions, SignatureSet, digests, read_directory};
use squall_types::{SignatureKind, SignatureOrigin};

use crate::{scan, shared, skipped};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compiles the files of a directory made of names and texts.
fn set_of_files(files: &[(&str, &str)], options: CompileOptions) -> SignatureSet {
    let dir = tempfile::tempdir().expect("temporary directory");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("file");
    }
    let (files, errors) = read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    SignatureSet::compile(&files, options, |_| {}).expect("a set")
}

#[test]
fn every_kind_of_list_is_used() {
    let bad = digests(b"evil");
    let hashes = format!("{};known evil\n", hex(&bad.sha256));
    let files = [
        ("my-hash-iocs.txt", hashes.as_str()),
        (
            "filename-iocs.txt",
            "# Dropper\n\\\\Temp\\\\drop\\.exe$;70\n",
        ),
        ("keywords.txt", "sekurlsa::secret\n"),
        ("c2-iocs.txt", "evil.example.net;80\n"),
    ];
    let set = set_of_files(&files, CompileOptions::default());
    assert_eq!(skipped(&set), Vec::<String>::new());
    assert_eq!(set.summary().iocs, 4);
    for (file_name, content, kind) in [
        ("x", b"evil".as_slice(), SignatureKind::HashIoc),
        (r"C:\Temp\drop.exe", b"harmless", SignatureKind::FilenameIoc),
        ("x", b"run sekurlsa::secret now", SignatureKind::KeywordIoc),
        (
            "x",
            b"GET http://www.evil.example.net/a",
            SignatureKind::DomainIoc,
        ),
    ] {
        let outcome = scan(&set, file_name, content);
        let kinds: Vec<_> = outcome
            .findings
            .iter()
            .flat_map(|f| &f.matches)
            .map(|m| m.kind)
            .collect();
        assert_eq!(kinds, [kind], "{file_name}");
    }
    assert!(scan(&set, "/tmp/other", b"nothing of it").is_clean());

    let pure = set_of_files(&files, CompileOptions { pure_yara: true });
    assert_eq!(pure.summary().iocs, 0);
    assert!(scan(&pure, "x", b"evil").is_clean());
}

#[test]
fn a_trusted_hash_silences_every_finding_on_that_file() {
    let trusted = format!("{};our own tool\n", hex(&digests(b"needle").sha256));
    let files = [
        (
            "rule.yar",
            r#"rule Needle { strings: $a = "needle" condition: $a }"#,
        ),
        ("trusted-hashes.txt", trusted.as_str()),
    ];
    let set = set_of_files(&files, CompileOptions::default());
    assert!(scan(&set, "x", b"needle").is_clean());
    assert_eq!(scan(&set, "x", b"a needle").findings.len(), 1);
}

#[test]
fn the_public_lists_load_without_an_unexplained_line() {
    let Some(directory) = shared("signature-base/iocs") else {
        return;
    };
    let (files, errors) = read_directory(&directory, SignatureOrigin::Internal).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    let set = SignatureSet::compile(&files, CompileOptions::default(), |_| {}).expect("a set");
    assert_eq!(skipped(&set), Vec::<String>::new());
    assert!(set.summary().iocs > 8_000, "{}", set.summary().iocs);
}
