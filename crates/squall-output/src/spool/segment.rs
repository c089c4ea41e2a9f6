//! A file of the spool: records one after the other, named after the number of
//! the first.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::record::{self, Parse};

const SUFFIX: &str = ".seg";

/// Bytes read at a time when a segment is looked through.
const CHUNK_BYTES: usize = 1 << 20;

/// What is known of a segment.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// Number of its first record.
    pub(super) first: u64,
    /// How many records it has.
    pub(super) count: u64,
    /// Bytes of them.
    pub(super) bytes: u64,
}

impl Segment {
    /// A segment that has nothing yet.
    pub(super) fn empty(dir: &Path, first: u64) -> Self {
        Self {
            path: dir.join(format!("{first:020}{SUFFIX}")),
            first,
            count: 0,
            bytes: 0,
        }
    }

    /// Returns the number behind that of its last record.
    pub(super) fn end(&self) -> u64 {
        self.first + self.count
    }

    /// Makes the file, which must not be there.
    pub(super) fn create(&self) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)
    }

    /// Reads at least one record from `offset` on, and more up to `bytes_max`
    /// bytes, into `chunk`. Returns whether there is none that is intact.
    pub(super) fn read(
        &self,
        offset: u64,
        bytes_max: usize,
        chunk: &mut Vec<u8>,
    ) -> io::Result<()> {
        let file = File::open(&self.path)?;
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        chunk.clear();
        fill(&file, offset, left.min(bytes_max), chunk)?;
        // First the head may be lacking, then the rest of the record.
        while let Parse::Short(wanted) = record::parse(chunk)
            && chunk.len() < wanted
            && wanted <= left
        {
            let known = chunk.len();
            fill(&file, offset, wanted, chunk)?;
            if chunk.len() == known {
                break;
            }
        }
        Ok(())
    }
}

/// Reads on until `chunk` has `wanted` bytes, or the file has no more.
fn fill(file: &File, offset: u64, wanted: usize, chunk: &mut Vec<u8>) -> io::Result<()> {
    let mut done = chunk.len();
    chunk.resize(wanted.max(done), 0);
    while done < chunk.len() {
        match file.read_at(&mut chunk[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    chunk.truncate(done);
    Ok(())
}

/// What an earlier process left of a segment.
pub(super) struct Found {
    pub(super) segment: Segment,
    /// Where the record with the number asked for begins, if it is in it.
    pub(super) offset: Option<u64>,
    /// Bytes behind the last record that is intact.
    pub(super) damaged_bytes: u64,
}

/// Looks a file through, if its name is that of a segment.
pub(super) fn find(path: &Path, number: u64) -> io::Result<Option<Found>> {
    let name = path.file_name().and_then(|name| name.to_str());
    let first = name
        .and_then(|name| name.strip_suffix(SUFFIX))
        .and_then(|digits| digits.parse().ok());
    let Some(first) = first else {
        return Ok(None);
    };
    let file = File::open(path)?;
    let file_bytes = file.metadata()?.len();
    let mut segment = Segment {
        path: path.to_owned(),
        first,
        count: 0,
        bytes: 0,
    };
    let mut offset = None;
    let mut chunk = Vec::new();
    let mut at = 0;
    let mut wanted = CHUNK_BYTES;
    loop {
        if segment.end() == number {
            offset = Some(segment.bytes);
        }
        match record::parse(&chunk[at..]) {
            Parse::Record(record) => {
                at += record.len;
                segment.bytes += record.len as u64;
                segment.count += 1;
            }
            Parse::Short(length) => {
                let known = chunk.len() - at;
                wanted = wanted.max(length);
                chunk.drain(..at);
                at = 0;
                fill(&file, segment.bytes, wanted, &mut chunk)?;
                if chunk.len() == known {
                    break;
                }
            }
            Parse::Damaged => break,
        }
    }
    Ok(Some(Found {
        damaged_bytes: file_bytes.saturating_sub(segment.bytes),
        segment,
        offset,
    }))
}
