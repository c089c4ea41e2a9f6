//! The files of a spool and how far they were read, under its lock.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use super::Place;
use super::cursor::Cursor;
use super::segment::{self, Segment};

#[derive(Debug)]
pub(super) struct State {
    /// Oldest first; the last is written to if `writing` is there.
    pub(super) segments: VecDeque<Segment>,
    pub(super) writing: Option<Arc<File>>,
    /// Number of the next record.
    pub(super) next: u64,
    pub(super) bytes: u64,
    pub(super) confirmed: Place,
    pub(super) sent: Place,
    pub(super) cursor: Cursor,
    pub(super) unsynced: Vec<Unsynced>,
    /// A file was made since the last sync.
    pub(super) unnamed: bool,
    pub(super) refused: bool,
    /// It dropped records and has not been empty since.
    pub(super) dropping: bool,
    /// The number behind the last record of a file that was read at the start
    /// and is damaged behind it.
    pub(super) damaged: Option<u64>,
}

/// Bytes that may not be on stable storage.
#[derive(Clone, Debug)]
pub(super) struct Unsynced {
    pub(super) file: Arc<File>,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl State {
    /// Takes what an earlier process left in a file; returns how many records are
    /// missing between the file before and this one.
    pub(super) fn take(&mut self, path: &Path) -> io::Result<u64> {
        let Some(found) = segment::find(path, self.confirmed.number)? else {
            return Ok(0);
        };
        let segment = found.segment;
        let missing = match self.damaged.take() {
            Some(end) => segment.first.saturating_sub(end.max(self.confirmed.number)),
            None => 0,
        };
        if found.damaged_bytes > 0 {
            tracing::warn!(
                path = %path.display(),
                bytes = found.damaged_bytes,
                "the end of a spool was not written to its end and is left out"
            );
            self.damaged = Some(segment.end());
        }
        if segment.count == 0 || segment.end() <= self.confirmed.number {
            fs::remove_file(path)?;
            return Ok(missing);
        }
        if let Some(offset) = found.offset {
            self.confirmed.segment = segment.first;
            self.confirmed.offset = offset;
        }
        self.bytes += segment.bytes;
        self.segments.push_back(segment);
        Ok(missing)
    }

    /// Leaves out what is behind a number in the segment that begins with
    /// `first`; returns how many records that is.
    pub(super) fn cut(&mut self, first: u64, number: u64) -> u64 {
        let is_last = self.segments.back().is_some_and(|last| last.first == first);
        let found = self.segments.iter_mut().find(|kept| kept.first == first);
        let Some(segment) = found else {
            // Dropped meanwhile, and counted then.
            return 0;
        };
        let lost = segment.end().saturating_sub(number);
        segment.count -= lost;
        if is_last {
            // The number of what comes next would not be that of its place.
            self.writing = None;
        }
        lost
    }

    /// Appends whole records, all or none.
    pub(super) fn write(
        &mut self,
        dir: &Path,
        segment_bytes_max: u64,
        records: &[u8],
        count: u64,
    ) -> io::Result<()> {
        let file = self.writable(dir, segment_bytes_max)?;
        let Some(segment) = self.segments.back_mut() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let from = segment.bytes;
        if let Err(error) = file.write_all_at(records, from) {
            // What got there is written over by the next, and is no record.
            let _ = file.set_len(from);
            return Err(error);
        }
        let written = records.len() as u64;
        segment.bytes += written;
        segment.count += count;
        self.next += count;
        self.bytes += written;
        let to = from + written;
        match self.unsynced.last_mut() {
            Some(last) if Arc::ptr_eq(&last.file, &file) => last.to = to,
            _ => self.unsynced.push(Unsynced { file, from, to }),
        }
        Ok(())
    }

    /// Returns the file to append to: a new one when the last is full.
    fn writable(&mut self, dir: &Path, segment_bytes_max: u64) -> io::Result<Arc<File>> {
        let last = self.segments.back();
        if let (Some(file), Some(last)) = (&self.writing, last)
            && last.bytes < segment_bytes_max
        {
            return Ok(Arc::clone(file));
        }
        let segment = Segment::empty(dir, self.next);
        let file = Arc::new(segment.create()?);
        self.segments.push_back(segment);
        self.writing = Some(Arc::clone(&file));
        self.unnamed = true;
        Ok(file)
    }

    pub(super) fn remove_oldest(&mut self) {
        let Some(oldest) = self.segments.pop_front() else {
            return;
        };
        if self.segments.is_empty() {
            self.writing = None;
        }
        self.bytes -= oldest.bytes;
        if let Err(error) = fs::remove_file(&oldest.path) {
            tracing::warn!(
                path = %oldest.path.display(),
                error = &error as &dyn std::error::Error,
                "cannot remove a segment of a spool"
            );
        }
    }

    /// Tries whether some bytes can be written and forced to the disk.
    pub(super) fn probe(&mut self, dir: &Path, segment_bytes_max: u64) -> io::Result<()> {
        const PROBE_BYTES: usize = 64 << 10;
        let file = self.writable(dir, segment_bytes_max)?;
        let at = self.segments.back().map_or(0, |last| last.bytes);
        let probed = file
            .write_all_at(&[0; PROBE_BYTES], at)
            .and_then(|()| file.sync_data());
        let cut = file.set_len(at);
        probed.and(cut)
    }
}

impl Unsynced {
    pub(super) fn sync(&self) -> io::Result<()> {
        let synced = self.file.sync_data();
        if synced.is_err() {
            // The system may take the pages for clean now and lose them: they
            // are made dirty again, so that the next sync writes them.
            let mut bytes = vec![0; usize::try_from(self.to - self.from).unwrap_or(0)];
            self.file.read_exact_at(&mut bytes, self.from)?;
            self.file.write_all_at(&bytes, self.from)?;
        }
        synced
    }
}

/// Forces the names of files in a directory, and its own, to stable storage.
pub(super) fn sync_names(dir: &Path) -> io::Result<()> {
    for dir in dir.ancestors().take(2) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}
