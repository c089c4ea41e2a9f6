//! What can go wrong before anything is sent.

use std::io;
use std::path::PathBuf;

use rustls::pki_types::pem;

/// Why receivers cannot be delivered to, or a finding cannot be taken for them.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A spool cannot be opened.
    #[error("cannot open the spool `{}`", path.display())]
    Open {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A spool took nothing.
    #[error("cannot write the spool `{}`", path.display())]
    Write {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The certificates that receivers are trusted by cannot be read.
    #[error("cannot read the certificates in `{}`", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: pem::Error,
    },
    /// The file of certificates has none that can be used.
    #[error("`{}` holds no certificate that can be used", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The system trusts nobody.
    #[error("the system has no certificates that receivers could be trusted by")]
    NoSystemCertificate,
    /// TLS cannot be set up.
    #[error("cannot use TLS")]
    Tls(#[from] rustls::Error),
}
