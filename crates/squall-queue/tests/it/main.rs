//! The queue from outside: what it promises, and what breaks it.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests may fail the test, too"
)]

mod support;

mod basics;
mod capacity;
mod damage;
mod full_disk;
mod held_back;
mod immediate;
mod kill;
mod limits;
mod load;
mod order;
mod results;
