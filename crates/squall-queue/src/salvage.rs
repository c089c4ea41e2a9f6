//! Rebuilding the records of samples from the spool.
//!
//! Used only when records are known to be missing: it may bring back a sample
//! that was scanned already and whose bytes are not deleted yet. That repeats
//! work, where the alternative is to lose a sample.

use std::{collections::HashSet, fs::File, os::unix::fs::FileExt, path::Path};

use squall_types::SampleId;

use crate::{
    fs,
    layout::Layout,
    record::{Extent, Place, SampleRecord},
    segment::{FrameHeader, HEADER_LEN},
    segments,
    stock::Spool,
};

/// Finds the samples in the spool that are not `known`.
pub(crate) fn find(
    layout: &Layout,
    spool: &Spool,
    known: &HashSet<SampleId>,
) -> Vec<(SampleId, SampleRecord)> {
    let mut found = Vec::new();
    let mut seen = known.clone();
    for (&no, &len) in &spool.segments {
        let path = layout.segments.join(segments::file_name(no));
        for (offset, header) in frames(&path, len) {
            if seen.insert(header.id) {
                let place = Place::Segment { no, offset };
                found.push((header.id, record(&header, place)));
            }
        }
    }
    for (&id, &len) in &spool.large {
        if !seen.contains(&id)
            && let Some(header) = trailer(&layout.file(id), len)
        {
            found.push((id, record(&header, Place::File)));
        }
    }
    found
}

/// Stands for a record of which nothing is known.
pub(crate) fn lost() -> SampleRecord {
    SampleRecord {
        failed: true,
        attempts: 0,
        place: Place::Lost,
        extent: Extent::default(),
        source_key: 0,
        enqueued_at_us: 0,
        owner: 0,
    }
}

/// The frames of a segment, up to the first that is not whole.
pub(crate) fn frames(path: &Path, len: u64) -> Vec<(u64, FrameHeader)> {
    let mut frames = Vec::new();
    let Ok(file) = fs::open(path) else {
        return frames;
    };
    let mut offset = 0;
    while let Some(header) = header_at(&file, offset) {
        let Some(end) = header.frame_len().and_then(|len| offset.checked_add(len)) else {
            break;
        };
        if end > len {
            break;
        }
        frames.push((offset, header));
        offset = end;
    }
    frames
}

fn trailer(path: &Path, len: u64) -> Option<FrameHeader> {
    let file = fs::open(path).ok()?;
    let header = header_at(&file, len.checked_sub(HEADER_LEN as u64)?)?;
    (header.id == FrameHeader::UNNAMED && header.frame_len() == Some(len)).then_some(header)
}

fn header_at(file: &File, offset: u64) -> Option<FrameHeader> {
    let mut bytes = [0; HEADER_LEN];
    file.read_exact_at(&mut bytes, offset).ok()?;
    FrameHeader::decode(&bytes)
}

fn record(header: &FrameHeader, place: Place) -> SampleRecord {
    SampleRecord {
        failed: false,
        attempts: 0,
        place,
        extent: header.extent,
        source_key: header.source_key,
        enqueued_at_us: header.enqueued_at_us,
        // Not in the header: whoever sees only its own does not see it.
        owner: 0,
    }
}
