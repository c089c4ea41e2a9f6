//! The entries on disk.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `SQLVERD` and a line feed |
//! | 32 | the identity of what the values depend on |
//! | … | blocks |
//!
//! A block is a length (4 bytes, little-endian), 16 bytes of a SHA-256 over the
//! identity, the block's place in the file and its entries, and the entries.
//! So a block that is damaged, moved or of another file is told with certainty;
//! with it ends what is read, and the file is cut there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 8] = b"SQLVERD\n";
const IDENTITY_LEN: usize = 32;
const HEADER_LEN: u64 = (MAGIC.len() + IDENTITY_LEN) as u64;
const CHECK_LEN: usize = 16;
const BLOCK_HEAD_LEN: usize = 4 + CHECK_LEN;
/// More than any segment has.
const BLOCK_MAX_BYTES: usize = 4 << 20;

/// What is known of the entries on disk.
pub(crate) struct Store {
    path: PathBuf,
    identity: [u8; IDENTITY_LEN],
    file: File,
    len: u64,
}

/// How reading an earlier file went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There was none.
    Nothing,
    /// It is of another identity.
    Other,
    /// All of it was read.
    Whole,
    /// It was read up to a damaged place, which is this many bytes before its
    /// end.
    Damaged(u64),
}

/// Why the entries could not be stored or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} `{}`", path.display())]
pub struct FileError {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Store {
    /// Opens the file of an identity, making it where it is missing or of
    /// another one, and hands the entries of each block to `load`.
    pub(crate) fn open(
        path: &Path,
        identity: &[u8; IDENTITY_LEN],
        load: impl FnMut(&[u8]),
    ) -> Result<(Self, Found), FileError> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(failed("make the directory of", path))?;
        }
        let mut file = options()
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed("open", path))?;
        let (good, found) = read(&mut file, identity, load).map_err(failed("read", path))?;
        let mut store = Self {
            path: path.to_owned(),
            identity: *identity,
            file,
            len: good,
        };
        if good < HEADER_LEN {
            store.file = create(path, identity).map_err(failed("write", path))?;
            store.len = HEADER_LEN;
        } else {
            store.cut().map_err(failed("write", path))?;
        }
        Ok((store, found))
    }

    /// Bytes of the file.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Appends entries.
    pub(crate) fn append(&mut self, entries: &[u8]) -> Result<(), FileError> {
        if entries.is_empty() {
            return Ok(());
        }
        let block = block(&self.identity, self.len, entries);
        if let Err(source) = self.file.write_all(&block) {
            // A part of it may be there.
            let _ = self.cut();
            return Err(failed("write", &self.path)(source));
        }
        self.len += block.len() as u64;
        Ok(())
    }

    /// Begins a new file, which takes the place of this one with
    /// [`replace`](Self::replace).
    pub(crate) fn rewrite(&self) -> Result<Self, FileError> {
        let path = self.path.with_extension("new");
        let file = create(&path, &self.identity).map_err(failed("write", &path))?;
        Ok(Self {
            path,
            identity: self.identity,
            file,
            len: HEADER_LEN,
        })
    }

    /// Puts a rewritten file in the place of this one.
    pub(crate) fn replace(&mut self, rewritten: Self) -> Result<(), FileError> {
        std::fs::rename(&rewritten.path, &self.path).map_err(failed("replace", &self.path))?;
        self.file = rewritten.file;
        self.len = rewritten.len;
        Ok(())
    }

    /// Removes what is behind the good part, and goes there.
    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.len)?;
        self.file.seek(SeekFrom::Start(self.len)).map(drop)
    }
}

/// Makes an empty file under a name that may exist.
fn create(path: &Path, identity: &[u8; IDENTITY_LEN]) -> io::Result<File> {
    let mut file = options().create(true).truncate(true).open(path)?;
    file.write_all(&[MAGIC, identity.as_slice()].concat())?;
    Ok(file)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // What was found is nobody else's business.
    options.read(true).write(true).mode(0o600);
    options
}

/// Reads blocks until one is not intact. Returns how many bytes are good.
fn read(
    file: &mut File,
    identity: &[u8; IDENTITY_LEN],
    mut load: impl FnMut(&[u8]),
) -> io::Result<(u64, Found)> {
    let len = file.metadata()?.len();
    let mut reader = io::BufReader::new(file);
    let mut header = Vec::new();
    reader.by_ref().take(HEADER_LEN).read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok((0, Found::Nothing));
    }
    match header.strip_prefix(MAGIC) {
        Some(found) if found == identity => {}
        Some(found) if found.len() == IDENTITY_LEN => return Ok((0, Found::Other)),
        _ => return Ok((0, Found::Damaged(len))),
    }
    let mut good = HEADER_LEN;
    while good < len {
        let Some(entries) = read_block(&mut reader, identity, good)? else {
            return Ok((good, Found::Damaged(len - good)));
        };
        load(&entries);
        good += (BLOCK_HEAD_LEN + entries.len()) as u64;
    }
    Ok((good, Found::Whole))
}

fn read_block(
    reader: &mut impl Read,
    identity: &[u8; IDENTITY_LEN],
    at: u64,
) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    reader
        .by_ref()
        .take(BLOCK_HEAD_LEN as u64)
        .read_to_end(&mut head)?;
    let Some((len, found)) = head.split_first_chunk() else {
        return Ok(None);
    };
    let len = u32::from_le_bytes(*len) as usize;
    if len > BLOCK_MAX_BYTES {
        return Ok(None);
    }
    let mut entries = Vec::new();
    reader.by_ref().take(len as u64).read_to_end(&mut entries)?;
    let is_good = entries.len() == len && found == check(identity, at, &entries);
    Ok(is_good.then_some(entries))
}

fn block(identity: &[u8; IDENTITY_LEN], at: u64, entries: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK_HEAD_LEN + entries.len());
    let len = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    block.extend_from_slice(&len.to_le_bytes());
    block.extend_from_slice(&check(identity, at, entries));
    block.extend_from_slice(entries);
    block
}

fn check(identity: &[u8; IDENTITY_LEN], at: u64, entries: &[u8]) -> [u8; CHECK_LEN] {
    let mut hash = Sha256::new();
    hash.update(identity);
    hash.update(at.to_le_bytes());
    hash.update(entries);
    let digest: [u8; 32] = hash.finalize().into();
    let mut check = [0; CHECK_LEN];
    check.copy_from_slice(&digest[..CHECK_LEN]);
    check
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError {
        operation,
        path,
        source,
    }
}

#[cfg(test)]
mod tests;
