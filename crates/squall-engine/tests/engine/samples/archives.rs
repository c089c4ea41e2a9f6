//! Makes archives and compressed streams, each with one file in it.

use std::io::{Cursor, Write};

use rars::{ArchiveVersion, Builder};
use sevenz_rust2::encoder_options::AesEncoderOptions;
use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderConfiguration, EncoderMethod};
use zip::unstable::write::FileOptionsExt;
use zip::write::{FileOptions, SimpleFileOptions};
use zip::{AesMode, CompressionMethod, ZipWriter};

/// The name of the file in each of them.
pub(super) const INNER: &str = "in/evil.txt";

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn xz(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect("options");
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn lzma(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let len = Some(content.len() as u64);
    let mut encoder =
        lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, len).expect("options");
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn lzip(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzipOptions::with_preset(1);
    let mut encoder = lzma_rust2::LzipWriter::new(Vec::new(), options);
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(content, 1).expect("stream")
}

pub(super) fn lz4(content: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

/// A zip archive of these files.
pub(super) fn zip_of(files: &[(&str, &[u8])], options: FileOptions<'_, '_, ()>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, options).expect("member");
        writer.write_all(content).expect("content");
    }
    writer.finish().expect("archive").into_inner()
}

pub(super) fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

/// One file, compressed with this method.
pub(super) fn zip_by(method: CompressionMethod, content: &[u8]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    zip_of(&[(INNER, content)], options)
}

pub(super) fn zip(content: &[u8]) -> Vec<u8> {
    zip_of(&[(INNER, content)], deflated())
}

pub(super) fn zip64(content: &[u8]) -> Vec<u8> {
    zip_of(&[(INNER, content)], deflated().large_file(true))
}

pub(super) fn zip_aes(content: &[u8], password: &str) -> Vec<u8> {
    let options = deflated().with_aes_encryption(AesMode::Aes256, password);
    zip_of(&[(INNER, content)], options)
}

pub(super) fn zip_crypto(content: &[u8], password: &str) -> Vec<u8> {
    let options = deflated()
        .with_deprecated_encryption(password.as_bytes())
        .expect("password");
    zip_of(&[(INNER, content)], options)
}

/// A zip archive that other files make one of another kind.
pub(super) fn package(marks: &[&str], content: &[u8]) -> Vec<u8> {
    let mut files: Vec<(&str, &[u8])> = marks.iter().map(|name| (*name, &b"x"[..])).collect();
    files.push((INNER, content));
    zip_of(&files, deflated())
}

pub(super) fn tar(content: &[u8]) -> Vec<u8> {
    tar_by(tar::Header::new_gnu(), content)
}

/// Tar as it was before it had a mark.
pub(super) fn old_tar(content: &[u8]) -> Vec<u8> {
    tar_by(tar::Header::new_old(), content)
}

fn tar_by(mut header: tar::Header, content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, INNER, content)
        .expect("member");
    builder.into_inner().expect("archive")
}

/// What tools that compress in parallel write: a frame to skip comes first.
pub(super) fn skipped_first(frame: &[u8]) -> Vec<u8> {
    [&b"\x50\x2a\x4d\x18\x04\0\0\0note"[..], frame].concat()
}

/// A zip archive behind other data, which is no text.
pub(super) fn zip_behind(before: &[u8], content: &[u8]) -> Vec<u8> {
    [before, &b"\0\x01\x02\x03".repeat(100), &zip(content)].concat()
}

