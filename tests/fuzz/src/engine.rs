//! The engine: recognising, unpacking, lists of indicators.

use std::path::Path;
use std::time::Duration;

use squall_types::SignatureOrigin;

use crate::include::{Found, Included, expand_includes};
use crate::ioc::{IocBuilder, IocKind, StixFacts};
use crate::name::Name;
use crate::rule_text::{includes_others, rule_text};
use crate::source::SourceFile;
use crate::unpack::{self, Budget, Codec, Container, Format, Member, UnpackLimits};
use crate::{digest, file_type};

/// Small enough that a bomb ends within the time and memory a run may take.
fn limits() -> UnpackLimits {
    UnpackLimits {
        depth_max: 3,
        members_max: 500,
        bytes_max: 64 * 1024 * 1024,
        member_bytes_max: 16 * 1024 * 1024,
        time_max: Duration::from_secs(2),
        ..UnpackLimits::default()
    }
}

/// Opens `content` as one format, whatever it is, and then what is inside by
/// what it is.
///
/// # Panics
///
/// On a name that is no format.
pub fn unpack_as(format: &str, content: &[u8]) {
    let format = match format {
        "zip" => Format::Zip,
        "tar" => Format::Tar,
        "ar" => Format::Ar,
        "cab" => Format::Cab,
        "cpio" => Format::Cpio,
        "rpm" => Format::Rpm,
        "iso" => Format::Iso,
        "rar" => Format::Rar,
        "program" => Format::Program,
        "seven_zip" => Format::SevenZip,
        "mail" => Format::Mail,
        "ole" => Format::Ole,
        "pdf" => Format::Pdf,
        "rtf" => Format::Rtf,
        "lnk" => Format::Lnk,
        "tnef" => Format::Tnef,
        "onenote" => Format::OneNote,
        "blobs" => Format::Blobs,
        "media" => Format::Media,
        "flash" => Format::Flash,
        "other" => Format::Other,
        "sealed" => Format::Sealed,
        other => panic!("no format `{other}`"),
    };
    unpack_by(format, content);
}

/// Decodes the compressed stream that the first byte chooses, so that damage of
/// the first bytes does not make it something else.
pub fn unpack_stream(content: &[u8]) {
    const CODECS: [Codec; 8] = [
        Codec::Gzip,
        Codec::Bzip2,
        Codec::Xz,
        Codec::Lzma,
        Codec::Lzip,
        Codec::Zstd,
        Codec::Lz4,
        Codec::Zlib,
    ];
    let Some((&codec, stream)) = content.split_first() else {
        return;
    };
    let codec = CODECS[usize::from(codec) % CODECS.len()];
    unpack_by(Format::Stream(codec), stream);
}

fn unpack_by(format: Format, content: &[u8]) {
    let limits = limits();
    let mut budget = Budget::new(&limits, content.len() as u64);
    open(format, content, 1, &mut budget);
}

/// Opens `content` by what it is, as a scan does.
pub fn unpack_detected(content: &[u8]) {
    let limits = limits();
    let mut budget = Budget::new(&limits, content.len() as u64);
    open_detected(content, 0, &mut budget);
}

fn open_detected(content: &[u8], depth: u32, budget: &mut Budget<'_>) {
    if depth >= budget.limits().depth_max {
        return;
    }
    if let Some(format) = Format::of(file_type::detect(content)) {
        open(format, content, depth + 1, budget);
    }
}

fn open(format: Format, content: &[u8], depth: u32, budget: &mut Budget<'_>) {
    let size_max = budget.limits().member_bytes_max;
    let mut visit = |member: Member, budget: &mut Budget<'_>| {
        assert!(
            member.content.len() as u64 <= size_max,
            "a member over its limit"
        );
        open_detected(&member.content, depth, budget);
    };
    let container = Container {
        path: "sample",
        content,
        is_part: false,
    };
    let incomplete = unpack::unpack(format, container, budget, &mut visit);
    assert!(incomplete.len() <= 102, "too many notes on one container");
}

/// Says what a file is.
pub fn recognise(content: &[u8]) {
    let found = file_type::detect(content);
    assert!(!found.name().is_empty());
}

/// Splits a name as rules see it.
pub fn member_names(content: &[u8]) {
    let text = String::from_utf8_lossy(content);
    let name = Name::of(&text);
    assert!(name.base.len() + name.directory.len() <= text.len());
    assert!(name.extension().is_empty() || name.extension().starts_with('.'));
}

/// Reads a list of the kind that the first byte says, and looks for what it
/// names in the list itself.
pub fn indicators(content: &[u8]) {
    let Some((&kind, list)) = content.split_first() else {
        return;
    };
    let kind = match kind % 5 {
        0 => IocKind::Hash,
        1 => IocKind::TrustedHash,
        2 => IocKind::Filename,
        3 => IocKind::Keyword,
        _ => IocKind::C2,
    };
    ask(kind, list);
}

/// Reads a STIX bundle and asks its patterns.
pub fn stix(content: &[u8]) {
    ask(IocKind::Stix, content);
}

fn ask(kind: IocKind, list: &[u8]) {
    let mut builder = IocBuilder::new();
    builder.add(
        kind,
        "fuzz-hash-filename.txt",
        list,
        SignatureOrigin::Custom,
    );
    let (iocs, problems) = builder.build();
    assert!(problems.len() <= 10_000);
    let digests = digest::digests(list);
    let path = String::from_utf8_lossy(list);
    iocs.is_trusted(&digests);
    assert!(iocs.match_hashes(&digests, None).len() <= 3);
    iocs.match_path(&path);
    assert!(iocs.match_content(list).len() <= 200);
    let facts = StixFacts {
        path: &path,
        digests: &digests,
        size_bytes: list.len() as u64,
    };
    assert!(iocs.match_stix(&facts).len() <= 100);
}

/// Reads rule files as a bundle from elsewhere brings them: puts the included
/// ones in, and finds the text of a rule. Zero bytes part the files, which are
/// called `0.yar`, `1.yar` and so on and may include one another; the first is
/// read.
pub fn rule_files(content: &[u8]) {
    let files: Vec<&[u8]> = content.split(|&byte| byte == 0).collect();
    let mut find = |wanted: &Path| {
        let index = wanted.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        Ok(index
            .and_then(|index: usize| files.get(index))
            .map(|&found| Found {
                path: wanted.to_owned(),
                name: wanted.display().to_string(),
                content: found.to_vec(),
                modified: None,
            }))
    };
    let mut file = SourceFile {
        name: "0.yar".to_owned(),
        content: files[0].to_vec(),
        origin: SignatureOrigin::Custom,
        modified: None,
        included: Included::default(),
    };
    expand_includes(&mut file, Path::new("0.yar"), &mut find);
    let pieces: usize = file.pieces().map(|piece| piece.text.len()).sum();
    assert_eq!(pieces, file.content.len(), "text of no file");
    let included = includes_others(&file.content);
    assert!(!included || memchr::memmem::find(&file.content, b"include").is_some());
    if let Some(found) = rule_text(&file.content, "a") {
        assert!(found.line >= 1 && !found.text.is_empty());
    }
}
