//! Takes a sample from a request: one part named `file` of a multipart body,
//! streamed into the queue's storage and hashed on the way.
//!
//! A sample exists only once the closing boundary was read. Whatever goes
//! wrong before leaves nothing behind.

mod body;
mod digest;
mod disposition;
mod drain;
mod known;
mod parts;
mod places;
mod scrub;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::http::request;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use squall_queue::Body;
use squall_types::{Origin, Submission};

use crate::bound::Bound;
use crate::failure::Failure;
use crate::query::Query;
use crate::quota::Token;
use crate::service::Service;
use crate::source::{Sender, client_address};
use body::{BodyFault, BodyLimits, UploadBody};
pub(crate) use drain::{drain, drain_a_little};
pub(crate) use known::KnownDigests;
use parts::{FilePart, PartsError};
pub(crate) use places::Places;
use places::{NoPlace, Place};

/// What a body may hold besides the sample: boundaries, headers, other parts.
const OVERHEAD_LEN_MAX: u64 = 1024 * 1024;
/// Longest boundary that RFC 2046 allows.
const BOUNDARY_LEN_MAX: usize = 70;

/// The address of the connection's other end; the router expects it among a
/// request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A sample that arrived completely.
pub(crate) struct Received {
    pub(crate) body: Body,
    pub(crate) submission: Submission,
    /// Holds the upload's place until the sample was handed on.
    pub(crate) place: Place,
    /// Leave to take the sample, to be spent once it is taken.
    pub(crate) token: Token,
}

/// What is asked of the sample's submitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The sender waits for the findings.
    Synchronous,
    /// The sender comes back for them.
    Queued,
}

/// Receives the sample of `request`.
pub(crate) async fn receive(
    service: &Service,
    request: Request,
    mode: Mode,
) -> Result<Received, Failure> {
    let (head, body) = request.into_parts();
    let admitted = match admit(service, &head, mode) {
        Ok(admitted) => admitted,
        Err(failure) => {
            // A client that asks first has not sent its body and shall not.
            if !head.headers.contains_key(header::EXPECT) {
                drain(body);
            }
            return Err(failure);
        }
    };
    let nonce = nonce()?;
    let limits = &service.config().limits;
    let Admitted {
        boundary,
        sender,
        place,
        token,
        announced,
    } = admitted;
    let body_limits = BodyLimits {
        len_max: len_max(service),
        timeout: limits.body_timeout,
    };
    let mut body = UploadBody::new(body, &boundary, body_limits, place);
    let mut writer = service.queue().body();
    writer.expect(announced);
    let file = parts::read_file(
        parts::Source {
            body: &mut body,
            boundary: &boundary,
        },
        writer,
        limits.max_file_size_bytes,
        service.known_digests(),
    );
    // The sender's name is looked up while its bytes arrive.
    let (file, source) = tokio::join!(file, service.sources().identify(&sender));
    let (rest, place) = body.into_parts();
    // Also after success: what ends a chunked transfer comes behind the closing
    // boundary, and without it the connection could not be used again.
    if !matches!(&file, Err(error) if error.breaks_connection()) {
        drain(rest);
    }
    let file = file.map_err(|error| failure(service, error))?;
    let origin = Origin {
        source,
        remote_addr: sender.address.to_string(),
        collector_run: sender.collector_run,
    };
    let submission = submission(&file, origin, nonce, mode);
    Ok(Received {
        body: file.body,
        submission,
        place,
        token,
    })
}

/// What is known before a byte of the body is read.
struct Admitted {
    boundary: String,
    sender: Sender,
    place: Place,
    token: Token,
    /// Length of the body by its head; 0 where that says nothing.
    announced: u64,
}

