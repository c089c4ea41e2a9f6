//! Small archives of every kind that is opened.

use std::io::{Cursor, Write};

use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

/// The content of every member.
pub(super) const CONTENT: &[u8] =
    b"a member with a needle in it, long enough to be compressed, compressed";

/// How the members of a zip archive are protected.
#[derive(Clone, Copy)]
pub(super) enum Lock<'a> {
    Open,
    Aes(&'a str),
    ZipCrypto(&'a str),
}

pub(super) fn zip(members: &[(&str, &[u8])], lock: Lock<'_>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let started = match lock {
            Lock::Open => writer.start_file(*name, options),
            Lock::Aes(password) => writer.start_file(
                *name,
                options.with_aes_encryption(AesMode::Aes256, password),
            ),
            Lock::ZipCrypto(password) => writer.start_file(
                *name,
                options
                    .with_deprecated_encryption(password.as_bytes())
                    .expect("password"),
            ),
        };
        started.expect("member");
        writer.write_all(content).expect("content");
    }
    writer.finish().expect("archive").into_inner()
}

pub(super) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, *content)
            .expect("member");
    }
    builder.into_inner().expect("archive")
}

pub(super) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, content) in members {
        writeln!(
            archive,
            "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`",
            format!("{name}/"),
            0,
            0,
            0,
            644,
            content.len()
        )
        .expect("memory");
        archive.extend_from_slice(content);
        if content.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

pub(super) fn zstd(content: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(content, 1).expect("stream")
}

pub(super) fn lz4(content: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}
