//! The file of tokens.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private;
use crate::role::Role;
use crate::token::TokenId;

/// The directory in the data directory.
const DIR: &str = "access";
/// The file in it.
const TOKENS: &str = "tokens.json";
/// The version of the file's form.
const VERSION: u32 = 1;
/// Largest file that is read.
const FILE_LEN_MAX: u64 = 16 << 20;

/// What went wrong with tokens.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{path}` holds no tokens")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A newer version of the program wrote the file.
    #[error("`{path}` has version {found}, expected {VERSION}")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The system gives no random bytes.
    #[error("cannot draw a token")]
    Random(#[source] getrandom::Error),
    /// A token may not be called that.
    #[error("a token cannot be called `{0}`, expected 1 to 64 characters that can be seen")]
    Name(String),
    /// Another token that is in force has the name.
    #[error("the token {id} is called `{name}` already")]
    NameTaken {
        /// The name.
        name: String,
        /// The other token.
        id: TokenId,
    },
    /// The token would be good for nothing.
    #[error("a token cannot expire in the past")]
    Past,
    /// There are too many tokens in force.
    #[error("there are {0} tokens in force, the most there may be; revoke some")]
    TooMany(usize),
    /// No token has that id or name.
    #[error("no token in force has the id or the name `{0}`")]
    Unknown(String),
}

/// A token as it is kept: all but the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// What it is called in lists, reviews and the audit log.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// SHA-256 of the token, in hexadecimal digits.
    pub(crate) sha256: Sha256Hex,
    /// When it was made.
    #[serde(with = "crate::text::one")]
    pub created_at: Timestamp,
    /// When it ceases to be good; `None` for never.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::text::maybe"
    )]
    pub expires_at: Option<Timestamp>,
    /// From where it is good; empty for everywhere.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "crate::text::many"
    )]
    pub from: Vec<IpNet>,
    /// When it was revoked.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::text::maybe"
    )]
    pub revoked_at: Option<Timestamp>,
}

impl TokenRecord {
    /// Tells whether it is good at `now`.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

/// A SHA-256, in hexadecimal digits where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Sha256Hex(pub(crate) [u8; 32]);

impl From<Sha256Hex> for String {
    fn from(digest: Sha256Hex) -> Self {
        digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected 64 hexadecimal digits";
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(EXPECTED);
        }
        let mut digest = [0; 32];
        for (at, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| EXPECTED)?;
        }
        Ok(Self(digest))
    }
}

#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    tokens: Vec<TokenRecord>,
}

/// Returns the directory of everything on access.
pub(crate) fn dir(data_dir: &Path) -> PathBuf {
    data_dir.join(DIR)
}

/// Returns where the tokens are.
pub(crate) fn path(data_dir: &Path) -> PathBuf {
    dir(data_dir).join(TOKENS)
}

/// Reads the tokens; there are none where there is no file.
pub(crate) fn read(path: &Path) -> Result<Vec<TokenRecord>, AccessError> {
    let failed = |source| AccessError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(failed)?,
    };
    let mut text = String::new();
    file.take(FILE_LEN_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let form: Form = serde_json::from_str(&text).map_err(|source| AccessError::Form {
        path: path.to_owned(),
        source,
    })?;
    if form.version != VERSION {
        return Err(AccessError::Version {
            path: path.to_owned(),
            found: form.version,
        });
    }
    Ok(form.tokens)
}

/// Replaces the tokens.
pub(crate) fn write(path: &Path, tokens: Vec<TokenRecord>) -> Result<(), AccessError> {
    let form = Form {
        version: VERSION,
        tokens,
    };
    let text = serde_json::to_vec_pretty(&form).map_err(|source| AccessError::Form {
        path: path.to_owned(),
        source,
    })?;
    private::replace(path, &text).map_err(|source| AccessError::Write {
        path: path.to_owned(),
        source,
    })
}
