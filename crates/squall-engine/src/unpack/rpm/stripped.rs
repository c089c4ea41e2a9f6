//! The payload of RPM packages of version 6, and of those with files over 4 GB:
//! before each file only its number, since the package's header has the rest.
//! The form is that of `lib/cpio.c` and `lib/rpmfi.c` in rpm.

use std::collections::HashMap;
use std::io::{self, Read};

use super::header::Header;
use crate::unpack::decompress::Exact;
use crate::unpack::{Members, Trouble, cpio};

/// What each file begins with.
pub(super) const MAGIC: &[u8] = b"07070X";

const ALIGNMENT: u64 = 4;
/// The number behind the magic, in hexadecimal digits, and what aligns it.
const NUMBER_LEN: usize = 8;
const PADDING_LEN: usize = 2;

/// A file, as the header of the package has it.
struct File {
    name: String,
    len: u64,
    is_regular: bool,
}

/// The files of a package; `None` if the header does not tell enough of them.
pub(super) struct Files(Vec<File>);

impl Files {
    pub(super) fn of(header: &Header<'_>) -> Option<Self> {
        const SIZES: u32 = 1028;
        const MODES: u32 = 1030;
        const INODES: u32 = 1096;
        const DIRECTORY_INDEXES: u32 = 1116;
        const BASE_NAMES: u32 = 1117;
        const DIRECTORY_NAMES: u32 = 1118;
        const LONG_SIZES: u32 = 5008;
        let directories = header.texts(DIRECTORY_NAMES)?;
        let directory_of = header.numbers(DIRECTORY_INDEXES)?;
        let sizes = header
            .numbers(LONG_SIZES)
            .or_else(|| header.numbers(SIZES))?;
        let modes = header.numbers(MODES)?;
        let inodes = header.numbers(INODES).unwrap_or_default();
        // Of the names of one linked file the last has the content.
        let last: HashMap<u64, usize> = inodes
            .iter()
            .enumerate()
            .map(|(index, inode)| (*inode, index))
            .collect();
        let files = header
            .texts(BASE_NAMES)?
            .iter()
            .enumerate()
            .map(|(index, name)| {
                const KIND: u64 = 0o170_000;
                const REGULAR: u64 = 0o100_000;
                const LINK: u64 = 0o120_000;
                let kind = modes.get(index)? & KIND;
                let directory = usize::try_from(*directory_of.get(index)?).ok()?;
                let is_other_name = inodes
                    .get(index)
                    .is_some_and(|inode| last.get(inode) != Some(&index));
                let is_regular = kind == REGULAR && !is_other_name;
                Some(File {
                    name: format!("{}{name}", directories.get(directory)?),
                    len: if is_regular || kind == LINK {
                        *sizes.get(index)?
                    } else {
                        0
                    },
                    is_regular,
                })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self(files))
    }

    /// Passes on every file of the payload.
    pub(super) fn take(
        &self,
        mut payload: impl Read,
        members: &mut Members<'_, '_>,
    ) -> Result<(), Trouble> {
        loop {
            members.check_time()?;
            let Some(index) = next_number(&mut payload)? else {
                // Mostly just the end mark.
                return cpio::stream(cpio::NEW_MAGIC.chain(payload), members);
            };
            let file = self
                .0
                .get(index)
                .ok_or_else(|| damaged("a file of the RPM package is not in its list"))?;
            let mut left = file.len;
            if file.is_regular {
                let mut content = Exact::new(&mut payload, file.len);
                members.take(&file.name, &mut content)?;
                // What a limit left unread.
                left = content.left();
            }
            members.skip(&mut payload, left)?;
            let padding = file.len.next_multiple_of(ALIGNMENT) - file.len;
            members.skip(&mut payload, padding)?;
        }
    }
}

/// Reads what is before a file; `None` if it is the whole header of a file, as
/// the end mark is one.
fn next_number(payload: &mut impl Read) -> Result<Option<usize>, Trouble> {
    let mut magic = [0; cpio::MAGIC_LEN];
    payload.read_exact(&mut magic).map_err(cut_off)?;
    if magic != *MAGIC {
        return if magic == *cpio::NEW_MAGIC {
            Ok(None)
        } else {
            Err(damaged(
                "a damaged header in the payload of the RPM package",
            ))
        };
    }
    let mut number = [0; NUMBER_LEN + PADDING_LEN];
    payload.read_exact(&mut number).map_err(cut_off)?;
    std::str::from_utf8(&number[..NUMBER_LEN])
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .map(Some)
        .ok_or_else(|| damaged("a damaged number in the payload of the RPM package"))
}

fn damaged(what: &str) -> Trouble {
    Trouble::corrupt(what)
}

/// The end of the payload before its end mark. Any other error is the
/// decoder's.
fn cut_off(error: io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged("the payload of the RPM package is cut off"),
        _ => error.into(),
    }
}
