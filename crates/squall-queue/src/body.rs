//! The bytes of a sample on their way in: in memory while they are few, else
//! in a file that goes away by itself unless the queue takes it over.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{StorageError, fs as named};

/// Bytes gathered before they are written to a file.
const CHUNK_LEN: usize = 256 << 10;

/// Where incomplete uploads lie, and how many bytes they have there.
#[derive(Debug)]
pub(crate) struct IncomingDir {
    pub(crate) path: PathBuf,
    pub(crate) inline_len_max: u64,
    pub(crate) free_bytes_min: u64,
    pub(crate) next: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// Takes the bytes of a sample as they arrive.
///
/// Dropping it, or the [`Body`] made of it, removes all traces.
pub struct BodyWriter {
    dir: Arc<IncomingDir>,
    len: u64,
    crc: crc32fast::Hasher,
    buffer: Vec<u8>,
    spill: Spill,
}

enum Spill {
    /// Everything is in the buffer.
    Memory,
    /// What left the buffer is in the file.
    File(IncomingFile),
    /// A write failed or was interrupted; the upload cannot go on.
    Broken,
}

impl fmt::Debug for BodyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl BodyWriter {
    pub(crate) fn new(dir: Arc<IncomingDir>) -> Self {
        Self {
            dir,
            len: 0,
            crc: crc32fast::Hasher::new(),
            buffer: Vec::new(),
            spill: Spill::Memory,
        }
    }

    /// Takes the next bytes. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be written; with
    /// [`io::ErrorKind::StorageFull`] when less disk space is left than
    /// [`Limits::free_bytes_min`](crate::Limits::free_bytes_min). The upload
    /// cannot go on then.
    pub async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.crc.update(chunk);
        self.len += chunk.len() as u64;
        self.buffer.extend_from_slice(chunk);
        let full = match self.spill {
            Spill::Memory => self.len > self.dir.inline_len_max,
            Spill::File(_) | Spill::Broken => self.buffer.len() >= CHUNK_LEN,
        };
        if full {
            self.spill_buffer().await?;
        }
        Ok(())
    }

    /// Makes room for `len` bytes, as far as they stay in memory, so that what
    /// arrives is not copied again and again.
    pub fn expect(&mut self, len: u64) {
        let len = len.min(self.dir.inline_len_max);
        self.buffer.reserve(usize::try_from(len).unwrap_or(0));
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Tells whether no byte was taken yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Ends the upload.
    ///
    /// # Errors
    ///
    /// Fails like [`write`](Self::write).
    pub async fn finish(mut self) -> io::Result<Body> {
        if !matches!(self.spill, Spill::Memory) && !self.buffer.is_empty() {
            self.spill_buffer().await?;
        }
        let content = match self.spill {
            Spill::Memory => Content::Memory(self.buffer),
            Spill::File(file) => Content::File(file),
            Spill::Broken => return Err(broken()),
        };
        Ok(Body {
            content,
            len: self.len,
            crc: self.crc.finalize(),
        })
    }

    async fn spill_buffer(&mut self) -> io::Result<()> {
        let file = match std::mem::replace(&mut self.spill, Spill::Broken) {
            Spill::Memory => None,
            Spill::File(file) => Some(file),
            Spill::Broken => return Err(broken()),
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        let dir = Arc::clone(&self.dir);
        // Should this future be dropped meanwhile, the file is removed where
        // the closure ends.
        let written = tokio::task::spawn_blocking(move || -> io::Result<_> {
            let mut file = match file {
                Some(file) => file,
                None => IncomingFile::create(dir)?,
            };
            file.append(&buffer)?;
            buffer.clear();
            Ok((file, buffer))
        });
        let (file, buffer) = written.await.map_err(io::Error::other)??;
        self.buffer = buffer;
        self.spill = Spill::File(file);
        Ok(())
    }
}

fn broken() -> io::Error {
    io::Error::other("an earlier write of this upload failed or was interrupted")
}

/// The complete bytes of a sample that the queue has not taken yet.
#[derive(Debug)]
pub struct Body {
    pub(crate) content: Content,
    len: u64,
    crc: u32,
}

#[derive(Debug)]
pub(crate) enum Content {
    Memory(Vec<u8>),
    File(IncomingFile),
}

impl Body {
    /// Makes a body of bytes that are in memory anyway.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self {
            len: bytes.len() as u64,
            crc: crc32fast::hash(&bytes),
            content: Content::Memory(bytes),
        }
    }

    /// Bytes of the sample.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Tells whether the sample has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Hands the bytes to `take`, in order and a part at a time. Blocks the
    /// thread where they are in a file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    pub fn read_parts(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let file = match &self.content {
            Content::Memory(bytes) => {
                take(bytes);
                return Ok(());
            }
            Content::File(file) => file,
        };
        let mut buffer = vec![0; CHUNK_LEN];
        let mut offset = 0;
        while offset < self.len {
            let part = (self.len - offset).min(CHUNK_LEN as u64);
            let part = &mut buffer[..usize::try_from(part).unwrap_or(CHUNK_LEN)];
            file.read_exact_at(part, offset)?;
            take(part);
            offset += part.len() as u64;
        }
        Ok(())
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.content, Content::Memory(_))
    }

    pub(crate) fn crc(&self) -> u32 {
        self.crc
    }
}

/// A file that is removed when this is dropped, unless it was kept.
#[derive(Debug)]
pub(crate) struct IncomingFile {
    dir: Arc<IncomingDir>,
    path: PathBuf,
    file: File,
    len: u64,
    kept: bool,
}

impl IncomingFile {
    fn create(dir: Arc<IncomingDir>) -> io::Result<Self> {
        let no = dir.next.fetch_add(1, Ordering::Relaxed);
        let path = dir.path.join(no.to_string());
        Ok(Self {
            file: named::create_new_raw(&path)?,
            dir,
            path,
            len: 0,
            kept: false,
        })
    }

    /// Appends bytes, unless the disk is nearly full.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let needed = self.dir.free_bytes_min.saturating_add(bytes.len() as u64);
        if named::free_bytes(&self.dir.path)? < needed {
            return Err(io::ErrorKind::StorageFull.into());
        }
        (&self.file).write_all(bytes)?;
        self.len += bytes.len() as u64;
        let added = bytes.len() as u64;
        self.dir.bytes.fetch_add(added, Ordering::Relaxed);
        Ok(())
    }

    /// Forces the bytes to stable storage.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(crate) fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its lasting name.
    pub(crate) fn keep(mut self, target: &Path) -> Result<(), StorageError> {
        named::rename(&self.path, target)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for IncomingFile {
    fn drop(&mut self) {
        self.dir.bytes.fetch_sub(self.len, Ordering::Relaxed);
        if !self.kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            // The next start removes it.
            tracing::warn!(path = %self.path.display(), %error, "cannot remove incomplete upload");
        }
    }
}
