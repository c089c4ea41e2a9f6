//! Finding the archive that is behind something else.

use memchr::{memchr, memchr_iter, memmem};

use crate::unpack::fields::{u16_at, u32_at};
use crate::unpack::stream::{self, Codec};
use crate::unpack::{Members, Trouble, cpio, rar, seven_zip, tape, zip};

/// How far behind the beginning an archive may begin in a program or a text:
/// settings, a licence or a long script may be before it.
const BEGIN_MAX: usize = 1024 * 1024;

/// What the archive is behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A program, which was taken off.
    Program,
    /// A text, which is still before it.
    Text,
    /// A picture or the like, which is still before it.
    Media,
    /// Any other data, or such as is not recognised, which is still before it.
    Other,
}

type Unpack = fn(&[u8], &mut Members<'_, '_>) -> Result<(), Trouble>;

/// A beginning that nothing else has: how it looks, what makes sure, and how
/// the archive is opened.
type Mark = (&'static [u8], fn(&[u8]) -> bool, Unpack);

const MARKS: [Mark; 3] = [
    (b"PK\x03\x04", is_zip, zip::unpack),
    (b"7z\xbc\xaf\x27\x1c", is_seven_zip, seven_zip::unpack),
    (b"Rar!\x1a\x07", |_| true, rar::unpack),
];
/// Where anything may be before it: what has the first bytes of a zip or RAR
/// archive in other data is most often no archive.
const SURE_MARKS: [Mark; 2] = [
    (b"7z\xbc\xaf\x27\x1c", is_seven_zip, seven_zip::unpack),
    (b"Rar!\x1a\x07", is_rar, rar::unpack),
];

/// Finds the first archive, and how it is opened.
pub(super) fn find(content: &[u8], place: Place) -> Option<(Unpack, &[u8])> {
    let beginning = &content[..content.len().min(BEGIN_MAX)];
    let found = match place {
        Place::Program => first(
            at_start(content).map(|it| (0, it)),
            marked(&MARKS, beginning, content),
        ),
        // No archive is without a zero, and hardly a text has one.
        Place::Text => {
            memchr(0, content)?;
            first(
                behind_line(beginning, content),
                marked(&MARKS, beginning, content),
            )
        }
        Place::Media => marked(&MARKS, content, content).filter(|(at, _)| *at > 0),
        Place::Other => marked(&SURE_MARKS, beginning, content),
    };
    // What is found from its end may begin anywhere.
    let zip_at_end = || match place {
        Place::Other | Place::Text => zip::near_end(content),
        Place::Program | Place::Media => zip::at_end(content),
    };
    found
        .map(|(at, unpack)| (unpack, &content[at..]))
        .or_else(|| Some((zip::unpack as Unpack, zip_at_end()?)))
}

type Found = (usize, Unpack);

fn first(one: Option<Found>, other: Option<Found>) -> Option<Found> {
    one.into_iter().chain(other).min_by_key(|(at, _)| *at)
}

/// The first beginning that nothing else has.
fn marked(marks: &[Mark], beginning: &[u8], content: &[u8]) -> Option<Found> {
    marks
        .iter()
        .copied()
        .filter_map(|(mark, is_sure, unpack)| {
            let at = memmem::find_iter(beginning, mark).find(|at| is_sure(&content[*at..]))?;
            Some((at, unpack))
        })
        .min_by_key(|(at, _)| *at)
}

/// The first line that is an archive: scripts end with a line before theirs.
fn behind_line(beginning: &[u8], content: &[u8]) -> Option<Found> {
    memchr_iter(b'\n', beginning).find_map(|end| {
        let at = end + 1;
        Some((at, at_start(content.get(at..)?)?))
    })
}

/// What is one compressed stream or another archive, by its first bytes: too
/// few to be looked for anywhere.
fn at_start(content: &[u8]) -> Option<Unpack> {
    const STREAMS: [(&[u8], Unpack); 5] = [
        (b"\x1f\x8b\x08", |c, m| stream::unpack(Codec::Gzip, c, m)),
        (b"BZh", |c, m| stream::unpack(Codec::Bzip2, c, m)),
        (b"\xfd7zXZ\0", |c, m| stream::unpack(Codec::Xz, c, m)),
        (b"\x28\xb5\x2f\xfd", |c, m| {
            stream::unpack(Codec::Zstd, c, m)
        }),
        (b"\x04\x22\x4d\x18", |c, m| stream::unpack(Codec::Lz4, c, m)),
    ];
    const BZIP2_BLOCK: &[u8] = b"1AY&SY";
    let stream = STREAMS
        .into_iter()
        .find(|(mark, _)| content.starts_with(mark))
        .map(|(_, unpack)| unpack);
    if content.starts_with(b"BZh") && content.get(4..10) != Some(BZIP2_BLOCK) {
        return None;
    }
    let is_cpio = || content.starts_with(b"070701") || content.starts_with(b"070702");
    stream
        .or_else(|| tape::begins(content).then_some(tape::unpack as Unpack))
        .or_else(|| is_cpio().then_some(cpio::unpack as Unpack))
}

/// Tells whether the header of a member makes sense.
fn is_zip(content: &[u8]) -> bool {
    const VERSION_MAX: u8 = 63;
    const NAME_LEN_MAX: u16 = 4096;
    let version = content
        .get(4)
        .is_some_and(|version| *version <= VERSION_MAX);
    let method =
        u16_at(content, 8).is_some_and(|method| method <= 20 || (93..=99).contains(&method));
    let name = u16_at(content, 26).is_some_and(|len| (1..=NAME_LEN_MAX).contains(&len));
    version && method && name
}

/// Compares the checksum of the first header.
fn is_seven_zip(content: &[u8]) -> bool {
    let header = content.get(12..32).map(crc32fast::hash);
    header.is_some() && header == u32_at(content, 8)
}

/// Tells whether the first header is one of an archive: of RAR 5 and later, with
/// its checksum behind the mark and its type behind its length, or of RAR 1.5 to 4.
fn is_rar(content: &[u8]) -> bool {
    const MAIN_HEADER: u8 = 0x73;
    const MAIN: u8 = 1;
    const ENCRYPTION: u8 = 4;
    match content.get(6..) {
        Some([1, 0, header @ ..]) => matches!(header.get(5), Some(&(MAIN | ENCRYPTION))),
        Some([0, header @ ..]) => header.get(2) == Some(&MAIN_HEADER),
        _ => false,
    }
}
