//! Whole archives.

use std::io::Cursor;

use sevenz_rust2::encoder_options::AesEncoderOptions;
use sevenz_rust2::{
    ArchiveEntry, ArchiveWriter, EncoderConfiguration, EncoderMethod, SourceReader,
};
use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{open, open_within, survives_damage};

const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog, again and again and again";

struct Form<'a> {
    method: EncoderMethod,
    password: Option<&'a str>,
    hides_names: bool,
    is_solid: bool,
}

const PLAIN: Form<'_> = Form {
    method: EncoderMethod::LZMA2,
    password: None,
    hides_names: false,
    is_solid: false,
};

fn archive(members: &[(&str, &[u8])], form: &Form<'_>) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    let mut methods: Vec<EncoderConfiguration> = Vec::new();
    if let Some(password) = form.password {
        methods.push(AesEncoderOptions::new(password.into()).into());
    }
    methods.push(form.method.into());
    writer.set_content_methods(methods);
    writer.set_encrypt_header(form.hides_names);
    writer
        .push_archive_entry::<&[u8]>(ArchiveEntry::new_directory("dir"), None)
        .unwrap();
    let entries: Vec<ArchiveEntry> = members
        .iter()
        .map(|(name, _)| ArchiveEntry::new_file(name))
        .collect();
    if form.is_solid {
        let readers = members
            .iter()
            .map(|(_, content)| SourceReader::new(*content));
        writer
            .push_archive_entries(entries, readers.collect())
            .unwrap();
    } else {
        for (entry, (_, content)) in entries.into_iter().zip(members) {
            writer.push_archive_entry(entry, Some(*content)).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn members_have_their_names_and_bytes() {
    for method in [
        EncoderMethod::COPY,
        EncoderMethod::LZMA,
        EncoderMethod::LZMA2,
        EncoderMethod::PPMD,
        EncoderMethod::BZIP2,
    ] {
        for is_solid in [false, true] {
            let form = Form {
                method,
                is_solid,
                ..PLAIN
            };
            let opened = open(
                unpack,
                &archive(&[("dir/a.js", TEXT), ("b", b"second")], &form),
            );
            assert_eq!(opened.names(), ["dir/a.js", "b"], "{method:?}");
            assert_eq!(opened.member("dir/a.js"), TEXT);
            assert_eq!(opened.member("b"), b"second");
            assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
        }
    }
}

#[test]
fn known_passwords_open_encrypted_archives() {
    for hides_names in [false, true] {
        for is_solid in [false, true] {
            let form = Form {
                password: Some("virus"),
                hides_names,
                is_solid,
                ..PLAIN
            };
            let opened = open(unpack, &archive(&[("a", TEXT), ("b", b"2")], &form));
            assert_eq!(opened.names(), ["a", "b"]);
            assert_eq!(opened.member("a"), TEXT);
            assert!(opened.incomplete.is_empty());
        }
    }
}

#[test]
fn an_archive_under_an_unknown_password_is_recorded() {
    for hides_names in [false, true] {
        let form = Form {
            password: Some("Tr0ub4dor"),
            hides_names,
            ..PLAIN
        };
        let opened = open(unpack, &archive(&[("a", TEXT)], &form));
        assert!(opened.members.is_empty());
        assert_eq!(opened.reasons(), [IncompleteReason::Encrypted]);
    }
}

#[test]
fn a_cut_off_archive_is_recorded() {
    let sample = archive(&[("a", TEXT), ("b", b"2")], &PLAIN);
    for len in 0..sample.len() {
        let opened = open(unpack, &sample[..len]);
        assert_eq!(opened.incomplete.len(), 1, "{len}");
    }
}

#[test]
fn damaged_data_is_recorded() {
    let form = Form {
        method: EncoderMethod::COPY,
        ..PLAIN
    };
    let mut sample = archive(&[("a", TEXT), ("b", b"second")], &form);
    let at = memchr::memmem::find(&sample, b"quick").unwrap();
    sample[at] = b'Q';
    let opened = open(unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    assert!(opened.member("a").starts_with(b"the Quick"));
    assert_eq!(opened.member("b"), b"second");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let limits = UnpackLimits {
        member_bytes_max: 1000,
        ..UnpackLimits::default()
    };
    let zeros = vec![0; 3_000_000];
    let opened = open_within(
        &limits,
        unpack,
        &archive(&[("a", &zeros), ("b", b"2")], &PLAIN),
    );
    assert_eq!(opened.member("b"), b"2");
    assert!(opened.reasons().contains(&IncompleteReason::Limit));

    let form = Form {
        is_solid: true,
        ..PLAIN
    };
    let limits = UnpackLimits {
        bytes_max: 10_000,
        ..UnpackLimits::default()
    };
    let opened = open_within(
        &limits,
        unpack,
        &archive(&[("a", &zeros), ("b", b"2")], &form),
    );
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn damage_neither_panics_nor_hangs() {
    survives_damage(unpack, &archive(&[("a", TEXT), ("b", b"2")], &PLAIN));
    let form = Form {
        method: EncoderMethod::PPMD,
        is_solid: true,
        ..PLAIN
    };
    survives_damage(unpack, &archive(&[("a", TEXT), ("b", b"2")], &form));
}
