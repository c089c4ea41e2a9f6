//! Decides by byte signatures: walks the table and asks the refiners.
//!
//! A signature that is a plain word counts only when the rest of the head is
//! not text; one that is shared by several formats asks the module that knows
//! how to tell them apart.

use super::{FileType, bytes, catalogue as types, magic_table, openpgp};

/// One signature: what stands where, and what follows from it.
pub(super) struct Magic {
    pub(super) offset: usize,
    pub(super) bytes: &'static [u8],
    pub(super) verdict: Verdict,
}

/// What a matching signature means.
pub(super) enum Verdict {
    /// The type is certain.
    Is(FileType),
    /// The type is certain unless the head reads as plain text.
    IsUnlessText(FileType),
    /// The format shares its signature with others or needs a second look.
    Ask(fn(&[u8]) -> Option<FileType>),
}

/// Decides by signature, or leaves it to the other detectors.
pub(super) fn detect(content: &[u8]) -> Option<FileType> {
    magic_table::MAGICS
        .iter()
        .filter(|magic| bytes::is_at(content, magic.offset, magic.bytes))
        .find_map(|magic| magic.verdict.apply(content))
        .or_else(|| zlib(content))
        .or_else(|| old_tar(content))
        .or_else(|| openpgp::is_encrypted(content).then_some(types::PGP))
        .or_else(|| disk_image(content))
}

impl Verdict {
    fn apply(&self, content: &[u8]) -> Option<FileType> {
        match self {
            Self::Is(found) => Some(*found),
            Self::IsUnlessText(found) => bytes::looks_binary(content).then_some(*found),
            Self::Ask(refine) => refine(content),
        }
    }
}

/// A GIF header in front of text holding a script tag is a way to get a web
/// shell past an upload filter; the server that runs it ignores the header.
pub(super) fn gif(content: &[u8]) -> Option<FileType> {
    let head = bytes::head(content, super::HEAD_MAX_BYTES);
    let is_text = !bytes::looks_binary(content);
    let script = is_text
        .then(|| super::server_page::anywhere(head))
        .flatten();
    Some(script.unwrap_or(types::GIF))
}

/// A PDF may have up to a kilobyte of anything in front of its header; readers
/// accept that, so an attacker may use it.
pub(super) fn pdf_after_junk(content: &[u8]) -> Option<FileType> {
    const LEAD_MAX_BYTES: usize = 1024 + 5;
    let at = bytes::find(bytes::head(content, LEAD_MAX_BYTES), b"%PDF-")?;
    let body = bytes::head(content.get(at + 5..)?, 4096);
    let has_version = body.first().is_some_and(u8::is_ascii_digit) && body.get(1) == Some(&b'.');
    // Prose may quote the header, but not an object as well.
    (has_version && bytes::contains(body, b" obj")).then_some(types::PDF)
}

/// `CD001` stands in the second sector group, `BEA01` where UDF is alone; a
/// hybrid image may start with anything, so this cannot be part of a table of
/// beginnings.
fn disk_image(content: &[u8]) -> Option<FileType> {
    const ISO_DESCRIPTORS: [usize; 3] = [0x8001, 0x8801, 0x9001];
    const DMG_TRAILER_BYTES: usize = 512;
    const VHD_FOOTER_BYTES: usize = 512;
    let from_end = |len: usize, magic: &[u8]| {
        content
            .len()
            .checked_sub(len)
            .is_some_and(|offset| bytes::is_at(content, offset, magic))
    };
    if ISO_DESCRIPTORS.iter().any(|offset| {
        bytes::is_at(content, *offset, b"CD001") || bytes::is_at(content, *offset, b"BEA01")
    }) {
        return Some(types::ISO);
    }
    if from_end(DMG_TRAILER_BYTES, b"koly\0\0\0\x04") {
        return Some(types::DMG);
    }
    if from_end(VHD_FOOTER_BYTES, b"conectix") {
        return Some(types::VHD);
    }
    if bytes::is_at(content, 0x438, b"\x53\xef") && content.first() == Some(&0) {
        return Some(types::EXT_FS);
    }
    boot_sector(content)
}

fn boot_sector(content: &[u8]) -> Option<FileType> {
    let starts_with_code = matches!(
        content,
        [0xeb, _, 0x90, ..] | [0xe9 | 0xfa | 0x33 | 0xfc, ..]
    );
    (starts_with_code && bytes::is_at(content, 510, b"\x55\xaa")).then_some(types::BOOT_SECTOR)
}

