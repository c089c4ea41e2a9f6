//! What can go wrong, one type for each operation.

use std::{error::Error, io, path::PathBuf, sync::Arc};

use rustix::io::Errno;
use squall_types::SampleId;

/// The disk, or the database on it, refused an operation.
///
/// Cheap to clone: all samples of one group commit share the cause.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {operation}")]
pub struct StorageError {
    operation: Arc<str>,
    #[source]
    cause: Arc<dyn Error + Send + Sync>,
    kind: io::ErrorKind,
    errno: Option<i32>,
}

impl StorageError {
    pub(crate) fn new(operation: impl Into<Arc<str>>, cause: io::Error) -> Self {
        Self {
            operation: operation.into(),
            kind: cause.kind(),
            errno: cause.raw_os_error(),
            cause: Arc::new(cause),
        }
    }

    pub(crate) fn other(operation: impl Into<Arc<str>>, cause: &str) -> Self {
        Self::new(operation, io::Error::other(cause.to_owned()))
    }

    /// Tells whether there was no space left.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        matches!(
            self.kind,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }

    /// Tells whether the file system refuses to write, which says nothing about
    /// what is on it.
    pub(crate) fn is_refusal(&self) -> bool {
        self.is_no_space()
            || matches!(
                self.kind,
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            )
    }

    /// Tells whether the system lacked something that it may have again soon.
    pub(crate) fn is_shortage(&self) -> bool {
        [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::AGAIN,
            Errno::INTR,
        ]
        .iter()
        .any(|errno| self.errno == Some(errno.raw_os_error()))
    }

    /// Returns what kind of refusal it was; names no path.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.kind
    }
}

/// Why a queue could not be opened. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "the data directory `{dir}` is in use by another process; stop that process or choose another directory"
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The file system refused something.
    #[error("cannot prepare the data directory `{dir}`; check that it is writable and has space")]
    Io {
        /// The directory.
        dir: PathBuf,
        /// What was refused.
        #[source]
        source: StorageError,
    },
    /// The database is damaged beyond its own repair.
    #[error(
        "the database `{db}` is damaged; move it away and start again: the samples that wait are then taken over from the spool beside it, while results and counters start anew"
    )]
    Damaged {
        /// The database's directory.
        db: PathBuf,
        /// What the database says.
        #[source]
        source: StorageError,
    },
    /// The directory was written by a later version.
    #[error(
        "the data directory `{dir}` has format {found}, this version knows formats up to {known}; use the version that wrote it or choose another directory"
    )]
    Version {
        /// The directory.
        dir: PathBuf,
        /// The format found.
        found: u32,
        /// The latest format this version knows.
        known: u32,
    },
}

/// What a bound that was reached counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullUnit {
    /// Samples waiting or being scanned.
    Samples,
    /// Bytes in the spool.
    Bytes,
    /// Synchronous checks waiting.
    Checks,
}

impl FullUnit {
    /// Returns the unit's name, `samples`, `bytes` or `checks`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Bytes => "bytes",
            Self::Checks => "checks",
        }
    }
}

/// Why a sample was not taken into the durable queue. Nothing of it is kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EnqueueError {
    /// A bound of the queue is reached.
    #[error("the queue is full: {used} of {max} {} are used", unit.name())]
    Full {
        /// What is in use, without the refused sample.
        used: u64,
        /// The bound.
        max: u64,
        /// What both count.
        unit: FullUnit,
    },
    /// The disk is nearly full.
    #[error("the disk is nearly full: {free_bytes} bytes are free, {free_bytes_min} are reserved")]
    NoSpace {
        /// Bytes free.
        free_bytes: u64,
        /// Bytes that stay reserved.
        free_bytes_min: u64,
    },
    /// The queue is closing.
    #[error("the queue is closed")]
    Closed,
    /// The disk or the database refused the sample.
    #[error("the sample could not be stored")]
    Io(#[source] StorageError),
}

/// Why a synchronous check has no verdict.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CheckError {
    /// As many checks wait as may wait.
    #[error("too many checks are waiting: {waiting} of {max}")]
    Busy {
        /// Checks waiting.
        waiting: usize,
        /// The bound.
        max: usize,
    },
    /// The queue is closing.
    #[error("the queue is closed")]
    Closed,
    /// The worker gave the sample up without a verdict.
    #[error("the check was given up before the sample was scanned")]
    Lost,
}

/// Why something stored could not be read. The sample itself is not lost.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk or the database refused to read.
    #[error("cannot read the state of sample {id}")]
    Storage {
        /// The sample.
        id: SampleId,
        /// What was refused.
        #[source]
        source: StorageError,
    },
    /// The stored result does not have the checksum it was stored with.
    #[error("the stored result of sample {id} is damaged")]
    Damaged {
        /// The sample.
        id: SampleId,
    },
}

/// Why a verdict was not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CompleteError {
    /// The queue was closed; the sample is scanned again after the next start.
    #[error("the queue is closed; sample {id} will be scanned again")]
    Closed {
        /// The sample.
        id: SampleId,
    },
    /// The result is too large to be kept; the sample counts as failed.
    #[error("the result of sample {id} has {len} bytes, the limit is {max}")]
    TooLarge {
        /// The sample.
        id: SampleId,
        /// Bytes of the result.
        len: u64,
        /// Most bytes a result may have.
        max: u64,
    },
}

/// Why the bytes of a claimed sample cannot be had. They are never handed out
/// in part.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BodyError {
    /// The stored bytes are not those that were received.
    #[error("the stored bytes of sample {id} are damaged: {detail}")]
    Damaged {
        /// The sample.
        id: SampleId,
        /// What differs.
        detail: String,
    },
    /// The disk refused to read them.
    #[error("cannot read the stored bytes of sample {id}")]
    Storage {
        /// The sample.
        id: SampleId,
        /// What was refused.
        #[source]
        source: StorageError,
    },
    /// There is not enough memory for them.
    #[error("there is no memory for the {len} bytes of sample {id}")]
    Memory {
        /// The sample.
        id: SampleId,
        /// Bytes of the body.
        len: u64,
    },
}

/// Why a failed sample cannot be scanned again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RetryError {
    /// No failed sample has this id.
    #[error("sample {id} is not among the failed samples")]
    NotFailed {
        /// The id.
        id: SampleId,
    },
    /// The sample's bytes are lost.
    #[error("the bytes of sample {id} are lost")]
    BytesLost {
        /// The sample.
        id: SampleId,
    },
    /// The disk, or what its verdict waits for, took too long. It is still
    /// among the failed samples.
    #[error("sample {id} could not be put back into the queue in time")]
    Unsettled {
        /// The sample.
        id: SampleId,
    },
    /// The disk is at it and takes too long. It may be put back all the same.
    #[error("the disk takes too long to put sample {id} back into the queue")]
    Slow {
        /// The sample.
        id: SampleId,
    },
    /// The queue is closing.
    #[error("the queue is closed")]
    Closed,
    /// The disk or the database refused.
    #[error("sample {id} could not be put back into the queue")]
    Storage {
        /// The sample.
        id: SampleId,
        /// What was refused.
        #[source]
        source: StorageError,
    },
}
