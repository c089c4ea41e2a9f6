//! Decrypting Office documents with a known password ([MS-OFFCRYPTO] 2.3.4).
//!
//! Excel opens a document encrypted with `VelvetSweatshop` without asking, and
//! malware is encrypted with it to be opened but not scanned.

mod agile;
mod standard;

#[cfg(test)]
mod tests;

use super::ROOT;
use super::compound::Compound;
use crate::unpack::fields::{u16_at, u64_at};
use crate::unpack::{Members, Trouble};

/// The password that is tried without asking.
const BUILT_IN_PASSWORD: &str = "VelvetSweatshop";

/// Rounds of hashing a password; documents have a hundred thousand.
const ROUNDS_MAX: u32 = 1_000_000;

/// The document inside, decrypted; `None` if no known password opens it.
pub(super) fn decrypted(
    compound: &Compound<'_>,
    members: &Members<'_, '_>,
) -> Result<Option<Vec<u8>>, Trouble> {
    let stream = |name| {
        let index = compound.child(ROOT, name)?;
        Some(compound.stream(index).content)
    };
    let Some((info, package)) = stream("EncryptionInfo").zip(stream("EncryptedPackage")) else {
        return Ok(None);
    };
    let Some(scheme) = Scheme::read(&info) else {
        return Ok(None);
    };
    let passwords = members.passwords().iter().map(String::as_str);
    for password in std::iter::once(BUILT_IN_PASSWORD).chain(passwords) {
        members.budget.check_time()?;
        let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
        if let Some(content) = scheme.decrypt(&password, &package) {
            return Ok(Some(content));
        }
    }
    Ok(None)
}

/// How a document is encrypted.
enum Scheme {
    Standard(standard::Parameters),
    Agile(agile::Parameters),
}

impl Scheme {
    fn read(info: &[u8]) -> Option<Self> {
        let (major, minor) = u16_at(info, 0).zip(u16_at(info, 2))?;
        match (major, minor) {
            (4, 4) => agile::Parameters::read(info.get(8..)?).map(Self::Agile),
            (2..=4, 2) => standard::Parameters::read(info.get(8..)?).map(Self::Standard),
            _ => None,
        }
    }

    fn decrypt(&self, password: &[u8], package: &[u8]) -> Option<Vec<u8>> {
        let len = usize::try_from(u64_at(package, 0)?).ok()?;
        let encrypted = package.get(8..)?;
        let mut content = match self {
            Self::Standard(parameters) => parameters.decrypt(password, encrypted)?,
            Self::Agile(parameters) => parameters.decrypt(password, encrypted)?,
        };
        content.truncate(len);
        Some(content)
    }
}
