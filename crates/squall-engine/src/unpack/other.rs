//! Files that are not made to hold others, and what is not recognised: text at
//! their beginning may have encoded files in it, and an archive may be behind.

use super::{Members, Trouble, blobs, program};
use crate::file_type::text_of;

/// Opens what is in the text of a file, and the archive behind it, if any.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    /// Less is a header of something.
    const TEXT_MIN: usize = 64;
    let text = text_of(content);
    if text.len() < TEXT_MIN {
        return program::unpack_other(content, members);
    }
    blobs::unpack(text, members)?;
    program::unpack_text(content, members)
}
