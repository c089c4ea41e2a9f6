//! Splits a body into its parts and keeps the one that is the sample.

use std::io;

use axum::http::header;
use http_body_util::BodyDataStream;
use multer::{Field, Multipart};
use sha2::Digest as _;
use squall_queue::{Body, BodyWriter};
use squall_types::Digests;

use super::body::{BodyFault, UploadBody};
use super::digest;
use super::disposition::Disposition;
use super::known::KnownDigests;

/// Name of the part that holds the sample.
const FILE_PART: &str = "file";
/// Most parts that are looked at.
const PARTS_MAX: usize = 64;

/// The sample as it arrived.
pub(crate) struct FilePart {
    /// The file's name on the sender; empty if it gave none.
    pub(crate) name: String,
    /// Size in bytes.
    pub(crate) len: u64,
    pub(crate) digests: Digests,
    pub(crate) body: Body,
}

/// Where the parts come from.
pub(crate) struct Source<'a> {
    pub(crate) body: &'a mut UploadBody,
    pub(crate) boundary: &'a str,
}

/// Why a body holds no sample. The texts are shown to the sender.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartsError {
    #[error("the request has no part named `file`")]
    NoFile,
    #[error("the request has several parts named `file`; send one file per request")]
    SeveralFiles,
    #[error("the request has more than {PARTS_MAX} parts")]
    TooManyParts,
    #[error("the sample is larger than the limit")]
    TooLarge,
    #[error("the upload ends before its closing boundary")]
    Truncated,
    #[error("the multipart body is malformed")]
    Malformed,
    #[error(transparent)]
    Body(#[from] BodyFault),
    #[error("cannot store the upload")]
    Storage(#[source] io::Error),
}

impl PartsError {
    /// Tells whether the rest of the body can no longer be read.
    pub(crate) const fn breaks_connection(&self) -> bool {
        matches!(
            self,
            Self::Body(BodyFault::Stalled(_) | BodyFault::Broken(_))
        )
    }
}

/// Reads `source` to its closing boundary and stores the one part named
/// `file` with `writer`. The sample may have `len_max` bytes; `known` tells
/// digests of contents that came before.
pub(crate) async fn read_file(
    source: Source<'_>,
    writer: BodyWriter,
    len_max: u64,
    known: &KnownDigests,
) -> Result<FilePart, PartsError> {
    let mut parts = Multipart::new(BodyDataStream::new(source.body), source.boundary);
    let mut sink = Sink {
        writer,
        sha256: sha2::Sha256::default(),
        len_max,
    };
    let mut name = None;
    let mut parts_count = 0;
    let mut several = false;
    while let Some(part) = parts.next_field().await.map_err(read_error)? {
        parts_count += 1;
        if parts_count > PARTS_MAX {
            return Err(PartsError::TooManyParts);
        }
        let disposition = disposition(&part);
        if disposition.name.as_deref() != Some(FILE_PART) {
            skip(part).await?;
        } else if name.is_some() {
            // The rest is read all the same, so that the answer is heard.
            several = true;
            skip(part).await?;
        } else {
            sink.take(part).await?;
            name = Some(disposition.file_name.unwrap_or_default());
        }
    }
    if several {
        return Err(PartsError::SeveralFiles);
    }
    let name = name.ok_or(PartsError::NoFile)?;
    let len = sink.writer.len();
    let body = sink.writer.finish().await.map_err(PartsError::Storage)?;
    let sha256 = sink.sha256.finalize().into();
    let hashed = digest::complete(body, sha256, known).await;
    let (body, digests) = hashed.map_err(PartsError::Storage)?;
    Ok(FilePart {
        name,
        len,
        digests,
        body,
    })
}

/// Where the sample's bytes go.
struct Sink {
    writer: BodyWriter,
    sha256: sha2::Sha256,
    len_max: u64,
}

impl Sink {
    async fn take(&mut self, mut part: Field<'_>) -> Result<(), PartsError> {
        while let Some(chunk) = part.chunk().await.map_err(read_error)? {
            if self.writer.len() + chunk.len() as u64 > self.len_max {
                return Err(PartsError::TooLarge);
            }
            self.sha256.update(&chunk);
            self.writer
                .write(&chunk)
                .await
                .map_err(PartsError::Storage)?;
        }
        Ok(())
    }
}

async fn skip(mut part: Field<'_>) -> Result<(), PartsError> {
    while part.chunk().await.map_err(read_error)?.is_some() {}
    Ok(())
}

fn disposition(part: &Field<'_>) -> Disposition {
    let value = part.headers().get(header::CONTENT_DISPOSITION);
    Disposition::parse(value.map_or(b"", |value| value.as_bytes()))
}

fn read_error(error: multer::Error) -> PartsError {
    match error {
        multer::Error::StreamReadFailed(fault) => match fault.downcast::<BodyFault>() {
            Ok(fault) => PartsError::Body(*fault),
            Err(_) => PartsError::Malformed,
        },
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteStream => PartsError::Truncated,
        _ => PartsError::Malformed,
    }
}