fn zlib(content: &[u8]) -> Option<FileType> {
    let [method @ 0x78, flags @ (0x01 | 0x5e | 0x9c | 0xda), ..] = content else {
        return None;
    };
    let is_checked = u16::from_be_bytes([*method, *flags]).is_multiple_of(31);
    // `x^2 …` is a formula.
    (is_checked && content.len() > 6 && bytes::looks_binary(content)).then_some(types::ZLIB)
}

/// Icons and cursors: the magic is three bytes nearly all zero, so the
/// directory has to make sense as well.
pub(super) fn icon(content: &[u8]) -> Option<FileType> {
    const IMAGES_MAX: u16 = 256;
    let count = bytes::u16_le(content, 4)?;
    let first_len = bytes::u32_le(content, 14)?;
    let first_offset = bytes::u32_le(content, 18)?;
    let is_sane = (1..=IMAGES_MAX).contains(&count)
        && content.get(9) == Some(&0)
        && first_len > 0
        && first_offset >= 6 + 16 * u32::from(count);
    let found = if content.get(2) == Some(&1) {
        types::ICO
    } else {
        types::CUR
    };
    is_sane.then_some(found)
}

pub(super) fn bmp(content: &[u8]) -> Option<FileType> {
    let header_len = bytes::u32_le(content, 14)?;
    let is_reserved_zero = bytes::u32_le(content, 6)? == 0;
    (is_reserved_zero && (12..=124).contains(&header_len)).then_some(types::BMP)
}

pub(super) fn emf(content: &[u8]) -> Option<FileType> {
    bytes::is_at(content, 40, b" EMF").then_some(types::EMF)
}

pub(super) fn bzip2(content: &[u8]) -> Option<FileType> {
    let has_level = content
        .get(3)
        .is_some_and(|level| matches!(level, b'1'..=b'9'));
    let has_block =
        bytes::is_at(content, 4, b"1AY&SY") || bytes::is_at(content, 4, b"\x17rE8P\x90");
    (has_level && has_block).then_some(types::BZIP2)
}

/// A stream of LZMA alone has no magic; its usual properties, a dictionary of a
/// power of two and a size below a terabyte or unknown, have to do.
pub(super) fn lzma(content: &[u8]) -> Option<FileType> {
    let dictionary_len = bytes::u32_le(content, 1)?;
    let size_high = bytes::u32_le(content, 9)?;
    let is_sane = dictionary_len.is_power_of_two()
        && dictionary_len >= 4096
        && (size_high < 256 || size_high == u32::MAX);
    (is_sane && content.len() > 13).then_some(types::LZMA)
}

/// The same with other settings than those that nearly everybody uses, which
/// leave nothing to go by but that all the fields make sense. Only where the
/// length is not known, as most programs have it: with one that is, a table of
/// numbers looks like it. The first byte of the data is always zero.
pub(super) fn unusual_lzma(content: &[u8]) -> Option<FileType> {
    const SETTINGS_MAX: u8 = 9 * 5 * 5;
    const DICTIONARY_MIN: u32 = 64 * 1024;
    const HEADER_BYTES: usize = 13;
    let dictionary_len = bytes::u32_le(content, 1)?;
    // A power of two, or that and half of it.
    let is_one_and_half =
        dictionary_len.is_multiple_of(3) && (dictionary_len / 3).is_power_of_two();
    let is_dictionary =
        dictionary_len >= DICTIONARY_MIN && (dictionary_len.is_power_of_two() || is_one_and_half);
    let is_of_unknown_len = bytes::is_at(content, 5, &[0xff; 8]);
    let is_data = content.get(HEADER_BYTES) == Some(&0);
    let is_one = *content.first()? < SETTINGS_MAX && is_dictionary && is_of_unknown_len && is_data;
    is_one.then_some(types::LZMA)
}

/// Frames of zstd and lz4 that are to be skipped, which may come before any
/// other; the first one that is not says which of the two it is.
pub(super) fn skippable_frames(content: &[u8]) -> Option<FileType> {
    const FRAMES_MAX: usize = 64;
    const HEADER_BYTES: usize = 8;
    const LZ4_FRAME: u32 = 0x184d_2204;
    let mut at = 0_usize;
    for _ in 0..FRAMES_MAX {
        let Some(magic) = bytes::u32_le(content, at) else {
            break;
        };
        if magic & 0xffff_fff0 != 0x184d_2a50 {
            // What is neither is damage, which both would tell.
            return (at > 0).then_some(match magic {
                LZ4_FRAME => types::LZ4,
                _ => types::ZSTD,
            });
        }
        let len = bytes::offset_le(content, at + 4)?;
        at = at.checked_add(HEADER_BYTES)?.checked_add(len)?;
    }
    Some(types::ZSTD)
}

