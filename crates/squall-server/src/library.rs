//! What the service may ask of whoever has the signatures' files: the rules in
//! force and their text, and the files that are written through the API.

use sha2::{Digest as _, Sha256};
use squall_api::v1;

/// A rule in force.
#[derive(Clone, Debug, Default)]
pub struct RuleFacts {
    /// Its name.
    pub name: String,
    /// The file that it is in.
    pub file: String,
    /// `internal`, `custom` or `external`.
    pub origin: &'static str,
    /// Its sub-score.
    pub score: i32,
    /// What it looks for.
    pub description: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// Its date as it says it.
    pub date: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// A file that was written through the API.
#[derive(Clone, Debug, Default)]
pub struct WrittenFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was last written.
    pub modified: jiff::Timestamp,
    /// SHA-256 of its text, as hexadecimal digits.
    pub digest: String,
}

/// Returns the digest that says which text of a file is meant: its SHA-256, as
/// hexadecimal digits.
#[must_use]
pub fn text_digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Something that is wrong with the text of a file.
#[derive(Clone, Debug, Default)]
pub struct Mistake {
    /// The line, from 1, where it is known.
    pub line: Option<u32>,
    /// The column, from 1, where it is known.
    pub column: Option<u32>,
    /// Whether a signature is lost by it.
    pub fatal: bool,
    /// What is wrong.
    pub reason: String,
}

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The name is none that a file may have; it says why.
    #[error("{0}")]
    Name(String),
    /// It cannot be done at the moment; it says why.
    #[error("{0}")]
    NotNow(String),
    /// The file is not what the change was meant for; it says in what way.
    #[error("{0}")]
    Changed(&'static str),
    /// There are too many files.
    #[error("there are {0} files already, which is the limit")]
    TooMany(usize),
    /// The machine refuses.
    #[error("{operation} failed")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

/// Knows the files of the signatures. All of it may take a while: it is asked
/// beside the runtime.
pub trait SignatureLibrary: Send + Sync {
    /// Returns the rules in force.
    fn rules(&self) -> Vec<RuleFacts>;

    /// Returns the line that a rule begins in and its text; `None` where its
    /// file does not have it any more.
    ///
    /// # Errors
    ///
    /// Fails if the signatures cannot be read.
    fn source(&self, file: &str, rule: &str) -> Result<Option<(u32, String)>, LibraryError>;

    /// Tells whether the set in force trusts the content with this SHA-256.
    fn trusts(&self, sha256: &[u8; 32]) -> bool;

    /// Returns the files that were written, by name.
    ///
    /// # Errors
    ///
    /// Fails if their directory cannot be read.
    fn written(&self) -> Result<Vec<WrittenFile>, LibraryError>;

    /// Returns the text of one; `None` where there is none of that name.
    ///
    /// # Errors
    ///
    /// Fails if the name is none of a signature file, or it cannot be read.
    fn read(&self, name: &str) -> Result<Option<String>, LibraryError>;

    /// Returns what is wrong with a text that is to be the file of that name.
    ///
    /// # Errors
    ///
    /// Fails if the name is none of a signature file.
    fn check(&self, name: &str, text: &str) -> Result<Vec<Mistake>, LibraryError>;

    /// Writes a file, or removes it. It is in force once the signatures are
    /// reloaded.
    ///
    /// # Errors
    ///
    /// Fails if the name is none of a signature file, or it cannot be written.
    fn write(&self, name: &str, text: Option<&str>) -> Result<(), LibraryError>;

    /// Returns what rules cost in time, as far as it was measured.
    fn costs(&self) -> v1::RuleCosts;

    /// Begins to measure what rules cost in time.
    ///
    /// # Errors
    ///
    /// Fails if there is nothing to measure with, or if it is being measured.
    fn measure(&self) -> Result<(), LibraryError>;
}
