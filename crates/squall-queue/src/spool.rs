//! Reading samples back from the spool, never in part and never unverified.

use std::{fs::File, io, os::unix::fs::FileExt};

use squall_types::SampleId;

use crate::{
    BodyError, StorageError, fs,
    layout::Layout,
    record::{Place, SampleRecord},
    segment::{self, FrameHeader, HEADER_LEN},
    segments,
};

/// An opened sample: its bytes stay readable even when its segment is deleted.
#[derive(Debug)]
pub(crate) struct Opened {
    file: File,
    body_offset: u64,
    pub(crate) submission: Vec<u8>,
}

/// Opens the stored sample `id` and reads its submission.
pub(crate) fn open(
    layout: &Layout,
    id: SampleId,
    record: &SampleRecord,
) -> Result<Opened, BodyError> {
    let extent = &record.extent;
    let (path, submission_offset, body_offset) = match record.place {
        Place::Segment { no, offset } => (
            layout.segments.join(segments::file_name(no)),
            segment::submission_offset(offset),
            segment::body_offset(offset, extent),
        ),
        Place::File => (layout.file(id), extent.body_len, 0),
        Place::Lost => return Err(damaged(id, "they were found missing at a start")),
    };
    let file = fs::open(&path).map_err(|source| unreadable(id, source))?;
    if let Place::Segment { offset, .. } = record.place {
        let mut header = [0; HEADER_LEN];
        read(id, &file, &mut header, offset)?;
        let header = FrameHeader::decode(&header);
        if header.is_none_or(|header| header.id != id || header.extent != *extent) {
            return Err(damaged(id, "their header in the segment differs"));
        }
    }
    let mut submission = Vec::new();
    let len = u64::from(extent.submission_len);
    fill(id, &mut submission, len)?;
    read(id, &file, &mut submission, submission_offset)?;
    verify(id, "submission", &submission, extent.submission_crc)?;
    Ok(Opened {
        file,
        body_offset,
        submission,
    })
}

impl Opened {
    /// Reads the body into `into`, replacing what it holds.
    pub(crate) fn read_body(
        &self,
        id: SampleId,
        record: &SampleRecord,
        into: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        read_verified(
            id,
            into,
            record.extent.body_len,
            record.extent.body_crc,
            |buffer| self.file.read_exact_at(buffer, self.body_offset),
        )
    }
}

/// Reads `len` bytes with `read_exact` into `into` and verifies them. Nothing
/// is left in `into` when that fails.
pub(crate) fn read_verified(
    id: SampleId,
    into: &mut Vec<u8>,
    len: u64,
    crc: u32,
    read_exact: impl FnOnce(&mut [u8]) -> io::Result<()>,
) -> Result<(), BodyError> {
    let result = fill(id, into, len)
        .and_then(|()| read_exact(into).map_err(|error| read_failed(id, error)))
        .and_then(|()| verify(id, "body", into, crc));
    if result.is_err() {
        into.clear();
    }
    result
}

/// Gives `into` exactly `len` zero bytes.
fn fill(id: SampleId, into: &mut Vec<u8>, len: u64) -> Result<(), BodyError> {
    into.clear();
    let size = usize::try_from(len).map_err(|_| BodyError::Memory { id, len })?;
    into.try_reserve_exact(size)
        .map_err(|_| BodyError::Memory { id, len })?;
    into.resize(size, 0);
    Ok(())
}

fn read(id: SampleId, file: &File, into: &mut [u8], offset: u64) -> Result<(), BodyError> {
    file.read_exact_at(into, offset)
        .map_err(|error| read_failed(id, error))
}

fn verify(id: SampleId, part: &str, bytes: &[u8], crc: u32) -> Result<(), BodyError> {
    let found = crc32fast::hash(bytes);
    if found == crc {
        return Ok(());
    }
    Err(damaged(
        id,
        &format!("the {part}'s checksum is {found:08x}, expected {crc:08x}"),
    ))
}

fn read_failed(id: SampleId, error: io::Error) -> BodyError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return damaged(id, "they end too early");
    }
    unreadable(id, StorageError::new("read from the spool", error))
}

fn unreadable(id: SampleId, source: StorageError) -> BodyError {
    if source.kind() == io::ErrorKind::NotFound {
        return damaged(id, "their file is missing");
    }
    BodyError::Storage { id, source }
}

fn damaged(id: SampleId, detail: &str) -> BodyError {
    BodyError::Damaged {
        id,
        detail: detail.to_owned(),
    }
}
