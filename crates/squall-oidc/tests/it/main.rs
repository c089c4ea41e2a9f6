//! Log-ins from end to end, at a provider that the test is.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail the test; clippy's own exception covers test functions only"
)]

mod login;
mod provider;
