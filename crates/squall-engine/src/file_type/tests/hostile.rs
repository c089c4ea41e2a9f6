//! Whatever the bytes are, there is an answer, without a panic and in time.

use std::time::{Duration, Instant};

use super::utf16;
use crate::file_type::{detect, magic_table};

/// A small generator, so the tests need no crate and repeat exactly.
struct Noise(u64);

impl Noise {
    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[3]
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }
}

#[test]
fn every_truncation_has_an_answer() {
    let samples: &[&[u8]] = &[
        b"<?php @eval($_POST[cmd]); ?>",
        b"{\"a\": [1, 2.5e3, true, null, \"x\\\"y\"], \"b\": {}}",
        b"#!/usr/bin/env -S python3 -u\nimport os\n",
        b"From: a@b.c\r\nTo: d@e.f\r\nSubject: x\r\n\tfolded\r\nMIME-Version: 1.0\r\n\r\nbody",
        b"<?xml version=\"1.0\"?><!-- c --><!DOCTYPE x><job><script>x</script></job>",
        b"@echo off\r\nset A=%~dp0\r\nif exist x goto end\r\n:end\r\n",
        b"---\na: |\n  b\n- c\n[s]\nk=v\n",
        b"begin 644 file\n#0V%T\n`\nend\n",
        b"Set x = CreateObject(\"WScript.Shell\")\r\nDim a, b(3) : x.Run",
        b"private rule x : y { condition: true }",
        b"\xff\xfe<\0?\0p\0h\0p\0 \0",
    ];
    for sample in samples {
        for len in 0..=sample.len() {
            let found = detect(&sample[..len]);
            assert_eq!(
                found.name() == "EMPTY",
                len == 0,
                "{len} bytes of {sample:?}"
            );
        }
    }
}

#[test]
fn noise_behind_every_signature_has_an_answer() {
    let mut noise = Noise(0x5eed);
    for magic in magic_table::MAGICS {
        for len in (0..200).chain([511, 512, 4096, 70_000]) {
            let mut content = noise.bytes(magic.offset);
            content.extend(magic.bytes);
            content.extend(noise.bytes(len));
            assert!(!detect(&content).name().is_empty());
        }
    }
}

#[test]
fn extreme_numbers_behind_every_signature_have_an_answer() {
    for magic in magic_table::MAGICS {
        for fill in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut content = vec![fill; magic.offset];
            content.extend(magic.bytes);
            content.resize(2048, fill);
            assert!(!detect(&content).name().is_empty());
        }
    }
}

#[test]
fn noise_is_not_taken_for_text_or_code() {
    let mut noise = Noise(1);
    for _ in 0..500 {
        let content = noise.bytes(600);
        let found = detect(&content);
        assert!(
            !matches!(
                found.name(),
                "TEXT" | "PHP" | "JS" | "JSON" | "CSV" | "Base64"
            ),
            "{found}: {content:?}"
        );
    }
}

#[test]
fn printable_noise_has_an_answer() {
    const ALPHABET: &[u8] = b"<>%?!@#$=:;,.|&(){}[]\"'\\/*-_~^` \n\r\taAzZ09";
    let mut noise = Noise(7);
    for len in 0..3000 {
        let content: Vec<u8> = (0..len % 400)
            .map(|_| ALPHABET[usize::from(noise.byte()) % ALPHABET.len()])
            .collect();
        let text = String::from_utf8(content.clone()).unwrap();
        assert!(!detect(&content).name().is_empty());
        assert!(!detect(&utf16(&text)).name().is_empty());
    }
}

#[test]
fn the_time_is_bounded_for_the_worst_texts() {
    let worst: [Vec<u8>; 8] = [
        b"<".repeat(4 << 20),
        b"<%".repeat(2 << 20),
        b"<% x".repeat(1 << 20),
        b"[".repeat(4 << 20),
        b"<!-- --> ".repeat(1 << 19),
        b"a=b\n".repeat(1 << 20),
        [b"PK\x03\x04".as_slice(), &b"P".repeat(4 << 20)].concat(),
        b"/* \n<# \n".repeat(1 << 19),
    ];
    for content in worst {
        let start = Instant::now();
        let found = detect(&content);
        // Generous: debug builds on a busy machine; a release build needs less
        // than a thousandth of it for ordinary files.
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{found} took {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn real_files_where_there_are_any() {
    let known = [
        ("/bin/sh", "ELF"),
        ("/usr/bin/env", "ELF"),
        ("/usr/share/doc/bash/changelog.Debian.gz", "GZIP"),
    ];
    for (path, expected) in known {
        // Other systems have other files, or none.
        let Ok(content) = std::fs::read(path) else {
            continue;
        };
        if content.starts_with(b"\x7fELF") || content.starts_with(b"\x1f\x8b") {
            assert_eq!(detect(&content).name(), expected, "{path}");
        }
    }
}