/// A Unix archive of these files.
pub(super) fn ar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, content) in files {
        let name = format!("{name}/");
        let len = content.len();
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{len:<10}`\n", 0, 0, 0, 644);
        archive.extend(header.as_bytes());
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(2), b'\n');
    }
    archive
}

pub(super) fn ar(content: &[u8]) -> Vec<u8> {
    ar_of(&[("evil.txt", content)])
}

pub(super) fn deb(content: &[u8]) -> Vec<u8> {
    ar_of(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", &gzip(&tar(b"Package: x\n"))),
        ("data.tar.xz", &xz(&tar(content))),
    ])
}

/// 7z with this method, and encrypted if there is a password.
pub(super) fn seven_zip(
    content: &[u8],
    method: EncoderMethod,
    password: Option<&str>,
    hides_names: bool,
) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).expect("writer");
    let mut methods: Vec<EncoderConfiguration> = Vec::new();
    if let Some(password) = password {
        methods.push(AesEncoderOptions::new(password.into()).into());
    }
    methods.push(method.into());
    writer.set_content_methods(methods);
    writer.set_encrypt_header(hides_names);
    writer
        .push_archive_entry(ArchiveEntry::new_file(INNER), Some(content))
        .expect("member");
    writer.finish().expect("archive").into_inner()
}

pub(super) fn cab(compression: cab::CompressionType, content: &[u8]) -> Vec<u8> {
    let mut builder = cab::CabinetBuilder::new();
    builder.add_folder(compression).add_file(INNER);
    let mut writer = builder.build(Cursor::new(Vec::new())).expect("cabinet");
    let mut file = writer.next_file().expect("file").expect("file");
    file.write_all(content).expect("content");
    writer.finish().expect("cabinet").into_inner()
}

pub(super) fn rar(version: ArchiveVersion, content: &[u8], password: Option<&str>) -> Vec<u8> {
    let password = password.map(|password| password.as_bytes().to_vec());
    let mut builder = Builder::new(version).password(password);
    builder
        .add_bytes(INNER.as_bytes().to_vec(), content.to_vec(), None, None)
        .expect("member");
    builder.to_bytes().expect("archive")
}

/// Cpio in its new form.
pub(super) fn cpio(content: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, mode, content) in [(INNER, 0o100_644, content), ("TRAILER!!!", 0, b"")] {
        let numbers = [
            1,
            mode,
            0,
            0,
            1,
            0,
            content.len(),
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ];
        archive.extend(b"070701");
        for number in numbers {
            archive.extend(format!("{number:08x}").as_bytes());
        }
        archive.extend(name.as_bytes());
        archive.push(0);
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(content);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }
    archive
}

pub(super) fn rpm(content: &[u8]) -> Vec<u8> {
    let header = |data: &[u8]| {
        let mut bytes = b"\x8e\xad\xe8\x01\0\0\0\0".to_vec();
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(u32::try_from(data.len()).expect("small").to_be_bytes());
        bytes.extend([0; 16]);
        bytes.extend(data);
        bytes
    };
    let mut package = b"\xed\xab\xee\xdb\x03\0".to_vec();
    package.resize(96, 0);
    package.extend(header(b"signature"));
    package.resize(package.len().next_multiple_of(8), 0);
    package.extend(header(b"facts"));
    package.extend(zstd(&cpio(content)));
    package
}

/// An ISO 9660 image with one file in its root.
pub(super) fn iso(content: &[u8]) -> Vec<u8> {
    const SECTOR: usize = 2048;
    const ROOT: u32 = 18;
    const FILE: u32 = 19;
    let record = |name: &[u8], flags: u8, sector: u32, len: usize| {
        let mut bytes = vec![0, 0];
        for number in [sector, u32::try_from(len).expect("small")] {
            bytes.extend(number.to_le_bytes());
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend([0; 7]);
        bytes.push(flags);
        bytes.extend([0, 0, 1, 0, 0, 1]);
        bytes.push(u8::try_from(name.len()).expect("short"));
        bytes.extend(name);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes[0] = u8::try_from(bytes.len()).expect("short");
        bytes
    };
    let root = record(b"\0", 2, ROOT, SECTOR);
    let mut volume = b"\x01CD001\x01".to_vec();
    volume.resize(156, 0);
    volume.extend(&root);
    let directory = [
        root,
        record(b"\x01", 2, ROOT, SECTOR),
        record(b"EVIL.TXT;1", 0, FILE, content.len()),
    ]
    .concat();
    let mut image = vec![0; 16 * SECTOR];
    for part in [&volume[..], b"\xffCD001\x01", &directory, content] {
        image.extend(part);
        image.resize(image.len().next_multiple_of(SECTOR), 0);
    }
    image
}

/// A Windows program of one section, without any code.
pub(super) fn program(data: &[u8]) -> Vec<u8> {
    const SECTION_AT: usize = 0x200;
    let mut file = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".to_vec();
    file.resize(0x3c, 0);
    file.extend(0x80_u32.to_le_bytes());
    file.resize(0x80, 0);
    file.extend(b"PE\0\0\x4c\x01\x01\0");
    file.resize(0x80 + 20, 0);
    file.extend(0xe0_u16.to_le_bytes());
    file.extend([2, 1, 0x0b, 1]);
    let section = 0x80 + 24 + 0xe0;
    file.resize(section, 0);
    file.extend(b".data\0\0\0");
    let len = u32::try_from(data.len()).expect("small");
    for number in [len, 0x1000, len, 0x200] {
        file.extend(number.to_le_bytes());
    }
    file.resize(SECTION_AT, 0);
    file.extend(data);
    file
}

/// A program that unpacks itself.
pub(super) fn self_extracting(content: &[u8]) -> Vec<u8> {
    [program(b"code"), zip(content)].concat()
}

/// A zip archive around data that was compressed elsewhere.
pub(super) fn zip_around(method: u16, packed: &[u8], content: &[u8]) -> Vec<u8> {
    let mut facts = vec![20, 0, 0, 0];
    facts.extend(method.to_le_bytes());
    facts.extend([0; 4]);
    facts.extend(crc32fast::hash(content).to_le_bytes());
    for len in [packed.len(), content.len()] {
        facts.extend(u32::try_from(len).expect("small").to_le_bytes());
    }
    facts.extend(u16::try_from(INNER.len()).expect("short").to_le_bytes());
    facts.extend([0, 0]);
    let local = [b"PK\x03\x04", &facts[..], INNER.as_bytes(), packed].concat();
    let mut central = b"PK\x01\x02\x14\0".to_vec();
    central.extend(&facts);
    central.extend([0; 14]);
    central.extend(INNER.as_bytes());
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    for len in [central.len(), local.len()] {
        end.extend(u32::try_from(len).expect("small").to_le_bytes());
    }
    end.extend([0, 0]);
    [local, central, end].concat()
}

/// LZMA with the header that zip puts before it.
pub(super) fn lzma_in_zip(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let mut encoder =
        lzma_rust2::LzmaWriter::new_no_header(Vec::new(), &options, false).expect("options");
    encoder.write_all(content).expect("memory");
    let mut packed = b"\x10\x02\x05\0".to_vec();
    packed.push(options.get_props());
    packed.extend(options.dict_size.to_le_bytes());
    packed.extend(encoder.finish().expect("stream"));
    packed
}

/// Deflate64 in blocks that are stored.
pub(super) fn deflate64(content: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let count = content.chunks(0xffff).len();
    for (index, block) in content.chunks(0xffff).enumerate() {
        let len = u16::try_from(block.len()).expect("small");
        packed.push(u8::from(index + 1 == count));
        packed.extend(len.to_le_bytes());
        packed.extend((!len).to_le_bytes());
        packed.extend(block);
    }
    packed
}
