//! Append-only files shared by many samples, or by many results.
//!
//! Used by the committer alone; readers open the files by name. A segment is
//! deleted when nothing live is left in it. Nothing is ever appended to a
//! segment after a failed write or a restart, so a torn tail stays harmless.

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::{StorageError, fs, segment::FrameHeader};

/// Bytes gathered before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// An active segment with nothing live is replaced once it has this many
/// bytes, so that an idle queue gives its disk space back.
const IDLE_LEN_MAX: u64 = 1 << 20;

/// The name of segment `no`.
pub(crate) fn file_name(no: u32) -> String {
    format!("{no:08x}.seg")
}

/// Reads back a name that [`file_name`] made.
pub(crate) fn parse_file_name(name: &str) -> Option<u32> {
    let no = u32::from_str_radix(name.strip_suffix(".seg")?, 16).ok()?;
    (file_name(no) == name).then_some(no)
}

/// What a segment holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) len: u64,
    pub(crate) live: u64,
    pub(crate) live_bytes: u64,
}

#[derive(Debug)]
struct Active {
    no: u32,
    path: PathBuf,
    file: File,
    /// Bytes written, without those in the buffer.
    written: u64,
}

/// A directory of segments.
#[derive(Debug)]
pub(crate) struct Segments {
    dir: PathBuf,
    len_max: u64,
    durable: bool,
    next_no: u32,
    active: Option<Active>,
    buffer: Vec<u8>,
    /// Segments that were replaced since the last [`sync`](Self::sync).
    filled: Vec<Active>,
    dir_changed: bool,
    known: BTreeMap<u32, Usage>,
}

impl Segments {
    /// `known` are the segments that exist; new ones are numbered after them.
    pub(crate) fn new(
        dir: &Path,
        len_max: u64,
        durable: bool,
        known: BTreeMap<u32, Usage>,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            len_max,
            durable,
            next_no: known.last_key_value().map_or(1, |(no, _)| no + 1),
            active: None,
            buffer: Vec::new(),
            filled: Vec::new(),
            dir_changed: false,
            known,
        }
    }

    /// Appends a frame and returns the segment and where the frame begins in
    /// it. It can be read after [`sync`](Self::sync), and counts as live only
    /// after [`retain`](Self::retain).
    pub(crate) fn append(
        &mut self,
        header: &FrameHeader,
        submission: &[u8],
        body: &[u8],
    ) -> Result<(u32, u64), StorageError> {
        let no = self.ensure_active()?;
        let usage = self.known.entry(no).or_default();
        let offset = usage.len;
        self.buffer.extend_from_slice(&header.encode());
        self.buffer.extend_from_slice(submission);
        self.buffer.extend_from_slice(body);
        usage.len += header.frame_len().unwrap_or(0);
        if self.buffer.len() >= BUFFER_LEN {
            self.write_buffer()?;
        }
        Ok((no, offset))
    }

    /// Writes all that was appended, and forces it to stable storage if the
    /// queue promises that. Nothing appended since the last call may be relied
    /// on when this fails.
    pub(crate) fn sync(&mut self) -> Result<(), StorageError> {
        self.write_buffer()?;
        let filled = std::mem::take(&mut self.filled);
        let dirty = filled.iter().chain(self.active.as_ref());
        if self.durable {
            for segment in dirty {
                let synced = segment.file.sync_data();
                synced.map_err(fs::failed("sync segment", &segment.path))?;
            }
            if self.dir_changed {
                fs::sync_dir(&self.dir)?;
            }
        }
        self.dir_changed = false;
        Ok(())
    }

    /// Leaves the active segment as it is and begins another with the next
    /// frame. To be called when an append or a sync failed.
    pub(crate) fn abandon(&mut self) {
        self.buffer.clear();
        self.filled.clear();
        if let Some(active) = self.active.take() {
            // Only to give the space back: a torn tail is never read.
            let _ = active.file.set_len(active.written);
        }
    }

    /// Ends the active segment, so that it can be deleted.
    pub(crate) fn seal(&mut self) {
        self.active = None;
    }

    /// Counts a frame as live.
    pub(crate) fn retain(&mut self, no: u32, bytes: u64) {
        let usage = self.known.entry(no).or_default();
        usage.live += 1;
        usage.live_bytes += bytes;
    }

    /// Counts a frame as no longer live.
    pub(crate) fn release(&mut self, no: u32, bytes: u64) {
        if let Some(usage) = self.known.get_mut(&no) {
            usage.live = usage.live.saturating_sub(1);
            usage.live_bytes = usage.live_bytes.saturating_sub(bytes);
        }
    }

    /// Deletes the segments in which nothing is live. To be called only when
    /// the database has forgotten all that was released.
    pub(crate) fn reap(&mut self) {
        let idle = self.active.as_ref().is_some_and(|active| {
            let usage = self.known.get(&active.no).copied().unwrap_or_default();
            usage.live == 0 && usage.len >= self.idle_len()
        });
        if idle {
            self.active = None;
        }
        let active = self.active.as_ref().map(|active| active.no);
        let dir = &self.dir;
        self.known.retain(|&no, usage| {
            let path = dir.join(file_name(no));
            if usage.live > 0 || Some(no) == active {
                return true;
            }
            fs::remove(&path)
                .inspect_err(|error| {
                    tracing::warn!(path = %path.display(), ?error, "cannot remove segment");
                })
                .is_err()
        });
    }

    /// A segment, not the active one, of whose bytes less than a quarter are
    /// live, and how many frames those are.
    pub(crate) fn sparse(&self) -> Vec<(u32, u64)> {
        let active = self.active.as_ref().map(|active| active.no);
        let sparse = self.known.iter().filter(|&(&no, usage)| {
            Some(no) != active
                && usage.live > 0
                && usage.len >= self.idle_len()
                && usage.live_bytes < usage.len / 4
        });
        let mut sparse: Vec<_> = sparse.collect();
        sparse.sort_unstable_by_key(|(_, usage)| usage.live_bytes);
        let live = sparse.into_iter().map(|(&no, usage)| (no, usage.live));
        live.collect()
    }

    /// Bytes on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.known.values().map(|usage| usage.len).sum()
    }

    pub(crate) fn path(&self, no: u32) -> PathBuf {
        self.dir.join(file_name(no))
    }

    fn idle_len(&self) -> u64 {
        IDLE_LEN_MAX.min(self.len_max)
    }

    fn ensure_active(&mut self) -> Result<u32, StorageError> {
        if let Some(active) = &self.active {
            let len = self.known.get(&active.no).map_or(0, |usage| usage.len);
            if len < self.len_max {
                return Ok(active.no);
            }
            self.write_buffer()?;
            self.filled.extend(self.active.take());
        }
        let no = self.next_no;
        self.next_no += 1;
        let path = self.path(no);
        let file = fs::create_new(&path)?;
        self.dir_changed = true;
        self.known.insert(no, Usage::default());
        self.active = Some(Active {
            no,
            path,
            file,
            written: 0,
        });
        Ok(no)
    }

    fn write_buffer(&mut self) -> Result<(), StorageError> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        active
            .file
            .write_all_at(&self.buffer, active.written)
            .map_err(fs::failed("append to segment", &active.path))?;
        active.written += self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(2 * BUFFER_LEN);
        Ok(())
    }
}
