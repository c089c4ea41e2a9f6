//! Text encodings of bytes, as mail, scripts and documents use them. Every
//! decoder takes what is damaged as far as it goes, because the programs that
//! open such files do.

mod base64;
mod hex;
mod lzfu;
mod quoted;
mod uu;

pub(super) use base64::base64;
pub(super) use hex::{hex, hex_value};
pub(super) use lzfu::Rtf;
pub(super) use quoted::{quoted_printable, quoted_word};
pub(super) use uu::blocks as uu_blocks;
