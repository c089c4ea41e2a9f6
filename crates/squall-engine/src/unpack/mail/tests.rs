//! Whole messages.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use squall_types::IncompleteReason;

use super::unpack;
use crate::file_type::detect;
use crate::unpack::trial::{Opened, open, open_within, survives_damage};
use crate::unpack::{Format, UnpackLimits};

const EXECUTABLE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0EVIL";

fn encoded(content: &[u8]) -> String {
    let text = STANDARD.encode(content);
    let mut lines = String::new();
    for line in text.as_bytes().chunks(76) {
        writeln!(lines, "{}\r", std::str::from_utf8(line).unwrap()).unwrap();
    }
    lines
}

fn message(parts: &[String]) -> String {
    let mut text =
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed;\r\n boundary=\"=_b\"\r\n\r\npreamble\r\n"
            .to_owned();
    for part in parts {
        write!(text, "--=_b\r\n{part}\r\n").unwrap();
    }
    text + "--=_b--\r\n"
}

fn attachment(name: &str, content: &[u8]) -> String {
    format!(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
Content-Transfer-Encoding: base64\r\n\r\n{}",
        encoded(content)
    )
}

fn open_text(text: &str) -> Opened {
    open(unpack, text.as_bytes())
}

#[test]
fn bodies_and_attachments_are_members() {
    let opened = open_text(&message(&[
        "Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\n\r\nhello\r\n--in\r\n\
Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<b>hi=3D</b>\r\n--in--\r\n"
            .to_owned(),
        attachment("C:\\tmp\\a b.exe", EXECUTABLE),
        "Content-Type: application/pdf; name=\"=?utf-8?Q?=C3=A4.pdf?=\"\r\n\r\n%PDF-".to_owned(),
        "Content-Type: image/png\r\n\r\npixels".to_owned(),
    ]));
    assert_eq!(
        opened.names(),
        [
            "body.txt",
            "body.html",
            "C:\\tmp\\a b.exe",
            "ä.pdf",
            "attachment-1"
        ]
    );
    assert_eq!(opened.member("body.txt"), b"hello");
    assert_eq!(opened.member("body.html"), b"<b>hi=</b>");
    assert_eq!(opened.member("C:\\tmp\\a b.exe"), EXECUTABLE);
    assert_eq!(opened.member("attachment-1"), b"pixels");
    assert!(opened.incomplete.is_empty());
}

#[test]
fn a_message_in_utf_16_is_opened() {
    let text = message(&[attachment("a.exe", EXECUTABLE)]);
    for mark in ["", "\u{feff}"] {
        let units = format!("{mark}{text}");
        let file: Vec<u8> = units.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let opened = open(unpack, &file);
        assert_eq!(opened.member("a.exe"), EXECUTABLE);
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    }
}

#[test]
fn a_message_without_mime_is_its_body() {
    let opened = open_text("From: a\nSubject: b\n\nhello\n");
    assert_eq!(opened.names(), ["body.txt"]);
    assert_eq!(opened.member("body.txt"), b"hello\n");
    assert!(open_text("From: a\nSubject: b\n\n").members.is_empty());
}

#[test]
fn a_recognised_nested_message_is_left_to_the_scanner() {
    let inner = message(&[attachment("in.exe", EXECUTABLE)]).replace("=_b", "=_in");
    let opened = open_text(&message(&[format!(
        "Content-Type: message/rfc822\r\n\r\n{inner}"
    )]));
    assert_eq!(opened.names(), ["message.eml"]);
    assert_eq!(
        open(unpack, opened.member("message.eml")).member("in.exe"),
        EXECUTABLE
    );
}

#[test]
fn a_nested_message_that_hardly_is_one_is_opened_on_the_spot() {
    let part = attachment("in.exe", EXECUTABLE);
    let opened = open_text(&message(&[format!(
        "Content-Type: message/rfc822; name=fwd.eml\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        encoded(part.as_bytes())
    )]));
    assert_eq!(opened.names(), ["fwd.eml", "fwd.eml|in.exe"]);
    assert_eq!(opened.member("fwd.eml|in.exe"), EXECUTABLE);
}

#[test]
fn each_message_of_a_mailbox_is_a_member() {
    let one = message(&[attachment("1.exe", EXECUTABLE)]);
    let mailbox = format!(
        "From a@b Mon Jan  1 00:00:00 2024\r\n{one}\r\nFrom a@b Mon Jan  1 00:00:01 2024\r\n{one}"
    );
    let opened = open_text(&mailbox);
    assert_eq!(opened.names(), ["message-1.eml", "message-2.eml"]);
    let inner = open(unpack, opened.member("message-2.eml"));
    assert_eq!(inner.member("1.exe"), EXECUTABLE);
}

