//! Archives made here, whole and in every state of disrepair.

mod archives;
mod behind;
mod build;
mod guard;
