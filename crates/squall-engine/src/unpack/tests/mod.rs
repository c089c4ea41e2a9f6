//! Archives made here, whole and in every state of disrepair.

mod archives;
mod build;
mod guard;
