//! The store through its public face.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail the test; clippy's own exception covers test functions only"
)]

mod counts;
mod damage;
mod export;
mod feed;
mod oracle;
mod rebuild;
mod senders;
mod support;
