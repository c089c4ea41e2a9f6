//! OneNote sections ([MS-ONESTORE]): the files embedded in them.
//!
//! A reader finds them through a graph of revisions; each has a fixed mark
//! before it, which is all a scanner needs.

use memchr::memmem;
use squall_types::IncompleteReason;

use super::fields::u64_at;
use super::{Members, Trouble};

/// What every embedded file begins with: the identifier
/// `{BDE316E7-2665-4511-A4C4-8D4D0B7A9EAC}`.
const MARK: &[u8] = b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac";
/// Behind the mark: the length, and what is reserved.
const HEADER_BYTES: usize = MARK.len() + 8 + 4 + 8;

/// Opens a OneNote section.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    for (index, start) in memmem::find_iter(content, MARK).enumerate() {
        members.budget.check_time()?;
        let name = format!("file-{}", index + 1);
        let len = u64_at(content, start + MARK.len()).unwrap_or(u64::MAX);
        let rest = content.get(start + HEADER_BYTES..).unwrap_or_default();
        let file = match usize::try_from(len).ok().and_then(|len| rest.get(..len)) {
            Some(file) => file,
            None => {
                members.record(
                    &name,
                    IncompleteReason::Corrupt,
                    "the embedded file is cut off".to_owned(),
                );
                rest
            }
        };
        if !file.is_empty() {
            members.take(&name, file)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpack::trial::{open, survives_damage};

    fn section() -> Vec<u8> {
        let mut content = b"\xe4\x52\x5c\x7bsection".to_vec();
        for file in [&b"MZ program"[..], b"<script>"] {
            content.extend(MARK);
            content.extend((file.len() as u64).to_le_bytes());
            content.extend([0; 12]);
            content.extend(file);
            content.extend(b"padding");
        }
        content
    }

    #[test]
    fn embedded_files_are_members() {
        let opened = open(unpack, &section());
        assert_eq!(opened.member("file-1"), b"MZ program");
        assert_eq!(opened.member("file-2"), b"<script>");
        assert!(opened.incomplete.is_empty());
    }

    #[test]
    fn a_cut_off_file_is_recorded() {
        let section = section();
        let opened = open(unpack, &section[..section.len() - 10]);
        assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
        assert_eq!(opened.member("file-2"), b"<scri");
        survives_damage(unpack, &section);
    }
}
