//! Whole archives.

use rars::{ArchiveVersion, Builder};
use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{open, open_within, survives_damage};

const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog, again and again and again";

const VERSIONS: [ArchiveVersion; 5] = [
    ArchiveVersion::Rar15,
    ArchiveVersion::Rar20,
    ArchiveVersion::Rar29,
    ArchiveVersion::Rar50,
    ArchiveVersion::Rar70,
];

/// With and without the names encrypted as well.
const LOCKED: [(ArchiveVersion, bool); 5] = [
    (ArchiveVersion::Rar20, false),
    (ArchiveVersion::Rar29, false),
    (ArchiveVersion::Rar30, true),
    (ArchiveVersion::Rar50, false),
    (ArchiveVersion::Rar50, true),
];

fn archive(builder: Builder, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = builder;
    for (name, content) in members {
        builder
            .add_bytes(name.as_bytes().to_vec(), content.to_vec(), None, None)
            .unwrap();
    }
    builder.to_bytes().unwrap()
}

fn locked(version: ArchiveVersion, password: &str) -> Builder {
    Builder::new(version).password(Some(password.as_bytes().to_vec()))
}

#[test]
fn members_have_their_names_and_bytes() {
    for version in VERSIONS {
        for is_solid in [false, true] {
            let builder = Builder::new(version).solid(is_solid);
            let opened = open(
                unpack,
                &archive(builder, &[("a.js", TEXT), ("b", b"second")]),
            );
            assert_eq!(opened.names(), ["a.js", "b"], "{version:?}");
            assert_eq!(opened.member("a.js"), TEXT);
            assert_eq!(opened.member("b"), b"second");
            assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
        }
    }
}

#[test]
fn known_passwords_open_encrypted_archives() {
    for (version, hides_names) in LOCKED {
        let builder = locked(version, "virus").header_encryption(hides_names);
        let opened = open(unpack, &archive(builder, &[("a", TEXT), ("b", b"2")]));
        assert_eq!(opened.names(), ["a", "b"], "{version:?}");
        assert_eq!(opened.member("a"), TEXT);
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    }
}

#[test]
fn an_archive_under_an_unknown_password_is_recorded() {
    for (version, hides_names) in LOCKED {
        let builder = locked(version, "Tr0ub4dor").header_encryption(hides_names);
        let opened = open(unpack, &archive(builder, &[("a", TEXT)]));
        assert!(opened.members.is_empty());
        assert_eq!(
            opened.reasons(),
            [IncompleteReason::Encrypted],
            "{version:?}"
        );
    }
}

#[test]
fn a_cut_off_archive_is_recorded() {
    for version in [ArchiveVersion::Rar29, ArchiveVersion::Rar50] {
        let sample = archive(Builder::new(version), &[("a", TEXT), ("b", b"second")]);
        let end = memchr::memmem::find(&sample, b"second").unwrap_or(sample.len() - 20);
        for len in 0..end {
            let opened = open(unpack, &sample[..len]);
            let is_told = !opened.incomplete.is_empty() || opened.names() == ["a"];
            assert!(is_told, "{version:?} {len} {:?}", opened.names());
        }
    }
}

#[test]
fn changed_data_is_recorded() {
    for version in [ArchiveVersion::Rar29, ArchiveVersion::Rar50] {
        let builder = Builder::new(version).store(true);
        let mut sample = archive(builder, &[("a", TEXT), ("b", b"second")]);
        let at = memchr::memmem::find(&sample, b"quick").unwrap();
        sample[at] = b'Q';
        let opened = open(unpack, &sample);
        assert_eq!(opened.reasons(), [IncompleteReason::Corrupt], "{version:?}");
        assert!(opened.member("a").starts_with(b"the Quick"));
        assert_eq!(opened.member("b"), b"second");
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let zeros = vec![0; 3_000_000];
    for version in [ArchiveVersion::Rar29, ArchiveVersion::Rar50] {
        let sample = archive(Builder::new(version), &[("a", &zeros), ("b", b"2")]);
        let limits = UnpackLimits {
            member_bytes_max: 1000,
            ..UnpackLimits::default()
        };
        let opened = open_within(&limits, unpack, &sample);
        assert_eq!(opened.reasons(), [IncompleteReason::Limit], "{version:?}");
        assert_eq!(opened.member("b"), b"2");
        let limits = UnpackLimits {
            bytes_max: 100_000,
            ..UnpackLimits::default()
        };
        let opened = open_within(&limits, unpack, &sample);
        assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
    }
}

#[test]
fn a_part_of_a_set_is_recorded() {
    let mut builder = Builder::new(ArchiveVersion::Rar50)
        .store(true)
        .volume_size(Some(2000));
    let content: Vec<u8> = (0..5000_u32).map(|n| n.to_le_bytes()[0]).collect();
    builder
        .add_bytes(b"a".to_vec(), content, None, None)
        .unwrap();
    let volumes = builder.build_volumes(None).unwrap();
    assert!(volumes.len() > 1);
    for volume in &volumes {
        let reasons = open(unpack, volume).reasons();
        assert!(
            !reasons.is_empty() && reasons.iter().all(|it| *it == IncompleteReason::Truncated),
            "{reasons:?}"
        );
    }
}

#[test]
fn damage_neither_panics_nor_hangs() {
    for version in VERSIONS {
        survives_damage(
            unpack,
            &archive(Builder::new(version), &[("a", TEXT), ("b", b"2")]),
        );
    }
}

#[test]
fn what_follows_a_bomb_in_a_solid_archive_is_not_called_damaged() {
    let limits = UnpackLimits {
        member_bytes_max: 100_000,
        ..UnpackLimits::default()
    };
    for version in [ArchiveVersion::Rar29, ArchiveVersion::Rar50] {
        let builder = Builder::new(version).solid(true);
        let sample = archive(builder, &[("a", &[b'a'; 1_000_000]), ("b", TEXT)]);
        let reasons = open_within(&limits, unpack, &sample).reasons();
        assert!(
            !reasons.is_empty() && reasons.iter().all(|it| *it == IncompleteReason::Limit),
            "{version:?}: {reasons:?}"
        );
    }
}
