//! What is wrong with a signature file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a problem cost a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// The signature is not active.
    Skipped,
    /// The signature is active.
    Warning,
}

/// Something about a signature file that its author should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file, as it was named in its source.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<u32>,
    /// The column in that line, in characters from 1, where it is known.
    pub column: Option<u32>,
    /// The rule it concerns, where it is known.
    pub rule: Option<String>,
    /// Whether the signature was left out.
    pub severity: Severity,
    /// What is wrong, in words, on one line.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        if let Some(rule) = &self.rule {
            write!(f, ": rule {rule}")?;
        }
        write!(f, ": {}", self.reason)
    }
}