/// Checks all that can be checked before a byte of the body is read.
fn admit(service: &Service, head: &request::Parts, mode: Mode) -> Result<Admitted, Failure> {
    let boundary = boundary(&head.headers)?;
    let content_length = head.headers.get(header::CONTENT_LENGTH);
    let content_length = content_length.and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
    if content_length.is_some_and(|len| len > len_max(service)) {
        return Err(too_large(service));
    }
    // What is queued waits for them.
    if mode == Mode::Synchronous && service.signatures().is_none() {
        return Err(service.deny(Bound::Loading));
    }
    let place = service
        .places()
        .take(content_length)
        .map_err(|NoPlace(bound)| service.deny(bound))?;
    // The others' bytes will have to be stored as well.
    let len = service.places().bytes_in_flight();
    let room = match mode {
        Mode::Synchronous => {
            let own = content_length.unwrap_or_default();
            service.queue().has_room_for_check(own)
        }
        Mode::Queued => service.queue().has_room(len),
    };
    room.map_err(|error| service.deny_unqueued(&error))?;
    let sender = sender(service, head);
    let token = service.quota().take(&sender.quota_key());
    Ok(Admitted {
        boundary,
        sender,
        place,
        token: token.map_err(|exhausted| service.deny_quota(exhausted))?,
        announced: content_length.unwrap_or_default(),
    })
}

fn sender(service: &Service, head: &request::Parts) -> Sender {
    let peer = head.extensions.get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    let address = client_address(peer, &head.headers, &service.config().trusted_proxies);
    Sender::of(address, &Query::of(&head.uri))
}

fn boundary(headers: &HeaderMap) -> Result<String, Failure> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .ok_or(Failure::BadRequest(
            "the request is not multipart/form-data".into(),
        ))?;
    let content_type = String::from_utf8_lossy(content_type.as_bytes());
    let boundary = multer::parse_boundary(content_type).map_err(|error| match error {
        multer::Error::NoBoundary => {
            Failure::BadRequest("the content type names no multipart boundary".into())
        }
        multer::Error::NoMultipart => {
            Failure::BadRequest("the request is not multipart/form-data".into())
        }
        _ => Failure::BadRequest("the content type is malformed".into()),
    })?;
    let valid = (1..=BOUNDARY_LEN_MAX).contains(&boundary.len())
        && boundary.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if !valid {
        return Err(Failure::BadRequest(
            "the multipart boundary is invalid".into(),
        ));
    }
    Ok(boundary)
}

fn submission(file: &FilePart, origin: Origin, nonce: [u8; 12], mode: Mode) -> Submission {
    Submission {
        origin,
        file_name: file.name.clone(),
        size_bytes: file.len,
        digests: file.digests,
        received_at_us: Timestamp::now().as_microsecond(),
        synchronous: mode == Mode::Synchronous,
        nonce,
    }
}

fn nonce() -> Result<[u8; 12], Failure> {
    let mut nonce = [0; 12];
    getrandom::fill(&mut nonce).map_err(|error| {
        tracing::error!(%error, "cannot draw random bytes");
        Failure::Internal
    })?;
    Ok(nonce)
}

fn len_max(service: &Service) -> u64 {
    let limit = service.config().limits.max_file_size_bytes;
    limit.saturating_add(OVERHEAD_LEN_MAX)
}

fn too_large(service: &Service) -> Failure {
    Failure::TooLarge {
        limit: service.config().limits.max_file_size_bytes,
    }
}

fn failure(service: &Service, error: PartsError) -> Failure {
    match error {
        PartsError::Storage(error) if error.kind() == io::ErrorKind::StorageFull => {
            service.deny(Bound::DiskReserve)
        }
        PartsError::Storage(error) => service.deny_unstored(&error),
        PartsError::TooLarge | PartsError::Body(BodyFault::TooLarge(_)) => too_large(service),
        PartsError::Body(BodyFault::NoPlace(NoPlace(bound))) => service.deny(bound),
        PartsError::Body(BodyFault::Stalled(timeout)) => Failure::TooSlow(timeout),
        error => Failure::BadRequest(error.to_string().into()),
    }
}
