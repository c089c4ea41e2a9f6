//! Tar archives, with GNU long names and pax headers.

use squall_types::IncompleteReason;

use super::{Members, Trouble};

/// Passes on every regular file of a tar archive.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut archive = tar::Archive::new(content);
    for entry in archive.entries().map_err(Trouble::corrupt)? {
        let entry = entry.map_err(Trouble::corrupt)?;
        members.check_time()?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_gnu_sparse() {
            members.record(
                &name,
                IncompleteReason::Unsupported,
                "a sparse file in a tar archive".to_owned(),
            );
        } else if kind.is_file() || kind.is_contiguous() {
            members.take(&name, entry)?;
        }
    }
    Ok(())
}
