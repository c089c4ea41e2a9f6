//! Tests of the service through its router and over real sockets.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail the test; clippy's own exception covers test functions only"
)]

mod access;
mod answers;
mod app;
mod certificates;
mod console;
mod document;
mod doors;
mod findings;
mod histories;
mod hostile;
mod library;
mod overload;
mod pages;
mod provider;
mod raw;
mod refusals;
mod session;
mod signatures;
mod source;
mod stop;
mod tls;
mod uploads;
