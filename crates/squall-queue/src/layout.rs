//! Where everything lies under the data directory.

use std::path::{Path, PathBuf};

use squall_types::SampleId;

/// The paths under the data directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
    /// sled's directory.
    pub(crate) db: PathBuf,
    /// Segments with the bytes of small samples.
    pub(crate) segments: PathBuf,
    /// Large samples, a file each.
    pub(crate) files: PathBuf,
    /// Uploads that are not complete.
    pub(crate) incoming: PathBuf,
    /// Segments with results too large for the database.
    pub(crate) results: PathBuf,
    /// Which sample each worker scans.
    pub(crate) claims: PathBuf,
    pub(crate) instance: PathBuf,
    pub(crate) lock: PathBuf,
    /// Written to see whether the disk takes it.
    pub(crate) write_test: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: &Path) -> Self {
        let spool = dir.join("spool");
        Self {
            dir: dir.to_owned(),
            db: dir.join("db"),
            segments: spool.join("segments"),
            files: spool.join("files"),
            incoming: spool.join("incoming"),
            results: dir.join("results"),
            claims: dir.join("claims"),
            instance: dir.join("instance"),
            lock: dir.join("lock"),
            write_test: dir.join("write-test"),
        }
    }

    /// The file of a large sample.
    pub(crate) fn file(&self, id: SampleId) -> PathBuf {
        self.files.join(file_name(id))
    }
}

/// The name of a large sample's file.
pub(crate) fn file_name(id: SampleId) -> String {
    format!("{:016x}", id.value())
}

/// Reads back a name that [`file_name`] made.
pub(crate) fn parse_file_name(name: &str) -> Option<SampleId> {
    let value = u64::from_str_radix(name, 16).ok()?;
    SampleId::new(value).filter(|&id| file_name(id) == name)
}
