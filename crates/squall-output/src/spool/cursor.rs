//! The number of the first record that is not known to have arrived, in a file
//! of its own: `number u64 | CRC-32 u32`, little endian. One that is damaged or
//! older than it should be repeats records and loses none.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

const NAME: &str = "arrived";

/// The open file.
#[derive(Debug)]
pub(super) struct Cursor(File);

impl Cursor {
    /// Opens the file in `dir`, making it where it is missing; returns it with
    /// the number in it, 0 if there is none.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, u64)> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join(NAME))?;
        let mut bytes = [0; 12];
        let number = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => parse(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(error),
        };
        Ok((Self(file), number))
    }

    /// Replaces the number.
    pub(super) fn write(&self, number: u64) -> io::Result<()> {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        let sum = crc32fast::hash(&number.to_le_bytes());
        bytes[8..].copy_from_slice(&sum.to_le_bytes());
        self.0.write_all_at(&bytes, 0)
    }
}

fn parse(bytes: [u8; 12]) -> u64 {
    let [a, b, c, d, e, f, g, h, sum @ ..] = bytes;
    let number = [a, b, c, d, e, f, g, h];
    if crc32fast::hash(&number) == u32::from_le_bytes(sum) {
        u64::from_le_bytes(number)
    } else {
        0
    }
}
