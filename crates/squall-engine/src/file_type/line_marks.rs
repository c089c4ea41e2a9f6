//! What the first character of a script's line says, and the operators in it.

use super::script::Language::{
    AutoIt, Batch, C, Css, JavaScript, Perl, PowerShell, Ruby, Rust, Shell,
};
use super::script::Scores;
use super::{bytes, line_shapes as shapes};

pub(super) fn directive(line: &[u8], scores: &mut Scores) {
    let rest = line[1..].trim_ascii_start();
    if let Some(name) = rest.strip_prefix(b"include") {
        let name = name.trim_ascii();
        if shapes::ends_with_ignore_case(name, b".au3>") {
            scores.add(AutoIt, 5);
        } else if name.starts_with(b"<") || name.starts_with(b"\"") {
            scores.add(C, 4);
        }
    } else if rest.starts_with(b"define ")
        || rest.starts_with(b"ifndef ")
        || rest.starts_with(b"pragma ")
    {
        scores.add(C, 2);
    } else if bytes::starts_with_ignore_case(rest, b"requires -") {
        scores.add(PowerShell, 3);
    } else if bytes::starts_with_ignore_case(rest, b"notrayicon") {
        scores.add(AutoIt, 5);
    } else if rest.starts_with(b"[derive(") || rest.starts_with(b"![") {
        scores.add(Rust, 4);
    }
}

/// `$name = …`: PowerShell, unless it ends as Perl does.
pub(super) fn sigil(line: &[u8], scores: &mut Scores) {
    let (name, after) = bytes::take_word(&line[1..]);
    let after = after.trim_ascii_start();
    if name.is_empty() || !(after.starts_with(b"=") || after.starts_with(b"+=")) {
        return;
    }
    scores.add(PowerShell, 2);
    if bytes::contains(line, b"[char")
        || bytes::contains_ignore_case(line, b"[system.")
        || bytes::contains(line, b"@(")
    {
        scores.add(PowerShell, 2);
    }
    if line.ends_with(b";") {
        scores.add(Perl, 1);
    }
}

pub(super) fn batch_mark(line: &[u8], scores: &mut Scores) {
    if let Some(rest) = bytes::strip_ignore_case(line, b"@echo ") {
        // Makefiles write `@echo` in front of a message.
        let is_switch = bytes::starts_with_ignore_case(rest, b"off")
            || bytes::starts_with_ignore_case(rest, b"on");
        scores.add(Batch, if is_switch { 6 } else { 2 });
    } else if line.starts_with(b"::") {
        scores.add(Batch, 1);
    } else if line.starts_with(b":") && shapes::is_label(&line[1..]) {
        scores.add(Batch, 2);
    } else if line.starts_with(b"%~")
        || bytes::starts_with_ignore_case(line, b"%comspec%")
        || bytes::starts_with_ignore_case(line, b"@set ")
    {
        scores.add(Batch, 3);
    } else if line.starts_with(b"@media ")
        || line.starts_with(b"@import url")
        || line.starts_with(b"@charset ")
    {
        scores.add(Css, 4);
    }
}

pub(super) fn quoted(line: &[u8], scores: &mut Scores) {
    if line.starts_with(b"'use strict'") || line.starts_with(b"\"use strict\"") {
        scores.add(JavaScript, 4);
    }
}

/// Operators that say something wherever they stand.
pub(super) fn operators(line: &[u8], scores: &mut Scores) {
    let mut rest = line;
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b'%' | b'=' | b'|' | b'>' | b'[' | b'(' | b')' | b';'))
    {
        let tail = &rest[at..];
        match tail {
            [b'%', b'~', b'd' | b'0' | b'1' | b'n' | b'f', ..] => scores.add(Batch, 3),
            [b'=', b'~', b' ', b'/' | b's' | b'm', ..] => scores.add(Perl, 2),
            [b')', b' ', b'=', b'>', b' ', b'{', ..] => scores.add(JavaScript, 3),
            [b'|', b'%', b'{', ..] | [b'|', b' ', b'%', b' ', b'{', ..] => {
                scores.add(PowerShell, 3)
            }
            [b'>', b'n', b'u', b'l', ..] | [b'>', b' ', b'n', b'u', b'l', ..] => {
                scores.add(Batch, 2)
            }
            [b'[', ..] if bytes::starts_with_ignore_case(tail, b"[system.") => {
                scores.add(PowerShell, 2)
            }
            [b'[', ..] if bytes::starts_with_ignore_case(tail, b"[convert]::") => {
                scores.add(PowerShell, 3)
            }
            [b'[', ..] if bytes::starts_with_ignore_case(tail, b"[text.encoding]::") => {
                scores.add(PowerShell, 3)
            }
            [b'(', b')', b'{', ..] | [b'(', b'f', b'u', b'n', b'c', b't', b'i', b'o', b'n', ..] => {
                scores.add(JavaScript, 2);
            }
            [b'(', b')', b' ', b'{'] => scores.add(Shell, 1),
            [b';', b'v', b'a', b'r', b' ', ..] => scores.add(JavaScript, 3),
            _ => {}
        }
        rest = &tail[1..];
    }
    if line.ends_with(b"|") && bytes::contains(line, b" do |") {
        scores.add(Ruby, 4);
    }
}

/// `name: value;` inside of braces, or `selector {`.
pub(super) fn css(line: &[u8], scores: &mut Scores) {
    let is_name = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'-';
    let name_end = line
        .iter()
        .position(|byte| !is_name(byte))
        .unwrap_or(line.len());
    let is_property = name_end > 2
        && line[name_end..].starts_with(b":")
        && line.ends_with(b";")
        && !line.contains(&b'(');
    let is_selector = line.ends_with(b"{") && matches!(line[0], b'.' | b'#' | b'*');
    if is_property || is_selector {
        scores.add(Css, 2);
    }
}
