//! Signature sets, matching and scoring: bytes in, findings out.
