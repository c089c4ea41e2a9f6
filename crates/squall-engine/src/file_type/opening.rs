//! Texts that say what they are in their first characters.

use super::{FileType, bytes, catalogue as types};

/// Openings in the exact case their format prescribes.
static EXACT: &[(&[u8], FileType)] = &[
    (b"-----BEGIN OPENSSH PRIVATE KEY-----", types::SSH_KEY),
    (b"---- BEGIN SSH2 PUBLIC KEY ----", types::SSH_KEY),
    (b"PuTTY-User-Key-File-", types::SSH_KEY),
    (b"ssh-rsa AAAA", types::SSH_KEY),
    (b"ssh-dss AAAA", types::SSH_KEY),
    (b"ssh-ed25519 AAAA", types::SSH_KEY),
    (b"ecdsa-sha2-nistp", types::SSH_KEY),
    (b"-----BEGIN CERTIFICATE", types::CERT),
    (b"-----BEGIN NEW CERTIFICATE REQUEST", types::CERT),
    (b"-----BEGIN TRUSTED CERTIFICATE", types::CERT),
    (b"-----BEGIN X509 CRL", types::CERT),
    (b"-----BEGIN PKCS7-----", types::PKCS7),
    (b"-----BEGIN CMS-----", types::PKCS7),
    (b"-----BEGIN PRIVATE KEY-----", types::PRIVATE_KEY),
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", types::PRIVATE_KEY),
    (b"-----BEGIN RSA PRIVATE KEY-----", types::PRIVATE_KEY),
    (b"-----BEGIN DSA PRIVATE KEY-----", types::PRIVATE_KEY),
    (b"-----BEGIN EC PRIVATE KEY-----", types::PRIVATE_KEY),
    (b"-----BEGIN EC PARAMETERS-----", types::PRIVATE_KEY),
    (b"-----BEGIN PUBLIC KEY-----", types::PUBLIC_KEY),
    (b"-----BEGIN RSA PUBLIC KEY-----", types::PUBLIC_KEY),
    (b"-----BEGIN PGP ", types::PGP),
    (b"age-encryption.org/", types::AGE),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", types::AGE),
    (b"Windows Registry Editor Version 5", types::REG),
    (b"REGEDIT4", types::REG),
    (b"# Disk DescriptorFile", types::VMDK),
    (b"# v2 git bundle", types::GIT_BUNDLE),
    (b"# v3 git bundle", types::GIT_BUNDLE),
    (b"diff --git ", types::DIFF),
    (b"%!PS", types::POSTSCRIPT),
    (b"\\documentclass", types::LATEX),
    (b"\\documentstyle", types::LATEX),
    (b"WEBVTT", types::WEBVTT),
    (b"#EXTM3U", types::PLAYLIST),
    (b"ID;P", types::SYLK),
    (b"WEB\r\n1\r\n", types::WEB_QUERY),
    (b"WEB\n1\n", types::WEB_QUERY),
    (b"=ybegin ", types::YENC),
    (b"%YAML ", types::YAML),
    (b"#@~^", types::ENCODED_SCRIPT),
    (b"{\\rt", types::RTF),
    (b"Attribute VB_Name = ", types::VBA),
    (b"VERSION 1.0 CLASS", types::VBA),
    (b"VERSION 5.00\r\nBegin ", types::VBA),
];

/// Openings that count in any case.
static ANY_CASE: &[(&[u8], FileType)] = &[
    (b"begin:vcard", types::VCARD),
    (b"begin:vcalendar", types::ICALENDAR),
    (b"<?php", types::PHP),
    (b"<?=", types::PHP),
    (b"<script language=\"php\"", types::PHP),
    (b"[internetshortcut]", types::URL_SHORTCUT),
    (b"[desktop entry]", types::DESKTOP_ENTRY),
    (b"#notrayicon", types::AUTOIT),
    (b"#autoit3wrapper", types::AUTOIT),
];

