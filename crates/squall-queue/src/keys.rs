//! The keys of the database. One tree holds everything, so that one batch can
//! change any of it.

use squall_types::SampleId;

use crate::history::History;

pub(crate) const SAMPLES: &[u8] = b"s";
pub(crate) const RESULTS: &[u8] = b"r";
pub(crate) const HISTORIES: &[u8] = b"h";
pub(crate) const COUNTERS: &[u8] = b"m/counters";
/// All ids below this value may have been given out.
pub(crate) const IDS_RESERVED: &[u8] = b"m/ids";
/// How many batches were committed.
pub(crate) const COMMITS: &[u8] = b"m/commits";
/// The format of the data directory.
pub(crate) const FORMAT: &[u8] = b"m/format";
/// Present after an orderly end only.
pub(crate) const CLEAN: &[u8] = b"m/clean";

pub(crate) fn sample(id: SampleId) -> [u8; 9] {
    id_key(b's', id)
}

pub(crate) fn result(id: SampleId) -> [u8; 9] {
    id_key(b'r', id)
}

/// Reads back a key of [`sample`] or [`result`].
pub(crate) fn parse_id(key: &[u8]) -> Option<SampleId> {
    let (_, value) = key.split_first()?;
    SampleId::new(u64::from_be_bytes(value.try_into().ok()?))
}

pub(crate) fn history(history: History, minute: i64) -> [u8; 10] {
    let mut key = [0; 10];
    key[0] = b'h';
    key[1] = history.code();
    key[2..].copy_from_slice(&minute.to_be_bytes());
    key
}

/// Reads back a key of [`history`].
pub(crate) fn parse_history(key: &[u8]) -> Option<(History, i64)> {
    let (head, minute) = key.split_last_chunk::<8>()?;
    let history = History::ALL
        .into_iter()
        .find(|history| head == [b'h', history.code()])?;
    Some((history, i64::from_be_bytes(*minute)))
}

fn id_key(kind: u8, id: SampleId) -> [u8; 9] {
    let mut key = [0; 9];
    key[0] = kind;
    key[1..].copy_from_slice(&id.value().to_be_bytes());
    key
}
