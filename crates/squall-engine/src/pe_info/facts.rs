//! The facts a report shows, `pe_info` in the v3 log form.

use md5::{Digest, Md5};
use yara_x::mods::{PE, pe};

use super::{SIGNATURES_MAX, TEXT_MAX_CHARS, imphash};

/// Facts about a Windows program. All texts are the file's own claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeInfo {
    /// `CompanyName` of the version information; empty when there is none.
    pub(crate) company: String,
    /// `FileDescription` of the version information.
    pub(crate) description: String,
    /// `LegalCopyright` of the version information.
    pub(crate) legal_copyright: String,
    /// `ProductName` of the version information.
    pub(crate) product: String,
    /// `OriginalFilename` of the version information.
    pub(crate) original_name: String,
    /// `InternalName` of the version information.
    pub(crate) internal_name: String,
    /// True if a signature fits the bytes of the file. Whether its certificate
    /// is to be trusted is not looked at.
    pub(crate) signed: bool,
    /// The signatures, whether they fit or not.
    pub(crate) signatures: Vec<PeSignature>,
    /// MD5 of the normalised import table, lower-case hexadecimal; `None`
    /// without imports, so that all such files do not look alike.
    pub(crate) imphash: Option<String>,
    /// MD5 of the decrypted Rich header from `DanS` up to `Rich`, lower-case
    /// hexadecimal.
    pub(crate) rich_header_hash: Option<String>,
    /// When the linker says it made the file, in seconds since 1970-01-01 UTC;
    /// a hash instead of a time in reproducible builds.
    pub(crate) creation_timestamp: u32,
}

/// A signature in a Windows program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeSignature {
    /// Whom the certificate was issued to.
    pub(crate) subject: String,
    /// Who issued the certificate.
    pub(crate) issuer: String,
    /// Serial number of the certificate, as colon-separated hexadecimal.
    pub(crate) serial: String,
    /// SHA-1 of the certificate, lower-case hexadecimal.
    pub(crate) thumbprint: String,
    /// From when the certificate is valid, in seconds since 1970-01-01 UTC.
    pub(crate) not_before: i64,
    /// Until when the certificate is valid, in seconds since 1970-01-01 UTC.
    pub(crate) not_after: i64,
    /// True if this signature fits the bytes of the file.
    pub(crate) verified: bool,
}

/// Takes what a report shows from what the engine parsed.
pub(super) fn read(pe: &PE) -> PeInfo {
    let version = |key: &str| text(pe.version_info.get(key).map(String::as_str));
    PeInfo {
        company: version("CompanyName"),
        description: version("FileDescription"),
        legal_copyright: version("LegalCopyright"),
        product: version("ProductName"),
        original_name: version("OriginalFilename"),
        internal_name: version("InternalName"),
        signed: pe.is_signed.unwrap_or_default(),
        signatures: pe
            .signatures
            .iter()
            .take(SIGNATURES_MAX)
            .map(signature)
            .collect(),
        imphash: imphash::imphash(pe),
        rich_header_hash: pe
            .rich_signature
            .as_ref()
            .and_then(|rich| rich.clear_data.as_deref())
            .map(|clear| hex(&Md5::digest(clear))),
        creation_timestamp: pe.timestamp.unwrap_or_default(),
    }
}

fn signature(found: &pe::Signature) -> PeSignature {
    PeSignature {
        subject: text(found.subject.as_deref()),
        issuer: text(found.issuer.as_deref()),
        serial: text(found.serial.as_deref()),
        thumbprint: text(found.thumbprint.as_deref()),
        not_before: found.not_before.unwrap_or_default(),
        not_after: found.not_after.unwrap_or_default(),
        verified: found.verified.unwrap_or_default(),
    }
}

/// Cuts a text of the file to its limit; the padding behind many of them is
/// no part of it.
fn text(value: Option<&str>) -> String {
    value
        .unwrap_or_default()
        .trim_matches(|c: char| c == '\0' || c.is_whitespace())
        .chars()
        .take(TEXT_MAX_CHARS)
        .collect()
}

/// Returns the lower-case hexadecimal digits of `bytes`.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