#[test]
fn damage_costs_no_more_than_what_it_hit() {
    let whole = message(&[attachment("a.exe", &EXECUTABLE.repeat(20))]);
    let torn = open_text(&whole[..whole.len() - 60]);
    assert!(torn.member("a.exe").starts_with(EXECUTABLE));
    assert_eq!(torn.reasons(), [IncompleteReason::Truncated]);
    let dirty = open_text(&whole.replacen("TVqQ", "TV!q\u{e4}Q", 1));
    assert!(dirty.member("a.exe").starts_with(EXECUTABLE));
    let wrong_boundary = open_text(&whole.replacen("=_b", "=_c", 1));
    assert!(wrong_boundary.member("a.exe").starts_with(EXECUTABLE));
    let no_parts = open_text("Content-Type: multipart/mixed; boundary=x\n\ntext\n");
    assert_eq!(no_parts.member("body.txt"), b"text\n");
}

#[test]
fn what_only_the_receiver_can_read_is_recorded() {
    for (kind, reason) in [
        (
            "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            IncompleteReason::Encrypted,
        ),
        (
            "application/x-pkcs7-mime; smime-type=signed-data",
            IncompleteReason::Unsupported,
        ),
        (
            "multipart/encrypted; boundary=e",
            IncompleteReason::Encrypted,
        ),
    ] {
        let opened = open_text(&message(&[format!(
            "Content-Type: {kind}\r\n\r\n--e\r\n\r\nx"
        )]));
        assert_eq!(opened.reasons(), [reason], "{kind}");
        assert_eq!(opened.members.len(), 1, "{kind}");
    }
}

/// Opens a message of one part, which must be passed on all the same.
#[track_caller]
fn gaps_of(header: &str, body: &str) -> Vec<(IncompleteReason, String)> {
    let opened = open_text(&message(&[format!("{header}\r\n\r\n{body}")]));
    assert_eq!(opened.members.len(), 1, "{header}");
    let gaps = opened.incomplete.into_iter();
    gaps.map(|gap| (gap.reason, gap.description)).collect()
}

#[track_caller]
fn reasons_of(header: &str, body: &str) -> Vec<IncompleteReason> {
    let gaps = gaps_of(header, body).into_iter();
    gaps.map(|(reason, _)| reason).collect()
}

#[test]
fn parts_whose_content_is_elsewhere_are_recorded() {
    for header in [
        "Content-Type: message/partial; id=\"x@y\"; number=2; total=3",
        "Content-Type: Message/External-Body; access-type=URL; URL=\"http://x/a.exe\"",
    ] {
        let reasons = reasons_of(header, "aGVsbG8=\r\nContent-Type: x/y");
        assert_eq!(reasons, [IncompleteReason::Truncated], "{header}");
    }
    let alone = open_text("Subject: x\nContent-Type: message/partial; number=1\n\nSubject: y\n");
    assert_eq!(alone.reasons(), [IncompleteReason::Truncated]);
    assert_eq!(alone.member("attachment-1"), b"Subject: y\n");
}

#[test]
fn unknown_transfer_encodings_are_recorded() {
    for known in [
        "",
        "7bit",
        "8BIT",
        "8-bit",
        "binary",
        "7bit (as it is)",
        "(no) (encoding)",
        "Base64;",
        "\"base64\"",
        "quoted-printable",
        "x-uuencode",
        "uuencode",
        "x-uue",
    ] {
        let header = format!("Content-Transfer-Encoding: {known}");
        assert!(reasons_of(&header, "aGVsbG8=").is_empty(), "{known}");
    }
    for kind in ["text/plain", "image/png; name=a.png"] {
        let header = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: x-Yenc; x");
        let description = "the transfer encoding `x-yenc` is not known".to_owned();
        let expected = [(IncompleteReason::Unsupported, description)];
        assert_eq!(gaps_of(&header, "raw"), expected, "{kind}");
    }
    let odd = format!(
        "Content-Transfer-Encoding: \u{7}\u{1b}[31m\u{202e}{}",
        "a".repeat(9000)
    );
    let (_, description) = gaps_of(&odd, "raw").remove(0);
    assert!(description.contains("`??[31m?aaa"), "{description}");
    assert!(description.len() < 100);
}

