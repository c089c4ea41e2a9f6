//! What a Windows program says of itself.

use serde::{Deserialize, Serialize};

/// Facts about a Windows program. All texts are the file's own claims, cut to
/// a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeInfo {
    /// `CompanyName` of the version information; empty when there is none.
    pub company: String,
    /// `FileDescription` of the version information.
    pub description: String,
    /// `LegalCopyright` of the version information.
    pub legal_copyright: String,
    /// `ProductName` of the version information.
    pub product: String,
    /// `OriginalFilename` of the version information.
    pub original_name: String,
    /// `InternalName` of the version information.
    pub internal_name: String,
    /// True if a signature fits the bytes of the file. Whether its certificate
    /// is to be trusted is not looked at.
    pub signed: bool,
    /// The signatures, whether they fit or not.
    pub signatures: Vec<PeSignature>,
    /// MD5 of the normalised import table; `None` without imports, so that all
    /// such files do not look alike.
    pub imphash: Option<[u8; 16]>,
    /// MD5 of the decrypted Rich header from `DanS` up to `Rich`.
    pub rich_header_hash: Option<[u8; 16]>,
    /// When the linker says it made the file, in seconds since 1970-01-01 UTC;
    /// a hash instead of a time in reproducible builds.
    pub creation_timestamp: u32,
}

/// A signature in a Windows program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeSignature {
    /// Whom the certificate was issued to.
    pub subject: String,
    /// Who issued the certificate.
    pub issuer: String,
    /// Serial number of the certificate, as colon-separated hexadecimal.
    pub serial: String,
    /// SHA-1 of the certificate, lower-case hexadecimal.
    pub thumbprint: String,
    /// From when the certificate is valid, in seconds since 1970-01-01 UTC.
    pub not_before: i64,
    /// Until when the certificate is valid, in seconds since 1970-01-01 UTC.
    pub not_after: i64,
    /// True if this signature fits the bytes of the file.
    pub verified: bool,
}
