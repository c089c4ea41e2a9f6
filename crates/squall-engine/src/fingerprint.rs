//! What tells one signature set from another, and whether compiling a set
//! again would give the same.

use std::fmt;

use sha2::{Digest as _, Sha256};
use squall_types::SignatureOrigin;

use crate::ioc::{IocKind, kind_of};
use crate::set::{CompileOptions, EXTERNAL_VARIABLES};
use crate::source::SourceFile;

/// Counts changes of how sets are compiled and stored that neither the engine's
/// version nor the program's shows.
const COMPILATION: u32 = 3;

/// SHA-256 over all that a compiled set depends on: the files' names, contents,
/// included files and origins, the options, our variables, and the versions of the
/// engine and of this program.
///
/// Shown as 64 hexadecimal digits. Times are not in it: touching a file makes
/// no other set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Takes the fingerprint of the set that these files make.
    #[must_use]
    pub fn of(files: &[SourceFile], options: CompileOptions) -> Self {
        let CompileOptions { pure_yara } = options;
        Self::over(files.iter(), &[u8::from(pure_yara)])
    }

    /// Takes the fingerprint of the rules alone that these files make, whatever
    /// lists of indicators are among them.
    #[must_use]
    pub fn of_rules(files: &[SourceFile]) -> Self {
        Self::over(
            files.iter().filter(|file| kind_of(&file.name).is_none()),
            b"rules",
        )
    }

    /// Takes the fingerprint of all that can be found with these files: lists of
    /// trusted contents are left out.
    #[must_use]
    pub fn of_findable(files: &[SourceFile], options: CompileOptions) -> Self {
        let CompileOptions { pure_yara } = options;
        let is_trust = |file: &&SourceFile| kind_of(&file.name) == Some(IocKind::TrustedHash);
        let files = files.iter().filter(|file| !is_trust(file));
        Self::over(files, &[u8::from(pure_yara), 1])
    }

    fn over<'a>(files: impl Iterator<Item = &'a SourceFile>, options: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(COMPILATION.to_le_bytes());
        add(&mut hash, options);
        let versions = [yara_x::VERSION, env!("CARGO_PKG_VERSION")];
        for text in versions.iter().chain(&EXTERNAL_VARIABLES) {
            add(&mut hash, text.as_bytes());
        }
        for file in files {
            add(&mut hash, file.name.as_bytes());
            // Where problems are is part of what is stored.
            for piece in file.pieces() {
                add(&mut hash, piece.file.as_bytes());
                add(&mut hash, piece.text);
                add(&mut hash, piece.failure.unwrap_or_default().as_bytes());
            }
            hash.update([match file.origin {
                SignatureOrigin::Internal => 0,
                SignatureOrigin::Custom => 1,
                SignatureOrigin::External => 2,
            }]);
        }
        Self(hash.finalize().into())
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Adds a field whose end is part of what is hashed.
fn add(hash: &mut Sha256, field: &[u8]) {
    hash.update((field.len() as u64).to_le_bytes());
    hash.update(field);
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Included;

    fn file(name: &str, content: &str) -> SourceFile {
        SourceFile {
            name: name.to_owned(),
            content: content.into(),
            origin: SignatureOrigin::Internal,
            modified: None,
            included: Included::default(),
        }
    }

    #[test]
    fn all_that_a_set_depends_on_changes_the_fingerprint() {
        let plain = CompileOptions::default();
        let base = Fingerprint::of(&[file("a.yar", "x"), file("b.yar", "y")], plain);
        let again = Fingerprint::of(&[file("a.yar", "x"), file("b.yar", "y")], plain);
        assert_eq!(base, again);
        let custom = SourceFile {
            origin: SignatureOrigin::Custom,
            ..file("b.yar", "y")
        };
        let pure = CompileOptions { pure_yara: true };
        for (files, options) in [
            (vec![file("a.yar", "x"), file("b.yar", "z")], plain),
            (vec![file("a.yar", "x"), file("c.yar", "y")], plain),
            (vec![file("a.yar", "xb"), file(".yar", "y")], plain),
            (vec![file("b.yar", "y"), file("a.yar", "x")], plain),
            (vec![file("a.yar", "x")], plain),
            (vec![file("a.yar", "x"), custom], plain),
            (vec![file("a.yar", "x"), file("b.yar", "y")], pure),
        ] {
            assert_ne!(base, Fingerprint::of(&files, options), "{files:?}");
        }
    }

    #[test]
    fn lists_are_no_part_of_the_rules() {
        let rules = [file("a.yar", "x"), file("b.yar", "y")];
        let listed = [
            file("a.yar", "x"),
            file("my-hash-iocs.txt", "z"),
            file("b.yar", "y"),
        ];
        let base = Fingerprint::of_rules(&rules);
        assert_eq!(base, Fingerprint::of_rules(&listed));
        assert_ne!(base, Fingerprint::of_rules(&rules[..1]));
        let options = CompileOptions::default();
        assert_ne!(
            Fingerprint::of(&rules, options),
            Fingerprint::of(&listed, options)
        );
    }

    #[test]
    fn trust_is_no_part_of_what_can_be_found() {
        let options = CompileOptions::default();
        let base = [file("a.yar", "x"), file("my-hash-iocs.txt", "z")];
        let trusting = [base.as_slice(), &[file("trusted-hashes.txt", "y")]].concat();
        let fingerprint = Fingerprint::of_findable(&base, options);
        assert_eq!(fingerprint, Fingerprint::of_findable(&trusting, options));
        assert_ne!(fingerprint, Fingerprint::of_findable(&base[..1], options));
        assert_ne!(fingerprint, Fingerprint::of(&base, options));
    }

    #[test]
    fn touching_a_file_changes_nothing() {
        let options = CompileOptions::default();
        let touched = SourceFile {
            modified: Some(std::time::SystemTime::now()),
            ..file("a.yar", "x")
        };
        assert_eq!(
            Fingerprint::of(&[file("a.yar", "x")], options),
            Fingerprint::of(&[touched], options)
        );
    }
}
