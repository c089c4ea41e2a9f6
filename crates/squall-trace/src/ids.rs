//! Ids of traces and spans, derived from a sample's nonce.

use opentelemetry::trace::{SpanId, TraceId};
use sha2::{Digest as _, Sha256};

/// Returns the trace of a sample: its nonce and four bytes that depend on it.
pub(crate) fn trace(nonce: &[u8; 12]) -> TraceId {
    let mut id = [0; 16];
    id[..12].copy_from_slice(nonce);
    id[12..].copy_from_slice(&hash(nonce, b"trace")[..4]);
    TraceId::from_bytes(id)
}

/// Returns the root of a sample's trace.
pub(crate) fn root(nonce: &[u8; 12]) -> SpanId {
    span(nonce, "upload", 0)
}

/// Returns the id of another of its spans: the same for the same begin, so
/// that a span that is sent twice is one.
pub(crate) fn span(nonce: &[u8; 12], name: &str, begun_ns: u128) -> SpanId {
    let mut what = name.as_bytes().to_vec();
    what.extend_from_slice(&begun_ns.to_be_bytes());
    let hash = hash(nonce, &what);
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    // All zeros would mean that there is none.
    id[0] |= u8::from(id == [0; 8]);
    SpanId::from_bytes(id)
}

/// Returns the part of a trace id that decides whether it is sent, as samplers
/// of OpenTelemetry do: its last eight bytes without the highest bit.
pub(crate) fn low(nonce: &[u8; 12]) -> u64 {
    let id = trace(nonce).to_bytes();
    let mut low = [0; 8];
    low.copy_from_slice(&id[8..]);
    u64::from_be_bytes(low) >> 1
}

/// Returns the highest of those that are sent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share need not be exact, and the cast ends at the bounds"
)]
pub(crate) fn below(ratio: f64) -> u64 {
    (ratio.clamp(0.0, 1.0) * (u64::MAX >> 1) as f64) as u64
}

fn hash(nonce: &[u8; 12], what: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"squall-trace")
        .chain_update(nonce)
        .chain_update(what)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_the_sample_and_nothing_else() {
        let (one, other) = ([1; 12], [2; 12]);
        assert_eq!(trace(&one), trace(&one));
        assert_ne!(trace(&one), trace(&other));
        assert!(
            trace(&one)
                .to_string()
                .starts_with("010101010101010101010101")
        );
        assert_ne!(root(&one), root(&other));
        assert_eq!(span(&one, "scan", 5), span(&one, "scan", 5));
        assert_ne!(span(&one, "scan", 5), span(&one, "scan", 6));
        assert_ne!(span(&one, "scan", 5), span(&one, "queue", 5));
    }

    #[test]
    fn a_ratio_is_the_share_of_samples_that_are_traced() {
        for (ratio, low_count, high_count) in
            [(0.0, 0, 0), (0.25, 2200, 2800), (1.0, 10_000, 10_000)]
        {
            let below = below(ratio);
            let wanted = (0..10_000_u32)
                .filter(|number| {
                    let mut nonce = [0; 12];
                    nonce.copy_from_slice(&hash(&[0; 12], &number.to_be_bytes())[..12]);
                    low(&nonce) <= below
                })
                .count();
            assert!(
                (low_count..=high_count).contains(&wanted),
                "{ratio}: {wanted}"
            );
        }
    }
}