/// Tar as it was before it had a mark: by the checksum of the first header.
fn old_tar(content: &[u8]) -> Option<FileType> {
    const HEADER_BYTES: usize = 512;
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let header = content.get(..HEADER_BYTES)?;
    let digits = header[CHECKSUM].trim_ascii_start();
    let end = digits
        .iter()
        .position(|digit| !matches!(digit, b'0'..=b'7'));
    let declared = std::str::from_utf8(&digits[..end?]).ok()?;
    let declared = u32::from_str_radix(declared, 8).ok()?;
    let sum: u32 = (header.iter().enumerate())
        .map(|(at, byte)| if CHECKSUM.contains(&at) { b' ' } else { *byte })
        .map(u32::from)
        .sum();
    (header[0] != 0 && sum == declared).then_some(types::TAR)
}

/// `070701` and friends; digits of a phone number look the same, so the next
/// header fields have to be numbers too.
pub(super) fn cpio(content: &[u8]) -> Option<FileType> {
    let fields = bytes::slice(content, 6, 70)?;
    fields
        .iter()
        .all(u8::is_ascii_hexdigit)
        .then_some(types::CPIO)
}

pub(super) fn ar(content: &[u8]) -> Option<FileType> {
    let is_package = bytes::is_at(content, 8, b"debian-binary");
    Some(if is_package { types::DEB } else { types::AR })
}

pub(super) fn swf(content: &[u8]) -> Option<FileType> {
    const VERSION_MAX: u8 = 60;
    let version = *content.get(3)?;
    ((1..=VERSION_MAX).contains(&version) && bytes::looks_binary(content)).then_some(types::SWF)
}

/// Old TrueType: version 1.0 and a table directory that makes sense.
pub(super) fn truetype(content: &[u8]) -> Option<FileType> {
    const TABLES_MAX: u16 = 256;
    let tables = bytes::u16_be(content, 4)?;
    let search_range = bytes::u16_be(content, 6)?;
    ((1..=TABLES_MAX).contains(&tables) && search_range.is_multiple_of(16)).then_some(types::TTF)
}

/// ASN.1: a sequence whose length is that of the content. What it starts with
/// tells certificates, keys and containers apart.
pub(super) fn asn1(content: &[u8]) -> Option<FileType> {
    const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    let len = usize::from(bytes::u16_be(content, 2)?).checked_add(4)?;
    // Trailing bytes are common (padding); missing ones mean another format.
    if len > content.len() || len + 16 < content.len() {
        return None;
    }
    let body = content.get(4..)?;
    match body {
        _ if body.starts_with(SIGNED_DATA) => Some(types::PKCS7),
        [0x02, 0x01, 0x03, 0x30, ..] => Some(types::PKCS12),
        // The algorithm without parameters of a public key, and the one with
        // parameters of an encrypted private key.
        [0x30, 0x0d, 0x06, ..] => Some(types::PUBLIC_KEY),
        [0x02, 0x01, 0x00, 0x30 | 0x02, ..] | [0x30, _, 0x06, ..] => Some(types::PRIVATE_KEY),
        [0x30, 0x82, ..] => Some(types::CERT),
        _ => None,
    }
}

/// An encrypted message of PKCS #7, of any length and way to tell it.
pub(super) fn enveloped_message(content: &[u8]) -> Option<FileType> {
    is_enveloped(content).then_some(types::PKCS7)
}

/// Tells whether it is an encrypted message of PKCS #7 (S/MIME): the kind of
/// content comes first.
pub(crate) fn is_enveloped(content: &[u8]) -> bool {
    const BEGINNING_BYTES: usize = 32;
    /// 1.2.840.113549.1.7.3 in DER.
    const ENVELOPED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    let beginning = bytes::head(content, BEGINNING_BYTES);
    content.starts_with(b"\x30") && bytes::contains(beginning, ENVELOPED_DATA)
}

/// A Kerberos credential as tools export it: an ASN.1 application tag 22.
pub(super) fn kerberos_ticket(content: &[u8]) -> Option<FileType> {
    const VERSION_5: &[u8] = b"\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x16";
    bytes::is_at(content, 8, VERSION_5).then_some(types::KERBEROS_TICKET)
}

/// A pickle of protocol 2 to 5 ends with its stop code.
pub(super) fn pickle(content: &[u8]) -> Option<FileType> {
    let protocol = *content.get(1)?;
    let is_ended = content.last() == Some(&b'.');
    ((2..=5).contains(&protocol) && is_ended && content.len() > 3).then_some(types::PICKLE)
}
