//! The queue from outside: what it promises, and what breaks it.

mod support;

mod basics;
mod damage;
mod immediate;
mod kill;
mod limits;
mod load;
mod order;
mod results;
