//! A file, and extracts of it, in the v3 log form.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file: the sample or a member of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::File)]
pub struct File {
    /// Always `file`.
    #[serde(rename = "type")]
    #[schema(example = "file")]
    pub object_type: String,
    /// The name on the sender; a member's is `outer.zip|inner/x.js`.
    #[schema(example = "C:\\temp\\x.exe")]
    pub path: String,
    /// Always `yes`.
    #[schema(example = "yes")]
    pub exists: String,
    /// The file's extension, lower case, with the dot; empty when there is none.
    #[schema(example = ".exe")]
    pub extension: String,
    /// What the content is: `EXE`, `ZIP`, `PHP`, … `UNKNOWN`.
    #[schema(example = "EXE")]
    pub magic_header: String,
    /// Digests of the file; absent when it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<Hashes>,
    /// The first bytes; absent when the file could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bytes: Option<FirstBytes>,
    /// Size in bytes; 0 when the file could not be read.
    #[schema(example = 1_352_192)]
    pub size: u64,
    /// Always null: the sender does not tell permissions.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub permissions: Option<serde_json::Value>,
    /// The types it was unpacked from, outermost first; absent for the sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["EMAIL", "ZIP"]))]
    pub unpack_source: Vec<String>,
    /// Facts about a Windows executable; absent for other files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pe_info: Option<PeInfo>,
    /// Extracts of the content around what matched.
    pub content: Content,
}

/// Digests of a file, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Hashes)]
pub struct Hashes {
    /// MD5.
    #[schema(example = "d41d8cd98f00b204e9800998ecf8427e")]
    pub md5: String,
    /// SHA-1.
    #[schema(example = "da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    pub sha1: String,
    /// SHA-256.
    #[schema(example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    pub sha256: String,
}

/// The first twenty bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FirstBytes)]
pub struct FirstBytes {
    /// The bytes in hexadecimal.
    #[schema(example = "4d5a9000")]
    pub hex: String,
    /// Those that are printable ASCII.
    #[schema(example = "MZ")]
    pub ascii: String,
}

/// Facts about a Windows executable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::PeInfo)]
pub struct PeInfo {
    /// Version resource: company.
    pub company: String,
    /// Version resource: description.
    pub description: String,
    /// Version resource: copyright.
    pub legal_copyright: String,
    /// Version resource: product.
    pub product: String,
    /// Version resource: original file name.
    pub original_name: String,
    /// Version resource: internal name.
    pub internal_name: String,
    /// Whether it carries a signature that fits its bytes.
    pub signed: bool,
    /// The signatures; null when there are none.
    pub signatures: Option<Vec<PeSignature>>,
    /// Digest of the import table, in hexadecimal; empty without imports.
    pub imphash: String,
    /// Digest of the rich header, in hexadecimal; empty when there is none.
    pub rich_header_hash: String,
    /// When it says it was linked, RFC 3339.
    pub creation_timestamp: String,
}

/// A signature of a Windows executable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::PeSignature)]
pub struct PeSignature {
    /// Whom the certificate names.
    pub certificate_name: String,
    /// Whether the signature fits the bytes; the certificate's chain is not
    /// looked at.
    pub signature_valid: bool,
}

/// Extracts of a file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Content)]
pub struct Content {
    /// Always `sparse data`.
    #[serde(rename = "type")]
    #[schema(example = "sparse data")]
    pub object_type: String,
    /// The extracts in the order of their offsets; they neither overlap nor
    /// touch.
    pub elements: Vec<ContentElement>,
    /// Length of the whole content in bytes.
    #[schema(example = 1_352_192)]
    pub length: u64,
}

/// One extract of a file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::ContentElement)]
pub struct ContentElement {
    /// Where it begins, in bytes.
    #[schema(example = 4096)]
    pub offset: u64,
    /// The bytes.
    pub data: EncodedData,
}

/// Bytes in a form that JSON can hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::EncodedData)]
pub struct EncodedData {
    /// The bytes as text or in hexadecimal, as `encoding` says.
    #[schema(example = "<%eval request(")]
    pub data: String,
    /// How the bytes are written.
    pub encoding: Encoding,
}

/// How bytes are written in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = v1::Encoding)]
pub enum Encoding {
    /// As they are: they are valid UTF-8.
    Plain,
    /// In hexadecimal, lower case.
    Hex,
}
