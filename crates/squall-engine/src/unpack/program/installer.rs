//! Programs that install what is packed in them in a form of their own.
//!
//! None of these forms is opened; the program alone is not the whole, so it is
//! told.

use memchr::memmem;

/// What tells the forms, and where it is in what is behind the program.
const MARKS: [(&str, &[u8], Where); 5] = [
    ("NSIS", b"\xef\xbe\xad\xdeNullsoftInst", Where::Anywhere),
    ("Inno Setup", b"Inno Setup Setup Data (", Where::Anywhere),
    ("InstallShield", b"InstallShield\0", Where::Beginning),
    ("InstallShield", b"ISSetupStream\0", Where::Beginning),
    ("AppImage", b"hsqs", Where::Beginning),
];

#[derive(Clone, Copy)]
enum Where {
    Beginning,
    Anywhere,
}

/// The form, by what is behind the program.
pub(super) fn name(behind: &[u8]) -> Option<&'static str> {
    MARKS
        .into_iter()
        .find(|(_, mark, place)| match place {
            Where::Beginning => behind.starts_with(mark),
            Where::Anywhere => memmem::find(behind, mark).is_some(),
        })
        .map(|(name, _, _)| name)
}
