//! Tests of the service through its router and over real sockets.

mod answers;
mod app;
mod document;
mod histories;
mod hostile;
mod pages;
mod raw;
mod refusals;
mod source;
mod stop;
mod tls;
mod uploads;