/// Interpreters of the `#!` line, without version and extension.
static INTERPRETERS: &[(&[u8], FileType)] = &[
    (b"python", types::PYTHON),
    (b"pypy", types::PYTHON),
    (b"perl", types::PERL),
    (b"ruby", types::RUBY),
    (b"jruby", types::RUBY),
    (b"php", types::PHP),
    (b"lua", types::LUA),
    (b"luajit", types::LUA),
    (b"texlua", types::LUA),
    (b"node", types::JAVASCRIPT),
    (b"nodejs", types::JAVASCRIPT),
    (b"deno", types::JAVASCRIPT),
    (b"bun", types::JAVASCRIPT),
    (b"pwsh", types::POWERSHELL),
    (b"powershell", types::POWERSHELL),
    (b"tclsh", types::TCL),
    (b"wish", types::TCL),
    (b"expect", types::TCL),
    (b"awk", types::AWK),
    (b"gawk", types::AWK),
    (b"mawk", types::AWK),
    (b"osascript", types::APPLESCRIPT),
    (b"groovy", types::GROOVY),
    (b"Rscript", types::R_SCRIPT),
    (b"sh", types::SHELL),
    (b"bash", types::SHELL),
    (b"rbash", types::SHELL),
    (b"dash", types::SHELL),
    (b"ash", types::SHELL),
    (b"zsh", types::SHELL),
    (b"ksh", types::SHELL),
    (b"mksh", types::SHELL),
    (b"pdksh", types::SHELL),
    (b"csh", types::SHELL),
    (b"tcsh", types::SHELL),
    (b"fish", types::SHELL),
    (b"busybox", types::SHELL),
    (b"openrc-run", types::SHELL),
];

/// Decides by the first characters; `text` starts with no white space.
pub(super) fn detect(text: &[u8]) -> Option<FileType> {
    if let Some(line) = text.strip_prefix(b"#!") {
        return interpreter(line);
    }
    let exact = EXACT.iter().find(|(prefix, _)| text.starts_with(prefix));
    let any_case = || {
        ANY_CASE
            .iter()
            .find(|(prefix, _)| bytes::starts_with_ignore_case(text, prefix))
    };
    exact
        .or_else(any_case)
        .map(|(_, found)| *found)
        .or_else(|| numbered(text))
}

/// The program named by a `#!` line.
fn interpreter(line: &[u8]) -> Option<FileType> {
    const LINE_MAX_BYTES: usize = 512;
    let line = bytes::head(line, LINE_MAX_BYTES);
    let end = line
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(line.len());
    let mut words = line[..end]
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        // `env` takes flags and assignments before the program.
        .filter(|word| !word.starts_with(b"-") && !word.contains(&b'='))
        .map(base_name)
        .skip_while(|word| *word == b"env");
    let program = words.next()?;
    let known = INTERPRETERS.iter().find(|(name, _)| *name == program);
    if let Some((_, found)) = known {
        return Some(*found);
    }
    // `#!` may also be the start of a sentence or of a Rust attribute.
    let is_path = line.trim_ascii_start().starts_with(b"/");
    is_path.then_some(types::OTHER_SCRIPT)
}

/// The file name of a program, without the version and `.exe`.
fn base_name(word: &[u8]) -> &[u8] {
    let start = word
        .iter()
        .rposition(|byte| matches!(byte, b'/' | b'\\'))
        .map_or(0, |slash| slash + 1);
    let name = &word[start..];
    let name = name.strip_suffix(b".exe").unwrap_or(name);
    let end = name
        .iter()
        .rposition(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'-'))
        .map_or(0, |last| last + 1);
    &name[..end]
}

/// Encodings whose lines start with a number.
fn numbered(text: &[u8]) -> Option<FileType> {
    if let Some(mode) = text.strip_prefix(b"begin ") {
        let is_mode = mode.len() > 4
            && mode[..3].iter().all(|digit| matches!(digit, b'0'..=b'7'))
            && mode[3] == b' ';
        return is_mode.then_some(types::UUENCODE);
    }
    if let Some(record) = text.strip_prefix(b":") {
        let is_record = record.len() >= 10 && record[..10].iter().all(u8::is_ascii_hexdigit);
        return is_record.then_some(types::INTEL_HEX);
    }
    None
}
