//! Containers of sound, pictures and film, and a few archives, that name their
//! real type a few bytes further on.

use super::{FileType, bytes, catalogue as types};

/// A RIFF container says what it holds at offset 8.
pub(super) fn riff(content: &[u8]) -> Option<FileType> {
    match bytes::slice(content, 8, 4) {
        Some(b"WAVE") => Some(types::WAV),
        Some(b"AVI ") => Some(types::AVI),
        Some(b"WEBP") => Some(types::WEBP),
        Some(b"ACON") => Some(types::ANI),
        _ => bytes::looks_binary(content).then_some(types::RIFF),
    }
}

/// An ISO base media file says what it holds by its brand.
pub(super) fn iso_media(content: &[u8]) -> Option<FileType> {
    // `leftype` would be text: the box has a length below the first kilobyte.
    if content.first() != Some(&0) {
        return None;
    }
    let brand: &[u8] = bytes::slice(content, 8, 4)?;
    Some(match brand {
        b"avif" | b"avis" => types::AVIF,
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
            types::HEIC
        }
        b"M4A " | b"M4B " | b"M4P " | b"F4A " | b"F4B " => types::M4A,
        b"qt  " => types::MOV,
        b"jp2 " | b"jpx " | b"jpm " => types::JP2,
        _ if brand.starts_with(b"3g") => types::THREE_GP,
        _ => types::MP4,
    })
}

/// QuickTime from before the brand box.
pub(super) fn quicktime(content: &[u8]) -> Option<FileType> {
    (content.first() == Some(&0)).then_some(types::MOV)
}

/// Matroska and WebM differ by the document type in the first header.
pub(super) fn matroska(content: &[u8]) -> Option<FileType> {
    const HEADER_BYTES: usize = 64;
    let header = bytes::head(content, HEADER_BYTES);
    Some(if bytes::contains(header, b"webm") {
        types::WEBM
    } else {
        types::MKV
    })
}

/// A tag that stands in front of MP3 frames, sometimes of FLAC.
pub(super) fn id3(content: &[u8]) -> Option<FileType> {
    let version = *content.get(3)?;
    let size = content
        .get(6..10)?
        .iter()
        .fold(0_usize, |size, byte| (size << 7) | usize::from(byte & 0x7f));
    if !(2..=4).contains(&version) {
        return None;
    }
    let is_flac = bytes::is_at(content, size.checked_add(10)?, b"fLaC");
    Some(if is_flac { types::FLAC } else { types::MP3 })
}

/// MPEG audio has no magic but the eleven set bits of a frame header, so two
/// frames have to follow each other.
pub(super) fn mpeg_audio(content: &[u8]) -> Option<FileType> {
    let second = *content.get(1)?;
    if second & 0xf6 == 0xf0 {
        let frame_len = aac_frame_bytes(content)?;
        return is_same_sync(content, frame_len).then_some(types::AAC);
    }
    if second & 0xe0 != 0xe0 || second & 0x06 != 0x02 {
        return None;
    }
    let frame_len = mp3_frame_bytes(content)?;
    is_same_sync(content, frame_len).then_some(types::MP3)
}

/// A transport stream has a sync byte every 188 bytes.
pub(super) fn transport_stream(content: &[u8]) -> Option<FileType> {
    [188, 376, 564]
        .iter()
        .all(|offset| content.get(*offset) == Some(&0x47))
        .then_some(types::MPEG)
        .filter(|_| bytes::looks_binary(content))
}

/// AIFF, among the files of the IFF family.
pub(super) fn aiff(content: &[u8]) -> Option<FileType> {
    matches!(bytes::slice(content, 8, 4), Some(b"AIFF" | b"AIFC")).then_some(types::AIFF)
}

/// `-lh5-` and its relatives.
pub(super) fn lha(content: &[u8]) -> Option<FileType> {
    let is_method = content
        .get(5)
        .is_some_and(|method| matches!(method, b'0'..=b'9' | b'd' | b's' | b'x'));
    (is_method && content.get(6) == Some(&b'-') && bytes::looks_binary(content))
        .then_some(types::LHA)
}

/// An Electron archive: four nested lengths, then a JSON directory.
pub(super) fn asar(content: &[u8]) -> Option<FileType> {
    bytes::is_at(content, 16, b"{\"files\":").then_some(types::ASAR)
}

fn is_same_sync(content: &[u8], offset: usize) -> bool {
    content.get(offset) == Some(&0xff) && content.get(offset + 1) == content.get(1)
}

fn aac_frame_bytes(content: &[u8]) -> Option<usize> {
    let [high, middle, low] = content.get(3..6)?.try_into().ok()?;
    let len = (usize::from(high & 3) << 11) | (usize::from(middle) << 3) | (usize::from(low) >> 5);
    (len > 7).then_some(len)
}

fn mp3_frame_bytes(content: &[u8]) -> Option<usize> {
    const KBITS_V1: [usize; 16] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0,
    ];
    const KBITS_V2: [usize; 16] = [
        0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0,
    ];
    const HERTZ: [usize; 3] = [44_100, 48_000, 32_000];
    let version = (content.get(1)? >> 3) & 3;
    let third = *content.get(2)?;
    let hertz = *HERTZ.get(usize::from((third >> 2) & 3))?;
    let padding = usize::from((third >> 1) & 1);
    let index = usize::from(third >> 4);
    let (kbits, samples_per_bit, divisor) = match version {
        3 => (KBITS_V1[index], 144_000, 1),
        2 => (KBITS_V2[index], 72_000, 2),
        0 => (KBITS_V2[index], 72_000, 4),
        _ => return None,
    };
    (kbits > 0).then(|| samples_per_bit * kbits / (hertz / divisor) + padding)
}
