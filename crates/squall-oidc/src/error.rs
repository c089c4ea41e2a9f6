//! Why somebody is not logged in, and why a provider cannot be used at all.

use std::io;
use std::path::PathBuf;

use crate::id_token::IdTokenError;
use crate::identity::Identity;

/// Why a provider cannot be used; the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file for the secret holds none.
    #[error("`{}` holds no secret: expected one line of text", path.display())]
    NoSecret {
        /// The file.
        path: PathBuf,
    },
    /// The certificates are none.
    #[error("`{}` holds no certificate in PEM", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// An address is not one that secrets may be sent to.
    #[error("`{0}` is no https:// address without user, query and fragment")]
    Address(String),
    /// The HTTP client cannot be made.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Why somebody is not logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The browser brings an answer to no log-in of its own: it was never
    /// begun, took too long, was brought before, or is somebody else's.
    #[error("no such log-in is under way in this browser")]
    NotUnderWay,
    /// The provider says that it is not to be.
    #[error("the provider refuses: {0}")]
    Denied(String),
    /// The provider cannot be reached, or is too slow.
    #[error("the provider does not answer: {0}")]
    Unreachable(String),
    /// The provider answers with something else than was asked for.
    #[error("the provider answers wrongly: {0}")]
    Answer(String),
    /// The ID token is not to be believed.
    #[error("the ID token is not good")]
    IdToken(#[from] IdTokenError),
    /// The secret cannot be read any more.
    #[error("cannot read the client's secret")]
    Secret(#[source] SetUpError),
    /// It is certain who that is, and nothing gives him a role.
    #[error("no value of the claim for roles gives a role")]
    NoRole(Identity),
    /// The system gives no random bytes.
    #[error("cannot draw random bytes")]
    Random(#[source] getrandom::Error),
}