#[test]
fn wrong_names_for_no_transfer_encoding_are_no_gap() {
    for name in [
        "7bits",
        "8 bit",
        "8 Bits",
        "none",
        "plain",
        "text/plain",
        "identity",
        "raw",
        "UTF-8",
        "utf8",
        "us-ascii",
        "ISO-8859-15",
        "Windows-1252",
    ] {
        let part = format!("Content-Transfer-Encoding: {name}\r\n\r\na=3D aGVsbG8=");
        let opened = open_text(&message(&[part]));
        assert_eq!(opened.member("body.txt"), b"a=3D aGVsbG8=", "{name}");
        assert!(opened.incomplete.is_empty(), "{name}");
    }
    for name in [
        "16bit",
        "base-64",
        "quotedprintable",
        "x-gzip64",
        "utf-7",
        "plainly",
    ] {
        let header = format!("Content-Transfer-Encoding: {name}");
        let reasons = reasons_of(&header, "raw");
        assert_eq!(reasons, [IncompleteReason::Unsupported], "{name}");
    }
}

#[test]
fn a_nested_message_in_an_unknown_encoding_is_recorded() {
    let opened = open_text(&message(&[
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: x-zip\r\n\r\nA: b\r\n\r\nhello"
            .to_owned(),
    ]));
    assert_eq!(opened.reasons(), [IncompleteReason::Unsupported]);
    assert!(opened.member("message.eml").starts_with(b"A: b"));
}

#[test]
fn an_encoding_named_in_an_odd_way_is_decoded() {
    let opened = open_text(&message(&[
        "Content-Transfer-Encoding: (x) \"BASE64\" (y)\r\n\r\naGVsbG8=".to_owned(),
    ]));
    assert_eq!(opened.member("body.txt"), b"hello");
}

#[test]
fn files_in_binhex_are_recorded() {
    const LINE: &str = "(This file must be converted with BinHex 4.0)\r\n\r\n:$f*TEQKPH#jdH";
    for (header, body) in [
        ("Content-Type: application/mac-binhex40; name=a.hqx", "x"),
        ("Content-Type: text/plain", LINE),
        ("Content-Type: text/plain", &format!("hello\r\n{LINE}")),
        ("Content-Type: application/octet-stream; name=a.hqx", LINE),
    ] {
        let reasons = reasons_of(header, body);
        assert_eq!(reasons, [IncompleteReason::Unsupported], "{header}");
    }
    assert!(reasons_of("X: y", &format!("There is a line {LINE}")).is_empty());
}

#[test]
fn an_encrypted_message_behind_other_lines_is_recorded() {
    const ARMOUR: &str =
        "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA5Zw+x/Qm0dIAQf9\r\n-----END PGP MESSAGE-----";
    for (header, body) in [
        ("X: y", format!("Hello,\r\n\r\n{ARMOUR}\r\n")),
        ("X: y", format!("> > {ARMOUR}\r\n")),
        ("X: y", format!("\u{feff}{ARMOUR}\r\n")),
        (
            "X: y",
            format!("-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\n- {ARMOUR}"),
        ),
        (
            "X: y",
            "Hello,\n-----BEGIN PGP MESSAGE, PART 01/02-----\n\nhQEMA5Zw+x/Qm0dI\n".to_owned(),
        ),
        (
            "X: y",
            "Hello,\n-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24=\n".to_owned(),
        ),
        (
            "Content-Type: text/html",
            format!("<p>Hello<br>{ARMOUR}<br>"),
        ),
        (
            "Content-Type: text/plain; name=a.txt",
            format!("Hello,\r\n{ARMOUR}"),
        ),
        (
            "Content-Transfer-Encoding: base64",
            encoded(format!("Hello,\r\n{ARMOUR}").as_bytes()),
        ),
        (
            "Content-Type: multipart/mixed; boundary=x",
            format!("Hello,\n{ARMOUR}"),
        ),
    ] {
        let reasons = reasons_of(header, &body);
        assert_eq!(reasons, [IncompleteReason::Encrypted], "{header} {body}");
    }
    for body in [
        // Reported when the member is opened as what it is.
        ARMOUR,
        "Send the part from the line -----BEGIN PGP MESSAGE----- on.",
        "Hello,\n-----BEGIN PGP MESSAGES",
        "Hello,\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    ] {
        assert!(reasons_of("X: y", body).is_empty(), "{body}");
    }
    let mut line = "x-----BEGIN PGP MESSAGE-----".repeat(100_000);
    assert!(reasons_of("X: y", &line).is_empty());
    line.push_str("\n-----BEGIN PGP MESSAGE-----\n\nhQEMA5Zw+x/Qm0dIAQf9\n");
    assert_eq!(reasons_of("X: y", &line), [IncompleteReason::Encrypted]);
}

