//! The facts a report shows, `pe_info` in the v3 log form.

use md5::{Digest, Md5};
use squall_types::{PeInfo, PeSignature};
use yara_x::mods::{PE, pe};

use super::{SIGNATURES_MAX, TEXT_MAX_CHARS, imphash};

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
            .map(|clear| Md5::digest(clear).into()),
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
