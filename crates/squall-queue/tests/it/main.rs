//! The queue from outside: what it promises, and what breaks it.

mod support;

mod basics;