#[test]
fn an_encrypted_message_is_told_by_the_data_in_it() {
    const HEADERS: &str = "Version: GnuPG v2\nComment: Using GnuPG with Thunderbird -\nand more";
    const DATA: &str = "hQEMA5Zw+x/Qm0dIAQf9";
    let armour = format!("-----BEGIN PGP MESSAGE-----\n{HEADERS}\n\n{DATA}\n=abcd\n");
    let quoted = armour.replace('\n', "\n> ");
    let indented = armour.replace('\n', "\n\t| ");
    let html = armour.replace('\n', "</p><p class=\"a\">&nbsp;</p><p>");
    for (kind, body) in [
        ("plain", armour.replace('\n', "\r\n")),
        ("plain", format!("> {quoted}")),
        ("plain", format!("\t| {indented}")),
        ("html", format!("<p>{html}</p>")),
        (
            "plain",
            format!("{}{armour}", "-----BEGIN PGP MESSAGE-----\n...\n".repeat(9)),
        ),
    ] {
        let header = format!("Content-Type: text/{kind}");
        let reasons = reasons_of(&header, &format!("Hello,\r\n{body}"));
        assert_eq!(reasons, [IncompleteReason::Encrypted], "{body}");
    }
    for shown in [
        "\n    ...\n    -----END PGP MESSAGE-----\n",
        "\n\nhQEMA5Zw...\n-----END PGP MESSAGE-----\n",
        "\nVersion: GnuPG v2\n\n[the message]\n",
        "\n================================\n++++++++++++++++\n",
        "\ninternationalization\n",
        "\n...\n-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE3Qm0dIAQf9\n",
        &format!("\n{}\n{DATA}", "a: b\n".repeat(1000)),
        "",
    ] {
        let body = format!("It looks like this:\n\n    -----BEGIN PGP MESSAGE-----{shown}");
        assert!(reasons_of("X: y", &body).is_empty(), "{body}");
    }
}

#[test]
fn an_encrypted_attachment_of_s_mime_is_recorded_by_what_it_is() {
    let content = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80\x30";
    // What is not declared is reported when the member is opened as what it is.
    for (kind, expected) in [
        ("application/octet-stream; name=smime.p7m", &[][..]),
        (
            "application/pkcs7-mime; smime-type=certs-only; name=smime.p7m",
            &[],
        ),
        (
            "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            &[IncompleteReason::Encrypted],
        ),
    ] {
        let header = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64");
        assert_eq!(reasons_of(&header, &encoded(content)), expected, "{kind}");
    }
    assert_eq!(Format::of(detect(content)), Some(Format::Sealed));
}

#[test]
fn parts_in_parts_without_end_reach_a_limit() {
    let mut text = String::new();
    for depth in 0..500 {
        write!(
            text,
            "Content-Type: multipart/mixed; boundary=b{depth}x\n\n--b{depth}x\n"
        )
        .unwrap();
    }
    let reasons = [IncompleteReason::Truncated, IncompleteReason::Limit];
    assert_eq!(open_text(&text).reasons(), reasons);
    let messages = "Content-Type: message/rfc822\n\n".repeat(500);
    assert_eq!(open_text(&messages).reasons(), [IncompleteReason::Limit]);
}

#[test]
fn the_budget_ends_a_message_of_countless_parts() {
    let limits = UnpackLimits {
        members_max: 10,
        member_bytes_max: 8,
        ..UnpackLimits::default()
    };
    let parts = vec![attachment("a.exe", EXECUTABLE); 20];
    let opened = open_within(&limits, unpack, message(&parts).as_bytes());
    assert_eq!(opened.members.len(), 10);
    assert!(opened.members.iter().all(|(_, content)| content.len() <= 8));
    assert_eq!(opened.reasons(), [IncompleteReason::Limit; 11]);
    let boundaries = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\n".repeat(300_000)
    );
    assert_eq!(open_text(&boundaries).reasons(), [IncompleteReason::Limit]);
}

#[test]
fn damaged_messages_neither_panic_nor_hang() {
    let inner = message(&[attachment("in.exe", EXECUTABLE)]);
    let whole = message(&[
        attachment("a.exe", EXECUTABLE),
        format!("Content-Type: message/rfc822\r\n\r\n{inner}"),
        "Content-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3D".to_owned(),
        "Content-Disposition: attachment; filename*0*=utf-8'en'a%20; filename*1=b\r\n\r\nbegin 644 x\n#0V%T".to_owned(),
    ]);
    survives_damage(unpack, whole.as_bytes());
}
