//! Scripts with one long line.

use super::{JS, PHP, TEXT, VBS, file};

const OBFUSCATED: &[&str] = &["Obfuscated_Script"];

/// Characters of base64 in no order, the same in every run.
fn base64(len: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(ALPHABET[usize::from(state.to_be_bytes()[0] >> 2)])
    };
    std::iter::repeat_with(&mut next).take(len).collect()
}

fn powershell(payload: &str) -> String {
    format!(
        "$x = [System.Convert]::FromBase64String('{payload}')\n$y = $x | % {{ $_ -bxor 1 }}\nIEX $y\n"
    )
}

fn with(script: &[u8], line: &str) -> Vec<u8> {
    let mut content = script.to_vec();
    content.extend_from_slice(line.as_bytes());
    content
}

#[test]
fn long_lines_nobody_can_read_are_found() {
    let payload = base64(6000);
    file("a.ps1", powershell(&payload)).expect(OBFUSCATED);
    file(
        "a.php",
        with(PHP, &format!("<?php eval(base64_decode('{payload}'));")),
    )
    .expect(OBFUSCATED);
    file("a.vbs", with(VBS, &format!("x = \"{payload}\"\r\n"))).expect(OBFUSCATED);
    file("a.js", with(JS, &format!("eval(atob('{payload}'));"))).expect(OBFUSCATED);
}

#[test]
fn utf_16_is_read_as_characters() {
    let script = powershell(&base64(6000));
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(script.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    file("a.ps1", wide).expect(OBFUSCATED);
}

#[test]
fn what_can_be_read_is_not_meant() {
    let payload = base64(6000);
    // Short lines.
    let wrapped: Vec<&str> = (0..75)
        .map(|line| &payload[line * 76..line * 76 + 76])
        .collect();
    file("a.ps1", powershell(&wrapped.join("\n"))).expect(&[]);
    file("a.ps1", powershell(&payload[..2000])).expect(&[]);
    // Long lines of little entropy: tables, prose.
    file("a.ps1", powershell(&"0123456789abcdef".repeat(1000))).expect(&[]);
    file(
        "a.vbs",
        with(VBS, &format!("' {}", "a table of words ".repeat(1000))),
    )
    .expect(&[]);
    // A bundle in which there is a picture.
    let bundle = "function a(b, c) {\n  return b + c;\n}\n".repeat(500);
    file(
        "a.js",
        with(bundle.as_bytes(), &format!("var p = '{payload}';")),
    )
    .expect(&[]);
    // No script at all.
    file("a.txt", with(TEXT, &payload)).expect(&[]);
    file("a.b64", payload).expect(&[]);
}
