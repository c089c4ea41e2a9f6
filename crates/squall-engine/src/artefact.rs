//! The stored form of a set's compiled rules, so that they are compiled once.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `SQLSIGS` and a line feed |
//! | 32 | SHA-256 of everything behind it |
//! | 32 | the rules' [`Fingerprint`] |
//! | 4 | length of the next part, little-endian |
//! | … | the problems of the rules' text, JSON |
//! | 4 | length of the next part |
//! | … | what the rules ask of names, JSON |
//! | 4 | length of the next part |
//! | … | the same as compiled rules |
//! | … | the compiled rules, as the engine stores them |
//!
//! The rules hold code for this processor. The engine does not defend itself
//! against a forged file, so one must come from a directory that only the
//! service can write to; the checksum is against accidents, not against people.
//!
//! Lists of indicators are not in it: reading them again costs less than
//! reading them from here would.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};
use yara_x::Rules;

use crate::fingerprint::Fingerprint;
use crate::name_use::NameUse;
use crate::set::{CompileOptions, Compiled, SignatureSet};
use crate::source::SourceFile;

const MAGIC: &[u8; 8] = b"SQLSIGS\n";
const DIGEST_LEN: usize = 32;

/// Why a stored set is not used.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    /// It is something else, or it was cut.
    #[error("not a stored signature set")]
    Format,
    /// Its bytes are not those that were stored.
    #[error("the stored signature set is damaged")]
    Damaged,
    /// It was made from other files, by another version, or with other options.
    #[error("the stored signature set is of other signatures")]
    Foreign,
    /// The engine cannot use it.
    #[error("the engine refuses the stored rules")]
    Engine(#[source] Box<yara_x::errors::SerializationError>),
    /// The description of problems, or of what is asked of names, cannot be
    /// read.
    #[error("cannot read the description of the stored signature set")]
    Description(#[source] serde_json::Error),
}

impl SignatureSet {
    /// Writes what [`restore`](Self::restore) reads.
    ///
    /// # Errors
    ///
    /// Fails if `out` does, or if the engine cannot store its rules.
    pub fn store(&self, out: &mut impl Write) -> io::Result<()> {
        let problems = serde_json::to_vec(self.rule_problems())?;
        let name_use = serde_json::to_vec(self.name_use().text())?;
        let name_rules = self.name_use().rules().serialize();
        let name_rules = name_rules.map_err(io::Error::other)?;
        let rules = self.rules().serialize().map_err(io::Error::other)?;
        let mut hash = Sha256::new();
        let parts: [&[u8]; 8] = [
            self.rules_fingerprint().bytes(),
            &len(&problems)?,
            &problems,
            &len(&name_use)?,
            &name_use,
            &len(&name_rules)?,
            &name_rules,
            &rules,
        ];
        for part in parts {
            hash.update(part);
        }
        out.write_all(MAGIC)?;
        out.write_all(&hash.finalize())?;
        parts.iter().try_for_each(|part| out.write_all(part))
    }

    /// Makes the set that `files` make, with the rules that were compiled and
    /// stored earlier. `stored` must come from where only this program writes.
    ///
    /// # Errors
    ///
    /// Fails if `stored` is damaged or belongs to other files; the set is to
    /// be compiled then.
    pub fn restore(
        files: &[SourceFile],
        options: CompileOptions,
        stored: &[u8],
    ) -> Result<Self, ArtefactError> {
        let (magic, rest) = stored
            .split_at_checked(MAGIC.len())
            .ok_or(ArtefactError::Format)?;
        if magic != MAGIC {
            return Err(ArtefactError::Format);
        }
        let (digest, rest) = rest
            .split_at_checked(DIGEST_LEN)
            .ok_or(ArtefactError::Format)?;
        if digest != Sha256::digest(rest).as_slice() {
            return Err(ArtefactError::Damaged);
        }
        let (fingerprint, rest) = rest
            .split_at_checked(DIGEST_LEN)
            .ok_or(ArtefactError::Format)?;
        if fingerprint != Fingerprint::of_rules(files).bytes() {
            return Err(ArtefactError::Foreign);
        }
        let (problems, rest) = part(rest)?;
        let (name_use, rest) = part(rest)?;
        let (name_rules, rules) = part(rest)?;
        let compiled = Compiled {
            problems: serde_json::from_slice(problems).map_err(ArtefactError::Description)?,
            name_use: NameUse::restore(
                serde_json::from_slice(name_use).map_err(ArtefactError::Description)?,
                deserialize(name_rules)?,
            ),
            rules: deserialize(rules)?,
        };
        Ok(Self::assemble(files, options, compiled))
    }
}

fn len(part: &[u8]) -> io::Result<[u8; 4]> {
    let len = u32::try_from(part.len()).map_err(io::Error::other)?;
    Ok(len.to_le_bytes())
}

/// Splits off a part that its length is before.
fn part(bytes: &[u8]) -> Result<(&[u8], &[u8]), ArtefactError> {
    let (len, rest) = bytes.split_first_chunk().ok_or(ArtefactError::Format)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    rest.split_at_checked(len).ok_or(ArtefactError::Format)
}

fn deserialize(rules: &[u8]) -> Result<Rules, ArtefactError> {
    Rules::deserialize(rules).map_err(|error| ArtefactError::Engine(Box::new(error)))
}
